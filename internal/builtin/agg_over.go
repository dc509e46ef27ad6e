package builtin

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggOverFuncs number rows and look back in OVER windows. The binder resolves
// their types; they take no retractions, because their frame never shrinks.
var aggOverFuncs = []function.Def{
	overFunc("ROW_NUMBER", "() -> BIGINT!", "The number of the row in its partition, from 1, by the order of the window.", overRowNumber, nil),
	overFunc("RANK", "() -> BIGINT!", "One more than the number of rows of the partition that come before in the order; equal rows share a rank.", overRank, nil),
	overFunc("DENSE_RANK", "() -> BIGINT!", "As RANK without gaps: one more than the number of different values before.", overDense, nil),
	overFunc("LAG", "(T, [LITERAL INT], [T]) -> T", "The value so many rows before (default 1); NULL, or the third argument, where there is no such row.", 0, newLag),
	overFunc("LEAD", "(T, [LITERAL INT], [T]) -> T", "The value so many rows behind. Rows to come are not known in streaming mode.", 0, notStreaming("LEAD")),
	overFunc("NTILE", "(LITERAL INT) -> BIGINT!", "The number of the part the row falls into when the partition is cut into so many parts.", 0, notStreaming("NTILE")),
	overFunc("PERCENT_RANK", "() -> DOUBLE!", "The rank as a share of the partition, 0 to 1.", 0, notStreaming("PERCENT_RANK")),
	overFunc("CUME_DIST", "() -> DOUBLE!", "The share of the partition's rows that come before or are equal.", 0, notStreaming("CUME_DIST")),
}

type newAcc func(*function.Context, function.AggregateCall) (function.Accumulators, error)

func overFunc(name, sig, doc string, kind overKind, make newAcc) function.Def {
	if make == nil {
		make = func(_ *function.Context, _ function.AggregateCall) (function.Accumulators, error) {
			return &numberAcc{kind: kind}, nil
		}
	}
	return function.Def{
		Name: name, Group: "over", Sig: sig, Doc: doc,
		Infer: func([]function.Arg) (function.Signature, error) {
			return function.Signature{}, fmt.Errorf("%s needs OVER (PARTITION BY … ORDER BY …)", name)
		},
		Aggregate: &function.Aggregate{KeepsNulls: true, Ordered: true, New: make},
	}
}

func notStreaming(name string) newAcc {
	return func(*function.Context, function.AggregateCall) (function.Accumulators, error) {
		return nil, fmt.Errorf("%s needs all rows of its partition, which a stream never has", name)
	}
}

type overKind uint8

const (
	overRowNumber overKind = iota
	overRank
	overDense
)

// numberAcc numbers rows. For ranks its argument is the value rows are ordered by.
type numberAcc struct {
	kind  overKind
	rows  []int64
	rank  []int64
	dense []int64
	last  []string // the ordering value of the last row, encoded
	buf   []byte
}

func (a *numberAcc) Resize(n int) {
	a.rows, a.rank, a.dense, a.last = grow(a.rows, n), grow(a.rank, n), grow(a.dense, n), grow(a.last, n)
}

func (a *numberAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		if signs != nil && signs[i] < 0 {
			return errors.New("a row number cannot be taken back")
		}
		a.rows[s]++
		if a.kind == overRowNumber {
			continue
		}
		a.buf = a.buf[:0]
		for _, v := range args {
			a.buf = vector.AppendEqual(a.buf, v, int(rows[i]))
		}
		if a.rows[s] == 1 || a.last[s] != string(a.buf) {
			a.last[s] = string(a.buf)
			a.rank[s] = a.rows[s]
			a.dense[s]++
		}
	}
	return nil
}

func (a *numberAcc) Merge(int32, function.Accumulators, int32) error {
	return errors.New("row numbers cannot be merged")
}

