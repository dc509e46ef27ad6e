package join

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// IntervalSpec says how to join rows whose times are near each other: that of
// the right row minus that of the left is at least Lower and at most Upper ms.
type IntervalSpec struct {
	Kind         plan.JoinKind // Inner, Left, Right or Full
	Keys         [2][]int
	NullSafe     []bool
	Time         [2]int // rowtime columns of the inputs
	Lower, Upper int64
	Cond         plan.Expr // over left ++ right, the bounds included; nil for none
	// Proctime tells that the times are the processing times at which the rows were
	// read: rows leave by the clock, and so do unmatched ones of outer sides. Those
	// that still wait at the end of input are dropped and counted, or come out with
	// FlushAtEnd.
	Proctime, FlushAtEnd bool
	In                   [2]*types.Schema
	Out                  *types.Schema
}

// inTransit is how far, in ms, a row may be behind the clock when it comes to a
// join by processing time.
const inTransit = 1000

// Interval joins two append-only inputs on equal keys and near times. A row is
// kept until the watermark says that no partner can come; then, if its side is
// outer and it has had none, it comes out padded with NULL. Rows behind the
// watermark are joined with what is still there.
//
// As in Flink the rows of a key are looked at half an interval later than the
// first of them is over, so that few timers do: what a late row still finds
// depends on it. The row a timer was set for is there until it fires.
type Interval struct {
	IntervalSpec
	cx        *exec.Context
	sides     [2]*intervalSide
	pred      *eval.Predicate
	cand      *vector.Batch
	b         *vector.Batch
	due       exec.Heap[intervalTimer]
	watermark int64
	seq       uint64
	key       []byte
	buf       []byte
	sel       []int32
	slots     []int32
}

// intervalSide is the rows of one input that can still find partners.
type intervalSide struct {
	outer   bool
	table   *state.Table // seq, key -> row
	rows    state.Values // by slot
	time    []int64
	matched []bool
	timed   []bool // the timer of the group is set for it
	group   []int32
	groups  *state.Table // key -> group
	of      [][]int32    // by group: slots by time
}

// NewInterval returns the operator.
func NewInterval(s IntervalSpec) *Interval { return &Interval{IntervalSpec: s} }

// Open implements exec.Operator.
func (j *Interval) Open(cx *exec.Context) (err error) {
	j.cx, j.watermark = cx, cx.Watermark
	for i := range j.sides {
		s := &intervalSide{table: state.NewTable(), groups: state.NewTable()}
		s.outer = j.Kind == plan.Full || i == 0 && j.Kind == plan.Left || i == 1 && j.Kind == plan.Right
		s.table.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[8:])) }
		j.sides[i] = s
	}
	pair := types.NewSchema(append(slices.Clone(j.In[0].Fields), j.In[1].Fields...)...)
	j.cand, j.b = vector.NewBatch(pair, 64), vector.NewBatch(j.Out, cx.BatchSize)
	if j.Cond != nil {
		if j.pred, err = eval.CompilePredicate(j.Cond, pair, cx.Func); err != nil {
			return err
		}
	}
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(j.restore)
}

// last is the time of the last partner that a row of a side at time t can have.
func (j *Interval) last(side int, t int64) int64 {
	if side == 0 {
		return t + j.Upper
	}
	return t - j.Lower
}

// Process implements exec.Operator.
func (j *Interval) Process(in int, b *vector.Batch, out exec.Output) error {
	live := b.Live()
	for k := range live {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		if err := j.row(in, b, i); err != nil {
			return err
		}
		if j.b.N >= j.cx.BatchSize {
			if err := j.emit(out); err != nil {
				return err
			}
		}
	}
	return j.emit(out)
}

func (j *Interval) row(in int, b *vector.Batch, i int) error {
	s := j.sides[in]
	matchable := true
	j.key = j.key[:0]
	for k, c := range j.Keys[in] {
		if b.Cols[c].IsNull(i) && !(k < len(j.NullSafe) && j.NullSafe[k]) {
			matchable = false
		}
		j.key = vector.AppendKey(j.key, b.Cols[c], i)
	}
	if b.Cols[j.Time[in]].IsNull(i) { // no time: no partner
		if s.outer {
			return j.padded(in, b, i)
		}
		return nil
	}
	t := timeAt(b.Cols[j.Time[in]], i)
	matched := false
	if matchable {
		var err error
		if matched, err = j.match(in, b, i, t); err != nil {
			return err
		}
	}
	if matchable && j.last(in, t) > j.watermark {
		j.keep(in, b, i, t, matched)
		return nil
	}
	switch {
	case !matched && s.outer:
		return j.padded(in, b, i)
	case !matched && matchable: // partners that may have come are gone, or will find it gone
		j.cx.TooLate(in, b, i, exec.NoWatermark)
	}
	return nil
}

