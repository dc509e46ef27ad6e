package regex

import (
	"fmt"
	"math"
	"unicode/utf8"
)

// Flags change the meaning of a pattern, as those of java.util.regex.Pattern.
type Flags uint16

// The flags. In a pattern they are written (?idmsuxU).
const (
	CaseInsensitive Flags = 1 << iota // i: ASCII letters only, unless UnicodeCase
	UnixLines                         // d: only \n ends a line
	Multiline                         // m
	DotAll                            // s
	UnicodeCase                       // u
	Comments                          // x
	UnicodeClass                      // U: \w, \d, \s, \b and POSIX names after Unicode; implies UnicodeCase
	Literal                           // the pattern is plain text
)

// SyntaxError tells why a pattern is none.
type SyntaxError struct {
	Pattern string
	Pos     int // in code points
	Msg     string
	Limit   bool // Java knows the pattern; this package does not, or it is too large for it
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s near index %d of regular expression %q", e.Msg, e.Pos, e.Pattern)
}

const (
	maxDepth = 500 // nested groups
	maxNodes = 200_000
)

// parser reads a pattern. The methods that move in the text differ in what they
// do about white space under COMMENTS, and that difference is part of the syntax.
type parser struct {
	pattern string
	text    []rune // two zeros behind the end
	end     int    // its length without them
	pos     int
	flags   Flags
	groups  int // capturing groups opened, the whole included
	names   []string
	depth   int
	nodes   int
}

// failure carries a syntax error out of the recursive descent; parse recovers it.
type failure struct{ err *SyntaxError }

func (p *parser) fail(format string, args ...any) {
	panic(failure{&SyntaxError{p.pattern, max(p.pos-1, 0), fmt.Sprintf(format, args...), false}})
}

// limit fails for a pattern that Java may well take.
func (p *parser) limit(format string, args ...any) {
	panic(failure{&SyntaxError{p.pattern, max(p.pos-1, 0), fmt.Sprintf(format, args...), true}})
}

// parse returns the tree, and the names of groups by number.
func parse(pattern string, flags Flags) (tree *node, names []string, err error) {
	p := &parser{pattern: pattern, flags: flags, groups: 1, names: []string{""}}
	if flags&UnicodeClass != 0 {
		p.flags |= UnicodeCase
	}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(failure)
			if !ok {
				panic(r)
			}
			tree, names, err = nil, nil, f.err
		}
	}()
	runes := make([]rune, 0, len(pattern)+2)
	for i := 0; i < len(pattern); {
		r, w := utf8.DecodeRuneInString(pattern[i:])
		runes = append(runes, r)
		i += w
	}
	if flags&Literal != 0 {
		var subs []*node
		for _, r := range runes {
			subs = append(subs, p.char(r))
		}
		return catOf(subs), p.names, nil
	}
	runes = unquote(runes)
	p.end = len(runes)
	p.text = append(runes, 0, 0)
	tree = p.alternation()
	if p.pos != p.end {
		if p.peek() == ')' {
			p.pos++
			p.fail("unmatched closing ')'")
		}
		p.fail("unexpected end of the expression")
	}
	return tree, p.names, nil
}

// unquote replaces \Q…\E by escapes. It happens before anything else, so a
// quotation may begin in a class and the quantifier behind it takes its last
// character only.
func unquote(in []rune) []rune {
	out := make([]rune, 0, len(in)+2)
	quoted, first := false, false
	for i := 0; i < len(in); i++ {
		c := in[i]
		switch {
		case isASCIILetter(c):
			out = append(out, c)
		case c >= '0' && c <= '9':
			if quoted && first { // it must not lengthen an escape in front
				out = append(out, '\\', 'x', '3')
			}
			out = append(out, c)
		case c != '\\':
			if quoted {
				out = append(out, '\\')
			}
			out = append(out, c)
		case quoted:
			if i+1 < len(in) && in[i+1] == 'E' {
				i++
				quoted = false
			} else {
				out = append(out, '\\', '\\')
			}
		case i+1 < len(in) && in[i+1] == 'Q':
			i++
			quoted, first = true, true
			continue
		default:
			out = append(out, c)
			if i+1 < len(in) {
				i++
				out = append(out, in[i])
			}
		}
		first = false
	}
	return out
}

func (p *parser) has(f Flags) bool { return p.flags&f != 0 }

func (p *parser) at(i int) rune {
	if i < len(p.text) {
		return p.text[i]
	}
	return 0
}

