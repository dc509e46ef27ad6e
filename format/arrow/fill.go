package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var (
	errNull    = errors.New("the value is NULL, but the column is NOT NULL")
	errOffsets = errors.New("the offsets of the values are damaged")
	errUTF8    = errors.New("the text is no UTF-8")
	errTime    = errors.New("the time is out of range")
)

// read stores rows [from, from+n) of a in out from first on. With an error comes
// how many rows before it have been stored.
func (c *column) read(a *array, from, n int, out vector.Vector, first int) (int, error) {
	if c.fill == nil { // of type Null
		for i := range n {
			vector.SetNullDeep(out, first+i)
		}
		return n, nil
	}
	if a.valid == nil {
		return c.fill(a, from, n, out, first)
	}
	for i := 0; i < n; {
		j := i
		for j < n && !a.null(from+j) {
			j++
		}
		if j > i {
			if k, err := c.fill(a, from+i, j-i, out, first+i); err != nil {
				return i + k, err
			}
		}
		for i = j; i < n && a.null(from+i); i++ {
			if !c.t.Nullable {
				return i, errNull
			}
			vector.SetNullDeep(out, first+i)
		}
	}
	return n, nil
}

func (c *column) booleans(a *array, from, n int, out vector.Vector, first int) (int, error) {
	vals := out.(*vector.Flat[bool]).Vals[first : first+n]
	for i := range vals {
		k := from + i
		vals[i] = a.data[k>>3]&(1<<(k&7)) != 0
	}
	return n, nil
}

// widen reads whole numbers of any width. Those without a sign above the
// largest number of 64 bits come out negative.
func (c *column) widen(a *array, from, n int) []int64 {
	if cap(c.nums) < n {
		c.nums = make([]int64, n)
	}
	nums := c.nums[:n]
	switch a.f.width {
	case 8:
		for i, b := range a.data[from : from+n] {
			if nums[i] = int64(int8(b)); a.f.unsigned {
				nums[i] = int64(b)
			}
		}
	case 16:
		for i := range nums {
			x := binary.LittleEndian.Uint16(a.data[2*(from+i):])
			if nums[i] = int64(int16(x)); a.f.unsigned {
				nums[i] = int64(x)
			}
		}
	case 32:
		for i := range nums {
			x := binary.LittleEndian.Uint32(a.data[4*(from+i):])
			if nums[i] = int64(int32(x)); a.f.unsigned {
				nums[i] = int64(x)
			}
		}
	default:
		for i := range nums {
			nums[i] = int64(binary.LittleEndian.Uint64(a.data[8*(from+i):]))
		}
	}
	return nums
}

// huge tells whether n is a number without a sign that 64 bits with one do not hold.
func huge(a *array, n int64) bool { return n < 0 && a.f.unsigned && a.f.width == 64 }

func (c *column) unfit(a *array, n int64) error {
	if huge(a, n) {
		return fmt.Errorf("%d does not fit %s", uint64(n), c.t.OrNull())
	}
	return fmt.Errorf("%d does not fit %s", n, c.t.OrNull())
}

const msPerDay = 86_400_000

// integers fills all that vectors hold as whole numbers.
func (c *column) integers(a *array, from, n int, out vector.Vector, first int) (int, error) {
	nums := c.widen(a, from, n)
	switch c.f.kind {
	case kDate:
		if c.f.unit != 0 {
			for i, x := range nums {
				nums[i] = types.FloorDiv(x, msPerDay)
			}
		}
	case kTime:
		for i, x := range nums {
			switch c.f.unit {
			case seconds:
				x *= 1000 // of 32 bits
			case micros:
				x = types.FloorDiv(x, 1000)
			case nanos:
				x = types.FloorDiv(x, 1_000_000)
			}
			if x < 0 || x >= msPerDay {
				return i, errTime
			}
			nums[i] = int64(types.TruncateTime(int32(x), c.t.Prec))
		}
	case kDuration:
		for i, x := range nums {
			switch c.f.unit {
			case seconds:
				if x > math.MaxInt64/1000 || x < math.MinInt64/1000 {
					return i, errTime
				}
				x *= 1000
			case micros:
				x = types.FloorDiv(x, 1000)
			case nanos:
				x = types.FloorDiv(x, 1_000_000)
			}
			nums[i] = x
		}
	}
	switch o := out.(type) {
	case *vector.Flat[int8]:
		return narrow(c, a, nums, o.Vals[first:])
	case *vector.Flat[int16]:
		return narrow(c, a, nums, o.Vals[first:])
	case *vector.Flat[int32]:
		return narrow(c, a, nums, o.Vals[first:])
	}
	return narrow(c, a, nums, out.(*vector.Flat[int64]).Vals[first:])
}

