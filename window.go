package runnel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// FireMode is how often a window is emitted, and what an emission means.
type FireMode int

// The fire modes.
const (
	// Once: a window is emitted when it is over; later rows are dropped and counted.
	Once FireMode = iota
	// Separate: every emission holds the increment since the last one.
	Separate
	// Accumulated: every emission replaces the last one.
	Accumulated
)

// WindowInfo is a kind of window: Tumble, Hop, Cumulate and Session make them.
type WindowInfo struct {
	kind    string
	size    time.Duration // gap of a session
	step    time.Duration // slide of HOP, step of CUMULATE
	offset  time.Duration
	field   string
	every   time.Duration
	mode    FireMode
	hasMode bool
}

// WindowOption says more about a window.
type WindowOption func(*WindowInfo)

// On is the column of event time; without it windows are by the stream's event
// time, and by processing time if it has none.
func On(field string) WindowOption { return func(w *WindowInfo) { w.field = field } }

// Offset moves the windows: those of a day begin at midnight UTC, with an offset
// of 6 hours at six.
func Offset(d time.Duration) WindowOption { return func(w *WindowInfo) { w.offset = d } }

// FireEvery has open windows be emitted in between, every so often by the clock.
func FireEvery(d time.Duration, mode FireMode) WindowOption {
	return func(w *WindowInfo) { w.every, w.mode, w.hasMode = d, mode, true }
}

func windowOf(kind string, size, step time.Duration, opts []WindowOption) WindowInfo {
	w := WindowInfo{kind: kind, size: size, step: step}
	for _, o := range opts {
		o(&w)
	}
	return w
}

// Tumble is windows of a size, one after the other.
func Tumble(size time.Duration, opts ...WindowOption) WindowInfo {
	return windowOf("TUMBLE", size, 0, opts)
}

// Hop is windows of a size that begin every slide.
func Hop(slide, size time.Duration, opts ...WindowOption) WindowInfo {
	return windowOf("HOP", size, slide, opts)
}

// Cumulate is windows that grow by step up to size and then begin again.
func Cumulate(step, size time.Duration, opts ...WindowOption) WindowInfo {
	return windowOf("CUMULATE", size, step, opts)
}

// Session is windows that end when nothing came for gap.
func Session(gap time.Duration, opts ...WindowOption) WindowInfo {
	return windowOf("SESSION", gap, 0, opts)
}

// merges tells whether the windows' aggregates are made of those of others.
func (w *WindowInfo) merges() bool { return w.kind != "TUMBLE" }

func (w *WindowInfo) check() error {
	for _, d := range []time.Duration{w.size, w.step, w.offset, w.every} {
		if d%time.Millisecond != 0 {
			return fmt.Errorf("%s: windows are of whole milliseconds", d)
		}
	}
	switch {
	case w.kind == "":
		return fmt.Errorf("a window is made by Tumble, Hop, Cumulate or Session")
	case w.size <= 0, w.step < 0, w.step == 0 && (w.kind == "HOP" || w.kind == "CUMULATE"):
		return fmt.Errorf("the sizes of a window must be above 0")
	case w.kind == "CUMULATE" && w.size%w.step != 0:
		return fmt.Errorf("the size of Cumulate, %s, must be a multiple of its step, %s", w.size, w.step)
	case w.kind == "SESSION" && w.offset != 0:
		return fmt.Errorf("sessions have no offset")
	}
	return nil
}

// from returns the FROM item of the windows over `$in`.
func (w *WindowInfo) from(table, time string, keys []string) string {
	partition := ""
	if w.kind == "SESSION" && len(keys) > 0 {
		partition = " PARTITION BY " + strings.Join(keys, ", ")
	}
	text := fmt.Sprintf("TABLE(%s(TABLE %s%s, DESCRIPTOR(%s), ", w.kind, table, partition, quote(time))
	if w.step > 0 {
		text += interval(w.step) + ", "
	}
	text += interval(w.size)
	if w.offset != 0 {
		text += ", " + interval(w.offset)
	}
	return text + "))"
}

