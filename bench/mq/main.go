// Command mq measures our RocketMQ client against the official Go client: CPU
// time of this process a message, reading and writing, on a real broker.
//
//	go run ../../cmd/services start -fast -only rocketmq
//	GOMAXPROCS=1 go run . -rocketmq 127.0.0.1:9876
//
// Both send and read the same number of messages of the same size through the
// same queues, one after the other, -rounds times; the best round counts.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
)

type bench struct {
	server  string
	queues  int
	each    int // messages a queue
	size    int
	batch   int
	pull    int
	body    []byte
	topic   string
	client  *remoting.Client
	results []result
}

type result struct {
	what, who string
	n         int
	cpu, wall time.Duration
}

func main() {
	b := bench{}
	rounds := 0
	sizes := []int{200, 1024}
	flag.StringVar(&b.server, "rocketmq", "127.0.0.1:9876", "name server")
	flag.IntVar(&b.queues, "queues", 8, "queues of the topic")
	flag.IntVar(&b.each, "messages", 50000, "messages a queue")
	flag.IntVar(&b.batch, "batch", 100, "messages a batch")
	flag.IntVar(&b.pull, "pull", 1024, "messages a pull")
	flag.IntVar(&rounds, "rounds", 3, "rounds, of which the best counts")
	flag.Parse()
	rlog.SetLogLevel("fatal")
	for _, size := range sizes {
		b.size = size
		b.body = bytes.Repeat([]byte("x"), size)
		if err := b.run(rounds); err != nil {
			log.Fatal(err)
		}
	}
	b.print()
}

// cpu is the CPU time this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure keeps the best of several rounds.
func (b *bench) measure(rounds int, what, who string, f func() error) error {
	best := result{what: fmt.Sprintf("%s, %d B", what, b.size), who: who, n: b.queues * b.each, cpu: time.Hour}
	for range rounds {
		c, w := cpu(), time.Now()
		if err := f(); err != nil {
			return fmt.Errorf("%s, %s: %w", what, who, err)
		}
		if c = cpu() - c; c < best.cpu {
			best.cpu, best.wall = c, time.Since(w)
		}
	}
	b.results = append(b.results, best)
	return nil
}

func (b *bench) run(rounds int) error {
	ctx := context.Background()
	var err error
	if b.client, err = remoting.New(remoting.Config{NameServers: []string{b.server}}); err != nil {
		return err
	}
	defer b.client.Close()
	b.topic = fmt.Sprintf("bench_%d_%d", b.size, time.Now().UnixNano())
	if err := b.client.CreateTopic(ctx, b.topic, remoting.TopicConfig{Queues: b.queues}); err != nil {
		return err
	}
	what := fmt.Sprintf("write in batches of %d", b.batch)
	if err := b.measure(rounds, what, "remoting", func() error { return b.write(ctx) }); err != nil {
		return err
	}
	p, err := rocketmq.NewProducer(producer.WithNameServer([]string{b.server}), producer.WithGroupName("bench"), producer.WithQueueSelector(producer.NewManualQueueSelector()), producer.WithSendMsgTimeout(10*time.Second))
	if err != nil {
		return err
	}
	if err := p.Start(); err != nil {
		return err
	}
	if err := b.measure(rounds, what, "client-go v2", func() error { return b.writeOfficial(ctx, p) }); err != nil {
		return err
	}
	if err := p.Shutdown(); err != nil {
		return err
	}
	what = fmt.Sprintf("read %d a pull", b.pull)
	if err := b.measure(rounds, what, "remoting", func() error { return b.read(ctx) }); err != nil {
		return err
	}
	c, err := rocketmq.NewPullConsumer(consumer.WithNameServer([]string{b.server}), consumer.WithGroupName(fmt.Sprint("bench_", b.size)))
	if err != nil {
		return err
	}
	// The consumer starts only with an assignment, and pulls from it in the
	// background: it gets a queue of a topic without messages.
	empty := b.topic + "_empty"
	if err := b.client.CreateTopic(ctx, empty, remoting.TopicConfig{Queues: 1}); err != nil {
		return err
	}
	if err := c.Assign(empty, []*primitive.MessageQueue{{Topic: empty, BrokerName: b.broker(ctx), QueueId: 0}}); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	if err := b.measure(rounds, what, "client-go v2", func() error { return b.readOfficial(ctx, c) }); err != nil {
		return err
	}
	return c.Shutdown()
}