func narrow[T int8 | int16 | int32 | int64](c *column, a *array, nums []int64, dst []T) (int, error) {
	unsigned := a.f.unsigned && a.f.width == 64
	for i, x := range nums {
		if dst[i] = T(x); int64(dst[i]) != x || unsigned && x < 0 {
			return i, c.unfit(a, x)
		}
	}
	return len(nums), nil
}

func (c *column) timestamps(a *array, from, n int, out vector.Vector, first int) (int, error) {
	nums := c.widen(a, from, n)
	vals := out.(*vector.Flat[types.TS]).Vals[first : first+n]
	for i, x := range nums {
		var t types.TS
		switch c.f.unit {
		case seconds:
			if x > math.MaxInt64/1000 || x < math.MinInt64/1000 {
				return i, errTime
			}
			t.Ms = x * 1000
		case millis:
			t.Ms = x
		case micros:
			t.Ms = types.FloorDiv(x, 1000)
			t.Ns = int32(x-t.Ms*1000) * 1000
		default:
			t.Ms = types.FloorDiv(x, 1_000_000)
			t.Ns = int32(x - t.Ms*1_000_000)
		}
		vals[i] = t.Truncate(c.t.Prec)
	}
	return n, nil
}

func (c *column) floats(a *array, from, n int, out vector.Vector, first int) (int, error) {
	at := func(i int) float64 { return 0 }
	if c.f.kind == kInt {
		nums := c.widen(a, from, n)
		at = func(i int) float64 {
			if huge(a, nums[i]) {
				return float64(uint64(nums[i]))
			}
			return float64(nums[i])
		}
	} else {
		switch c.f.width {
		case 16:
			at = func(i int) float64 { return half(binary.LittleEndian.Uint16(a.data[2*(from+i):])) }
		case 32:
			at = func(i int) float64 {
				return float64(math.Float32frombits(binary.LittleEndian.Uint32(a.data[4*(from+i):])))
			}
		default:
			if o, ok := out.(*vector.Flat[float64]); ok {
				for i := range n {
					o.Vals[first+i] = math.Float64frombits(binary.LittleEndian.Uint64(a.data[8*(from+i):]))
				}
				return n, nil
			}
			at = func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(a.data[8*(from+i):])) }
		}
	}
	if o, ok := out.(*vector.Flat[float32]); ok {
		for i := range n {
			o.Vals[first+i] = float32(at(i))
		}
		return n, nil
	}
	o := out.(*vector.Flat[float64])
	for i := range n {
		o.Vals[first+i] = at(i)
	}
	return n, nil
}

