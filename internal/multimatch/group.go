package multimatch

import "strings"

// group is the tries and the automaton of the patterns of one kind of case.
type group struct {
	patterns []Pattern // of the whole set
	fold     bool
	prefix   *trie
	suffix   *trie
	contains *automaton
	few      []int32 // the contained ones, where searching each is cheaper
	odd      []int32 // with the byte 0xFF, which no text has: one class too many
}

// maxFew is the number of cased substrings up to which each is searched alone:
// the search for one runs many bytes a cycle.
const maxFew = 4

func newGroup(patterns []Pattern, fold bool) *group {
	g := &group{patterns: patterns, fold: fold}
	var pre, suf, con []key
	for i, p := range patterns {
		k := key{[]byte(p.Text), int32(i)}
		switch {
		case p.Fold != fold || p.Text == "" || p.Kind == Equal:
		case strings.IndexByte(p.Text, 0xFF) >= 0:
			g.odd = append(g.odd, int32(i))
		case p.Kind == Prefix:
			pre = append(pre, k)
		case p.Kind == Suffix:
			reverse(k.text)
			suf = append(suf, k)
		case p.Kind == Contains:
			con = append(con, k)
		}
	}
	if len(pre) > 0 {
		g.prefix = build(pre)
	}
	if len(suf) > 0 {
		g.suffix = build(suf)
	}
	switch {
	case len(con) == 0:
	case !fold && len(con) <= maxFew:
		for _, k := range con {
			g.few = append(g.few, k.id)
		}
	default:
		g.contains = newAutomaton(con)
	}
	if g.prefix == nil && g.suffix == nil && len(con)+len(g.odd) == 0 {
		return nil
	}
	return g
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

func (g *group) bytes() int {
	n := 4 * len(g.few)
	if g.prefix != nil {
		n += g.prefix.bytes()
	}
	if g.suffix != nil {
		n += g.suffix.bytes()
	}
	if g.contains != nil {
		n += g.contains.bytes()
	}
	return n
}

// classes is the map from the bytes of the value to classes: with ASCII set the
// value is as given and folded on the way.
func (g *group) classes(t *trie) *[256]uint8 {
	if g.fold {
		return &t.raw
	}
	return &t.class
}

// match appends the patterns that v has; v is lowered already if it is not ASCII.
func (g *group) match(dst []int32, v string, x *Scratch) []int32 {
	for _, id := range g.few {
		if strings.Contains(v, g.patterns[id].Text) {
			dst = append(dst, id)
		}
	}
	for _, id := range g.odd {
		p := &g.patterns[id]
		if p.Kind == Contains && strings.Contains(v, p.Text) || p.Kind == Prefix && strings.HasPrefix(v, p.Text) || p.Kind == Suffix && strings.HasSuffix(v, p.Text) {
			dst = append(dst, id)
		}
	}
	if t := g.prefix; t != nil {
		class := g.classes(t)
		for i, n := 0, int32(rootNode); ; i++ {
			if o := t.nodes[n].out; o >= 0 {
				dst = g.ends(dst, t, o, v)
			}
			if i == len(v) {
				break
			}
			if n = t.child(n, class[v[i]]); n == 0 {
				break
			}
		}
	}
	if t := g.suffix; t != nil {
		class := g.classes(t)
		for i, n := len(v)-1, int32(rootNode); ; i-- {
			if o := t.nodes[n].out; o >= 0 {
				dst = g.ends(dst, t, o, v)
			}
			if i < 0 {
				break
			}
			if n = t.child(n, class[v[i]]); n == 0 {
				break
			}
		}
	}
	if g.contains != nil {
		dst = g.scan(dst, v, x)
	}
	return dst
}

// ends adds the patterns of out o of a prefix or suffix trie.
func (g *group) ends(dst []int32, t *trie, o int32, v string) []int32 {
	out := &t.outs[o]
	for _, id := range t.ids[out.from:out.to] {
		p := &g.patterns[id]
		n := len(p.Text)
		if len(v) < n {
			continue
		}
		at := 0
		if p.Kind == Suffix {
			at = len(v) - n
		}
		if n == int(out.depth) || g.same(v[at:at+n], p.Text) {
			dst = append(dst, id)
		}
	}
	return dst
}

// same compares a part of the value with a pattern's text.
func (g *group) same(part, text string) bool {
	if !g.fold {
		return part == text
	}
	// The end first: it is what the way to the hit has not seen.
	for i := len(text) - 1; i >= 0; i-- {
		if lowerByte(part[i]) != text[i] {
			return false
		}
	}
	return true
}

// scan runs the automaton over v.
func (g *group) scan(dst []int32, v string, x *Scratch) []int32 {
	a := g.contains
	x.begin(len(a.outs))
	class := g.classes(a.trie)
	size := int32(len(a.dense))
	dense := a.dense
	st := int32(0)
	for i := 0; i < len(v); i++ {
		c := class[v[i]]
		var to int32
		if st < size {
			to = dense[st+int32(c)]
		} else {
			to = a.far(st-size, c)
		}
		st = to &^ hitFlag
		if to != st {
			dst = g.report(dst, a.outAt(st), v, i+1, x)
		}
	}
	return dst
}

// report adds what ends at end: the patterns of out o and of its suffixes.
func (g *group) report(dst []int32, o int32, v string, end int, x *Scratch) []int32 {
	a := g.contains
	first, all := o, true
	for ; o >= 0 && x.seen[o] != x.gen; o = a.outs[o].next {
		out := &a.outs[o]
		if x.own[o] == x.gen {
			continue
		}
		whole := true
		for _, id := range a.ids[out.from:out.to] {
			p := &g.patterns[id]
			at := end - int(out.depth)
			if n := len(p.Text); n != int(out.depth) && (at+n > len(v) || !g.same(v[at:at+n], p.Text)) {
				whole = false
				break // the others of this out have the same text, or are complete: see build
			}
		}
		from := out.from
		if !whole {
			// What is complete here comes first.
			for ; from < out.to && len(g.patterns[a.ids[from]].Text) == int(out.depth); from++ {
			}
			if from > out.from && x.part[o] != x.gen {
				x.part[o] = x.gen
				dst = append(dst, a.ids[out.from:from]...)
			}
			all = false
			continue
		}
		if x.part[o] == x.gen { // reported before
			for ; from < out.to && len(g.patterns[a.ids[from]].Text) == int(out.depth); from++ {
			}
		}
		dst = append(dst, a.ids[from:out.to]...)
		x.own[o] = x.gen
	}
	if all && first >= 0 {
		x.seen[first] = x.gen // and all of its suffixes
	}
	return dst
}
