package builtin

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

var timeExtractFuncs = []function.Def{
	{
		Name: "EXTRACT", Group: "time", Sig: "(unit FROM TEMPORAL) -> BIGINT",
		Doc: "A field of a time: MILLENNIUM, CENTURY, DECADE, YEAR, ISOYEAR, QUARTER, MONTH, WEEK (ISO), DAY, DOY, DOW (1 Sunday), ISODOW (1 Monday), " +
			"HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, NANOSECOND (of the second), EPOCH (seconds since 1970).",
		Eg: []function.Example{{Expr: "EXTRACT(DOW FROM DATE '2024-03-03')", Result: "1"},
			{Expr: "EXTRACT(MILLISECOND FROM TIMESTAMP '2024-02-29 12:34:56.789')", Result: "789"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 2 || args[0].Type.Kind != types.Symbol {
				return function.Signature{}, errors.New("EXTRACT takes a unit and a time: EXTRACT(YEAR FROM t)")
			}
			unit, _ := args[0].Value.(string)
			return inferExtract(unit, args)
		},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			unit, _ := args[0].Value.(string)
			return bindExtract(cx, unit, args, 1)
		}),
	},
	extractDef("YEAR", "YEAR", "The year."),
	extractDef("QUARTER", "QUARTER", "The quarter of the year, 1 to 4."),
	extractDef("MONTH", "MONTH", "The month, 1 to 12."),
	extractDef("WEEK", "WEEK", "The ISO week of the year, 1 to 53."),
	extractDef("DAYOFYEAR", "DOY", "The day of the year, 1 to 366."),
	extractDef("DAYOFMONTH", "DAY", "The day of the month, 1 to 31."),
	extractDef("DAYOFWEEK", "DOW", "The day of the week, 1 for Sunday to 7."),
	extractDef("HOUR", "HOUR", "The hour, 0 to 23."),
	extractDef("MINUTE", "MINUTE", "The minute, 0 to 59."),
	extractDef("SECOND", "SECOND", "The second, 0 to 59."),
}

func extractDef(name, unit, doc string) function.Def {
	results := map[string]string{"YEAR": "2024", "QUARTER": "1", "MONTH": "2", "WEEK": "9", "DOY": "60", "DAY": "29",
		"DOW": "5", "HOUR": "12", "MINUTE": "34", "SECOND": "56"}
	return function.Def{
		Name: name, Group: "time", Sig: "(TEMPORAL) -> BIGINT", Doc: doc,
		Eg: []function.Example{{Expr: name + "(TIMESTAMP '2024-02-29 12:34:56')", Result: results[unit]}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 {
				return function.Signature{}, fmt.Errorf("%s takes one argument", name)
			}
			return inferExtract(unit, args)
		},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			return bindExtract(cx, unit, args, 0)
		}),
	}
}

// dateUnits are the units that need a day, clockUnits those within one.
var (
	dateUnits = map[string]bool{"MILLENNIUM": true, "CENTURY": true, "DECADE": true, "YEAR": true, "ISOYEAR": true, "QUARTER": true,
		"MONTH": true, "WEEK": true, "DAY": true, "DOY": true, "DOW": true, "ISODOW": true}
	clockUnits = map[string]int64{"HOUR": types.MsPerHour, "MINUTE": types.MsPerMinute, "SECOND": types.MsPerSecond, "MILLISECOND": 1}
)

// monthFields are the units of an interval of months, in months.
var monthFields = map[string]int32{"MONTH": 1, "YEAR": 12, "DECADE": 120, "CENTURY": 1200, "MILLENNIUM": 12000}

func inferExtract(unit string, args []function.Arg) (function.Signature, error) {
	t := args[len(args)-1].Type
	s := function.Signature{Args: argTypes(args), Result: types.Of(types.BigInt).WithNull(t.Nullable)}
	_, clock := clockUnits[unit]
	fine := unit == "MICROSECOND" || unit == "NANOSECOND"
	ok := false
	switch {
	case t.IsTimestamp():
		ok = dateUnits[unit] || clock || fine || unit == "EPOCH"
	case t.Kind == types.Date:
		ok = dateUnits[unit] || clock || unit == "EPOCH" || fine
	case t.Kind == types.Time: // of a value it is an error, of NULL it is NULL
		ok = dateUnits[unit] || clock || fine || unit == "EPOCH"
	case t.Kind == types.IntervalYM:
		ok = monthFields[unit] > 0 || unit == "QUARTER"
	case t.Kind == types.IntervalDS:
		ok = clock || unit == "DAY" || unit == "EPOCH"
	default:
		return s, fmt.Errorf("EXTRACT takes a date, time or timestamp, not %s", t.OrNull())
	}
	if !ok {
		return s, fmt.Errorf("%s cannot be extracted from %s", unit, t.OrNull())
	}
	return s, nil
}

func bindExtract(cx *function.Context, unit string, args []function.Arg, at int) (function.Call, error) {
	call, err := extractCall(cx, unit, args[at].Type)
	if err != nil || at == 0 {
		return call, err
	}
	return shifted(call, at), nil
}

