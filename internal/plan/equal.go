package plan

import (
	"math"

	"github.com/runnelio/runnel/types"
)

// Same tells whether a and b compute the same of the same input. Volatile calls
// and sub-queries are the same only as one value.
func Same(a, b Expr) bool {
	if a == b {
		return true
	}
	switch x := a.(type) {
	case *Column:
		y, ok := b.(*Column)
		return ok && x.Index == y.Index
	case *Outer:
		y, ok := b.(*Outer)
		return ok && x.Index == y.Index && x.Depth == y.Depth
	case *Literal:
		y, ok := b.(*Literal)
		if !ok || !x.T.Equal(y.T) || (x.Value == nil) != (y.Value == nil) {
			return false
		}
		return x.Value == nil || types.EqualValues(x.Value, y.Value, x.T) && negative(x.Value) == negative(y.Value)
	case *OpExpr:
		y, ok := b.(*OpExpr)
		return ok && x.Op == y.Op && x.Index == y.Index && x.T.Equal(y.T) && sameAll(x.Args, y.Args)
	case *Call:
		y, ok := b.(*Call)
		return ok && x.Fn == y.Fn && !x.Fn.Volatile && x.T.Equal(y.T) && sameAll(x.Args, y.Args)
	case *Cast:
		y, ok := b.(*Cast)
		return ok && x.Try == y.Try && x.T.Equal(y.T) && Same(x.X, y.X)
	}
	return false
}

// negative tells -0.0, which only = does not tell from 0.0.
func negative(v types.Value) bool {
	switch x := v.(type) {
	case float32:
		return math.Signbit(float64(x))
	case float64:
		return math.Signbit(x) && x == x
	}
	return false
}

func sameAll(a, b []Expr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !Same(a[i], b[i]) {
			return false
		}
	}
	return true
}
