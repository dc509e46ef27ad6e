package builtin

import (
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// etlFieldFuncs are the fields of times in texts: overloads of Flink's
// functions of the same names, which take dates and timestamps.
var etlFieldFuncs = []function.Def{
	etlFieldDef("YEAR", "YYYY", "YEAR", "2024"), etlFieldDef("QUARTER", "", "QUARTER", "1"), etlFieldDef("MONTH", "", "MONTH", "2"),
	etlFieldDef("WEEK", "WEEKOFYEAR", "WEEK", "9"), etlFieldDef("DAYOFMONTH", "DAY DD", "DAY", "29"), etlFieldDef("HOUR", "HH", "HOUR", "10"),
	etlFieldDef("MINUTE", "", "MINUTE", "11"), etlFieldDef("SECOND", "SS", "SECOND", "12"), etlFieldDef("WEEKDAY", "", "WEEKDAY", "4"),
}

// etlField is the function for a field of a time, nil if unit is none.
func etlField(unit string) func(types.TS) int64 {
	if unit == "WEEKDAY" { // 0 for Sunday
		return func(t types.TS) int64 { return int64(types.DayOfWeek(t.Date())) - 1 }
	}
	if f := dayField(unit); f != nil {
		return func(t types.TS) int64 { return f(t.Date()) }
	}
	if clockUnits[unit] > 0 {
		return func(t types.TS) int64 { return clockField(unit, int64(t.TimeOfDay())) }
	}
	return nil
}

func etlFieldDef(name, alias, unit, result string) function.Def {
	d := function.Def{
		Name: name, Group: "time", Sig: "(STRING, [STRING]) -> BIGINT?",
		Doc: "The " + name + " field of a time in a text, in the standard form or in a format.",
		Eg:  []function.Example{{Expr: name + "('2024-02-29 10:11:12')", Result: result}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			r, field := newEtlReader(cx), etlField(unit)
			do := func(s, format string) (int64, bool) {
				t, _, ok := r.parse(s, format)
				if !ok {
					return 0, false
				}
				return field(t), true
			}
			if len(args) == 1 {
				return function.CallMapOk1(func(s string) (int64, bool) { return do(s, "") }), nil
			}
			return function.CallMapOk2(do), nil
		}),
	}
	if alias != "" {
		d.Aliases = strings.Fields(alias)
	}
	return d
}

// etlEpochFuncs convert between texts and numbers.
var etlEpochFuncs = []function.Def{
	epochText("TIMESTAMP2STRING", 1, "1709210096789", "TIMELONG2STRING"), epochText("LINUXTIME2STRING", 1000, "1709210096", "LINUXTOCHAR"),
	epochText("FROMUNIXTIME", 1000, "1709210096"),
	epochOf("CURSTAMP", 1, "1709210096000", "TIMESTAMP"), epochOf("CURSTAMP_SECOND", 1000, "1709210096", "TIMESTAMP_SECOND"),
	epochOf("UNIXTIMESTAMP", 1000, "1709210096", "UNIXTIME"),
	{
		Name: "GETDATE", Aliases: []string{"GETTIME"}, Group: "time", Sig: "() -> BIGINT!", Volatile: true, Doc: "The current time in milliseconds since 1970.",
		Scalar: clockScalar(rowTime, func(t types.TS, _ *types.Zone) int64 { return t.Ms }),
	},
	{
		Name: "NEWDATE", Aliases: []string{"ADDNOW", "ADDRECEIVETIME"}, Group: "time", Sig: "([STRING]) -> STRING?", Volatile: true, Doc: "The current time as text, in the standard form or in a format.",
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			ps := laxPatternsOf(args, 0)
			zone := types.NewZone(cx.Zone)
			return rowText(func(dst []byte, args []vector.Vector, i int) ([]byte, bool) {
				format := sqlPattern
				if len(args) > 0 {
					vals, mask := function.Column[string](args[0])
					format = vals[int32(i)&mask]
				}
				p, err := ps.of(format)
				if err != nil {
					return dst, false
				}
				now := types.TSFromTime(cx.Now())
				dst, err = p.format(dst, zone.ToLocal(now), cx.Zone, now.Ms)
				return dst, err == nil
			}), nil
		}),
	},
	dayBorder("DAYBEGIN", "start", 0), dayBorder("DAYEND", "end", types.MsPerDay-1),
	{
		Name: "TO_DATE", Group: "time", Sig: "(BIGINT) -> DATE?", Doc: "The day some days after 1970-01-01.",
		Eg: []function.Example{{Expr: "TO_DATE(100)", Result: "1970-04-11"}},
		Scalar: function.MapOk1(func(days int64) (int32, bool) {
			return int32(days), days > -100_000_000 && days < 100_000_000
		}),
	},
	{
		Name: "TO_TIMESTAMP", Group: "time", Sig: "(BIGINT) -> TIMESTAMP(3)?", Doc: "The local time some milliseconds after 1970.",
		Eg: []function.Example{{Expr: "TO_TIMESTAMP(1709210096789)", Result: "2024-02-29 12:34:56.789"}},
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			zone := types.NewZone(cx.Zone)
			return function.CallMapOk1(func(ms int64) (types.TS, bool) {
				t, ok, _ := fromEpoch(ms, 3)
				return zone.ToLocal(t), ok
			}), nil
		}),
	},
}

