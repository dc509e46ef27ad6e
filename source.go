package runnel

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
)

// Source is where a stream begins. Table, Topic, File, Memory, SourceOf, Values
// and Seq make them.
type Source interface {
	// node makes the plan; want are the columns of the Go type that the stream
	// will have, nil if it has none.
	node(j *Job, want []member) (plan.Node, error)
}

// TableOption says more about a source or sink.
type TableOption func(*tableSpec)

// tableSpec is what CREATE TABLE would say of a source or sink.
type tableSpec struct {
	columns string
	format  string
	options map[string]string
	src     any      // of SourceOf
	key     []string // of sinks
}

// Columns are the columns of a source, as between the brackets of CREATE TABLE:
// physical, METADATA and computed ones, and a WATERMARK.
func Columns(ddl string) TableOption { return func(s *tableSpec) { s.columns = ddl } }

// Format is the format of the records, with its options by the names they have
// in SQL behind the format's: Format("csv", "field-delimiter", ";").
func Format(name string, options ...string) TableOption {
	return func(s *tableSpec) {
		s.format = name
		for i := 0; i+1 < len(options); i += 2 {
			s.options[name+"."+options[i]] = options[i+1]
		}
		if len(options)%2 == 1 {
			s.options[name+"."+options[len(options)-1]] = ""
		}
	}
}

// JSON has the records be JSON objects: what sources with columns take anyway.
func JSON() TableOption { return Format("json") }

// CSV has the records be lines of comma-separated values.
func CSV() TableOption { return Format("csv") }

// Raw has each record be one text: the column data, if Columns says nothing else.
func Raw() TableOption { return Format("raw") }

// WithOption sets an option of the connector by the name it has in SQL.
func WithOption(key, value string) TableOption {
	return func(s *tableSpec) { s.options[key] = value }
}

// PrimaryKey are the columns by which a sink's rows are updated: connectors that
// take updates need them.
func PrimaryKey(columns ...string) TableOption { return func(s *tableSpec) { s.key = columns } }

func specOf(opts []TableOption, options map[string]string) *tableSpec {
	s := &tableSpec{options: options}
	for _, o := range opts {
		o(s)
	}
	return s
}

// node implements Source: the source becomes a table that nobody else sees.
func (s *tableSpec) node(j *Job, want []member) (plan.Node, error) {
	columns, options, name := s.columns, maps.Clone(s.options), s.format
	typed := columns == "" && want != nil
	if typed {
		columns = ddlOf(want)
	}
	if name == "" && columns != "" {
		name = "json"
	}
	if columns == "" {
		columns = "data STRING"
		if name == "" {
			name = "raw"
		}
	}
	formats := options["connector"] != "memory" && options["connector"] != "datagen"
	if typed && formats && name == "json" && options["json.timestamp-format.standard"] == "" && hasTime(want) {
		options["json.timestamp-format.standard"] = "ISO-8601" // as encoding/json has times
	}
	if formats {
		options["format"] = name
	}
	var f format.Format
	if s.src != nil {
		switch s.src.(type) {
		case connector.Source, connector.ColumnSource:
		default:
			return nil, fmt.Errorf("%T is neither a connector.Source nor a connector.ColumnSource", s.src)
		}
		if _, records := s.src.(connector.Source); records {
			spec := j.env.engine.Options().Formats.Find(name)
			if spec == nil {
				return nil, fmt.Errorf("there is no format %q", name)
			}
			of := map[string]string{}
			for k, v := range options {
				if rest, ok := strings.CutPrefix(k, name+"."); ok {
					of[rest] = v
				}
			}
			var err error
			if f, err = spec.New(of); err != nil {
				return nil, err
			}
		}
		options = map[string]string{"connector": "memory"}
	}
	table := fmt.Sprintf("source_%d", j.number())
	n, err := j.hidden(table, columns, options)
	if err != nil || s.src == nil {
		return n, err
	}
	return replaceScan(n, func(scan *plan.Scan) plan.Node {
		return &plan.GoSource{Name: fmt.Sprintf("%T", s.src), Source: s.src, Format: f, Out: scan.Out}
	}), nil
}

func hasTime(ms []member) bool {
	return slices.ContainsFunc(ms, func(m member) bool { return m.goType == timeType || m.sub != nil && hasTime(m.sub) })
}

// ddlOf returns the columns of a Go type for CREATE TABLE. All take NULL:
// records may lack fields.
func ddlOf(ms []member) string {
	var parts []string
	for _, m := range ms {
		if m.kind {
			continue
		}
		parts = append(parts, quote(m.name)+" "+m.typ.OrNull().Plain().String())
	}
	for _, m := range ms {
		if m.typ.Attr == types.Rowtime {
			parts = append(parts, fmt.Sprintf("WATERMARK FOR %s AS %s - %s", quote(m.name), quote(m.name), interval(m.delay)))
		}
	}
	return strings.Join(parts, ", ")
}