// settings are those of the job that the window's options ask for.
func (w *WindowInfo) settings(j *Job) {
	if !w.hasMode {
		return
	}
	j.set("FireEvery", "window.fire-mode", strconv.Itoa(int(w.mode)))
	if w.every <= 0 {
		return
	}
	if w.mode == Once {
		j.set("FireEvery", "table.exec.emit.early-fire.enabled", "true")
		j.set("FireEvery", "table.exec.emit.early-fire.delay", millis(w.every))
		return
	}
	j.set("FireEvery", "window.fire-interval", millis(w.every))
}

// WindowStream is a stream in windows: its methods say how it is grouped, what is
// computed and when windows are emitted. ToDataStream, or Aggregate, makes the
// stream of the results: the keys, window_start, window_end, the aggregates. The
// columns window_start, window_end and window_time of earlier windows cannot be
// read by the aggregates.
//
// When windows are emitted is a setting of the whole job: two windows of one job
// cannot differ in it.
type WindowStream struct {
	in    *DataStream
	info  WindowInfo
	keys  []string
	aggs  []string
	delay time.Duration
	late  bool // WaterMark was called
	time  string
	side  Sink // of late rows
}

// Window puts the rows into windows.
func (d *DataStream) Window(w WindowInfo) *WindowStream {
	if err := w.check(); err != nil {
		d.job.fail("Window", err)
	}
	return &WindowStream{in: d, info: w}
}

// GroupBy groups by columns, or by expressions with a name: "UPPER(host) AS host".
func (w *WindowStream) GroupBy(keys ...string) *WindowStream {
	w.keys = append(w.keys, keys...)
	return w
}

// TimeField is the column of event time, as On.
func (w *WindowStream) TimeField(field string) *WindowStream {
	w.info.field = field
	return w
}

// WaterMark is how far rows may be out of order for windows over a time field
// that has no watermark yet: a window is over when a row came that is so much
// behind its end. A stream with a watermark of its own keeps it.
func (w *WindowStream) WaterMark(d time.Duration) *WindowStream {
	w.delay, w.late = d, true
	return w
}

// AllowLateness is how long a window takes rows after its end.
func (w *WindowStream) AllowLateness(d time.Duration) *WindowStream {
	w.in.job.set("AllowLateness", "table.exec.emit.allow-lateness", millis(d))
	return w
}

// SideOutputLate has the rows that come too late for their windows written to
// sink, and not only counted: the columns of the stream the windows are over, then
// late_operator, late_watermark and late_window_end, the end of the last window the
// row would have been in. They are written exactly once where the sink is.
func (w *WindowStream) SideOutputLate(sink Sink) *WindowStream {
	w.side = sink
	return w
}

// FireMode is 0, 1 or 2: Once, Separate or Accumulated.
func (w *WindowStream) FireMode(mode FireMode) *WindowStream {
	w.in.job.set("FireMode", "window.fire-mode", strconv.Itoa(int(mode)))
	return w
}

// EmitBeforeFire has open windows be emitted every so often.
func (w *WindowStream) EmitBeforeFire(d time.Duration) *WindowStream {
	w.in.job.set("EmitBeforeFire", "table.exec.emit.early-fire.enabled", "true")
	w.in.job.set("EmitBeforeFire", "table.exec.emit.early-fire.delay", millis(d))
	return w
}

// EmitAfterFire has windows be emitted again, every so often, for rows that come
// within the lateness that AllowLateness allows.
func (w *WindowStream) EmitAfterFire(d time.Duration) *WindowStream {
	w.in.job.set("EmitAfterFire", "table.exec.emit.late-fire.enabled", "true")
	w.in.job.set("EmitAfterFire", "table.exec.emit.late-fire.delay", millis(d))
	return w
}

// FlushAtEnd has processing-time windows that are open when the input ends be
// emitted; otherwise they are dropped and counted.
func (w *WindowStream) FlushAtEnd() *WindowStream {
	w.in.job.set("FlushAtEnd", "window.flush-at-end", "true")
	return w
}

// SetMaxMsgGap is the time without rows after which event time goes on with the
// clock, so that windows fire.
func (w *WindowStream) SetMaxMsgGap(d time.Duration) *WindowStream {
	w.in.job.set("SetMaxMsgGap", "window.fire-on-idle", millis(d))
	return w
}

