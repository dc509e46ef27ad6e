package types

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// sharedDir finds the folder with the recorded answers of Flink.
func sharedDir(t *testing.T) string {
	if dir := os.Getenv("RUNNEL_SHARED"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "shared", "golden")); err == nil {
			return filepath.Join(dir, "shared")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("no shared/golden above this folder: set RUNNEL_SHARED")
		}
		dir = up
	}
}

type goldenCase struct {
	Expr, Group, Type string
	Result            *string
	Error             string
	ErrorPhase        string `json:"error_phase"`
	Quirk             string
	TimeZone          string `json:"time_zone"`
}

func readGolden(t *testing.T, name string) []goldenCase {
	f, err := os.Open(filepath.Join(sharedDir(t), "golden", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cases []goldenCase
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var c goldenCase
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	return cases
}

func TestGoldenTypeStringsRoundTrip(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"functions.jsonl", "aggregates.jsonl"} {
		for _, c := range readGolden(t, file) {
			if c.Type == "" {
				continue
			}
			typ, err := ParseType(c.Type)
			if err != nil || typ.String() != c.Type {
				t.Errorf("%s: %q %v", c.Type, typ, err)
			}
		}
	}
}

// The evaluator below knows literals, constructors, casts and arithmetic, as
// much as the vectors about types and casts use.

var (
	errUnknown   = errors.New("not for this evaluator")
	errValidate  = errors.New("rejected by the types")
	tokenPattern = regexp.MustCompile(`^(?:'(?:[^']|'')*'|[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[A-Za-z_][A-Za-z_0-9]*|.)`)
)

type evaluator struct {
	s    string
	zone *time.Location
}

func (e *evaluator) peek() string {
	e.s = strings.TrimLeft(e.s, " ")
	return tokenPattern.FindString(e.s)
}

func (e *evaluator) next() string {
	tok := e.peek()
	e.s = e.s[len(tok):]
	return tok
}

func (e *evaluator) expect(tok string) error {
	if got := e.next(); !strings.EqualFold(got, tok) {
		return fmt.Errorf("%w: %q", errUnknown, got)
	}
	return nil
}

func (e *evaluator) expr() (Value, Type, error) {
	v, t, err := e.term()
	for err == nil && (e.peek() == "+" || e.peek() == "-") {
		v, t, err = e.binary(v, t, e.next(), e.term)
	}
	return v, t, err
}

func (e *evaluator) term() (Value, Type, error) {
	v, t, err := e.primary()
	for err == nil && strings.Contains("*/%", e.peek()) && e.peek() != "" {
		v, t, err = e.binary(v, t, e.next(), e.primary)
	}
	return v, t, err
}

func (e *evaluator) binary(a Value, at Type, op string, right func() (Value, Type, error)) (Value, Type, error) {
	b, bt, err := right()
	if err != nil {
		return nil, Type{}, err
	}
	typeOf := map[string]func(a, b Type) (Type, bool){"+": AddType, "-": AddType, "*": MulType, "/": DivType, "%": ModType}[op]
	if !at.IsNumeric() || !bt.IsNumeric() {
		return nil, Type{}, errUnknown
	}
	rt, ok := typeOf(at, bt)
	if !ok {
		return nil, Type{}, errValidate
	}
	if rt.Kind == Decimal {
		a, _ := CastValue(a, at, at.AsDecimal(), nil, false)
		b, _ := CastValue(b, bt, bt.AsDecimal(), nil, false)
		if a == nil || b == nil {
			return nil, rt, nil
		}
		f := map[string]func(Dec, int, Dec, int, int) (Dec, bool){"+": DecAdd, "-": DecSub, "*": DecMul, "/": DecDiv, "%": DecMod}[op]
		if (op == "/" || op == "%") && b.(Dec).IsZero() {
			return nil, rt, ErrCast
		}
		d, ok := f(a.(Dec), at.AsDecimal().Scale, b.(Dec), bt.AsDecimal().Scale, rt.Scale)
		if !ok || !d.FitsPrecision(rt.Prec) {
			return nil, rt, nil
		}
		return d, rt, nil
	}
	if !rt.IsApprox() && (at.Kind == Decimal || bt.Kind == Decimal) { // the remainder has the divisor's type
		d, dt, err := decimalMod(a, at, b, bt)
		if err != nil {
			return nil, rt, err
		}
		res, err := CastValue(d, dt, rt, nil, false)
		return res, rt, err
	}
	calc := Type{Kind: BigInt}
	if rt.IsApprox() {
		calc = Type{Kind: Double}
	}
	a, _ = CastValue(a, at, calc, nil, false)
	b, _ = CastValue(b, bt, calc, nil, false)
	if a == nil || b == nil {
		return nil, rt, nil
	}
	var res Value
	if calc.Kind == Double {
		x, y := a.(float64), b.(float64)
		res = map[string]float64{"+": x + y, "-": x - y, "*": x * y, "/": x / y}[op]
		if y == 0 && op == "/" {
			return nil, rt, errUnknown
		}
	} else {
		x, y := a.(int64), b.(int64)
		switch op {
		case "+":
			res = x + y
		case "-":
			res = x - y
		case "*":
			res = x * y
		default:
			if y == 0 {
				return nil, rt, ErrCast
			}
			if res = x / y; op == "%" {
				res = x % y
			}
		}
	}
	res, err = CastValue(res, calc, rt, nil, false)
	return res, rt, err
}

func decimalMod(a Value, at Type, b Value, bt Type) (Value, Type, error) {
	a, _ = CastValue(a, at, at.AsDecimal(), nil, false)
	b, _ = CastValue(b, bt, bt.AsDecimal(), nil, false)
	d, ok := DecMod(a.(Dec), 0, b.(Dec), 0, 0)
	if !ok {
		return nil, Type{}, ErrCast
	}
	return d, bt.AsDecimal(), nil
}

func (e *evaluator) primary() (Value, Type, error) {
	tok := e.next()
	switch up := strings.ToUpper(tok); {
	case tok == "":
		return nil, Type{}, errUnknown
	case tok == "-":
		if n := e.peek(); n != "" && (n[0] == '.' || n[0] >= '0' && n[0] <= '9') {
			return number1("-" + e.next())
		}
		return nil, Type{}, errUnknown
	case tok == "(":
		v, t, err := e.expr()
		if err == nil {
			err = e.expect(")")
		}
		return v, t, err
	case tok[0] == '\'':
		s := unquote(tok)
		return s, Type{Kind: Char, Prec: len(utf16.Encode([]rune(s)))}, nil
	case tok[0] == '.' || tok[0] >= '0' && tok[0] <= '9':
		return number1(tok)
	case up == "TRUE", up == "FALSE":
		return up == "TRUE", Type{Kind: Boolean}, nil
	case up == "NULL":
		return nil, Type{Kind: Null, Nullable: true}, nil
	case up == "CAST", up == "TRY_CAST":
		return e.cast(up == "TRY_CAST")
	case up == "X":
		return e.bytes()
	case up == "DATE", up == "TIME", up == "TIMESTAMP":
		return e.timeLiteral(up)
	case up == "INTERVAL":
		return e.intervalLiteral()
	case up == "ARRAY", up == "MAP", up == "ROW", up == "COALESCE", up == "GREATEST", up == "LEAST", up == "TO_TIMESTAMP_LTZ":
		return e.call(up)
	}
	return nil, Type{}, errUnknown
}

func number1(s string) (Value, Type, error) {
	if strings.ContainsAny(s, "eE") {
		f, _ := ParseDouble(s)
		return f, Type{Kind: Double}, nil
	}
	if i := strings.IndexByte(s, '.'); i >= 0 {
		digits := strings.TrimLeft(strings.TrimLeft(s, "-"), "0")
		scale := len(s) - i - 1
		prec := max(len(digits)-1, scale)
		if digits[0] == '.' {
			prec = scale + 1
		}
		d, ok := ParseDec(s, 38, scale)
		if !ok {
			return nil, Type{}, errUnknown
		}
		return d, Type{Kind: Decimal, Prec: prec, Scale: scale}, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil, Type{}, errUnknown
	}
	if int64(int32(n)) == n {
		return int32(n), Type{Kind: Int}, nil
	}
	return n, Type{Kind: BigInt}, nil
}

func unquote(tok string) string { return strings.ReplaceAll(tok[1:len(tok)-1], "''", "'") }

func (e *evaluator) cast(try bool) (Value, Type, error) {
	if err := e.expect("("); err != nil {
		return nil, Type{}, err
	}
	v, from, err := e.expr()
	if err != nil {
		return nil, Type{}, err
	}
	if err := e.expect("AS"); err != nil {
		return nil, Type{}, err
	}
	depth, end := 0, -1
	for i := 0; i < len(e.s) && end < 0; i++ {
		switch e.s[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				end = i
			}
		}
	}
	text := strings.TrimSpace(e.s[:max(end, 0)])
	if strings.EqualFold(text, "TIME") {
		text = "TIME(0)"
	}
	to, err := ParseType(text)
	if err != nil {
		return nil, Type{}, errUnknown
	}
	e.s = e.s[end+1:]
	to.Nullable = from.Nullable || try
	if ok, _ := Castable(from, to); !ok {
		return nil, to, errValidate
	}
	res, err := CastValue(v, from, to, e.zone, try)
	return res, to, err
}

