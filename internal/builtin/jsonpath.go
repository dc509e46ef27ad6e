package builtin

import (
	"fmt"
	"strconv"
	"strings"
)

// JSON paths are those of Flink, which are Jayway's: $.a, $['a'], $['a','b'],
// $[0], $[-1], $[0,2], $[1:3], $[*], $.*, $..a, $[?(@.price < 10)] and
// functions at the end such as $.a.length(). In front of one may stand lax or
// strict; without either a path is strict: what is missing is an error, which
// ON ERROR handles.
//
// jsonpath.go compiles, jsonpath_eval.go evaluates, jsonpath_filter.go has
// the conditions of [?(…)].

// jsonPath is a compiled path. It is immutable but for its matchers of regular
// expressions: one belongs to one goroutine.
type jsonPath struct {
	text  string
	lax   bool
	steps []pathStep
	// definite: it leads to one value at most. plain: members and elements only,
	// which are found in one pass over the text.
	definite, plain bool
	// bad is why the path is none; evaluating it is an error.
	bad error
}

type stepKind uint8

const (
	stepKey    stepKind = iota // .name
	stepKeys                   // ['a','b']
	stepIndex                  // [n]
	stepMany                   // [a,b]
	stepSlice                  // [a:b]
	stepAll                    // .* and [*]
	stepDeep                   // ..; the next step applies to all values below
	stepFilter                 // [?(…)]
	stepCall                   // .length()
)

type pathStep struct {
	kind  stepKind
	name  string // of a key or function
	names []string
	index int
	many  []int
	from  *int // of a slice
	to    *int
	where *pathFilter
	arg   int // of index()
}

const maxPathLen = 10_000

// compilePath compiles a path. A text that is no path compiles to one whose
// evaluation fails, as ON ERROR governs that too.
func compilePath(text string) *jsonPath {
	p := &jsonPath{text: text, definite: true, plain: true}
	spec := strings.TrimLeft(text, " \t\n\r\f\v")
	for _, mode := range []string{"strict", "lax"} {
		if len(spec) > len(mode) && strings.EqualFold(spec[:len(mode)], mode) && strings.IndexByte(" \t\n\r\f\v", spec[len(mode)]) >= 0 {
			if rest := strings.TrimLeft(spec[len(mode):], " \t\n\r\f\v"); rest != "" {
				spec, p.lax = rest, mode == "lax"
			}
			break
		}
	}
	c := pathCompiler{src: strings.TrimSpace(spec)}
	switch {
	case len(spec) > maxPathLen:
		p.bad = fmt.Errorf("a JSON path of %d characters is too long", len(spec))
	case c.src == "":
		p.bad = fmt.Errorf("the JSON path is empty")
	default:
		if c.src[0] != '$' && c.src[0] != '@' {
			c.src = "$." + c.src
		}
		c.pos = 1
		p.steps, p.bad = c.steps(false)
		if p.bad == nil && c.pos < len(c.src) {
			p.bad = c.errorf("unexpected %q", c.src[c.pos:])
		}
	}
	if p.bad != nil {
		p.bad = fmt.Errorf("JSON path %q: %w", text, p.bad)
	}
	p.classify()
	return p
}

func (p *jsonPath) classify() {
	for i, st := range p.steps {
		switch st.kind {
		case stepKey, stepIndex:
		case stepKeys:
			p.plain = false
			p.definite = p.definite && i == len(p.steps)-1
		case stepCall:
			p.plain = false
		default:
			p.plain, p.definite = false, false
		}
	}
	if n := len(p.steps); n > 0 && p.steps[n-1].kind == stepCall {
		p.definite = true // a function makes one value of whatever comes in
	}
}

type pathCompiler struct {
	src   string
	pos   int
	depth int
}

func (c *pathCompiler) errorf(format string, args ...any) error {
	return fmt.Errorf("%s at character %d", fmt.Sprintf(format, args...), c.pos+1)
}

func (c *pathCompiler) peek() byte {
	if c.pos < len(c.src) {
		return c.src[c.pos]
	}
	return 0
}

func (c *pathCompiler) blanks() {
	for c.pos < len(c.src) && (c.src[c.pos] == ' ' || c.src[c.pos] == '\t' || c.src[c.pos] == '\n' || c.src[c.pos] == '\r') {
		c.pos++
	}
}

func (c *pathCompiler) accept(s string) bool {
	c.blanks()
	if !strings.HasPrefix(c.src[c.pos:], s) {
		return false
	}
	c.pos += len(s)
	return true
}

// steps reads steps up to the end, or in a filter up to what cannot be one.
func (c *pathCompiler) steps(inFilter bool) ([]pathStep, error) {
	var steps []pathStep
	for {
		switch c.peek() {
		case '.':
			c.pos++
			if c.peek() == '.' {
				c.pos++
				steps = append(steps, pathStep{kind: stepDeep})
				if c.peek() == '[' {
					continue
				}
			} else if c.peek() == '[' {
				continue
			}
			st, err := c.dotted(inFilter)
			if err != nil {
				return nil, err
			}
			steps = append(steps, st)
		case '[':
			st, err := c.bracket()
			if err != nil {
				return nil, err
			}
			steps = append(steps, st)
		default:
			return steps, nil
		}
	}
}

