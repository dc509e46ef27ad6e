// Command sink-alone writes to a RocketMQ topic from Go, without SQL and without
// a job: rows go into a buffer, and leave it in batches, with retries.
//
//	make services            # in another terminal
//	go run ./examples/sink-alone
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/alone"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/connectors/kafka"
	"github.com/runnelio/runnel/connectors/rocketmq"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func main() {
	server := flag.String("rocketmq", "127.0.0.1:9876", "name server")
	flag.Parse()
	err := run(context.Background(), map[string]string{"connector": "rocketmq", "topic": "alone", "nameServerAddress": *server, "keyColumns": "user", "format": "json"})
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, options map[string]string) error {
	table := alone.Table{
		Schema:     types.NewSchema(types.Field{Name: "user", Type: types.String()}, types.Field{Name: "amount", Type: types.Of(types.BigInt)}),
		Options:    options,
		Connectors: connector.Set{rocketmq.Connector, kafka.Connector},
		Formats:    format.Set{json.Format},
	}
	sink, err := table.Writer(buffered.Options{BatchSize: 200, MaxRows: 1000, Interval: time.Second, MaxRetries: 5})
	if err != nil {
		return err
	}
	batch := vector.NewBatch(table.Schema, 10)
	for i := range 20 {
		batch.AppendValues(types.Insert, fmt.Sprint("user", i%5), int64(10*i))
		if batch.N == 10 {
			if err := sink.Write(ctx, batch); err != nil {
				return err
			}
			batch.Reset()
		}
	}
	if err := sink.Close(ctx); err != nil { // writes what is left
		return err
	}
	fmt.Printf("%d rows in %d batches\n", sink.Stats.Written.Load(), sink.Stats.Batches.Load())
	return nil
}