func (e *evaluator) bytes() (Value, Type, error) {
	tok := e.next()
	if len(tok) < 2 || tok[0] != '\'' {
		return nil, Type{}, errUnknown
	}
	var b []byte
	if _, err := fmt.Sscanf(unquote(tok), "%x", &b); err != nil && len(tok) > 2 {
		return nil, Type{}, errUnknown
	}
	return string(b), Type{Kind: Binary, Prec: len(b)}, nil
}

func (e *evaluator) timeLiteral(kind string) (Value, Type, error) {
	tok := e.next()
	if len(tok) < 2 || tok[0] != '\'' {
		return nil, Type{}, errUnknown
	}
	s := unquote(tok)
	prec := 0
	if i := strings.IndexByte(s, '.'); i >= 0 {
		prec = len(s) - i - 1
	}
	switch kind {
	case "DATE":
		d, ok := ParseDate(s)
		if !ok {
			return nil, Type{}, errValidate
		}
		return d, Type{Kind: Date}, nil
	case "TIME":
		d, ok := ParseTime(s, prec)
		if !ok {
			return nil, Type{}, errValidate
		}
		return d, Type{Kind: Time, Prec: prec}, nil
	}
	ts, ok := ParseTimestamp(s, prec)
	if !ok {
		return nil, Type{}, errUnknown
	}
	return ts, Type{Kind: Timestamp, Prec: prec}, nil
}