func extractCall(cx *function.Context, unit string, t types.Type) (function.Call, error) {
	ofDay := dayField(unit)
	switch t.Kind {
	case types.Date:
		switch {
		case unit == "EPOCH":
			return function.CallMap1(func(d int32) int64 { return int64(d) * 86400 }), nil
		case ofDay != nil:
			return function.CallMap1(func(d int32) int64 { return ofDay(int64(d)) }), nil
		}
		if clockUnits[unit] == 0 {
			return function.CallMapErr1(func(int32) (int64, error) { return 0, fmt.Errorf("%s cannot be extracted from %s", unit, t.OrNull()) }), nil
		}
		return function.CallMap1(func(int32) int64 { return 0 }), nil // a day starts at midnight
	case types.Time:
		if clockUnits[unit] == 0 {
			return function.CallMapErr1(func(int32) (int64, error) { return 0, fmt.Errorf("%s cannot be extracted from %s", unit, t.OrNull()) }), nil
		}
		return function.CallMap1(func(ms int32) int64 { return clockField(unit, int64(ms)) }), nil
	case types.IntervalYM:
		return function.CallMap1(func(months int32) int64 {
			switch unit {
			case "QUARTER":
				return int64(months%12/3 + 1)
			case "MONTH":
				return int64(months % 12)
			}
			return int64(months / monthFields[unit])
		}), nil
	case types.IntervalDS:
		return function.CallMap1(func(ms int64) int64 {
			switch unit {
			case "DAY":
				return ms / types.MsPerDay
			case "EPOCH":
				return ms / 1000
			}
			return clockField(unit, ms%types.MsPerDay)
		}), nil
	case types.Timestamp, types.TimestampLTZ:
	default:
		return nil, fmt.Errorf("%s cannot be extracted from %s", unit, t.OrNull())
	}
	zone := types.NewZone(nil)
	if t.Kind == types.TimestampLTZ {
		zone = types.NewZone(cx.Zone)
	}
	switch {
	case ofDay != nil:
		return function.CallMap1(func(t types.TS) int64 { return ofDay(zone.ToLocal(t).Date()) }), nil
	case unit == "EPOCH": // of the local time, as in Flink
		return function.CallMap1(func(t types.TS) int64 { return types.FloorDiv(zone.ToLocal(t).Ms, 1000) }), nil
	case unit == "MICROSECOND":
		return function.CallMap1(func(t types.TS) int64 { return int64(t.Nanos() / 1000) }), nil
	case unit == "NANOSECOND":
		return function.CallMap1(func(t types.TS) int64 { return int64(t.Nanos()) }), nil
	}
	factor := clockUnits[unit]
	if factor == 0 {
		return nil, fmt.Errorf("%s cannot be extracted from %s", unit, t.OrNull())
	}
	around := clockAround(unit)
	return function.CallMap1(func(t types.TS) int64 { return types.FloorMod(zone.ToLocal(t).Ms, around) / factor }), nil
}

// clockAround is how many milliseconds a unit's field counts in: a day for hours.
func clockAround(unit string) int64 {
	switch unit {
	case "HOUR":
		return types.MsPerDay
	case "MINUTE":
		return types.MsPerHour
	case "SECOND":
		return types.MsPerMinute
	}
	return types.MsPerSecond
}

func clockField(unit string, ms int64) int64 { return ms % clockAround(unit) / clockUnits[unit] }

// dayField returns the function for a field of a day, nil if unit is none.
func dayField(unit string) func(day int64) int64 {
	ofYear := func(f func(year int) int) func(int64) int64 {
		return func(day int64) int64 {
			y, _, _ := types.CivilFromDays(day)
			return int64(f(y))
		}
	}
	// blocks counts hundreds or thousands of years, the first ending in its last year.
	blocks := func(size int) func(int) int {
		return func(year int) int {
			if year > 0 {
				return (year + size - 1) / size
			}
			return (year - size + 1) / size
		}
	}
	switch unit {
	case "MILLENNIUM":
		return ofYear(blocks(1000))
	case "CENTURY":
		return ofYear(blocks(100))
	case "DECADE":
		return ofYear(func(y int) int { return y / 10 })
	case "YEAR":
		return ofYear(func(y int) int { return y })
	case "ISOYEAR":
		return func(day int64) int64 { y, _ := types.ISOWeek(day); return int64(y) }
	case "QUARTER":
		return func(day int64) int64 { _, m, _ := types.CivilFromDays(day); return int64(m+2) / 3 }
	case "MONTH":
		return func(day int64) int64 { _, m, _ := types.CivilFromDays(day); return int64(m) }
	case "WEEK":
		return func(day int64) int64 { _, w := types.ISOWeek(day); return int64(w) }
	case "DAY":
		return func(day int64) int64 { _, _, d := types.CivilFromDays(day); return int64(d) }
	case "DOY":
		return func(day int64) int64 { return int64(types.DayOfYear(day)) }
	case "DOW":
		return func(day int64) int64 { return int64(types.DayOfWeek(day)) }
	case "ISODOW":
		return func(day int64) int64 { return int64(types.ISODayOfWeek(day)) }
	}
	return nil
}