func timeAt(v vector.Vector, i int) int64 {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[types.TS]).Vals[0].Ms
	}
	return v.(*vector.Flat[types.TS]).Vals[i].Ms
}

// match emits the pairs of row i, at time t, with what is kept of the other side.
func (j *Interval) match(in int, b *vector.Batch, i int, t int64) (bool, error) {
	o := j.sides[1-in]
	g := o.groups.Find(vector.HashKey(j.key), j.key)
	if g < 0 {
		return false, nil
	}
	lo, hi := t+j.Lower, t+j.Upper // times of right rows
	if in == 1 {
		lo, hi = t-j.Upper, t-j.Lower
	}
	list := o.of[g]
	from := sort.Search(len(list), func(k int) bool { return o.time[list[k]] >= lo })
	to := from + sort.Search(len(list)-from, func(k int) bool { return o.time[list[from+k]] > hi })
	found := false
	nl := len(j.In[0].Fields)
	for ; from < to; from += 1024 {
		j.slots = append(j.slots[:0], list[from:min(from+1024, to)]...)
		j.cand.Reset()
		mine, theirs := j.cand.Cols[:nl], j.cand.Cols[nl:]
		if in == 1 {
			mine, theirs = theirs, mine
		}
		for _, slot := range j.slots {
			for c := range mine {
				vector.CopyRow(mine[c], b.Cols[c], i)
			}
			if err := vector.ReadRowOf(theirs, o.rows.Get(slot)); err != nil {
				return false, err
			}
			j.cand.AppendKind(types.Insert)
		}
		j.sel = j.sel[:0]
		if j.pred == nil {
			for k := range j.slots {
				j.sel = append(j.sel, int32(k))
			}
		} else {
			var err error
			if j.sel, err = j.pred.Select(j.cand, nil, j.sel); err != nil {
				return false, err
			}
		}
		for _, k := range j.sel {
			found = true
			if slot := j.slots[k]; o.outer && !o.matched[slot] {
				o.matched[slot] = true
				o.table.MarkDirty(slot)
			}
			for c, v := range j.cand.Cols {
				vector.CopyRow(j.b.Cols[c], v, int(k))
			}
			j.b.AppendKind(types.Insert)
		}
	}
	return found, nil
}

// keep stores row i with the key j.key until its time is over.
func (j *Interval) keep(in int, b *vector.Batch, i int, t int64, matched bool) {
	j.seq++
	j.buf = binary.BigEndian.AppendUint64(j.buf[:0], j.seq<<8|uint64(j.cx.Subtask&0xff))
	j.buf = append(j.buf, j.key...)
	s := j.sides[in]
	slot, _ := s.table.FindOrAdd(vector.HashKey(j.buf), j.buf)
	s.table.MarkDirty(slot)
	j.buf = vector.AppendRowOf(j.buf[:0], b.Cols, i)
	s.put(slot, j.key, j.buf, t, matched)
	if g := s.group[slot]; len(s.of[g]) == 1 {
		j.timer(in, slot)
	}
}

// timer sets the timer of a group for one of its rows.
func (j *Interval) timer(side int, slot int32) {
	s := j.sides[side]
	s.timed[slot] = true
	s.table.MarkDirty(slot)
	j.due.Push(intervalTimer{j.last(side, s.time[slot]) + (j.Upper-j.Lower)/2 + 1, int32(side), slot})
}

func (s *intervalSide) put(slot int32, key, row []byte, t int64, matched bool) {
	for int(slot) >= len(s.time) {
		s.time, s.matched, s.timed, s.group = append(s.time, 0), append(s.matched, false), append(s.timed, false), append(s.group, 0)
	}
	g, _ := s.groups.FindOrAdd(vector.HashKey(key), key)
	for int(g) >= len(s.of) {
		s.of = append(s.of, nil)
	}
	s.time[slot], s.matched[slot], s.timed[slot], s.group[slot] = t, matched, false, g
	s.rows.Set(slot, row)
	list := s.of[g]
	at := len(list)
	for at > 0 && s.time[list[at-1]] > t {
		at--
	}
	s.of[g] = slices.Insert(list, at, slot)
}

// advance looks at the groups whose timers are due: rows that find no partner
// any more go.
func (j *Interval) advance(to int64, out exec.Output) error {
	if to <= j.watermark {
		return nil
	}
	j.watermark = to
	for len(j.due) > 0 && j.due[0].at <= to {
		d := j.due.Pop()
		if err := j.expire(int(d.side), j.sides[d.side].group[d.slot], out); err != nil {
			return err
		}
	}
	return j.emit(out)
}

