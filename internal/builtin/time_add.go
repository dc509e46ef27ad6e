package builtin

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var timeAddFuncs = []function.Def{
	{
		Name: "TIMESTAMPADD", Group: "time", Sig: "(unit, INTEGER, TEMPORAL) -> TEMPORAL",
		Doc: "The time moved by a number of units: YEAR, QUARTER, MONTH (days past the end of the month become its last), WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND. " +
			"A DATE moved by less than days becomes a TIMESTAMP.",
		Eg: []function.Example{{Expr: "TIMESTAMPADD(MONTH, 1, DATE '2024-01-31')", Result: "2024-02-29"},
			{Expr: "TIMESTAMPADD(MINUTE, 30, TIME '12:34:56')", Result: "13:04:56"}},
		Infer:  inferAdd,
		Scalar: function.Bound(bindAdd),
	},
	{
		Name: "TIMESTAMPDIFF", Group: "time", Sig: "(unit, TEMPORAL, TEMPORAL) -> INT",
		Doc: "How many whole units lie between the first and the second time; negative if the second is earlier.",
		Eg: []function.Example{{Expr: "TIMESTAMPDIFF(DAY, DATE '2024-02-28', DATE '2024-03-01')", Result: "2"},
			{Expr: "TIMESTAMPDIFF(MONTH, DATE '2024-03-01', DATE '2024-01-31')", Result: "-1"}},
		Infer:  inferDiff,
		Scalar: function.Bound(bindDiff),
	},
	{
		Name: "TIMESTAMPDIFF_INTERVAL", Group: "time", Sig: "(TEMPORAL - TEMPORAL) unit -> INTERVAL",
		Doc:    "The interval between two times: whole months for YEAR and MONTH, milliseconds for all shorter units.",
		Infer:  inferInterval,
		Scalar: function.Bound(bindInterval),
	},
}

// inferInterval resolves (a - b) unit; the arguments are a, b and the unit.
func inferInterval(args []function.Arg) (function.Signature, error) {
	if len(args) != 3 || args[2].Type.Kind != types.Symbol {
		return function.Signature{}, errors.New("want (a - b) unit")
	}
	if a, b := args[0].Type, args[1].Type; (a.Kind == types.Date) != (b.Kind == types.Date) {
		return function.Signature{}, fmt.Errorf("(a - b) unit takes two times of one kind, not %s and %s", a.OrNull(), b.OrNull())
	}
	s, err := inferDiff([]function.Arg{{Type: types.Of(types.Symbol), Const: true, Value: "SECOND"}, args[0], args[1]})
	if err != nil {
		return s, err
	}
	nullable := s.Result.Nullable
	unit, _ := args[2].Value.(string)
	s.Args = append(s.Args[1:], args[2].Type)
	switch strings.Fields(unit + " ")[0] {
	case "YEAR", "MONTH", "QUARTER":
		s.Result = types.Type{Kind: types.IntervalYM, Unit: unit, Prec: 2, Nullable: nullable}
	default:
		s.Result = types.Type{Kind: types.IntervalDS, Unit: unit, Prec: 3, Nullable: nullable}
	}
	return s, nil
}

func bindInterval(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	months := result.Kind == types.IntervalYM
	if args[0].Type.Kind == types.Time {
		return function.CallMap2(func(a, b int32) int64 { return int64(a) - int64(b) }), nil
	}
	if months {
		return function.CallMap2(func(a, b types.TS) int32 { return int32(monthsBetween(b.Ms, a.Ms)) }), nil
	}
	return function.CallMap2(func(a, b types.TS) int64 { return a.Ms - b.Ms }), nil
}

// addUnits are the units of TIMESTAMPADD in milliseconds, or negative in months.
var addUnits = map[string]int64{
	"MILLISECOND": 1, "SECOND": types.MsPerSecond, "MINUTE": types.MsPerMinute, "HOUR": types.MsPerHour, "DAY": types.MsPerDay,
	"WEEK": types.MsPerWeek, "MONTH": -1, "QUARTER": -3, "YEAR": -12, "ISOYEAR": -12, "DECADE": -120, "CENTURY": -1200, "MILLENNIUM": -12000,
}

