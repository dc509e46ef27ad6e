package sigma

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/internal/ruleindex"
)

// compiler makes conditions of detections.
type compiler struct {
	vars map[string][]string
}

// detection is the condition of a detection.
func (k *compiler) detection(d *detection) (*ruleindex.Cond, error) {
	if d.item != nil {
		return k.item(d.item)
	}
	var subs []*ruleindex.Cond
	for _, s := range d.subs {
		c, err := k.detection(s)
		if err != nil {
			return nil, err
		}
		subs = append(subs, c)
	}
	if d.or {
		return anyOf(subs), nil
	}
	return allOf(subs), nil
}

// rule is the condition of a rule with what pipelines and filters added.
func (k *compiler) rule(r *Rule) (*ruleindex.Cond, error) {
	own, err := r.parseConditions()
	if err != nil {
		return nil, err
	}
	c, err := own.cond(k.detection)
	if err != nil {
		return nil, err
	}
	all := []*ruleindex.Cond{c}
	for i := len(r.added) - 1; i >= 0; i-- { // the log source first
		a := r.added[i]
		if a.det != nil {
			c, err = k.detection(a.det)
		} else {
			c, err = a.set.cond(k.detection)
		}
		if err != nil {
			return nil, err
		}
		if a.not {
			c = not(c)
		}
		all = append([]*ruleindex.Cond{c}, all...)
	}
	return allOf(all), nil
}

func (k *compiler) item(it *item) (*ruleindex.Cond, error) {
	c, err := newChain(it, k.vars)
	if err != nil {
		return nil, err
	}
	if err := c.fits(); err != nil {
		return nil, &Error{Line: it.line, Why: fmt.Sprintf("%s: %s", it.name(), err)}
	}
	var subs []*ruleindex.Cond
	for i := range c.ops {
		s, err := c.operand(&c.ops[i])
		if err != nil {
			return nil, &Error{Line: c.ops[i].line, Why: fmt.Sprintf("%s: %s", it.name(), err)}
		}
		subs = append(subs, s)
	}
	out := anyOf(subs)
	if c.all {
		out = c.groups(subs)
	}
	if c.negated {
		out = not(out)
	}
	return out, nil
}

// groups is the condition of |all: each value of the rule must be fulfilled,
// by one of the variants that modifiers made of it.
func (c *chain) groups(subs []*ruleindex.Cond) *ruleindex.Cond {
	var all []*ruleindex.Cond
	for from := 0; from < len(subs); {
		to := from + 1
		for to < len(subs) && c.ops[to].src == c.ops[from].src {
			to++
		}
		all = append(all, anyOf(subs[from:to:to]))
		from = to
	}
	return allOf(all)
}

func (it *item) name() string {
	name := it.field
	if name == "" {
		name = "keywords"
	}
	return strings.Join(append([]string{name}, it.mods...), "|")
}

// fits tells which modifiers do not go together.
func (c *chain) fits() error {
	texts := c.modeSet || c.re || c.encoded
	switch {
	case c.test != "" && texts && c.test != "fieldref":
		return fmt.Errorf("%s does not go with modifiers of texts", c.test)
	case c.test == "fieldref" && c.re:
		return fmt.Errorf("fieldref does not go with re")
	case c.part != "" && (texts || c.test == "cidr" || c.test == "exists" || c.test == "fieldref"):
		return fmt.Errorf("%s is a number: it goes with gt, gte, lt and lte only", c.part)
	case c.it.field == "" && (c.test != "" || c.part != ""):
		return fmt.Errorf("needs a field")
	case c.it.field == "" && (c.mode == prefixMode || c.mode == suffixMode):
		return fmt.Errorf("keywords are looked for anywhere: startswith and endswith need a field")
	}
	return nil
}

