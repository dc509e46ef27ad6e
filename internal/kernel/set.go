package kernel

import (
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// few is the number of elements up to which comparing one by one is faster than
// hashing.
const few = 4

// A Set tells which values are among those it was made of.
type Set[T comparable] struct {
	list []T
	hash map[T]struct{}
	nan  bool // NaN, which a map does not find, is in
}

// NewSet returns the set of vals.
func NewSet[T comparable](vals []T) *Set[T] {
	s := &Set[T]{}
	hash := make(map[T]struct{}, len(vals))
	for _, v := range vals {
		if v != v {
			s.nan = true
			continue
		}
		if _, ok := hash[v]; !ok {
			hash[v] = struct{}{}
			s.list = append(s.list, v)
		}
	}
	if len(s.list) > few {
		s.hash = hash
	}
	return s
}

func (s *Set[T]) has(v T) bool {
	if v != v {
		return s.nan
	}
	if s.hash != nil {
		_, ok := s.hash[v]
		return ok
	}
	for _, w := range s.list {
		if v == w {
			return true
		}
	}
	return false
}

// In stores whether a is in the set.
func (s *Set[T]) In(dst []bool, a []T, sel []int32) {
	if sel == nil {
		a = a[:len(dst)]
		for i := range dst {
			dst[i] = s.has(a[i])
		}
		return
	}
	for _, i := range sel {
		dst[i] = s.has(a[i])
	}
}

// A KeySet is a Set of values of any type, by their key encoding.
type KeySet struct {
	keys map[string]struct{}
	buf  []byte
}

// NewKeySet returns the set of vals, none of them NULL, of type t.
func NewKeySet(t types.Type, vals []types.Value) *KeySet {
	s := &KeySet{keys: make(map[string]struct{}, len(vals))}
	v := vector.New(t, len(vals))
	for i, val := range vals {
		vector.Append(v, val)
		s.keys[string(vector.AppendEqual(nil, v, i))] = struct{}{}
	}
	return s
}

// In stores whether rows of a are in the set.
func (s *KeySet) In(dst []bool, a vector.Vector, sel []int32) {
	each(len(dst), sel, func(i int) {
		s.buf = vector.AppendEqual(s.buf[:0], a, i)
		_, dst[i] = s.keys[string(s.buf)]
	})
}
