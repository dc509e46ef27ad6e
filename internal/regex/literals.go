package regex

import "slices"

// A Lit is a text that occurs in matches.
type Lit struct {
	Text string
	// Fold: upper and lower case ASCII letters count as equal; Text is in lower
	// case then.
	Fold bool
}

const (
	maxLits   = 64 // of an alternative
	maxCross  = 16 // of texts that were put together from parts
	maxLitLen = 64
	minLit    = 2
)

// litInfo says what is known about the texts that a node matches: exact is all
// of them (assertions aside), or else need is a set of which one occurs; both
// nil: nothing is known.
type litInfo struct{ exact, need []Lit }

// best is the most selective set of i: nil if it has a text below minLit.
func (i litInfo) best() []Lit {
	if i.exact != nil {
		if shortest(i.exact) < minLit {
			return nil
		}
		return i.exact
	}
	return i.need
}

func shortest(ls []Lit) int {
	n := maxLitLen
	for _, l := range ls {
		n = min(n, len(l.Text))
	}
	return n
}

// better is the set that will be found less often.
func better(a, b []Lit) []Lit {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	na, nb := shortest(a), shortest(b)
	if na > nb || na == nb && len(a) <= len(b) {
		return a
	}
	return b
}

func (n *node) literals() litInfo {
	switch n.op {
	case opEmpty, opAssert, opLook:
		return litInfo{exact: []Lit{{}}}
	case opSet:
		return setLiterals(n.set)
	case opGroup, opAtomic:
		return n.subs[0].literals()
	case opCat:
		return catLiterals(n.subs)
	case opAlt:
		return altLiterals(n.subs)
	case opRepeat:
		if n.min == 0 {
			return litInfo{}
		}
		sub := n.subs[0].literals()
		if n.max == n.min && n.min <= 8 && sub.exact != nil {
			run := sub.exact
			for range n.min - 1 {
				if run = cross(run, sub.exact); run == nil {
					return litInfo{need: sub.best()}
				}
			}
			return litInfo{exact: run}
		}
		return litInfo{need: sub.best()}
	}
	return litInfo{}
}

func setLiterals(s set) litInfo {
	if len(s) == 4 && s[0] == s[1] && s[2] == s[3] && isASCIILetter(s[0]) && s[2] == s[0]|0x20 && s[2] != s[0] {
		return litInfo{exact: []Lit{{Text: string(s[2]), Fold: true}}}
	}
	if s.size() > 4 || len(s) == 0 {
		return litInfo{}
	}
	var out []Lit
	for i := 0; i < len(s); i += 2 {
		for r := s[i]; r <= s[i+1]; r++ {
			if r >= 0xD800 && r <= 0xDFFF || r == 0xFFFD {
				return litInfo{} // what does not decode counts as U+FFFD
			}
			out = append(out, Lit{Text: string(r)})
		}
	}
	return litInfo{exact: out}
}

func catLiterals(subs []*node) litInfo {
	run := []Lit{{}}
	var found []Lit
	broken := false
	flush := func() {
		found = better(found, litInfo{exact: run}.best())
		broken = true
	}
	for _, s := range subs {
		l := s.literals()
		if l.exact != nil {
			if c := cross(run, l.exact); c != nil {
				run = c
				continue
			}
			flush()
			run = l.exact
			continue
		}
		flush()
		found = better(found, l.need)
		run = []Lit{{}}
	}
	if !broken {
		return litInfo{exact: run}
	}
	flush()
	return litInfo{need: found}
}

func altLiterals(subs []*node) litInfo {
	var exact, need []Lit
	allExact, allNeed := true, true
	for _, s := range subs {
		l := s.literals()
		b := l.best()
		allExact = allExact && l.exact != nil && len(exact)+len(l.exact) <= maxLits
		allNeed = allNeed && b != nil && len(need)+len(b) <= maxLits
		if allExact {
			exact = append(exact, l.exact...)
		}
		if allNeed {
			need = append(need, b...)
		}
		if !allExact && !allNeed {
			return litInfo{}
		}
	}
	if allExact {
		return litInfo{exact: exact}
	}
	return litInfo{need: need}
}

// cross puts each of b behind each of a; nil if that is too much.
func cross(a, b []Lit) []Lit {
	if len(a)*len(b) > max(maxCross, len(a), len(b)) || len(a)*len(b) > maxLits {
		return nil
	}
	out := make([]Lit, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			l := Lit{Text: x.Text + y.Text, Fold: x.Fold || y.Fold}
			if len(l.Text) > maxLitLen {
				return nil
			}
			if l.Fold {
				l.Text = lowerASCII(l.Text)
			}
			if !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	return out
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

// prefix is a text that every match begins with, case as given.
func (n *node) prefix() string {
	switch n.op {
	case opCat:
		out := ""
		for _, s := range n.subs {
			l := s.literals()
			if len(l.exact) != 1 || l.exact[0].Fold {
				return out + s.prefix()
			}
			out += l.exact[0].Text
		}
		return out
	case opGroup, opAtomic:
		return n.subs[0].prefix()
	case opSet:
		if r, ok := n.set.single(); ok && r != 0xFFFD {
			return string(r)
		}
	}
	return ""
}

// plain returns the text if n is nothing but that.
func (n *node) plain() (string, bool) {
	switch n.op {
	case opSet:
		r, ok := n.set.single()
		return string(r), ok && r != 0xFFFD && (r < 0xD800 || r > 0xDFFF)
	case opCat:
		out := ""
		for _, s := range n.subs {
			t, ok := s.plain()
			if !ok {
				return "", false
			}
			out += t
		}
		return out, true
	}
	return "", false
}
