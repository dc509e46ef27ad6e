package function

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/types"
)

// A Form is one way to call a function: what the arguments must be and what
// comes out. ParseSignature reads forms from text.
type Form struct {
	Params []Param
	Result Result
	text   string
}

// Param is one parameter of a form.
type Param struct {
	Optional bool // may be left out, then all that follow are too
	Repeated bool // stands for any number of arguments, none included; the last one only
	pattern  pattern
}

// Result is the result type of a form.
type Result struct {
	pattern pattern
	null    resultNull
}

// resultNull says when a result is nullable.
type resultNull uint8

const (
	nullIfArg  resultNull = iota // if an argument is
	nullNever                    // "!"
	nullAlways                   // "?"
)

// pattern is a type with holes.
type pattern struct {
	typ    *types.Type // a plain type, else:
	family string      // a family's name
	name   string      // a variable
	root   types.Kind  // Array, Map or Multiset of patterns
	key    *pattern
	elem   *pattern
}

// families are the names that stand for several types as a parameter. The
// argument is passed as it is, and as a result the name is the type of the
// first argument that the family took.
var families = map[string]func(types.Type) bool{
	"ANY":        func(types.Type) bool { return true },
	"NUMERIC":    types.Type.IsNumeric,
	"EXACT":      types.Type.IsExact,
	"APPROX":     types.Type.IsApprox,
	"INTEGER":    types.Type.IsInteger,
	"CHARACTER":  types.Type.IsChar,
	"BINARY":     types.Type.IsBinary,
	"TEMPORAL":   types.Type.IsTemporal,
	"TIMESTAMPS": types.Type.IsTimestamp,
	"INTERVAL":   types.Type.IsInterval,
	"COLLECTION": types.Type.IsCollection,
	"ROW":        func(t types.Type) bool { return t.Kind == types.Row },
	"SYMBOL":     func(t types.Type) bool { return t.Kind == types.Symbol },
	"DESCRIPTOR": func(t types.Type) bool { return t.Kind == types.Descriptor },
	"COMPARABLE": comparable,
}

// comparable tells whether values of t have an order.
func comparable(t types.Type) bool {
	switch t.Kind {
	case types.Map, types.Multiset, types.Row, types.Array, types.Variant, types.Bitmap, types.Raw, types.Symbol, types.Descriptor:
		return false
	}
	return true
}

// ParseSignature reads the forms of a signature:
//
//	signature = form { "|" form }
//	form      = "(" [ param { "," param } ] ")" "->" type [ "!" | "?" ]
//	param     = type | "[" type "]" | type "..." | "[" type "..." "]"
//	type      = SQL type | family | variable | "ARRAY<" type ">"
//	          | "MULTISET<" type ">" | "MAP<" type "," type ">"
//
// A SQL type such as INT or DECIMAL(10, 2) takes what converts to it unasked:
// BIGINT takes all integers, DOUBLE all numbers, STRING all texts. A family
// (ANY, NUMERIC, EXACT, APPROX, INTEGER, CHARACTER, BINARY, TEMPORAL,
// TIMESTAMPS, INTERVAL, COLLECTION, ROW, SYMBOL, DESCRIPTOR, COMPARABLE) takes
// each of its types as it is. A variable (one capital letter) is the common
// type of all arguments it stands for, to which they are cast.
//
// "[INT]" may be left out; "T..." is any number of arguments, none included.
//
// In the result a family is the type of its first argument, CHARACTER+ the
// text type with room for all text arguments together, VARCHAR the first text
// argument's type with varying length. The result is nullable if an argument
// is; "!" makes it NOT NULL and "?" nullable in any case.
func ParseSignature(s string) ([]Form, error) {
	var forms []Form
	for _, text := range strings.Split(s, "|") {
		p := sigParser{src: text}
		f, err := p.form()
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", s, err)
		}
		f.text = strings.TrimSpace(text)
		forms = append(forms, f)
	}
	return forms, nil
}

// String returns the text the form was read from.
func (f Form) String() string { return f.text }

type sigParser struct {
	src string
	pos int
}

func (p *sigParser) skip() {
	for p.pos < len(p.src) && p.src[p.pos] == ' ' {
		p.pos++
	}
}

