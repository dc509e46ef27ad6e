package builtin_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// oracle is an answer recorded from Flink.
type oracle struct {
	Expr     string  `json:"expr"`
	Group    string  `json:"group"`
	Type     string  `json:"type"`
	Result   *string `json:"result"`
	Error    string  `json:"error"`
	Phase    string  `json:"error_phase"`
	Quirk    string  `json:"quirk"`
	Zone     string  `json:"time_zone"`
	Volatile bool    `json:"nondeterministic"`
}

func readOracle(t testing.TB) []oracle {
	t.Helper()
	f, err := os.Open(corpus.Oracle(t, "functions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []oracle
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var o oracle
		if err := json.Unmarshal(sc.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}

func newContext(t testing.TB, zone string) *function.Context {
	t.Helper()
	loc := time.UTC
	if zone != "" {
		var err error
		if loc, err = time.LoadLocation(zone); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2024, 5, 6, 7, 8, 9, 123e6, time.UTC)
	return &function.Context{Zone: loc, Now: func() time.Time { return now }, Query: now, Log: slog.New(slog.DiscardHandler)}
}

// bindExpr parses and binds an expression.
func bindExpr(set *function.Set, cx *function.Context, text string) (plan.Expr, error) {
	e, err := sql.ParseExpr(text, sql.Options{})
	if err != nil {
		return nil, err
	}
	return bind.Expr(&bind.Options{Functions: set, Func: cx}, e, types.NewSchema(), "")
}

// evalExpr computes a constant expression and returns its type and its text as
// the SQL client shows it, nil for NULL.
func evalExpr(set *function.Set, cx *function.Context, text string) (typ string, result *string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("PANIC: %v", p)
		}
	}()
	bound, err := bindExpr(set, cx, text)
	if err != nil {
		return "", nil, err
	}
	typ = bound.Type().String()
	if bound, err = eval.Fold(bound, cx); err != nil {
		return typ, nil, err
	}
	in := types.NewSchema()
	prog, err := eval.Compile([]plan.Expr{bound}, in, cx)
	if err != nil {
		return typ, nil, err
	}
	cols, err := prog.Eval(&vector.Batch{Schema: in, N: 1}, nil)
	if err != nil {
		return typ, nil, err
	}
	v := vector.Get(cols[0], 0)
	if v == nil {
		return typ, nil, nil
	}
	s := string(types.AppendValue(nil, v, bound.Type(), cx.Zone))
	return typ, &s, nil
}

// equalText compares results; entries of maps may come in any order.
func equalText(typ string, a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	if *a == *b {
		return true
	}
	if !strings.Contains(typ, "MAP") && !strings.Contains(typ, "MULTISET") {
		return false
	}
	entries := func(s string) []string {
		parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("{},[]()", r) })
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		slices.Sort(parts)
		return parts
	}
	return slices.Equal(entries(*a), entries(*b))
}

func TestAgreesWithFlink(t *testing.T) {
	t.Parallel()
	set := builtin.All()
	all, good := 0, 0
	var misses []string
	for _, o := range readOracle(t) {
		typ, result, err := evalExpr(set, newContext(t, o.Zone), o.Expr)
		var why string
		switch {
		case o.Error != "" && err == nil:
			why = fmt.Sprintf("no error (%s %s), Flink: %s: %.80s", typ, show(result), o.Phase, o.Error)
		case o.Error == "" && err != nil:
			why = fmt.Sprintf("error %.120v, Flink: %s %s", err, o.Type, show(o.Result))
		case err == nil && typ != o.Type && o.Type != "":
			why = fmt.Sprintf("type %s, Flink: %s", typ, o.Type)
		case err == nil && !o.Volatile && !equalText(o.Type, result, o.Result):
			why = fmt.Sprintf("%s, Flink: %s", show(result), show(o.Result))
		}
		if o.Quirk != "" && (err == nil || !strings.HasPrefix(err.Error(), "PANIC")) {
			continue
		}
		all++
		if why == "" {
			good++
			continue
		}
		misses = append(misses, fmt.Sprintf("[%s] %s: %s", o.Group, o.Expr, why))
	}
	for _, m := range misses {
		t.Log(m)
	}
	if good*100 < all*99 {
		t.Errorf("%d of %d answers are Flink's: fewer than 99 %%", good, all)
	}
	t.Logf("%d of %d answers are Flink's", good, all)
}

