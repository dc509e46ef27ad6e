package builtin

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/regex"
)

// pathFilter is a condition of [?(…)]: a tree of and, or, not over comparisons.
type pathFilter struct {
	op    string // "&&", "||", "!", or a comparison; "exists" has a left side only
	sub   []*pathFilter
	left  pathOperand
	right pathOperand
	re    *regex.Matcher
}

// pathOperand is a path from the element (@) or the document ($ is taken as the
// element's: conditions see one element only), or a literal, as JSON text.
type pathOperand struct {
	path    *jsonPath
	literal string
}

func (c *pathCompiler) or() (*pathFilter, error) {
	return c.chain("||", func() (*pathFilter, error) {
		return c.chain("&&", c.condition)
	})
}

func (c *pathCompiler) chain(op string, part func() (*pathFilter, error)) (*pathFilter, error) {
	f, err := part()
	if err != nil {
		return nil, err
	}
	subs := []*pathFilter{f}
	for c.accept(op) {
		if f, err = part(); err != nil {
			return nil, err
		}
		subs = append(subs, f)
	}
	if len(subs) == 1 {
		return f, nil
	}
	return &pathFilter{op: op, sub: subs}, nil
}

func (c *pathCompiler) condition() (*pathFilter, error) {
	if c.accept("!") {
		if c.depth++; c.depth > 50 {
			return nil, c.errorf("too many nested conditions")
		}
		f, err := c.condition()
		c.depth--
		if err != nil {
			return nil, err
		}
		return &pathFilter{op: "!", sub: []*pathFilter{f}}, nil
	}
	if c.accept("(") {
		if c.depth++; c.depth > 50 {
			return nil, c.errorf("too many nested conditions")
		}
		f, err := c.or()
		c.depth--
		if err != nil {
			return nil, err
		}
		if !c.accept(")") {
			return nil, c.errorf("a ) is missing")
		}
		return f, nil
	}
	f := &pathFilter{op: "exists"}
	var err error
	if f.left, err = c.operand(); err != nil {
		return nil, err
	}
	for _, op := range []string{"==", "!=", "<>", "<=", ">=", "=~", "<", ">"} {
		if c.accept(op) {
			f.op = op
			break
		}
	}
	if f.op == "exists" {
		c.blanks()
		word := c.word()
		switch w := strings.ToLower(word); w {
		case "":
			if f.left.path == nil {
				return nil, c.errorf("a comparison is missing")
			}
			return f, nil
		case "in", "nin", "anyof", "noneof", "subsetof", "contains", "size", "empty":
			f.op = w
			c.pos += len(word)
		default:
			return nil, c.errorf("no comparison %q", word)
		}
	}
	if f.op == "=~" {
		return f, c.regex(f)
	}
	f.right, err = c.operand()
	return f, err
}

func (c *pathCompiler) word() string {
	end := c.pos
	for end < len(c.src) && isLetter(c.src[end]) {
		end++
	}
	return c.src[c.pos:end]
}

// operand reads @path, $path or a literal.
func (c *pathCompiler) operand() (pathOperand, error) {
	c.blanks()
	switch b := c.peek(); {
	case b == '@' || b == '$':
		c.pos++
		steps, err := c.steps(true)
		p := &jsonPath{steps: steps, definite: true, plain: true}
		p.classify()
		return pathOperand{path: p}, err
	case b == '\'':
		text, err := c.quoted(b)
		return pathOperand{literal: string(appendJSONQuoted(nil, text))}, err
	}
	end := jsonSkip(c.src, c.pos, 0)
	if end < 0 {
		if c.peek() == '[' { // Jayway's lists may have quotes of either kind
			return c.list()
		}
		return pathOperand{}, c.errorf("want @, $ or a value")
	}
	lit := c.src[c.pos:end]
	c.pos = end
	return pathOperand{literal: lit}, nil
}

func (c *pathCompiler) list() (pathOperand, error) {
	text := []byte{'['}
	c.pos++
	for !c.accept("]") {
		if len(text) > 1 {
			if !c.accept(",") {
				return pathOperand{}, c.errorf("want , or ]")
			}
			text = append(text, ',')
		}
		if c.blanks(); c.peek() == '[' || c.peek() == '@' || c.peek() == '$' {
			return pathOperand{}, c.errorf("want a value")
		}
		o, err := c.operand()
		if err != nil {
			return o, err
		}
		text = append(text, o.literal...)
	}
	return pathOperand{literal: string(append(text, ']'))}, nil
}

// regex reads /expression/flags.
func (c *pathCompiler) regex(f *pathFilter) error {
	if !c.accept("/") {
		return c.errorf("want a regular expression /…/")
	}
	start := c.pos
	for c.pos < len(c.src) && c.src[c.pos] != '/' {
		if c.src[c.pos] == '\\' {
			c.pos++
		}
		c.pos++
	}
	if c.pos >= len(c.src) {
		return c.errorf("a / is missing")
	}
	pattern := strings.ReplaceAll(c.src[start:c.pos], `\/`, `/`)
	c.pos++
	flags := c.word()
	c.pos += len(flags)
	if flags != "" {
		pattern = "(?" + flags + ")" + pattern
	}
	re, err := regex.Compile(pattern, 0)
	if err != nil {
		return err
	}
	f.re = re.Matcher()
	return nil
}

