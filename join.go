package runnel

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/plan"
)

// JoinStream is two streams that are joined. In the condition and the
// expressions of Select the columns of the left one are l.name, of the right one
// r.name; As gives other names.
type JoinStream struct {
	left, right *DataStream
	kind        string
	l, r        string
	on          string
	args        []any
	size        time.Duration
	lookup      bool
}

// Join keeps the pairs of rows for which On holds.
func (d *DataStream) Join(right *DataStream) *JoinStream { return d.join("JOIN", right) }

// InnerJoin is Join.
func (d *DataStream) InnerJoin(right *DataStream) *JoinStream { return d.join("JOIN", right) }

// LeftJoin keeps the rows of the left stream that find no partner too, with NULL
// for the right columns.
func (d *DataStream) LeftJoin(right *DataStream) *JoinStream { return d.join("LEFT JOIN", right) }

// RightJoin keeps the rows of the right stream that find no partner too.
func (d *DataStream) RightJoin(right *DataStream) *JoinStream { return d.join("RIGHT JOIN", right) }

// FullJoin keeps the rows of both streams that find no partner too.
func (d *DataStream) FullJoin(right *DataStream) *JoinStream { return d.join("FULL JOIN", right) }

func (d *DataStream) join(kind string, right *DataStream) *JoinStream {
	d.sameJob("Join", right)
	return &JoinStream{left: d, right: right, kind: kind, l: "l", r: "r"}
}

// DimJoin joins with a dimension table of the environment as it is when the row
// comes.
func (d *DataStream) DimJoin(table string) *JoinStream { return d.dimJoin("JOIN", table) }

// DimLeftJoin is DimJoin that keeps rows without a partner.
func (d *DataStream) DimLeftJoin(table string) *JoinStream { return d.dimJoin("LEFT JOIN", table) }

func (d *DataStream) dimJoin(kind, table string) *JoinStream {
	return &JoinStream{left: d, right: d.job.from("DimJoin", Table(table)), kind: kind, l: "l", r: "r", lookup: true}
}

// As names the sides for On and Select.
func (j *JoinStream) As(left, right string) *JoinStream {
	j.l, j.r = quote(left), quote(right)
	return j
}

// On is the condition: "l.id = r.order_id AND r.price > ?".
func (j *JoinStream) On(cond string, args ...any) *JoinStream {
	j.on, j.args = cond, args
	return j
}

// Window joins only rows of the same window of that size, by the event time of
// both streams or by the clock.
func (j *JoinStream) Window(size time.Duration) *JoinStream {
	j.size = size
	return j
}

// Select computes the columns of the result.
func (j *JoinStream) Select(exprs ...string) *DataStream {
	return j.finish("Select", strings.Join(exprs, ", "))
}

// ToDataStream returns all columns of the left stream, then those of the right;
// a name that is there already gets r_ in front.
func (j *JoinStream) ToDataStream() *DataStream {
	if j.left.job.err != nil {
		return j.left
	}
	var list []string
	left := j.left.node.Schema()
	for _, n := range left.Names() {
		list = append(list, j.l+"."+quote(n))
	}
	for _, n := range j.right.node.Schema().Names() {
		as := n
		if left.Index(n) >= 0 {
			as = strings.Trim(j.r, "`") + "_" + n
		}
		list = append(list, j.r+"."+quote(n)+" AS "+quote(as))
	}
	return j.finish("ToDataStream", strings.Join(list, ", "))
}

func (j *JoinStream) finish(call, list string) *DataStream {
	job := j.left.job
	if job.err != nil {
		return j.left
	}
	if j.on == "" {
		job.fail(call, errors.New("a join needs On"))
		return job.broken()
	}
	left, right, on := "`$in`", "`$in2`", "("+j.on+")"
	ln, rn := j.left.node, j.right.node
	switch {
	case j.lookup:
		var err error
		if ln, err = job.query("SELECT *, PROCTIME() AS `$time` FROM `$in`", map[string]plan.Node{"$in": ln}, nil); err != nil {
			job.fail(call, err)
			return job.broken()
		}
		right += " FOR SYSTEM_TIME AS OF " + j.l + ".`$time`"
	case j.size != 0:
		w := Tumble(j.size)
		if err := w.check(); err != nil {
			job.fail(call, err)
			return job.broken()
		}
		var names [2]string
		for i, n := range []*plan.Node{&ln, &rn} {
			var err error
			if *n, names[i], err = job.eventTime(*n, "", 0, false); err != nil {
				job.fail(call, err)
				return job.broken()
			}
		}
		left, right = w.from(left, names[0], nil), w.from(right, names[1], nil)
		on += fmt.Sprintf(" AND %s.window_start = %s.window_start AND %s.window_end = %s.window_end", j.l, j.r, j.l, j.r)
	}
	text := fmt.Sprintf("SELECT %s FROM %s AS %s %s %s AS %s ON %s", list, left, j.l, j.kind, right, j.r, on)
	return (&DataStream{job, ln}).query(call, text, j.args, rn)
}
