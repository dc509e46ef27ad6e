package builtin

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

// aggBitmapFuncs build and combine bitmaps over a group.
var aggBitmapFuncs = []function.Def{
	bitmapAgg("BITMAP_BUILD_AGG", "(INT) -> BITMAP", "The set of the numbers, NULL over none.", bitmapMode{build: true, op: bitmapOr}),
	bitmapAgg("BITMAP_BUILD_CARDINALITY_AGG", "(INT) -> BIGINT", "How many different numbers there are.", bitmapMode{build: true, op: bitmapOr, count: true}),
	bitmapAgg("BITMAP_OR_AGG", "(BITMAP) -> BITMAP", "The numbers that one of the sets has, NULL over no sets.", bitmapMode{op: bitmapOr}),
	bitmapAgg("BITMAP_OR_CARDINALITY_AGG", "(BITMAP) -> BIGINT", "How many numbers one of the sets has.", bitmapMode{op: bitmapOr, count: true}),
	bitmapAgg("BITMAP_AND_AGG", "(BITMAP) -> BITMAP", "The numbers that all of the sets have, NULL over no sets.", bitmapMode{op: bitmapAnd}),
	bitmapAgg("BITMAP_AND_CARDINALITY_AGG", "(BITMAP) -> BIGINT", "How many numbers all of the sets have.", bitmapMode{op: bitmapAnd, count: true}),
	bitmapAgg("BITMAP_XOR_AGG", "(BITMAP) -> BITMAP", "The numbers that an odd number of the sets have, NULL over no sets.", bitmapMode{op: bitmapXor}),
	bitmapAgg("BITMAP_XOR_CARDINALITY_AGG", "(BITMAP) -> BIGINT", "How many numbers an odd number of the sets have.", bitmapMode{op: bitmapXor, count: true}),
}

// bitmapMode is what an aggregate takes, does and gives.
type bitmapMode struct {
	build bool     // from numbers, not sets
	op    bitmapOp // or, and, xor
	count bool     // the cardinality, not the set
}

func bitmapAgg(name, sig, doc string, mode bitmapMode) function.Def {
	return function.Def{
		Name: name, Group: "aggregate", Sig: sig, Doc: doc,
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true,
			New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
				return &bitmapAcc{mode: mode, retracts: c.Retracts}, nil
			}},
	}
}

// bitmapAcc keeps the set of each group; if rows can be taken back, how often
// each number was added, from which every operation follows.
type bitmapAcc struct {
	mode     bitmapMode
	retracts bool
	groups   []bitmapGroup
}

type bitmapGroup struct {
	rows    int64            // added and not taken back
	set     *bitmapSet       // without retraction
	pending []uint32         // numbers that set does not have yet
	counts  map[uint32]int64 // with retraction
}

const bitmapPending = 1024

func (a *bitmapAcc) Resize(n int) { a.groups = grow(a.groups, n) }

func (a *bitmapAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		g, r, sign := &a.groups[s], rows[i], int64(1)
		if signs != nil {
			sign = int64(signs[i])
		}
		if a.mode.build {
			vals, mask := function.Column[int32](args[0])
			g.rows += sign
			a.number(g, uint32(vals[r&mask]), sign)
			continue
		}
		vals, mask := function.Column[string](args[0])
		set, err := readBitmap(vals[r&mask])
		if err != nil {
			return &function.RowError{Row: int(r), Err: err}
		}
		a.add(g, set, sign)
	}
	return nil
}

// number adds one number to a set that is built.
func (a *bitmapAcc) number(g *bitmapGroup, v uint32, sign int64) {
	if a.retracts {
		g.count(v, sign)
		return
	}
	if g.pending = append(g.pending, v); len(g.pending) >= bitmapPending {
		g.flush()
	}
}

// flush puts the pending numbers into the set.
func (g *bitmapGroup) flush() {
	if g.set == nil {
		g.set = &bitmapSet{}
	}
	if len(g.pending) > 0 {
		g.set = combine(bitmapOr, g.set, buildBitmap(g.pending))
		g.pending = g.pending[:0]
	}
}

func (g *bitmapGroup) count(v uint32, by int64) {
	if g.counts == nil {
		g.counts = map[uint32]int64{}
	}
	if n := g.counts[v] + by; n != 0 {
		g.counts[v] = n
	} else {
		delete(g.counts, v)
	}
}

