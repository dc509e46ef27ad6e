package ruleindex

import (
	"errors"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// reach is where a computation in e that can fail is reached, given that e is
// where cond holds. Operands of AND and OR are reached from left to right, while
// those in front do not decide.
func (s *sqlBuilder) reach(e plan.Expr, cond *term) *term {
	if !s.canFail(e) {
		return isFalse
	}
	o, ok := e.(*plan.OpExpr)
	if !ok {
		return cond
	}
	switch o.Op {
	case plan.And, plan.Or:
		out := isFalse
		for _, a := range o.Args {
			out = oneOf(out, s.reach(a, cond))
			decided := s.isFalse(a)
			if o.Op == plan.Or {
				decided = s.isTrue(a)
			}
			cond = allOf(cond, decided.not())
			if cond.size()+out.size() > maxTerms {
				return isTrue // always, as far as the index can tell
			}
		}
		return out
	case plan.Not, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse, plan.IsNull, plan.IsNotNull:
		return s.reach(o.Args[0], cond)
	}
	return cond
}

// total are the functions that give a value or NULL for all arguments.
var total = map[string]bool{
	"LOWER": true, "UPPER": true, "TRIM": true, "LTRIM": true, "RTRIM": true, "BTRIM": true, "CHAR_LENGTH": true, "CHARACTER_LENGTH": true,
	"CONCAT": true, "SUBSTRING": true, "SUBSTR": true, "REVERSE": true, "POSITION": true, "LOCATE": true, "INSTR": true, "STARTSWITH": true,
	"ENDSWITH": true, "ABS": true, "ASCII": true, "CONCAT_WS": true, "INITCAP": true,
}

// canFail tells whether computing e may end in an error.
func (s *sqlBuilder) canFail(e plan.Expr) bool {
	if f, ok := s.fails[e]; ok {
		return f
	}
	fails := false
	switch x := e.(type) {
	case *plan.Column, *plan.Literal:
	case *plan.OpExpr:
		fails = opCanFail(x)
	case *plan.Call:
		fails = s.callCanFail(x)
	case *plan.Cast:
		fails = !x.Try && castCanFail(x.X.Type(), x.T)
	default:
		fails = true
	}
	for _, c := range e.Children() {
		fails = s.canFail(c) || fails
	}
	s.fails[e] = fails
	return fails
}

func opCanFail(o *plan.OpExpr) bool {
	switch o.Op {
	case plan.Div, plan.Mod:
		return o.T.Kind != types.Float && o.T.Kind != types.Double
	case plan.Case, plan.Coalesce, plan.MakeArray, plan.MakeMap, plan.MakeRow:
		for _, a := range o.Args {
			if t := a.Type(); t.Kind != types.Boolean && t.Kind != types.Null && t.Kind != o.T.Kind {
				return true
			}
		}
	case plan.In:
		for _, a := range o.Args[1:] {
			if castCanFail(a.Type(), o.Args[0].Type()) {
				return true
			}
		}
	}
	return false
}

func (b *builder) callCanFail(c *plan.Call) bool {
	switch c.Fn.Name {
	case "LIKE", "REGEXP":
		texts := []string{"", ""}
		for i, a := range c.Args[1:] {
			lit, ok := a.(*plan.Literal)
			if !ok || i > 1 {
				return true
			}
			if lit.Value == nil {
				return false
			}
			texts[i], _ = lit.Value.(string)
		}
		if c.Fn.Name == "REGEXP" {
			re, err := b.compiled(texts[0])
			var syntax *regex.SyntaxError
			return err == nil && !re.Linear() || errors.As(err, &syntax) && syntax.Limit
		}
		_, ok := likePieces(texts[0], texts[1])
		return !ok
	}
	return !total[c.Fn.Name]
}

// castCanFail is true if in doubt.
func castCanFail(from, to types.Type) bool {
	switch {
	case from.Kind == types.Null || from.Kind == to.Kind && from.Kind <= types.Double:
		return false
	case isText(from) && isText(to):
		return false
	case isInteger(from):
		return !isText(to) && to.Kind != types.Double && to.Kind != types.Float && !(isInteger(to) && to.Kind >= from.Kind)
	case from.Kind == types.Float && to.Kind == types.Double:
		return false
	}
	return true
}
