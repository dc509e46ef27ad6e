// Package match has MATCH_RECOGNIZE: it finds sequences of rows that fit a
// pattern, one row out for each.
//
// match.go brings the rows of each partition into order, by the watermark or as
// they come. nfa.go follows all partial matches of a partition, row by row; as
// the rows of a match are neighbours and each variable stands once in a pattern,
// a partial match is no more than where it starts and how many rows each term
// has. expr.go evaluates conditions and measures over the rows of a match.
// save.go is the state.
package match

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec says what to look for.
type Spec struct {
	Partition []int
	Order     []plan.SortKey // the first is the time attribute
	Proctime  bool           // rows are taken as they come
	Pattern   *plan.Pattern
	In, Out   *types.Schema
}

// Match is MATCH_RECOGNIZE. By event time rows wait for the watermark and late
// ones are dropped and counted.
type Match struct {
	Spec
	cx        *exec.Context
	args      *eval.Program // the values conditions and measures read of a row
	cells     *types.Schema // their types
	define    []*condition
	measures  []*measure
	parts     *state.Table // 'p', partition key -> partition
	of        []partition
	rows      state.Values // of partitions: time, cells
	pend      *state.Table // 'r', seq, partition key -> pending row
	pendRows  state.Values // time, length of order key, order key, cells
	waiting   []pendingRow
	sorted    bool
	seq       uint64
	watermark int64
	deadlines exec.Heap[deadline]
	cell      *vector.Batch // rows of cells being read
	b         *vector.Batch
	keys      []vector.Vector
	key       []byte
	buf       []byte
}

type pendingRow struct {
	time int64
	seq  uint64
	slot int32
}

// New returns the operator.
func New(s Spec) *Match { return &Match{Spec: s} }

// Open implements exec.Operator.
func (m *Match) Open(cx *exec.Context) (err error) {
	m.cx, m.watermark = cx, cx.Watermark
	m.parts, m.pend = state.NewTable(), state.NewTable()
	m.parts.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[1:])) }
	m.pend.Unit = func(key []byte) uint16 { return state.UnitOf(vector.HashKey(key[9:])) }
	m.b = vector.NewBatch(m.Out, cx.BatchSize)
	if err := m.compile(); err != nil {
		return err
	}
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(m.restore)
}

// Process implements exec.Operator.
func (m *Match) Process(_ int, b *vector.Batch, out exec.Output) error {
	m.keys = m.keys[:0]
	for _, p := range m.Partition {
		m.keys = append(m.keys, b.Cols[p])
	}
	cells, err := m.args.Eval(b, b.Sel)
	if err != nil {
		return err
	}
	live := b.Live()
	for j := range live {
		i := j
		if b.Sel != nil {
			i = int(b.Sel[j])
		}
		if b.Kind(i) != types.Insert {
			return fmt.Errorf("MATCH_RECOGNIZE takes only inserts, not %s", b.Kind(i))
		}
		if m.Proctime {
			m.key = vector.AppendKeys(append(m.key[:0], 'p'), m.keys, i)
			m.buf = binary.BigEndian.AppendUint64(m.buf[:0], uint64(m.cx.Now()))
			m.buf = vector.AppendRowOf(m.buf, cells, i)
			if err := m.next(m.key, m.buf, out); err != nil {
				return err
			}
			continue
		}
		if err := m.wait(b, cells, i); err != nil {
			return err
		}
	}
	return m.emit(out)
}

// wait keeps row i until the watermark has passed it.
func (m *Match) wait(b *vector.Batch, cells []vector.Vector, i int) error {
	time := m.Order[0].Column
	if b.Cols[time].IsNull(i) {
		return fmt.Errorf("the event time %s is NULL; filter such rows out or give them a time", m.In.Fields[time].Name)
	}
	t := timeAt(b.Cols[time], i)
	if t <= m.watermark {
		m.cx.TooLate(0, b, i, exec.NoWatermark)
		return nil
	}
	m.seq++
	m.key = binary.BigEndian.AppendUint64(append(m.key[:0], 'r'), m.seq<<8|uint64(m.cx.Subtask&0xff))
	m.key = vector.AppendKeys(m.key, m.keys, i)
	slot, _ := m.pend.FindOrAdd(vector.HashKey(m.key), m.key)
	m.pend.MarkDirty(slot)
	m.buf = binary.BigEndian.AppendUint64(m.buf[:0], uint64(t))
	m.buf = append(m.buf, 0, 0, 0, 0)
	for _, k := range m.Order[1:] {
		m.buf = vector.AppendOrdered(m.buf, b.Cols[k.Column], i, k.Desc, k.NullsFirst)
	}
	binary.LittleEndian.PutUint32(m.buf[8:], uint32(len(m.buf)-12))
	m.buf = vector.AppendRowOf(m.buf, cells, i)
	m.pendRows.Set(slot, m.buf)
	m.waiting = append(m.waiting, pendingRow{t, m.seq, slot})
	m.sorted = false
	return nil
}

