package sigma

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/ruleindex"
)

// condNode is a parsed condition: a name, a quantified pattern, or a connective.
type condNode struct {
	op   condOp
	name string // or pattern
	subs []*condNode
}

type condOp uint8

const (
	condName condOp = iota
	condOne         // one of the names that match the pattern
	condAll         // all of them
	condAnd
	condOr
	condNot
)

// conditions are those of a rule with their names resolved; one must hold.
type conditions struct {
	trees []*condNode
	dets  []named
}

// parseConditions parses the rule's conditions and checks the names in them.
func (r *Rule) parseConditions() (*conditions, error) {
	out := &conditions{dets: r.detections}
	for _, c := range r.conditions {
		t, err := parseCondition(c.text)
		if err == nil {
			err = t.check(func(name string, pattern bool) error {
				if len(namesOf(out.dets, name, pattern)) > 0 {
					return nil
				}
				if pattern {
					return fmt.Errorf("no name in detection matches %s", name)
				}
				return fmt.Errorf("detection has no %s", name)
			})
		}
		if err != nil {
			return nil, &Error{Line: c.line, Why: "condition: " + err.Error()}
		}
		out.trees = append(out.trees, t)
	}
	return out, nil
}

// check calls f for each name and pattern.
func (t *condNode) check(f func(name string, pattern bool) error) error {
	switch t.op {
	case condName, condOne, condAll:
		return f(t.name, t.op != condName)
	}
	for _, s := range t.subs {
		if err := s.check(f); err != nil {
			return err
		}
	}
	return nil
}

// namesOf are the indexes of the detections that a name or pattern means.
// "them" is all but those that begin with _.
func namesOf(dets []named, name string, pattern bool) []int {
	var out []int
	for i, d := range dets {
		switch {
		case !pattern && d.name == name:
			return []int{i}
		case pattern && name == "them" && !strings.HasPrefix(d.name, "_"), pattern && name != "them" && starMatch(name, d.name):
			out = append(out, i)
		}
	}
	return out
}

// starMatch matches a name with a pattern in which * is any text.
func starMatch(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(name, p)
		if i < 0 {
			return false
		}
		name = name[i+len(p):]
	}
	return true
}

// cond makes the condition of a rule's parts; leaf compiles a detection, once each.
func (c *conditions) cond(leaf func(*detection) (*ruleindex.Cond, error)) (*ruleindex.Cond, error) {
	made := make([]*ruleindex.Cond, len(c.dets))
	one := func(i int) (*ruleindex.Cond, error) {
		if made[i] == nil {
			var err error
			if made[i], err = leaf(c.dets[i].det); err != nil {
				return nil, err
			}
		}
		return made[i], nil
	}
	var build func(t *condNode) (*ruleindex.Cond, error)
	build = func(t *condNode) (*ruleindex.Cond, error) {
		var subs []*ruleindex.Cond
		switch t.op {
		case condName, condOne, condAll:
			for _, i := range namesOf(c.dets, t.name, t.op != condName) {
				s, err := one(i)
				if err != nil {
					return nil, err
				}
				subs = append(subs, s)
			}
		default:
			for _, n := range t.subs {
				s, err := build(n)
				if err != nil {
					return nil, err
				}
				subs = append(subs, s)
			}
		}
		switch t.op {
		case condNot:
			return not(subs[0]), nil
		case condOne, condOr:
			return anyOf(subs), nil
		}
		return allOf(subs), nil
	}
	var all []*ruleindex.Cond
	for _, t := range c.trees {
		s, err := build(t)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return anyOf(all), nil
}

func not(c *ruleindex.Cond) *ruleindex.Cond {
	return &ruleindex.Cond{Op: ruleindex.CondNot, Subs: []*ruleindex.Cond{c}}
}

func allOf(subs []*ruleindex.Cond) *ruleindex.Cond {
	if len(subs) == 1 {
		return subs[0]
	}
	return &ruleindex.Cond{Op: ruleindex.CondAnd, Subs: subs}
}

func anyOf(subs []*ruleindex.Cond) *ruleindex.Cond {
	if len(subs) == 1 {
		return subs[0]
	}
	return &ruleindex.Cond{Op: ruleindex.CondOr, Subs: subs}
}

// parseCondition parses the text of a condition.
func parseCondition(text string) (*condNode, error) {
	p := &condParser{}
	if err := p.scan(text); err != nil {
		return nil, err
	}
	t, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.at < len(p.tokens) {
		return nil, fmt.Errorf("%q is not expected here", p.tokens[p.at])
	}
	return t, nil
}

type condParser struct {
	tokens []string
	at     int
}

// scan splits text into names, patterns and parentheses.
func (p *condParser) scan(text string) error {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')':
			p.tokens = append(p.tokens, text[i:i+1])
			i++
		case c == '|':
			return fmt.Errorf("aggregations behind | are of old rules: write a correlation")
		default:
			from := i
			for i < len(text) && !strings.ContainsRune(" \t\r\n()|", rune(text[i])) {
				i++
			}
			p.tokens = append(p.tokens, text[from:i])
		}
	}
	return nil
}

func (p *condParser) peek(word string) bool {
	return p.at < len(p.tokens) && strings.EqualFold(p.tokens[p.at], word)
}

func (p *condParser) or(depth int) (*condNode, error) {
	return p.chain(depth, "or", condOr, p.and)
}

func (p *condParser) and(depth int) (*condNode, error) {
	return p.chain(depth, "and", condAnd, p.not)
}

func (p *condParser) chain(depth int, word string, op condOp, part func(int) (*condNode, error)) (*condNode, error) {
	first, err := part(depth)
	if err != nil {
		return nil, err
	}
	subs := []*condNode{first}
	for p.peek(word) {
		p.at++
		s, err := part(depth)
		if err != nil {
			return nil, err
		}
		subs = append(subs, s)
	}
	if len(subs) == 1 {
		return first, nil
	}
	return &condNode{op: op, subs: subs}, nil
}

func (p *condParser) not(depth int) (*condNode, error) {
	if depth > maxNest/2 {
		return nil, fmt.Errorf("nested too deep")
	}
	if p.peek("not") {
		p.at++
		s, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &condNode{op: condNot, subs: []*condNode{s}}, nil
	}
	if p.at == len(p.tokens) {
		return nil, fmt.Errorf("it ends where a name should be")
	}
	tok := p.tokens[p.at]
	p.at++
	if tok == "(" {
		t, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.peek(")") {
			return nil, fmt.Errorf("a parenthesis is not closed")
		}
		p.at++
		return t, nil
	}
	if p.peek("of") {
		p.at++
		op := condOne
		switch strings.ToLower(tok) {
		case "1", "any":
		case "all":
			op = condAll
		default:
			return nil, fmt.Errorf("%s of is not known; there are 1 of, any of and all of", tok)
		}
		if p.at == len(p.tokens) || p.peek("(") || p.peek(")") {
			return nil, fmt.Errorf("behind %s of should be a name with * or them", tok)
		}
		name := p.tokens[p.at]
		if strings.EqualFold(name, "them") {
			name = "them"
		}
		p.at++
		return &condNode{op: op, name: name}, nil
	}
	switch strings.ToLower(tok) {
	case ")", "and", "or", "of":
		return nil, fmt.Errorf("%q is not expected here", tok)
	}
	return &condNode{op: condName, name: tok}, nil
}