// holds tells whether the condition holds for the element at v.
func (f *pathFilter) holds(s string, v jsonSpan) bool {
	switch f.op {
	case "&&":
		for _, sub := range f.sub {
			if !sub.holds(s, v) {
				return false
			}
		}
		return true
	case "||":
		for _, sub := range f.sub {
			if sub.holds(s, v) {
				return true
			}
		}
		return false
	case "!":
		return !f.sub[0].holds(s, v)
	}
	left, ok := f.left.value(s, v)
	if f.op == "exists" {
		return ok
	}
	if f.op == "=~" {
		if !ok || left[0] == '{' || left[0] == '[' {
			return false
		}
		hit, err := f.re.MatchWhole(string(appendJSONScalar(nil, left, jsonSpan{0, len(left)})))
		return hit && err == nil
	}
	right, okRight := f.right.value(s, v)
	switch f.op {
	case "==":
		return ok && okRight && jsonEqual(left, right)
	case "!=", "<>":
		return !(ok && okRight && jsonEqual(left, right))
	case "<", "<=", ">", ">=":
		c, comparable := 0, false
		if ok && okRight {
			c, comparable = jsonCompare(left, right)
		}
		return comparable && (f.op == "<" && c < 0 || f.op == "<=" && c <= 0 || f.op == ">" && c > 0 || f.op == ">=" && c >= 0)
	case "contains":
		if ok && okRight && left[0] == '"' && right[0] == '"' {
			return strings.Contains(string(appendJSONText(nil, left)), string(appendJSONText(nil, right)))
		}
		return ok && okRight && inList(right, left)
	case "in":
		return ok && okRight && inList(left, right)
	case "nin":
		return ok && okRight && !inList(left, right)
	case "size", "empty":
		if !ok || !okRight {
			return false
		}
		n := jsonSize(left)
		if f.op == "size" {
			return strconv.Itoa(n) == right
		}
		return n >= 0 && (n == 0) == (right == "true")
	}
	return ok && okRight && left[0] == '[' && right[0] == '[' && f.sets(left, right)
}

// sets decides anyof, noneof and subsetof.
func (f *pathFilter) sets(left, right string) bool {
	any, all := false, true
	for _, e := range jsonElements(nil, left, 0) {
		if inList(left[e.start:e.end], right) {
			any = true
		} else {
			all = false
		}
	}
	switch f.op {
	case "anyof":
		return any
	case "noneof":
		return !any
	}
	return all
}

// value returns the operand as JSON text; false if its path leads to nothing.
func (o *pathOperand) value(s string, v jsonSpan) (string, bool) {
	if o.path == nil {
		return o.literal, true
	}
	r := pathResult{text: s}
	list, ok := o.path.run(s, o.path.steps, []jsonSpan{v}, &r)
	if !ok {
		return "", false
	}
	if o.path.definite {
		if len(list) == 0 {
			return "", false
		}
		return r.text[list[0].start:list[0].end], true
	}
	text := []byte{'['}
	for i, e := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, s[e.start:e.end]...)
	}
	return string(append(text, ']')), true
}

func inList(x, list string) bool {
	if list[0] != '[' {
		return false
	}
	for _, e := range jsonElements(nil, list, 0) {
		if jsonEqual(x, list[e.start:e.end]) {
			return true
		}
	}
	return false
}

// jsonSize is the number of members, elements or characters; -1 for others.
func jsonSize(v string) int {
	switch v[0] {
	case '{':
		return len(jsonMembers(nil, v, 0))
	case '[':
		return len(jsonElements(nil, v, 0))
	case '"':
		return len([]rune(string(appendJSONText(nil, v))))
	}
	return -1
}

func jsonEqual(a, b string) bool {
	if c, ok := jsonCompare(a, b); ok {
		return c == 0
	}
	whole := func(s string) string { return string(appendJSON(nil, s, jsonSpan{0, len(s)})) }
	return whole(a) == whole(b)
}

// jsonCompare orders numbers and texts; false for everything else.
func jsonCompare(a, b string) (int, bool) {
	if a[0] == '"' && b[0] == '"' {
		return compareUTF16(string(appendJSONText(nil, a)), string(appendJSONText(nil, b))), true
	}
	isNumber := func(s string) bool { return s[0] == '-' || s[0] >= '0' && s[0] <= '9' }
	if !isNumber(a) || !isNumber(b) {
		return 0, false
	}
	x, okX := smallRat(a)
	y, okY := smallRat(b)
	if okX && okY {
		return x.Cmp(y), true
	}
	f, _ := strconv.ParseFloat(a, 64)
	g, _ := strconv.ParseFloat(b, 64)
	switch {
	case f < g:
		return -1, true
	case f > g:
		return 1, true
	}
	return 0, true
}

// smallRat reads a number exactly unless its exponent would make it huge.
func smallRat(s string) (*big.Rat, bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}