// fieldUnits are the units that are fields of a time but no lengths. A NULL may
// be moved by them, and TIMESTAMPDIFF counts the days for the fields of days.
var fieldUnits = map[string]bool{"DOW": true, "ISODOW": true, "DOY": true, "EPOCH": true, "MICROSECOND": true, "NANOSECOND": true}

func noUnit(unit string) error {
	return fmt.Errorf("no unit %s here; there are YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND", unit)
}

func unitArg(args []function.Arg) (string, int64, error) {
	if len(args) != 3 || args[0].Type.Kind != types.Symbol {
		return "", 0, errors.New("want a unit and two arguments, such as TIMESTAMPADD(DAY, 1, t)")
	}
	unit, _ := args[0].Value.(string)
	span, ok := addUnits[unit]
	if !ok && !fieldUnits[unit] {
		return unit, 0, noUnit(unit)
	}
	return unit, span, nil
}

func inferAdd(args []function.Arg) (function.Signature, error) {
	unit, span, err := unitArg(args)
	if err != nil {
		return function.Signature{}, err
	}
	n, t := args[1].Type, args[2].Type.Plain()
	if !n.IsInteger() || !t.IsTemporal() {
		return function.Signature{}, fmt.Errorf("TIMESTAMPADD takes a unit, an integer and a time, not (%s, %s)", n.OrNull(), t.OrNull())
	}
	s := function.Signature{Args: argTypes(args), Result: t}
	s.Args[1] = types.Of(types.BigInt).WithNull(n.Nullable)
	switch {
	case span == 0 && unit == "MICROSECOND" && t.IsTimestamp():
		s.Result.Prec = max(t.Prec, 6)
	case span == 0:
	case t.Kind == types.Date && span > 0 && span < types.MsPerDay:
		s.Result = types.TimestampOf(6)
		s.Args[2] = types.TimestampOf(6).WithNull(t.Nullable)
	case span == 1 && t.Kind != types.Date:
		s.Result.Prec = max(t.Prec, 3)
	}
	s.Result = s.Result.WithNull(t.Nullable || n.Nullable)
	return s, nil
}

var errTimeRange = errors.New("the time is out of range")

func bindAdd(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	unit, span, err := unitArg(args)
	if err != nil {
		return nil, err
	}
	var call function.Call
	switch kind := args[2].Type.Kind; {
	case span == 0:
		return noSpan(unit, args[1:], kind)
	case kind == types.Date:
		call = function.CallMapErr2(func(n int64, d int32) (int32, error) {
			if n > 1<<31 || n < -1<<31 {
				return 0, errTimeRange
			}
			day := int64(d) + n*(span/types.MsPerDay)
			if span < 0 {
				day = types.AddMonthsToDays(int64(d), n*-span)
			}
			if int64(int32(day)) != day {
				return 0, errTimeRange
			}
			return int32(day), nil
		})
	case kind == types.Time:
		call = function.CallMap2(func(n int64, ms int32) int32 {
			if span < 0 {
				return ms
			}
			return int32(types.FloorMod(int64(ms)+n%types.MsPerDay*span, types.MsPerDay))
		})
	default:
		prec := result.Prec
		call = function.CallMapErr2(func(n int64, t types.TS) (types.TS, error) {
			if n > 1<<38 || n < -1<<38 {
				if span != 1 || n > 1<<52 || n < -1<<52 {
					return t, errTimeRange
				}
			}
			if span < 0 {
				if n > 1<<31 || n < -1<<31 {
					return t, errTimeRange
				}
				return t.AddMonths(n * -span), nil
			}
			if n != 0 && (n*span)/n != span {
				return t, errTimeRange
			}
			return t.AddMs(n * span).Truncate(prec), nil
		})
	}
	return shifted(call, 1), nil
}