func timeAt(v vector.Vector, i int) int64 {
	if c, ok := v.(*vector.Const); ok {
		return c.Of.(*vector.Flat[types.TS]).Vals[0].Ms
	}
	return v.(*vector.Flat[types.TS]).Vals[i].Ms
}

func (m *Match) orderKey(slot int32) []byte {
	v := m.pendRows.Get(slot)
	return v[12 : 12+binary.LittleEndian.Uint32(v[8:])]
}

// release hands on the rows the watermark has passed, in order, then ends the
// partial matches it has left behind.
func (m *Match) release(to int64, out exec.Output) error {
	if to <= m.watermark {
		return nil
	}
	m.watermark = to
	if !m.sorted {
		slices.SortFunc(m.waiting, func(a, b pendingRow) int {
			switch {
			case a.time < b.time:
				return -1
			case a.time > b.time:
				return 1
			}
			if len(m.Order) > 1 {
				if c := bytes.Compare(m.orderKey(a.slot), m.orderKey(b.slot)); c != 0 {
					return c
				}
			}
			if a.seq < b.seq {
				return -1
			}
			return 1
		})
		m.sorted = true
	}
	n := 0
	for n < len(m.waiting) && m.waiting[n].time <= to {
		r := m.waiting[n]
		v := m.pendRows.Get(r.slot)
		m.key = append(append(m.key[:0], 'p'), m.pend.Key(r.slot)[9:]...)
		m.buf = append(append(m.buf[:0], v[:8]...), v[12+binary.LittleEndian.Uint32(v[8:]):]...)
		if err := m.next(m.key, m.buf, out); err != nil {
			return err
		}
		m.pendRows.Clear(r.slot)
		m.pend.Remove(r.slot)
		n++
	}
	if n > 0 {
		m.waiting = append(m.waiting[:0], m.waiting[n:]...)
	}
	for len(m.deadlines) > 0 && m.deadlines[0].at <= to {
		d := m.deadlines.Pop()
		if err := m.expire(d.part, to, out); err != nil {
			return err
		}
	}
	return m.emit(out)
}

// Control implements exec.Operator.
func (m *Match) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		if !m.Proctime {
			if err := m.release(ev.Time, out); err != nil {
				return err
			}
		}
	case exec.Tick:
		if m.Proctime {
			if err := m.release(ev.Time, out); err != nil {
				return err
			}
		}
	case exec.Barrier:
		if m.cx.State != nil {
			if err := m.parts.Snapshot(m.cx.State, m.save); err != nil {
				return err
			}
			if err := m.pend.Snapshot(m.cx.State, m.savePending); err != nil {
				return err
			}
		}
		m.measure()
	case exec.End:
		m.measure()
	}
	return out.Forward(ev)
}

func (m *Match) measure() {
	m.cx.Metrics.StateRows.Store(int64(m.parts.Len() + m.pend.Len()))
	m.cx.Metrics.StateBytes.Store(m.parts.Bytes() + m.pend.Bytes() + m.rows.Bytes() + m.pendRows.Bytes())
}

func (m *Match) emit(out exec.Output) error {
	return exec.Flush(out, m.b)
}

// CurrentWatermark implements exec.Watermarked.
func (m *Match) CurrentWatermark() int64 { return m.watermark }

// Close implements exec.Operator.
func (m *Match) Close() error { return nil }

// deadline asks to look at a partition when time has come to at.
type deadline struct {
	at   int64
	part int32
}

// Before implements exec.Heap's order.
func (d deadline) Before(o deadline) bool { return d.at < o.at }

var (
	_ exec.Operator    = (*Match)(nil)
	_ exec.Watermarked = (*Match)(nil)
)
