package regex

// approx returns a regular pattern that matches wherever n does, and more:
// look-around is forgotten, a back-reference is any text, what does not go back
// may go back.
func (n *node) approx() *node {
	switch n.op {
	case opLook:
		return &node{op: opEmpty}
	case opBackref:
		return &node{op: opRepeat, subs: []*node{{op: opSet, set: setAll}}, max: -1}
	case opAssert:
		if n.assert == atLast {
			return &node{op: opEmpty}
		}
		return n
	case opAtomic:
		return n.subs[0].approx()
	case opEmpty, opSet:
		return n
	}
	c := *n
	c.subs = make([]*node, len(n.subs))
	for i, s := range n.subs {
		c.subs[i] = s.approx()
	}
	if c.op == opRepeat {
		const most = 50 // counted repeats written out: beyond that, any number
		if c.max > most {
			c.max = -1
		}
		c.min = min(c.min, most)
		c.mode = greedy
	}
	return &c
}

// first is the set of code points that matches begin with; false if a match can
// be empty.
func (n *node) first() (set, bool) {
	switch n.op {
	case opSet:
		return n.set, true
	case opCat:
		s := setEmpty
		for _, c := range n.subs {
			f, ok := c.first()
			s = s.union(f)
			if ok {
				return s, true
			}
		}
		return s, false
	case opAlt:
		s, all := setEmpty, true
		for _, c := range n.subs {
			f, ok := c.first()
			s = s.union(f)
			all = all && ok
		}
		return s, all
	case opRepeat:
		s, ok := n.subs[0].first()
		return s, ok && n.min > 0
	case opGroup, opAtomic:
		return n.subs[0].first()
	case opBackref:
		return setAll, false
	}
	return setEmpty, false
}

// leaks tells whether a group lies within a look-around or an atomic part: what
// it matched stays, even from attempts at places in front of the match.
func (n *node) leaks(inside bool) bool {
	switch n.op {
	case opGroup:
		if inside {
			return true
		}
	case opLook, opAtomic:
		inside = true
	case opRepeat:
		inside = inside || n.mode == possessive
	}
	for _, s := range n.subs {
		if s.leaks(inside) {
			return true
		}
	}
	return false
}