func (e *evaluator) intervalLiteral() (Value, Type, error) {
	tok := e.next()
	rest, ok := strings.CutPrefix(strings.TrimSpace(e.s), "DAY TO SECOND")
	if ok && tok == "'1 02:03:04.567'" {
		e.s = rest
		return int64(MsPerDay + 2*MsPerHour + 3*MsPerMinute + 4567), Type{Kind: IntervalDS, Prec: 3}, nil
	}
	t, err := ParseType("INTERVAL " + e.next())
	n, err2 := strconv.ParseInt(unquote(tok), 10, 64)
	if err != nil || err2 != nil {
		return nil, Type{}, errUnknown
	}
	v, err := CastValue(n, Type{Kind: BigInt}, t, nil, false)
	return v, t.NotNull(), err
}

func (e *evaluator) call(name string) (Value, Type, error) {
	closing := map[string]string{"[": "]", "(": ")"}[e.next()]
	if closing == "" {
		return nil, Type{}, errUnknown
	}
	var vals []Value
	var ts []Type
	for e.peek() != closing {
		v, t, err := e.expr()
		if err != nil {
			return nil, Type{}, err
		}
		vals, ts = append(vals, v), append(ts, t)
		if e.peek() != "," {
			break
		}
		e.next()
	}
	if err := e.expect(closing); err != nil {
		return nil, Type{}, err
	}
	return e.apply(name, vals, ts)
}

