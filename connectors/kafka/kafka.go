// Package kafka reads from and writes to topics of Kafka: the connectors kafka
// and upsert-kafka, with the options of Flink's.
//
// A partition is a split, its position the offset of the next record (source.go,
// reader.go, start.go). Partitions are all this process's, or shared by a
// consumer group (group.go). Offsets are committed to the group only when a
// checkpoint has them.
//
// A sink waits for the brokers' answers to each batch (sink.go), or writes in
// transactions that are prepared at a checkpoint's barrier and committed after
// the checkpoint, also by another process than the one that began them (tx.go).
// properties.go translates the properties of the Java client.
package kafka

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/keyed"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Connector is the connector of append-only topics.
var Connector = connector.Define("kafka", "Topics of Kafka.", connector.Spec[options]{
	Source: newSource,
	Sink: func(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
		return newSink(cx, t, o, false)
	},
	Check:       (*options).check,
	NeedsFormat: true,
	KeyFormat:   keyFormat,
	Metadata:    metadataKeys,
})

// Upsert is the connector of topics whose records are the latest rows of their keys.
var Upsert = connector.Define("upsert-kafka", "Topics of Kafka that hold the latest row of each key.", connector.Spec[options]{
	Source: newSource,
	Sink: func(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
		return newSink(cx, t, o, true)
	},
	Check:         (*options).checkUpsert,
	NeedsFormat:   true,
	KeyFormat:     upsertFormat,
	Metadata:      metadataKeys,
	SinkChangelog: connector.Upsert,
})

var metadataKeys = []types.Field{
	{Name: "topic", Type: types.String().NotNull()},
	{Name: "partition", Type: types.Of(types.Int).NotNull()},
	{Name: "headers", Type: types.MapOf(types.String().NotNull(), types.Bytes()).NotNull()},
	{Name: "leader-epoch", Type: types.Of(types.Int)},
	{Name: "offset", Type: types.Of(types.BigInt).NotNull()},
	{Name: "timestamp", Type: types.TimestampLTZOf(3).NotNull()},
	{Name: "timestamp-type", Type: types.String().NotNull()},
}

type options struct {
	Topic      string            `opt:"topic" doc:"Topic; a source may name several, separated by semicolons."`
	Pattern    string            `opt:"topic-pattern" doc:"Regular expression of the topics to read, instead of topic."`
	Servers    string            `opt:"properties.bootstrap.servers,required" doc:"Brokers to begin with, host:port separated by commas."`
	Properties map[string]string `opt:"properties.,prefix" doc:"Properties of Kafka's clients: group.id, security.protocol, sasl.*, ssl.*, isolation.level, compression.type and others."`

	KeyFields     string `opt:"key.fields" doc:"Columns of the key, separated by semicolons."`
	KeyPrefix     string `opt:"key.fields-prefix" doc:"What the names of the key's columns begin with in the table only."`
	FieldsInclude string `opt:"value.fields-include" default:"ALL" enum:"ALL,EXCEPT_KEY" doc:"Whether the key's columns are in the value too."`

	Startup    string        `opt:"scan.startup.mode" default:"group-offsets" enum:"earliest-offset,latest-offset,group-offsets,timestamp,specific-offsets" doc:"Where reading begins, when there is no checkpoint to go on from."`
	StartMs    *int64        `opt:"scan.startup.timestamp-millis" min:"0" doc:"Time for 'timestamp', in ms since 1970."`
	Specific   string        `opt:"scan.startup.specific-offsets" doc:"Offsets for 'specific-offsets': partition:0,offset:42;partition:1,offset:300. Other partitions begin as under group-offsets."`
	Bounded    string        `opt:"scan.bounded.mode" default:"unbounded" enum:"unbounded,latest-offset,group-offsets,timestamp,specific-offsets" doc:"Where reading ends."`
	EndMs      *int64        `opt:"scan.bounded.timestamp-millis" min:"0" doc:"Time for it: records before it are read."`
	EndOffsets string        `opt:"scan.bounded.specific-offsets" doc:"Offsets for it; each is the first that is not read."`
	Discovery  time.Duration `opt:"scan.topic-partition-discovery.interval" default:"5 min" doc:"How often new partitions and topics are looked for; 0 for never."`
	Assignment string        `opt:"scan.assignment" default:"static" enum:"static,group" doc:"static: this process reads all partitions. group: the members of the consumer group share them."`
	MaxRecord  option.Memory `opt:"max-record-size" default:"64 mb" min:"1 b" max:"1 gb" doc:"Longer values are treated as on-error says, with their first bytes."`

	Partitioner string  `opt:"sink.partitioner" default:"default" doc:"default: by hash of the key, records without one to any; fixed: one partition for each parallel writer; round-robin."`
	Guarantee   string  `opt:"sink.delivery-guarantee" default:"at-least-once" enum:"none,at-least-once,exactly-once" doc:"exactly-once writes in transactions, committed with the checkpoints."`
	Prefix      *string `opt:"sink.transactional-id-prefix" doc:"What the transactions' ids begin with: unique to the job and the table, and the same after a restart. Required for exactly-once."`
}