// operand is the condition of one value.
func (c *chain) operand(o *operand) (*ruleindex.Cond, error) {
	field := c.it.field
	if c.part != "" {
		field += "|" + c.part // a value that the scanner computes
		if _, err := o.number(); err != nil {
			return nil, err
		}
	}
	switch c.test {
	case "exists":
		if o.kind != boolNode {
			return nil, fmt.Errorf("exists is true or false")
		}
		if o.text == "true" {
			return &ruleindex.Cond{Op: ruleindex.CondExists, Field: field}, nil
		}
		return &ruleindex.Cond{Op: ruleindex.CondNull, Field: field}, nil
	case "fieldref":
		if o.kind != textNode || o.text == "" {
			return nil, fmt.Errorf("fieldref names a field")
		}
		op := [...]ruleindex.SameMode{wholeMode: ruleindex.SameWhole, containMode: ruleindex.SameContain, prefixMode: ruleindex.SamePrefix, suffixMode: ruleindex.SameSuffix}[c.mode]
		return &ruleindex.Cond{Op: ruleindex.CondSame, Field: field, Value: o.text, Cased: c.cased, Same: op}, nil
	case "cidr":
		if o.kind != textNode {
			return nil, fmt.Errorf("a network is a text")
		}
		n, err := network(o.text)
		if err != nil {
			return nil, err
		}
		return &ruleindex.Cond{Op: ruleindex.CondCIDR, Field: field, Value: n}, nil
	case "gt", "gte", "lt", "lte":
		n, err := o.number()
		if err != nil {
			return nil, err
		}
		op := map[string]ruleindex.CondOp{"gt": ruleindex.CondGreater, "gte": ruleindex.CondGreaterEq, "lt": ruleindex.CondLess, "lte": ruleindex.CondLessEq}[c.test]
		return &ruleindex.Cond{Op: op, Field: field, Number: n}, nil
	}
	if o.kind == nullNode {
		if field == "" || c.modeSet || c.re {
			return nil, fmt.Errorf("null goes with a field, and without modifiers of texts")
		}
		return &ruleindex.Cond{Op: ruleindex.CondNull, Field: field}, nil
	}
	if c.re {
		return c.expression(field, o.pattern, c.flags)
	}
	if o.pattern != "" { // a text with many dashes
		p := `(?:` + o.pattern + `)`
		if c.mode == wholeMode || c.mode == prefixMode {
			p = `\A` + p
		}
		if c.mode == wholeMode || c.mode == suffixMode {
			p += `\z`
		}
		flags := regex.UnixLines
		if !c.cased {
			flags |= regex.CaseInsensitive | regex.UnicodeCase
		}
		return c.expression(field, p, flags)
	}
	return c.text(field, o.pieces)
}

func (c *chain) expression(field, pattern string, flags regex.Flags) (*ruleindex.Cond, error) {
	if _, err := regex.Compile(pattern, flags); err != nil {
		return nil, err
	}
	return &ruleindex.Cond{Op: ruleindex.CondRegex, Field: field, Value: pattern, Flags: flags}, nil
}

// text is the condition of a text with wildcards.
func (c *chain) text(field string, pieces []ruleindex.Piece) (*ruleindex.Cond, error) {
	out := &ruleindex.Cond{Field: field, Cased: c.cased}
	if field == "" {
		out.Op = ruleindex.CondKeyword
		ps := trimAny(pieces, true, true)
		switch {
		case len(ps) == 0:
			return nil, fmt.Errorf("an empty keyword matches everything")
		case len(ps) == 1 && !ps[0].One:
			out.Value = ps[0].Text
		default:
			out.Pieces = ps
		}
		return out, nil
	}
	front, back := c.mode == containMode || c.mode == suffixMode, c.mode == containMode || c.mode == prefixMode
	if len(pieces) > 0 {
		front, back = front || pieces[0].Any, back || pieces[len(pieces)-1].Any
	}
	ps := trimAny(pieces, true, true)
	switch {
	case len(ps) == 0 && (front || back):
		return &ruleindex.Cond{Op: ruleindex.CondExists, Field: field}, nil
	case len(ps) == 0:
		out.Op = ruleindex.CondEqual
	case len(ps) == 1 && !ps[0].One:
		out.Value = ps[0].Text
		switch {
		case front && back:
			out.Op = ruleindex.CondContain
		case front:
			out.Op = ruleindex.CondSuffix
		case back:
			out.Op = ruleindex.CondPrefix
		default:
			out.Op = ruleindex.CondEqual
		}
	default:
		out.Op = ruleindex.CondGlob
		if front {
			out.Pieces = append(out.Pieces, ruleindex.Piece{Any: true})
		}
		out.Pieces = append(out.Pieces, ps...)
		if back {
			out.Pieces = append(out.Pieces, ruleindex.Piece{Any: true})
		}
	}
	return out, nil
}

// trimAny is pieces without "any" at their ends.
func trimAny(pieces []ruleindex.Piece, front, back bool) []ruleindex.Piece {
	for front && len(pieces) > 0 && pieces[0].Any {
		pieces = pieces[1:]
	}
	for back && len(pieces) > 0 && pieces[len(pieces)-1].Any {
		pieces = pieces[:len(pieces)-1]
	}
	return pieces
}