func (e *evaluator) apply(name string, vals []Value, ts []Type) (Value, Type, error) {
	if len(vals) == 0 {
		return nil, Type{}, errValidate
	}
	castAll := func(vals []Value, from []Type) (Type, bool) {
		t, ok := Common(from...)
		for i := range vals {
			vals[i], _ = CastValue(vals[i], from[i], t, e.zone, false)
		}
		return t, ok && t.Kind != Null
	}
	switch name {
	case "ROW":
		t := Type{Kind: Row}
		for i := range ts {
			if ts[i].Kind == Null {
				return nil, t, errValidate
			}
			t.Fields = append(t.Fields, Field{Name: "EXPR$" + strconv.Itoa(i), Type: ts[i]})
		}
		return vals, t, nil
	case "MAP":
		var ks, vs []Value
		var kt, vt []Type
		for i := range vals {
			if i%2 == 0 {
				ks, kt = append(ks, vals[i]), append(kt, ts[i])
			} else {
				vs, vt = append(vs, vals[i]), append(vt, ts[i])
			}
		}
		key, ok1 := castAll(ks, kt)
		val, ok2 := castAll(vs, vt)
		if !ok1 || !ok2 || len(ks) != len(vs) {
			return nil, Type{}, errUnknown // Flink types MAP['a', NULL] by quirk
		}
		m := &MapValue{}
		for i := range ks {
			m.Set(ks[i], vs[i], key)
		}
		return m, Type{Kind: Map, Key: &key, Elem: &val}, nil
	case "TO_TIMESTAMP_LTZ":
		if len(ts) == 2 && ts[1].IsInteger() && ts[0].IsInteger() && vals[1] == Value(int32(3)) {
			n, err := CastValue(vals[0], ts[0], Type{Kind: BigInt}, nil, false)
			return TS{Ms: n.(int64)}, TimestampLTZOf(3), err
		}
		return nil, Type{}, errUnknown
	}
	t, ok := castAll(vals, ts)
	if !ok {
		return nil, t, errValidate
	}
	if name == "ARRAY" {
		return vals, Type{Kind: Array, Elem: &t}, nil
	}
	if name == "COALESCE" {
		nullable := true
		var res Value
		for i := range vals {
			nullable = nullable && ts[i].Nullable
			if res == nil {
				res = vals[i]
			}
		}
		return res, t.WithNull(nullable), nil
	}
	best := vals[0]
	for _, v := range vals {
		if v == nil || best == nil {
			best = nil
			break
		}
		if c := Compare(v, best, t); c > 0 == (name == "GREATEST") && c != 0 {
			best = v
		}
	}
	return best, t, nil
}

// knownDifferences are constants that Flink folds otherwise than it computes
// over columns, where we take the column's way.
var knownDifferences = map[string]string{
	"NULL":                      "a bare NULL is for the binder to reject",
	"COALESCE(1, 1/0)":          "this evaluator is not lazy",
	"CAST('Infinity' AS FLOAT)": "a folded constant can not be infinite",
	"7 / CAST(1.5 AS FLOAT)":    "a folded FLOAT is rounded to 7 digits",
	"CAST(CAST(NULL AS INT) AS TIMESTAMP(0))":     "a folded NULL has any type",
	"CAST(CAST(NULL AS INT) AS TIMESTAMP(3))":     "a folded NULL has any type",
	"CAST(CAST(NULL AS INT) AS TIMESTAMP_LTZ(3))": "a folded NULL has any type",
	"CAST(CAST(0.1 AS FLOAT) AS DOUBLE)":          "a folded FLOAT keeps its decimal digits; over columns DOUBLE is 0.10000000149011612",
}

func TestGoldenExpressions(t *testing.T) {
	t.Parallel()
	done, skipped := map[string]int{}, map[string]int{}
	for _, c := range readGolden(t, "functions.jsonl") {
		if c.Quirk != "" && c.Result != nil || knownDifferences[c.Expr] != "" {
			continue
		}
		zone := time.UTC
		if c.TimeZone != "" {
			loc, err := time.LoadLocation(c.TimeZone)
			if err != nil {
				t.Skip(err)
			}
			zone = loc
		}
		e := &evaluator{s: c.Expr, zone: zone}
		v, typ, err := e.expr()
		if errors.Is(err, errUnknown) || strings.TrimSpace(e.s) != "" && err == nil {
			skipped[c.Group]++
			continue
		}
		done[c.Group]++
		switch {
		case c.Error != "":
			if err == nil {
				t.Errorf("%s: %s %v, want error %s", c.Expr, typ, v, c.Error)
			}
			continue
		case err != nil:
			t.Errorf("%s: %v", c.Expr, err)
			continue
		case typ.String() != c.Type:
			t.Errorf("%s: type %s, want %s", c.Expr, typ, c.Type)
		}
		got := string(AppendValue(nil, v, typ, zone))
		want := "NULL"
		if c.Result != nil {
			want = *c.Result
		}
		if got != want {
			t.Errorf("%s: %s, want %s", c.Expr, got, want)
		}
	}
	t.Log("compared", done, "left to others", skipped)
	if done["CAST"] < 700 {
		t.Errorf("only %d vectors of CAST were compared", done["CAST"])
	}
}
