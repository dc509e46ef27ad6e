package builtin

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// inferRound gives ROUND and TRUNCATE their type: DECIMALs get the digits that
// are asked for and one more before the point.
func inferRound(name string) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		var sig function.Signature
		if len(args) != 1 && len(args) != 2 {
			return sig, fmt.Errorf("%s takes 1 or 2 arguments", name)
		}
		t := args[0].Type
		if !t.IsNumeric() {
			return sig, fmt.Errorf("%s takes a number, not %s", name, t.OrNull())
		}
		sig.Args = []types.Type{t}
		if len(args) == 2 {
			if k := args[1].Type; !k.IsInteger() || k.Kind == types.BigInt {
				return sig, fmt.Errorf("%s takes an INT of digits, not %s", name, k.OrNull())
			}
			sig.Args = append(sig.Args, types.Of(types.Int).WithNull(args[1].Type.Nullable))
		}
		sig.Result = t.Plain().WithNull(nullable(args))
		if n, ok := roundDigits(args); ok && t.Kind == types.Decimal && n < t.Scale {
			n = max(n, 0)
			sig.Result.Prec, sig.Result.Scale = min(types.MaxDecimalPrecision, 1+t.Prec-t.Scale+n), n
		}
		return sig, nil
	}
}

// roundDigits is the number of digits if it is known when the call is bound.
func roundDigits(args []function.Arg) (int, bool) {
	if len(args) == 1 {
		return 0, true
	}
	if !args[1].Const {
		return 0, false
	}
	switch n := args[1].Value.(type) {
	case int8:
		return int(n), true
	case int16:
		return int(n), true
	case int32:
		return int(n), true
	case int64:
		return int(n), true
	}
	return 0, false
}

func roundScalar(cut bool) *function.Scalar {
	return function.Bound(func(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
		call, err := bindRound(args[0].Type, result, cut)
		if err != nil || len(args) == 2 {
			return call, err
		}
		zero := vector.NewConst(types.Of(types.Int), int32(0), 1)
		return func(args []vector.Vector, sel []int32, out vector.Vector) error {
			return call([]vector.Vector{args[0], zero}, sel, out)
		}, nil
	})
}

func bindRound(t, result types.Type, cut bool) (function.Call, error) {
	mode := halfUp
	if cut {
		mode = cutOff
	}
	switch t.Phys() {
	case types.PhysI8:
		return function.CallMap2(func(x int8, n int32) int8 { return int8(roundInt(int64(x), n, cut)) }), nil
	case types.PhysI16:
		return function.CallMap2(func(x int16, n int32) int16 { return int16(roundInt(int64(x), n, cut)) }), nil
	case types.PhysI32:
		return function.CallMap2(func(x, n int32) int32 { return int32(roundInt(int64(x), n, cut)) }), nil
	case types.PhysI64:
		return function.CallMap2(func(x int64, n int32) int64 { return roundInt(x, n, cut) }), nil
	case types.PhysF32:
		// As in Flink the float is rounded by the digits of the double it is.
		return function.CallMap2(func(x float32, n int32) float32 { return float32(roundFloat(float64(x), int(n), mode)) }), nil
	case types.PhysF64:
		return function.CallMap2(func(x float64, n int32) float64 { return roundFloat(x, int(n), mode) }), nil
	case types.PhysDec:
		from, to, prec := t.Scale, result.Scale, result.Prec
		return function.CallMapOk2(func(d types.Dec, n int32) (types.Dec, bool) {
			ok := true
			if int(n) < from {
				digits := max(int(n), -types.MaxDecimalPrecision-1)
				if cut {
					d, ok = d.TruncDigits(from, digits)
				} else {
					d, ok = d.RoundDigits(from, digits)
				}
			}
			if !ok {
				return d, false
			}
			d, ok = d.Rescale(from, to)
			return d, ok && d.FitsPrecision(prec)
		}), nil
	}
	return nil, noKind("ROUND", t)
}

var pow10i = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// roundInt rounds before the point; what overflows wraps.
func roundInt(x int64, n int32, cut bool) int64 {
	if n >= 0 {
		return x
	}
	if n < -19 || n == -19 && cut {
		return 0
	}
	if n == -19 { // 10^19 is no int64
		if x >= 5e18 || x <= -5e18 {
			wrapped := uint64(10_000_000_000_000_000_000)
			if x < 0 {
				wrapped = -wrapped
			}
			return int64(wrapped)
		}
		return 0
	}
	p := pow10i[-n]
	r := x % p
	x -= r
	if !cut {
		if r >= p/2 && r > 0 {
			x += p
		} else if r <= -(p/2) && r < 0 {
			x -= p
		}
	}
	return x
}

// rounding says what becomes of digits that are dropped.
type rounding uint8

const (
	halfUp   rounding = iota // half away from zero
	cutOff                   // towards zero
	halfEven                 // half to the even neighbour
	downward                 // towards minus infinity
)

// roundFloat rounds the decimal digits that x prints with to n of them behind
// the point.
func roundFloat(x float64, n int, mode rounding) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x + 0
	}
	if n == 0 { // a half is exact in both, so digits and value agree
		return [...]func(float64) float64{math.Round, math.Trunc, math.RoundToEven, math.Floor}[mode](x) + 0
	}
	var buf [64]byte
	digits := buf[:0]
	var text [40]byte
	point, exp, seen := 0, 0, false
	src := types.AppendDouble(text[:0], math.Abs(x))
	for i := 0; i < len(src); i++ {
		switch c := src[i]; c {
		case '.':
			seen = true
		case 'E':
			exp, _ = strconv.Atoi(string(src[i+1:]))
			i = len(src)
		default:
			digits = append(digits, c)
			if !seen {
				point++
			}
		}
	}
	keep := point + exp + n // digits that stay
	if keep >= len(digits) {
		return x
	}
	up := roundsUp(digits, keep, mode, x < 0)
	digits = digits[:max(keep, 0)]
	for i := len(digits) - 1; up && i >= 0; i-- {
		if digits[i] == '9' {
			digits[i] = '0'
			continue
		}
		digits[i]++
		up = false
	}
	if up {
		digits = append(digits, '0')
		copy(digits[1:], digits)
		digits[0] = '1'
	}
	if len(digits) == 0 {
		return 0
	}
	digits = append(digits, 'e')
	digits = strconv.AppendInt(digits, int64(-n), 10)
	r, err := strconv.ParseFloat(vector.View(digits), 64)
	if err != nil && r == 0 {
		return x
	}
	return math.Copysign(r, x) + 0
}

// roundsUp tells whether the magnitude grows when digits[keep:] are dropped;
// a negative keep means that zeros stand before them.
func roundsUp(digits []byte, keep int, mode rounding, negative bool) bool {
	switch mode {
	case cutOff:
		return false
	case downward:
		rest := bytes.Trim(digits[max(keep, 0):], "0")
		return negative && len(rest) > 0
	}
	if keep < 0 || digits[keep] < '5' {
		return false
	}
	if mode == halfUp || digits[keep] > '5' || len(bytes.Trim(digits[keep+1:], "0")) > 0 {
		return true
	}
	return keep > 0 && digits[keep-1]&1 == 1
}
