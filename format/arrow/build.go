package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// builder collects the values of a column of a batch.
type builder struct {
	f        *field
	t        types.Type
	n, nulls int
	valid    []byte
	data     []byte
	offsets  []byte // of 32 bits, one more than values
	end      int32  // the last offset
	children []*builder
	rows     []int32 // spare memory
}

func newBuilder(f *field, t types.Type) *builder {
	b := &builder{f: f, t: t}
	for i, c := range f.children {
		b.children = append(b.children, newBuilder(c, partOf(t, i)))
	}
	b.reset()
	return b
}

func (b *builder) reset() {
	b.n, b.nulls, b.end = 0, 0, 0
	b.valid, b.data, b.offsets = b.valid[:0], b.data[:0], b.offsets[:0]
	switch b.f.kind {
	case kUtf8, kBinary, kList, kMap:
		b.offsets = append(b.offsets, 0, 0, 0, 0)
	}
	for _, c := range b.children {
		c.reset()
	}
}

// held is about how many bytes have been collected.
func (b *builder) held() int64 {
	n := int64(len(b.valid) + len(b.data) + len(b.offsets))
	for _, c := range b.children {
		n += c.held()
	}
	return n
}

// mark adds whether the next value is there.
func (b *builder) mark(there bool) {
	if b.n&7 == 0 {
		b.valid = append(b.valid, 0)
	}
	if there {
		b.valid[b.n>>3] |= 1 << (b.n & 7)
	} else {
		b.nulls++
	}
	b.n++
}

var (
	errFar  = errors.New("the time is too far away to be written")
	errFull = errors.New("the values of a batch are too long")
)

// add adds rows of v.
func (b *builder) add(v vector.Vector, rows []int32) error {
	if c, ok := v.(*vector.Const); ok {
		v, rows = c.Of, make([]int32, len(rows))
	}
	nulls := v.Nulls()
	from := b.n
	for _, r := range rows {
		null := nulls.Get(int(r))
		if null && !b.t.Nullable {
			return errNull
		}
		b.mark(!null)
	}
	switch v := v.(type) {
	case *vector.Flat[bool]:
		for i, r := range rows {
			k := from + i
			if k&7 == 0 {
				b.data = append(b.data, 0)
			}
			if v.Vals[r] && !nulls.Get(int(r)) {
				b.data[k>>3] |= 1 << (k & 7)
			}
		}
	case *vector.Flat[int8]:
		for _, r := range rows {
			b.data = append(b.data, byte(v.Vals[r]))
		}
	case *vector.Flat[int16]:
		for _, r := range rows {
			b.data = binary.LittleEndian.AppendUint16(b.data, uint16(v.Vals[r]))
		}
	case *vector.Flat[int32]:
		b.numbers(v.Vals, rows)
	case *vector.Flat[int64]:
		for _, r := range rows {
			b.data = binary.LittleEndian.AppendUint64(b.data, uint64(v.Vals[r]))
		}
	case *vector.Flat[float32]:
		for _, r := range rows {
			b.data = binary.LittleEndian.AppendUint32(b.data, math.Float32bits(v.Vals[r]))
		}
	case *vector.Flat[float64]:
		for _, r := range rows {
			b.data = binary.LittleEndian.AppendUint64(b.data, math.Float64bits(v.Vals[r]))
		}
	case *vector.Flat[types.Dec]:
		for _, r := range rows {
			b.data = binary.LittleEndian.AppendUint64(b.data, v.Vals[r].Lo)
			b.data = binary.LittleEndian.AppendUint64(b.data, uint64(v.Vals[r].Hi))
		}
	case *vector.Flat[types.TS]:
		return b.timestamps(v, rows)
	case *vector.Flat[string]:
		for _, r := range rows {
			if !nulls.Get(int(r)) {
				b.data = append(b.data, v.Vals[r]...)
			}
			if len(b.data) > math.MaxInt32 {
				return errFull
			}
			b.end = int32(len(b.data))
			b.offsets = binary.LittleEndian.AppendUint32(b.offsets, uint32(b.end))
		}
	case *vector.List:
		if err := b.spread(rows, nulls, v.Off, v.Count); err != nil {
			return err
		}
		return b.children[0].add(v.Child, b.rows)
	case *vector.Map:
		if err := b.spread(rows, nulls, v.Off, v.Count); err != nil {
			return err
		}
		entries := b.children[0]
		for range b.rows {
			entries.mark(true)
		}
		if err := entries.children[0].add(v.Keys, b.rows); err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		return entries.children[1].add(v.Vals, b.rows)
	case *vector.Row:
		return b.fields(v, rows)
	default:
		return fmt.Errorf("the format has no values of type %s", b.t.OrNull())
	}
	return nil
}