// dotted reads what follows a point: *, a name or a function.
func (c *pathCompiler) dotted(inFilter bool) (pathStep, error) {
	if c.peek() == '*' {
		c.pos++
		return pathStep{kind: stepAll}, nil
	}
	start := c.pos
	stop := ".[ \t\n("
	if inFilter {
		stop = ".[ \t\n()=!<>~&|,]"
	}
	for c.pos < len(c.src) && strings.IndexByte(stop, c.src[c.pos]) < 0 {
		c.pos++
	}
	name := c.src[start:c.pos]
	if name == "" {
		return pathStep{}, c.errorf("a name is missing")
	}
	if c.peek() != '(' {
		return pathStep{kind: stepKey, name: name}, nil
	}
	end := strings.IndexByte(c.src[c.pos:], ')')
	if end < 0 {
		return pathStep{}, c.errorf("a ) is missing")
	}
	arg := strings.TrimSpace(c.src[c.pos+1 : c.pos+end])
	st := pathStep{kind: stepCall, name: name}
	switch name {
	case "length", "size", "keys", "first", "last", "min", "max", "sum", "avg", "stddev":
		if arg != "" {
			return st, c.errorf("%s() takes no argument here", name)
		}
	case "index":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return st, c.errorf("index() takes a number")
		}
		st.arg = n
	default:
		return st, c.errorf("no function %s()", name)
	}
	c.pos += end + 1
	if c.pos < len(c.src) && !inFilter {
		return st, c.errorf("%s() must be the end of the path", name)
	}
	return st, nil
}

// bracket reads [ … ].
func (c *pathCompiler) bracket() (pathStep, error) {
	c.pos++
	c.blanks()
	switch b := c.peek(); {
	case b == '*':
		c.pos++
		return pathStep{kind: stepAll}, c.close()
	case b == '\'' || b == '"':
		return c.keys(b)
	case b == '?':
		c.pos++
		if !c.accept("(") {
			return pathStep{}, c.errorf("want [?(…)]")
		}
		if c.depth++; c.depth > 20 {
			return pathStep{}, c.errorf("too many nested conditions")
		}
		where, err := c.or()
		c.depth--
		if err != nil {
			return pathStep{}, err
		}
		if !c.accept(")") {
			return pathStep{}, c.errorf("a ) is missing")
		}
		return pathStep{kind: stepFilter, where: where}, c.close()
	case b == '-' || b == ':' || b >= '0' && b <= '9':
		return c.indexes()
	}
	return pathStep{}, c.errorf("unexpected %q", c.src[c.pos:])
}

func (c *pathCompiler) close() error {
	if !c.accept("]") {
		return c.errorf("a ] is missing")
	}
	return nil
}

func (c *pathCompiler) keys(quote byte) (pathStep, error) {
	var names []string
	for {
		name, err := c.quoted(quote)
		if err != nil {
			return pathStep{}, err
		}
		names = append(names, name)
		if c.accept("]") {
			break
		}
		if !c.accept(",") {
			return pathStep{}, c.errorf("want , or ]")
		}
		if c.blanks(); c.peek() != quote {
			return pathStep{}, c.errorf("a name is missing")
		}
	}
	if len(names) == 1 {
		return pathStep{kind: stepKey, name: names[0]}, nil
	}
	return pathStep{kind: stepKeys, names: names}, nil
}

// quoted reads a quoted text; a backslash takes the next character as it is,
// but for the escapes of JSON.
func (c *pathCompiler) quoted(quote byte) (string, error) {
	c.pos++
	var b strings.Builder
	for ; c.pos < len(c.src); c.pos++ {
		ch := c.src[c.pos]
		if ch == quote {
			c.pos++
			return b.String(), nil
		}
		if ch == '\\' && c.pos+1 < len(c.src) {
			c.pos++
			ch = c.src[c.pos]
			switch ch {
			case 'n':
				ch = '\n'
			case 't':
				ch = '\t'
			case 'r':
				ch = '\r'
			case 'b':
				ch = '\b'
			case 'f':
				ch = '\f'
			case 'u':
				if r, ok := hex4(c.src, c.pos+1); ok {
					b.WriteRune(r)
					c.pos += 4
					continue
				}
			}
		}
		b.WriteByte(ch)
	}
	return "", c.errorf("a quote is missing")
}

func (c *pathCompiler) number() (int, bool) {
	c.blanks()
	start := c.pos
	if c.peek() == '-' {
		c.pos++
	}
	for c.peek() >= '0' && c.peek() <= '9' {
		c.pos++
	}
	n, err := strconv.ParseInt(c.src[start:c.pos], 10, 32)
	return int(n), err == nil
}

// indexes reads n], n,m], n:m], n:], :m].
func (c *pathCompiler) indexes() (pathStep, error) {
	var from *int
	if n, ok := c.number(); ok {
		from = &n
	}
	if c.accept(":") {
		st := pathStep{kind: stepSlice, from: from}
		if n, ok := c.number(); ok {
			st.to = &n
		}
		if st.from == nil && st.to == nil {
			return st, c.errorf("want a number before or behind the :")
		}
		return st, c.close()
	}
	if from == nil {
		return pathStep{}, c.errorf("want a number")
	}
	if c.accept("]") {
		return pathStep{kind: stepIndex, index: *from}, nil
	}
	many := []int{*from}
	for c.accept(",") {
		n, ok := c.number()
		if !ok {
			return pathStep{}, c.errorf("want a number")
		}
		many = append(many, n)
	}
	return pathStep{kind: stepMany, many: many}, c.close()
}