// SetLocalStorageOnly chooses, for the whole job, state in memory (true) or in
// the environment's state directory (false).
func (w *WindowStream) SetLocalStorageOnly(local bool) *WindowStream {
	w.in.job.volatile = local
	return w
}

func (w *WindowStream) add(format string, args ...any) *WindowStream {
	w.aggs = append(w.aggs, fmt.Sprintf(format, args...))
	return w
}

// Count counts rows.
func (w *WindowStream) Count(as string) *WindowStream { return w.add("COUNT(*) AS %s", quote(as)) }

// Sum adds a column.
func (w *WindowStream) Sum(field, as string) *WindowStream {
	return w.add("SUM(%s) AS %s", quote(field), quote(as))
}

// Avg is the mean of a column.
func (w *WindowStream) Avg(field, as string) *WindowStream {
	return w.add("AVG(%s) AS %s", quote(field), quote(as))
}

// Min is the least value of a column.
func (w *WindowStream) Min(field, as string) *WindowStream {
	return w.add("MIN(%s) AS %s", quote(field), quote(as))
}

// Max is the greatest value of a column.
func (w *WindowStream) Max(field, as string) *WindowStream {
	return w.add("MAX(%s) AS %s", quote(field), quote(as))
}

// CountDistinct counts the different values of a column.
func (w *WindowStream) CountDistinct(field, as string) *WindowStream {
	return w.add("COUNT(DISTINCT %s) AS %s", quote(field), quote(as))
}

// Distinct collects the different values of a column, with their counts (a
// MULTISET).
func (w *WindowStream) Distinct(field, as string) *WindowStream {
	return w.add("COLLECT(DISTINCT %s) AS %s", quote(field), quote(as))
}

// AddUDAF calls an aggregate function that RegisterAgg registered.
func (w *WindowStream) AddUDAF(function, as string, fields ...string) *WindowStream {
	return w.add("%s(%s) AS %s", function, quoted(fields), quote(as))
}

// WindowTime keeps the event time of the windows as a column, for windows over
// the results.
func (w *WindowStream) WindowTime(as string) *WindowStream {
	w.time = as
	return w
}

// Aggregate computes more aggregates, "COUNT(*) AS n", and returns the results.
func (w *WindowStream) Aggregate(exprs ...string) *DataStream {
	w.aggs = append(w.aggs, exprs...)
	return w.finish("Aggregate")
}

// ToDataStream returns the stream of the results.
func (w *WindowStream) ToDataStream() *DataStream { return w.finish("ToDataStream") }

func (w *WindowStream) finish(call string) *DataStream {
	d := w.in
	if d.job.err != nil {
		return d
	}
	w.info.settings(d.job)
	if len(w.aggs) == 0 {
		d.job.fail(call, fmt.Errorf("nothing is computed: say Count, Sum or another aggregate"))
		return d.job.broken()
	}
	d, keys := w.keyed(d, call)
	n, at, err := d.job.eventTime(d.node, w.info.field, w.delay, w.late)
	if err != nil {
		d.job.fail(call, err)
		return d.job.broken()
	}
	if n, at, err = d.job.withoutWindows(n, at, w.keys); err != nil {
		d.job.fail(call, err)
		return d.job.broken()
	}
	list := append(slices.Clone(keys), "window_start", "window_end")
	group := slices.Clone(list)
	if w.time != "" {
		list = append(list, "window_time AS "+quote(w.time))
		group = append(group, "window_time")
	}
	list = append(list, w.aggs...)
	text := fmt.Sprintf("SELECT %s FROM %s GROUP BY %s", strings.Join(list, ", "), w.info.from("`$in`", at, keys), strings.Join(group, ", "))
	out := (&DataStream{d.job, n}).query(call, text, nil)
	if w.side != nil && d.job.err == nil {
		if err := w.sideOutput(d.job, n, out.node); err != nil {
			d.job.fail("SideOutputLate", err)
		}
	}
	return out
}

