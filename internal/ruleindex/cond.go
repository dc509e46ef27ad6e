package ruleindex

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/regex"
)

// CondOp is what a Cond does.
type CondOp uint8

// The operations of conditions. Values are compared as texts: that of a string,
// of a number as it is written, true or false. Letters compare without case,
// unless Cased.
const (
	CondAnd     CondOp = iota // all of Subs; true if there are none
	CondOr                    // one of Subs; false if there are none
	CondNot                   // not Subs[0]
	CondEqual                 // Field is Value
	CondPrefix                // Field begins with Value
	CondSuffix                // Field ends with Value
	CondContain               // Field contains Value
	CondGlob                  // all of Field matches Pieces
	CondRegex                 // the expression Value is found in Field, or in some field if that is empty; Java syntax; Flags apply
	CondCIDR                  // Field is an address of the network Value
	CondLess                  // Field is a number less than Number
	CondLessEq
	CondGreater
	CondGreaterEq
	CondExists  // Field has a value that is not null
	CondNull    // Field has none, or null
	CondKeyword // some value of the event contains Value; with Pieces: matches *Pieces*
	CondSame    // Field is equal to the field Value, or as Same says
	condOps
)

// Cond is a condition of two-valued logic over named fields: what is absent or
// null has no value, every comparison with it is false and its negation true. A
// field with several values (members of an array) fulfils what one of them does.
type Cond struct {
	Op     CondOp
	Subs   []*Cond
	Field  string
	Value  string
	Cased  bool
	Number float64
	Pieces []Piece
	Flags  regex.Flags
	Same   SameMode // of CondSame
}

// SameMode is where in Field the value of the other field must be.
type SameMode uint8

// The modes of CondSame.
const (
	SameWhole   SameMode = iota // they are equal
	SameContain                 // anywhere
	SamePrefix                  // in front
	SameSuffix                  // at the end
)

// Piece is a part of a pattern with wildcards: a text, any text, or one character.
type Piece struct {
	Text string
	Any  bool
	One  bool
}

// Glob splits a pattern with the wildcards * and ?. A backslash takes one of
// those and itself as they are; in front of anything else it is a character.
func Glob(pattern string) []Piece {
	var out []Piece
	var text []byte
	flush := func() {
		if len(text) > 0 {
			out = append(out, Piece{Text: string(text)})
			text = nil
		}
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '?' || pattern[i+1] == '\\'):
			i++
			text = append(text, pattern[i])
		case c == '*':
			flush()
			if len(out) == 0 || !out[len(out)-1].Any {
				out = append(out, Piece{Any: true})
			}
		case c == '?':
			flush()
			out = append(out, Piece{One: true})
		default:
			text = append(text, c)
		}
	}
	flush()
	return out
}

