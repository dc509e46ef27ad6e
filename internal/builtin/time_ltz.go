package builtin

import (
	"errors"
	"fmt"
	"math"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func inferToLTZ(args []function.Arg) (function.Signature, error) {
	bad := errors.New("TO_TIMESTAMP_LTZ takes a number and a precision, or a text, a pattern and a time zone")
	s := function.Signature{Args: argTypes(args), Result: types.TimestampLTZOf(3)}
	switch {
	case len(args) == 0 || len(args) > 3:
		return s, bad
	case args[0].Type.IsChar():
		for _, a := range args {
			if !a.Type.IsChar() {
				return s, bad
			}
		}
		return s, nil
	case !args[0].Type.IsNumeric() || len(args) > 2 || len(args) == 2 && !args[1].Type.IsInteger():
		return s, bad
	}
	if args[0].Type.IsInteger() {
		s.Args[0] = types.Of(types.BigInt).WithNull(args[0].Type.Nullable)
	} else if args[0].Type.Kind == types.Float {
		s.Args[0] = types.Of(types.Double).WithNull(args[0].Type.Nullable)
	}
	if len(args) == 2 {
		s.Args[1] = types.Of(types.Int).WithNull(args[1].Type.Nullable)
		if args[1].Const && args[1].Value != nil {
			n, ok := intValue(args[1].Value)
			if !ok || ltzUnit(int32(n)) == 0 {
				return s, fmt.Errorf("the precision of TO_TIMESTAMP_LTZ is 0 to 9, not %v", args[1].Value)
			}
			s.Result = types.TimestampLTZOf(max(int(n), 3))
		}
	}
	return s, nil
}

func intValue(v types.Value) (int64, bool) {
	switch n := v.(type) {
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

// ltzUnit is how many units of precision p make a second, 0 if p is none.
func ltzUnit(p int32) int64 {
	if p < 0 || p > 9 {
		return 0
	}
	return powersOfTen[p]
}

const (
	minEpochSecond = -62167219200 // 0000-01-01
	maxEpochSecond = 253402300799 // 9999-12-31 23:59:59
)

// fromEpoch makes a point in time of v units of precision p.
func fromEpoch(v int64, p int32) (types.TS, bool, error) {
	unit := ltzUnit(p)
	if unit == 0 {
		return types.TS{}, false, fmt.Errorf("the precision of TO_TIMESTAMP_LTZ is 0 to 9, not %d", p)
	}
	secs := types.FloorDiv(v, unit)
	if secs < minEpochSecond || secs > maxEpochSecond {
		return types.TS{}, false, nil
	}
	ns := types.FloorMod(v, unit) * (1e9 / unit)
	return types.TS{Ms: secs*1000 + ns/1e6, Ns: int32(ns % 1e6)}, true, nil
}

func bindToLTZ(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	t := args[0].Type
	switch {
	case t.IsChar():
		return bindTextToLTZ(args)
	case t.IsInteger():
		return numberToLTZ(args, func(v int64, p int32) (types.TS, bool, error) { return fromEpoch(v, p) }), nil
	case t.Kind == types.Decimal:
		return numberToLTZ(args, func(v types.Dec, p int32) (types.TS, bool, error) {
			whole, ok := types.CastValue(v, t, types.Of(types.BigInt), nil, false)
			if n, isInt := whole.(int64); ok == nil && isInt {
				return fromEpoch(n, p)
			}
			return types.TS{}, false, nil
		}), nil
	}
	return numberToLTZ(args, func(v float64, p int32) (types.TS, bool, error) {
		if p >= 0 && p < 3 { // up to milliseconds the fraction counts
			v, p = v*float64(powersOfTen[3-p]), 3
		}
		return fromEpoch(types.FloatToInt64(math.Floor(v)), p)
	}), nil
}

func numberToLTZ[T vector.Elem](args []function.Arg, f func(T, int32) (types.TS, bool, error)) function.Call {
	if len(args) == 2 {
		return okErr2(f)
	}
	return function.CallMapOk1(func(v T) (types.TS, bool) {
		t, ok, _ := f(v, 3)
		return t, ok
	})
}

func bindTextToLTZ(args []function.Arg) (function.Call, error) {
	if len(args) == 1 {
		return function.CallMapErr1(func(s string) (types.TS, error) {
			t, ok := types.ParseTimestamp(s, 3)
			if !ok {
				return t, fmt.Errorf("%q is no timestamp", s)
			}
			return t, nil
		}), nil
	}
	ps, err := patternsOf(args, 1, false)
	if err != nil {
		return nil, err
	}
	read := func(s, pattern string) (types.TS, bool, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return types.TS{}, false, err
		}
		t, ok := parseOrSQL(p, s)
		return t, ok, nil
	}
	if len(args) == 2 {
		return okErr2(read), nil
	}
	byID := zones{find: zoneByID}
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[types.TS])
		texts, tm := function.Column[string](args[0])
		pats, pm := function.Column[string](args[1])
		names, nm := function.Column[string](args[2])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			t, ok, err := read(texts[i&tm], pats[i&pm])
			if err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
			zone := byID.of(names[i&nm])
			if zone == nil {
				return &function.RowError{Row: int(i), Err: fmt.Errorf("no time zone %q", names[i&nm])}
			}
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = zone.ToUTC(t)
		}
		return nil
	}, nil
}