// sideOutput plans the sink of the rows of n that come too late for the windows in out.
func (w *WindowStream) sideOutput(j *Job, n, out plan.Node) error {
	fields := slices.Clone(n.Schema().Fields)
	for i := range fields {
		fields[i].Type = fields[i].Type.Plain()
	}
	from := &plan.GoSource{Name: "late rows", Out: types.NewSchema(append(fields, plan.LateFields()...)...)}
	root, err := w.side.root(j, from)
	if err != nil {
		return err
	}
	sink, ok := root.(*plan.Sink)
	if !ok {
		return fmt.Errorf("%T does not end a stream of late rows", w.side)
	}
	var mark func(plan.Node) bool
	mark = func(x plan.Node) bool {
		if win, ok := x.(*plan.Window); ok && x != n {
			win.Late = &plan.Late{From: from, Sink: sink}
			return true
		}
		return x != n && slices.ContainsFunc(x.Inputs(), mark)
	}
	if !mark(out) {
		return diag.Bug("there is no window in the plan of one")
	}
	return nil
}

// keyed makes columns of the keys that are expressions, and returns all quoted.
func (w *WindowStream) keyed(d *DataStream, call string) (*DataStream, []string) {
	var keys, extra []string
	for _, k := range w.keys {
		if d.node.Schema().Index(k) >= 0 {
			keys = append(keys, quote(k))
			continue
		}
		e := withoutAliases([]string{k})[0]
		if e == k {
			d.job.fail(call, diag.At(diag.Span{}, diag.UnknownColumn, "GroupBy: %s is no column; an expression needs a name: %s AS k", k, k).DidYouMean(k, d.node.Schema().Names()))
			return d.job.broken(), nil
		}
		keys = append(keys, strings.TrimSpace(k[len(e)+len(" AS "):]))
		extra = append(extra, k)
	}
	if extra == nil {
		return d, keys
	}
	return d.query(call, "SELECT *, "+strings.Join(extra, ", ")+" FROM `$in`", nil), keys
}

// windowColumns are what windows add.
var windowColumns = []string{"window_start", "window_end", "window_time"}

// withoutWindows takes the columns of earlier windows from n, which new ones
// would meet; if the time is one of them it gets another name.
func (j *Job) withoutWindows(n plan.Node, time string, keys []string) (plan.Node, string, error) {
	var list []string
	at, changed := time, false
	for _, name := range n.Schema().Names() {
		switch {
		case !slices.Contains(windowColumns, name):
			list = append(list, quote(name))
			continue
		case slices.Contains(keys, name):
			return nil, "", fmt.Errorf("GroupBy: %s is what the windows are called: give the column another name with Select", name)
		case name == time:
			at = "$time"
			list = append(list, quote(name)+" AS "+quote(at))
		}
		changed = true
	}
	if !changed {
		return n, time, nil
	}
	n, err := j.query("SELECT "+strings.Join(list, ", ")+" FROM `$in`", map[string]plan.Node{"$in": n}, nil)
	return n, at, err
}

// eventTime returns n with a time attribute and its column: that of field, or the
// stream's, or the clock.
func (j *Job) eventTime(n plan.Node, field string, delay time.Duration, delayed bool) (plan.Node, string, error) {
	s := n.Schema()
	if field == "" {
		for _, attr := range []types.TimeAttr{types.Rowtime, types.Proctime} {
			for _, f := range s.Fields {
				if f.Type.Attr == attr {
					if delayed {
						return nil, "", fmt.Errorf("WaterMark: the stream has a watermark or the clock on %s already; AllowLateness has windows take later rows", f.Name)
					}
					return n, f.Name, nil
				}
			}
		}
		if delayed {
			return nil, "", fmt.Errorf("WaterMark: there is no time field")
		}
		n, err := j.query("SELECT *, PROCTIME() AS `$time` FROM `$in`", map[string]plan.Node{"$in": n}, nil)
		return n, "$time", err
	}
	if i := s.Index(field); i >= 0 && s.Fields[i].Type.Attr != types.NoTime {
		if delayed {
			return nil, "", fmt.Errorf("WaterMark: %s has a watermark already; AllowLateness has windows take later rows", field)
		}
		return n, field, nil
	}
	n, err := j.watermark(n, field, delay)
	return n, field, err
}
