package builtin

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// timeFuncs are the functions of dates and times: parsing and printing here,
// fields in time_extract.go, rounding in time_floor.go, arithmetic in
// time_add.go, the clock in time_now.go.
var timeFuncs = slices.Concat(timeTextFuncs, timeExtractFuncs, timeFloorFuncs, timeAddFuncs, timeNowFuncs)

var timeTextFuncs = []function.Def{
	{
		Name: "TO_DATE", Group: "time", Sig: "(STRING, [STRING]) -> DATE?",
		Doc: "The date of a text: yyyy-MM-dd, or by a SimpleDateFormat pattern. NULL for texts that are none.",
		Eg: []function.Example{{Expr: "TO_DATE('2024-02-29')", Result: "2024-02-29"}, {Expr: "TO_DATE('2024-02-30')", Result: "NULL"},
			{Expr: "TO_DATE('29.02.24', 'dd.MM.yy')", Result: "2024-02-29"}},
		Scalar: function.Arity(1, function.MapOk1(types.ParseDate[string]), function.Bound(bindToDate)),
	},
	{
		Name: "TO_TIMESTAMP", Group: "time", Sig: "(STRING, [STRING]) -> TIMESTAMP(3)?",
		Doc: "The time of a text: yyyy-MM-dd[ HH:mm:ss[.SSS]], or by a DateTimeFormatter pattern. NULL for texts that are none.",
		Eg: []function.Example{{Expr: "TO_TIMESTAMP('2024-02-29 12:34:56')", Result: "2024-02-29 12:34:56.000"},
			{Expr: "TO_TIMESTAMP('20240229 1234', 'yyyyMMdd HHmm')", Result: "2024-02-29 12:34:00.000"}},
		Scalar: function.Arity(1,
			function.MapOk1(func(s string) (types.TS, bool) { return types.ParseTimestamp(s, 3) }),
			function.Bound(bindToTimestamp)),
	},
	{
		Name: "TO_TIMESTAMP_LTZ", Group: "time",
		Sig: "(NUMERIC, [INT]) -> TIMESTAMP_LTZ(3)? | (STRING, [STRING], [STRING]) -> TIMESTAMP_LTZ(3)?",
		Doc: "The point in time of a number of seconds (precision 0), milliseconds (3, the default), micro- (6) or nanoseconds (9) since 1970, " +
			"or of a text, by a DateTimeFormatter pattern and in a time zone (UTC if none is given).",
		Eg: []function.Example{{Expr: "TO_TIMESTAMP_LTZ(1709210096, 0)", Result: "2024-02-29 12:34:56.000"},
			{Expr: "TO_TIMESTAMP_LTZ('2024-02-29 12:34:56', 'yyyy-MM-dd HH:mm:ss', 'Asia/Shanghai')", Result: "2024-02-29 04:34:56.000"}},
		Infer:  inferToLTZ,
		Scalar: function.Bound(bindToLTZ),
	},
	{
		Name: "DATE_FORMAT", Group: "time", Sig: "(TIMESTAMPS, STRING) -> STRING? | (STRING, STRING) -> STRING?",
		Doc: "A time as text by a DateTimeFormatter pattern; of a text yyyy-MM-dd HH:mm:ss by a SimpleDateFormat pattern.",
		Eg: []function.Example{{Expr: "DATE_FORMAT(TIMESTAMP '2024-02-29 12:34:56', 'yyyy/MM/dd HH.mm')", Result: "2024/02/29 12.34"},
			{Expr: "DATE_FORMAT('2024-02-29 12:34:56', 'EEE d MMM')", Result: "Thu 29 Feb"}},
		Scalar: function.Bound(bindDateFormat),
	},
	{
		Name: "FROM_UNIXTIME", Group: "time", Sig: "(NUMERIC, [STRING]) -> STRING?",
		Doc: "Seconds since 1970 as text in the session's time zone, by a SimpleDateFormat pattern (yyyy-MM-dd HH:mm:ss if none is given).",
		Eg: []function.Example{{Expr: "FROM_UNIXTIME(44)", Result: "1970-01-01 00:00:44"},
			{Expr: "FROM_UNIXTIME(1709210096, 'yyyyMMdd')", Result: "20240229"}},
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) < 1 || len(args) > 2 || !args[0].Type.IsNumeric() || len(args) == 2 && !args[1].Type.IsChar() {
				return function.Signature{}, errors.New("FROM_UNIXTIME takes a number of seconds and a pattern")
			}
			s := function.Signature{Args: argTypes(args), Result: types.String()}
			s.Args[0] = types.Of(types.BigInt).WithNull(args[0].Type.Nullable)
			return s, nil
		},
		Scalar: function.Bound(bindFromUnixtime),
	},
	{
		Name: "UNIX_TIMESTAMP", Group: "time", Sig: "(STRING, [STRING]) -> BIGINT",
		Doc: "The seconds since 1970 of a text in the session's time zone, by a SimpleDateFormat pattern (yyyy-MM-dd HH:mm:ss if none is given); " +
			"-9223372036854775808 for a text that is no time.",
		Eg: []function.Example{{Expr: "UNIX_TIMESTAMP('1970-01-01 00:00:01')", Result: "1"},
			{Expr: "UNIX_TIMESTAMP('2024-02-29 12:34:56 +0800', 'yyyy-MM-dd HH:mm:ss X')", Result: "1709181296"}},
		Scalar: function.Bound(bindUnixTimestamp),
	},
	{
		Name: "CONVERT_TZ", Group: "time", Sig: "(STRING, STRING, STRING) -> STRING?",
		Doc: "A time yyyy-MM-dd HH:mm:ss of one time zone in another. Unknown zones count as UTC; NULL for a text that is no time.",
		Eg: []function.Example{{Expr: "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')", Result: "1969-12-31 16:00:00"},
			{Expr: "CONVERT_TZ('abc', 'UTC', 'UTC')", Result: "NULL"}},
		Scalar: function.Bound(bindConvertTZ),
	},
}