// noSpan is a call for a unit without a length: no value can be moved by it, and
// NULLs do not get here.
func noSpan(unit string, args []function.Arg, kind types.Kind) (function.Call, error) {
	switch kind {
	case types.Date:
		return shifted(function.CallMapErr2(func(int64, int32) (int32, error) { return 0, noUnit(unit) }), 1), nil
	case types.Time:
		return shifted(function.CallMapErr2(func(int64, int32) (int32, error) { return 0, noUnit(unit) }), 1), nil
	}
	return shifted(function.CallMapErr2(func(int64, types.TS) (types.TS, error) { return types.TS{}, noUnit(unit) }), 1), nil
}

func inferDiff(args []function.Arg) (function.Signature, error) {
	unit, span, err := unitArg(args)
	if err != nil {
		return function.Signature{}, err
	}
	if span == 0 && unit != "DOW" && unit != "ISODOW" && unit != "DOY" {
		return function.Signature{}, noUnit(unit)
	}
	a, b := args[1].Type, args[2].Type
	s := function.Signature{Args: argTypes(args), Result: types.Of(types.Int).WithNull(a.Nullable || b.Nullable)}
	ok := a.IsTemporal() && b.IsTemporal() && (a.Kind == types.Time) == (b.Kind == types.Time) &&
		(a.Kind == types.TimestampLTZ) == (b.Kind == types.TimestampLTZ)
	if !ok && a.IsTemporal() && b.IsTemporal() && (a.Kind == types.Time) != (b.Kind == types.Time) && (span < 0 || a.Nullable || b.Nullable) {
		return s, nil // see bindDiff
	}
	if !ok {
		return s, fmt.Errorf("TIMESTAMPDIFF takes two times of one kind, not %s and %s", a.OrNull(), b.OrNull())
	}
	if a.Kind != types.Time {
		for i := 1; i <= 2; i++ {
			if t := s.Args[i]; t.Kind == types.Date {
				s.Args[i] = types.TimestampOf(3).WithNull(t.Nullable)
			}
		}
	}
	return s, nil
}

func bindDiff(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	unit, span, err := unitArg(args)
	if err != nil {
		return nil, err
	}
	if (args[1].Type.Kind == types.Time) != (args[2].Type.Kind == types.Time) {
		// Between a time of the day and a day lie no months, and nothing else is known.
		return func(in []vector.Vector, sel []int32, out vector.Vector) error {
			o := out.(*vector.Flat[int32])
			var all []int32
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				if span >= 0 {
					return &function.RowError{Row: int(i), Err: fmt.Errorf("TIMESTAMPDIFF takes two times of one kind, not %s and %s", args[1].Type.OrNull(), args[2].Type.OrNull())}
				}
				o.Vals[i] = 0
			}
			return nil
		}, nil
	}
	switch unit {
	case "DOW", "ISODOW", "DOY":
		span = types.MsPerDay
	case "DECADE": // as Flink counts them
		span = -12
	}
	diff := func(from, to int64) int32 {
		if span < 0 {
			return int32(monthsBetween(from, to) / -span)
		}
		return int32((to - from) / span)
	}
	if args[1].Type.Kind == types.Time {
		return shifted(function.CallMap2(func(a, b int32) int32 { return diff(int64(a), int64(b)) }), 1), nil
	}
	return shifted(function.CallMap2(func(a, b types.TS) int32 { return diff(a.Ms, b.Ms) }), 1), nil
}

// monthsBetween returns the whole months from one time to another. The last
// day of a shorter month completes a month that began on a later day.
func monthsBetween(from, to int64) int64 {
	day0, day1 := types.FloorDiv(to, types.MsPerDay), types.FloorDiv(from, types.MsPerDay)
	var n int64
	if day0 >= day1 {
		n = monthsBetweenDays(day1, day0)
	} else {
		n = -monthsBetweenDays(day0, day1)
	}
	if types.AddMonthsToDays(day1, n) == day0 && types.FloorMod(to, types.MsPerDay) < types.FloorMod(from, types.MsPerDay) {
		n--
	}
	return n
}

func monthsBetweenDays(from, to int64) int64 {
	y0, m0, _ := types.CivilFromDays(from)
	y1, m1, _ := types.CivilFromDays(to)
	n := int64(y1-y0)*12 + int64(m1-m0)
	if types.AddMonthsToDays(from, n) > to {
		n--
	}
	return n
}