func (a *numberAcc) Result(slots []int32, out vector.Vector) error {
	v := out.(*vector.Flat[int64])
	at := vector.Extend(v, len(slots))
	for i, s := range slots {
		switch a.kind {
		case overRank:
			v.Vals[at+i] = a.rank[s]
		case overDense:
			v.Vals[at+i] = a.dense[s]
		default:
			v.Vals[at+i] = a.rows[s]
		}
	}
	return nil
}

func (a *numberAcc) Clear(s int32) { a.rows[s], a.rank[s], a.dense[s], a.last[s] = 0, 0, 0, "" }

func (a *numberAcc) Save(dst []byte, s int32) []byte {
	dst = binary.AppendVarint(dst, a.rows[s])
	dst = binary.AppendVarint(dst, a.rank[s])
	dst = binary.AppendVarint(dst, a.dense[s])
	dst = binary.AppendUvarint(dst, uint64(len(a.last[s])))
	return append(dst, a.last[s]...)
}

func (a *numberAcc) Load(s int32, b []byte) ([]byte, error) {
	for _, f := range []*int64{&a.rows[s], &a.rank[s], &a.dense[s]} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return nil, vector.ErrCorrupt
		}
		*f, b = v, b[n:]
	}
	size, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < size {
		return nil, vector.ErrCorrupt
	}
	a.last[s] = string(b[n : n+int(size)])
	return b[n+int(size):], nil
}

func (a *numberAcc) Bytes() int64 { return int64(cap(a.rows)) * 40 }

// lagAcc keeps the last values of each group, encoded, oldest first.
type lagAcc struct {
	offset int
	values [][]string
	def    vector.Vector // one row: the default; nil for NULL
	row    vector.Vector // to decode into
	buf    []byte
}

func newLag(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	a := &lagAcc{offset: 1, row: vector.New(c.Result, 1)}
	if len(c.Args) > 1 {
		n, ok := c.Args[1].Value.(int64)
		if !ok || n < 0 || n > 1<<20 {
			return nil, errors.New("the offset of LAG must be a constant from 0 to 1048576")
		}
		a.offset = int(n)
	}
	if len(c.Args) > 2 {
		if !c.Args[2].Const {
			return nil, errors.New("the default of LAG must be a constant")
		}
		a.def = vector.New(c.Result, 1)
		vector.Append(a.def, c.Args[2].Value)
	}
	return a, nil
}

func (a *lagAcc) Resize(n int) { a.values = grow(a.values, n) }

func (a *lagAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		if signs != nil && signs[i] < 0 {
			return errors.New("LAG cannot take rows back")
		}
		a.buf = vector.AppendRow(a.buf[:0], args[0], int(rows[i]))
		v := append(a.values[s], string(a.buf))
		if len(v) > a.offset+1 {
			v = append(v[:0], v[1:]...)
		}
		a.values[s] = v
	}
	return nil
}

func (a *lagAcc) Merge(int32, function.Accumulators, int32) error {
	return errors.New("LAG cannot be merged")
}

func (a *lagAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		v := a.values[s]
		switch {
		case len(v) > a.offset:
			a.row.Resize(0)
			if _, err := vector.ReadRow(a.row, []byte(v[len(v)-1-a.offset])); err != nil {
				return err
			}
			vector.CopyRow(out, a.row, 0)
		case a.def != nil:
			vector.CopyRow(out, a.def, 0)
		default:
			vector.Append(out, types.Value(nil))
		}
	}
	return nil
}

func (a *lagAcc) Clear(s int32) { a.values[s] = nil }

func (a *lagAcc) Save(dst []byte, s int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(a.values[s])))
	for _, v := range a.values[s] {
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst
}

func (a *lagAcc) Load(s int32, b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	for range n {
		size, w := binary.Uvarint(b)
		if w <= 0 || uint64(len(b)-w) < size {
			return nil, vector.ErrCorrupt
		}
		a.values[s] = append(a.values[s], string(b[w:w+int(size)]))
		b = b[w+int(size):]
	}
	return b, nil
}

func (a *lagAcc) Bytes() int64 { return int64(len(a.values)) * 64 }
