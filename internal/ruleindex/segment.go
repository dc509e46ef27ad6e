package ruleindex

import (
	"math"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// segment is the index of some rules. It is immutable.
type segment struct {
	cx      *function.Context
	schema  *types.Schema
	fields  []*field
	fieldOf []int32   // of atoms
	guess   []float32 // of atoms
	forms   formulas
	rules   []segRule
	wake    *wakeTable // by guessed frequencies
	// The discriminators: the fields that most rules want a certain value of.
	disc     []int32
	known    []bool            // by field: it is one
	discHits map[int32][]int32 // by their atoms: rules that hold only if one of those fires
	discRest []int32           // the others
	anyField int32             // the field of all values, -1: none
}

type segRule struct {
	num    int32 // of the index
	form   int32 // root of its formula
	verify bool  // a hit has to be confirmed
	cond   *Cond // for that
}

const (
	// A field discriminates if so many rules, and so large a share of them, name its values.
	minDiscRules = 8
	minDiscShare = 0.2
	maxDisc      = 3
	// How often such a value is guessed to be there: rules name the frequent ones.
	discGuess = 0.1
)

// newSegment builds the index of rules, whose conditions were checked.
func newSegment(rules []*rule, in *inputs, cx *function.Context) *segment {
	b := newBuilder(in, cx)
	s := &segment{cx: cx, schema: in.schema, anyField: -1}
	for _, r := range rules {
		sr := segRule{num: r.num}
		var t *term
		if r.Expr != nil {
			var exact bool
			t, exact = b.sqlTerm(r.Expr)
			sr.verify = !exact
		} else {
			t, sr.verify = b.condition(r.Cond).atMost()
			sr.cond = r.Cond
		}
		if t.size() > maxTerms {
			t, sr.verify = isTrue, true
		}
		sr.form = s.forms.add(t)
		s.rules = append(s.rules, sr)
	}
	s.fieldOf, s.guess = b.fieldOf, b.guess
	for i, f := range b.fields {
		s.fields = append(s.fields, f.finish())
		if f.class == anyField {
			s.anyField = int32(i)
		}
	}
	s.discriminate(b.isEqual)
	for a, f := range s.fieldOf {
		if s.known[f] && b.isEqual[a] {
			s.guess[a] = discGuess
		}
	}
	s.wake = s.newWake(func(a int32) float64 { return float64(s.guess[a]) })
	return s
}

// place finds a rule by its number in the index; rules are in the order of those.
func (s *segment) place(num int32) (int, bool) {
	return slices.BinarySearchFunc(s.rules, num, func(r segRule, n int32) int { return int(r.num - n) })
}

// wants returns the atoms of one field of which a rule needs one, if at is that:
// an equality or an OR of them.
func (s *segment) wants(at int32, isEqual []bool) (field int32, atoms []int32) {
	n := &s.forms.nodes[at]
	switch n.op {
	case termPos:
		if isEqual[n.atom] {
			return s.fieldOf[n.atom], []int32{n.atom}
		}
	case termOr:
		field = -1
		for _, k := range s.forms.kids[n.atom:n.end] {
			c := &s.forms.nodes[k]
			if c.op != termPos || !isEqual[c.atom] || field >= 0 && s.fieldOf[c.atom] != field {
				return -1, nil
			}
			field = s.fieldOf[c.atom]
			atoms = append(atoms, c.atom)
		}
		return field, atoms
	}
	return -1, nil
}

func (s *segment) conjuncts(at int32) []int32 {
	if n := &s.forms.nodes[at]; n.op == termAnd {
		return s.forms.kids[n.atom:n.end]
	}
	return []int32{at}
}

func (s *segment) discriminate(isEqual []bool) {
	count := make([]int, len(s.fields))
	var seen []int32
	for _, r := range s.rules {
		seen = seen[:0]
		for _, k := range s.conjuncts(r.form) {
			if f, _ := s.wants(k, isEqual); f >= 0 && !slices.Contains(seen, f) {
				count[f]++
				seen = append(seen, f)
			}
		}
	}
	s.known = make([]bool, len(s.fields))
	for len(s.disc) < maxDisc {
		best := -1
		for f, n := range count {
			if n >= minDiscRules && float64(n) >= minDiscShare*float64(len(s.rules)) && s.fields[f].class != anyField && !s.known[f] && (best < 0 || n > count[best]) {
				best = f
			}
		}
		if best < 0 {
			break
		}
		s.disc = append(s.disc, int32(best))
		s.known[best] = true
	}
	if len(s.disc) == 0 {
		return
	}
	// A rule is kept under the values that the fewest rules want.
	want := map[int32]int{}
	each := func(form int32, f func(atoms []int32)) {
		for _, k := range s.conjuncts(form) {
			if field, atoms := s.wants(k, isEqual); field >= 0 && s.known[field] {
				f(atoms)
			}
		}
	}
	for _, r := range s.rules {
		each(r.form, func(atoms []int32) {
			for _, a := range atoms {
				want[a]++
			}
		})
	}
	s.discHits = map[int32][]int32{}
	for i, r := range s.rules {
		var best []int32
		fewest := math.MaxInt
		each(r.form, func(atoms []int32) {
			n := 0
			for _, a := range atoms {
				n += want[a]
			}
			if n < fewest {
				best, fewest = atoms, n
			}
		})
		for _, a := range best {
			s.discHits[a] = append(s.discHits[a], int32(i))
		}
		if best == nil {
			s.discRest = append(s.discRest, int32(i))
		}
	}
}

// wakeTable says which rules to evaluate when an atom fires.
type wakeTable struct {
	from   []int32 // of atoms, into rules; one more than atoms
	rules  []int32
	always []int32 // rules without an access predicate
}

// newWake chooses the access predicate of each rule: a set of atoms of which at
// least one fires whenever the rule holds, the rarest by freq. That of an AND is
// the one of its cheapest operand, that of an OR the union of all; what is true
// because something did not fire has none.
func (s *segment) newWake(freq func(atom int32) float64) *wakeTable {
	w := &wakeTable{from: make([]int32, len(s.fieldOf)+1)}
	var atoms, rules []int32
	var buf []int32
	for i, r := range s.rules {
		var ok bool
		buf, _, ok = s.access(buf[:0], r.form, freq)
		if !ok {
			w.always = append(w.always, int32(i))
			continue
		}
		slices.Sort(buf)
		for _, a := range slices.Compact(buf) {
			atoms = append(atoms, a)
			rules = append(rules, int32(i))
			w.from[a+1]++
		}
	}
	for i := 1; i < len(w.from); i++ {
		w.from[i] += w.from[i-1]
	}
	at := slices.Clone(w.from)
	w.rules = make([]int32, len(rules))
	for i, a := range atoms {
		w.rules[at[a]] = rules[i]
		at[a]++
	}
	return w
}

func (s *segment) access(dst []int32, at int32, freq func(int32) float64) (out []int32, cost float64, ok bool) {
	n := &s.forms.nodes[at]
	switch n.op {
	case termFalse:
		return dst, 0, true
	case termPos:
		return append(dst, n.atom), freq(n.atom) + 1e-9, true
	case termOr:
		sum := 0.0
		for _, k := range s.forms.kids[n.atom:n.end] {
			if dst, cost, ok = s.access(dst, k, freq); !ok {
				return dst, 0, false
			}
			sum += cost
		}
		return dst, sum, true
	case termAnd:
		// The best so far is kept in dst from mark on.
		mark, best := len(dst), math.Inf(1)
		for _, k := range s.forms.kids[n.atom:n.end] {
			end := len(dst)
			dst, cost, ok = s.access(dst, k, freq)
			if !ok || cost >= best {
				dst = dst[:end]
				continue
			}
			dst = dst[:mark+copy(dst[mark:], dst[end:])]
			best = cost
		}
		return dst, best, !math.IsInf(best, 1)
	}
	return dst, 0, false
}

func (s *segment) bytes() int {
	n := s.forms.bytes() + 24*len(s.rules) + 8*len(s.fieldOf) + 4*(len(s.wake.from)+len(s.wake.rules))
	for _, f := range s.fields {
		n += f.bytes()
	}
	for _, r := range s.discHits {
		n += 4*len(r) + 40
	}
	return n
}
