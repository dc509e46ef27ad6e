// Package formattest has the tests that every format of whole files passes:
// what is written comes back, from any row on, any columns of it.
package formattest

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Schema returns a schema with columns of the given types, named a, b, c, …
func Schema(ts ...string) *types.Schema {
	var fields []types.Field
	for i, t := range ts {
		fields = append(fields, types.Field{Name: string(rune('a' + i)), Type: types.MustType(t)})
	}
	return types.NewSchema(fields...)
}

// Batch returns n random rows, the same for the same seed.
func Batch(s *types.Schema, n int, seed uint64) *vector.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := vector.NewBatch(s, n)
	for range n {
		row := make([]types.Value, len(s.Fields))
		for c, f := range s.Fields {
			row[c] = Value(r, f.Type)
		}
		b.AppendValues(types.Insert, row...)
	}
	return b
}

// Value returns a random value of t, NULL now and then if it may be.
func Value(r *rand.Rand, t types.Type) types.Value {
	if t.Nullable && r.IntN(6) == 0 {
		return nil
	}
	switch t.Kind {
	case types.Boolean:
		return r.IntN(2) == 0
	case types.TinyInt:
		return int8(r.Uint32())
	case types.SmallInt:
		return int16(r.Uint32())
	case types.Int, types.IntervalYM:
		return int32(r.Uint32())
	case types.Date:
		return int32(r.IntN(60000) - 20000)
	case types.Time:
		return types.TruncateTime(int32(r.IntN(86_400_000)), t.Prec)
	case types.BigInt, types.IntervalDS:
		return int64(r.Uint64())
	case types.Float:
		return float32(r.NormFloat64())
	case types.Double:
		return []float64{r.NormFloat64(), math.Inf(1), 0, -1e300}[r.IntN(4)]
	case types.Decimal:
		d := types.DecFromInt64(r.Int64N(int64(math.Pow10(min(t.Prec, 18)))))
		if t.Prec > 30 {
			d, _ = d.Mul(types.DecFromInt64(1_000_000_007))
		}
		if r.IntN(2) == 0 {
			d = d.Neg()
		}
		return d
	case types.Timestamp, types.TimestampLTZ:
		return types.TS{Ms: r.Int64N(4e12) - 1e12, Ns: int32(r.IntN(1_000_000))}.Truncate(t.Prec)
	case types.Array:
		out := make([]types.Value, r.IntN(4))
		for i := range out {
			out[i] = Value(r, *t.Elem)
		}
		return out
	case types.Map, types.Multiset:
		m := &types.MapValue{}
		key, val := t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = t.Key, *t.Elem
		}
		for range r.IntN(4) {
			v := Value(r, val)
			if t.Kind == types.Multiset {
				v = int32(1 + r.IntN(9))
			}
			m.Set(Value(r, key.NotNull()), v, key.NotNull())
		}
		return m
	case types.Row:
		out := make([]types.Value, len(t.Fields))
		for i, f := range t.Fields {
			out[i] = Value(r, f.Type)
		}
		return out
	}
	n := r.IntN(20)
	if t.Kind == types.Binary || t.Kind == types.Char {
		n = t.Prec
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefgh"[r.IntN(8)]
	}
	return string(b)
}

// Rows returns the rows of columns as text.
func Rows(s *types.Schema, cols []vector.Vector, columns []int) []string {
	var out []string
	for i := range cols[0].Len() {
		row := ""
		for k, c := range columns {
			if cols[k].IsNull(i) {
				row += "NULL|"
			} else {
				row += string(types.AppendValue(nil, vector.Get(cols[k], i), s.Fields[c].Type, time.UTC)) + "|"
			}
		}
		out = append(out, row)
	}
	return out
}