func (p *sigParser) accept(s string) bool {
	p.skip()
	if !strings.HasPrefix(p.src[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *sigParser) expect(s string) error {
	if !p.accept(s) {
		return fmt.Errorf("want %q at %q", s, p.src[p.pos:])
	}
	return nil
}

func (p *sigParser) form() (f Form, err error) {
	if err = p.expect("("); err != nil {
		return f, err
	}
	for !p.accept(")") {
		if len(f.Params) > 0 {
			if err = p.expect(","); err != nil {
				return f, err
			}
			if f.Params[len(f.Params)-1].Repeated {
				return f, fmt.Errorf("a repeated parameter must be the last")
			}
		}
		q, err := p.param()
		if err != nil {
			return f, err
		}
		if n := len(f.Params); n > 0 && f.Params[n-1].Optional && !q.Optional {
			return f, fmt.Errorf("an optional parameter before one that is not")
		}
		f.Params = append(f.Params, q)
	}
	if err = p.expect("->"); err != nil {
		return f, err
	}
	if f.Result.pattern, err = p.typ(); err != nil {
		return f, err
	}
	if p.accept("!") {
		f.Result.null = nullNever
	} else if p.accept("?") {
		f.Result.null = nullAlways
	}
	if p.skip(); p.pos != len(p.src) {
		return f, fmt.Errorf("unexpected %q", p.src[p.pos:])
	}
	return f, f.checkResult()
}

func (p *sigParser) param() (q Param, err error) {
	q.Optional = p.accept("[")
	if q.pattern, err = p.typ(); err != nil {
		return q, err
	}
	if p.accept("...") {
		bracket := q.Optional
		q.Repeated, q.Optional = true, false
		if bracket {
			return q, p.expect("]")
		}
		return q, nil
	}
	if q.Optional {
		return q, p.expect("]")
	}
	return q, nil
}

// typ reads a type with holes: names and nesting here, the rest is a SQL type.
func (p *sigParser) typ() (pattern, error) {
	p.skip()
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] >= 'A' && p.src[p.pos] <= 'Z' || p.src[p.pos] == '_' || p.src[p.pos] >= '0' && p.src[p.pos] <= '9') {
		p.pos++
	}
	word := p.src[start:p.pos]
	switch {
	case word == "":
		return pattern{}, fmt.Errorf("want a type at %q", p.src[start:])
	case len(word) == 1:
		return pattern{name: word}, nil
	case word == "CHARACTER" && p.accept("+"):
		return pattern{family: "CHARACTER+"}, nil
	case families[word] != nil && !p.typeGoesOn():
		return pattern{family: word}, nil
	case word == "VARCHAR" && !strings.HasPrefix(p.src[p.pos:], "("):
		return pattern{family: word}, nil
	}
	if root, ok := roots[word]; ok {
		q := pattern{root: root}
		if err := p.expect("<"); err != nil {
			return q, err
		}
		if root == types.Map {
			key, err := p.typ()
			if err != nil {
				return q, err
			}
			if err := p.expect(","); err != nil {
				return q, err
			}
			q.key = &key
		}
		elem, err := p.typ()
		if err != nil {
			return q, err
		}
		q.elem = &elem
		return q, p.expect(">")
	}
	// A SQL type: words, sizes and nesting up to what ends a parameter.
	depth := 0
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; c {
		case '(', '<':
			depth++
			continue
		case ')', '>':
			depth--
			if depth >= 0 {
				continue
			}
		case ',', ']', '.', '!', '?':
			if depth > 0 {
				continue
			}
		case '-':
		default:
			continue
		}
		break
	}
	t, err := types.ParseType(strings.TrimSpace(p.src[start:p.pos]))
	if err != nil {
		return pattern{}, err
	}
	return pattern{typ: &t}, nil
}

// typeGoesOn tells whether a word that names a family is the start of a SQL
// type: ROW<, INTERVAL DAY.
func (p *sigParser) typeGoesOn() bool {
	rest := p.src[p.pos:]
	return strings.HasPrefix(rest, "<") || len(rest) > 1 && rest[0] == ' ' && rest[1] >= 'A' && rest[1] <= 'Z'
}

var roots = map[string]types.Kind{"ARRAY": types.Array, "MAP": types.Map, "MULTISET": types.Multiset}

// checkResult sees to it that the arguments always determine the result.
func (f Form) checkResult() error {
	known := map[string]bool{"CHARACTER+": true, "VARCHAR": true}
	for _, p := range f.Params {
		p.pattern.names(func(n string) { known[n] = true })
	}
	var err error
	f.Result.pattern.names(func(n string) {
		if !known[n] {
			err = fmt.Errorf("the result's %s is no parameter", n)
		}
	})
	return err
}

// names calls f with the families and variables in p.
func (p pattern) names(f func(string)) {
	switch {
	case p.family != "":
		f(p.family)
	case p.name != "":
		f(p.name)
	}
	if p.key != nil {
		p.key.names(f)
	}
	if p.elem != nil {
		p.elem.names(f)
	}
}
