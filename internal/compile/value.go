package compile

import (
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Eval computes an expression without columns and returns its type and value. With fold
// its constants are folded as the optimiser does; without, they stand in a
// column, so that what runs is what rows run through.
func (s *Session) Eval(expr string, fold bool) (types.Type, types.Value, error) {
	x, err := sql.ParseExpr(expr, sql.Options{Dialect: s.Settings.Get("sql.dialect")})
	if err != nil {
		return types.Type{}, nil, err
	}
	o := s.Bind()
	e, err := bind.Expr(o, x, types.NewSchema(), "")
	if err != nil {
		return types.Type{}, nil, err
	}
	t := e.Type()
	if plan.Pure(e) && fold {
		if e, err = eval.Fold(e, o.Func); err != nil {
			return t, nil, err
		}
		v, err := eval.Const(e, o.Func)
		return t, v, err
	}
	in := types.NewSchema()
	b := &vector.Batch{N: 1, Schema: in}
	if !fold {
		e = unfold(e, in, b)
	}
	p, err := eval.Compile([]plan.Expr{e}, in, o.Func)
	if err != nil {
		return t, nil, err
	}
	out, err := p.Eval(b, nil)
	if err != nil {
		return t, nil, err
	}
	return t, vector.Get(out[0], 0), nil
}

// unfold puts literals into columns of b; those that functions need as constants stay.
func unfold(e plan.Expr, in *types.Schema, b *vector.Batch) plan.Expr {
	switch x := e.(type) {
	case *plan.Literal:
		switch x.T.Kind {
		case types.Symbol, types.Null, types.Descriptor:
			return e
		}
		v := vector.New(x.T.OrNull(), 0)
		vector.Append(v, x.Value)
		in.Fields = append(in.Fields, types.Field{Name: "c", Type: x.T})
		b.Cols = append(b.Cols, v)
		return &plan.Column{Index: len(in.Fields) - 1, T: x.T, Name: "c"}
	case *plan.Call:
		if len(x.Args) == 0 {
			return e
		}
		args := append([]plan.Expr(nil), x.Args...)
		first := 0
		if x.Fn.Name == "JSON_OBJECT" { // the keys are constants
			for first < len(args) && args[first].Type().Kind == types.Symbol {
				first++
			}
			if first++; first >= len(args) {
				return e
			}
		}
		args[first] = unfold(args[first], in, b)
		return x.WithChildren(args)
	case *plan.OpExpr:
		args := append([]plan.Expr(nil), x.Args...)
		for i := range args {
			if x.Op == plan.In && i > 0 {
				break
			}
			args[i] = unfold(args[i], in, b)
		}
		return x.WithChildren(args)
	case *plan.Cast:
		return x.WithChildren([]plan.Expr{unfold(x.X, in, b)})
	}
	return e
}