// add adds a set, or takes one back.
func (a *bitmapAcc) add(g *bitmapGroup, set *bitmapSet, sign int64) {
	g.rows += sign
	switch {
	case a.retracts:
		set.each(func(v uint32) { g.count(v, sign) })
	case g.set == nil:
		g.set = set
	default:
		g.set = combine(a.mode.op, g.set, set)
	}
}

// result is the set of a group.
func (a *bitmapAcc) result(g *bitmapGroup) *bitmapSet {
	if !a.retracts {
		g.flush()
		return g.set
	}
	var vals []uint32
	for v, n := range g.counts {
		if n > 0 && (a.mode.op == bitmapOr || a.mode.op == bitmapAnd && n == g.rows || a.mode.op == bitmapXor && n&1 == 1) {
			vals = append(vals, v)
		}
	}
	return buildBitmap(vals)
}

func (a *bitmapAcc) Merge(to int32, other function.Accumulators, from int32) error {
	g, o := &a.groups[to], &other.(*bitmapAcc).groups[from]
	switch {
	case o.rows == 0 && len(o.counts) == 0:
	case a.retracts:
		g.rows += o.rows
		for v, n := range o.counts {
			g.count(v, n)
		}
	default:
		g.flushIf(a.mode.build)
		o.flushIf(a.mode.build)
		if g.rows == 0 {
			g.set = o.set
		} else {
			g.set = combine(a.mode.op, g.set, o.set)
		}
		g.rows += o.rows
	}
	return nil
}

func (g *bitmapGroup) flushIf(build bool) {
	if build {
		g.flush()
	}
}

func (a *bitmapAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		g := &a.groups[s]
		switch {
		case g.rows <= 0:
			vector.Append(out, nil)
		case a.mode.count:
			vector.Append(out, a.result(g).cardinality())
		default:
			vector.Append(out, string(a.result(g).append(nil)))
		}
	}
	return nil
}

func (a *bitmapAcc) Clear(slot int32) { a.groups[slot] = bitmapGroup{} }

// Save writes the number of rows, then the counts by number or the set.
func (a *bitmapAcc) Save(dst []byte, slot int32) []byte {
	g := &a.groups[slot]
	dst = binary.AppendVarint(dst, g.rows)
	if a.retracts {
		dst = binary.AppendUvarint(dst, uint64(len(g.counts)))
		for _, v := range slices.Sorted(maps.Keys(g.counts)) {
			dst = binary.AppendVarint(binary.AppendUvarint(dst, uint64(v)), g.counts[v])
		}
		return dst
	}
	if g.rows == 0 {
		return dst
	}
	g.flushIf(a.mode.build)
	set := g.set.append(nil)
	return append(binary.AppendUvarint(dst, uint64(len(set))), set...)
}

func (a *bitmapAcc) Load(slot int32, b []byte) ([]byte, error) {
	g := &a.groups[slot]
	rows, w := binary.Varint(b)
	if w <= 0 {
		return nil, vector.ErrCorrupt
	}
	g.rows, b = rows, b[w:]
	if !a.retracts && rows == 0 {
		return b, nil
	}
	n, w := binary.Uvarint(b)
	if w <= 0 {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	if !a.retracts {
		if n > uint64(len(b)) {
			return nil, vector.ErrCorrupt
		}
		set, err := readBitmap(string(b[:n]))
		g.set = set
		return b[n:], err
	}
	for range n {
		v, w := binary.Uvarint(b)
		if w <= 0 || v > 1<<32-1 {
			return nil, vector.ErrCorrupt
		}
		by, w2 := binary.Varint(b[w:])
		if w2 <= 0 {
			return nil, vector.ErrCorrupt
		}
		g.count(uint32(v), by)
		b = b[w+w2:]
	}
	return b, nil
}

func (a *bitmapAcc) Bytes() int64 {
	var n int64
	for i := range a.groups {
		g := &a.groups[i]
		n += 80 + int64(cap(g.pending))*4 + int64(len(g.counts))*24
		if g.set != nil {
			for j := range g.set.cs {
				n += int64(g.set.cs[j].size()) + 48
			}
		}
	}
	return n
}
