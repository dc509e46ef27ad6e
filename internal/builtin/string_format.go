package builtin

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// stringFormatFuncs write values by a format.
var stringFormatFuncs = []function.Def{
	{
		Name: "PRINTF", Group: "string", Sig: "(STRING, ANY...) -> STRING?",
		Doc:    "The format with its %s, %d, %f, %e, %x, %o, %c, %b, %n and %% replaced by the values, as java.util.Formatter does; NULL if the format is broken or does not fit the values (%f takes no DECIMAL). Dates, times of day and intervals are the numbers of days, milliseconds or months.",
		Scalar: function.Bound(bindPrintf), Nulls: function.Called,
		Eg: []function.Example{eg("PRINTF('%d-%s', 1, 'a')", "1-a"), eg("PRINTF('%5.1f|', 2.55e0)", "  2.6|")},
	},
}

func bindPrintf(_ *function.Context, known []function.Arg, _ types.Type) (function.Call, error) {
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		format := openText(args[0])
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			if format.null(i) {
				o.SetNull(int(i))
				continue
			}
			f := formatter{dst: o.Arena.Grow(256), arg: func(n int) (types.Value, types.Type, bool) {
				if n+1 >= len(args) {
					return nil, types.Type{}, false
				}
				return vector.Get(args[n+1], int(i)), known[n+1].Type, true
			}}
			if !f.format(format.at(i)) {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Take(f.dst)
		}
		return nil
	}, nil
}

// formatter is java.util.Formatter for the values of SQL.
type formatter struct {
	dst  []byte
	arg  func(n int) (types.Value, types.Type, bool)
	next int // of the arguments without index
	last int // the argument used before, for %<
}

// directive is one %[argument$][flags][width][.precision]conversion.
type directive struct {
	flags     string
	width     int
	precision int // -1: none
	conv      byte
}

func (d directive) has(flag byte) bool { return strings.IndexByte(d.flags, flag) >= 0 }

// format writes text and tells whether it was well-formed and fitted.
func (f *formatter) format(text string) bool {
	f.last = -1
	for {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			f.dst = append(f.dst, text...)
			return true
		}
		f.dst = append(f.dst, text[:i]...)
		var ok bool
		if text, ok = f.directive(text[i+1:]); !ok || len(f.dst) > function.MaxText {
			return false
		}
	}
}

// directive writes the directive at the start of s and returns what follows.
func (f *formatter) directive(s string) (string, bool) {
	d := directive{precision: -1}
	index := -1 // the next one
	if n, rest, ok := leadingInt(s); ok && strings.HasPrefix(rest, "$") {
		if n == 0 {
			return s, false
		}
		index, s = n-1, rest[1:]
	} else if strings.HasPrefix(s, "<") {
		index, s = -2, s[1:]
	}
	n := 0
	for n < len(s) && strings.IndexByte("-#+ 0,(", s[n]) >= 0 {
		if strings.IndexByte(s[:n], s[n]) >= 0 {
			return s, false
		}
		n++
	}
	d.flags, s = s[:n], s[n:]
	if w, rest, ok := leadingInt(s); ok {
		d.width, s = w, rest
	}
	if strings.HasPrefix(s, ".") {
		p, rest, ok := leadingInt(s[1:])
		if !ok {
			return s, false
		}
		d.precision, s = p, rest
	}
	if s == "" || d.width > 1<<20 || d.precision > 1<<20 {
		return s, false
	}
	if (d.has('-') || d.has('0')) && d.width == 0 || d.has('-') && d.has('0') || d.has('+') && d.has(' ') {
		return s, false
	}
	d.conv = s[0]
	s = s[1:]
	switch d.conv {
	case 'n':
		f.dst = append(f.dst, '\n')
		return s, d.width == 0 && d.precision < 0 && d.flags == ""
	case '%':
		return s, f.pad(d, "%") && d.precision < 0
	}
	switch index {
	case -1:
		index = f.next
		f.next++
	case -2:
		index = f.last
	}
	if index < 0 {
		return s, false
	}
	f.last = index
	v, t, ok := f.arg(index)
	return s, ok && f.value(d, v, t)
}

func leadingInt(s string) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' && i < 9 {
		i++
	}
	if i == 0 || s[0] == '0' {
		return 0, s, i > 0 && s[0] != '0'
	}
	n, _ = strconv.Atoi(s[:i])
	return n, s[i:], true
}

// pad writes text in its width.
func (f *formatter) pad(d directive, text string) bool {
	fill := d.width - utf8.RuneCountInString(text)
	if !d.has('-') {
		f.blanks(fill)
	}
	f.dst = append(f.dst, text...)
	if d.has('-') {
		f.blanks(fill)
	}
	return true
}

func (f *formatter) blanks(n int) {
	for ; n > 0; n-- {
		f.dst = append(f.dst, ' ')
	}
}

