package runnel

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// Sink is where a stream ends. Print, FileSink, TopicSink, TableSink, MemorySink,
// SinkOf, Each and EachChange make them.
type Sink interface {
	root(j *Job, n plan.Node) (plan.Node, error)
}

// DataStreamAction is a stream with its sink: what can be started.
type DataStreamAction struct{ job *Job }

// Job returns the job, in which further streams may begin.
func (a *DataStreamAction) Job() *Job { return a.job }

// With applies strategies to the job.
func (a *DataStreamAction) With(strategies ...Strategy) *DataStreamAction {
	a.job.With(strategies...)
	return a
}

// Start runs the job, with all its sinks, until its inputs end or ctx does; see Job.Start.
func (a *DataStreamAction) Start(ctx context.Context) error { return a.job.Start(ctx) }

// StartAsync runs the job in the background; see Job.StartAsync.
func (a *DataStreamAction) StartAsync(ctx context.Context) (*Run, error) {
	return a.job.StartAsync(ctx)
}

// Explain returns the plans of the job; see Job.Explain.
func (a *DataStreamAction) Explain() (string, error) { return a.job.Explain() }

// To ends the stream in a sink. Strategies apply to the whole job.
func (d *DataStream) To(sink Sink, strategies ...Strategy) *DataStreamAction {
	return d.to("To", sink, strategies...)
}

func (d *DataStream) to(call string, sink Sink, strategies ...Strategy) *DataStreamAction {
	d.job.With(strategies...)
	if d.job.err == nil {
		if root, err := sink.root(d.job, d.node); err != nil {
			d.job.fail(call, err)
		} else {
			d.job.sinks = append(d.job.sinks, root)
		}
	}
	return &DataStreamAction{d.job}
}

// Print prints rows to the standard output with their kind, as +I[1, ann].
func Print(opts ...TableOption) Sink {
	return specOf(opts, map[string]string{"connector": "print"})
}

// FileSink writes files into a folder, as JSON lines unless a format is given.
// They appear by rename; with checkpoints each row is in them exactly once.
func FileSink(folder string, opts ...TableOption) Sink {
	return specOf(opts, map[string]string{"connector": "filesystem", "path": folder})
}

// MemorySink appends to a table of Env.Memory.
func MemorySink(name string, opts ...TableOption) Sink {
	return specOf(opts, map[string]string{"connector": "memory", "name": name})
}

// TopicSink writes to a topic of a queue; the address is that of Topic.
func TopicSink(server, topic string, opts ...TableOption) Sink {
	options, err := topicOptions(server, topic)
	if err != nil {
		return failingSink{err}
	}
	delete(options, "scan.startup.mode")
	return specOf(opts, options)
}

// root implements Sink: the sink becomes a table that nobody else sees, with the
// stream's columns.
func (s *tableSpec) root(j *Job, n plan.Node) (plan.Node, error) {
	options, name := maps.Clone(s.options), s.format
	switch options["connector"] {
	case "print", "memory", "blackhole":
	default:
		if name == "" {
			name = "json"
		}
		options["format"] = name
	}
	var parts []string
	for _, f := range n.Schema().Fields {
		parts = append(parts, quote(f.Name)+" "+f.Type.Plain().String())
	}
	if len(s.key) > 0 {
		parts = append(parts, "PRIMARY KEY ("+quoted(s.key)+") NOT ENFORCED")
	}
	columns := strings.Join(parts, ", ")
	if s.columns != "" {
		columns = s.columns
	}
	table := fmt.Sprintf("sink_%d", j.number())
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	session, err := j.scratch(table, columns, options)
	if err != nil {
		return nil, err
	}
	return insertInto(session, quote(table), n)
}

// insertInto binds an INSERT of all rows of n.
func insertInto(s *compile.Session, table string, n plan.Node) (plan.Node, error) {
	text := "INSERT INTO " + table + " SELECT * FROM `$in`"
	stmts, err := sql.Parse(text, sql.Options{})
	if err != nil {
		return nil, err
	}
	o, err := bindOptions(s, map[string]plan.Node{"$in": n}, nil)
	if err != nil {
		return nil, err
	}
	sinks, err := bindInserts(o, []*ast.Insert{stmts[0].(*ast.Insert)})
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	return sinks[0], nil
}

// TableSink is a table of the environment: name, database.name or
// catalog.database.name. Columns are matched by their order.
func TableSink(name string) Sink { return tableSink{name} }

type tableSink struct{ name string }

func (t tableSink) root(j *Job, n plan.Node) (plan.Node, error) {
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	s, err := j.env.fork(j.settings)
	if err != nil {
		return nil, err
	}
	return insertInto(s, path(t.name), n)
}

// SinkOf is a sink of one's own. One that takes updates implements
// connector.Upserter, one that commits in two phases connector.Tx.
func SinkOf(sink connector.Sink) Sink { return sinkOf{sink} }

type sinkOf struct{ sink connector.Sink }

func (s sinkOf) root(_ *Job, n plan.Node) (plan.Node, error) {
	if s.sink == nil {
		return nil, fmt.Errorf("the sink is nil")
	}
	return &plan.Sink{Input: n, Name: fmt.Sprintf("%T", s.sink), Collect: s.sink}, nil
}

type failingSink struct{ err error }

func (f failingSink) root(*Job, plan.Node) (plan.Node, error) { return nil, f.err }

// ToPrint ends the stream in Print.
func (d *DataStream) ToPrint() *DataStreamAction { return d.to("ToPrint", Print()) }

// ToFile ends the stream in FileSink.
func (d *DataStream) ToFile(folder string, opts ...TableOption) *DataStreamAction {
	return d.to("ToFile", FileSink(folder, opts...))
}

// ToMemory ends the stream in MemorySink.
func (d *DataStream) ToMemory(name string) *DataStreamAction {
	return d.to("ToMemory", MemorySink(name))
}

// ToTable ends the stream in TableSink.
func (d *DataStream) ToTable(name string) *DataStreamAction { return d.to("ToTable", TableSink(name)) }

// ToRocketmq ends the stream in a topic of RocketMQ. namesrv is host:port,
// several separated by semicolons; group is the producer group, "" for the default.
func (d *DataStream) ToRocketmq(topic, group, namesrv string, opts ...TableOption) *DataStreamAction {
	options := rocketmqOptions(topic, "", namesrv)
	if group != "" {
		options["producerGroup"] = group
	}
	return d.to("ToRocketmq", specOf(opts, options))
}

// ToKafka ends the stream in a topic of Kafka. servers is host:port, several
// separated by commas.
func (d *DataStream) ToKafka(servers, topic string, opts ...TableOption) *DataStreamAction {
	return d.to("ToKafka", specOf(opts, map[string]string{"connector": "kafka", "topic": topic, "properties.bootstrap.servers": servers}))
}

// ToMqtt is not there yet: the job fails with an error that says so.
func (d *DataStream) ToMqtt(url, clientID, topic string, _ ...TableOption) *DataStreamAction {
	return d.to("ToMqtt", failingSink{fmt.Errorf("mqtt is not supported yet (%s)", topic)})
}

// ToDB is not there yet: the job fails with an error that says so.
func (d *DataStream) ToDB(url, table string, _ ...TableOption) *DataStreamAction {
	return d.to("ToDB", failingSink{fmt.Errorf("databases are not supported yet (%s)", table)})
}
