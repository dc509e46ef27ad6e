package builtin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The times of RocketMQ-Streams are texts: yyyy-MM-dd HH:mm:ss or yyyy-MM-dd,
// or by a SimpleDateFormat pattern where one is given. Texts that are no times
// give NULL. Epochs are of the session's time zone.

var etlTimeFuncs = slices.Concat([]function.Def{
	{
		Name: "DATEDIFF", Group: "time", Sig: "(STRING, STRING) -> INT? | (TIMESTAMPS, TIMESTAMPS) -> INT?",
		Doc:    "The whole days from the second time to the first.",
		Eg:     []function.Example{{Expr: "DATEDIFF('2017-10-15 23:00:00', '2017-09-15 00:00:00')", Result: "30"}, {Expr: "DATEDIFF('bad', '2017-09-15')", Result: "NULL"}},
		Scalar: function.Bound(bindDateDiff),
	},
	dayShift("DATE_ADD", 1, "2017-10-15"), dayShift("DATE_SUB", -1, "2017-08-16"),
	{
		Name: "DATEADD", Aliases: []string{"ADDDATE", "TIMEADD"}, Group: "time", Sig: "(STRING, STRING, BIGINT) -> STRING?",
		Doc: "The time moved by a number of units: yyyy or year, MM or month, dd or day, hh or hour, mm or minute, ss or second, week, frac_second (milliseconds).",
		Eg:  []function.Example{{Expr: "DATEADD('2024-01-31 10:00:00', 'MM', 1)", Result: "2024-02-29 10:00:00"}},
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			read := newEtlReader(cx)
			return function.CallAppendOk3(func(dst []byte, s, unit string, n int64) ([]byte, bool) {
				t, p, ok := read.parse(s, "")
				span := etlUnit(unit)
				if !ok || span == 0 {
					return dst, false
				}
				return read.write(dst, move(t, span, n), p)
			}), nil
		}),
	},
	unitShift("ADDYEAR", "YEARADD", "YEAR", "2025-02-28 10:00:00"), unitShift("ADDMONTH", "MONTHADD", "MONTH", "2024-03-29 10:00:00"),
	unitShift("ADDDAY", "DAYADD", "DAY", "2024-03-01 10:00:00"), unitShift("ADDHOUR", "HOURADD", "HOUR", "2024-02-29 11:00:00"),
	{
		Name: "FORMAT", Aliases: []string{"DATEFORMAT", "MODIFYFORMAT"}, Group: "time", Sig: "(STRING, STRING) -> STRING? | (STRING, STRING, STRING) -> STRING?",
		Doc:    "The time in another format: of a text in the standard form, or in the format of the second argument.",
		Eg:     []function.Example{{Expr: "FORMAT('29/02/2024', 'dd/MM/yyyy', 'yyyyMMdd')", Result: "20240229"}},
		Scalar: function.Bound(bindReformat),
	},
	{
		Name: "DATE_FORMAT", Group: "time", Sig: "(STRING, STRING, STRING) -> STRING?",
		Doc:    "The time of a text in the format of the second argument, written in that of the third.",
		Eg:     []function.Example{{Expr: "DATE_FORMAT('29/02/2024', 'dd/MM/yyyy', 'yyyyMMdd')", Result: "20240229"}},
		Scalar: function.Bound(bindReformat),
	},
	{
		Name: "DATEPART", Aliases: []string{"DATE"}, Group: "time", Sig: "(STRING, STRING) -> STRING? | (STRING, STRING, STRING) -> STRING?",
		Doc: "A field of the time as text: year, month, day, hour, minute, second or their pattern letters. The format may stand between time and unit.",
		Eg:  []function.Example{{Expr: "DATEPART('2024-02-29 10:00:00', 'month')", Result: "2"}},
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			read := newEtlReader(cx)
			return textCall(func(dst []byte, s, format, unit string) ([]byte, bool) {
				t, _, ok := read.parse(s, format)
				field := etlField(etlUnitName(unit))
				if !ok || field == nil {
					return dst, false
				}
				return fmt.Appendf(dst, "%d", field(t)), true
			}), nil
		}),
	},
	{
		Name: "DATETRUNC", Aliases: []string{"DATEFIRST"}, Group: "time", Sig: "(STRING, STRING, [STRING]) -> STRING?",
		Doc: "The start of the year, month, day, hour or minute (mm) of the time.",
		Eg:  []function.Example{{Expr: "DATETRUNC('2024-02-29 10:11:12', 'month')", Result: "2024-02-01 00:00:00"}},
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			read := newEtlReader(cx)
			return textCall(func(dst []byte, s, second, third string) ([]byte, bool) {
				unit, format := second, third
				if unit == "" { // two arguments: textCall gives the last one
					unit, format = third, ""
				}
				t, p, ok := read.parse(s, format)
				if !ok {
					return dst, false
				}
				switch u := etlUnitName(unit); u {
				case "YEAR", "MONTH":
					t = types.TSFromMs(roundDay(t.Date(), u, false) * types.MsPerDay)
				case "DAY":
					t = types.TSFromMs(t.Date() * types.MsPerDay)
				case "HOUR", "MINUTE":
					t = types.TSFromMs(roundMs(t.Ms, clockUnits[u], false))
				default:
					return dst, false
				}
				return read.write(dst, t, p)
			}), nil
		}),
	},
	{
		Name: "LASTDAY", Group: "time", Sig: "(STRING, [STRING]) -> STRING?",
		Doc: "The last day of the time's month, at the same time of the day.",
		Eg:  []function.Example{{Expr: "LASTDAY('2024-02-05 10:00:00')", Result: "2024-02-29 10:00:00"}},
		Scalar: etlText(func(dst []byte, r *etlReader, t types.TS, _ *javaPattern) ([]byte, bool) {
			day := t.Date()
			y, m, d := types.CivilFromDays(day)
			return r.write(dst, t.AddMs(int64(types.DaysInMonth(y, m)-d)*types.MsPerDay), r.standard)
		}),
	},
	{
		Name: "NEXTDAY", Group: "time", Sig: "(STRING, STRING) -> STRING?",
		Doc: "The first day after the time that is the weekday, given by its English name or the first letters of it.",
		Eg:  []function.Example{{Expr: "NEXTDAY('2024-02-29 10:00:00', 'Monday')", Result: "2024-03-04 10:00:00"}},
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			read := newEtlReader(cx)
			return function.CallAppendOk2(func(dst []byte, s, name string) ([]byte, bool) {
				t, p, ok := read.parse(s, "")
				if !ok || len(name) < 2 {
					return dst, false
				}
				for k, day := range dayNames {
					if len(name) <= len(day) && strings.EqualFold(day[:len(name)], name) {
						ahead := types.FloorMod(int64(k+1-types.DayOfWeek(t.Date())), 7)
						if ahead == 0 {
							ahead = 7
						}
						return read.write(dst, t.AddMs(ahead*types.MsPerDay), p)
					}
				}
				return dst, false
			}), nil
		}),
	},
	{
		Name: "ISDATE", Aliases: []string{"ISVALIDTIME"}, Group: "time", Sig: "(STRING, [STRING]) -> BOOLEAN",
		Doc: "Whether the text is a time in the standard form or in the format.",
		Eg:  []function.Example{{Expr: "ISDATE('2024-02-29')", Result: "TRUE"}, {Expr: "ISDATE('29.2.', 'yyyy')", Result: "TRUE"}, {Expr: "ISDATE('x')", Result: "FALSE"}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			read := newEtlReader(cx)
			if len(args) == 1 {
				return function.CallMap1(func(s string) bool { _, _, ok := read.parse(s, ""); return ok }), nil
			}
			return function.CallMap2(func(s, format string) bool { _, _, ok := read.parse(s, format); return ok }), nil
		}),
	},
}, etlFieldFuncs, etlEpochFuncs)