func show(s *string) string {
	if s == nil {
		return "NULL"
	}
	return "'" + *s + "'"
}

// toColumns replaces the literals of e by columns and returns their values.
func toColumns(e plan.Expr, fields []types.Field, row []types.Value) (plan.Expr, []types.Field, []types.Value) {
	if l, ok := e.(*plan.Literal); ok {
		if l.Value == nil || l.T.Kind == types.Symbol || l.T.Kind == types.Null {
			return e, fields, row
		}
		c := &plan.Column{Index: len(fields), T: l.T}
		return c, append(fields, types.Field{Name: fmt.Sprint("c", len(fields)), Type: l.T}), append(row, l.Value)
	}
	children := slices.Clone(e.Children())
	for i, c := range children {
		if o, ok := e.(*plan.OpExpr); ok && o.Op == plan.In && i > 0 {
			continue // a list of literals is a part of the operator
		}
		if f, ok := e.(*plan.Call); ok && f.Fn.Name == "JSON_OBJECT" && c.Type().IsChar() {
			continue // keys are literals by the definition of the function
		}
		children[i], fields, row = toColumns(c, fields, row)
	}
	if len(children) > 0 {
		e = e.WithChildren(children)
	}
	return e, fields, row
}

// foldedOnly are expressions whose constants Flink's planner holds as decimals: it
// has another answer for columns, too.
var foldedOnly = map[string]bool{
	"9007199254740993 = 9007199254740992e0": true, "7 / CAST(1.5 AS FLOAT)": true, "CAST(CAST(0.1 AS FLOAT) AS DOUBLE)": true,
}

// TestColumnsAgreeWithFlink computes the recorded expressions again with all
// literals as columns of a batch whose middle row is selected.
func TestColumnsAgreeWithFlink(t *testing.T) {
	t.Parallel()
	set := builtin.All()
	tried, refused := 0, 0
	for _, o := range readOracle(t) {
		if o.Error != "" || o.Quirk != "" || o.Volatile || foldedOnly[o.Expr] {
			continue
		}
		cx := newContext(t, o.Zone)
		if typ, got, err := evalExpr(set, cx, o.Expr); err != nil || typ != o.Type || !equalText(typ, got, o.Result) {
			continue // one that TestAgreesWithFlink lists
		}
		bound, err := bindExpr(set, cx, o.Expr)
		if err != nil {
			t.Fatal(err)
		}
		e, fields, row := toColumns(bound, nil, nil)
		in := types.NewSchema(fields...)
		b := vector.NewBatch(in, 3)
		for i := range 3 {
			vals := row
			if i != 1 { // other rows hold other values
				vals = make([]types.Value, len(row))
				for j, v := range row {
					if vals[j] = v; i == 2 {
						vals[j] = nil
					}
				}
			}
			b.AppendValues(types.Insert, vals...)
		}
		prog, err := eval.Compile([]plan.Expr{e}, in, cx)
		if err != nil {
			refused++ // an argument that must be a literal
			continue
		}
		cols, err := prog.Eval(b, []int32{1})
		if err != nil {
			t.Errorf("%s over columns: %v", o.Expr, err)
			continue
		}
		tried++
		var got *string
		if v := vector.Get(cols[0], 1); v != nil {
			s := string(types.AppendValue(nil, v, bound.Type(), cx.Zone))
			got = &s
		}
		if !equalText(o.Type, got, o.Result) {
			t.Errorf("%s over columns: %s, Flink: %s", o.Expr, show(got), show(o.Result))
		}
	}
	if tried < 2500 {
		t.Errorf("only %d expressions were tried, %d refused", tried, refused)
	}
	t.Logf("%d expressions over columns, %d need literals", tried, refused)
}
