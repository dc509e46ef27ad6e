package multimatch

import (
	"bytes"
	"slices"
)

// key is a pattern on its way into a trie.
type key struct {
	text []byte
	id   int32
}

// node is a slot of a double array: the child by class c of the node at i is the
// slot base+c, if its check is i.
type node struct {
	base  int32
	check int32
	fail  int32 // of an automaton
	out   int32 // index into outs; -1: none
}

// out is what ends at a node: patterns that are complete with it, and patterns
// that only this node leads to and whose rest has to be compared.
type out struct {
	from, to int32 // in ids
	depth    int32 // bytes that led here
	next     int32 // out of the longest suffix that has one; -1: none
}

// trie is a double array over byte classes, with node 0 unused and node 1 the root.
type trie struct {
	class [256]uint8 // of bytes; 0: in no pattern
	raw   [256]uint8 // of bytes after ASCII lower-casing
	n     int        // classes, 0 included
	nodes []node
	outs  []out
	ids   []int32
	order []int32 // nodes by depth, while an automaton is built
}

const (
	rootNode = 1
	noCheck  = -1
	// cutAt is the depth from which a pattern that is alone has no nodes.
	cutAt = 5
	// tries of slots for the children of one node before taking fresh ones.
	slotTries = 48
)

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// span is a range of sorted keys that share depth bytes.
type span struct {
	lo, hi int32
	depth  int32
	node   int32
}

// build makes a trie of keys, which it sorts.
func build(keys []key) *trie {
	slices.SortFunc(keys, func(a, b key) int { return bytes.Compare(a.text, b.text) })
	t := &trie{n: 1}
	for _, k := range keys {
		for _, c := range k.text {
			if t.class[c] == 0 {
				t.class[c] = 1
			}
		}
	}
	for c := range t.class {
		if t.class[c] != 0 {
			t.class[c] = uint8(t.n) // 0xFF is kept away: 255 at most
			t.n++
		}
	}
	for c := range t.raw {
		t.raw[c] = t.class[lowerByte(byte(c))]
	}
	f := &filler{trie: t}
	f.grow(t.n + 2)
	f.take(0)
	f.take(rootNode)
	queue := []span{{0, int32(len(keys)), 0, rootNode}}
	var classes []uint8
	var children []span
	for head := 0; head < len(queue); head++ {
		s := queue[head]
		t.order = append(t.order, s.node)
		at := s.lo
		for at < s.hi && len(keys[at].text) == int(s.depth) {
			at++
		}
		from := int32(len(t.ids))
		for _, k := range keys[s.lo:at] {
			t.ids = append(t.ids, k.id)
		}
		if s.depth >= cutAt && same(keys[at:s.hi]) {
			for _, k := range keys[at:s.hi] {
				t.ids = append(t.ids, k.id)
			}
			at = s.hi
		}
		if int32(len(t.ids)) > from {
			t.nodes[s.node].out = int32(len(t.outs))
			t.outs = append(t.outs, out{from: from, to: int32(len(t.ids)), depth: s.depth, next: -1})
		}
		classes, children = classes[:0], children[:0]
		for at < s.hi {
			c := keys[at].text[s.depth]
			end := at + 1
			for end < s.hi && keys[end].text[s.depth] == c {
				end++
			}
			classes = append(classes, t.class[c])
			children = append(children, span{at, end, s.depth + 1, 0})
			at = end
		}
		if len(children) == 0 {
			continue
		}
		base := f.place(classes)
		t.nodes[s.node].base = base
		for i, c := range classes {
			children[i].node = base + int32(c)
			t.nodes[children[i].node].check = s.node
		}
		queue = append(queue, children...)
	}
	t.nodes = slices.Clip(t.nodes[:f.high])
	return t
}

// same tells whether all keys are one text.
func same(keys []key) bool {
	for i := 1; i < len(keys); i++ {
		if !bytes.Equal(keys[i].text, keys[0].text) {
			return false
		}
	}
	return true
}

// filler places the children of nodes in free slots.
type filler struct {
	*trie
	free []bool
	low  int // slots below are taken
	high int // slots from here on are free
}

func (f *filler) grow(n int) {
	for len(f.nodes) < n {
		f.nodes = append(f.nodes, node{check: noCheck, out: -1})
		f.free = append(f.free, true)
	}
}

func (f *filler) take(i int) {
	f.free[i] = false
	f.high = max(f.high, i+1)
}

// place finds a base such that all slots base+class are free, and takes them.
func (f *filler) place(classes []uint8) int32 {
	for f.low < f.high && !f.free[f.low] {
		f.low++
	}
	first := int(classes[0])
	tries := slotTries
	for at := max(f.low, first+1); tries > 0 && at < f.high; at++ {
		if !f.free[at] {
			continue
		}
		base := at - first
		f.grow(base + 257)
		ok := true
		for _, c := range classes[1:] {
			if !f.free[base+int(c)] {
				ok = false
				break
			}
		}
		if ok {
			return f.claim(base, classes)
		}
		tries--
	}
	base := max(f.high-first, 1)
	f.grow(base + 257)
	return f.claim(base, classes)
}

func (f *filler) claim(base int, classes []uint8) int32 {
	for _, c := range classes {
		f.take(base + int(c))
	}
	return int32(base)
}

// child returns the child of n by class c, 0 if there is none.
func (t *trie) child(n int32, c uint8) int32 {
	to := t.nodes[n].base + int32(c)
	if c != 0 && t.nodes[n].base != 0 && int(to) < len(t.nodes) && t.nodes[to].check == n {
		return to
	}
	return 0
}

func (t *trie) bytes() int {
	return len(t.nodes)*16 + len(t.outs)*16 + len(t.ids)*4 + 512
}
