package builtin

import (
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var timeFloorFuncs = []function.Def{
	{
		Name: "FLOOR", Group: "time", Sig: "(TEMPORAL TO unit) -> TEMPORAL",
		Doc: "The time rounded down to a unit: MILLENNIUM, CENTURY, DECADE, YEAR, QUARTER, MONTH, WEEK (from Sunday), DAY, HOUR, MINUTE, SECOND, MILLISECOND.",
		Eg: []function.Example{{Expr: "FLOOR(TIMESTAMP '2024-02-29 12:34:56' TO HOUR)", Result: "2024-02-29 12:00:00"},
			{Expr: "FLOOR(DATE '2024-02-29' TO WEEK)", Result: "2024-02-25"}},
		Infer:  inferRoundTime,
		Scalar: function.Bound(bindRoundTime(false)),
	},
	{
		Name: "CEIL", Aliases: []string{"CEILING"}, Group: "time", Sig: "(TEMPORAL TO unit) -> TEMPORAL",
		Doc: "The time rounded up to a unit, as for FLOOR. From years to weeks the time of the day does not count, and the next century, decade or millennium is taken in any case.",
		Eg: []function.Example{{Expr: "CEIL(TIMESTAMP '2024-02-29 12:34:56' TO HOUR)", Result: "2024-02-29 13:00:00"},
			{Expr: "CEIL(DATE '2024-02-29' TO MONTH)", Result: "2024-03-01"}},
		Infer:  inferRoundTime,
		Scalar: function.Bound(bindRoundTime(true)),
	},
}

var roundTimeUnits = map[string]bool{"MILLENNIUM": true, "CENTURY": true, "DECADE": true, "YEAR": true, "QUARTER": true, "MONTH": true, "WEEK": true}

// looseUnits are units to which Flink lets round and which change nothing: no
// DATE, and no TIMESTAMP by ISOYEAR. What else is rounded to them is an error of
// the row, so that NULL stays NULL.
var looseUnits = map[string]bool{"ISOYEAR": true, "DOW": true, "ISODOW": true, "DOY": true, "EPOCH": true, "MICROSECOND": true, "NANOSECOND": true}

func inferRoundTime(args []function.Arg) (function.Signature, error) {
	if len(args) != 2 || args[1].Type.Kind != types.Symbol {
		return function.Signature{}, fmt.Errorf("want a time and a unit: FLOOR(t TO DAY)")
	}
	t := args[0].Type
	if !t.IsTemporal() {
		return function.Signature{}, fmt.Errorf("want a date, time or timestamp before TO, not %s", t.OrNull())
	}
	unit, _ := args[1].Value.(string)
	if !roundTimeUnits[unit] && unit != "DAY" && clockUnits[unit] == 0 && !looseUnits[unit] {
		return function.Signature{}, fmt.Errorf("times are not rounded to %s", unit)
	}
	return function.Signature{Args: argTypes(args), Result: t.Plain()}, nil
}

func bindRoundTime(up bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
		unit, _ := args[1].Value.(string)
		span := clockUnits[unit]
		if unit == "DAY" {
			span = types.MsPerDay
		}
		if span == 0 && !roundTimeUnits[unit] && !looseUnits[unit] {
			return nil, fmt.Errorf("times are not rounded to %s", unit)
		}
		kind, isTimestamp := args[0].Type.Kind, args[0].Type.IsTimestamp()
		switch {
		case kind == types.Time && (unit == "YEAR" || unit == "ISOYEAR"), isTimestamp && unit == "ISOYEAR":
			return unrounded(kind), nil
		case kind == types.Time && clockUnits[unit] == 0, isTimestamp && looseUnits[unit]:
			return notRounded(kind, unit), nil
		}
		switch kind {
		case types.Date:
			if span > 0 || looseUnits[unit] {
				return function.CallMap1(func(d int32) int32 { return d }), nil
			}
			return function.CallMap1(func(d int32) int32 { return int32(roundDay(int64(d), unit, up)) }), nil
		case types.Time:
			return function.CallMap1(func(ms int32) int32 { return int32(types.FloorMod(roundMs(int64(ms), span, up), types.MsPerDay)) }), nil
		}
		zone := types.NewZone(nil)
		if args[0].Type.Kind == types.TimestampLTZ {
			zone = types.NewZone(cx.Zone)
		}
		return function.CallMap1(func(t types.TS) types.TS {
			offset := zone.Offset(t.Ms)
			ms := t.Ms + offset
			if span > 0 {
				ms = roundMs(ms, span, up)
				if up && t.Ns > 0 && ms == t.Ms+offset { // a part of a millisecond over the border
					ms += span
				}
			} else {
				ms = roundDay(types.FloorDiv(ms, types.MsPerDay), unit, up) * types.MsPerDay
			}
			return types.TSFromMs(ms - offset)
		}), nil
	}
}

func roundMs(ms, span int64, up bool) int64 {
	r := types.FloorMod(ms, span)
	if up && r > 0 {
		return ms - r + span
	}
	return ms - r
}

// roundDay rounds a day to a unit of days or more.
func roundDay(day int64, unit string, up bool) int64 {
	y, m, d := types.CivilFromDays(day)
	block := func(size int) int64 { // centuries start in year 1
		first := int(types.FloorDiv(int64(y-1), int64(size)))*size + 1
		if up {
			first += size
		}
		return types.DaysFromCivil(first, 1, 1)
	}
	switch unit {
	case "MILLENNIUM":
		return block(1000)
	case "CENTURY":
		return block(100)
	case "DECADE":
		first := int(types.FloorDiv(int64(y), 10)) * 10
		if up {
			first += 10
		}
		return types.DaysFromCivil(first, 1, 1)
	case "YEAR":
		if up && (m > 1 || d > 1) {
			y++
		}
		return types.DaysFromCivil(y, 1, 1)
	case "QUARTER":
		first := (m-1)/3*3 + 1
		if up && (m > first || d > 1) {
			return types.AddMonthsToDays(types.DaysFromCivil(y, first, 1), 3)
		}
		return types.DaysFromCivil(y, first, 1)
	case "MONTH":
		first := day - int64(d) + 1
		if up && d > 1 {
			return types.AddMonthsToDays(first, 1)
		}
		return first
	}
	past := int64(types.DayOfWeek(day) - 1)
	if up && past > 0 {
		return day - past + 7
	}
	return day - past
}

// shifted is a Call without its first n arguments, which were constants that
// Bind has taken.
func shifted(call function.Call, n int) function.Call {
	return func(args []vector.Vector, sel []int32, out vector.Vector) error { return call(args[n:], sel, out) }
}

// unrounded is a call that gives the times as they are.
func unrounded(kind types.Kind) function.Call {
	if kind == types.Time {
		return function.CallMap1(func(ms int32) int32 { return ms })
	}
	return function.CallMap1(func(t types.TS) types.TS { return t })
}

// notRounded is a call that fails for every time.
func notRounded(kind types.Kind, unit string) function.Call {
	err := fmt.Errorf("times of this kind are not rounded to %s", unit)
	if kind == types.Time {
		return function.CallMapErr1(func(int32) (int32, error) { return 0, err })
	}
	return function.CallMapErr1(func(t types.TS) (types.TS, error) { return t, err })
}
