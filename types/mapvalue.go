package types

import "slices"

// Len returns the number of entries; a nil map has none.
func (m *MapValue) Len() int {
	if m == nil {
		return 0
	}
	return len(m.Keys)
}

// find returns the index of key, of type t, or -1.
func (m *MapValue) find(key Value, t Type) int {
	if m == nil {
		return -1
	}
	for i := range m.Keys {
		if EqualValues(m.Keys[i], key, t) {
			return i
		}
	}
	return -1
}

// Get returns the value of key, whose type is t, and whether there is one.
func (m *MapValue) Get(key Value, t Type) (Value, bool) {
	i := m.find(key, t)
	if i < 0 {
		return nil, false
	}
	return m.Vals[i], true
}

// Set gives key, whose type is t, a value: in the place of the one it had, or
// at the end.
func (m *MapValue) Set(key, val Value, t Type) {
	if i := m.find(key, t); i >= 0 {
		m.Vals[i] = val
		return
	}
	m.Keys = append(m.Keys, key)
	m.Vals = append(m.Vals, val)
}

// sorted returns the indexes of the entries in the order of their keys.
func (m *MapValue) sorted(key Type) []int {
	idx := make([]int, m.Len())
	for i := range idx {
		idx[i] = i
	}
	slices.SortFunc(idx, func(a, b int) int { return Compare(m.Keys[a], m.Keys[b], key) })
	return idx
}