const sqlPattern = "yyyy-MM-dd HH:mm:ss"

func argTypes(args []function.Arg) []types.Type {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type.Plain()
	}
	return ts
}

// patterns compiles the patterns a call meets: once if it is constant, else
// it remembers the last ones.
type patterns struct {
	compile func(string) (*javaPattern, error)
	last    *javaPattern
	known   map[string]*javaPattern
}

const maxPatterns = 128 // remembered

// patternsOf prepares for the pattern in args[i]; simple says which dialect.
func patternsOf(args []function.Arg, i int, simple bool) (*patterns, error) {
	ps := &patterns{compile: compileFormatter}
	if simple {
		ps.compile = compileSimple
	}
	if text, ok := constText(args, i); ok {
		p, err := ps.compile(text)
		if err != nil {
			return nil, err
		}
		ps.last = p
	}
	return ps, nil
}

// laxPatternsOf is patternsOf of the old dialect for functions that give NULL for a
// pattern that is none, a constant as well.
func laxPatternsOf(args []function.Arg, i int) *patterns {
	ps, err := patternsOf(args, i, true)
	if err != nil {
		return &patterns{compile: compileSimple}
	}
	return ps
}

// constText returns the value of args[i] if that is a constant text.
func constText(args []function.Arg, i int) (string, bool) {
	if i >= len(args) || !args[i].Const {
		return "", false
	}
	s, ok := args[i].Value.(string)
	return s, ok
}

func (ps *patterns) of(text string) (*javaPattern, error) {
	if p := ps.last; p != nil && p.text == text {
		return p, nil
	}
	p, ok := ps.known[text]
	if !ok {
		var err error
		if p, err = ps.compile(text); err != nil {
			return nil, err
		}
		p.text = string(append([]byte(nil), text...)) // the view must not be kept
		if ps.known == nil || len(ps.known) >= maxPatterns {
			ps.known = map[string]*javaPattern{}
		}
		ps.known[p.text] = p
	}
	ps.last = p
	return p, nil
}

// zones finds the time zones a call meets by name.
type zones struct {
	find  func(string) (*time.Location, bool)
	known map[string]*types.Zone
	name  string
	last  *types.Zone
}

// of returns nil for a name that is no zone.
func (z *zones) of(name string) *types.Zone {
	if z.last != nil && name == z.name {
		return z.last
	}
	zone, ok := z.known[name]
	if !ok {
		if loc, found := z.find(name); found {
			zone = types.NewZone(loc)
		}
		if z.known == nil || len(z.known) > 1000 {
			z.known = map[string]*types.Zone{}
		}
		z.known[string(append([]byte(nil), name...))] = zone
	}
	if zone != nil {
		z.last, z.name = zone, string(append([]byte(nil), name...))
	}
	return zone
}

// centuryStart is the first year a year of two digits can mean: 80 years ago.
func centuryStart(cx *function.Context) int {
	if cx == nil || cx.Now == nil {
		return 1950
	}
	return cx.Now().Year() - 80
}

func bindToDate(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	ps, err := patternsOf(args, 1, true)
	if err != nil {
		return nil, err
	}
	utc, century := types.NewZone(nil), centuryStart(cx)
	return okErr2(func(s, pattern string) (int32, bool, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return 0, false, err
		}
		ms, ok := p.parseSimple(s, utc, century)
		return int32(types.FloorDiv(ms, types.MsPerDay)), ok, nil
	}), nil
}

func bindToTimestamp(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	ps, err := patternsOf(args, 1, false)
	if err != nil {
		return nil, err
	}
	return okErr2(func(s, pattern string) (types.TS, bool, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return types.TS{}, false, err
		}
		t, ok := parseOrSQL(p, s)
		return t, ok, nil
	}), nil
}

// parseOrSQL reads s by the pattern or, if that fails, as yyyy-M-d[ H:m:s[.f]].
func parseOrSQL(p *javaPattern, s string) (types.TS, bool) {
	if p.sql {
		if t, ok := types.FixedTimestamp(s); ok {
			return t, true
		}
	}
	t, ok := p.parse(s)
	if !ok {
		t, ok = parseJDBC(s)
	}
	return t.Truncate(3), ok
}