// numbers adds what vectors hold in 32 bits; times in their unit.
func (b *builder) numbers(vals []int32, rows []int32) error {
	for _, r := range rows {
		x := vals[r]
		switch {
		case b.f.kind != kTime || b.f.unit == millis:
		case b.f.unit == seconds:
			x /= 1000
		case b.f.unit == micros:
			b.data = binary.LittleEndian.AppendUint64(b.data, uint64(int64(x)*1000))
			continue
		default:
			b.data = binary.LittleEndian.AppendUint64(b.data, uint64(int64(x)*1_000_000))
			continue
		}
		b.data = binary.LittleEndian.AppendUint32(b.data, uint32(x))
	}
	return nil
}

func (b *builder) timestamps(v *vector.Flat[types.TS], rows []int32) error {
	for _, r := range rows {
		var n int64
		if !v.Null.Get(int(r)) {
			t := v.Vals[r]
			per := int64(1) // units in a millisecond
			switch b.f.unit {
			case seconds:
				t.Ms = types.FloorDiv(t.Ms, 1000)
			case micros:
				per = 1000
			case nanos:
				per = 1_000_000
			}
			if t.Ms > math.MaxInt64/per-1 || t.Ms < math.MinInt64/per+1 {
				return errFar
			}
			if n = t.Ms * per; per > 1 {
				n += int64(t.Ns) / (1_000_000 / per)
			}
		}
		b.data = binary.LittleEndian.AppendUint64(b.data, uint64(n))
	}
	return nil
}

// spread adds the offsets of lists and leaves the rows of their items in b.rows.
func (b *builder) spread(rows []int32, nulls vector.Bitmap, off, count []int32) error {
	b.rows = b.rows[:0]
	for _, r := range rows {
		if !nulls.Get(int(r)) {
			for j := range count[r] {
				b.rows = append(b.rows, off[r]+j)
			}
			if int(b.end)+int(count[r]) > math.MaxInt32 {
				return errFull
			}
			b.end += count[r]
		}
		b.offsets = binary.LittleEndian.AppendUint32(b.offsets, uint32(b.end))
	}
	return nil
}

// fields adds the fields of rows; those of NULL rows are padded.
func (b *builder) fields(v *vector.Row, rows []int32) error {
	for k, c := range b.children {
		for i := 0; i < len(rows); {
			j := i
			for j < len(rows) && !v.Null.Get(int(rows[j])) {
				j++
			}
			if j > i {
				if err := c.add(v.Cols[k], rows[i:j]); err != nil {
					return fmt.Errorf("%s: %w", c.f.name, err)
				}
			}
			for i = j; i < len(rows) && v.Null.Get(int(rows[i])); i++ {
				c.pad()
			}
		}
	}
	return nil
}

// pad adds a value that nobody looks at.
func (b *builder) pad() {
	k := b.n
	b.mark(!b.t.Nullable)
	switch b.f.kind {
	case kBool:
		if k&7 == 0 {
			b.data = append(b.data, 0)
		}
	case kUtf8, kBinary, kList, kMap:
		b.offsets = binary.LittleEndian.AppendUint32(b.offsets, uint32(b.end))
	case kStruct:
		for _, c := range b.children {
			c.pad()
		}
	default:
		b.data = append(b.data, make([]byte, b.f.width/8)...)
	}
}
