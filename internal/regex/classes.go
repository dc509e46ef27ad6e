package regex

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// What the code point in front of a place was, for conditions on the place:
// bit 0: none (the beginning); bits 1 and 2: line ends; from bit 3: words.
type context uint8

const (
	ctxStart context = 1

	lineOther context = 0 << 1
	lineLF    context = 1 << 1
	lineCR    context = 2 << 1
	lineRest  context = 3 << 1 // U+0085, U+2028, U+2029
	lineMask  context = 3 << 1

	wordNone  context = 0 << 3
	wordUnder context = 1 << 3
	wordBase  context = 2 << 3 // letters and decimal digits
	wordMark  context = 3 << 3 // a mark on a base
	wordLone  context = 4 << 3 // a mark on none
	wordWide  context = 5 << 3 // word characters under UNICODE_CHARACTER_CLASS only
	wordMask  context = 7 << 3

	contexts = 64
)

const (
	lineAsserts = 1<<atLineEnd | 1<<atUnixLineEnd | 1<<atLineStart | 1<<atUnixLineStart
	wordAsserts = 1<<atWord | 1<<atNotWord | 1<<atUWord | 1<<atNotUWord
	tailAsserts = 1<<atDollar | 1<<atUnixDollar
)

// Behind the classes of code points come those of a line end that ends the
// text, which $ looks at, and that of the end.
const (
	tailLF = iota
	tailCR
	tailNEL
	tailLS
	tailPS
	tailCRLF // the \r of a final \r\n
	tailLast // its \n
	tailEnd  // the end of the text
	tails
)

// classes divides the code points into classes that a program does not tell apart.
type classes struct {
	ascii  [128]uint32
	bounds []rune // first code points of intervals
	of     []uint32
	n      int // number of classes
	stride int // n + tails
	sample []rune
	kind   []context // of each class, and of the tails
	in     [][]bool  // by set, then class
	rune   []rune    // of each class, if the program has it as an iRune; else -1
}

func newClasses(p *prog) *classes {
	cuts := []rune{0}
	cut := func(s set) {
		for i := 0; i < len(s); i += 2 {
			cuts = append(cuts, s[i])
			if s[i+1] < maxRune {
				cuts = append(cuts, s[i+1]+1)
			}
		}
	}
	all := make([]set, 0, len(p.sets)+8)
	for _, t := range p.sets {
		all = append(all, t.set)
	}
	singles := map[rune]bool{}
	for _, in := range p.insts {
		if in.op == iRune {
			singles[in.arg] = true
		}
	}
	if p.asserts&(lineAsserts|tailAsserts) != 0 {
		for i := 0; i < len(lineEnds); i += 2 {
			for r := lineEnds[i]; r <= lineEnds[i+1]; r++ {
				singles[r] = true
			}
		}
	}
	for r := range singles {
		cut(rangeSet(r, r))
	}
	if p.asserts&wordAsserts != 0 {
		all = append(all, rangeSet('_', '_'), letterOrDigit(), spacingNone(), uword())
	}
	for _, s := range all {
		cut(s)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	c := &classes{bounds: cuts, of: make([]uint32, len(cuts))}
	ids := map[string]uint32{}
	var key []byte
	for i, lo := range cuts {
		key = key[:0]
		if singles[lo] && (i+1 == len(cuts) || cuts[i+1] == lo+1) {
			key = utf8.AppendRune(append(key, 'r'), lo)
			key = append(key, byte(lo), byte(lo>>8), byte(lo>>16))
		}
		for _, s := range all {
			if s.has(lo) {
				key = append(key, 1)
			} else {
				key = append(key, 0)
			}
		}
		id, ok := ids[string(key)]
		if !ok {
			id = uint32(len(ids))
			ids[string(key)] = id
			c.sample = append(c.sample, lo)
		}
		c.of[i] = id
	}
	c.n = len(ids)
	c.stride = c.n + tails
	for r := range rune(128) {
		c.ascii[r] = c.find(r)
	}
	c.in = make([][]bool, len(p.sets))
	for i := range p.sets {
		c.in[i] = make([]bool, c.n)
		for k, r := range c.sample {
			c.in[i][k] = p.sets[i].has(r)
		}
	}
	c.rune = make([]rune, c.n)
	for k, r := range c.sample {
		c.rune[k] = -1
		if singles[r] {
			c.rune[k] = r
		}
	}
	c.kind = make([]context, c.n)
	for k, r := range c.sample {
		c.kind[k] = kindOf(r, p.asserts)
	}
	return c
}

// kindOf is the context that r leaves behind, as far as the conditions in
// asserts look at it; a mark is wordMark, whatever it stands on.
func kindOf(r rune, asserts uint32) context {
	k := context(0)
	if asserts&lineAsserts != 0 {
		switch r {
		case '\n':
			k |= lineLF
		case '\r':
			k |= lineCR
		case 0x85, 0x2028, 0x2029:
			k |= lineRest
		}
	}
	if asserts&wordAsserts != 0 {
		switch {
		case r == '_':
			k |= wordUnder
		case isLetterOrDigit(r):
			k |= wordBase
		case unicode.Is(unicode.Mn, r):
			k |= wordMark
		case isUWord(r):
			k |= wordWide
		}
	}
	return k
}

func (c *classes) find(r rune) uint32 {
	lo, hi := 0, len(c.bounds)
	for hi-lo > 1 {
		m := int(uint(lo+hi) >> 1)
		if c.bounds[m] <= r {
			lo = m
		} else {
			hi = m
		}
	}
	return c.of[lo]
}

// contextAt is the context of place i of s.
func contextAt(s string, i int, asserts uint32) context {
	k := context(0)
	if i == 0 {
		if asserts&(1<<atBegin|1<<atLineStart|1<<atUnixLineStart) != 0 {
			k = ctxStart
		}
		return k
	}
	if asserts&(lineAsserts|wordAsserts) == 0 {
		return 0
	}
	r, w := utf8.DecodeLastRuneInString(s[:i])
	k = kindOf(r, asserts)
	if k&wordMask == wordMark && !baseBefore(s, i-w) {
		k = k&^wordMask | wordLone
	}
	return k
}
