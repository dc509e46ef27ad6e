package eval

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var berlin = func() *time.Location {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return loc
}()

func testContext() *function.Context { return &function.Context{Zone: berlin} }

func show(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Column:
		return e.Name
	case *plan.Literal:
		return fmt.Sprintf("%#v:%s", e.Value, e.T)
	case *plan.Cast:
		return fmt.Sprintf("CAST(%s AS %s try=%v)", show(e.X), e.T, e.Try)
	case *plan.Call:
		return fmt.Sprintf("%s(%s)", e.Fn.Name, show(e.Args[0]))
	case *plan.OpExpr:
		s := name(e.Op) + "["
		for i, a := range e.Args {
			if i > 0 {
				s += ", "
			}
			s += show(a)
		}
		return s + "]:" + e.T.String()
	}
	return "?"
}

func liveRows(n int, sel []int32) []int32 {
	if sel != nil {
		return sel
	}
	all := make([]int32, n)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// answers is what the oracle says for each row: a value or an error.
type answer struct {
	v   types.Value
	err error
}

func answers(e plan.Expr, b *vector.Batch) []answer {
	out := make([]answer, b.N)
	for i := range out {
		o := oracle{row: b.Row(i), zone: berlin}
		out[i].v, out[i].err = o.value(e)
	}
	return out
}

func checkProgram(t *testing.T, p *Program, e plan.Expr, b *vector.Batch, sel []int32, want []answer) {
	t.Helper()
	got, err := p.Eval(b, sel)
	if err != nil {
		var row *function.RowError
		if !errors.As(err, &row) {
			t.Fatalf("%s\nno row error: %v", show(e), err)
		}
		live := false
		for _, i := range liveRows(b.N, sel) {
			live = live || int(i) == row.Row
		}
		if !live || want[row.Row].err == nil {
			t.Fatalf("%s\nrow %d fails: %v\nwant %v\nrow: %v", show(e), row.Row, err, want[row.Row], b.Row(row.Row))
		}
		return
	}
	for _, i := range liveRows(b.N, sel) {
		w := want[i]
		if w.err != nil {
			t.Fatalf("%s\nrow %d must fail: %v\n%v", show(e), i, w.err, b.Row(int(i)))
		}
		if g := vector.Get(got[0], int(i)); !types.EqualValues(g, w.v, e.Type()) {
			t.Fatalf("%s\nrow %d is %#v, want %#v\nrow: %v", show(e), i, g, w.v, b.Row(int(i)))
		}
	}
	if got[0].Len() != b.N && !(b.N == 0) {
		t.Fatalf("%s\n%d rows of %d", show(e), got[0].Len(), b.N)
	}
}

// TestProgramsAgreeWithOracle compares random expressions with the oracle, row
// by row, over batches of several sizes with and without selections.
func TestProgramsAgreeWithOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(800) {
		r := &random{rand.New(rand.NewPCG(seed, 1)), randomSchema()}
		e := r.expr(r.typ(), 1+r.IntN(4))
		p, err := Compile([]plan.Expr{e}, r.in, testContext())
		if err != nil {
			t.Fatalf("seed %d: %s\n%v", seed, show(e), err)
		}
		for _, n := range []int{70, 1, 0, 9} {
			b := r.batch(n)
			checkProgram(t, p, e, b, r.selection(n), answers(e, b))
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestPredicatesAgreeWithOracle: rows are chosen exactly if the condition is
// TRUE. A predicate may leave out a failing row where a NULL or FALSE decides.
func TestPredicatesAgreeWithOracle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(800) {
		r := &random{rand.New(rand.NewPCG(seed, 2)), randomSchema()}
		e := r.expr(types.Of(types.Boolean), 1+r.IntN(4))
		p, err := CompilePredicate(e, r.in, testContext())
		if err != nil {
			t.Fatalf("seed %d: %s\n%v", seed, show(e), err)
		}
		for _, n := range []int{70, 1, 0, 9} {
			b := r.batch(n)
			sel := r.selection(n)
			want := answers(e, b)
			got, err := p.Select(b, sel, []int32{-7})
			if err != nil {
				var row *function.RowError
				if !errors.As(err, &row) || want[row.Row].err == nil {
					t.Fatalf("seed %d: %s\n%v", seed, show(e), err)
				}
				continue
			}
			if got[0] != -7 {
				t.Fatalf("seed %d: %s: dst was not kept", seed, show(e))
			}
			got = got[1:]
			for _, i := range liveRows(n, sel) {
				chosen := len(got) > 0 && got[0] == i
				if chosen {
					got = got[1:]
				}
				if chosen != (want[i].v == true && want[i].err == nil) {
					t.Fatalf("seed %d: %s\nrow %d chosen: %v, want %v\n%v", seed, show(e), i, chosen, want[i], b.Row(int(i)))
				}
			}
			if len(got) > 0 {
				t.Fatalf("seed %d: %s: rows %v too many", seed, show(e), got)
			}
		}
	}
}

// TestFoldedAgreesWithColumns puts the values of a row in the place of columns:
// the folded literal is what the column form gives, and what fails is not folded.
func TestFoldedAgreesWithColumns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(800) {
		r := &random{rand.New(rand.NewPCG(seed, 3)), randomSchema()}
		e := r.expr(r.typ(), 1+r.IntN(4))
		b := r.batch(1)
		want := answers(e, b)[0]
		constant := plan.Rewrite(e, func(x plan.Expr) plan.Expr {
			if c, ok := x.(*plan.Column); ok {
				return &plan.Literal{Value: vector.Get(b.Cols[c.Index], 0), T: c.T}
			}
			return x
		})
		folded, err := Fold(constant, testContext())
		if err != nil {
			t.Fatal(err)
		}
		if castsToFloat(constant) {
			continue // a literal that is cast to FLOAT or DOUBLE keeps more digits than a column
		}
		v, err := Const(constant, testContext())
		if (err != nil) != (want.err != nil) || err == nil && !types.EqualValues(v, want.v, e.Type()) {
			t.Fatalf("seed %d: %s\nis %#v %v, want %#v %v", seed, show(constant), v, err, want.v, want.err)
		}
		l, ok := folded.(*plan.Literal)
		if ok != (want.err == nil) {
			t.Fatalf("seed %d: %s\nfolds to %s, want %v", seed, show(constant), show(folded), want)
		}
		if ok && (!types.EqualValues(l.Value, want.v, e.Type()) && !sameDecimal(l.Value, want.v) || !l.T.Same(e.Type())) {
			t.Fatalf("seed %d: %s\nfolds to %s, want %v", seed, show(constant), show(folded), want.v)
		}
	}
}

// sameDecimal compares a folded number with a computed one: constants end as decimals.
func sameDecimal(folded, computed types.Value) bool {
	switch x := folded.(type) {
	case float32:
		y, ok := computed.(float32)
		return ok && math.Abs(float64(x)-float64(y)) <= 1e-6*math.Abs(float64(y))
	case float64:
		y, ok := computed.(float64)
		return ok && x == y
	}
	return false
}

// castsToFloat tells whether a number literal is cast to FLOAT or DOUBLE.
func castsToFloat(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Cast); ok && c.T.IsApprox() && c.X.Type().IsNumeric() {
			found = true
		}
		return true
	})
	return found
}
