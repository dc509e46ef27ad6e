package ruleindex

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func testContext() *function.Context {
	return &function.Context{Zone: time.UTC, Now: time.Now}
}

var sqlFields = []types.Field{
	{Name: "s", Type: types.String()}, {Name: "u", Type: types.String()}, {Name: "c", Type: types.CharOf(3)},
	{Name: "i", Type: types.Of(types.Int)}, {Name: "l", Type: types.Of(types.BigInt)}, {Name: "d", Type: types.Of(types.Double)},
	{Name: "n", Type: types.DecimalOf(10, 2)}, {Name: "t", Type: types.TimestampOf(3)}, {Name: "b", Type: types.Of(types.Boolean)},
	{Name: "y", Type: types.Of(types.Date)}, {Name: "f", Type: types.Of(types.Float)},
}

// sqlGen makes random conditions, and rows for them.
type sqlGen struct {
	*rand.Rand
	fns    *function.Set
	schema *types.Schema
}

func (g *sqlGen) text() string {
	words := []string{"a", "b", "A", "ab", "foo", "é", "%", "_", `\`, "", "10", "x1", "\n", "日"}
	s := words[g.IntN(len(words))]
	if g.IntN(2) == 0 {
		s += words[g.IntN(len(words))]
	}
	return s
}

func (g *sqlGen) value(t types.Type) types.Value {
	if t.Nullable && g.IntN(6) == 0 {
		return nil
	}
	n := int64(g.IntN(7)) - 2
	switch t.Kind {
	case types.Char, types.VarChar:
		return types.FitString(g.text(), t)
	case types.Int, types.Date:
		return int32(n)
	case types.BigInt:
		return n
	case types.Double:
		return []float64{float64(n) / 2, math.NaN(), math.Inf(1), math.Copysign(0, -1), -1e300}[g.IntN(5)*g.IntN(2)]
	case types.Float:
		return float32(n) / 2
	case types.Decimal:
		d, _ := types.CastValue(n, types.Of(types.BigInt), t, nil, true)
		return d
	case types.Timestamp:
		return types.TS{Ms: n * 1000}
	case types.Boolean:
		return n > 0
	}
	panic(t.Kind)
}

func (g *sqlGen) column() *plan.Column {
	i := g.IntN(len(g.schema.Fields))
	return &plan.Column{Index: i, T: g.schema.Fields[i].Type, Name: g.schema.Fields[i].Name}
}

func (g *sqlGen) columnOf(kind types.Kind) *plan.Column {
	for {
		if c := g.column(); c.T.Kind == kind {
			return c
		}
	}
}

func lit(v types.Value, t types.Type) plan.Expr {
	return &plan.Literal{Value: v, T: t.WithNull(v == nil)}
}

func op(o plan.Op, args ...plan.Expr) plan.Expr {
	return &plan.OpExpr{Op: o, Args: args, T: types.Of(types.Boolean).WithNull(true)}
}

func (g *sqlGen) call(name string, args ...plan.Expr) plan.Expr {
	as := make([]function.Arg, len(args))
	for i, a := range args {
		as[i] = function.Arg{Type: a.Type()}
		if l, ok := a.(*plan.Literal); ok {
			as[i].Const, as[i].Value = true, l.Value
		}
	}
	def, sig, err := g.fns.Resolve(name, as)
	if err != nil {
		panic(err)
	}
	return &plan.Call{Fn: def, Args: args, T: sig.Result}
}

func (g *sqlGen) cond(depth int) plan.Expr {
	if depth > 0 && g.IntN(3) > 0 {
		switch k := g.IntN(10); k {
		case 0, 1, 2, 3, 4, 5:
			args := []plan.Expr{g.cond(depth - 1), g.cond(depth - 1)}
			if g.IntN(3) == 0 {
				args = append(args, g.cond(depth-1))
			}
			return op([]plan.Op{plan.And, plan.Or}[k%2], args...)
		case 6, 7:
			return op(plan.Not, g.cond(depth-1))
		default:
			ops := []plan.Op{plan.IsNull, plan.IsNotNull, plan.IsTrue, plan.IsNotTrue, plan.IsFalse, plan.IsNotFalse}
			return op(ops[g.IntN(len(ops))], g.cond(depth-1))
		}
	}
	compare := []plan.Op{plan.Eq, plan.Ne, plan.Lt, plan.Le, plan.Gt, plan.Ge, plan.Distinct, plan.NotDistinct}
	c := g.column()
	s := g.columnOf(types.VarChar)
	str := types.String()
	switch g.IntN(16) {
	case 0, 1, 2, 3:
		o := compare[g.IntN(len(compare))]
		if g.IntN(3) == 0 {
			return op(o, lit(g.value(c.T), c.T), c)
		}
		return op(o, c, lit(g.value(c.T), c.T))
	case 4, 5:
		args := []plan.Expr{c}
		for range 1 + g.IntN(4) {
			args = append(args, lit(g.value(c.T), c.T))
		}
		return op(plan.In, args...)
	case 6:
		return op([]plan.Op{plan.IsNull, plan.IsNotNull}[g.IntN(2)], c)
	case 7, 8:
		p := []string{"", "%", "_"}[g.IntN(3)] + g.text() + []string{"%", "", "_", "%_"}[g.IntN(4)] + g.text()
		if g.IntN(2) == 0 {
			p += "%"
		}
		if g.IntN(3) == 0 { // escapes, right and wrong ones
			return g.call("LIKE", s, lit(p+[]string{"!%", "!_", "!!", "!x"}[g.IntN(8)/2*g.IntN(2)], str), lit("!", str))
		}
		return g.call("LIKE", s, lit(p, str))
	case 9:
		ps := []string{"a+b", "^x", "o$", "[", "", "(a)\\1", "(?i)A", "foo|é"}
		return g.call("REGEXP", s, lit(ps[g.IntN(len(ps))], str))
	case 10:
		return g.call([]string{"STARTSWITH", "ENDSWITH"}[g.IntN(2)], s, lit(g.text(), str))
	case 11:
		f := g.call([]string{"UPPER", "LOWER", "TRIM"}[g.IntN(3)], s)
		if g.IntN(2) == 0 {
			return g.call("LIKE", f, lit(g.text()+"%", str))
		}
		return op(compare[g.IntN(len(compare))], f, lit(g.text(), str))
	case 12: // can fail
		x := &plan.Cast{X: s, T: types.Of(types.Int), Try: g.IntN(3) == 0}
		return op(plan.Gt, x, lit(int32(1), types.Of(types.Int)))
	case 13: // can fail
		x := g.columnOf(types.Int)
		return op(plan.Ge, &plan.OpExpr{Op: plan.Div, Args: []plan.Expr{lit(int32(4), x.T), x}, T: x.T}, lit(int32(1), x.T))
	case 14: // two columns
		return op(compare[g.IntN(len(compare))], s, g.columnOf(types.VarChar))
	}
	return g.columnOf(types.Boolean)
}

// TestSQLAgainstEach holds the index equal to evaluating every condition alone,
// in answers and in which rows are errors.
func TestSQLAgainstEach(t *testing.T) {
	cx := testContext()
	matched, failed := 0, 0
	for seed := range uint64(80) {
		g := &sqlGen{rand.New(rand.NewPCG(seed, 5)), builtin.All(), types.NewSchema(slices.Clone(sqlFields)...)}
		for i := range g.schema.Fields {
			f := &g.schema.Fields[i]
			f.Type = f.Type.WithNull(g.IntN(4) > 0)
		}
		set := NewSet(Options{Schema: g.schema, Context: cx})
		var rules []Rule
		for i := range 10 + g.IntN(60) {
			e := g.cond(3)
			if g.IntN(2) == 0 {
				i := g.columnOf(types.Int)
				e = op(plan.And, op(plan.Eq, i, lit(int32(g.IntN(4)), i.T)), e)
			}
			rules = append(rules, Rule{ID: fmt.Sprint(i), Expr: e})
		}
		half := len(rules) / 2
		for _, part := range [][]Rule{rules[:half], rules[half:]} {
			if err := set.Add(part...); err != nil {
				t.Fatal(err)
			}
		}
		if seed%2 == 0 {
			if err := set.Merge(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		task := set.Index().NewTask()
		var h Hits
		for range 8 {
			b := vector.NewBatch(g.schema, 40)
			for range 40 {
				row := make([]types.Value, len(g.schema.Fields))
				for c, f := range g.schema.Fields {
					row[c] = g.value(f.Type)
				}
				b.AppendValues(types.Insert, row...)
			}
			if g.IntN(2) == 0 {
				b.Sel = []int32{0, 3, 4, 9, 20, 39}
			}
			if err := task.Batch(b, &h); err != nil {
				t.Fatal(err)
			}
			got := map[int32][]int32{}
			if err := h.ByRule(func(r int32, rows []int32) error { got[r] = slices.Clone(rows); return nil }); err != nil {
				t.Fatal(err)
			}
			errs := map[int32][]int32{}
			for _, e := range h.Errs {
				errs[e.Rule] = append(errs[e.Rule], e.Row)
			}
			for num, r := range rules {
				rows, bad := alone(t, r.Expr, b, cx)
				matched += len(rows)
				failed += len(bad)
				slices.Sort(errs[int32(num)])
				if !slices.Equal(got[int32(num)], rows) || !slices.Equal(errs[int32(num)], bad) {
					t.Fatalf("seed %d: %s: rows %v errors %v, want %v %v\nfirst rows %v", seed, plan.String(r.Expr), got[int32(num)], errs[int32(num)], rows, bad, b.Row(0))
				}
			}
		}
	}
	t.Logf("%d matches, %d errors", matched, failed)
	if matched < 10_000 || failed < 1000 {
		t.Error("too few to mean anything")
	}
}

// TestEventsOfSQL: what an undecoded event gives is what its row gives, or that
// it has to be decoded.
func TestEventsOfSQL(t *testing.T) {
	answered, decoded := 0, 0
	for seed := range uint64(40) {
		fields := slices.DeleteFunc(slices.Clone(sqlFields), func(f types.Field) bool { return !slices.Contains([]string{"s", "u", "i", "l", "d", "b"}, f.Name) })
		g := &sqlGen{rand.New(rand.NewPCG(seed, 6)), builtin.All(), types.NewSchema(fields...)}
		set := NewSet(Options{Schema: g.schema, Context: testContext()})
		for i := range 12 {
			if err := set.Add(Rule{ID: fmt.Sprint(i), Expr: g.cond(2)}); err != nil {
				t.Fatal(err)
			}
			if infos := set.Index().Rules(); infos[len(infos)-1].Confirmed && i%4 > 0 {
				set.Remove(fmt.Sprint(i)) // rows of many such rules all have to be decoded
			}
		}
		task := set.Index().NewTask()
		var h Hits
		var e Event
		for range 200 {
			b := vector.NewBatch(g.schema, 1)
			row := make([]types.Value, len(g.schema.Fields))
			e.Reset()
			for c, f := range g.schema.Fields {
				row[c] = g.value(f.Type)
				in := slices.IndexFunc(set.Index().Inputs(), func(i Input) bool { return i.Column == c })
				if in < 0 {
					continue
				}
				switch v := row[c].(type) {
				case nil:
					e.Add(int32(in), RawNull, "null")
				case string:
					e.Add(int32(in), RawText, v)
				case bool:
					e.Add(int32(in), RawBool, fmt.Sprint(v))
				case float64:
					if math.IsNaN(v) || math.IsInf(v, 0) {
						v = 1
						row[c] = v
					}
					e.Add(int32(in), RawNumber, fmt.Sprint(v))
				default:
					e.Add(int32(in), RawNumber, string(types.AppendCast(nil, v, f.Type, nil)))
				}
			}
			b.AppendValues(types.Insert, row...)
			if err := task.Batch(b, &h); err != nil {
				t.Fatal(err)
			}
			got, decode := task.Event(&e, nil)
			if decode {
				decoded++
				continue
			}
			answered++
			if len(h.Errs) > 0 || !slices.Equal(got, h.Rules) {
				t.Fatalf("seed %d: %v: %v, want %v, errors %v", seed, row, got, h.Rules, h.Errs)
			}
		}
	}
	t.Logf("%d answered, %d to be decoded", answered, decoded)
	if answered < 500 {
		t.Error("too few to mean anything")
	}
}

// alone evaluates one condition row by row.
func alone(t *testing.T, e plan.Expr, b *vector.Batch, cx *function.Context) (rows, bad []int32) {
	t.Helper()
	p, err := eval.CompilePredicate(e, b.Schema, cx)
	if err != nil {
		t.Fatalf("%s: %v", plan.String(e), err)
	}
	b.Rows(func(i int) {
		sel, err := p.Select(b, []int32{int32(i)}, nil)
		var re *function.RowError
		switch {
		case errors.As(err, &re):
			bad = append(bad, int32(i))
		case err != nil:
			t.Fatal(err)
		default:
			rows = append(rows, sel...)
		}
	})
	return rows, bad
}
