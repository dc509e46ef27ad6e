package builtin

import (
	"encoding/binary"
	"math"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

// realMomentAcc is momentAcc for numbers that may be taken back: it keeps the sums
// of the values and of their squares in twice the digits of a DOUBLE, so that what
// large values leave behind when they go does not show in what is left.
type realMomentAcc struct {
	momentAcc // for what the result is; its columns are not used
	sums      []realMoments
}

// realMoments are the count, the sum and the sum of squares.
type realMoments struct {
	n            int64
	sum, squares longFloat
}

// longFloat is the unrounded sum of three floats, the largest first.
type longFloat [3]float64

// twoSum is a+b and what rounding took off it.
func twoSum(a, b float64) (s, err float64) {
	s = a + b
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// add adds x. Past the range of a DOUBLE it is infinite or NaN, as a float is.
func (f *longFloat) add(x float64) {
	s, e := twoSum(f[0], x)
	if math.IsInf(s, 0) || s != s {
		*f = longFloat{s}
		return
	}
	m, e := twoSum(f[1], e)
	l := f[2] + e
	m, l = twoSum(m, l)
	s, m = twoSum(s, m)
	m, l = twoSum(m, l)
	*f = longFloat{s, m, l}
}

func (f *longFloat) addAll(o longFloat, sign float64) {
	for _, x := range o {
		f.add(sign * x)
	}
}

// product is a*b in full.
func product(a, b float64) longFloat {
	p := a * b
	if math.IsInf(p, 0) || p != p {
		return longFloat{p}
	}
	return longFloat{p, math.FMA(a, b, -p)}
}

func (m *realMoments) move(x float64, sign int64) {
	if m.n += sign; m.n <= 0 && sign < 0 {
		*m = realMoments{}
		return
	}
	m.sum.add(float64(sign) * x)
	m.squares.addAll(product(x, x), float64(sign))
}

// distances is the sum of the squared distances from the mean: of the squares,
// less the square of the sum divided by the count.
func (m *realMoments) distances() float64 {
	if m.n == 0 {
		return 0
	}
	n, mean := float64(m.n), m.sum[0]/float64(m.n)
	if math.IsInf(mean, 0) || mean != mean || math.IsInf(m.squares[0], 0) {
		return math.NaN()
	}
	// Σ(x-mean)² = Σx² - 2·mean·Σx + n·mean², whatever mean is rounded to, but for
	// the square of what is missing from it.
	d := m.squares
	for _, s := range m.sum {
		d.addAll(product(2*mean, s), -1)
	}
	for _, p := range product(mean, mean) {
		d.addAll(product(p, n), 1)
	}
	rest := m.sum
	rest.addAll(product(mean, n), -1)
	d.add(-rest[0] * rest[0] / n)
	return d[0]
}

func (a *realMomentAcc) Resize(n int) { a.sums = grow(a.sums, n) }

func (a *realMomentAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		x, err := asDouble(args[0], int(rows[i]), a.arg)
		if err != nil {
			return err
		}
		sign := int64(1)
		if signs != nil && signs[i] < 0 {
			sign = -1
		}
		a.sums[s].move(x, sign)
	}
	return nil
}

func (a *realMomentAcc) Merge(to int32, other function.Accumulators, from int32) error {
	m, o := &a.sums[to], other.(*realMomentAcc).sums[from]
	m.n += o.n
	m.sum.addAll(o.sum, 1)
	m.squares.addAll(o.squares, 1)
	return nil
}

func (a *realMomentAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		m := &a.sums[s]
		if err := a.put(out, float64(m.n), m.distances()); err != nil {
			return err
		}
	}
	return nil
}

func (a *realMomentAcc) Clear(slot int32) { a.sums[slot] = realMoments{} }

func (a *realMomentAcc) Save(dst []byte, slot int32) []byte {
	m := &a.sums[slot]
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.n))
	for _, f := range [...]longFloat{m.sum, m.squares} {
		for _, x := range f {
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
		}
	}
	return dst
}

func (a *realMomentAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) < 56 {
		return nil, vector.ErrCorrupt
	}
	m := &a.sums[slot]
	m.n = int64(binary.LittleEndian.Uint64(b))
	for i := range 3 {
		m.sum[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8+i*8:]))
		m.squares[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[32+i*8:]))
	}
	return b[56:], nil
}

func (a *realMomentAcc) Bytes() int64 { return int64(cap(a.sums)) * 56 }