// parseJDBC reads a time as java.sql.Timestamp.valueOf does, or a date.
func parseJDBC(s string) (types.TS, bool) {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return types.ParseTimestamp(s, 9)
}

// okErr2 is function.CallMapOk2 for functions that may have no result or fail.
func okErr2[A, B, R vector.Elem](f func(A, B) (R, bool, error)) function.Call {
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[R])
		a, am := function.Column[A](args[0])
		b, bm := function.Column[B](args[1])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			v, ok, err := f(a[i&am], b[i&bm])
			if err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = v
		}
		return nil
	}
}

func bindDateFormat(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	isText := args[0].Type.IsChar()
	ps, err := patternsOf(args, 1, isText)
	if err != nil {
		return nil, err
	}
	zone, loc := types.NewZone(cx.Zone), cx.Zone
	if isText {
		from, err := compileSimple(sqlPattern)
		if err != nil {
			return nil, err
		}
		century := centuryStart(cx)
		return appendOkErr2(func(dst []byte, s, pattern string) ([]byte, bool, error) {
			to, err := ps.of(pattern)
			if err != nil {
				return dst, false, err
			}
			utc, ok := from.parseSimple(s, zone, century)
			if !ok {
				return dst, false, nil
			}
			dst, err = to.format(dst, zone.ToLocal(types.TSFromMs(utc)), loc, utc)
			return dst, true, err
		}), nil
	}
	local := args[0].Type.Kind == types.TimestampLTZ
	return function.CallAppendErr2(func(dst []byte, t types.TS, pattern string) ([]byte, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return dst, err
		}
		if local {
			t = zone.ToLocal(t)
		}
		return p.format(dst, t, nil, 0)
	}), nil
}

// appendOkErr2 is function.CallAppendOk2 for functions that may also fail.
func appendOkErr2[A, B vector.Elem](f func([]byte, A, B) ([]byte, bool, error)) function.Call {
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		a, am := function.Column[A](args[0])
		b, bm := function.Column[B](args[1])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			text, ok, err := f(o.Arena.Grow(64), a[i&am], b[i&bm])
			if err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Take(text)
		}
		return nil
	}
}

func bindFromUnixtime(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	zone, loc := types.NewZone(cx.Zone), cx.Zone
	write := func(dst []byte, secs int64, p *javaPattern) ([]byte, error) {
		if secs > 1<<53 || secs < -1<<53 {
			return dst, fmt.Errorf("%d seconds since 1970 is out of range", secs)
		}
		return p.format(dst, zone.ToLocal(types.TSFromMs(secs*1000)), loc, secs*1000)
	}
	if len(args) == 1 {
		p, err := compileSimple(sqlPattern)
		if err != nil {
			return nil, err
		}
		return function.CallAppendErr1(func(dst []byte, secs int64) ([]byte, error) { return write(dst, secs, p) }), nil
	}
	ps, err := patternsOf(args, 1, true)
	if err != nil {
		return nil, err
	}
	return function.CallAppendErr2(func(dst []byte, secs int64, pattern string) ([]byte, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return dst, err
		}
		return write(dst, secs, p)
	}), nil
}

// noTime is what UNIX_TIMESTAMP gives for a text that is no time.
const noTime = -1 << 63

func bindUnixTimestamp(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	zone, century := types.NewZone(cx.Zone), centuryStart(cx)
	read := func(s string, p *javaPattern) int64 {
		ms, ok := p.parseSimple(s, zone, century)
		if !ok {
			return noTime
		}
		return ms / 1000
	}
	if len(args) == 1 {
		p, err := compileSimple(sqlPattern)
		if err != nil {
			return nil, err
		}
		return function.CallMap1(func(s string) int64 { return read(s, p) }), nil
	}
	ps, err := patternsOf(args, 1, true)
	if err != nil {
		return nil, err
	}
	return function.CallMapErr2(func(s, pattern string) (int64, error) {
		p, err := ps.of(pattern)
		if err != nil {
			return 0, err
		}
		return read(s, p), nil
	}), nil
}

func bindConvertTZ(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
	p, err := compileSimple(sqlPattern)
	if err != nil {
		return nil, err
	}
	century := centuryStart(cx)
	orUTC := func(name string) (*time.Location, bool) {
		loc, ok := zoneByName(name)
		if !ok {
			loc = time.UTC
		}
		return loc, true
	}
	from, to := zones{find: orUTC}, zones{find: orUTC}
	return function.CallAppendOk3(func(dst []byte, s, fromName, toName string) ([]byte, bool) {
		utc, ok := p.parseSimple(s, from.of(fromName), century)
		if !ok {
			return dst, false
		}
		dst, err := p.format(dst, to.of(toName).ToLocal(types.TSFromMs(utc)), nil, utc)
		return dst, err == nil
	}), nil
}
