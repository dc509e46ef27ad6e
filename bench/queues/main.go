// Command queues measures what a job costs beside the bare client: CPU time a
// message, of one core, reading a topic to its end on a real broker. The job has a
// filter that few messages pass.
//
//	go run ./cmd/services start -fast
//	make build
//	go run ./bench/queues -runnel bin/runnel -rocketmq 127.0.0.1:9876 -kafka 127.0.0.1:9092
//
// The bare client is this program itself, started again, so that both are
// processes of their own and the start is counted for both.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
)

const queues = 4

func main() {
	var rmq, kafka, runnel, bare string
	var each, rounds int
	flag.StringVar(&rmq, "rocketmq", "", "name server; empty: leave RocketMQ out")
	flag.StringVar(&kafka, "kafka", "", "broker; empty: leave Kafka out")
	flag.StringVar(&runnel, "runnel", "bin/runnel", "the command")
	flag.IntVar(&each, "messages", 100000, "messages a queue")
	flag.IntVar(&rounds, "rounds", 3, "rounds, of which the best counts")
	flag.StringVar(&bare, "bare", "", "a topic: read it with the bare client and end (used by the program itself)")
	flag.Parse()
	ctx := context.Background()
	if bare != "" {
		check(readBare(ctx, rmq, kafka, bare, each))
		return
	}
	fmt.Println("| queue | bytes | bare client µs | raw, filter µs | JSON, filter µs | bare / raw | bare / JSON |")
	fmt.Println("| - | - | - | - | - | - | - |")
	for _, size := range []int{200, 1024} {
		topic := fmt.Sprintf("filter_%d_%d", size, time.Now().UnixNano())
		if rmq != "" {
			check(fillRocketMQ(ctx, rmq, topic, size, each))
			row("RocketMQ", size, rounds, each, runnel, []string{"-rocketmq", rmq}, topic,
				fmt.Sprintf("'connector' = 'rocketmq', 'topic' = '%s', 'nameServerAddress' = '%s', 'scan.startup.mode' = 'earliest', 'scan.bounded.mode' = 'latest-offset'", topic, rmq))
		}
		if kafka != "" {
			check(fillKafka(ctx, kafka, topic, size, each))
			row("Kafka", size, rounds, each, runnel, []string{"-kafka", kafka}, topic,
				fmt.Sprintf("'connector' = 'kafka', 'topic' = '%s', 'properties.bootstrap.servers' = '%s', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'", topic, kafka))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// row measures and prints one line of the table.
func row(name string, size, rounds, each int, runnel string, server []string, topic, source string) {
	self, err := os.Executable()
	check(err)
	dir, err := os.MkdirTemp("", "queues")
	check(err)
	defer os.RemoveAll(dir)
	job := func(file, columns, format, filter string) string {
		path := filepath.Join(dir, file)
		text := fmt.Sprintf("SET 'parallelism.default' = '1';\nCREATE TABLE s (%s) WITH (%s, 'format' = '%s');\nCREATE TABLE o (n STRING) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT %s;\n",
			columns, source, format, filter)
		check(os.WriteFile(path, []byte(text), 0o644))
		return path
	}
	raw := job("raw.sql", "line STRING", "raw", "line FROM s WHERE line LIKE '%\"id\":\"7777777\"%'")
	js := job("json.sql", "id STRING, kind STRING, pad STRING", "json", "kind FROM s WHERE id = '7777777'")
	args := append(append([]string{}, server...), "-bare", topic, "-messages", fmt.Sprint(each))
	// In turn, so that what else runs on the machine disturbs all alike.
	var best [3]time.Duration
	for r := range rounds {
		for i, c := range []*exec.Cmd{exec.Command(self, args...), exec.Command(runnel, "run", "-q", raw), exec.Command(runnel, "run", "-q", js)} {
			if d := cpu(c); r == 0 || d < best[i] {
				best[i] = d
			}
		}
	}
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(each*queues) }
	fmt.Printf("| %s | %d | %.2f | %.2f | %.2f | %.0f %% | %.0f %% |\n", name, size, us(best[0]), us(best[1]), us(best[2]),
		100*us(best[0])/us(best[1]), 100*us(best[0])/us(best[2]))
}

// cpu runs a command on one core and returns the CPU time it took.
func cpu(c *exec.Cmd) time.Duration {
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	c.Stderr = os.Stderr
	check(c.Run())
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

// body is a message of size bytes.
func body(i, size int) []byte {
	head := fmt.Sprintf(`{"id":"%07d","kind":"k%d","pad":"`, i%7000000, i%10)
	return []byte(head + strings.Repeat("x", size-len(head)-2) + `"}`)
}

func parallel(f func(q int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, queues)
	for q := range queues {
		wg.Go(func() { errs[q] = f(q) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func fillRocketMQ(ctx context.Context, addr, topic string, size, each int) error {
	c, err := remoting.New(remoting.Config{NameServers: []string{addr}})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.CreateTopic(ctx, topic, remoting.TopicConfig{Queues: queues}); err != nil {
		return err
	}
	r, err := c.FetchRoute(ctx, topic)
	if err != nil {
		return err
	}
	return parallel(func(q int) error {
		var set remoting.Set
		for i := 0; i < each; {
			set.Reset()
			for n := 0; n < 200 && i < each; n, i = n+1, i+1 {
				set.Add(remoting.Outgoing{Body: body(i, size)})
			}
			if _, err := c.SendSet(ctx, r.Write[q], "", &set); err != nil {
				return err
			}
		}
		return nil
	})
}

func fillKafka(ctx context.Context, addr, topic string, size, each int) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer cl.Close()
	if _, err := kadm.NewClient(cl).CreateTopic(ctx, queues, 1, nil, topic); err != nil {
		return err
	}
	var once sync.Once
	var fault error
	for i := range each {
		for q := range queues {
			cl.Produce(ctx, &kgo.Record{Topic: topic, Partition: int32(q), Value: body(i, size)}, func(_ *kgo.Record, err error) {
				if err != nil {
					once.Do(func() { fault = err })
				}
			})
		}
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	return fault
}

// readBare reads all of a topic and looks at the length of each message.
func readBare(ctx context.Context, rmq, kafka, topic string, each int) error {
	if rmq != "" {
		c, err := remoting.New(remoting.Config{NameServers: []string{rmq}})
		if err != nil {
			return err
		}
		defer c.Close()
		r, err := c.FetchRoute(ctx, topic)
		if err != nil {
			return err
		}
		return parallel(func(q int) error {
			var m remoting.Messages
			bytes, next := 0, int64(0)
			for n := 0; n < each; n += len(m.List) {
				if err := c.Pull(ctx, remoting.PullRequest{Queue: r.Read[q], Group: "bare", Offset: next, Max: 1024, Wait: time.Second}, &m); err != nil {
					return err
				}
				for i := range m.List {
					bytes += len(m.List[i].Body)
				}
				next = m.Next
			}
			return nil
		})
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(kafka), kgo.ConsumeTopics(topic), kgo.FetchMaxBytes(16<<20), kgo.FetchMaxPartitionBytes(8<<20))
	if err != nil {
		return err
	}
	defer cl.Close()
	bytes := 0
	for n := 0; n < each*queues; {
		f := cl.PollFetches(ctx)
		if err := f.Err(); err != nil {
			return err
		}
		f.EachRecord(func(r *kgo.Record) { n++; bytes += len(r.Value) })
	}
	return nil
}
