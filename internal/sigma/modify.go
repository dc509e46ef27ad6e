package sigma

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/internal/ruleindex"
)

// matchMode is where in a value a text must be.
type matchMode uint8

const (
	wholeMode matchMode = iota
	containMode
	prefixMode
	suffixMode
)

// operand is a value of an item on its way through the modifiers.
type operand struct {
	value
	src     int               // the place among the item's values
	pieces  []ruleindex.Piece // of texts
	pattern string            // of |re, and of texts that became one
}

// chain is the state of an item's modifiers.
type chain struct {
	it      *item
	vars    map[string][]string
	ops     []operand
	mode    matchMode
	modeSet bool
	all     bool
	cased   bool
	negated bool
	encoded bool // texts may be bytes that are no UTF-8
	re      bool
	flags   regex.Flags
	test    string // exists, fieldref, cidr, or a comparison
	part    string // of a time
}

// modifier is what a modifier does to a chain.
type modifier struct {
	name  string
	apply func(*chain) error
}

// modifiers are all there are.
func modifiers() []modifier {
	mode := func(m matchMode) func(*chain) error {
		return func(c *chain) error {
			if c.modeSet {
				return fmt.Errorf("only one of contains, startswith and endswith goes")
			}
			if c.re {
				return fmt.Errorf("an expression is found anywhere already")
			}
			c.mode, c.modeSet = m, true
			return nil
		}
	}
	test := func(name string) func(*chain) error {
		return func(c *chain) error {
			if c.test != "" {
				return fmt.Errorf("%s and %s do not go together", c.test, name)
			}
			c.test = name
			return nil
		}
	}
	flag := func(f regex.Flags) func(*chain) error {
		return func(c *chain) error {
			if !c.re {
				return fmt.Errorf("is for expressions: |re|i")
			}
			c.flags |= f
			return nil
		}
	}
	part := func(name string) func(*chain) error {
		return func(c *chain) error {
			if c.part != "" {
				return fmt.Errorf("%s and %s do not go together", c.part, name)
			}
			c.part = name
			return nil
		}
	}
	return []modifier{
		{"contains", mode(containMode)}, {"startswith", mode(prefixMode)}, {"endswith", mode(suffixMode)},
		{"all", func(c *chain) error { c.all = true; return nil }},
		{"cased", func(c *chain) error { c.cased = true; return nil }},
		{"neq", func(c *chain) error { c.negated = true; return nil }},
		{"re", (*chain).regex},
		{"i", flag(regex.CaseInsensitive | regex.UnicodeCase)}, {"m", flag(regex.Multiline)}, {"s", flag(regex.DotAll)},
		{"cidr", test("cidr")}, {"exists", test("exists")}, {"fieldref", test("fieldref")},
		{"gt", test("gt")}, {"gte", test("gte")}, {"lt", test("lt")}, {"lte", test("lte")},
		{"base64", (*chain).base64}, {"base64offset", (*chain).base64offset},
		{"wide", encode(utf16Bytes(false, false))}, {"utf16le", encode(utf16Bytes(false, false))},
		{"utf16be", encode(utf16Bytes(true, false))}, {"utf16", encode(utf16Bytes(false, true))},
		{"windash", (*chain).windash}, {"expand", (*chain).expand},
		{"minute", part("minute")}, {"hour", part("hour")}, {"day", part("day")}, {"week", part("week")}, {"month", part("month")}, {"year", part("year")},
	}
}

var allModifiers = modifiers()

func knownModifier(name string) bool {
	return slices.ContainsFunc(allModifiers, func(m modifier) bool { return m.name == name })
}

func modifierNames() []string {
	var out []string
	for _, m := range allModifiers {
		out = append(out, m.name)
	}
	return out
}

// newChain applies the modifiers of an item.
func newChain(it *item, vars map[string][]string) (*chain, error) {
	c := &chain{it: it, vars: vars}
	for i, v := range it.values {
		o := operand{value: v, src: i}
		if v.kind == textNode && !slices.Contains(it.mods, "expand") {
			o.pieces = ruleindex.Glob(v.text)
		} else if v.kind != textNode && v.kind != nullNode {
			o.pieces = []ruleindex.Piece{{Text: v.text}}
		}
		c.ops = append(c.ops, o)
	}
	for _, name := range it.mods {
		i := slices.IndexFunc(allModifiers, func(m modifier) bool { return m.name == name })
		if i < 0 {
			return nil, &Error{Line: it.line, Why: fmt.Sprintf("the modifier %s is unknown", name)}
		}
		if err := allModifiers[i].apply(c); err != nil {
			return nil, &Error{Line: it.line, Why: fmt.Sprintf("%s|%s: %s: %s", it.field, strings.Join(it.mods, "|"), name, err)}
		}
	}
	return c, nil
}