// etlReader reads and writes the times of texts.
type etlReader struct {
	standard, date *javaPattern
	others         patterns
	utc, zone      *types.Zone
	century        int
}

func newEtlReader(cx *function.Context) *etlReader {
	r := &etlReader{others: patterns{compile: compileSimple}, utc: types.NewZone(nil), zone: types.NewZone(nil), century: centuryStart(cx)}
	if cx != nil {
		r.zone = types.NewZone(cx.Zone)
	}
	r.standard, _ = compileSimple(sqlPattern)
	r.date, _ = compileSimple("yyyy-MM-dd")
	return r
}

// parse returns the local time of s and the pattern it was read by; format ""
// means the standard forms.
func (r *etlReader) parse(s, format string) (types.TS, *javaPattern, bool) {
	if format != "" {
		p, err := r.others.of(format)
		if err != nil {
			return types.TS{}, nil, false
		}
		ms, ok := p.parseSimple(s, r.utc, r.century)
		return types.TSFromMs(ms), p, ok
	}
	for _, p := range []*javaPattern{r.standard, r.date} {
		if ms, ok := p.parseSimple(s, r.utc, r.century); ok {
			return types.TSFromMs(ms), p, true
		}
	}
	return types.TS{}, nil, false
}

func (r *etlReader) write(dst []byte, t types.TS, p *javaPattern) ([]byte, bool) {
	dst, err := p.format(dst, t, time.UTC, t.Ms)
	return dst, err == nil
}

// textCall makes a Call of a function of two or three texts; the one in the
// middle is "" if there are two.
func textCall(f func(dst []byte, a, b, c string) ([]byte, bool)) function.Call {
	two := function.CallAppendOk2(func(dst []byte, a, c string) ([]byte, bool) { return f(dst, a, "", c) })
	three := function.CallAppendOk3(f)
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		if len(args) == 2 {
			return two(args, sel, out)
		}
		return three(args, sel, out)
	}
}