func (o *options) check() error {
	switch {
	case o.Topic == "" && o.Pattern == "":
		return option.Errorf("topic", "required, or 'topic-pattern'")
	case o.Topic != "" && o.Pattern != "":
		return option.Errorf("topic-pattern", "cannot be used together with 'topic'")
	case o.Startup == "timestamp" && o.StartMs == nil:
		return option.Errorf("scan.startup.timestamp-millis", "required with 'scan.startup.mode' = 'timestamp'")
	case o.Startup == "specific-offsets" && o.Specific == "":
		return option.Errorf("scan.startup.specific-offsets", "required with 'scan.startup.mode' = 'specific-offsets'")
	case o.Bounded == "timestamp" && o.EndMs == nil:
		return option.Errorf("scan.bounded.timestamp-millis", "required with 'scan.bounded.mode' = 'timestamp'")
	case o.Bounded == "specific-offsets" && o.EndOffsets == "":
		return option.Errorf("scan.bounded.specific-offsets", "required with 'scan.bounded.mode' = 'specific-offsets'")
	case o.Assignment == "group" && o.group() == "":
		return option.Errorf("properties.group.id", "required with 'scan.assignment' = 'group'")
	case o.Assignment == "group" && o.Bounded != "unbounded":
		return option.Errorf("scan.assignment", "'group' has no end: partitions come and go. Bounded reading needs 'static'")
	case o.Bounded == "group-offsets" && o.group() == "":
		return option.Errorf("properties.group.id", "required with 'scan.bounded.mode' = 'group-offsets'")
	case o.Guarantee == "exactly-once" && (o.Prefix == nil || *o.Prefix == ""):
		return option.Errorf("sink.transactional-id-prefix", "required with 'sink.delivery-guarantee' = 'exactly-once'")
	case o.Partitioner != "default" && o.Partitioner != "fixed" && o.Partitioner != "round-robin":
		return option.Errorf("sink.partitioner", "'%s' is none of default, fixed, round-robin; classes cannot be loaded", o.Partitioner)
	}
	if o.Pattern != "" {
		if _, err := regexp.Compile(o.Pattern); err != nil {
			return option.Errorf("topic-pattern", "%v", err)
		}
	}
	if _, err := parseOffsets(o.Specific); err != nil {
		return option.Errorf("scan.startup.specific-offsets", "%v", err)
	}
	if _, err := parseOffsets(o.EndOffsets); err != nil {
		return option.Errorf("scan.bounded.specific-offsets", "%v", err)
	}
	_, err := o.client(slog.New(slog.DiscardHandler), nil)
	return err
}

func (o *options) checkUpsert() error {
	if o.KeyFields != "" {
		return option.Errorf("key.fields", "is not for upsert-kafka: the PRIMARY KEY is the key")
	}
	if o.Startup == "group-offsets" {
		o.Startup = "earliest-offset" // a table of latest rows is read from the start
	}
	return o.check()
}

// group is the consumer group, "" if there is none.
func (o *options) group() string { return o.Properties["group.id"] }

func splitList(s string) []string {
	var out []string
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == ',' }) {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// keyFormat makes rows of keys and values.
func keyFormat(o *options, key, value format.Format) (format.Format, error) {
	columns := splitList(o.KeyFields)
	switch {
	case key == nil && (len(columns) > 0 || o.KeyPrefix != "" || o.FieldsInclude != "ALL"):
		return nil, option.Errorf("key.format", "required with 'key.fields', 'key.fields-prefix' and 'value.fields-include'")
	case key == nil:
		return value, nil
	case len(columns) == 0:
		return nil, option.Errorf("key.fields", "required with 'key.format'")
	case o.KeyPrefix != "" && o.FieldsInclude != "EXCEPT_KEY":
		return nil, option.Errorf("value.fields-include", "must be EXCEPT_KEY with 'key.fields-prefix': the value would have the columns under other names")
	}
	for _, c := range columns {
		if !strings.HasPrefix(c, o.KeyPrefix) {
			return nil, option.Errorf("key.fields", "'%s' does not begin with '%s'", c, o.KeyPrefix)
		}
	}
	return keyed.New(keyed.Spec{Key: key, Value: value, Columns: columns, Prefix: o.KeyPrefix, ExceptKey: o.FieldsInclude == "EXCEPT_KEY"}), nil
}

func upsertFormat(o *options, key, value format.Format) (format.Format, error) {
	if key == nil {
		return nil, option.Errorf("key.format", "required: the primary key is the records' key")
	}
	if value.Changelog() {
		return nil, option.Errorf("value.format", "writes changes itself; upsert-kafka wants rows")
	}
	if o.KeyPrefix != "" && o.FieldsInclude != "EXCEPT_KEY" {
		return nil, option.Errorf("value.fields-include", "must be EXCEPT_KEY with 'key.fields-prefix'")
	}
	return keyed.New(keyed.Spec{Key: key, Value: value, Prefix: o.KeyPrefix, ExceptKey: o.FieldsInclude == "EXCEPT_KEY", Upsert: true}), nil
}

func logger(cx *connector.Context, t *connector.Table) *slog.Logger {
	if cx.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return cx.Log.With("connector", "kafka", "table", t.Name)
}

// splitID names a partition; topics have no slash.
func splitID(topic string, partition int32) string { return fmt.Sprintf("%s/%d", topic, partition) }
