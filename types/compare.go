package types

import (
	"cmp"
	"math"
	"strings"
)

// Compare orders two values of type t as ORDER BY does: NULL first, NaN last
// among numbers, -0.0 with 0.0, texts by their bytes, arrays and rows element
// by element. Maps, which SQL does not order, get some order that agrees with
// EqualValues.
func Compare(a, b Value, t Type) int {
	if a == nil || b == nil {
		switch {
		case a == nil && b == nil:
			return 0
		case a == nil:
			return -1
		}
		return 1
	}
	switch x := a.(type) {
	case bool:
		y, _ := b.(bool)
		switch {
		case x == y:
			return 0
		case y:
			return -1
		}
		return 1
	case int8:
		y, _ := b.(int8)
		return cmp.Compare(x, y)
	case int16:
		y, _ := b.(int16)
		return cmp.Compare(x, y)
	case int32:
		y, _ := b.(int32)
		return cmp.Compare(x, y)
	case int64:
		y, _ := b.(int64)
		return cmp.Compare(x, y)
	case float32:
		y, _ := b.(float32)
		return CompareFloat(float64(x), float64(y))
	case float64:
		y, _ := b.(float64)
		return CompareFloat(x, y)
	case Dec:
		y, _ := b.(Dec)
		return x.Cmp(y)
	case string:
		y, _ := b.(string)
		return strings.Compare(x, y)
	case TS:
		y, _ := b.(TS)
		return x.Compare(y)
	case []Value:
		y, _ := b.([]Value)
		return compareList(x, y, t)
	case *MapValue:
		y, _ := b.(*MapValue)
		return compareMap(x, y, t)
	}
	return 0
}

// CompareFloat orders floats with NaN as the largest and equal to itself.
func CompareFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return -cmp.Compare(b2i(!math.IsNaN(a)), b2i(!math.IsNaN(b)))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareList(x, y []Value, t Type) int {
	for i := 0; i < len(x) && i < len(y); i++ {
		if c := Compare(x[i], y[i], memberType(t, i)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// memberType is the type of the i-th member of a row or array.
func memberType(t Type, i int) Type {
	if t.Kind == Row {
		if i < len(t.Fields) {
			return t.Fields[i].Type
		}
		return Type{}
	}
	return elemType(t)
}

// mapTypes are the types of keys and values of a map or multiset.
func mapTypes(t Type) (key, val Type) {
	if t.Kind == Multiset {
		return elemType(t), Type{Kind: Int}
	}
	if t.Key != nil {
		key = *t.Key
	}
	return key, elemType(t)
}

func compareMap(x, y *MapValue, t Type) int {
	if c := cmp.Compare(x.Len(), y.Len()); c != 0 {
		return c
	}
	if equalMaps(x, y, t) {
		return 0
	}
	if c := cmp.Compare(HashValue(x, t), HashValue(y, t)); c != 0 {
		return c
	}
	// Different maps of one hash: their entries in order of the keys decide.
	key, val := mapTypes(t)
	kx, ky := x.sorted(key), y.sorted(key)
	for i := range kx {
		if c := Compare(x.Keys[kx[i]], y.Keys[ky[i]], key); c != 0 {
			return c
		}
		if c := Compare(x.Vals[kx[i]], y.Vals[ky[i]], val); c != 0 {
			return c
		}
	}
	return 0
}

// EqualValues tells whether two values of type t are not distinct for =
// (vector.AppendKey is about keys): NULL is the same as NULL, NaN as NaN, 0.0 as -0.0, maps
// whatever their order. (The = of SQL is NULL for NULL; the caller sees to it.)
func EqualValues(a, b Value, t Type) bool {
	if x, ok := a.(*MapValue); ok {
		y, ok := b.(*MapValue)
		return ok && equalMaps(x, y, t)
	}
	if x, ok := a.([]Value); ok {
		y, ok := b.([]Value)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !EqualValues(x[i], y[i], memberType(t, i)) {
				return false
			}
		}
		return true
	}
	return Compare(a, b, t) == 0
}

func equalMaps(x, y *MapValue, t Type) bool {
	if x.Len() != y.Len() {
		return false
	}
	key, val := mapTypes(t)
	for i := range x.Len() {
		j := y.find(x.Keys[i], key)
		if j < 0 || !EqualValues(x.Vals[i], y.Vals[j], val) {
			return false
		}
	}
	return true
}