func replaceScan(n plan.Node, f func(*plan.Scan) plan.Node) plan.Node {
	if s, ok := n.(*plan.Scan); ok {
		return f(s)
	}
	in := n.Inputs()
	next := make([]plan.Node, len(in))
	for i, c := range in {
		next[i] = replaceScan(c, f)
	}
	return n.WithInputs(next)
}

// scratch returns a session with a catalog of its own in which one table is
// defined. The caller holds mu.
func (j *Job) scratch(table, columns string, options map[string]string) (*compile.Session, error) {
	s, err := j.env.engine.Session()
	if err != nil {
		return nil, err
	}
	s.Functions = j.env.session.Functions
	s.Settings = maps.Clone(j.env.session.Settings)
	for k, v := range j.settings {
		if _, err := s.Settings.Set(k, v, diag.Span{}); err != nil {
			return nil, err
		}
	}
	var with []string
	for _, k := range slices.Sorted(maps.Keys(options)) {
		with = append(with, literal(k)+" = "+literal(options[k]))
	}
	text := fmt.Sprintf("CREATE TABLE %s (%s) WITH (%s)", quote(table), columns, strings.Join(with, ", "))
	stmts, err := sql.Parse(text, sql.Options{})
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	if len(stmts) != 1 {
		return nil, fmt.Errorf("columns: one list of columns is wanted, not statements")
	}
	if _, err := s.Execute(background, stmts[0], nil); err != nil {
		return nil, diag.WithSource(err, text)
	}
	return s, nil
}

// hidden makes a table that only this plan knows and returns its rows.
func (j *Job) hidden(table, columns string, options map[string]string) (plan.Node, error) {
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	s, err := j.scratch(table, columns, options)
	if err != nil {
		return nil, err
	}
	text := "SELECT * FROM " + quote(table)
	q, err := sql.ParseQuery(text, sql.Options{})
	if err != nil {
		return nil, err
	}
	n, err := bind.Query(s.Bind(), q)
	return n, diag.WithSource(err, text)
}

// Table is a table or view of the environment: name, database.name or
// catalog.database.name.
func Table(name string) Source { return tableSource{name} }

type tableSource struct{ name string }

func (t tableSource) node(j *Job, _ []member) (plan.Node, error) {
	return j.query("SELECT * FROM "+path(t.name), nil, nil)
}

// path quotes the parts of a table's name.
func path(name string) string {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = quote(p)
	}
	return strings.Join(parts, ".")
}

// File is a file, a folder or a pattern of JSON lines, or, without Columns, of
// lines of text. It is read once to its end; WithOption("source.monitor-interval",
// "1 s") has it be followed. Files may be compressed (.gz, .zst, .bz2).
func File(path string, opts ...TableOption) Source {
	return specOf(opts, map[string]string{"connector": "filesystem", "path": path})
}

// Memory is a table of Env.Memory that goes on until it is finished there.
// Columns must be given, or the stream's type be a struct.
func Memory(name string, opts ...TableOption) Source {
	return specOf(opts, map[string]string{"connector": "memory", "name": name, "bounded": "false"})
}

// Topic is a topic of a queue: Topic("rocketmq://127.0.0.1:9876", "orders"),
// Topic("kafka://127.0.0.1:9092", "orders"). Several servers are separated by
// commas, the group is a parameter of the address: "?group=g".
func Topic(server, topic string, opts ...TableOption) Source {
	options, err := topicOptions(server, topic)
	if err != nil {
		return failing{err}
	}
	return specOf(opts, options)
}

// topicOptions takes the address of a queue apart.
func topicOptions(server, topic string) (map[string]string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	group := u.Query().Get("group")
	switch u.Scheme {
	case "rocketmq":
		return rocketmqOptions(topic, group, strings.ReplaceAll(u.Host, ",", ";")), nil
	case "kafka":
		return kafkaOptions(u.Host, topic, group), nil
	}
	return nil, fmt.Errorf("%q: an address starts with rocketmq:// or kafka://", server)
}

func rocketmqOptions(topic, group, namesrv string) map[string]string {
	o := map[string]string{"connector": "rocketmq", "topic": topic, "nameServerAddress": namesrv}
	if group != "" {
		o["consumerGroup"] = group
	}
	return o
}

