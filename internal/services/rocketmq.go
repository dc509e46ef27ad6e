package services

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// RocketMQOptions configures a RocketMQ service. The zero value is a broker with four queues a topic.
type RocketMQOptions struct {
	Dir    string // where it lives; empty: a temporary folder that Stop removes
	HeapMB int    // of the broker; 0: 160
	Queues int    // of topics made by themselves; 0: 4
	// AccessKey and SecretKey turn on authentication with this one user, who may do all.
	AccessKey, SecretKey string
	// CertFile and KeyFile (PEM, PKCS#8) make name server and broker accept TLS only.
	CertFile, KeyFile string
	// Fast gives up quick start and small memory for throughput: benchmarks.
	Fast bool
	// Brokers is how many brokers register with the name server; 0: 1.
	Brokers int
	// Usual takes the ports RocketMQ usually has, 9876 and 10911, if they are free.
	Usual bool
	// Properties are further lines of broker.conf.
	Properties map[string]string
}

// RocketMQ is a running name server with its brokers.
type RocketMQ struct {
	NameServer *Process
	Brokers    []*Process
	dir        string
	temporary  bool
	addr       string
	opts       RocketMQOptions
}

// StartRocketMQ starts a name server and brokers and returns when topics can be made.
func StartRocketMQ(ctx context.Context, o RocketMQOptions) (*RocketMQ, error) {
	cp, err := classpath(ctx,
		artifact{"org.apache.rocketmq", "rocketmq-namesrv", RocketMQVersion},
		artifact{"org.apache.rocketmq", "rocketmq-broker", RocketMQVersion})
	if err != nil {
		return nil, err
	}
	r := &RocketMQ{dir: o.Dir, opts: o}
	if r.dir == "" {
		if r.dir, err = os.MkdirTemp("", "runnel-rocketmq-"); err != nil {
			return nil, err
		}
		r.temporary = true
	}
	if r.dir, err = filepath.Abs(r.dir); err != nil {
		return nil, err
	}
	if err := r.start(ctx, cp); err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return r, nil
}

func (r *RocketMQ) start(ctx context.Context, cp string) error {
	usual, usualBroker := 0, 0
	if r.opts.Usual {
		usual, usualBroker = 9876, 10911
	}
	port, err := portOr(usual, 0)
	if err != nil {
		return err
	}
	r.addr = fmt.Sprintf("127.0.0.1:%d", port)
	conf := filepath.Join(r.dir, "namesrv.conf")
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(conf, fmt.Appendf(nil, "listenPort=%d\nbindAddress=127.0.0.1\n", port), 0o644); err != nil {
		return err
	}
	r.NameServer = r.process("namesrv", 48, cp, "org.apache.rocketmq.namesrv.NamesrvStartup", conf)
	if err := r.NameServer.Start(); err != nil {
		return err
	}
	for i := range max(1, r.opts.Brokers) {
		name := "broker-" + string(rune('a'+i))
		// The broker takes three ports: clients, the one two below for urgent clients, replication.
		listen, err := portOr(usualBroker, -2, 0, 1)
		if err != nil {
			return err
		}
		conf := filepath.Join(r.dir, name+".conf")
		if err := os.WriteFile(conf, []byte(r.brokerConf(name, listen)), 0o644); err != nil {
			return err
		}
		heap := r.opts.HeapMB
		if heap == 0 {
			heap = 160
		}
		p := r.process(name, heap, cp, "org.apache.rocketmq.broker.BrokerStartup", conf)
		if err := p.Start(); err != nil {
			return err
		}
		r.Brokers = append(r.Brokers, p)
	}
	return r.Ready(ctx)
}

