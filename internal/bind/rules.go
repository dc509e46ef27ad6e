package bind

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/rulefile"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// rulesTable binds TABLE(RULES(TABLE t, 'folder')): a set of rules that changes
// while the job runs.
func (b *binder) rulesTable(x *ast.TableFunc, frame *scope) (plan.Node, error) {
	args := x.Call.Args
	if len(args) != 2 {
		return nil, diag.At(x.Call.Pos(), diag.BadArgument, "RULES takes a table and a folder: RULES(TABLE t, 'folder')")
	}
	data, ok := args[0].(*ast.TableArg)
	if !ok || data.PartitionBy != nil || data.OrderBy != nil {
		return nil, diag.At(args[0].Pos(), diag.BadArgument, "the first argument of RULES must be a table").Hint("write TABLE t")
	}
	var in plan.Node
	var err error
	if data.Table != nil {
		in, _, err = b.namedTable(&ast.Table{Place: data.Place, Name: data.Table, Hints: data.Hints}, frame)
	} else {
		in, err = b.nested(data.Query, &scope{outer: frame.outer, ctes: frame.ctes})
	}
	if err != nil {
		return nil, err
	}
	e, err := b.expr(args[1], &scope{})
	if err != nil {
		return nil, err
	}
	dir, ok := b.literal(e)
	if !ok || !dir.T.IsChar() || dir.Value == nil {
		return nil, diag.At(args[1].Pos(), diag.BadArgument, "the second argument of RULES must be a text: the folder of the rules")
	}
	path := dir.Value.(string)
	schema := in.Schema()
	options, at := *b.Options, b.place(args[1].Pos())
	options.Text = ""                         // a rule is a text of its own
	options.Warn = func(diag.Span, string) {} // rules are bound while the session does something else
	n := &plan.LiveRules{
		Input: in, Name: filepath.Base(path), Dir: path, Load: func(dir string) ([]plan.RuleDef, error) {
			defs, err := rulefile.Load(dir)
			if errors.Is(err, fs.ErrNotExist) {
				err = diag.At(at, diag.BadValue, "the folder of rules: %w", err)
			}
			return defs, err
		},
		Compile: func(d plan.RuleDef) (plan.LiveRule, error) { return compileRule(&options, schema, d) },
	}
	text := types.String()
	n.Out = types.NewSchema(append(slices.Clone(schema.Fields),
		types.Field{Name: "rule_id", Type: text.NotNull()},
		types.Field{Name: "attributes", Type: types.MapOf(text, text).NotNull()},
		types.Field{Name: "rule_key", Type: text},
		types.Field{Name: "rule_count", Type: types.Of(types.BigInt).NotNull()})...)
	return n, nil
}

// compileRule binds a rule's condition and key over the columns of a table.
func compileRule(o *Options, in *types.Schema, d plan.RuleDef) (plan.LiveRule, error) {
	r := plan.LiveRule{Def: d}
	if err := d.Check(); err != nil {
		return r, err
	}
	x, err := sql.ParseExpr(d.Condition, sql.Options{})
	if err != nil {
		return r, diag.WithSource(err, d.Condition)
	}
	if r.Cond, err = Expr(o, x, in, ""); err != nil {
		return r, diag.WithSource(err, d.Condition)
	}
	if t := r.Cond.Type(); t.Kind != types.Boolean {
		return r, diag.At(x.Pos(), diag.TypeMismatch, "the condition of rule %s is %s, not BOOLEAN", d.ID, t)
	}
	for _, k := range d.Key {
		i := in.Index(k)
		if i < 0 {
			return r, diag.At(diag.Span{}, diag.UnknownColumn, "rule %s: no column %s to count by", d.ID, k).DidYouMean(k, in.Names())
		}
		r.Keys = append(r.Keys, i)
	}
	if d.Window > 0 && in.Rowtime < 0 {
		return r, diag.At(diag.Span{}, diag.NotAllowed, "rule %s has a window, but the table has no event time", d.ID).Hint("declare WATERMARK FOR a column")
	}
	return r, nil
}