// peek is the current character.
func (p *parser) peek() rune {
	p.skipSpace()
	return p.at(p.pos)
}

// next moves on and is the then current character.
func (p *parser) next() rune {
	p.pos++
	return p.peek()
}

// read is the current character and moves behind it.
func (p *parser) read() rune {
	p.skipSpace()
	r := p.at(p.pos)
	p.pos++
	return r
}

func (p *parser) skipSpace() {
	if !p.has(Comments) {
		return
	}
	for {
		switch c := p.at(p.pos); {
		case c == ' ' || c >= '\t' && c <= '\r':
			p.pos++
		case c == '#':
			p.pos++
			for p.pos < p.end && !p.lineEnd(p.at(p.pos)) {
				p.pos++
			}
		default:
			return
		}
	}
}

func (p *parser) lineEnd(c rune) bool {
	if p.has(UnixLines) {
		return c == '\n'
	}
	return c == '\n' || c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029
}

func (p *parser) new(n node) *node {
	if p.nodes++; p.nodes > maxNodes {
		p.limit("the expression is too large")
	}
	return &n
}

func (p *parser) setNode(s set) *node { return p.new(node{op: opSet, set: s}) }

func (p *parser) char(r rune) *node { return p.setNode(charSet(r, p.flags)) }

func (p *parser) assertion(k assertKind) *node { return p.new(node{op: opAssert, assert: k}) }

func (p *parser) alternation() *node {
	if p.depth++; p.depth > maxDepth {
		p.limit("groups are nested too deep")
	}
	defer func() { p.depth-- }()
	var alts []*node
	for {
		alts = append(alts, p.sequence())
		if p.peek() != '|' {
			break
		}
		p.next()
	}
	if len(alts) == 1 {
		return alts[0]
	}
	return p.new(node{op: opAlt, subs: alts})
}

func (p *parser) sequence() *node {
	var subs []*node
	for {
		var n *node
		switch c := p.peek(); c {
		case '(':
			if n = p.groupOrFlags(); n != nil {
				subs = append(subs, n)
			}
			continue
		case '[':
			n = p.setNode(p.class(true))
		case '\\':
			n = p.escapeNode()
		case '^':
			p.next()
			n = p.assertion(p.caret())
		case '$':
			p.next()
			n = p.assertion(p.dollar())
		case '.':
			p.next()
			n = p.setNode(p.dot())
		case '|', ')':
			return catOf(subs)
		case '?', '*', '+':
			p.next()
			p.fail("dangling meta character '%c'", c)
		case '{':
			n = p.new(node{op: opEmpty})
		default:
			if c == 0 && p.pos >= p.end {
				return catOf(subs)
			}
			n = p.char(c)
			p.next()
		}
		subs = append(subs, p.quantified(n, false))
	}
}

func (p *parser) caret() assertKind {
	switch {
	case !p.has(Multiline):
		return atBegin
	case p.has(UnixLines):
		return atUnixLineStart
	}
	return atLineStart
}

func (p *parser) dollar() assertKind {
	switch {
	case p.has(Multiline) && p.has(UnixLines):
		return atUnixLineEnd
	case p.has(Multiline):
		return atLineEnd
	case p.has(UnixLines):
		return atUnixDollar
	}
	return atDollar
}

var lineEnds = runesSet('\n', '\r', 0x85, 0x2028, 0x2029)

func (p *parser) dot() set {
	switch {
	case p.has(DotAll):
		return setAll
	case p.has(UnixLines):
		return rangeSet('\n', '\n').negate()
	}
	return lineEnds.negate()
}

// groupOrFlags parses what a parenthesis opens; nil for (?i) and its like.
func (p *parser) groupOrFlags() *node {
	save := p.flags
	c := p.next()
	var n *node
	if c != '?' {
		n = p.capture("")
		return p.closeGroup(n, save)
	}
	c = p.at(p.pos + 1)
	p.pos += 2
	switch c {
	case ':':
		n = p.alternation()
	case '=', '!':
		n = p.new(node{op: opLook, neg: c == '!', subs: []*node{p.alternation()}})
	case '>':
		n = p.new(node{op: opAtomic, subs: []*node{p.alternation()}})
	case '<':
		c = p.read()
		if c != '=' && c != '!' {
			n = p.capture(p.groupName(c))
			break
		}
		sub := p.alternation()
		sp := sub.span()
		if !sp.bounded {
			p.fail("look-behind group does not have an obvious maximum length")
		}
		if sp.max < 0 { // wrapped around: by little, then nothing fits; or to no limit at all
			if sp.max > -1<<30 {
				sp.min, sp.max = 1, 0
			} else {
				sp.max = endless
			}
		}
		n = p.new(node{op: opLook, behind: true, neg: c == '!', subs: []*node{sub}, min: int(sp.min), max: int(sp.max)})
	case '$', '@':
		p.fail("unknown group type")
	default:
		p.pos--
		p.readFlags()
		c = p.read()
		if c == ')' {
			return nil
		}
		if c != ':' {
			p.fail("unknown inline modifier")
		}
		n = p.alternation()
	}
	return p.closeGroup(n, save)
}

