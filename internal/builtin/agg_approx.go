package builtin

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

const (
	approxBits  = 14   // of a hash that choose its register
	approxExact = 1024 // different values a group counts exactly
)

// countedAcc is APPROX_COUNT_DISTINCT of rows that are taken back too. A group
// counts its values exactly while they are few, and then the rows in each cell of a
// HyperLogLog sketch: register and rank. A register holds the largest rank that has
// rows, so what is taken back leaves the sketch of the rows that are left, in
// whatever order rows come.
type countedAcc struct {
	groups []countedSet
	ranks  []uint8 // of a group whose result is asked for
	key    []byte
}

// countedSet has rows by hash or, where cells is set, by cell.
type countedSet struct{ exact, cells map[uint64]int64 }

func (a *countedAcc) Resize(n int) { a.groups = grow(a.groups, n) }

func (a *countedAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		a.key = vector.AppendKey(a.key[:0], args[0], int(rows[i]))
		a.groups[s].add(vector.HashKey(a.key), signOf(signs, i))
	}
	return nil
}

// add adds by rows with a hash; by may be negative.
func (g *countedSet) add(hash uint64, by int64) {
	if g.cells != nil {
		count(g.cells, cellOf64(hash), by)
		return
	}
	if g.exact == nil {
		g.exact = map[uint64]int64{}
	}
	if count(g.exact, hash, by); len(g.exact) > approxExact {
		g.spill()
	}
}

// spill goes over from hashes to cells.
func (g *countedSet) spill() {
	g.cells = make(map[uint64]int64, len(g.exact))
	for h, n := range g.exact {
		count(g.cells, cellOf64(h), n)
	}
	g.exact = nil
}

func count(m map[uint64]int64, key uint64, by int64) {
	if n := m[key] + by; n != 0 {
		m[key] = n
	} else {
		delete(m, key)
	}
}

// cellOf64 is the register of a hash, and how many of its other bits are zero
// before the first that is not.
func cellOf64(hash uint64) uint64 {
	rank := bits.LeadingZeros64(hash<<approxBits|1<<(approxBits-1)) + 1
	return hash>>(64-approxBits)<<6 | uint64(rank)
}

func (a *countedAcc) Merge(to int32, other function.Accumulators, from int32) error {
	g, o := &a.groups[to], &other.(*countedAcc).groups[from]
	for h, n := range o.exact {
		g.add(h, n)
	}
	if o.cells == nil {
		return nil
	}
	if g.cells == nil {
		g.spill()
	}
	for c, n := range o.cells {
		count(g.cells, c, n)
	}
	return nil
}

func (a *countedAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		vector.Append(out, a.estimate(&a.groups[s]))
	}
	return nil
}

func (a *countedAcc) estimate(g *countedSet) int64 {
	if g.cells == nil {
		n := int64(0)
		for _, c := range g.exact {
			if c > 0 {
				n++
			}
		}
		return n
	}
	if a.ranks == nil {
		a.ranks = make([]uint8, 1<<approxBits)
	}
	clear(a.ranks)
	for c, n := range g.cells {
		if r := &a.ranks[c>>6]; n > 0 && uint8(c&63) > *r {
			*r = uint8(c & 63)
		}
	}
	return estimateRanks(a.ranks)
}

// estimateRanks is the estimate of Ertl (2017) from the registers of a
// HyperLogLog sketch: one formula for few and for many values.
func estimateRanks(ranks []uint8) int64 {
	const last = 64 - approxBits + 1 // the highest rank
	var have [last + 1]float64
	for _, r := range ranks {
		have[r]++
	}
	m := float64(len(ranks))
	z := m * tau(1-have[last]/m)
	for k := last - 1; k >= 1; k-- {
		z = (z + have[k]) / 2
	}
	z += m * sigma(have[0]/m)
	return int64(math.Round(m * m / (2 * math.Ln2) / z))
}

// sigma sums x^(2^k) · 2^(k-1), the share of the empty registers.
func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	z, y := x, 1.0
	for {
		x *= x
		was := z
		z += x * y
		y += y
		if z == was {
			return z
		}
	}
}

// tau is the share of the registers that are full.
func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	z, y := 1-x, 1.0
	for {
		x = math.Sqrt(x)
		was := z
		y /= 2
		z -= (1 - x) * (1 - x) * y
		if z == was {
			return z / 3
		}
	}
}

func (a *countedAcc) Clear(slot int32) { a.groups[slot] = countedSet{} }

func (a *countedAcc) Save(dst []byte, slot int32) []byte {
	g := &a.groups[slot]
	m, kind := g.exact, byte(0)
	if g.cells != nil {
		m, kind = g.cells, 1
	}
	dst = binary.AppendUvarint(append(dst, kind), uint64(len(m)))
	for k, n := range m {
		dst = binary.AppendVarint(binary.LittleEndian.AppendUint64(dst, k), n)
	}
	return dst
}

func (a *countedAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, vector.ErrCorrupt
	}
	n, w := binary.Uvarint(b[1:])
	if w <= 0 || n > uint64(len(b)) {
		return nil, vector.ErrCorrupt
	}
	m := make(map[uint64]int64, n)
	if a.groups[slot].exact = m; b[0] == 1 {
		a.groups[slot] = countedSet{cells: m}
	}
	cells := b[0] == 1
	b = b[1+w:]
	for range n {
		if len(b) < 9 {
			return nil, vector.ErrCorrupt
		}
		k := binary.LittleEndian.Uint64(b)
		var c int64
		var err error
		if b, err = loadVarint(b[8:], &c); err != nil {
			return nil, err
		}
		if cells && (k>>6 >= 1<<approxBits || k&63 > 64-approxBits+1) {
			return nil, vector.ErrCorrupt
		}
		m[k] = c
	}
	return b, nil
}

func (a *countedAcc) Bytes() int64 {
	n := int64(cap(a.groups)) * 16
	for i := range a.groups {
		n += int64(len(a.groups[i].exact)+len(a.groups[i].cells)) * 32
	}
	return n
}
