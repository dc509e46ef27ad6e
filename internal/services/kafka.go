package services

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// KafkaOptions configures a Kafka service.
type KafkaOptions struct {
	Dir        string // where it lives; empty: a temporary folder that Stop removes
	HeapMB     int    // 0: 192
	Partitions int    // of topics made by themselves; 0: 4
	Fast       bool   // throughput before small memory: benchmarks
	// User and Password turn on SASL/PLAIN with this one user.
	User, Password string
	// Usual takes the port Kafka usually has, 9092, if it is free.
	Usual      bool
	Properties map[string]string
}

// Kafka is a running node that is broker and controller.
type Kafka struct {
	Broker    *Process
	dir       string
	temporary bool
	addr      string
}

// StartKafka formats a log folder, starts a node and returns when it answers.
func StartKafka(ctx context.Context, o KafkaOptions) (*Kafka, error) {
	cp, err := classpath(ctx, artifact{"org.apache.kafka", "kafka_2.13", KafkaVersion})
	if err != nil {
		return nil, err
	}
	k := &Kafka{dir: o.Dir}
	if k.dir == "" {
		if k.dir, err = os.MkdirTemp("", "runnel-kafka-"); err != nil {
			return nil, err
		}
		k.temporary = true
	}
	if k.dir, err = filepath.Abs(k.dir); err != nil {
		return nil, err
	}
	if err := k.start(ctx, cp, o); err != nil {
		return nil, errors.Join(err, k.Stop())
	}
	return k, nil
}

func (k *Kafka) start(ctx context.Context, cp string, o KafkaOptions) error {
	if err := os.MkdirAll(k.dir, 0o755); err != nil {
		return err
	}
	usual := 0
	if o.Usual {
		usual = 9092
	}
	port, err := portOr(usual, 0, 1)
	if err != nil {
		return err
	}
	k.addr = fmt.Sprintf("127.0.0.1:%d", port)
	conf := filepath.Join(k.dir, "server.properties")
	if err := os.WriteFile(conf, []byte(k.conf(port, o)), 0o644); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(k.dir, "data", "meta.properties")); err != nil {
		id := make([]byte, 16)
		rand.Read(id)
		id[0] &= 0x7f // an id that began with '-' would be read as an option
		cmd := exec.CommandContext(ctx, "java", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-cp", cp, "kafka.tools.StorageTool",
			"format", "-t", base64.RawURLEncoding.EncodeToString(id), "-c", conf)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("format the folder of Kafka: %w\n%s", err, tail(text, 2000))
		}
	}
	heap := o.HeapMB
	if heap == 0 {
		heap = 192
	}
	args := []string{"-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", fmt.Sprintf("-Xmx%dm", heap)}
	if !o.Fast {
		args = append(args, "-XX:TieredStopAtLevel=1")
	}
	k.Broker = &Process{Name: "Kafka", Log: filepath.Join(k.dir, "kafka.log"), dir: k.dir, args: append(args, "-cp", cp, "kafka.Kafka", conf)}
	if err := k.Broker.Start(); err != nil {
		return err
	}
	return k.Ready(ctx)
}

// Ready waits until the broker answers.
func (k *Kafka) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := await(ctx, "Kafka", k.Broker.Done(), func(ctx context.Context) error { return answers(ctx, k.addr) }); err != nil {
		return fmt.Errorf("%w\n%s", err, k.Broker.logTail())
	}
	return nil
}

// answers sends an ApiVersions request, the only one a Kafka broker takes from anybody.
func answers(ctx context.Context, addr string) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if t, ok := ctx.Deadline(); ok {
		c.SetDeadline(t)
	}
	const apiVersions = 18
	req := binary.BigEndian.AppendUint16(nil, apiVersions)
	req = binary.BigEndian.AppendUint16(req, 0)      // version
	req = binary.BigEndian.AppendUint32(req, 1)      // correlation
	req = binary.BigEndian.AppendUint16(req, 0xffff) // no client id
	req = append(binary.BigEndian.AppendUint32(nil, uint32(len(req))), req...)
	if _, err := c.Write(req); err != nil {
		return err
	}
	var head [10]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	if code := binary.BigEndian.Uint16(head[8:]); code != 0 {
		return fmt.Errorf("answer with error code %d", code)
	}
	return nil
}

func (k *Kafka) conf(port int, o KafkaOptions) string {
	partitions := o.Partitions
	if partitions <= 0 {
		partitions = 4
	}
	listener := "PLAINTEXT"
	if o.User != "" {
		listener = "SASL_PLAINTEXT"
	}
	p := [][2]string{
		{"process.roles", "broker,controller"}, {"node.id", "1"},
		{"controller.quorum.voters", fmt.Sprintf("1@127.0.0.1:%d", port+1)},
		{"listeners", fmt.Sprintf("%s://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", listener, port, port+1)},
		{"advertised.listeners", fmt.Sprintf("%s://127.0.0.1:%d", listener, port)},
		{"inter.broker.listener.name", listener},
		{"controller.listener.names", "CONTROLLER"},
		{"listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT"},
		{"log.dirs", filepath.Join(k.dir, "data")}, {"num.partitions", fmt.Sprint(partitions)},
		{"offsets.topic.replication.factor", "1"}, {"offsets.topic.num.partitions", "4"},
		{"transaction.state.log.replication.factor", "1"}, {"transaction.state.log.min.isr", "1"}, {"transaction.state.log.num.partitions", "4"},
		{"share.coordinator.state.topic.replication.factor", "1"}, {"share.coordinator.state.topic.min.isr", "1"},
		{"group.initial.rebalance.delay.ms", "0"}, {"num.network.threads", "2"}, {"num.io.threads", "2"},
		{"log.cleaner.dedupe.buffer.size", "4194304"}, {"transaction.max.timeout.ms", "3600000"},
	}
	if o.User != "" {
		p = append(p, [2]string{"sasl.enabled.mechanisms", "PLAIN"}, [2]string{"sasl.mechanism.inter.broker.protocol", "PLAIN"},
			[2]string{"listener.name.sasl_plaintext.plain.sasl.jaas.config", fmt.Sprintf(
				`org.apache.kafka.common.security.plain.PlainLoginModule required username="%s" password="%s" user_%s="%s";`,
				o.User, o.Password, o.User, o.Password)})
	}
	var b strings.Builder
	for _, kv := range p {
		if _, own := o.Properties[kv[0]]; !own {
			fmt.Fprintf(&b, "%s=%s\n", kv[0], kv[1])
		}
	}
	for key, v := range o.Properties {
		fmt.Fprintf(&b, "%s=%s\n", key, v)
	}
	return b.String()
}

// Env implements Service.
func (k *Kafka) Env() string { return EnvKafka }

// Addr implements Service: the bootstrap server.
func (k *Kafka) Addr() string { return k.addr }

func (k *Kafka) processes() []*Process {
	if k.Broker == nil {
		return nil
	}
	return []*Process{k.Broker}
}

// Stop implements Service.
func (k *Kafka) Stop() error { return stopAll(k.processes(), k.dir, k.temporary) }

// Pids implements Service.
func (k *Kafka) Pids() []int { return pids(k.processes()) }

// Detach implements Service.
func (k *Kafka) Detach() {
	for _, p := range k.processes() {
		p.Detach()
	}
}

var _, _ Service = (*RocketMQ)(nil), (*Kafka)(nil)