// etlText makes a scalar of a function of a time and its format, if one is given.
func etlText(f func(dst []byte, r *etlReader, t types.TS, p *javaPattern) ([]byte, bool)) *function.Scalar {
	return function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
		r := newEtlReader(cx)
		do := func(dst []byte, s, format string) ([]byte, bool) {
			t, p, ok := r.parse(s, format)
			if !ok {
				return dst, false
			}
			return f(dst, r, t, p)
		}
		if len(args) == 1 {
			return function.CallAppendOk1(func(dst []byte, s string) ([]byte, bool) { return do(dst, s, "") }), nil
		}
		return function.CallAppendOk2(do), nil
	})
}

// etlUnitName is the unit of a name or pattern letters; mm is minutes, MM months.
func etlUnitName(unit string) string {
	switch unit {
	case "MM":
		return "MONTH"
	case "mm":
		return "MINUTE"
	}
	switch u := strings.ToUpper(unit); u {
	case "YYYY", "YEAR", "YEARS":
		return "YEAR"
	case "MONTH", "MONTHS":
		return "MONTH"
	case "DD", "DAY", "DAYS":
		return "DAY"
	case "HH", "HOUR", "HOURS":
		return "HOUR"
	case "MINUTE", "MINUTES":
		return "MINUTE"
	case "SS", "SECOND", "SECONDS":
		return "SECOND"
	case "FRAC_SECOND":
		return "MILLISECOND"
	default:
		return u
	}
}

func etlUnit(unit string) int64 { return addUnits[etlUnitName(unit)] }

// move moves t by n units, of span milliseconds or, if negative, months.
func move(t types.TS, span, n int64) types.TS {
	n = max(min(n, 1<<31), -1<<31)
	if span < 0 {
		return t.AddMonths(max(min(n*-span, 12*100_000), -12*100_000))
	}
	return t.AddMs(n * span)
}

func unitShift(name, alias, unit, result string) function.Def {
	return function.Def{
		Name: name, Aliases: []string{alias}, Group: "time", Sig: "(STRING, BIGINT) -> STRING? | (STRING, STRING, BIGINT) -> STRING?",
		Doc: "The time moved by a number of " + strings.ToLower(unit) + "s; the format may stand between them.",
		Eg:  []function.Example{{Expr: name + "('2024-02-29 10:00:00', 1)", Result: result}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			r, span := newEtlReader(cx), addUnits[unit]
			do := func(dst []byte, s, format string, n int64) ([]byte, bool) {
				t, p, ok := r.parse(s, format)
				if !ok {
					return dst, false
				}
				return r.write(dst, move(t, span, n), p)
			}
			if len(args) == 2 {
				return function.CallAppendOk2(func(dst []byte, s string, n int64) ([]byte, bool) { return do(dst, s, "", n) }), nil
			}
			return function.CallAppendOk3(do), nil
		}),
	}
}

func dayShift(name string, sign int64, result string) function.Def {
	return function.Def{
		Name: name, Group: "time", Sig: "(STRING, BIGINT) -> STRING? | (TIMESTAMPS, BIGINT) -> STRING?",
		Doc: "The day some days " + map[int64]string{1: "after", -1: "before"}[sign] + " the time, as yyyy-MM-dd.",
		Eg:  []function.Example{{Expr: name + "('2017-09-15', 30)", Result: result}},
		Scalar: function.Bound(func(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			r := newEtlReader(cx)
			write := func(dst []byte, t types.TS, n int64) []byte {
				return types.AppendDate(dst, int32(move(t, types.MsPerDay, sign*n).Date()))
			}
			if args[0].Type.IsChar() {
				return function.CallAppendOk2(func(dst []byte, s string, n int64) ([]byte, bool) {
					t, _, ok := r.parse(s, "")
					if !ok {
						return dst, false
					}
					return write(dst, t, n), true
				}), nil
			}
			local := args[0].Type.Kind == types.TimestampLTZ
			return function.CallAppend2(func(dst []byte, t types.TS, n int64) []byte {
				if local {
					t = r.zone.ToLocal(t)
				}
				return write(dst, t, n)
			}), nil
		}),
	}
}

func bindDateDiff(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	days := func(end, start types.TS) int32 { return int32((end.Ms - start.Ms) / types.MsPerDay) }
	if !args[0].Type.IsChar() {
		return function.CallMap2(days), nil
	}
	r := newEtlReader(cx)
	return function.CallMapOk2(func(end, start string) (int32, bool) {
		e, _, ok := r.parse(end, "")
		if !ok {
			return 0, false
		}
		s, _, ok := r.parse(start, "")
		return days(e, s), ok
	}), nil
}

func bindReformat(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
	r := newEtlReader(cx)
	to := patterns{compile: compileSimple}
	return textCall(func(dst []byte, s, from, format string) ([]byte, bool) {
		t, _, ok := r.parse(s, from)
		if !ok {
			return dst, false
		}
		p, err := to.of(format)
		if err != nil {
			return dst, false
		}
		return r.write(dst, t, p)
	}), nil
}
