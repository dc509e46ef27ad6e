package types

import (
	"math"
	"testing"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	// Each list ascends.
	for _, c := range []struct {
		typ  string
		vals []Value
	}{
		{"INT", []Value{nil, int32(-1), int32(0), int32(5)}},
		{"DOUBLE", []Value{nil, math.Inf(-1), -1.0, 0.0, 1.0, math.Inf(1), math.NaN()}},
		{"FLOAT", []Value{nil, float32(-1), float32(2), float32(math.NaN())}},
		{"BOOLEAN", []Value{nil, false, true}},
		{"STRING", []Value{nil, "", "A", "a", "ab", "b"}},
		{"DECIMAL(38, 2)", []Value{nil, Dec{Hi: -5}, DecFromInt64(-1), Dec{}, DecFromInt64(7), Dec{Hi: 1}}},
		{"TIMESTAMP(9)", []Value{nil, TS{Ms: -1}, TS{}, TS{Ns: 5}, TS{Ms: 1}}},
		{"ARRAY<INT>", []Value{nil, []Value{}, []Value{nil}, []Value{int32(1)}, []Value{int32(1), int32(2)}, []Value{int32(2)}}},
	} {
		typ := MustType(c.typ)
		for i, a := range c.vals {
			for j, b := range c.vals {
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				if got := Compare(a, b, typ); got != want {
					t.Errorf("%s: %v %v: %d", c.typ, a, b, got)
				}
				if got := EqualValues(a, b, typ); got != (i == j) {
					t.Errorf("%s: %v = %v: %v", c.typ, a, b, got)
				}
				if i == j && HashValue(a, typ) != HashValue(b, typ) {
					t.Errorf("%s: hash of %v", c.typ, a)
				}
			}
		}
	}
}

func TestZerosNaNsAndMapsAreOne(t *testing.T) {
	t.Parallel()
	m1, m2, m3 := &MapValue{}, &MapValue{}, &MapValue{}
	m1.Set("a", 0.0, String())
	m1.Set("b", nil, String())
	m2.Set("b", nil, String())
	m2.Set("a", math.Copysign(0, -1), String())
	m3.Set("a", 0.0, String())
	m3.Set("c", nil, String())
	nan := math.Float64frombits(0x7ff8000000000123)
	for _, c := range []struct {
		typ  string
		a, b Value
		same bool
	}{
		{"DOUBLE", 0.0, math.Copysign(0, -1), true}, {"DOUBLE", math.NaN(), nan, true}, {"DOUBLE", math.NaN(), 1.0, false},
		{"MAP<STRING, DOUBLE>", m1, m2, true}, {"MAP<STRING, DOUBLE>", m1, m3, false}, {"MAP<STRING, DOUBLE>", m1, nil, false},
		{"ROW<`m` MAP<STRING, DOUBLE>, `d` DOUBLE>", []Value{m1, nan}, []Value{m2, math.NaN()}, true},
	} {
		typ := MustType(c.typ)
		if EqualValues(c.a, c.b, typ) != c.same || (Compare(c.a, c.b, typ) == 0) != c.same {
			t.Errorf("%v = %v", c.a, c.b)
		}
		if (HashValue(c.a, typ) == HashValue(c.b, typ)) != c.same {
			t.Errorf("hash of %v and %v", c.a, c.b)
		}
	}
	if v, ok := m1.Get("b", String()); !ok || v != nil {
		t.Error("a key with NULL is a key")
	}
	if _, ok := (*MapValue)(nil).Get("b", String()); ok || (*MapValue)(nil).Len() != 0 {
		t.Error("the nil map")
	}
}
