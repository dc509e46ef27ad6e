package types

import (
	"fmt"
	"strconv"
	"strings"
)

// maxTypeDepth bounds the nesting of parsed types.
const maxTypeDepth = 64

// ParseType reads a type as String prints it or as a column declaration
// spells it: keywords in any case, VARCHAR, DECIMAL(10), ROW<a INT>,
// INTERVAL DAY TO SECOND and the like are understood too.
func ParseType(s string) (Type, error) {
	p := typeParser{s: s}
	t, err := p.parse(0)
	if err == nil && p.next() != "" {
		err = p.errorf("text behind the type")
	}
	if err != nil {
		return Type{}, err
	}
	return t, nil
}

// MustType is ParseType for texts known to be right; it panics on others.
func MustType(s string) Type {
	t, err := ParseType(s)
	if err != nil {
		panic(err)
	}
	return t
}

type typeParser struct {
	s          string
	pos, start int // start: where the token next returned begins
}

func (p *typeParser) errorf(format string, args ...any) error {
	return fmt.Errorf("type %q at %d: %s", p.s, p.start, fmt.Sprintf(format, args...))
}

// next returns the next token, "" at the end. Quoted tokens keep their first
// quote character and lose the others.
func (p *typeParser) next() string {
	for p.pos < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.pos]) >= 0 {
		p.pos++
	}
	p.start = p.pos
	if p.pos == len(p.s) {
		return ""
	}
	c := p.s[p.pos]
	if c == '`' || c == '\'' {
		return p.quoted(c)
	}
	for p.pos < len(p.s) && wordByte(p.s[p.pos]) {
		p.pos++
	}
	if p.pos == p.start {
		p.pos++
	}
	return p.s[p.start:p.pos]
}