// half widens a number of 16 bits.
func half(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h&0x8000 != 0 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// decimals fills decimals; one that does not fit the column is NULL.
func (c *column) decimals(a *array, from, n int, out vector.Vector, first int) (int, error) {
	var nums []int64
	if c.f.kind == kInt || c.f.width <= 64 {
		nums = c.widen(a, from, n)
	}
	for i := range n {
		var d types.Dec
		ok := true
		switch {
		case nums != nil && huge(a, nums[i]):
			d = types.Dec{Lo: uint64(nums[i])}
		case nums != nil:
			d = types.DecFromInt64(nums[i])
		default:
			raw := a.data[c.f.width/8*(from+i):]
			d = types.Dec{Lo: binary.LittleEndian.Uint64(raw), Hi: int64(binary.LittleEndian.Uint64(raw[8:]))}
			if c.f.width == 256 {
				sign := uint64(d.Hi >> 63)
				ok = binary.LittleEndian.Uint64(raw[16:]) == sign && binary.LittleEndian.Uint64(raw[24:]) == sign
			}
		}
		scale := c.f.scale
		if !ok {
			d, scale = types.Dec{Hi: math.MaxInt64}, 0 // fits no decimal either
		}
		if err := convert.PutDecimal(out, first+i, d, scale, c.t); err != nil {
			return i, err
		}
	}
	return n, nil
}

// bounds returns where value i begins and ends, of offsets in a buffer of size
// bytes or values.
func (a *array) bounds(i, size int) (from, to int, err error) {
	if len(a.offsets) == 0 {
		return 0, 0, errOffsets
	}
	var x, y int64
	switch a.f.kind {
	case kLargeUtf8, kLargeBinary, kLargeList:
		x, y = int64(binary.LittleEndian.Uint64(a.offsets[8*i:])), int64(binary.LittleEndian.Uint64(a.offsets[8*i+8:]))
	default:
		x, y = int64(int32(binary.LittleEndian.Uint32(a.offsets[4*i:]))), int64(int32(binary.LittleEndian.Uint32(a.offsets[4*i+4:])))
	}
	if x < 0 || y < x || y > int64(size) {
		return 0, 0, errOffsets
	}
	return int(x), int(y), nil
}

// strings makes texts of the buffers' bytes: the buffers live as long.
func (c *column) strings(a *array, from, n int, out vector.Vector, first int) (int, error) {
	vals := out.(*vector.Flat[string]).Vals[first : first+n]
	width := a.f.width / 8
	for i := range vals {
		var b []byte
		switch a.f.kind {
		case kFixedBinary:
			b = a.data[width*(from+i) : width*(from+i+1)]
		case kUtf8View, kBinaryView:
			var err error
			if b, err = a.viewed(from + i); err != nil {
				return i, err
			}
		default:
			x, y, err := a.bounds(from+i, len(a.data))
			if err != nil {
				return i, err
			}
			b = a.data[x:y]
		}
		if c.t.IsChar() && !utf8.Valid(b) {
			return i, errUTF8
		}
		vals[i] = vector.View(b)
	}
	return n, nil
}

// viewed returns value i of a view: up to 12 bytes stand in it, longer ones in a buffer.
func (a *array) viewed(i int) ([]byte, error) {
	v := a.data[16*i : 16*i+16]
	n := int64(int32(binary.LittleEndian.Uint32(v)))
	if n < 0 {
		return nil, errOffsets
	}
	if n <= 12 {
		return v[4 : 4+n], nil
	}
	buf, off := int64(int32(binary.LittleEndian.Uint32(v[8:]))), int64(int32(binary.LittleEndian.Uint32(v[12:])))
	if buf < 0 || buf >= int64(len(a.views)) || off < 0 || off > int64(len(a.views[buf]))-n {
		return nil, errOffsets
	}
	return a.views[buf][off : off+n], nil
}

// items sets off and count of rows that hold lists, and returns which values of
// the child they are: those of neighbours stand side by side.
func (c *column) items(a *array, from, n, size, at int, off, count []int32) (x, y int, err error) {
	for i := range n {
		var lo, hi int
		if a.f.kind == kFixedList {
			lo, hi = (from+i)*a.f.width, (from+i+1)*a.f.width
		} else if lo, hi, err = a.bounds(from+i, size); err != nil {
			return x, y, err
		}
		if i == 0 {
			x = lo
		}
		y = hi
		if at+hi-x > math.MaxInt32 {
			return x, y, errLong
		}
		off[i], count[i] = int32(at+lo-x), int32(hi-lo)
	}
	return x, y, nil
}

// rowOf finds the row of a bad value.
func rowOf(off, count []int32, value int) int {
	for i := range off {
		if value < int(off[i]+count[i]) {
			return i
		}
	}
	return len(off) - 1
}

func (c *column) lists(a *array, from, n int, out vector.Vector, first int) (int, error) {
	l, child := out.(*vector.List), a.children[0]
	at := l.Child.Len()
	off, count := l.Off[first:first+n], l.Count[first:first+n]
	x, y, err := c.items(a, from, n, child.n, at, off, count)
	if err != nil {
		clear(count)
		return 0, err
	}
	vector.Extend(l.Child, y-x)
	if k, err := c.children[0].read(child, x, y-x, l.Child, at); err != nil {
		return rowOf(off, count, at+k), err
	}
	return n, nil
}

func (c *column) maps(a *array, from, n int, out vector.Vector, first int) (int, error) {
	m, entries := out.(*vector.Map), a.children[0]
	at := m.Keys.Len()
	off, count := m.Off[first:first+n], m.Count[first:first+n]
	x, y, err := c.items(a, from, n, entries.n, at, off, count)
	if err != nil {
		clear(count)
		return 0, err
	}
	for i, v := range []vector.Vector{m.Keys, m.Vals} {
		vector.Extend(v, y-x)
		if k, err := c.children[0].children[i].read(entries.children[i], x, y-x, v, at); err != nil {
			vector.Extend(m.Vals, m.Keys.Len()-m.Vals.Len())
			return rowOf(off, count, at+k), err
		}
	}
	return n, nil
}

func (c *column) rows(a *array, from, n int, out vector.Vector, first int) (int, error) {
	o := out.(*vector.Row)
	for _, f := range c.missing {
		for i := range n {
			vector.SetNullDeep(o.Cols[f], first+i)
		}
	}
	for k, x := range c.children {
		if x == nil {
			continue
		}
		if i, err := x.read(a.children[k], from, n, o.Cols[c.to[k]], first); err != nil {
			return i, fmt.Errorf("%s: %w", x.f.name, err)
		}
	}
	return n, nil
}

// gather fills rows that name values of a dictionary.
func (c *column) gather(a *array, from, n int, out vector.Vector, first int) (int, error) {
	if c.dict == nil {
		return 0, errors.New("the dictionary is missing")
	}
	nums := c.widen(a, from, n)
	size := int64(c.dict.Len())
	for i, x := range nums {
		if x < 0 || x >= size {
			return i, fmt.Errorf("the dictionary has no value %d", x)
		}
	}
	switch o := out.(type) {
	case *vector.Flat[bool]:
		return pick(c, o, nums, first)
	case *vector.Flat[int8]:
		return pick(c, o, nums, first)
	case *vector.Flat[int16]:
		return pick(c, o, nums, first)
	case *vector.Flat[int32]:
		return pick(c, o, nums, first)
	case *vector.Flat[int64]:
		return pick(c, o, nums, first)
	case *vector.Flat[float32]:
		return pick(c, o, nums, first)
	case *vector.Flat[float64]:
		return pick(c, o, nums, first)
	case *vector.Flat[types.Dec]:
		return pick(c, o, nums, first)
	case *vector.Flat[types.TS]:
		return pick(c, o, nums, first)
	}
	return pick(c, out.(*vector.Flat[string]), nums, first)
}

func pick[T vector.Elem](c *column, out *vector.Flat[T], nums []int64, first int) (int, error) {
	dict := c.dict.(*vector.Flat[T])
	for i, x := range nums {
		if dict.Null.Get(int(x)) {
			if !c.t.Nullable {
				return i, errNull
			}
			out.SetNull(first + i)
			continue
		}
		out.Vals[first+i] = dict.Vals[x]
	}
	return len(nums), nil
}