// Write writes batches to a file in memory.
func Write(t *testing.T, f format.FileFormat, s *types.Schema, batches ...*vector.Batch) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := f.CreateFile(&buf, format.Encoding{Schema: s, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Size() < int64(buf.Len())/2 {
		t.Errorf("the size is said to be %d, it is %d", w.Size(), buf.Len())
	}
	return buf.Bytes()
}

// Read reads columns of a file from a row on, in batches of max rows.
func Read(f format.FileFormat, file []byte, s *types.Schema, columns []int, skip int64, max int, bounds ...format.Bound) ([]string, error) {
	d := format.FileDecoding{Decoding: format.Decoding{Schema: s, Zone: time.UTC}, Bounds: bounds}
	var cols []vector.Vector
	for _, c := range columns {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: s.Fields[c].Type})
		cols = append(cols, vector.New(s.Fields[c].Type, 0))
	}
	r, err := f.OpenFile(bytes.NewReader(file), d, skip)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	for {
		for _, c := range cols {
			c.Resize(0)
		}
		before := r.Row()
		n, err := r.Read(cols, max)
		if err != nil && err != io.EOF {
			return out, err
		}
		if n > max || len(cols) > 0 && cols[0].Len() != n {
			return out, fmt.Errorf("%d rows are said to be read of at most %d", n, max)
		}
		if len(cols) > 0 {
			out = append(out, Rows(s, cols, columns)...)
		}
		if err == io.EOF {
			return out, nil
		}
		if r.Row() <= before && n == 0 {
			return out, fmt.Errorf("reading stands still at row %d", before)
		}
	}
}

// File writes random rows of the schema and reads them back in all ways.
func File(t *testing.T, f format.FileFormat, s *types.Schema, rows int) {
	t.Helper()
	all := make([]int, len(s.Fields))
	for i := range all {
		all[i] = i
	}
	var batches []*vector.Batch
	for i, left := uint64(0), rows; left > 0; i++ {
		n := min(left, 700)
		b := Batch(s, n, i)
		batches, left = append(batches, b), left-n
	}
	file := Write(t, f, s, batches...)
	check := func(columns []int, skip int64, max int) {
		t.Helper()
		got, err := Read(f, file, s, columns, skip, max)
		if err != nil {
			t.Fatal(err)
		}
		var part []string
		for _, b := range batches {
			var cols []vector.Vector
			for _, c := range columns {
				cols = append(cols, b.Cols[c])
			}
			part = append(part, Rows(s, cols, columns)...)
		}
		if part = part[min(int(skip), len(part)):]; !slices.Equal(got, part) {
			t.Errorf("columns %v from row %d, %d at a time: %d rows, want %d", columns, skip, max, len(got), len(part))
			for i := range min(len(got), len(part)) {
				if got[i] != part[i] {
					t.Fatalf("row %d\n got %s\nwant %s", i, got[i], part[i])
				}
			}
		}
	}
	check(all, 0, 1024)
	check(all, 0, 7)
	for _, skip := range []int{1, rows / 2, rows - 1, rows, rows + 5} {
		check(all, int64(skip), 100)
	}
	for c := range all {
		check([]int{c}, int64(rows/3), 256)
	}
	if len(all) > 3 {
		check([]int{1, 3}, 5, 300)
	}
	// A selection of a batch.
	b := Batch(s, 10, 99)
	b.Sel = []int32{2, 5, 9}
	got, err := Read(f, Write(t, f, s, b), s, all, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	full := Rows(s, b.Cols, all)
	if sel := []string{full[2], full[5], full[9]}; !slices.Equal(got, sel) {
		t.Errorf("selected rows: %v, want %v", got, sel)
	}
	if got, err := Read(f, Write(t, f, s), s, all, 0, 10); err != nil || len(got) != 0 {
		t.Errorf("an empty file: %v, %v", got, err)
	}
	// Damage is an error or other rows, never a panic.
	r := rand.New(rand.NewPCG(5, 5))
	for range 60 {
		bad := slices.Clone(file)
		switch r.IntN(3) {
		case 0:
			bad = bad[:r.IntN(len(bad))]
		default:
			for range 1 + r.IntN(3) {
				bad[r.IntN(len(bad))] ^= byte(1 << r.IntN(8))
			}
		}
		_, _ = Read(f, bad, s, all, 0, 500)
	}
}