func (f *formatter) value(d directive, v types.Value, t types.Type) bool {
	upper := d.conv >= 'A' && d.conv <= 'Z'
	conv := d.conv | 0x20
	text, ok := "", true
	switch conv {
	case 's', 'b', 'h':
		if d.has('#') || d.has('+') || d.has(' ') || d.has('0') || d.has(',') || d.has('(') {
			return false
		}
		switch b, isBool := v.(bool); {
		case conv == 'b' && isBool:
			text = strconv.FormatBool(b)
		case conv == 'b':
			text = strconv.FormatBool(v != nil)
		case v == nil:
			text = "null"
		case isBool:
			text = strconv.FormatBool(b)
		case conv == 'h':
			h, known := javaHash(v)
			text, ok = strconv.FormatUint(uint64(uint32(h)), 16), known
		default:
			text = javaText(v, t)
		}
		if d.precision >= 0 {
			text = cut(text, d.precision)
		}
	case 'd', 'x', 'o', 'c':
		if v == nil {
			text = "null"
			break
		}
		if d.precision >= 0 {
			return false
		}
		if text, ok = integerText(d, conv, v, t); ok && conv != 'c' {
			text = signedText(d, text, v)
		}
	case 'a':
		x, isDouble := v.(float64)
		if f, isFloat := v.(float32); isFloat {
			x, isDouble = float64(f), true
		}
		if v == nil {
			text = "null"
			break
		}
		if ok = isDouble && d.precision < 0 && d.flags == ""; ok {
			text = hexDouble(x)
		}
	case 'f', 'e', 'g':
		if v == nil {
			text = "null"
			break
		}
		text, ok = floatText(d, conv, v, t)
	default:
		return false
	}
	if !ok {
		return false
	}
	if upper {
		if strings.IndexByte("SBHXECGA", d.conv) < 0 {
			return false
		}
		text = strings.ToUpper(text)
	}
	return f.pad(d, text)
}

// javaText is toString of the object by which Flink holds a value: times of day,
// dates and intervals are numbers there, timestamps are written as ISO 8601 says.
func javaText(v types.Value, t types.Type) string {
	switch t.Kind {
	case types.Date, types.Time, types.IntervalDS, types.IntervalYM:
		n, _ := intValue(v)
		return strconv.FormatInt(n, 10)
	case types.Timestamp, types.TimestampLTZ:
		ts, _ := v.(types.TS)
		text := string(types.AppendTS(nil, ts, 9))
		text = strings.Replace(text, " ", "T", 1)
		for strings.HasSuffix(text, "000") && strings.Contains(text, ".") { // by threes
			text = strings.TrimSuffix(text[:len(text)-3], ".")
		}
		return strings.TrimSuffix(text, ":00")
	}
	return string(types.AppendCast(nil, v, t, nil))
}

// hexDouble is Double.toHexString.
func hexDouble(x float64) string {
	switch {
	case x != x:
		return "NaN"
	case math.IsInf(x, 0):
		return strings.Replace(strconv.FormatFloat(x, 'g', -1, 64), "Inf", "Infinity", 1)[boolInt(x > 0):]
	case x == 0:
		return strings.Replace(strconv.FormatFloat(x, 'f', 0, 64), "0", "0x0.0p0", 1)
	}
	text := strconv.FormatFloat(x, 'x', -1, 64)
	if a := math.Abs(x); a < 0x1p-1022 { // subnormal: 0x0.…p-1022
		m := strings.TrimRight(strconv.FormatUint(math.Float64bits(a)|1<<52, 16)[1:], "0")
		text = "0x0." + m + "p-1022"
		if x < 0 {
			text = "-" + text
		}
		return text
	}
	mantissa, exp, _ := strings.Cut(text, "p")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exp)
	return mantissa + "p" + strconv.Itoa(n)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// javaHash is hashCode of texts and numbers.
func javaHash(v types.Value) (int32, bool) {
	switch x := v.(type) {
	case string:
		return hashText(x), true
	case int8:
		return int32(x), true
	case int16:
		return int32(x), true
	case int32:
		return x, true
	case int64:
		return hashLong(x), true
	case float32:
		return int32(math.Float32bits(x)), true
	case float64:
		return hashLong(int64(math.Float64bits(x))), true
	}
	return 0, false
}

func integerText(d directive, conv byte, v types.Value, t types.Type) (string, bool) {
	var n int64
	bits := 64
	switch x := v.(type) {
	case int8:
		n, bits = int64(x), 8
	case int16:
		n, bits = int64(x), 16
	case int32:
		n, bits = int64(x), 32
	case int64:
		n = x
	default:
		if s, ok := v.(string); ok && conv == 'c' && t.IsChar() && chars(s) == 1 {
			return s, true
		}
		return "", false
	}
	if !t.IsInteger() {
		return "", false
	}
	switch conv {
	case 'c':
		if n < 0 || n > utf8.MaxRune || bits == 64 {
			return "", false
		}
		return string(rune(n)), true
	case 'd':
		if d.has('#') {
			return "", false
		}
		text := strconv.FormatInt(n, 10)
		text = strings.TrimPrefix(text, "-")
		if d.has(',') {
			text = grouped(text)
		}
		return text, true
	}
	if d.has(',') || d.has('+') || d.has(' ') || d.has('(') {
		return "", false
	}
	u := uint64(n)
	if bits < 64 {
		u &= 1<<bits - 1
	}
	base, mark := 16, "0x"
	if conv == 'o' {
		base, mark = 8, "0"
	}
	text := strconv.FormatUint(u, base)
	if d.has('#') {
		text = mark + text
	}
	return text, true
}

