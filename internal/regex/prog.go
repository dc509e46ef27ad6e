package regex

import "encoding/binary"

// instOp is the kind of an instruction.
type instOp uint8

const (
	iMatch  instOp = iota
	iRune          // consume the code point arg, go to x
	iSet           // consume a code point of sets[arg], go to x
	iSplit         // try x, then y
	iSave          // store the place in slot arg, go to x
	iAssert        // go to x if condition arg holds
	iFail          // never
	// The rest runs on the backtracker only.
	iBackref   // consume the text of group arg again, go to x
	iLook      // if a match of the code at x begins here (behind: ends here), or with neg none does, go to y
	iAtomic    // run the code at x, keep its first match, go to y
	iSubEnd    // the end of the code of iLook and iAtomic
	iCountZero // counter arg = 0, go to x
	iCount     // loop on counter arg: x is the body, y behind it, min and max how often
	iMark      // counter arg = the place, go to x
	iClose     // slot min = counter arg and the one behind it the place, go to x
	iProgress  // go to x if the place is not that of counter arg, else to y
)

type inst struct {
	op       instOp
	neg      bool
	behind   bool
	lazy     bool
	run      bool // iSplit: the greedy loop over one set at x; what follows at y cannot begin with it
	fold     Flags
	arg      int32
	x, y     int32
	min, max int32 // iCount; of a look-behind, its length in code points
}

// charTest is a set prepared for testing single code points.
type charTest struct {
	set   set
	ascii [2]uint64
}

func (t *charTest) has(r rune) bool {
	if uint32(r) < 128 {
		return t.ascii[r>>6]&(1<<(uint(r)&63)) != 0
	}
	return t.set.has(r)
}

// prog is a compiled pattern. It is immutable.
type prog struct {
	insts    []inst
	start    int32
	sets     []charTest
	slots    int // two a group
	counters int
	anchored bool
	asserts  uint32 // bit k: condition k occurs
}

const (
	maxInsts = 6_000 // of a program for the automaton
	maxBack  = 200_000
)

// compiler turns a tree into a program, from the end to the beginning: each
// piece is told where to go on.
type compiler struct {
	prog
	setIndex map[string]int32
	regular  bool // counted repeats are written out; else they use counters
	limit    int
	overflow bool
}

// compile returns nil if the program would be too large.
func compile(tree *node, groups int, regular bool) *prog {
	c := &compiler{setIndex: map[string]int32{}, regular: regular, limit: maxInsts}
	if !regular {
		c.limit = maxBack
	}
	c.slots = 2 * groups
	end := c.emit(inst{op: iMatch})
	end = c.emit(inst{op: iSave, arg: 1, x: end})
	c.start = c.emit(inst{op: iSave, arg: 0, x: c.node(tree, end)})
	c.anchored = tree.anchored()
	if c.overflow {
		return nil
	}
	p := c.prog
	return &p
}

func (c *compiler) emit(i inst) int32 {
	if len(c.insts) >= c.limit {
		c.overflow = true
		return 0
	}
	c.insts = append(c.insts, i)
	return int32(len(c.insts) - 1)
}

func (c *compiler) node(n *node, next int32) int32 {
	if c.overflow {
		return 0
	}
	switch n.op {
	case opSet:
		return c.set(n.set, next)
	case opCat:
		for i := len(n.subs) - 1; i >= 0; i-- {
			next = c.node(n.subs[i], next)
		}
		return next
	case opAlt:
		at := c.node(n.subs[len(n.subs)-1], next)
		for i := len(n.subs) - 2; i >= 0; i-- {
			at = c.emit(inst{op: iSplit, x: c.node(n.subs[i], next), y: at})
		}
		return at
	case opGroup:
		if !c.regular { // until a group is closed, references see what it was before
			k := c.counter()
			next = c.emit(inst{op: iClose, arg: k, min: int32(2 * n.n), x: next})
			return c.emit(inst{op: iMark, arg: k, x: c.node(n.subs[0], next)})
		}
		next = c.emit(inst{op: iSave, arg: int32(2*n.n + 1), x: next})
		return c.emit(inst{op: iSave, arg: int32(2 * n.n), x: c.node(n.subs[0], next)})
	case opAssert:
		c.asserts |= 1 << n.assert
		return c.emit(inst{op: iAssert, arg: int32(n.assert), x: next})
	case opRepeat:
		if n.mode == possessive {
			once := *n // no way back into an iteration, even to reach the minimum
			once.subs = []*node{{op: opAtomic, subs: n.subs}}
			once.mode = greedy
			body := c.repeat(&once, c.emit(inst{op: iSubEnd}))
			return c.emit(inst{op: iAtomic, x: body, y: next})
		}
		return c.repeat(n, next)
	case opAtomic:
		body := c.node(n.subs[0], c.emit(inst{op: iSubEnd}))
		return c.emit(inst{op: iAtomic, x: body, y: next})
	case opLook:
		body := c.node(n.subs[0], c.emit(inst{op: iSubEnd}))
		return c.emit(inst{op: iLook, neg: n.neg, behind: n.behind, x: body, y: next, min: int32(n.min), max: int32(n.max)})
	case opBackref:
		return c.emit(inst{op: iBackref, arg: int32(n.n), fold: n.fold, x: next})
	}
	return next
}

