package multimatch

import (
	"unicode"
	"unicode/utf8"

	"github.com/runnelio/runnel/vector"
)

// Kind says how a pattern relates to a value.
type Kind uint8

// The kinds.
const (
	Equal Kind = iota
	Prefix
	Suffix
	Contains
)

// Pattern is one text to look for.
type Pattern struct {
	Kind Kind
	Text string
	Fold bool // without regard to case
}

// Set finds patterns in values. The id of a pattern is its index in New.
type Set struct {
	patterns []Pattern        // Text lowered where Fold
	equal    map[string]int32 // the last pattern with the text
	folded   map[string]int32 // the same by lowered value
	twin     []int32          // an earlier pattern with the same text, -1: none
	cased    *group
	anyCase  *group
	always   []int32 // empty prefixes, suffixes and substrings
	anyFold  bool
	size     int
}

// Scratch is the memory of a search. It serves any Set.
type Scratch struct {
	lower []byte
	// By out of the automaton, the search in which: all of its patterns were
	// reported; the complete ones were; all of its suffixes' were as well.
	own, part, seen []uint32
	gen             uint32
}

func (x *Scratch) begin(outs int) {
	if len(x.own) < outs {
		x.own, x.part, x.seen = make([]uint32, outs), make([]uint32, outs), make([]uint32, outs)
	}
	if x.gen++; x.gen == 0 {
		clear(x.own)
		clear(x.part)
		clear(x.seen)
		x.gen = 1
	}
}

// New builds a set.
func New(patterns []Pattern) *Set {
	s := &Set{patterns: make([]Pattern, len(patterns)), equal: map[string]int32{}, folded: map[string]int32{}, twin: make([]int32, len(patterns))}
	for i, p := range patterns {
		id := int32(i)
		if p.Fold {
			p.Text = Lower(p.Text)
			s.anyFold = true
		}
		s.patterns[i] = p
		s.size += len(p.Text) + 28
		switch {
		case p.Kind == Equal && p.Fold:
			s.link(s.folded, p.Text, id)
		case p.Kind == Equal:
			s.link(s.equal, p.Text, id)
		case p.Text == "":
			s.always = append(s.always, id)
		}
	}
	if s.cased = newGroup(s.patterns, false); s.cased != nil {
		s.size += s.cased.bytes()
	}
	if s.anyCase = newGroup(s.patterns, true); s.anyCase != nil {
		s.size += s.anyCase.bytes()
	}
	return s
}

func (s *Set) link(m map[string]int32, text string, id int32) {
	s.twin[id] = -1
	if prev, ok := m[text]; ok {
		s.twin[id] = prev
	} else {
		s.size += 40
	}
	m[text] = id
}

func (s *Set) twins(dst []int32, id int32, ok bool) []int32 {
	if !ok {
		return dst
	}
	for ; id >= 0; id = s.twin[id] {
		dst = append(dst, id)
	}
	return dst
}

// Lower is s with every code point in lower case; bytes that are no UTF-8 stay.
func Lower(s string) string { return string(appendLower(nil, s)) }

func appendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			dst = append(dst, lowerByte(c))
			i++
			continue
		}
		r, w := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && w == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		i += w
	}
	return dst
}

// Bytes is about how much memory the set holds.
func (s *Set) Bytes() int { return s.size }

// Len is the number of patterns.
func (s *Set) Len() int { return len(s.patterns) }

// Match appends the ids of all patterns that value has, each once, in no order.
func (s *Set) Match(dst []int32, value string, x *Scratch) []int32 {
	dst = append(dst, s.always...)
	if len(s.equal) > 0 {
		id, ok := s.equal[value]
		dst = s.twins(dst, id, ok)
	}
	if s.cased != nil {
		dst = s.cased.match(dst, value, x)
	}
	if !s.anyFold {
		return dst
	}
	// ASCII is folded on the way, by the map from bytes to classes.
	ascii := isASCII(value)
	if !ascii || len(s.folded) > 0 {
		x.lower = appendLower(x.lower[:0], value)
		lowered := vector.View(x.lower)
		id, ok := s.folded[lowered]
		dst = s.twins(dst, id, ok)
		if !ascii {
			value = lowered
		}
	}
	if s.anyCase != nil {
		dst = s.anyCase.match(dst, value, x)
	}
	return dst
}

func isASCII(s string) bool {
	var or byte
	for i := 0; i < len(s); i++ {
		or |= s[i]
	}
	return or < utf8.RuneSelf
}