func grouped(digits string) string {
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// signedText gives the digits of a number its sign and leading zeros.
func signedText(d directive, digits string, v types.Value) string {
	negative := d.conv == 'd' && isNegative(v)
	return withSign(d, digits, negative)
}

func withSign(d directive, digits string, negative bool) string {
	before, behind := "", ""
	switch {
	case negative && d.has('('):
		before, behind = "(", ")"
	case negative:
		before = "-"
	case d.has('+'):
		before = "+"
	case d.has(' '):
		before = " "
	}
	if d.has('0') {
		if n := d.width - len(before) - len(digits) - len(behind); n > 0 {
			digits = strings.Repeat("0", n) + digits
		}
	}
	return before + digits + behind
}

func isNegative(v types.Value) bool {
	switch x := v.(type) {
	case int8:
		return x < 0
	case int16:
		return x < 0
	case int32:
		return x < 0
	case int64:
		return x < 0
	case float32:
		return math.Signbit(float64(x))
	case float64:
		return math.Signbit(x)
	case types.Dec:
		return x.Sign() < 0
	}
	return false
}

// floatText writes FLOAT, DOUBLE and DECIMAL, rounded half away from zero by
// their decimal digits.
func floatText(d directive, conv byte, v types.Value, t types.Type) (string, bool) {
	var digits string
	switch x := v.(type) {
	case float32, float64:
		f, _ := x.(float64)
		if g, ok := x.(float32); ok {
			f, _ = strconv.ParseFloat(strconv.FormatFloat(float64(g), 'g', -1, 32), 64)
		}
		if math.IsNaN(f) {
			return "NaN", true
		}
		if math.IsInf(f, 0) {
			d.flags = strings.ReplaceAll(d.flags, "0", "")
			return withSign(d, "Infinity", f < 0), true
		}
		digits = strconv.FormatFloat(math.Abs(f), 'f', -1, 64)
	default: // a DECIMAL neither, though java.util.Formatter takes a BigDecimal: Flink holds it otherwise
		return "", false
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	if conv == 'g' {
		if precision == 0 {
			precision = 1
		}
		mantissa, exp := scientific(digits, precision-1)
		if exp >= -4 && exp < precision {
			return withSign(d, group(d, rounded(digits, precision-1-exp)), isNegative(v)), true
		}
		return withSign(d, mantissa+exponent(exp), isNegative(v)), true
	}
	if conv == 'e' {
		if d.has(',') {
			return "", false
		}
		mantissa, exp := scientific(digits, precision)
		return withSign(d, mantissa+exponent(exp), isNegative(v)), true
	}
	return withSign(d, group(d, rounded(digits, precision)), isNegative(v)), true
}

func group(d directive, digits string) string {
	if !d.has(',') {
		return digits
	}
	whole, frac, found := strings.Cut(digits, ".")
	if found {
		frac = "." + frac
	}
	return grouped(whole) + frac
}

func exponent(n int) string {
	sign := "e+"
	if n < 0 {
		sign, n = "e-", -n
	}
	if n < 10 {
		sign += "0"
	}
	return sign + strconv.Itoa(n)
}

// rounded is the decimal text with exactly n digits behind the point.
func rounded(text string, n int) string {
	whole, frac, _ := strings.Cut(text, ".")
	for len(frac) < n {
		frac += strings.Repeat("0", n-len(frac))
	}
	all := []byte(whole + frac[:n])
	if len(frac) > n && frac[n] >= '5' {
		all = increment(all)
	}
	if n == 0 {
		return string(all)
	}
	return string(all[:len(all)-n]) + "." + string(all[len(all)-n:])
}

// increment adds one to the last digit.
func increment(digits []byte) []byte {
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] != '9' {
			digits[i]++
			return digits
		}
		digits[i] = '0'
	}
	return append([]byte{'1'}, digits...)
}

// scientific is the decimal text as d.ddd with n digits behind the point, and the exponent.
func scientific(text string, n int) (string, int) {
	whole, frac, _ := strings.Cut(text, ".")
	all := strings.TrimLeft(whole+frac, "0")
	exp := len(whole) - 1 - (len(whole+frac) - len(all))
	if all == "" {
		all, exp = "0", 0
	}
	if len(all) < n+2 {
		all += strings.Repeat("0", n+2-len(all))
	}
	digits := []byte(all[:n+1])
	if all[n+1] >= '5' {
		if digits = increment(digits); len(digits) > n+1 {
			digits, exp = digits[:n+1], exp+1
		}
	}
	if n == 0 {
		return string(digits), exp
	}
	return string(digits[:1]) + "." + string(digits[1:]), exp
}