func (c *chain) regex() error {
	if c.modeSet {
		return fmt.Errorf("an expression is found anywhere already")
	}
	c.re, c.flags = true, c.flags|regex.UnixLines|regex.UnicodeClass
	for i := range c.ops {
		o := &c.ops[i]
		if o.kind == nullNode || o.kind == boolNode {
			return fmt.Errorf("an expression is a text, not %s", o.kind)
		}
		if o.pattern != "" || o.text == "" {
			continue
		}
		o.pattern = o.text
	}
	return nil
}

// plain is the text of an operand that must have no wildcards.
func (o *operand) plain() (string, error) {
	if o.kind == nullNode {
		return "", fmt.Errorf("null cannot be encoded")
	}
	if o.pattern != "" {
		return "", fmt.Errorf("an expression cannot be encoded")
	}
	var b strings.Builder
	for _, p := range o.pieces {
		if p.Any || p.One {
			return "", fmt.Errorf("a text with wildcards cannot be encoded: %q", o.text)
		}
		b.WriteString(p.Text)
	}
	return b.String(), nil
}

func (c *chain) base64() error {
	for i := range c.ops {
		s, err := c.ops[i].plain()
		if err != nil {
			return err
		}
		c.ops[i].pieces = []ruleindex.Piece{{Text: base64.StdEncoding.EncodeToString([]byte(s))}}
	}
	c.encoded = false
	return nil
}

// base64offset gives the three texts that encode a text inside of another,
// without the characters that depend on what is around it.
func (c *chain) base64offset() error {
	var out []operand
	for _, o := range c.ops {
		s, err := o.plain()
		if err != nil {
			return err
		}
		for offset := range 3 {
			enc := base64.RawStdEncoding.EncodeToString(append(make([]byte, offset), s...))
			from := [3]int{0, 2, 3}[offset]
			to := (len(s) + offset) * 8 / 6 // whole characters
			if from >= to {
				return fmt.Errorf("%q is too short: nothing of it is sure inside of another text", s)
			}
			v := o
			v.pieces = []ruleindex.Piece{{Text: enc[from:to]}}
			out = append(out, v)
		}
	}
	c.ops, c.encoded = out, false
	return nil
}

// encode replaces texts by their bytes in another encoding; wildcards stay.
func encode(f func(string) string) func(*chain) error {
	return func(c *chain) error {
		if c.re {
			return fmt.Errorf("an expression cannot be encoded")
		}
		for i := range c.ops {
			if c.ops[i].kind == nullNode {
				return fmt.Errorf("null cannot be encoded")
			}
			ps := slices.Clone(c.ops[i].pieces)
			for k := range ps {
				if ps[k].Text != "" {
					ps[k].Text = f(ps[k].Text)
				}
			}
			c.ops[i].pieces = ps
		}
		c.encoded = true
		return nil
	}
}

func utf16Bytes(big, mark bool) func(string) string {
	return func(s string) string {
		var out []byte
		units := utf16.Encode([]rune(s))
		if mark {
			units = append([]uint16{0xFEFF}, units...)
		}
		for _, u := range units {
			if big {
				out = append(out, byte(u>>8), byte(u))
			} else {
				out = append(out, byte(u), byte(u>>8))
			}
		}
		return string(out)
	}
}

// dashes are what Windows programs take for the dash in front of an option.
var dashes = []string{"-", "/", "–", "—", "―"}

const maxDashes = 2 // in a text; with more it becomes an expression

