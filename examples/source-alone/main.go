// Command source-alone reads a RocketMQ topic from Go, without SQL and without a
// job, and commits what it has printed. Another system is another set of options.
//
//	make services            # in another terminal
//	go run ./examples/sink-alone
//	go run ./examples/source-alone
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/alone"
	"github.com/runnelio/runnel/connectors/kafka"
	"github.com/runnelio/runnel/connectors/rocketmq"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func main() {
	server := flag.String("rocketmq", "127.0.0.1:9876", "name server")
	once := flag.Bool("once", false, "end at the end of the topic instead of waiting for more")
	flag.Parse()
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	options := map[string]string{"connector": "rocketmq", "topic": "alone", "nameServerAddress": *server, "consumerGroup": "source-alone", "format": "json"}
	if *once {
		options["scan.bounded.mode"] = "latest-offset"
	}
	if err := run(ctx, options); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, options map[string]string) error {
	table := alone.Table{
		Schema: types.NewSchema(
			types.Field{Name: "user", Type: types.String()},
			types.Field{Name: "amount", Type: types.Of(types.BigInt)},
			types.Field{Name: "queue", Type: types.Of(types.Int)}),
		Metadata:   map[string]string{"queue": "queue-id"},
		Options:    options,
		Connectors: connector.Set{rocketmq.Connector, kafka.Connector},
		Formats:    format.Set{json.Format},
		OnBad:      func(split string, record []byte, why error) { log.Printf("%s: %q: %v", split, record, why) },
	}
	r, err := table.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // the positions are already committed
	rows := 0
	for batch, err := range r.Batches(ctx, nil) {
		if err != nil {
			return err
		}
		batch.Rows(func(i int) {
			rows++
			fmt.Printf("queue %v: %v paid %v\n", vector.Get(batch.Cols[2], i), vector.Get(batch.Cols[0], i), vector.Get(batch.Cols[1], i))
		})
		if err := r.Committed(ctx, map[string]connector.Position{batch.Split: batch.Position}); err != nil {
			return err
		}
	}
	fmt.Printf("%d rows\n", rows)
	return nil
}
