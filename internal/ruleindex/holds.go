package ruleindex

import (
	"net/netip"
	"strings"

	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// Values gives the texts of a row's fields.
type Values interface {
	// Values calls f for each value of the field, of all fields if it is empty,
	// until f is false.
	Values(field string, f func(text string) bool)
}

// Holds evaluates c alone: what the index computes together, slowly. It is the
// reference of tests, and serves conditions that compare two fields.
func (c *Cond) Holds(v Values) bool {
	switch c.Op {
	case CondAnd:
		for _, s := range c.Subs {
			if !s.Holds(v) {
				return false
			}
		}
		return true
	case CondOr:
		for _, s := range c.Subs {
			if s.Holds(v) {
				return true
			}
		}
		return false
	case CondNot:
		return !c.Subs[0].Holds(v)
	case CondExists, CondNull:
		found := false
		v.Values(c.Field, func(string) bool { found = true; return false })
		return found == (c.Op == CondExists)
	}
	test := c.test(v)
	found := false
	field := c.Field
	if c.Op == CondKeyword {
		field = ""
	}
	v.Values(field, func(s string) bool {
		found = test(s)
		return !found
	})
	return found
}

func (c *Cond) test(v Values) func(string) bool {
	switch c.Op {
	case CondRegex:
		re, err := regex.Compile(c.Value, c.flags())
		if err != nil {
			return func(string) bool { return false }
		}
		m := re.Matcher()
		return func(s string) bool { ok, err := m.Match(s); return ok && err == nil }
	case CondCIDR:
		p, err := parseCIDR(c.Value)
		return func(s string) bool {
			a, err2 := netip.ParseAddr(s)
			return err == nil && err2 == nil && (p.Contains(a.WithZone("")) || p.Contains(a.WithZone("").Unmap()))
		}
	case CondLess, CondLessEq, CondGreater, CondGreaterEq:
		return func(s string) bool {
			n, ok := types.ParseDouble(s)
			switch {
			case !ok:
				return false
			case c.Op == CondLess:
				return n < c.Number
			case c.Op == CondLessEq:
				return n <= c.Number
			case c.Op == CondGreater:
				return n > c.Number
			}
			return n >= c.Number
		}
	case CondSame:
		return func(s string) bool {
			found := false
			v.Values(c.Value, func(o string) bool {
				found = c.same(s, o) || !c.Cased && c.same(multimatch.Lower(s), multimatch.Lower(o))
				return !found
			})
			return found
		}
	}
	t := c.pattern().compiled()
	return func(s string) bool {
		if t.fold {
			s = multimatch.Lower(s)
		}
		if c.Op != CondGlob && c.Op != CondKeyword { // plainly, not by pieces
			text := t.pieces[0].Text + t.pieces[min(1, len(t.pieces)-1)].Text
			switch c.Op {
			case CondEqual:
				return s == t.pieces[0].Text
			case CondPrefix:
				return strings.HasPrefix(s, text)
			case CondSuffix:
				return strings.HasSuffix(s, text)
			case CondContain:
				return strings.Contains(s, text)
			}
		}
		return t.match(s)
	}
}

// same compares the values of two fields.
func (c *Cond) same(s, other string) bool {
	switch c.Same {
	case SameContain:
		return strings.Contains(s, other)
	case SamePrefix:
		return strings.HasPrefix(s, other)
	case SameSuffix:
		return strings.HasSuffix(s, other)
	}
	return s == other
}