// windash lets the dash or slash in front of a word be any of dashes.
func (c *chain) windash() error {
	if c.re {
		return fmt.Errorf("an expression has no dashes to replace")
	}
	var out []operand
	for _, o := range c.ops {
		var at [][2]int // piece, byte
		for k, p := range o.pieces {
			for i := 0; i < len(p.Text); i++ {
				if (p.Text[i] == '-' || p.Text[i] == '/') && !wordEnds(p.Text[:i]) && wordBegins(p.Text[i+1:]) {
					at = append(at, [2]int{k, i})
				}
			}
		}
		if len(at) > maxDashes {
			o.pattern = c.dashPattern(o.pieces, at)
			out = append(out, o)
			continue
		}
		variants := [][]ruleindex.Piece{o.pieces}
		for n := len(at) - 1; n >= 0; n-- { // from behind: places in front stay
			k, i := at[n][0], at[n][1]
			var next [][]ruleindex.Piece
			for _, v := range variants {
				for _, d := range dashes {
					ps := slices.Clone(v)
					ps[k].Text = ps[k].Text[:i] + d + ps[k].Text[i+1:]
					next = append(next, ps)
				}
			}
			variants = next
		}
		for _, v := range variants {
			x := o
			x.pieces = v
			out = append(out, x)
		}
	}
	c.ops = out
	return nil
}

func (c *chain) dashPattern(pieces []ruleindex.Piece, at [][2]int) string {
	var b strings.Builder
	for k, p := range pieces {
		switch {
		case p.Any:
			b.WriteString(`[\s\S]*`)
		case p.One:
			b.WriteString(`[\s\S]`)
		}
		from := 0
		for _, a := range at {
			if a[0] == k {
				b.WriteString(quoteRegex(p.Text[from:a[1]]) + `[-/–—―]`)
				from = a[1] + 1
			}
		}
		b.WriteString(quoteRegex(p.Text[from:]))
	}
	return b.String()
}

// quoteRegex is an expression for a text.
func quoteRegex(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r > ' ' && r != '_' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func wordEnds(s string) bool   { r, _ := utf8.DecodeLastRuneInString(s); return s != "" && isWord(r) }
func wordBegins(s string) bool { r, _ := utf8.DecodeRuneInString(s); return s != "" && isWord(r) }
func isWord(r rune) bool       { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

var placeholder = regexp.MustCompile(`%(\w+)%`)

const maxExpanded = 10_000 // values of an item

// expand replaces %name% by the values of the pipelines' variables.
func (c *chain) expand() error {
	var out []operand
	for _, o := range c.ops {
		if o.kind != textNode {
			out = append(out, o)
			continue
		}
		texts := []string{""}
		rest := o.text
		add := func(parts ...string) error {
			if len(texts)*len(parts) > maxExpanded {
				return fmt.Errorf("more than %d values", maxExpanded)
			}
			var next []string
			for _, t := range texts {
				for _, p := range parts {
					next = append(next, t+p)
				}
			}
			texts = next
			return nil
		}
		for rest != "" {
			m := placeholder.FindStringSubmatchIndex(rest)
			if m == nil {
				break
			}
			if m[0] > 0 && rest[m[0]-1] == '\\' { // a percent sign as it is
				if err := add(rest[:m[0]-1] + "%"); err != nil {
					return err
				}
				rest = rest[m[0]+1:]
				continue
			}
			name := rest[m[2]:m[3]]
			vals, ok := c.it.vars[name]
			if !ok {
				vals, ok = c.vars[name]
			}
			if !ok || len(vals) == 0 {
				return fmt.Errorf("no pipeline gives a value for %%%s%%", name)
			}
			if err := add(rest[:m[0]]); err != nil {
				return err
			}
			if err := add(vals...); err != nil {
				return err
			}
			rest = rest[m[1]:]
		}
		if err := add(rest); err != nil {
			return err
		}
		for _, t := range texts {
			v := o
			v.text, v.pieces = t, ruleindex.Glob(t)
			out = append(out, v)
		}
	}
	c.ops = out
	return nil
}

// number reads a number of a rule.
func (o *operand) number() (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(o.text), 64)
	if err != nil || o.kind == nullNode || o.kind == boolNode {
		return 0, fmt.Errorf("%q is no number", o.text)
	}
	return n, nil
}

// network reads a network, or an address, as one.
func network(text string) (string, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked().String(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return "", fmt.Errorf("%q is no network such as 10.0.0.0/8", text)
	}
	return netip.PrefixFrom(a, a.BitLen()).String(), nil
}