func (c *compiler) set(s set, next int32) int32 {
	if len(s) == 0 {
		return c.emit(inst{op: iFail})
	}
	if r, ok := s.single(); ok {
		return c.emit(inst{op: iRune, arg: r, x: next})
	}
	buf := make([]byte, 0, 4*len(s))
	for _, r := range s {
		buf = binary.LittleEndian.AppendUint32(buf, uint32(r))
	}
	key := string(buf)
	i, ok := c.setIndex[key]
	if !ok {
		i = int32(len(c.sets))
		t := charTest{set: s}
		for r := range rune(128) {
			if s.has(r) {
				t.ascii[r>>6] |= 1 << (uint(r) & 63)
			}
		}
		c.sets = append(c.sets, t)
		c.setIndex[key] = i
	}
	return c.emit(inst{op: iSet, arg: i, x: next})
}

// split emits a choice between going in and going on.
func (c *compiler) split(in, on int32, mode repeatMode) int32 {
	if mode == lazy {
		in, on = on, in
	}
	return c.emit(inst{op: iSplit, x: in, y: on})
}

func (c *compiler) repeat(n *node, next int32) int32 {
	sub := n.subs[0]
	if n.max == 0 {
		return next
	}
	if !c.regular && (n.min > 1 || n.max > 1) {
		return c.counted(n, next)
	}
	at := next
	lo := n.min
	switch {
	case n.max < 0:
		// An iteration that consumed nothing ends the loop: one or more of
		// something, so that the end of the body decides.
		var loop int32
		at, loop = c.plus(sub, next, n.mode)
		switch {
		case n.min > 0:
			lo--
		case sub.op == opSet:
			at = loop
		default:
			at = c.split(at, next, n.mode)
		}
	default:
		for range n.max - n.min {
			if c.overflow {
				return 0
			}
			at = c.split(c.node(sub, at), next, n.mode)
		}
	}
	for range lo {
		if c.overflow {
			return 0
		}
		at = c.node(sub, at)
	}
	return at
}

// plus is one or more of sub: it returns where to enter, and where to loop.
func (c *compiler) plus(sub *node, next int32, mode repeatMode) (enter, loop int32) {
	if !c.regular && sub.nullable() {
		return c.guarded(sub, next, mode), 0
	}
	loop = c.split(0, next, mode)
	body := c.node(sub, loop)
	if c.overflow {
		return 0, 0
	}
	if mode == lazy {
		c.insts[loop].y = body
	} else {
		c.insts[loop].x = body
		if sub.op == opSet && len(sub.set) > 0 {
			f, ok := c.firstAt(next, 16)
			c.insts[loop].run = ok && len(f.intersect(sub.set)) == 0
		}
	}
	return body, loop
}

// firstAt is what can be consumed first from an instruction on; false if that
// is not known. At the end of a match nothing is: going back to end it earlier
// would not help.
func (c *compiler) firstAt(pc int32, depth int) (set, bool) {
	for ; depth > 0; depth-- {
		in := &c.insts[pc]
		switch in.op {
		case iSave, iMark, iClose:
			pc = in.x
		case iMatch, iFail:
			return setEmpty, true
		case iRune:
			return rangeSet(in.arg, in.arg), true
		case iSet:
			return c.sets[in.arg].set, true
		case iSplit:
			f, ok := c.firstAt(in.x, depth/2)
			g, ok2 := c.firstAt(in.y, depth/2)
			return f.union(g), ok && ok2
		default:
			return nil, false
		}
	}
	return nil, false
}

// guarded is plus for bodies that can be empty, on the backtracker.
func (c *compiler) guarded(sub *node, next int32, mode repeatMode) int32 {
	k := c.counter()
	loop := c.split(0, next, mode)
	progress := c.emit(inst{op: iProgress, arg: k, x: loop, y: next})
	mark := c.emit(inst{op: iMark, arg: k, x: c.node(sub, progress)})
	if c.overflow {
		return 0
	}
	if mode == lazy {
		c.insts[loop].y = mark
	} else {
		c.insts[loop].x = mark
	}
	return mark
}

func (c *compiler) counter() int32 {
	c.counters++
	return int32(c.counters - 1)
}

// counted is a repeat with a counter.
func (c *compiler) counted(n *node, next int32) int32 {
	k := c.counter()
	hi := int32(-1)
	if n.max >= 0 {
		hi = int32(n.max)
	}
	loop := c.emit(inst{op: iCount, arg: k, y: next, min: int32(n.min), max: hi, lazy: n.mode == lazy})
	var body int32
	if n.subs[0].nullable() {
		mark := c.counter()
		progress := c.emit(inst{op: iProgress, arg: mark, x: loop, y: next})
		body = c.emit(inst{op: iMark, arg: mark, x: c.node(n.subs[0], progress)})
	} else {
		body = c.node(n.subs[0], loop)
	}
	if c.overflow {
		return 0
	}
	c.insts[loop].x = body
	return c.emit(inst{op: iCountZero, arg: k, x: loop})
}
