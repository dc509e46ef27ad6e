package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/option"
)

// client is the properties of Kafka's clients made plain.
type client struct {
	common, consumer, producer []kgo.Opt
	group                      []kgo.Opt
	reset                      string // auto.offset.reset
	maxPoll                    int
	maxBatch                   int32 // largest batch of records, in bytes
}

// connections tells which brokers cannot be connected to. The client tries
// again by itself and says nothing of it to its callers.
type connections struct{ health *connector.Health }

// OnBrokerConnect implements kgo.HookBrokerConnect. Brokers named in the options
// are one another's stand-ins: one that answers is enough.
func (c connections) OnBrokerConnect(meta kgo.BrokerMetadata, _ time.Duration, _ net.Conn, err error) {
	what := "connect to broker " + strconv.Itoa(int(meta.NodeID))
	if meta.NodeID < 0 {
		what = "connect to 'properties.bootstrap.servers'"
	}
	if err != nil {
		c.health.Failing(what, err)
		return
	}
	c.health.Working(what)
}

// throttles tells when brokers slow the client down, once a while: it waits as
// long as they ask for.
type throttles struct {
	log  *slog.Logger
	said atomic.Int64 // ms since 1970
}

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (t *throttles) OnBrokerThrottle(meta kgo.BrokerMetadata, pause time.Duration, _ bool) {
	now, said := time.Now().UnixMilli(), t.said.Load()
	if pause > 0 && now-said > 30_000 && t.said.CompareAndSwap(said, now) {
		t.log.Warn("the broker throttles this client: its quota is used up", "broker", meta.NodeID, "pause", pause)
	}
}

// ignored are properties that Flink overrides or that say how Java code is run.
var ignored = []string{"key.deserializer", "value.deserializer", "key.serializer", "value.serializer", "client.dns.lookup", "bootstrap.servers", "group.id",
	"partition.discovery.interval.ms", "allow.auto.create.topics"}

