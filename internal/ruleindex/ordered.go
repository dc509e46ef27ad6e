package ruleindex

import (
	"cmp"
	"math"
	"slices"

	"github.com/runnelio/runnel/types"
)

// orderKey is a value that is not a text, such that the order of keys is that of
// the values: integers, dates, times, decimals of one scale, timestamps, floats.
type orderKey struct {
	hi int64
	lo uint64
}

func (a orderKey) compare(b orderKey) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

func intKey(v int64) orderKey { return orderKey{hi: v} }

// floatKey is not to be called with a NaN, which has no place in the order.
func floatKey(f float64) orderKey {
	if f == 0 {
		f = 0 // of both signs
	}
	b := int64(math.Float64bits(f))
	if b < 0 {
		b ^= math.MaxInt64
	}
	return orderKey{hi: b}
}

func tsKey(t types.TS) orderKey   { return orderKey{t.Ms, uint64(t.Ns)} }
func decKey(d types.Dec) orderKey { return orderKey{d.Hi, d.Lo} }

// keyOf is the key of a literal; false if it has none.
func keyOf(v types.Value) (orderKey, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return intKey(1), true
		}
		return intKey(0), true
	case int8:
		return intKey(int64(v)), true
	case int16:
		return intKey(int64(v)), true
	case int32:
		return intKey(int64(v)), true
	case int64:
		return intKey(v), true
	case float32:
		return floatKey(float64(v)), v == v
	case float64:
		return floatKey(v), v == v
	case types.TS:
		return tsKey(v), true
	case types.Dec:
		return decKey(v), true
	}
	return orderKey{}, false
}

// rangeOp is a comparison with a bound.
type rangeOp uint8

const (
	opEq rangeOp = iota
	opLt
	opLe
	opGt
	opGe
)

// bound is an atom that compares with a value.
type bound[K any] struct {
	key  K
	op   rangeOp
	atom int32
}

// intervals cuts an order at the bounds of all atoms of a field: a value lies on
// a bound or between two, and which atoms fire depends on that alone.
type intervals[K any] struct {
	compare func(a, b K) int
	keys    []K // distinct, sorted
	// Atoms by the index of their key, sorted by it.
	eq, less, greater []rangeAtom
}

type rangeAtom struct {
	at    int32
	equal bool
	atom  int32
}

func newIntervals[K any](bounds []bound[K], compare func(a, b K) int) *intervals[K] {
	v := &intervals[K]{compare: compare}
	for _, b := range bounds {
		v.keys = append(v.keys, b.key)
	}
	slices.SortFunc(v.keys, compare)
	v.keys = slices.CompactFunc(v.keys, func(a, b K) bool { return compare(a, b) == 0 })
	for _, b := range bounds {
		at, _ := slices.BinarySearchFunc(v.keys, b.key, compare)
		r := rangeAtom{int32(at), b.op == opLe || b.op == opGe, b.atom}
		switch b.op {
		case opEq:
			v.eq = append(v.eq, r)
		case opLt, opLe:
			v.less = append(v.less, r)
		default:
			v.greater = append(v.greater, r)
		}
	}
	byKey := func(a, b rangeAtom) int { return cmp.Compare(a.at, b.at) }
	slices.SortFunc(v.eq, byKey)
	slices.SortFunc(v.less, byKey)
	slices.SortFunc(v.greater, byKey)
	return v
}

// find returns the interval of k: 2i+1 if it is keys[i], 2i if it lies below
// keys[i] and above the one before.
func (v *intervals[K]) find(k K) int {
	lo, hi := 0, len(v.keys)
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch c := v.compare(v.keys[m], k); {
		case c < 0:
			lo = m + 1
		case c > 0:
			hi = m
		default:
			return 2*m + 1
		}
	}
	return 2 * lo
}

// count is the number of intervals.
func (v *intervals[K]) count() int { return 2*len(v.keys) + 1 }

// atoms appends the atoms that fire in an interval.
func (v *intervals[K]) atoms(dst []int32, interval int) []int32 {
	at, on := int32(interval/2), interval%2 == 1
	if on {
		i, _ := slices.BinarySearchFunc(v.eq, at, func(r rangeAtom, at int32) int { return cmp.Compare(r.at, at) })
		for ; i < len(v.eq) && v.eq[i].at == at; i++ {
			dst = append(dst, v.eq[i].atom)
		}
	}
	for _, r := range v.greater { // value > keys[r.at]
		if r.at < at || on && r.at == at && r.equal {
			dst = append(dst, r.atom)
		} else if r.at > at {
			break
		}
	}
	for i := len(v.less) - 1; i >= 0; i-- { // value < keys[r.at]
		r := v.less[i]
		if r.at > at || !on && r.at == at || on && r.at == at && r.equal {
			dst = append(dst, r.atom)
		} else if r.at < at {
			break
		}
	}
	return dst
}

func (v *intervals[K]) bytes() int { return 32*len(v.keys) + 12*(len(v.eq)+len(v.less)+len(v.greater)) }