func kafkaOptions(endpoint, topic, group string) map[string]string {
	o := map[string]string{"connector": "kafka", "topic": topic, "properties.bootstrap.servers": endpoint}
	if group != "" {
		o["properties.group.id"] = group
	} else {
		o["scan.startup.mode"] = "earliest-offset"
	}
	return o
}

// SourceOf is a source of one's own: a connector.Source, whose records are JSON
// unless a format is given, or a connector.ColumnSource, which fills columns
// itself. Columns must be given, or the stream's type be a struct.
func SourceOf(src any, opts ...TableOption) Source {
	s := specOf(opts, map[string]string{})
	s.src = src
	return s
}

type failing struct{ err error }

func (f failing) node(*Job, []member) (plan.Node, error) { return nil, f.err }

// From begins a stream of rows.
func (j *Job) From(src Source) *DataStream { return j.from("From", src) }

func (j *Job) from(call string, src Source) *DataStream {
	if j.err != nil {
		return j.broken()
	}
	n, err := src.node(j, nil)
	if err != nil {
		j.fail(call, err)
		return j.broken()
	}
	return &DataStream{job: j, node: n}
}

// broken is a stream of a job with a mistake: nothing is done with it any more.
func (j *Job) broken() *DataStream {
	return &DataStream{job: j, node: &plan.Values{Out: types.NewSchema()}}
}

// FromFile reads a file, a folder or a pattern; see File.
func (j *Job) FromFile(path string, opts ...TableOption) *DataStream {
	return j.from("FromFile", File(path, opts...))
}

// FromMemory reads a table of Env.Memory until it is finished there; see Memory.
func (j *Job) FromMemory(name string, opts ...TableOption) *DataStream {
	return j.from("FromMemory", Memory(name, opts...))
}

// FromRocketmq reads a topic of RocketMQ. namesrv is host:port, several
// separated by semicolons; tags are WithOption("tag", "a || b").
func (j *Job) FromRocketmq(topic, group, namesrv string, opts ...TableOption) *DataStream {
	return j.from("FromRocketmq", specOf(opts, rocketmqOptions(topic, group, namesrv)))
}

// FromKafka reads a topic of Kafka. endpoint is host:port, several separated by commas.
func (j *Job) FromKafka(endpoint, topic, group string, opts ...TableOption) *DataStream {
	return j.from("FromKafka", specOf(opts, kafkaOptions(endpoint, topic, group)))
}

// FromMqtt is not there yet: the job fails with an error that says so.
func (j *Job) FromMqtt(url, clientID, topic string, _ ...TableOption) *DataStream {
	return j.from("FromMqtt", failing{fmt.Errorf("mqtt is not supported yet (%s)", topic)})
}

// watermark gives a stream event time: column is at most delay out of order.
func (j *Job) watermark(n plan.Node, column string, delay time.Duration) (plan.Node, error) {
	c := n.Schema().Index(column)
	if c < 0 {
		return nil, diag.At(diag.Span{}, diag.UnknownColumn, "no column %s", column).DidYouMean(column, n.Schema().Names())
	}
	t := n.Schema().Fields[c].Type
	if !t.IsTimestamp() {
		return nil, fmt.Errorf("column %s is %s: event time is a TIMESTAMP or TIMESTAMP_LTZ", column, t)
	}
	if t.Prec > 3 {
		list := make([]string, len(n.Schema().Fields))
		for i, f := range n.Schema().Fields {
			if list[i] = quote(f.Name); i == c {
				to := t.Plain().OrNull()
				to.Prec = 3
				list[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", quote(f.Name), to, quote(f.Name))
			}
		}
		var err error
		if n, err = j.query("SELECT "+strings.Join(list, ", ")+" FROM `$in`", map[string]plan.Node{"$in": n}, nil); err != nil {
			return nil, err
		}
	}
	e, err := j.expr(n, quote(column)+" - "+interval(delay), nil)
	if err != nil {
		return nil, err
	}
	fields := slices.Clone(n.Schema().Fields)
	for i := range fields {
		if fields[i].Type.Attr == types.Rowtime {
			fields[i].Type = fields[i].Type.Plain()
		}
	}
	fields[c].Type.Attr = types.Rowtime
	return &plan.Watermark{Input: n, Column: c, Expr: e, Out: types.NewSchema(fields...)}, nil
}

// expr binds an expression over the columns of n.
func (j *Job) expr(n plan.Node, text string, args []any) (plan.Expr, error) {
	x, err := sql.ParseExpr(text, sql.Options{})
	if err != nil {
		return nil, diag.WithSource(err, text)
	}
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	o, err := j.binding(nil, args)
	if err != nil {
		return nil, err
	}
	e, err := bind.Expr(o, x, n.Schema(), "")
	return e, diag.WithSource(err, text)
}
