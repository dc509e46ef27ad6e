package sql_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// everyStatement returns the statements of the oracle and of testdata/valid.
func everyStatement(t testing.TB) (stmts []ast.Statement, sources []string) {
	t.Helper()
	scripts := oracleScripts(t)
	files, _ := filepath.Glob("testdata/valid/*.sql")
	for _, f := range files {
		scripts = append(scripts, script{name: f, src: string(read(t, f))})
	}
	for _, s := range scripts {
		list, _ := sql.Parse(s.src, sql.Options{Dialect: s.dialect})
		for _, stmt := range list {
			stmts, sources = append(stmts, stmt), append(sources, s.src)
		}
	}
	return stmts, sources
}

// nodesIn returns the nodes that reflection finds.
func nodesIn(v reflect.Value, found map[ast.Node]bool) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			nodesIn(v.Elem(), found)
		}
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return
		}
		if n, ok := v.Interface().(ast.Node); ok {
			found[n] = true
		}
		nodesIn(v.Elem(), found)
	case reflect.Slice:
		for i := range v.Len() {
			nodesIn(v.Index(i), found)
		}
	case reflect.Struct:
		if v.Type() == placeType || v.Type() == typeType {
			return
		}
		for i := range v.NumField() {
			nodesIn(v.Field(i), found)
		}
	}
}

func TestWalkVisitsEveryNode(t *testing.T) {
	kinds := map[reflect.Type]bool{}
	stmts, _ := everyStatement(t)
	for _, s := range stmts {
		found := map[ast.Node]bool{}
		nodesIn(reflect.ValueOf(s), found)
		ast.Walk(s, func(n ast.Node) bool {
			kinds[reflect.TypeOf(n)] = true
			if !found[n] {
				t.Fatalf("%T is visited twice or is no part of %T", n, s)
			}
			delete(found, n)
			return true
		})
		for n := range found {
			t.Fatalf("%T is not visited below %T", n, s)
		}
	}
	if len(kinds) < 110 {
		t.Errorf("the corpus has only %d kinds of nodes", len(kinds))
	}
}

func TestEveryNodeHasItsPlace(t *testing.T) {
	stmts, sources := everyStatement(t)
	for i, s := range stmts {
		src := sources[i]
		var check func(n, parent ast.Node)
		check = func(n, parent ast.Node) {
			at, in := n.Pos(), parent.Pos()
			switch {
			case at.IsZero() || at.End <= at.Start || int(at.End) > len(src):
				t.Fatalf("%T has the place %+v in\n%s", n, at, src)
			case at.Start < in.Start || at.End > in.End:
				t.Fatalf("%T %q is not inside %T %q", n, src[at.Start:at.End], parent, src[in.Start:in.End])
			}
			line, col := 1, 1
			for _, r := range src[:at.Start] {
				if col++; r == '\n' {
					line, col = line+1, 1
				}
			}
			if int(at.Line) != line || int(at.Col) != col {
				t.Fatalf("%T is at %d:%d, its place says %d:%d", n, line, col, at.Line, at.Col)
			}
			for _, c := range ast.Children(n) {
				check(c, n)
			}
		}
		check(s, s)
	}
}