func (p *parser) closeGroup(n *node, save Flags) *node {
	if p.read() != ')' {
		p.fail("unclosed group")
	}
	p.flags = save
	return p.quantified(n, true)
}

func (p *parser) capture(name string) *node {
	n := p.new(node{op: opGroup, n: p.groups})
	p.groups++
	p.names = append(p.names, name)
	n.subs = []*node{p.alternation()}
	return n
}

// groupName reads a name whose first letter c has been read, and the '>'.
func (p *parser) groupName(c rune) string {
	if !isASCIILetter(c) {
		p.fail("capturing group name does not start with a Latin letter")
	}
	var name []rune
	for isASCIILetter(c) || c >= '0' && c <= '9' {
		name = append(name, c)
		c = p.read()
	}
	if c != '>' {
		p.fail("named capturing group is missing trailing '>'")
	}
	for _, n := range p.names[1:] {
		if n == string(name) && p.at(p.pos-len(name)-3) == '?' {
			p.fail("named capturing group <%s> is already defined", n)
		}
	}
	return string(name)
}

func (p *parser) readFlags() {
	on := true
	for c := p.peek(); ; c = p.next() {
		var f Flags
		switch c {
		case 'i':
			f = CaseInsensitive
		case 'd':
			f = UnixLines
		case 'm':
			f = Multiline
		case 's':
			f = DotAll
		case 'u':
			f = UnicodeCase
		case 'x':
			f = Comments
		case 'U':
			f = UnicodeClass | UnicodeCase
		case 'c':
			p.limit("canonical equivalence, (?c), is not supported")
		case '-':
			if !on {
				return
			}
			on = false
			continue
		default:
			return
		}
		if on {
			p.flags |= f
		} else {
			p.flags &^= f
		}
	}
}

// quantified parses a quantifier behind n, if there is one.
func (p *parser) quantified(n *node, group bool) *node {
	lo, hi := 0, -1
	switch p.peek() {
	case '?':
		hi = 1
		p.next()
	case '*':
		p.next()
	case '+':
		lo = 1
		p.next()
	case '{':
		if c := p.at(p.pos + 1); c < '0' || c > '9' {
			p.fail("illegal repetition")
		}
		lo, hi = p.counts()
	default:
		return n
	}
	r := node{op: opRepeat, subs: []*node{n}, min: lo, max: hi, group: group}
	switch p.peek() {
	case '?':
		r.mode = lazy
		p.next()
	case '+':
		r.mode = possessive
		p.next()
	}
	if sp := n.span(); n.op == opGroup && lo == 0 && hi != 1 && r.mode != possessive && sp.bounded && sp.max == 0 && sp.deterministic {
		r.subs[0] = n.subs[0] // Java does not keep a group that could repeat nothing only
	}
	return p.new(r)
}

func (p *parser) counts() (lo, hi int) {
	p.pos++
	number := func() int {
		n := 0
		for c := p.at(p.pos); c >= '0' && c <= '9'; c = p.peek() {
			if n = n*10 + int(c-'0'); n > math.MaxInt32 {
				p.fail("illegal repetition range")
			}
			p.pos++
		}
		return n
	}
	lo = number()
	hi = lo
	if p.peek() == ',' {
		p.pos++
		hi = -1
		if p.peek() != '}' {
			p.skipSpace()
			if c := p.peek(); c < '0' || c > '9' {
				p.fail("unclosed counted closure")
			}
			hi = number()
		}
	}
	if p.peek() != '}' {
		p.fail("unclosed counted closure")
	}
	p.pos++
	if hi >= 0 && hi < lo {
		p.fail("illegal repetition range")
	}
	return lo, hi
}
