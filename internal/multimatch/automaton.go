package multimatch

// automaton is a trie with failure links. The nodes nearest to the root, where
// most bytes of a value are seen, have full rows instead.
//
// A state is an offset into dense if it is below len(dense), else len(dense)
// plus a node; the flag says that something ends there.
type automaton struct {
	*trie
	dense []int32 // rows of n states
	outOf []int32 // out of each row
}

const (
	hitFlag  int32 = 1 << 30
	rowBytes       = 256 << 10 // bound of all rows
)

func newAutomaton(keys []key) *automaton {
	a := &automaton{trie: build(keys)}
	a.link()
	a.fill()
	a.order = nil
	return a
}

// link sets failure links, level by level, and chains outputs.
func (a *automaton) link() {
	for _, n := range a.order {
		if n == rootNode {
			a.nodes[n].fail = rootNode
			continue
		}
		parent := a.nodes[n].check
		c := uint8(n - a.nodes[parent].base)
		to := int32(rootNode)
		if parent != rootNode {
			for f := a.nodes[parent].fail; ; f = a.nodes[f].fail {
				if t := a.child(f, c); t != 0 {
					to = t
					break
				}
				if f == rootNode {
					break
				}
			}
		}
		a.nodes[n].fail = to
		switch o := a.nodes[n].out; {
		case o < 0:
			a.nodes[n].out = a.nodes[to].out
		default:
			a.outs[o].next = a.nodes[to].out
		}
	}
}

// fill makes the rows, in the order of depth: where a node has no child, its row
// is that of its failure link. Then it turns failure links into states.
func (a *automaton) fill() {
	rows := min(len(a.order), max(1, rowBytes/(4*a.n)))
	size := int32(rows * a.n)
	rowOf := make(map[int32]int32, rows)
	for i, n := range a.order[:rows] {
		rowOf[n] = int32(i)
	}
	state := func(n int32) int32 {
		s := n + size
		if r, ok := rowOf[n]; ok {
			s = r * int32(a.n)
		}
		if a.nodes[n].out >= 0 {
			s |= hitFlag
		}
		return s
	}
	a.dense = make([]int32, size)
	a.outOf = make([]int32, rows)
	for i, n := range a.order[:rows] {
		a.outOf[i] = a.nodes[n].out
		row := a.dense[i*a.n : (i+1)*a.n]
		if n != rootNode {
			at := int(rowOf[a.nodes[n].fail]) * a.n
			copy(row, a.dense[at:at+a.n])
		} else {
			for c := range row {
				row[c] = state(rootNode)
			}
		}
		for c := 1; c < a.n; c++ {
			if t := a.child(n, uint8(c)); t != 0 {
				row[c] = state(t)
			}
		}
	}
	for _, n := range a.order[rows:] {
		a.nodes[n].fail = state(a.nodes[n].fail) &^ hitFlag
	}
}

// far is the state behind node n, which has no row, and class c.
func (a *automaton) far(n int32, c uint8) int32 {
	size := int32(len(a.dense))
	for {
		nd := &a.nodes[n]
		if to := nd.base + int32(c); c != 0 && nd.base != 0 && int(to) < len(a.nodes) && a.nodes[to].check == n {
			if a.nodes[to].out >= 0 {
				return to + size | hitFlag
			}
			return to + size
		}
		if nd.fail < size {
			return a.dense[nd.fail+int32(c)]
		}
		n = nd.fail - size
	}
}

// outAt is the out of state s.
func (a *automaton) outAt(s int32) int32 {
	if int(s) < len(a.dense) {
		return a.outOf[int(s)/a.n]
	}
	return a.nodes[int(s)-len(a.dense)].out
}

func (a *automaton) bytes() int { return a.trie.bytes() + 4*len(a.dense) + 4*len(a.outOf) }