// Ready waits until every broker has registered with the name server: "boot
// success" of the broker comes before that.
func (r *RocketMQ) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	last := r.Brokers[len(r.Brokers)-1]
	err := await(ctx, "RocketMQ", last.Done(), func(ctx context.Context) error {
		if r.opts.CertFile != "" {
			return r.logged()
		}
		n, err := registered(ctx, r.addr)
		if err == nil && n < len(r.Brokers) {
			err = fmt.Errorf("%d of %d brokers have registered", n, len(r.Brokers))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%w\nname server: %s\nbroker: %s", err, r.NameServer.logTail(), last.logTail())
	}
	return nil
}

// logged looks for the broker's own word that it is up, where a plain connection cannot ask.
func (r *RocketMQ) logged() error {
	for _, b := range r.Brokers {
		text, _ := os.ReadFile(b.Log)
		if !strings.Contains(string(text), "boot success") {
			return errors.New("not started")
		}
	}
	return nil
}

func (r *RocketMQ) process(name string, heap int, cp, class, conf string) *Process {
	home := filepath.Join(r.dir, name)
	os.MkdirAll(home, 0o755)
	args := []string{"-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-Duser.home=" + home, fmt.Sprintf("-Xmx%dm", heap)}
	if !r.opts.Fast {
		args = append(args, "-XX:TieredStopAtLevel=1")
	}
	args = append(args, fmt.Sprintf("-XX:MaxDirectMemorySize=%dm", max(heap, 128)))
	if r.opts.CertFile != "" {
		args = append(args, "-Dtls.test.mode.enable=false", "-Dtls.server.mode=enforcing",
			"-Dtls.server.keyPath="+r.opts.KeyFile, "-Dtls.server.certPath="+r.opts.CertFile,
			"-Dtls.enable=true", "-Dtls.client.authServer=false")
	}
	args = append(args, "-cp", cp, class, "-c", conf)
	return &Process{Name: "RocketMQ " + name, Log: filepath.Join(r.dir, name+".log"), args: args, dir: home,
		env: []string{"ROCKETMQ_HOME=" + home, "NAMESRV_ADDR=" + r.addr}}
}

func (r *RocketMQ) brokerConf(name string, listen int) string {
	store := filepath.Join(r.dir, name, "store")
	p := [][2]string{
		{"brokerClusterName", "DefaultCluster"}, {"brokerName", name}, {"brokerId", "0"},
		{"brokerIP1", "127.0.0.1"}, {"bindAddress", "127.0.0.1"}, {"namesrvAddr", r.addr}, {"listenPort", fmt.Sprint(listen)},
		{"storePathRootDir", store}, {"storePathCommitLog", filepath.Join(store, "commitlog")},
		{"autoCreateTopicEnable", "true"}, {"autoCreateSubscriptionGroup", "true"},
		{"defaultTopicQueueNums", fmt.Sprint(max(r.opts.Queues, 0) + 4*b2i(r.opts.Queues <= 0))},
		{"flushDiskType", "ASYNC_FLUSH"}, {"brokerRole", "ASYNC_MASTER"}, {"diskMaxUsedSpaceRatio", "99"},
		{"mappedFileSizeCommitLog", "134217728"}, {"enableMixedMessageType", "true"}, {"enablePropertyFilter", "true"},
		// A busy machine must not turn into "broker busy" after the default 200 ms.
		{"waitTimeMillsInSendQueue", "20000"}, {"waitTimeMillsInPullQueue", "20000"}, {"osPageCacheBusyTimeOutMills", "20000"},
		// What a client asks for is what it gets; the default is 32 messages or 256 KB a pull.
		{"maxTransferCountOnMessageInMemory", "4096"}, {"maxTransferBytesOnMessageInMemory", "8388608"},
		{"maxTransferCountOnMessageInDisk", "4096"}, {"maxTransferBytesOnMessageInDisk", "8388608"},
	}
	if r.opts.AccessKey != "" {
		key, _ := json.Marshal(map[string]string{"username": r.opts.AccessKey, "password": r.opts.SecretKey})
		inner, _ := json.Marshal(map[string]string{"accessKey": r.opts.AccessKey, "secretKey": r.opts.SecretKey})
		const auth = "org.apache.rocketmq.auth."
		p = append(p, [][2]string{
			{"authenticationEnabled", "true"},
			{"authenticationProvider", auth + "authentication.provider.DefaultAuthenticationProvider"},
			{"authenticationMetadataProvider", auth + "authentication.provider.LocalAuthenticationMetadataProvider"},
			{"initAuthenticationUser", string(key)}, {"innerClientAuthenticationCredentials", string(inner)},
			{"authorizationEnabled", "true"},
			{"authorizationProvider", auth + "authorization.provider.DefaultAuthorizationProvider"},
			{"authorizationMetadataProvider", auth + "authorization.provider.LocalAuthorizationMetadataProvider"},
		}...)
	}
	var b strings.Builder
	for _, kv := range p {
		if _, own := r.opts.Properties[kv[0]]; !own {
			fmt.Fprintf(&b, "%s=%s\n", kv[0], kv[1])
		}
	}
	for k, v := range r.opts.Properties {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	return b.String()
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// registered asks the name server for the route of the topic every broker
// serves from the start, and returns the number of its brokers.
func registered(ctx context.Context, addr string) (int, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if t, ok := ctx.Deadline(); ok {
		c.SetDeadline(t)
	}
	const routeOfTopic = 105
	header, err := json.Marshal(map[string]any{"code": routeOfTopic, "language": "GO", "version": 401, "opaque": 1, "flag": 0,
		"extFields": map[string]string{"topic": "TBW102", "acceptStandardJsonOnly": "true"}})
	if err != nil {
		return 0, err
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(header)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(header)))
	if _, err := c.Write(append(frame, header...)); err != nil {
		return 0, err
	}
	var size [8]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return 0, err
	}
	rest := make([]byte, binary.BigEndian.Uint32(size[:4])-4)
	if _, err := io.ReadFull(c, rest); err != nil {
		return 0, err
	}
	body := rest[binary.BigEndian.Uint32(size[4:])&0xffffff:]
	if len(body) == 0 {
		return 0, errors.New("no broker has registered")
	}
	var route struct {
		BrokerDatas []json.RawMessage `json:"brokerDatas"`
	}
	if err := json.Unmarshal(body, &route); err != nil {
		return 0, err
	}
	return len(route.BrokerDatas), nil
}

// Env implements Service.
func (r *RocketMQ) Env() string { return EnvRocketMQ }

// Addr implements Service: the name server.
func (r *RocketMQ) Addr() string { return r.addr }

func (r *RocketMQ) processes() []*Process {
	all := append([]*Process{}, r.Brokers...)
	if r.NameServer != nil {
		all = append(all, r.NameServer)
	}
	return all
}

// Stop implements Service.
func (r *RocketMQ) Stop() error { return stopAll(r.processes(), r.dir, r.temporary) }

// Pids implements Service.
func (r *RocketMQ) Pids() []int { return pids(r.processes()) }

// Detach implements Service.
func (r *RocketMQ) Detach() {
	for _, p := range r.processes() {
		p.Detach()
	}
}

func stopAll(ps []*Process, dir string, remove bool) error {
	var errs []error
	for _, p := range ps {
		errs = append(errs, p.Stop())
	}
	if remove {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

func pids(ps []*Process) []int {
	var ids []int
	for _, p := range ps {
		if id := p.Pid(); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}
