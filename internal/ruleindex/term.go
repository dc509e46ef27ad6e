package ruleindex

// termOp is the kind of a term.
type termOp uint8

const (
	termFalse termOp = iota
	termTrue
	termUnknown // not decided by the index
	termPos     // the atom fired
	termNeg     // it did not
	termAnd
	termOr
)

// term is a condition in normal form: AND and OR over atoms that fired or did
// not. NOT is pushed to the atoms. Three values are two terms, one that says
// when a condition is TRUE and one that says when it is FALSE.
type term struct {
	op   termOp
	atom int32
	subs []*term
}

const (
	maxDepth = 200    // of conditions
	maxTerms = 20_000 // of one rule; beyond, it is not indexed
)

var (
	isFalse   = &term{op: termFalse}
	isTrue    = &term{op: termTrue}
	isUnknown = &term{op: termUnknown}
)

func pos(atom int32) *term { return &term{op: termPos, atom: atom} }
func neg(atom int32) *term { return &term{op: termNeg, atom: atom} }

func allOf(subs ...*term) *term { return join(termAnd, termTrue, termFalse, subs) }
func oneOf(subs ...*term) *term { return join(termOr, termFalse, termTrue, subs) }

// join joins terms; unit disappears, zero decides.
func join(op, unit, zero termOp, subs []*term) *term {
	var out []*term
	unknown := false
	for _, s := range subs {
		switch {
		case s.op == zero:
			return s
		case s.op == unit:
		case s.op == termUnknown:
			unknown = true
		case s.op == op:
			out = append(out, s.subs...)
		default:
			out = append(out, s)
		}
	}
	if unknown {
		out = append(out, isUnknown)
	}
	switch len(out) {
	case 0:
		return &term{op: unit}
	case 1:
		return out[0]
	}
	return &term{op: op, subs: out}
}

// not is the negation in two values.
func (t *term) not() *term {
	switch t.op {
	case termFalse:
		return isTrue
	case termTrue:
		return isFalse
	case termPos:
		return neg(t.atom)
	case termNeg:
		return pos(t.atom)
	case termUnknown:
		return t
	}
	subs := make([]*term, len(t.subs))
	for i, s := range t.subs {
		subs[i] = s.not()
	}
	if t.op == termAnd {
		return oneOf(subs...)
	}
	return allOf(subs...)
}

// atMost replaces what is not decided by true: the result is true wherever t
// may be. It tells whether there was any.
func (t *term) atMost() (out *term, changed bool) {
	switch t.op {
	case termUnknown:
		return isTrue, true
	case termAnd, termOr:
		subs := make([]*term, len(t.subs))
		for i, s := range t.subs {
			var c bool
			subs[i], c = s.atMost()
			changed = changed || c
		}
		if !changed {
			return t, false
		}
		if t.op == termAnd {
			return allOf(subs...), true
		}
		return oneOf(subs...), true
	}
	return t, false
}

func (t *term) size() int {
	n := 1
	for _, s := range t.subs {
		n += s.size()
	}
	return n
}

// node is a term of a segment, flattened: children are a range of kids.
type node struct {
	op   termOp
	atom int32 // or the first of kids
	end  int32
}

// formulas holds the terms of all rules of a segment.
type formulas struct {
	nodes []node
	kids  []int32
}

func (f *formulas) add(t *term) int32 {
	n := node{op: t.op, atom: t.atom}
	if t.op == termAnd || t.op == termOr {
		ids := make([]int32, len(t.subs))
		for i, s := range t.subs {
			ids[i] = f.add(s)
		}
		n.atom = int32(len(f.kids))
		f.kids = append(f.kids, ids...)
		n.end = int32(len(f.kids))
	}
	f.nodes = append(f.nodes, n)
	return int32(len(f.nodes) - 1)
}

// eval tells whether a formula holds for the atoms that fired in generation gen.
func (f *formulas) eval(at int32, fired []uint32, gen uint32) bool {
	n := &f.nodes[at]
	switch n.op {
	case termTrue:
		return true
	case termPos:
		return fired[n.atom] == gen
	case termNeg:
		return fired[n.atom] != gen
	case termAnd:
		for _, k := range f.kids[n.atom:n.end] {
			if !f.eval(k, fired, gen) {
				return false
			}
		}
		return true
	case termOr:
		for _, k := range f.kids[n.atom:n.end] {
			if f.eval(k, fired, gen) {
				return true
			}
		}
	}
	return false
}

// known is the value of a formula of which one field is known.
type known uint8

const (
	no known = iota
	yes
	open
)

// facts are the atoms that are known: those of some fields.
type facts struct {
	fieldOf []int32 // of atoms
	field   []bool  // known fields
	fired   []uint32
	gen     uint32
}

// partial evaluates a formula by what is known.
func (f *formulas) partial(at int32, k *facts) known {
	n := &f.nodes[at]
	switch n.op {
	case termTrue:
		return yes
	case termPos, termNeg:
		switch {
		case !k.field[k.fieldOf[n.atom]]:
			return open
		case (k.fired[n.atom] == k.gen) == (n.op == termPos):
			return yes
		}
		return no
	case termAnd, termOr:
		stop, out := no, yes
		if n.op == termOr {
			stop, out = yes, no
		}
		for _, kid := range f.kids[n.atom:n.end] {
			switch f.partial(kid, k) {
			case stop:
				return stop
			case open:
				out = open
			}
		}
		return out
	}
	return no
}

// fields marks the fields that an open formula still depends on.
func (f *formulas) fields(at int32, k *facts, mark []bool) {
	n := &f.nodes[at]
	switch n.op {
	case termPos, termNeg:
		if field := k.fieldOf[n.atom]; !k.field[field] {
			mark[field] = true
		}
	case termAnd, termOr:
		for _, kid := range f.kids[n.atom:n.end] {
			if f.partial(kid, k) == open {
				f.fields(kid, k, mark)
			}
		}
	}
}

func (f *formulas) bytes() int { return 12*len(f.nodes) + 4*len(f.kids) }

// atoms adds the atoms of a formula to set.
func (f *formulas) atoms(at int32, set map[int32]bool) {
	n := &f.nodes[at]
	switch n.op {
	case termPos, termNeg:
		set[n.atom] = true
	case termAnd, termOr:
		for _, k := range f.kids[n.atom:n.end] {
			f.atoms(k, set)
		}
	}
}
