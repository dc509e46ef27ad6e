package builtin

import (
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

// exactMomentAcc is momentAcc for integers of up to 32 bits: it keeps the sums of
// the values and of their squares, so that rows taken back leave no trace in the
// digits, which the cut to an integer would show.
type exactMomentAcc struct {
	momentAcc // for what the result is; its columns are not used
	sums      []exactMoments
}

// exactMoments are the count, the sum and the 128-bit sum of squares.
type exactMoments struct {
	n, sum int64
	hi, lo uint64
}

func (m *exactMoments) add(x int64) {
	var carry uint64
	m.n++
	m.sum += x
	m.lo, carry = bits.Add64(m.lo, uint64(x*x), 0)
	m.hi += carry
}

func (m *exactMoments) remove(x int64) {
	var borrow uint64
	m.n--
	m.sum -= x
	m.lo, borrow = bits.Sub64(m.lo, uint64(x*x), 0)
	m.hi -= borrow
}

// distances is the sum of the squared distances from the mean.
func (m *exactMoments) distances() float64 {
	if m.n == 0 {
		return 0
	}
	squares := new(big.Int).SetUint64(m.hi)
	squares.Lsh(squares, 64).Add(squares, new(big.Int).SetUint64(m.lo))
	n, sum := big.NewInt(m.n), big.NewInt(m.sum)
	squares.Mul(squares, n).Sub(squares, sum.Mul(sum, sum))
	f, _ := new(big.Rat).SetFrac(squares, n).Float64()
	return f
}

func (a *exactMomentAcc) Resize(n int) { a.sums = grow(a.sums, n) }

func (a *exactMomentAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		x, err := asDouble(args[0], int(rows[i]), a.arg)
		if err != nil {
			return err
		}
		if signs == nil || signs[i] > 0 {
			a.sums[s].add(int64(x))
		} else {
			a.sums[s].remove(int64(x))
		}
	}
	return nil
}

func (a *exactMomentAcc) Merge(to int32, other function.Accumulators, from int32) error {
	m, o := &a.sums[to], other.(*exactMomentAcc).sums[from]
	var carry uint64
	m.n, m.sum = m.n+o.n, m.sum+o.sum
	m.lo, carry = bits.Add64(m.lo, o.lo, 0)
	m.hi += o.hi + carry
	return nil
}

func (a *exactMomentAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		m := &a.sums[s]
		if err := a.put(out, float64(m.n), m.distances()); err != nil {
			return err
		}
	}
	return nil
}

func (a *exactMomentAcc) Clear(slot int32) { a.sums[slot] = exactMoments{} }

func (a *exactMomentAcc) Save(dst []byte, slot int32) []byte {
	m := &a.sums[slot]
	for _, x := range []uint64{uint64(m.n), uint64(m.sum), m.hi, m.lo} {
		dst = binary.LittleEndian.AppendUint64(dst, x)
	}
	return dst
}

func (a *exactMomentAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) < 32 {
		return nil, vector.ErrCorrupt
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[i*8:]) }
	a.sums[slot] = exactMoments{n: int64(at(0)), sum: int64(at(1)), hi: at(2), lo: at(3)}
	return b[32:], nil
}

func (a *exactMomentAcc) Bytes() int64 { return int64(cap(a.sums)) * 32 }
