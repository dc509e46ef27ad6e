package window

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// RankSpec says which rows of each window and partition to keep.
type RankSpec struct {
	Partition       []int // without the window's columns
	Order           []plan.SortKey
	Offset, Limit   int64
	Number          bool // the row number is the last column of Out
	LastOfEqual     bool // Limit 1 by time, descending: a later row of the same time replaces the kept one
	Start, End      int
	Local, Proctime bool
	FlushAtEnd      bool // see Emit
	In, Out         *types.Schema
}

// Rank is Top-N and deduplication by window: rows come out, in order, when their
// window is over.
type Rank struct {
	RankSpec
	panes
	cx   *exec.Context
	b    *vector.Batch
	cols []vector.Vector
	pkey []byte
	buf  []byte
}

// NewRank returns the operator.
func NewRank(s RankSpec) *Rank { return &Rank{RankSpec: s} }

// Open implements exec.Operator.
func (r *Rank) Open(cx *exec.Context) error {
	r.cx, r.b = cx, vector.NewBatch(r.Out, cx.BatchSize)
	r.flushEnd = r.FlushAtEnd
	return r.panes.open(cx, r.Local, r.Proctime)
}

// Process implements exec.Operator.
func (r *Rank) Process(_ int, b *vector.Batch, _ exec.Output) error {
	r.cols = r.cols[:0]
	for _, p := range r.Partition {
		r.cols = append(r.cols, b.Cols[p])
	}
	limit := int(r.Offset + r.Limit)
	b.Rows(func(i int) {
		r.pkey = vector.AppendKeys(r.pkey[:0], r.cols, i)
		end := windowAt(b, r.End, i)
		g, ok := r.group(windowAt(b, r.RankSpec.Start, i), end, r.pkey)
		if !ok {
			r.cx.TooLate(0, b, i, end)
			return
		}
		r.buf = append(r.buf[:0], 0, 0, 0, 0)
		for _, k := range r.Order {
			r.buf = vector.AppendOrdered(r.buf, b.Cols[k.Column], i, k.Desc, k.NullsFirst)
		}
		binary.LittleEndian.PutUint32(r.buf, uint32(len(r.buf)-4))
		n := len(r.buf)
		r.buf = vector.AppendRowOf(r.buf, b.Cols, i)
		key := r.buf[4:n]
		list := r.lists[g][0]
		at := sort.Search(len(list), func(k int) bool {
			c := bytes.Compare(orderKey(r.rows.Get(list[k])), key)
			return c > 0 || c == 0 && r.LastOfEqual
		})
		if at >= limit {
			return
		}
		list = slices.Insert(list, at, r.rows.Add(r.buf))
		if len(list) > limit {
			r.rows.Remove(list[limit])
			list = list[:limit]
		}
		r.lists[g][0] = list
	})
	return nil
}

func orderKey(v []byte) []byte { return v[4 : 4+binary.LittleEndian.Uint32(v)] }

// Control implements exec.Operator.
func (r *Rank) Control(_ int, ev exec.Event, out exec.Output) error {
	return r.control(ev, func(g int32) error { return r.fire(g, out) }, func() error { return r.flush(out) }, out)
}

func (r *Rank) fire(g int32, out exec.Output) error {
	n := len(r.In.Fields)
	for k := int(r.Offset); k < len(r.lists[g][0]); k++ {
		v := r.rows.Get(r.lists[g][0][k])
		if err := vector.ReadRowOf(r.b.Cols[:n], v[4+binary.LittleEndian.Uint32(v):]); err != nil {
			return err
		}
		if r.Number {
			f := r.b.Cols[n].(*vector.Flat[int64])
			i := vector.Extend(f, 1)
			f.Vals[i] = int64(k + 1)
		}
		r.b.AppendKind(types.Insert)
	}
	if r.b.N >= r.cx.BatchSize {
		return r.flush(out)
	}
	return nil
}

func (r *Rank) flush(out exec.Output) error {
	return exec.Flush(out, r.b)
}

// CurrentWatermark implements exec.Watermarked.
func (r *Rank) CurrentWatermark() int64 { return r.progress }

// Close implements exec.Operator.
func (r *Rank) Close() error { return nil }

var _ exec.Operator = (*Rank)(nil)