func (b *bench) broker(ctx context.Context) string {
	r, err := b.client.Route(ctx, b.topic)
	if err != nil {
		log.Fatal(err)
	}
	return r.Read[0].Broker
}

// parallel runs f once for each queue, all at the same time.
func (b *bench) parallel(f func(q int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, b.queues)
	for q := range b.queues {
		wg.Go(func() { errs[q] = f(q) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) write(ctx context.Context) error {
	r, err := b.client.Route(ctx, b.topic)
	if err != nil {
		return err
	}
	return b.parallel(func(q int) error {
		var set remoting.Set
		for i := 0; i < b.each; i += b.batch {
			set.Reset()
			for range min(b.batch, b.each-i) {
				set.Add(remoting.Outgoing{Body: b.body})
			}
			if _, err := b.client.SendSet(ctx, r.Write[q], "bench", &set); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) writeOfficial(ctx context.Context, p rocketmq.Producer) error {
	broker := b.broker(ctx)
	return b.parallel(func(q int) error {
		for i := 0; i < b.each; i += b.batch {
			msgs := make([]*primitive.Message, min(b.batch, b.each-i))
			for k := range msgs {
				msgs[k] = primitive.NewMessage(b.topic, b.body)
				msgs[k].Queue = &primitive.MessageQueue{Topic: b.topic, BrokerName: broker, QueueId: q}
			}
			if _, err := p.SendSync(ctx, msgs...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bench) read(ctx context.Context) error {
	r, err := b.client.Route(ctx, b.topic)
	if err != nil {
		return err
	}
	return b.parallel(func(q int) error {
		var got remoting.Messages
		bytes, next := 0, int64(0)
		for n := 0; n < b.each; {
			if err := b.client.Pull(ctx, remoting.PullRequest{Queue: r.Read[q], Group: "bench", Offset: next, Max: min(b.pull, b.each-n), Wait: time.Second}, &got); err != nil {
				return err
			}
			for i := range got.List {
				bytes += len(got.List[i].Body)
			}
			n += len(got.List)
			next = got.Next
		}
		if bytes != b.each*b.size {
			return fmt.Errorf("%d bytes in queue %d", bytes, q)
		}
		return nil
	})
}

func (b *bench) readOfficial(ctx context.Context, c rocketmq.PullConsumer) error {
	broker := b.broker(ctx)
	return b.parallel(func(q int) error {
		mq := &primitive.MessageQueue{Topic: b.topic, BrokerName: broker, QueueId: q}
		bytes, next := 0, int64(0)
		for n := 0; n < b.each; {
			r, err := c.PullFrom(ctx, mq, next, min(b.pull, b.each-n))
			if err != nil {
				return err
			}
			for _, m := range r.GetMessageExts() {
				bytes += len(m.Body)
				n++
			}
			next = r.NextBeginOffset
		}
		if bytes != b.each*b.size {
			return fmt.Errorf("%d bytes in queue %d", bytes, q)
		}
		return nil
	})
}

func (b *bench) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tclient\tmessages/s\tCPU µs a message\tmessages a CPU second\tratio")
	for i, r := range b.results {
		perCPU := float64(r.n) / r.cpu.Seconds()
		ratio := ""
		if i%2 == 1 {
			ours := b.results[i-1]
			ratio = fmt.Sprintf("remoting does %.1f×", r.cpu.Seconds()/ours.cpu.Seconds())
		}
		fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f\t%.0f\t%s\n", r.what, r.who, float64(r.n)/r.wall.Seconds(), float64(r.cpu.Microseconds())/float64(r.n), perCPU, ratio)
	}
	w.Flush()
}