func (p *typeParser) quoted(quote byte) string {
	var b strings.Builder
	b.WriteByte(quote)
	for p.pos++; p.pos < len(p.s); p.pos++ {
		if p.s[p.pos] == quote {
			if p.pos+1 < len(p.s) && p.s[p.pos+1] == quote {
				p.pos++
			} else {
				p.pos++
				return b.String()
			}
		}
		b.WriteByte(p.s[p.pos])
	}
	return "\x00" // not closed: no token, so every use of it is an error
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func (p *typeParser) peek() string {
	pos := p.pos
	tok := p.next()
	p.pos = pos
	return tok
}

// accept consumes the words if they come next.
func (p *typeParser) accept(words ...string) bool {
	pos := p.pos
	for _, w := range words {
		if !strings.EqualFold(p.next(), w) {
			p.pos = pos
			return false
		}
	}
	return true
}

func (p *typeParser) expect(tok string) error {
	if got := p.next(); got != tok {
		return p.errorf("%q expected", tok)
	}
	return nil
}

// args reads up to two numbers in parentheses.
func (p *typeParser) args() (nums [2]int, n int, err error) {
	if !p.accept("(") {
		return nums, 0, nil
	}
	for n < 2 {
		v, err := strconv.Atoi(p.next())
		if err != nil || v < 0 || v > MaxLength {
			return nums, 0, p.errorf("number expected")
		}
		nums[n] = v
		n++
		if !p.accept(",") {
			break
		}
	}
	return nums, n, p.expect(")")
}

func (p *typeParser) parse(depth int) (Type, error) {
	if depth > maxTypeDepth {
		return Type{}, p.errorf("nested too deeply")
	}
	t, err := p.root(depth)
	if err != nil {
		return Type{}, err
	}
	t.Nullable = true
	for {
		switch {
		case p.accept("NOT", "NULL"):
			t.Nullable = false
		case p.accept("NULL"):
		case p.accept("ARRAY"):
			elem := t
			t = ArrayOf(elem)
		case p.accept("MULTISET"):
			elem := t
			t = MultisetOf(elem)
		case p.accept("*", "ROWTIME", "*"):
			t.Attr = Rowtime
		case p.accept("*", "PROCTIME", "*"):
			t.Attr = Proctime
		default:
			return t, nil
		}
		if depth++; depth > maxTypeDepth {
			return Type{}, p.errorf("nested too deeply")
		}
	}
}

// plainTypes are the type names without arguments.
var plainTypes = map[string]Type{
	"NULL": {Kind: Null}, "BOOLEAN": {Kind: Boolean}, "TINYINT": {Kind: TinyInt}, "SMALLINT": {Kind: SmallInt},
	"INT": {Kind: Int}, "INTEGER": {Kind: Int}, "BIGINT": {Kind: BigInt}, "FLOAT": {Kind: Float},
	"DATE": {Kind: Date}, "STRING": {Kind: VarChar, Prec: MaxLength}, "BYTES": {Kind: VarBinary, Prec: MaxLength},
	"VARIANT": {Kind: Variant}, "BITMAP": {Kind: Bitmap}, "SYMBOL": {Kind: Symbol}, "DESCRIPTOR": {Kind: Descriptor},
}

func (p *typeParser) root(depth int) (Type, error) {
	name := strings.ToUpper(p.next())
	if t, ok := plainTypes[name]; ok {
		return t, nil
	}
	switch name {
	case "DOUBLE":
		p.accept("PRECISION")
		return Type{Kind: Double}, nil
	case "DECIMAL", "DEC", "NUMERIC":
		nums, n, err := p.args()
		if n == 0 {
			nums[0] = 10
		}
		if err == nil && (nums[0] < 1 || nums[0] > MaxDecimalPrecision || nums[1] > nums[0]) {
			err = p.errorf("DECIMAL has 1 to %d digits, of which scale digits are behind the point", MaxDecimalPrecision)
		}
		return Type{Kind: Decimal, Prec: nums[0], Scale: nums[1]}, err
	case "CHAR":
		return p.sizedType(Char, 1, MaxLength)
	case "VARCHAR":
		return p.sizedType(VarChar, 1, MaxLength)
	case "BINARY":
		return p.sizedType(Binary, 1, MaxLength)
	case "VARBINARY":
		return p.sizedType(VarBinary, 1, MaxLength)
	case "TIME":
		t, err := p.sizedType(Time, 0, 9)
		p.accept("WITHOUT", "TIME", "ZONE")
		return t, err
	case "TIMESTAMP_LTZ":
		return p.sizedType(TimestampLTZ, 6, 9)
	case "TIMESTAMP":
		t, err := p.sizedType(Timestamp, 6, 9)
		if p.accept("WITH", "LOCAL", "TIME", "ZONE") {
			t.Kind = TimestampLTZ
		} else {
			p.accept("WITHOUT", "TIME", "ZONE")
		}
		return t, err
	case "INTERVAL":
		return p.interval()
	case "ARRAY", "MULTISET", "MAP":
		return p.collection(name, depth)
	case "ROW":
		return p.row(depth)
	case "STRUCTURED":
		return p.structured(depth)
	case "RAW":
		return p.raw()
	}
	return Type{}, p.errorf("type name expected")
}

func (p *typeParser) sizedType(k Kind, def, most int) (Type, error) {
	nums, n, err := p.args()
	if err != nil {
		return Type{}, err
	}
	if n == 0 {
		nums[0] = def
	}
	if n > 1 || nums[0] > most {
		return Type{}, p.errorf("%s takes one number up to %d", k, most)
	}
	return Type{Kind: k, Prec: nums[0]}, nil
}

// interval reads YEAR, DAY TO SECOND(3) and so on. All month intervals are
// one type and all second intervals are; the unit is kept as information.
func (p *typeParser) interval() (Type, error) {
	first := strings.ToUpper(p.next())
	t := Type{Kind: IntervalDS, Unit: first, Prec: 3}
	switch first {
	case "YEAR", "QUARTER", "MONTH":
		t.Kind, t.Prec = IntervalYM, 0
	case "WEEK", "DAY", "HOUR", "MINUTE", "SECOND":
	default:
		return Type{}, p.errorf("interval unit expected")
	}
	if _, _, err := p.args(); err != nil {
		return Type{}, err
	}
	if p.accept("TO") {
		second := strings.ToUpper(p.next())
		ok := false
		switch second {
		case "MONTH":
			ok = first == "YEAR"
		case "HOUR", "MINUTE", "SECOND":
			ok = t.Kind == IntervalDS && first != second
		}
		if !ok {
			return Type{}, p.errorf("interval unit expected")
		}
		t.Unit += " TO " + second
		if _, _, err := p.args(); err != nil {
			return Type{}, err
		}
	}
	return t, nil
}

func (p *typeParser) collection(name string, depth int) (Type, error) {
	if err := p.expect("<"); err != nil {
		return Type{}, err
	}
	elem, err := p.parse(depth + 1)
	if err != nil {
		return Type{}, err
	}
	t := Type{Kind: Array, Elem: &elem}
	switch name {
	case "MULTISET":
		t.Kind = Multiset
	case "MAP":
		if err := p.expect(","); err != nil {
			return Type{}, err
		}
		value, err := p.parse(depth + 1)
		if err != nil {
			return Type{}, err
		}
		t = Type{Kind: Map, Key: &elem, Elem: &value}
	}
	return t, p.expect(">")
}

func (p *typeParser) row(depth int) (Type, error) {
	closing := ">"
	switch p.next() {
	case "<":
	case "(":
		closing = ")"
	default:
		return Type{}, p.errorf("\"<\" expected")
	}
	if p.accept(closing) {
		return Type{Kind: Row}, nil
	}
	fields, err := p.fields(closing, depth)
	return Type{Kind: Row, Fields: fields}, err
}

func (p *typeParser) fields(closing string, depth int) ([]Field, error) {
	var fields []Field
	for {
		name := p.next()
		switch {
		case name == "" || !wordByte(name[0]) && name[0] != '`':
			return nil, p.errorf("field name expected")
		case name[0] == '`':
			name = name[1:]
		}
		t, err := p.parse(depth + 1)
		if err != nil {
			return nil, err
		}
		f := Field{Name: name, Type: t}
		if c := p.peek(); c != "" && c[0] == '\'' {
			f.Comment = p.next()[1:]
		}
		fields = append(fields, f)
		switch p.next() {
		case ",":
		case closing:
			return fields, nil
		default:
			return nil, p.errorf("\",\" or %q expected", closing)
		}
	}
}

// structured reads STRUCTURED<'class', `field` type, ...>.
func (p *typeParser) structured(depth int) (Type, error) {
	if err := p.expect("<"); err != nil {
		return Type{}, err
	}
	class, err := p.className()
	if err != nil {
		return Type{}, err
	}
	t := Type{Kind: Row, Class: class}
	if p.accept(">") {
		return t, nil
	}
	if err := p.expect(","); err != nil {
		return Type{}, err
	}
	t.Fields, err = p.fields(">", depth)
	return t, err
}

// raw reads RAW('class', 'snapshot'); the snapshot may be shown as ? or ....
func (p *typeParser) raw() (Type, error) {
	if err := p.expect("("); err != nil {
		return Type{}, err
	}
	class, err := p.className()
	if err != nil {
		return Type{}, err
	}
	if p.accept(",") {
		for p.peek() != ")" {
			if tok := p.next(); tok == "" || tok == "\x00" {
				return Type{}, p.errorf("\")\" expected")
			}
		}
	}
	return Type{Kind: Raw, Class: class}, p.expect(")")
}

func (p *typeParser) className() (string, error) {
	tok := p.next()
	if len(tok) < 2 || tok[0] != '\'' || strings.ContainsRune(tok[1:], '\'') {
		return "", p.errorf("class name in quotes expected")
	}
	return tok[1:], nil
}
