// Package rank has ORDER BY and LIMIT: the first rows by an order kept up to
// date (Top), the first rows that come (Limit), and sorting (Sort): of all input
// in batch mode, by event time as the watermark allows in streaming mode.
package rank

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec says which rows to keep.
type Spec struct {
	Keys         []plan.SortKey
	Limit        int64 // -1: all
	Offset       int64
	Retracts     bool // the input takes rows back
	UpdateBefore bool
	In           *types.Schema
}

// New returns the operator for s.
func New(s Spec) exec.Operator {
	base := base{Spec: s}
	if len(s.Keys) == 0 && !s.Retracts {
		return &Limit{base: base}
	}
	if s.Limit < 0 {
		return &Sort{base: base}
	}
	return &Top{base: base}
}

// base is what the operators share: rows kept in order.
type base struct {
	Spec
	cx   *exec.Context
	rows []ranked // ascending
	seq  int64
	b    *vector.Batch
	buf  []byte
	done bool
}

// ranked is a row with its place in the order. seq keeps equal rows in the order they came.
type ranked struct {
	key string
	seq int64
	row string
}

func (x ranked) compare(y ranked) int {
	if c := strings.Compare(x.key, y.key); c != 0 {
		return c
	}
	switch {
	case x.seq < y.seq:
		return -1
	case x.seq > y.seq:
		return 1
	}
	return 0
}

// Open implements exec.Operator.
func (r *base) Open(cx *exec.Context) error {
	r.cx, r.b = cx, vector.NewBatch(r.In, cx.BatchSize)
	if cx.State == nil {
		return nil
	}
	err := cx.State.Restore(func(_ uint16, key, value []byte) error {
		if len(key) != 8 {
			return vector.ErrCorrupt
		}
		n, w := binary.Uvarint(value)
		if w <= 0 || uint64(len(value)-w) < n {
			return vector.ErrCorrupt
		}
		x := ranked{key: string(value[w : w+int(n)]), seq: int64(binary.BigEndian.Uint64(key)), row: string(value[w+int(n):])}
		r.rows = append(r.rows, x)
		r.seq = max(r.seq, x.seq)
		return nil
	})
	slices.SortFunc(r.rows, ranked.compare)
	return err
}

// ranked encodes row i of b.
func (r *base) ranked(b *vector.Batch, i int) ranked {
	r.buf = r.buf[:0]
	for _, k := range r.Keys {
		r.buf = vector.AppendOrdered(r.buf, b.Cols[k.Column], i, k.Desc, k.NullsFirst)
	}
	key := string(r.buf)
	r.buf = vector.AppendRowOf(r.buf[:0], b.Cols, i)
	r.seq++
	return ranked{key: key, seq: r.seq, row: string(r.buf)}
}

// insert puts x into its place and returns it.
func (r *base) insert(x ranked) (int, error) {
	at, _ := slices.BinarySearchFunc(r.rows, x, ranked.compare)
	r.rows = slices.Insert(r.rows, at, x)
	return at, r.put(x)
}

// take removes the row at a place.
func (r *base) take(at int) error {
	err := r.drop(r.rows[at])
	r.rows = slices.Delete(r.rows, at, at+1)
	return err
}

// put and drop record changes for the next checkpoint. All rows are in one unit:
// the operator runs as one task.
func (r *base) put(x ranked) error {
	if r.cx.State == nil {
		return nil
	}
	v := binary.AppendUvarint(nil, uint64(len(x.key)))
	v = append(append(v, x.key...), x.row...)
	return r.cx.State.Put(0, binary.BigEndian.AppendUint64(nil, uint64(x.seq)), v)
}

func (r *base) drop(x ranked) error {
	if r.cx.State == nil {
		return nil
	}
	return r.cx.State.Delete(0, binary.BigEndian.AppendUint64(nil, uint64(x.seq)))
}

// append adds a kept row to the output.
func (r *base) append(row string, kind types.RowKind) error {
	if err := vector.ReadRowOf(r.b.Cols, []byte(row)); err != nil {
		return err
	}
	r.b.AppendKind(kind)
	return nil
}

func (r *base) emit(out exec.Output) error {
	return exec.Flush(out, r.b)
}

// Close implements exec.Operator.
func (r *base) Close() error { return nil }
