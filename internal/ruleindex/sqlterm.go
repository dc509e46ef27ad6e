package ruleindex

import (
	"fmt"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// sqlTerm is a SQL condition in normal form: where it may be TRUE, and where
// computing it may fail. exact tells that it is TRUE exactly there and nothing fails.
func (b *builder) sqlTerm(e plan.Expr) (t *term, exact bool) {
	s := &sqlBuilder{builder: b, seen: map[plan.Expr][2]*term{}, fails: map[plan.Expr]bool{}}
	holds := s.isTrue(e)
	fails := s.reach(e, isTrue)
	if s.size > maxTerms {
		return isTrue, false
	}
	t, unknown := oneOf(holds, fails).atMost()
	return t, !unknown && fails.op == termFalse
}

// sqlBuilder turns an expression into two terms, one for each of TRUE and FALSE.
type sqlBuilder struct {
	*builder
	seen  map[plan.Expr][2]*term
	fails map[plan.Expr]bool // canFail, for what was asked
	size  int
}

func (s *sqlBuilder) isTrue(e plan.Expr) *term  { return s.rails(e)[0] }
func (s *sqlBuilder) isFalse(e plan.Expr) *term { return s.rails(e)[1] }

// rails returns where e is TRUE and where it is FALSE; elsewhere it is UNKNOWN.
func (s *sqlBuilder) rails(e plan.Expr) [2]*term {
	if r, ok := s.seen[e]; ok {
		return r
	}
	if logical(e) { // operands first: what they have come to stops what is above
		for _, c := range e.Children() {
			s.rails(c)
		}
	}
	r := [2]*term{isUnknown, isUnknown}
	if s.size <= maxTerms {
		r = s.compute(e)
		s.size += r[0].size() + r[1].size()
	}
	s.seen[e] = r
	return r
}

// logical tells whether e is computed from conditions.
func logical(e plan.Expr) bool {
	o, ok := e.(*plan.OpExpr)
	if !ok {
		return false
	}
	switch o.Op {
	case plan.And, plan.Or, plan.Not, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse:
		return true
	case plan.IsNull, plan.IsNotNull:
		return o.Args[0].Type().Kind == types.Boolean
	}
	return false
}

func (s *sqlBuilder) compute(e plan.Expr) [2]*term {
	two := func(t *term) [2]*term { return [2]*term{t, t.not()} }
	o, ok := e.(*plan.OpExpr)
	if !ok {
		return s.leaf(e)
	}
	switch o.Op {
	case plan.And, plan.Or:
		t, f := make([]*term, len(o.Args)), make([]*term, len(o.Args))
		for i, a := range o.Args {
			r := s.rails(a)
			t[i], f[i] = r[0], r[1]
		}
		if o.Op == plan.And {
			return [2]*term{allOf(t...), oneOf(f...)}
		}
		return [2]*term{oneOf(t...), allOf(f...)}
	case plan.Not:
		r := s.rails(o.Args[0])
		return [2]*term{r[1], r[0]}
	case plan.IsTrue:
		return two(s.isTrue(o.Args[0]))
	case plan.IsNotTrue:
		return two(s.isTrue(o.Args[0]).not())
	case plan.IsFalse:
		return two(s.isFalse(o.Args[0]))
	case plan.IsNotFalse:
		return two(s.isFalse(o.Args[0]).not())
	case plan.IsNull, plan.IsNotNull:
		null := s.isNull(o.Args[0])
		if o.Op == plan.IsNotNull {
			null = null.not()
		}
		return two(null)
	}
	return s.leaf(e)
}

// isNull is where the value of e is NULL.
func (s *sqlBuilder) isNull(e plan.Expr) *term {
	if f, ok := s.operand(e); ok {
		return pos(s.null(f))
	}
	if e.Type().Kind == types.Boolean {
		r := s.rails(e)
		return allOf(r[0].not(), r[1].not())
	}
	return isUnknown
}

// leaf is a condition without logic in it.
func (s *sqlBuilder) leaf(e plan.Expr) [2]*term {
	switch x := e.(type) {
	case *plan.Literal:
		switch x.Value {
		case true:
			return [2]*term{isTrue, isFalse}
		case false:
			return [2]*term{isFalse, isTrue}
		case nil:
			return [2]*term{isFalse, isFalse}
		}
	case *plan.Column:
		if f, ok := s.operand(x); ok && x.T.Kind == types.Boolean {
			return [2]*term{pos(s.order(f, opEq, intKey(1))), pos(s.order(f, opEq, intKey(0)))}
		}
	case *plan.OpExpr:
		if r, ok := s.comparison(x); ok {
			return r
		}
	case *plan.Call:
		if r, ok := s.call(x); ok {
			return r
		}
	}
	return [2]*term{isUnknown, isUnknown}
}

// settle makes both terms of a test of field f.
func (s *sqlBuilder) settle(f, atom int32) [2]*term {
	return [2]*term{pos(atom), allOf(neg(s.null(f)), neg(atom))}
}

var flipped = map[plan.Op]plan.Op{plan.Eq: plan.Eq, plan.Ne: plan.Ne, plan.Lt: plan.Gt, plan.Le: plan.Ge, plan.Gt: plan.Lt, plan.Ge: plan.Le, plan.Distinct: plan.Distinct, plan.NotDistinct: plan.NotDistinct}

func (s *sqlBuilder) comparison(o *plan.OpExpr) ([2]*term, bool) {
	if o.Op == plan.In {
		return s.inList(o)
	}
	if len(o.Args) != 2 {
		return [2]*term{}, false
	}
	op, x, y := o.Op, o.Args[0], o.Args[1]
	if _, ok := flipped[op]; !ok {
		return [2]*term{}, false
	}
	lit, ok := y.(*plan.Literal)
	if !ok {
		if lit, ok = x.(*plan.Literal); !ok {
			return [2]*term{}, false
		}
		op, x = flipped[op], y
	}
	f, ok := s.operand(x)
	if !ok {
		return [2]*term{}, false
	}
	return s.compare(f, op, x.Type(), lit)
}

// compare is field f op lit.
func (s *sqlBuilder) compare(f int32, op plan.Op, t types.Type, lit *plan.Literal) ([2]*term, bool) {
	distinct := op == plan.Distinct || op == plan.NotDistinct
	var r [2]*term
	if lit.Value == nil {
		r = [2]*term{isFalse, isFalse}
		if distinct {
			null := pos(s.null(f))
			r = [2]*term{null, null.not()}
		}
	} else {
		rop := opEq
		switch op {
		case plan.Lt:
			rop = opLt
		case plan.Le:
			rop = opLe
		case plan.Gt:
			rop = opGt
		case plan.Ge:
			rop = opGe
		}
		a, ok := s.bound(f, rop, t, lit)
		if !ok {
			return r, false
		}
		r = s.settle(f, a)
		if distinct {
			r[1] = r[0].not()
		}
	}
	if op == plan.Ne || op == plan.Distinct {
		r[0], r[1] = r[1], r[0]
	}
	return r, true
}

// bound is the atom of a comparison of field f, of type t, with a literal.
func (s *sqlBuilder) bound(f int32, op rangeOp, t types.Type, lit *plan.Literal) (int32, bool) {
	if s.fields[f].class == textField {
		text, ok := lit.Value.(string)
		if !ok || !isText(lit.T) {
			return 0, false
		}
		if op == opEq {
			return s.text(f, textTest{pieces: []Piece{{Text: text}}}), true
		}
		return s.textOrder(f, op, text), true
	}
	same := t.Kind == lit.T.Kind && (t.Kind != types.Decimal || t.Scale == lit.T.Scale)
	if !same && !(isInteger(t) && isInteger(lit.T)) {
		return 0, false
	}
	k, ok := keyOf(lit.Value)
	if !ok {
		return 0, false
	}
	return s.order(f, op, k), true
}

func (s *sqlBuilder) inList(o *plan.OpExpr) ([2]*term, bool) {
	f, ok := s.operand(o.Args[0])
	if !ok {
		return [2]*term{}, false
	}
	var t, no []*term
	for _, a := range o.Args[1:] {
		lit, ok := a.(*plan.Literal)
		if !ok {
			return [2]*term{}, false
		}
		r, ok := s.compare(f, plan.Eq, o.Args[0].Type(), lit)
		if !ok {
			return [2]*term{}, false
		}
		t, no = append(t, r[0]), append(no, r[1])
	}
	return [2]*term{oneOf(t...), allOf(no...)}, true
}

// call is a test by one of the functions that the index knows.
func (s *sqlBuilder) call(c *plan.Call) ([2]*term, bool) {
	if len(c.Args) < 2 || !isText(c.Args[0].Type()) {
		return [2]*term{}, false
	}
	texts := make([]string, len(c.Args)-1)
	for i, a := range c.Args[1:] {
		lit, ok := a.(*plan.Literal)
		if !ok {
			return [2]*term{}, false
		}
		if lit.Value == nil { // strict functions: NULL
			return [2]*term{isFalse, isFalse}, c.Fn.Nulls == 0 && !s.canFail(c.Args[0])
		}
		if texts[i], ok = lit.Value.(string); !ok || !isText(lit.T) {
			return [2]*term{}, false
		}
	}
	var t textTest
	switch c.Fn.Name {
	case "LIKE":
		escape := ""
		if len(texts) > 1 {
			escape = texts[1]
		}
		var ok bool
		if t.pieces, ok = likePieces(texts[0], escape); !ok {
			return [2]*term{}, false
		}
	case "STARTSWITH":
		t.pieces = []Piece{{Text: texts[0]}, {Any: true}}
	case "ENDSWITH":
		t.pieces = []Piece{{Any: true}, {Text: texts[0]}}
	case "REGEXP":
		re, err := s.compiled(texts[0])
		if err != nil || texts[0] == "" || !re.Linear() {
			return [2]*term{}, false
		}
		f, ok := s.operand(c.Args[0])
		if !ok {
			return [2]*term{}, false
		}
		return s.settle(f, s.regex(f, re, 0)), true
	default:
		return [2]*term{}, false
	}
	f, ok := s.operand(c.Args[0])
	if !ok {
		return [2]*term{}, false
	}
	return s.settle(f, s.text(f, t)), true
}

// likePieces splits a LIKE pattern; false if it is broken.
func likePieces(pattern, escape string) ([]Piece, bool) {
	esc := rune(-1)
	if escape != "" {
		var n int
		if esc, n = utf8.DecodeRuneInString(escape); n != len(escape) {
			return nil, false
		}
	}
	var out []Piece
	var text []byte
	flush := func() {
		if len(text) > 0 {
			out = append(out, Piece{Text: string(text)})
			text = text[:0]
		}
	}
	for i := 0; i < len(pattern); {
		r, n := utf8.DecodeRuneInString(pattern[i:])
		switch {
		case r == esc:
			next, w := utf8.DecodeRuneInString(pattern[i+n:])
			if w == 0 || next != esc && next != '%' && next != '_' {
				return nil, false
			}
			text = append(text, pattern[i+n:i+n+w]...)
			n += w
		case r == '%':
			flush()
			if len(out) == 0 || !out[len(out)-1].Any {
				out = append(out, Piece{Any: true})
			}
		case r == '_':
			flush()
			out = append(out, Piece{One: true})
		default:
			text = append(text, pattern[i:i+n]...)
		}
		i += n
	}
	flush()
	return out, true
}

func isText(t types.Type) bool { return t.Kind == types.Char || t.Kind == types.VarChar }

func isInteger(t types.Type) bool { return t.Kind >= types.TinyInt && t.Kind <= types.BigInt }

// hasOrder tells whether values of the type have keys.
func hasOrder(t types.Type) bool {
	switch t.Kind {
	case types.Boolean, types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Float, types.Double, types.Decimal,
		types.Date, types.Time, types.Timestamp, types.TimestampLTZ, types.IntervalYM, types.IntervalDS:
		return true
	}
	return false
}

// operand returns the field that e is: a column, or a text computed from one
// column of texts without fail.
func (s *sqlBuilder) operand(e plan.Expr) (int32, bool) {
	e = unwiden(e)
	if c, ok := e.(*plan.Column); ok {
		if c.Index < 0 || s.in.schema == nil || c.Index >= len(s.in.schema.Fields) {
			return 0, false
		}
		switch {
		case isText(c.T):
			return s.column(c.Index, textField, types.Type{}, nil), true
		case hasOrder(c.T):
			return s.column(c.Index, orderField, c.T, nil), true
		}
		return 0, false
	}
	if !isText(e.Type()) || !plan.Pure(e) || s.canFail(e) {
		return 0, false
	}
	var col *plan.Column
	single := true
	plan.Walk(e, func(x plan.Expr) bool {
		switch c := x.(type) {
		case *plan.Column:
			single = single && isText(c.T) && (col == nil || col.Index == c.Index)
			col = c
		case *plan.Outer:
			single = false
		}
		return single
	})
	if !single || col == nil {
		return 0, false
	}
	alone := plan.Remap(e, func(int) int { return 0 })
	return s.column(col.Index, textField, types.Type{}, alone), true
}

func (s *sqlBuilder) column(i int, class fieldClass, t types.Type, derive plan.Expr) int32 {
	f := s.field(s.in.column(i), class, t, derive)
	s.fields[f].sql = true
	return f
}

// unwiden takes casts off that keep the value.
func unwiden(e plan.Expr) plan.Expr {
	for {
		c, ok := e.(*plan.Cast)
		if !ok {
			return e
		}
		from, to := c.X.Type(), c.T
		switch {
		case to.Kind == types.VarChar && isText(from) && to.Prec >= from.Prec:
		case isInteger(from) && isInteger(to) && to.Kind >= from.Kind:
		default:
			return e
		}
		e = c.X
	}
}

// sqlName is what an index says of a rule's condition.
func sqlName(e plan.Expr) string { return fmt.Sprintf("%.200s", plan.String(e)) }