// etlTimeVariants mean something else in rsqldb than in Flink.
var etlTimeVariants = []function.Def{
	{
		Name: "NOW", Group: "time", Sig: "([BIGINT]) -> BIGINT", Volatile: true,
		Doc: "The current time in seconds since 1970, moved by a number of seconds.",
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if len(args) == 1 {
				return function.CallMap1(func(n int64) int64 { return types.FloorDiv(cx.Now().UnixMilli(), 1000) + n }), nil
			}
			return clockScalar(rowTime, func(t types.TS, _ *types.Zone) int64 { return types.FloorDiv(t.Ms, 1000) }).Bind(cx, args, types.Type{})
		}),
	},
}

// epochText makes a function from a number of units of ms milliseconds to text.
func epochText(name string, ms int64, eg string, aliases ...string) function.Def {
	unit := map[int64]string{1: "milliseconds", 1000: "seconds"}[ms]
	return function.Def{
		Name: name, Aliases: aliases, Group: "time", Sig: "(BIGINT, [STRING]) -> STRING?",
		Doc: "The time some " + unit + " after 1970 as text, in the standard form or in a format.",
		Eg:  []function.Example{{Expr: name + "(" + eg + ")", Result: "2024-02-29 12:34:56"}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			ps := laxPatternsOf(args, 1)
			zone := types.NewZone(cx.Zone)
			do := func(dst []byte, n int64, format string) ([]byte, bool) {
				p, err := ps.of(format)
				if err != nil || n > 1<<50/ms || n < -1<<50/ms {
					return dst, false
				}
				dst, err = p.format(dst, zone.ToLocal(types.TSFromMs(n*ms)), cx.Zone, n*ms)
				return dst, err == nil
			}
			if len(args) == 1 {
				return function.CallAppendOk1(func(dst []byte, n int64) ([]byte, bool) { return do(dst, n, sqlPattern) }), nil
			}
			return function.CallAppendOk2(do), nil
		}),
	}
}

// epochOf makes a function from text, or from the clock, to a number of units.
func epochOf(name string, ms int64, result string, aliases ...string) function.Def {
	unit := map[int64]string{1: "milliseconds", 1000: "seconds"}[ms]
	return function.Def{
		Name: name, Aliases: aliases, Group: "time", Sig: "([STRING], [STRING]) -> BIGINT?", Volatile: true,
		Doc: "The " + unit + " since 1970 of a text, in the standard form or in a format; without arguments of the current time.",
		Eg:  []function.Example{{Expr: name + "('2024-02-29 12:34:56')", Result: result}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			r := newEtlReader(cx)
			do := func(s, format string) (int64, bool) {
				t, _, ok := r.parse(s, format)
				return types.FloorDiv(calendarUTC(r.zone, t.Ms), ms), ok
			}
			switch len(args) {
			case 0:
				return clockScalar(rowTime, func(t types.TS, _ *types.Zone) int64 { return types.FloorDiv(t.Ms, ms) }).Bind(cx, args, types.Type{})
			case 1:
				return function.CallMapOk1(func(s string) (int64, bool) { return do(s, "") }), nil
			}
			return function.CallMapOk2(do), nil
		}),
	}
}

// dayBorder makes a function to the start or end of the day some days ago.
func dayBorder(name, what string, add int64) function.Def {
	return function.Def{
		Name: name, Aliases: []string{strings.TrimPrefix(name, "DAY")}, Group: "time", Sig: "(BIGINT) -> BIGINT", Volatile: true,
		Doc: "The " + what + " of the day some days ago, in milliseconds since 1970.",
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			zone := types.NewZone(cx.Zone)
			return function.CallMap1(func(n int64) int64 {
				today := zone.ToLocal(types.TSFromTime(cx.Now())).Date()
				return calendarUTC(zone, (today-max(min(n, 1<<31), -1<<31))*types.MsPerDay+add)
			}), nil
		}),
	}
}