// check tells what is wrong with a condition.
func (c *Cond) check(depth int) error {
	if c == nil || c.Op >= condOps {
		return fmt.Errorf("unknown condition")
	}
	if depth > maxDepth {
		return fmt.Errorf("the condition is nested too deep")
	}
	switch c.Op {
	case CondAnd, CondOr:
	case CondNot:
		if len(c.Subs) != 1 {
			return fmt.Errorf("a negation has one operand, not %d", len(c.Subs))
		}
	case CondRegex:
		if _, err := regex.Compile(c.Value, c.flags()); err != nil {
			return err
		}
	case CondCIDR:
		if _, err := parseCIDR(c.Value); err != nil {
			return err
		}
	}
	if c.Op > CondNot && c.Op != CondKeyword && c.Op != CondRegex && c.Field == "" {
		return fmt.Errorf("a condition without a field")
	}
	for _, s := range c.Subs {
		if err := s.check(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cond) flags() regex.Flags { return c.Flags }

// pattern is the text test that c is, for a field.
func (c *Cond) pattern() textTest {
	t := textTest{fold: !c.Cased}
	switch c.Op {
	case CondEqual:
		t.pieces = []Piece{{Text: c.Value}}
	case CondPrefix:
		t.pieces = []Piece{{Text: c.Value}, {Any: true}}
	case CondSuffix:
		t.pieces = []Piece{{Any: true}, {Text: c.Value}}
	case CondContain:
		t.pieces = []Piece{{Any: true}, {Text: c.Value}, {Any: true}}
	case CondGlob:
		t.pieces = c.Pieces
	case CondKeyword:
		t.pieces = []Piece{{Any: true}, {Text: c.Value}, {Any: true}}
		if c.Pieces != nil {
			t.pieces = append(append([]Piece{{Any: true}}, c.Pieces...), Piece{Any: true})
		}
	}
	return t
}

// textTest is a pattern over a text, in general form.
type textTest struct {
	pieces []Piece
	fold   bool
}

// simple returns the pattern of package multimatch that t is, if it is one.
func (t textTest) simple() (multimatch.Pattern, bool) {
	var ps []Piece
	for _, p := range t.pieces {
		switch {
		case p.Any && len(ps) > 0 && ps[len(ps)-1].Any:
		case p.One:
			return multimatch.Pattern{}, false
		case !p.Any && p.Text == "":
		case !p.Any && len(ps) > 0 && !ps[len(ps)-1].Any:
			ps[len(ps)-1].Text += p.Text
		default:
			ps = append(ps, p)
		}
	}
	m := multimatch.Pattern{Fold: t.fold}
	switch {
	case len(ps) == 0:
		m.Kind = multimatch.Equal
	case len(ps) == 1 && ps[0].Any:
		m.Kind = multimatch.Contains // of the empty text: everything
	case len(ps) == 1:
		m.Kind, m.Text = multimatch.Equal, ps[0].Text
	case len(ps) == 2 && ps[1].Any:
		m.Kind, m.Text = multimatch.Prefix, ps[0].Text
	case len(ps) == 2:
		m.Kind, m.Text = multimatch.Suffix, ps[1].Text
	case len(ps) == 3 && ps[0].Any && ps[2].Any:
		m.Kind, m.Text = multimatch.Contains, ps[1].Text
	default:
		return m, false
	}
	return m, true
}

// sieve returns the most selective simple pattern that whatever matches t has.
func (t textTest) sieve() (multimatch.Pattern, bool) {
	best := multimatch.Pattern{Kind: multimatch.Contains, Fold: t.fold}
	for i, p := range t.pieces {
		if len(p.Text) <= len(best.Text) {
			continue
		}
		best.Text = p.Text
		switch {
		case i == 0:
			best.Kind = multimatch.Prefix
		case i == len(t.pieces)-1:
			best.Kind = multimatch.Suffix
		default:
			best.Kind = multimatch.Contains
		}
	}
	return best, best.Text != ""
}

// compiled prepares t for matching alone.
func (t textTest) compiled() textTest {
	out := textTest{fold: t.fold, pieces: make([]Piece, len(t.pieces))}
	for i, p := range t.pieces {
		if t.fold {
			p.Text = multimatch.Lower(p.Text)
		}
		out.pieces[i] = p
	}
	return out
}

// match tells whether all of s, lowered already if t folds, matches. It goes
// back to the last "any" only, so that its time is the product of both lengths
// at most.
func (t textTest) match(s string) bool {
	ps := t.pieces
	at, i := 0, 0
	anyAt, anyFrom := -1, 0 // the piece behind the last "any", and where it was tried
	for {
		ok := true
		switch {
		case i == len(ps):
			if at == len(s) {
				return true
			}
			ok = false
		case ps[i].Any:
			i++
			if i == len(ps) {
				return true
			}
			anyAt, anyFrom = i, at
		case ps[i].One:
			if ok = at < len(s); ok {
				at += charLen(s[at:])
				i++
			}
		default:
			if ok = strings.HasPrefix(s[at:], ps[i].Text); ok {
				at += len(ps[i].Text)
				i++
			}
		}
		if ok {
			continue
		}
		if anyAt < 0 || anyFrom >= len(s) {
			return false
		}
		anyFrom += charLen(s[anyFrom:])
		if text := ps[min(anyAt, len(ps)-1)].Text; text != "" {
			n := strings.Index(s[anyFrom:], text)
			if n < 0 {
				return false
			}
			anyFrom += n
		}
		at, i = anyFrom, anyAt
	}
}
