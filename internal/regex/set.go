package regex

import (
	"slices"
	"sort"
	"sync"
	"unicode"
)

// set is a set of code points: sorted, disjoint, non-adjacent ranges, as pairs
// of first and last.
type set []rune

const maxRune = unicode.MaxRune

var (
	setEmpty = set{}
	setAll   = set{0, maxRune}
)

func rangeSet(lo, hi rune) set { return set{lo, hi} }

func runesSet(rs ...rune) set {
	var b setBuilder
	for _, r := range rs {
		b.add(r, r)
	}
	return b.set()
}

func (s set) has(r rune) bool {
	lo, hi := 0, len(s)/2
	for lo < hi {
		m := int(uint(lo+hi) >> 1)
		switch {
		case r < s[2*m]:
			hi = m
		case r > s[2*m+1]:
			lo = m + 1
		default:
			return true
		}
	}
	return false
}

// single returns the only member, if there is exactly one.
func (s set) single() (rune, bool) {
	if len(s) == 2 && s[0] == s[1] {
		return s[0], true
	}
	return 0, false
}

// size is the number of members.
func (s set) size() int {
	n := 0
	for i := 0; i < len(s); i += 2 {
		n += int(s[i+1]-s[i]) + 1
	}
	return n
}

func (s set) negate() set {
	out := make(set, 0, len(s)+2)
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= maxRune {
		out = append(out, next, maxRune)
	}
	return out
}

func (s set) union(t set) set {
	if len(s) == 0 {
		return t
	}
	if len(t) == 0 {
		return s
	}
	b := setBuilder{r: make([]rune, 0, len(s)+len(t))}
	for i := 0; i < len(s); i += 2 {
		b.add(s[i], s[i+1])
	}
	for i := 0; i < len(t); i += 2 {
		b.add(t[i], t[i+1])
	}
	return b.set()
}

func (s set) intersect(t set) set {
	out := set{}
	for i, j := 0, 0; i < len(s) && j < len(t); {
		lo, hi := max(s[i], t[j]), min(s[i+1], t[j+1])
		if lo <= hi {
			out = append(out, lo, hi)
		}
		if s[i+1] < t[j+1] {
			i += 2
		} else {
			j += 2
		}
	}
	return out
}

func (s set) minus(t set) set { return s.intersect(t.negate()) }

// setBuilder collects ranges in any order.
type setBuilder struct{ r []rune }

func (b *setBuilder) add(lo, hi rune) { b.r = append(b.r, lo, hi) }

type pairs []rune

func (p pairs) Len() int           { return len(p) / 2 }
func (p pairs) Less(i, j int) bool { return p[2*i] < p[2*j] }
func (p pairs) Swap(i, j int) {
	p[2*i], p[2*j] = p[2*j], p[2*i]
	p[2*i+1], p[2*j+1] = p[2*j+1], p[2*i+1]
}

func (b *setBuilder) set() set {
	sort.Sort(pairs(b.r))
	out := make(set, 0, len(b.r))
	for i := 0; i < len(b.r); i += 2 {
		lo, hi := b.r[i], b.r[i+1]
		if n := len(out); n > 0 && lo <= out[n-1]+1 {
			out[n-1] = max(out[n-1], hi)
			continue
		}
		out = append(out, lo, hi)
	}
	return out
}

// tableSet turns tables of package unicode into a set.
func tableSet(tables ...*unicode.RangeTable) set {
	var b setBuilder
	for _, t := range tables {
		for _, r := range t.R16 {
			addStrided(&b, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			addStrided(&b, rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return b.set()
}

func addStrided(b *setBuilder, lo, hi, stride rune) {
	if stride == 1 {
		b.add(lo, hi)
		return
	}
	for r := lo; r <= hi; r += stride {
		b.add(r, r)
	}
}

// fold is how Java compares without case under UNICODE_CASE.
func fold(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// cased lists the code points that a change of case changes.
var cased = sync.OnceValue(func() []rune {
	var out []rune
	for _, c := range unicode.CaseRanges {
		for r := rune(c.Lo); r <= rune(c.Hi); r++ {
			if unicode.ToUpper(r) != r || unicode.ToLower(r) != r {
				out = append(out, r)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
})

// charSet is what one character of a pattern stands for under the case flags.
func charSet(r rune, f Flags) set {
	switch {
	case f&CaseInsensitive == 0:
	case f&UnicodeCase != 0:
		want := fold(r)
		if r < 0x80 && !isASCIILetter(r) {
			break
		}
		b := setBuilder{r: []rune{r, r, want, want}}
		for _, c := range cased() {
			if fold(c) == want {
				b.add(c, c)
			}
		}
		return b.set()
	case isASCIILetter(r):
		return runesSet(r, r^0x20)
	}
	return rangeSet(r, r)
}

// rangeFold is what the range lo-hi of a class stands for under the case flags.
func rangeFold(lo, hi rune, f Flags) set {
	s := rangeSet(lo, hi)
	if f&CaseInsensitive == 0 {
		return s
	}
	b := setBuilder{r: []rune{lo, hi}}
	if f&UnicodeCase != 0 {
		for _, c := range cased() {
			up := unicode.ToUpper(c)
			if s.has(up) || s.has(unicode.ToLower(up)) {
				b.add(c, c)
			}
		}
		return b.set()
	}
	for c := rune('A'); c <= 'Z'; c++ {
		if s.has(c) || s.has(c|0x20) {
			b.add(c, c)
			b.add(c|0x20, c|0x20)
		}
	}
	return b.set()
}

func isASCIILetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' && r < 0x80 }