// client translates the properties. One that is not known is an error, because
// what it was to do would not be done.
func (o *options) client(log *slog.Logger, health *connector.Health) (*client, error) {
	c := &client{reset: "none", maxPoll: 4096, maxBatch: 1 << 20}
	c.common = []kgo.Opt{kgo.SeedBrokers(splitList(o.Servers)...), kgo.WithLogger(kgoLogger{log}),
		kgo.MetadataMinAge(250 * time.Millisecond)} // else a topic that was just made is seen after 5 s
	var sec security
	for _, key := range sortedKeys(o.Properties) {
		if err := c.property(key, o.Properties[key], &sec); err != nil {
			return nil, err
		}
	}
	c.common = append(c.common, kgo.WithHooks(&throttles{log: log}))
	if health != nil {
		c.common = append(c.common, kgo.WithHooks(connections{health}))
	}
	opts, err := sec.options()
	c.common = append(c.common, opts...)
	return c, err
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (c *client) property(key, v string, sec *security) error {
	bad := func(what string) error { return option.Errorf("properties."+key, "'%s' is %s", v, what) }
	ms := func() (time.Duration, error) {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return 0, bad("no number of milliseconds")
		}
		return time.Duration(n) * time.Millisecond, nil
	}
	size := func() (int32, error) {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil || n < 0 {
			return 0, bad("no number of bytes or records")
		}
		return int32(n), nil
	}
	add := func(list *[]kgo.Opt, opt func(time.Duration) kgo.Opt) error {
		d, err := ms()
		if err == nil {
			*list = append(*list, opt(d))
		}
		return err
	}
	addSize := func(list *[]kgo.Opt, opt func(int32) kgo.Opt) error {
		n, err := size()
		if err == nil {
			*list = append(*list, opt(n))
		}
		return err
	}
	switch key {
	case "client.id":
		c.common = append(c.common, kgo.ClientID(v))
	case "client.rack":
		c.consumer = append(c.consumer, kgo.Rack(v))
	case "group.instance.id":
		c.group = append(c.group, kgo.InstanceID(v))
	case "auto.offset.reset":
		if v != "earliest" && v != "latest" && v != "none" {
			return bad("none of earliest, latest, none")
		}
		c.reset = v
	case "isolation.level":
		switch v {
		case "read_committed":
			c.consumer = append(c.consumer, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		case "read_uncommitted":
			c.consumer = append(c.consumer, kgo.FetchIsolationLevel(kgo.ReadUncommitted()))
		default:
			return bad("neither read_committed nor read_uncommitted")
		}
	case "enable.auto.commit":
		if v == "true" {
			return bad("not possible: offsets are committed with checkpoints")
		}
	case "max.poll.records":
		n, err := size()
		if err != nil || n == 0 {
			return bad("no number of records")
		}
		c.maxPoll = int(n)
	case "fetch.min.bytes":
		return addSize(&c.consumer, func(n int32) kgo.Opt { return kgo.FetchMinBytes(n) })
	case "fetch.max.bytes":
		return addSize(&c.consumer, func(n int32) kgo.Opt { return kgo.FetchMaxBytes(n) })
	case "max.partition.fetch.bytes":
		return addSize(&c.consumer, func(n int32) kgo.Opt { return kgo.FetchMaxPartitionBytes(n) })
	case "fetch.max.wait.ms":
		return add(&c.consumer, func(d time.Duration) kgo.Opt { return kgo.FetchMaxWait(d) })
	case "session.timeout.ms":
		return add(&c.group, func(d time.Duration) kgo.Opt { return kgo.SessionTimeout(d) })
	case "heartbeat.interval.ms":
		return add(&c.group, func(d time.Duration) kgo.Opt { return kgo.HeartbeatInterval(d) })
	case "max.poll.interval.ms":
		return add(&c.group, func(d time.Duration) kgo.Opt { return kgo.RebalanceTimeout(d) })
	case "request.timeout.ms":
		return add(&c.common, func(d time.Duration) kgo.Opt { return kgo.RequestTimeoutOverhead(d) })
	case "metadata.max.age.ms":
		return add(&c.common, func(d time.Duration) kgo.Opt { return kgo.MetadataMaxAge(d) })
	case "retry.backoff.ms":
		return add(&c.common, func(d time.Duration) kgo.Opt { return kgo.RetryBackoffFn(func(int) time.Duration { return d }) })
	case "linger.ms":
		return add(&c.producer, func(d time.Duration) kgo.Opt { return kgo.ProducerLinger(d) })
	case "delivery.timeout.ms":
		return add(&c.producer, func(d time.Duration) kgo.Opt { return kgo.RecordDeliveryTimeout(d) })
	case "transaction.timeout.ms":
		return add(&c.producer, func(d time.Duration) kgo.Opt { return kgo.TransactionTimeout(d) })
	case "batch.size", "max.request.size":
		n, err := size()
		if err != nil {
			return err
		}
		if n < 512 || n > 1<<30 {
			return bad("not between 512 and 1073741824")
		}
		c.maxBatch = n
	case "buffer.memory":
		return addSize(&c.producer, func(n int32) kgo.Opt { return kgo.MaxBufferedBytes(int(n)) })
	case "retries":
		return addSize(&c.producer, func(n int32) kgo.Opt { return kgo.RecordRetries(int(n)) })
	case "acks":
		switch v {
		case "all", "-1":
			c.producer = append(c.producer, kgo.RequiredAcks(kgo.AllISRAcks()))
		case "1":
			c.producer = append(c.producer, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
		case "0":
			c.producer = append(c.producer, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
		default:
			return bad("none of all, 1, 0")
		}
	case "enable.idempotence":
		if v == "false" {
			c.producer = append(c.producer, kgo.DisableIdempotentWrite())
		}
	case "compression.type":
		codec, ok := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
			"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}[v]
		if !ok {
			return bad("none of none, gzip, snappy, lz4, zstd")
		}
		c.producer = append(c.producer, kgo.ProducerBatchCompression(codec))
	case "partition.assignment.strategy":
		b := []kgo.GroupBalancer{}
		for name := range strings.SplitSeq(v, ",") {
			switch name = strings.TrimSpace(name); name[strings.LastIndexByte(name, '.')+1:] {
			case "CooperativeStickyAssignor":
				b = append(b, kgo.CooperativeStickyBalancer())
			case "StickyAssignor":
				b = append(b, kgo.StickyBalancer())
			case "RangeAssignor":
				b = append(b, kgo.RangeBalancer())
			case "RoundRobinAssignor":
				b = append(b, kgo.RoundRobinBalancer())
			default:
				return bad("not known")
			}
		}
		c.group = append(c.group, kgo.Balancers(b...))
	default:
		if known, err := sec.property(key, v); known || err != nil {
			return err
		}
		if !slices.Contains(ignored, key) {
			return &option.Error{Key: "properties." + key, Value: v, Why: "this property of Kafka's clients is not supported"}
		}
	}
	return nil
}

// security is what the properties say of TLS and SASL.
type security struct {
	protocol, mechanism, jaas string
	ca, cert, key             string
	noHostname                bool
	any                       []string // options given, to name one that has no use
}

func (s *security) property(key, v string) (bool, error) {
	switch key {
	case "security.protocol":
		s.protocol = strings.ToUpper(v)
		return true, nil
	case "sasl.mechanism":
		s.mechanism = strings.ToUpper(v)
	case "sasl.jaas.config":
		s.jaas = v
	case "ssl.truststore.type", "ssl.keystore.type":
		if v != "PEM" {
			return true, option.Errorf("properties."+key, "only PEM can be read, not %s", v)
		}
	case "ssl.truststore.location":
		s.ca = v
	case "ssl.truststore.certificates":
		s.ca = v
	case "ssl.keystore.location":
		s.cert, s.key = v, v
	case "ssl.keystore.certificate.chain":
		s.cert = v
	case "ssl.keystore.key":
		s.key = v
	case "ssl.endpoint.identification.algorithm":
		s.noHostname = v == ""
	default:
		return false, nil
	}
	s.any = append(s.any, key)
	return true, nil
}

var jaasField = regexp.MustCompile(`\b(username|password)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s;]+)`)

func (s *security) options() ([]kgo.Opt, error) {
	var out []kgo.Opt
	withTLS, withSASL := false, false
	switch s.protocol {
	case "", "PLAINTEXT":
		if len(s.any) > 0 {
			return nil, option.Errorf("properties.security.protocol", "must be SSL, SASL_SSL or SASL_PLAINTEXT for 'properties.%s' to matter", s.any[0])
		}
	case "SSL":
		withTLS = true
	case "SASL_SSL":
		withTLS, withSASL = true, true
	case "SASL_PLAINTEXT":
		withSASL = true
	default:
		return nil, option.Errorf("properties.security.protocol", "'%s' is none of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL", s.protocol)
	}
	if withTLS {
		c, err := s.tls()
		if err != nil {
			return nil, err
		}
		out = append(out, kgo.DialTLSConfig(c))
	}
	if withSASL {
		m, err := s.sasl()
		if err != nil {
			return nil, err
		}
		out = append(out, kgo.SASL(m))
	}
	return out, nil
}

// pem is a PEM text, or that of a file.
func pem(key, v string) ([]byte, error) {
	if strings.HasPrefix(strings.TrimSpace(v), "-----BEGIN") {
		return []byte(v), nil
	}
	b, err := os.ReadFile(v)
	if err != nil {
		return nil, option.Errorf("properties."+key, "%v", err)
	}
	return b, nil
}

func (s *security) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.ca != "" {
		b, err := pem("ssl.truststore.location", s.ca)
		if err != nil {
			return nil, err
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(b) {
			return nil, option.Errorf("properties.ssl.truststore.location", "holds no certificate in PEM")
		}
	}
	if s.cert != "" {
		cert, err := pem("ssl.keystore.location", s.cert)
		if err != nil {
			return nil, err
		}
		key, err := pem("ssl.keystore.key", s.key)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, option.Errorf("properties.ssl.keystore.location", "%v", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if s.noHostname { // the chain is verified all the same
		roots := c.RootCAs
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(st tls.ConnectionState) error {
			opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
			for _, cert := range st.PeerCertificates[1:] {
				opts.Intermediates.AddCert(cert)
			}
			_, err := st.PeerCertificates[0].Verify(opts)
			return err
		}
	}
	return c, nil
}

func (s *security) sasl() (sasl.Mechanism, error) {
	var user, pass string
	for _, m := range jaasField.FindAllStringSubmatch(s.jaas, -1) {
		v := m[2]
		if v[0] == '"' || v[0] == '\'' {
			v = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(v[1 : len(v)-1])
		}
		if m[1] == "username" {
			user = v
		} else {
			pass = v
		}
	}
	if user == "" {
		return nil, option.Errorf("properties.sasl.jaas.config", "names no username and password")
	}
	switch s.mechanism {
	case "PLAIN":
		return plain.Auth{User: user, Pass: pass}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: pass}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: pass}.AsSha512Mechanism(), nil
	}
	return nil, option.Errorf("properties.sasl.mechanism", "'%s' is none of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", s.mechanism)
}

// kgoLogger passes on what the client has to say, without its chatter.
type kgoLogger struct{ log *slog.Logger }

// Level implements kgo.Logger.
func (l kgoLogger) Level() kgo.LogLevel { return kgo.LogLevelWarn }

// Log implements kgo.Logger.
func (l kgoLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if level == kgo.LogLevelError {
		l.log.Error(msg, keyvals...)
		return
	}
	l.log.Warn(msg, keyvals...)
}
