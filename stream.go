package runnel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// DataStream is a stream of rows. Conditions and expressions of its methods are
// SQL over its columns; a ? in them is the next of args, as a value, never as
// text. A stream is a value: it may be used several times, and everything that
// is made of it sees all its rows.
type DataStream struct {
	job  *Job
	node plan.Node
}

// Job returns the stream's job.
func (d *DataStream) Job() *Job { return d.job }

// Columns returns the names and SQL types of the columns.
func (d *DataStream) Columns() []types.Field { return d.node.Schema().Fields }

// query makes a stream of a query in which `$in` is d.
func (d *DataStream) query(call, text string, args []any, others ...plan.Node) *DataStream {
	if d.job.err != nil {
		return d
	}
	tables := map[string]plan.Node{"$in": d.node}
	for i, n := range others {
		tables[fmt.Sprintf("$in%d", i+2)] = n
	}
	n, err := d.job.query(text, tables, args)
	if err != nil {
		d.job.fail(call, err)
		return d.job.broken()
	}
	return &DataStream{d.job, n}
}

// With applies strategies to the stream's job.
func (d *DataStream) With(strategies ...Strategy) *DataStream {
	d.job.With(strategies...)
	return d
}

// Filter keeps the rows for which a condition is TRUE.
func (d *DataStream) Filter(cond string, args ...any) *DataStream {
	if d.job.err != nil {
		return d
	}
	e, err := d.job.expr(d.node, cond, args)
	if err == nil && e.Type().Kind != types.Boolean {
		err = diag.WithSource(diag.At(diag.Span{}, diag.TypeMismatch, "a condition must be BOOLEAN, not %s", e.Type()), cond)
	}
	if err != nil {
		d.job.fail("Filter", err)
		return d.job.broken()
	}
	return &DataStream{d.job, &plan.Filter{Input: d.node, Cond: e}}
}

// FilterByExpression is Filter.
func (d *DataStream) FilterByExpression(cond string, args ...any) *DataStream {
	return d.Filter(cond, args...)
}

// Select computes columns: "host", "UPPER(name) AS name", "*".
func (d *DataStream) Select(exprs ...string) *DataStream {
	return d.SelectExpr(strings.Join(exprs, ", "))
}

// SelectExpr is Select of one list with parameters.
func (d *DataStream) SelectExpr(list string, args ...any) *DataStream {
	return d.query("Select", "SELECT "+list+" FROM `$in`", args)
}

// SelectFields keeps only these columns.
func (d *DataStream) SelectFields(names ...string) *DataStream {
	if d.job.err == nil {
		if m := missing(d.node.Schema(), names); len(m) > 0 {
			d.job.fail("SelectFields", diag.At(diag.Span{}, diag.UnknownColumn, "no column %s", m[0]).DidYouMean(m[0], d.node.Schema().Names()))
		}
	}
	return d.query("SelectFields", "SELECT "+quoted(names)+" FROM `$in`", nil)
}

// Query is any query over the stream, which is called self in it:
//
//	ds.Query("SELECT item, COUNT(*) AS n FROM self GROUP BY item")
func (d *DataStream) Query(text string, args ...any) *DataStream {
	if d.job.err != nil {
		return d
	}
	n, err := d.job.query(text, map[string]plan.Node{"self": d.node}, args)
	if err != nil {
		d.job.fail("Query", err)
		return d.job.broken()
	}
	return &DataStream{d.job, n}
}

// As makes the stream a view of the environment: queries find it by name. It
// replaces a view that As made before.
func (d *DataStream) As(name string) *DataStream {
	if d.job.err != nil {
		return d
	}
	d.job.env.mu.Lock()
	defer d.job.env.mu.Unlock()
	d.job.env.session.Tables[name] = d.node
	return d
}

// Union is the rows of both streams, and of others. They must have as many
// columns, whose types have a common one; the names are d's.
func (d *DataStream) Union(others ...*DataStream) *DataStream {
	text := "SELECT * FROM `$in`"
	var nodes []plan.Node
	for i, o := range others {
		if !d.sameJob("Union", o) {
			return d.job.broken()
		}
		text += fmt.Sprintf(" UNION ALL SELECT * FROM `$in%d`", i+2)
		nodes = append(nodes, o.node)
	}
	return d.query("Union", text, nil, nodes...)
}

// sameJob tells whether o belongs to d's job, and fails the job if not.
func (d *DataStream) sameJob(call string, o *DataStream) bool {
	if o.job != d.job {
		if o.job.err != nil {
			d.job.fail(call, o.job.err)
		}
		d.job.fail(call, fmt.Errorf("the streams belong to the jobs %s and %s: streams of one job can meet", d.job.name, o.job.name))
	}
	return d.job.err == nil
}

// Distinct keeps the first row, by the time of its arrival, of each combination
// of the fields; without fields, of equal rows. StateTTL bounds how long
// combinations are remembered.
func (d *DataStream) Distinct(fields ...string) *DataStream {
	if len(fields) == 0 {
		return d.query("Distinct", "SELECT DISTINCT * FROM `$in`", nil)
	}
	all := quoted(d.node.Schema().Names())
	return d.query("Distinct", fmt.Sprintf(
		"SELECT %s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY %s ORDER BY `$now`) AS `$n` FROM (SELECT *, PROCTIME() AS `$now` FROM `$in`)) WHERE `$n` = 1",
		all, quoted(fields)), nil)
}

// Script is the script language of RocketMQ-Streams, which is not there yet: the
// job fails with an error that says so. Select, Filter and Map do the same.
func (d *DataStream) Script(string) *DataStream {
	d.job.fail("Script", errors.New("the script language is not supported yet: use Select, Filter or Map"))
	return d.job.broken()
}

// IncreaseConcurrencyByShuffle sets the parallelism of the job.
func (d *DataStream) IncreaseConcurrencyByShuffle(tasks int) *DataStream {
	return d.With(Parallelism(tasks))
}

// GroupBy groups the stream by columns or expressions.
func (d *DataStream) GroupBy(keys ...string) *GroupedStream { return &GroupedStream{d, keys} }

// GroupedStream is a stream with the keys of groups.
type GroupedStream struct {
	in   *DataStream
	keys []string
}

// Aggregate computes aggregates of each group: "COUNT(*) AS n". The stream has
// the keys, then the aggregates, and is updated as rows come.
func (g *GroupedStream) Aggregate(exprs ...string) *DataStream {
	list := strings.Join(append(append([]string(nil), g.keys...), exprs...), ", ")
	text := "SELECT " + list + " FROM `$in`"
	if len(g.keys) > 0 {
		text += " GROUP BY " + strings.Join(withoutAliases(g.keys), ", ")
	}
	return g.in.query("Aggregate", text, nil)
}

// Window groups by windows of time too.
func (g *GroupedStream) Window(w WindowInfo) *WindowStream { return g.in.Window(w).GroupBy(g.keys...) }

// withoutAliases cuts " AS name" from expressions of a SELECT list.
func withoutAliases(exprs []string) []string {
	out := make([]string, len(exprs))
	for i, e := range exprs {
		out[i] = e
		if at := strings.LastIndex(strings.ToUpper(e), " AS "); at > 0 && strings.IndexByte(e[at:], ')') < 0 {
			out[i] = e[:at]
		}
	}
	return out
}