// expire drops the rows of a group that are over, and sets a timer for the first of the others.
func (j *Interval) expire(side int, g int32, out exec.Output) error {
	s := j.sides[side]
	n := 0
	for _, slot := range s.of[g] {
		if j.last(side, s.time[slot]) >= j.watermark {
			break // they are by time
		}
		n++
		if s.outer && !s.matched[slot] {
			nl := len(j.In[0].Fields)
			mine, theirs := j.b.Cols[:nl], j.b.Cols[nl:]
			if side == 1 {
				mine, theirs = theirs, mine
			}
			if err := vector.ReadRowOf(mine, s.rows.Get(slot)); err != nil {
				return err
			}
			appendNulls(theirs)
			j.b.AppendKind(types.Insert)
			if j.b.N >= j.cx.BatchSize {
				if err := j.emit(out); err != nil {
					return err
				}
			}
		}
		s.rows.Clear(slot)
		s.table.Remove(slot)
	}
	if s.of[g] = slices.Delete(s.of[g], 0, n); len(s.of[g]) > 0 {
		j.timer(side, s.of[g][0])
		return nil
	}
	s.of[g] = nil
	s.groups.Remove(g)
	return nil
}

// padded appends row i with NULLs for the other side.
func (j *Interval) padded(in int, b *vector.Batch, i int) error {
	nl := len(j.In[0].Fields)
	mine, theirs := j.b.Cols[:nl], j.b.Cols[nl:]
	if in == 1 {
		mine, theirs = theirs, mine
	}
	for c := range mine {
		vector.CopyRow(mine[c], b.Cols[c], i)
	}
	appendNulls(theirs)
	j.b.AppendKind(types.Insert)
	return nil
}

func (j *Interval) emit(out exec.Output) error {
	return exec.Flush(out, j.b)
}

// Control implements exec.Operator.
func (j *Interval) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Tick:
		if j.Proctime {
			if err := j.advance(ev.Time-inTransit, out); err != nil {
				return err
			}
		}
	case exec.End:
		if err := j.end(ev, out); err != nil {
			return err
		}
	case exec.Watermark:
		if j.Proctime {
			break
		}
		if err := j.advance(ev.Time, out); err != nil {
			return err
		}
		// Pairs hold rows that are older than what came last: they must not be late below.
		if ev.Time != exec.MaxWatermark {
			ev.Time -= max(j.Upper, -j.Lower)
		}
	case exec.Barrier:
		if j.cx.State != nil {
			for i, s := range j.sides {
				if err := s.table.Snapshot(tagged{j.cx.State, byte(i)}, s.save); err != nil {
					return err
				}
			}
		}
	}
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		rows, bytes := 0, int64(0)
		for _, s := range j.sides {
			rows += s.table.Len()
			bytes += s.table.Bytes() + s.groups.Bytes() + s.rows.Bytes() + int64(cap(s.time))*13 + int64(cap(s.of))*24
		}
		j.cx.Metrics.StateRows.Store(int64(rows))
		j.cx.Metrics.StateBytes.Store(bytes)
	}
	return out.Forward(ev)
}

// end handles the end of input of a join by processing time: the clock will not
// come to the rows that wait.
func (j *Interval) end(ev exec.Event, out exec.Output) error {
	if !j.Proctime || ev.Stopped {
		return nil
	}
	if j.FlushAtEnd {
		return j.advance(1<<62, out)
	}
	for _, s := range j.sides {
		for _, list := range s.of {
			for _, slot := range list {
				if s.outer && !s.matched[slot] {
					j.cx.Metrics.Unfired.Add(1)
				}
			}
		}
	}
	return nil
}

func (s *intervalSide) save(dst []byte, slot int32) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.time[slot]))
	m := byte(0)
	if s.matched[slot] {
		m = 1
	}
	if s.timed[slot] {
		m |= 2
	}
	return append(append(dst, m), s.rows.Get(slot)...)
}

func (j *Interval) restore(_ uint16, key, value []byte) error {
	if len(key) < 9 || key[0] > 1 || len(value) < 9 {
		return vector.ErrCorrupt
	}
	s := j.sides[key[0]]
	slot, _ := s.table.FindOrAdd(vector.HashKey(key[1:]), key[1:])
	s.table.MarkSaved(slot)
	t := int64(binary.BigEndian.Uint64(value))
	s.put(slot, key[9:], value[9:], t, value[8]&1 != 0)
	j.seq = max(j.seq, binary.BigEndian.Uint64(key[1:])>>8)
	if value[8]&2 != 0 {
		j.timer(int(key[0]), slot)
		s.table.MarkSaved(slot)
	}
	return nil
}

// CurrentWatermark implements exec.Watermarked.
func (j *Interval) CurrentWatermark() int64 { return j.watermark }

// Close implements exec.Operator.
func (j *Interval) Close() error { return nil }

// intervalTimer says when to look at the group of a row, which is there until then.
type intervalTimer struct {
	at   int64
	side int32
	slot int32
}

// Before implements exec.Heap's order.
func (t intervalTimer) Before(o intervalTimer) bool { return t.at < o.at }

var (
	_ exec.Operator    = (*Interval)(nil)
	_ exec.Watermarked = (*Interval)(nil)
)
