package regex

import "math"

// nodeOp is the kind of a node of the tree.
type nodeOp uint8

const (
	opEmpty   nodeOp = iota
	opSet            // one code point of set
	opCat            // subs in order
	opAlt            // one of subs, the first that leads to a match
	opRepeat         // subs[0] min to max times (max < 0: no limit)
	opGroup          // capturing group number n around subs[0]
	opAssert         // a condition on the place
	opLook           // look-ahead or, with behind, look-behind
	opAtomic         // subs[0] without going back into it
	opBackref        // the text of group n again
)

type repeatMode uint8

const (
	greedy repeatMode = iota
	lazy
	possessive
)

// node is a part of a pattern, flags resolved. Trees are immutable.
type node struct {
	op       nodeOp
	subs     []*node
	set      set
	min, max int
	mode     repeatMode
	n        int // group number
	assert   assertKind
	neg      bool // of opLook
	behind   bool // of opLook; then min and max are the length in code points
	fold     Flags
	group    bool // a repeat of a group, for Java's study of look-behinds
}

// assertKind is a condition on a place between code points.
type assertKind uint8

const (
	atBegin      assertKind = iota // \A, and ^ without MULTILINE
	atEnd                          // \z
	atDollar                       // $ and \Z: the end, or before a last line end
	atUnixDollar                   // the same under UNIX_LINES
	atLineEnd                      // $ under MULTILINE
	atUnixLineEnd
	atLineStart // ^ under MULTILINE
	atUnixLineStart
	atWord // \b
	atNotWord
	atUWord // \b under UNICODE_CHARACTER_CLASS
	atNotUWord
	atLast // \G
)

func catOf(subs []*node) *node {
	switch len(subs) {
	case 0:
		return &node{op: opEmpty}
	case 1:
		return subs[0]
	}
	return &node{op: opCat, subs: subs}
}

// regular tells whether an automaton can run the pattern exactly.
func (n *node) regular() bool {
	switch n.op {
	case opLook, opAtomic, opBackref:
		return false
	case opAssert:
		return n.assert != atLast
	case opRepeat:
		if n.mode == possessive {
			return false
		}
	}
	for _, s := range n.subs {
		if !s.regular() {
			return false
		}
	}
	return true
}

// nullable tells whether n can match the empty text somewhere.
func (n *node) nullable() bool {
	switch n.op {
	case opSet:
		return false
	case opCat:
		for _, s := range n.subs {
			if !s.nullable() {
				return false
			}
		}
		return true
	case opAlt:
		for _, s := range n.subs {
			if s.nullable() {
				return true
			}
		}
		return false
	case opRepeat:
		return n.min == 0 || n.subs[0].nullable()
	case opGroup, opAtomic:
		return n.subs[0].nullable()
	}
	return true
}

// emptyLoop tells whether a part that repeats can match the empty text: which
// groups such a repeat leaves is a matter of the order of steps.
func (n *node) emptyLoop() bool {
	if n.op == opRepeat && n.max != 1 && n.subs[0].nullable() {
		return true
	}
	for _, s := range n.subs {
		if s.emptyLoop() {
			return true
		}
	}
	return false
}

// anchored tells whether every match of n begins at the beginning of the text.
func (n *node) anchored() bool {
	switch n.op {
	case opAssert:
		return n.assert == atBegin
	case opCat:
		for _, s := range n.subs {
			if s.anchored() {
				return true
			}
			if s.op != opAssert && s.op != opEmpty && s.op != opLook {
				return false
			}
		}
		return false
	case opAlt:
		for _, s := range n.subs {
			if !s.anchored() {
				return false
			}
		}
		return true
	case opRepeat:
		return n.min > 0 && n.subs[0].anchored()
	case opGroup, opAtomic:
		return n.subs[0].anchored()
	}
	return false
}

// span is the length of matches in code points, as far as Java's compiler can
// tell it: a look-behind without an obvious maximum is refused. An unlimited
// repeat of one character counts as very long, and the sum wraps around as it
// does in Java, so max can be negative.
type span struct {
	min, max      int32
	bounded       bool
	deterministic bool
}

const endless = math.MaxInt32

func (n *node) span() span {
	s := span{bounded: true, deterministic: true}
	n.measure(&s)
	return s
}

// measure adds n to what s knows of the nodes in front.
func (n *node) measure(s *span) {
	switch n.op {
	case opSet:
		s.min++
		s.max++
	case opCat:
		for _, c := range n.subs {
			c.measure(s)
		}
	case opAlt:
		longest, shortest := int32(-1), int32(endless)
		for _, c := range n.subs {
			t := c.span()
			longest, shortest = max(longest, t.max), min(shortest, t.min)
			s.bounded = s.bounded && t.bounded
		}
		s.min += shortest
		s.max += longest
		s.deterministic = false
	case opRepeat:
		n.measureRepeat(s)
	case opGroup, opAtomic:
		n.subs[0].measure(s)
	case opBackref:
		s.bounded = false
	}
}

func (n *node) measureRepeat(s *span) {
	t := n.subs[0].span()
	s.bounded = s.bounded && t.bounded
	most := int32(endless)
	if n.max >= 0 {
		most = int32(n.max)
	}
	switch {
	case n.min == 0 && n.max == 1:
		s.max += t.max
		s.deterministic = false
		return
	case n.max < 0 && n.mode == greedy && n.subs[0].op == opSet && !n.group:
		s.max += endless
	default:
		if n.group && n.mode != possessive && !t.deterministic {
			s.bounded = false // a loop with a counter, in Java
		}
		sum := t.max*most + s.max
		if sum < s.max {
			s.bounded = false
		}
		s.max = sum
	}
	if s.min += t.min * int32(n.min); s.min < 0 {
		s.min = endless
	}
	s.deterministic = s.deterministic && t.deterministic && n.min == n.max
}
