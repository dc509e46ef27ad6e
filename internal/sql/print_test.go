package sql_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

var (
	placeType = reflect.TypeFor[ast.Place]()
	identType = reflect.TypeFor[ast.Ident]()
	typeType  = reflect.TypeFor[types.Type]()
)

// diff returns the path to the first difference of two trees, "" if they are
// equal but for places and the quotes of names.
func diff(path string, a, b reflect.Value) string {
	if a.Kind() != b.Kind() || a.IsValid() && a.Type() != b.Type() {
		return path + ": kinds differ"
	}
	switch a.Kind() {
	case reflect.Interface, reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return path + ": one is nil"
			}
			return ""
		}
		return diff(path, a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return path + ": lengths differ"
		}
		for i := range a.Len() {
			if d := diff(path+"[]", a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
	case reflect.Struct:
		switch a.Type() {
		case placeType:
			return ""
		case typeType:
			if x, y := a.Interface().(types.Type), b.Interface().(types.Type); !x.Equal(y) || x.Unit != y.Unit {
				return path + ": " + x.String() + " and " + y.String()
			}
			return ""
		}
		for i := range a.NumField() {
			name := a.Type().Field(i).Name
			if a.Type() == identType && name == "Quoted" {
				continue
			}
			if d := diff(path+"."+name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
	default:
		if !a.Equal(b) {
			return path + ": values differ"
		}
	}
	return ""
}

// checkRoundTrip prints the statements, parses them again and wants the same trees.
func checkRoundTrip(t *testing.T, src, dialect string) {
	t.Helper()
	first, err := sql.Parse(src, sql.Options{Dialect: dialect})
	if err != nil {
		return // other tests want what must parse to parse
	}
	for _, stmt := range first {
		if set, ok := stmt.(*ast.Set); ok && set.Key != nil && strings.EqualFold(set.Key.Value, "sql.dialect") {
			dialect = set.Value.Value
		}
		text := sql.Format(stmt)
		again, err := sql.Parse(text, sql.Options{Dialect: dialect})
		if err != nil {
			t.Fatalf("%s\nis printed as\n%s\n%s", src, text, diag.Render(err))
		}
		if len(again) != 1 {
			t.Fatalf("%s\nis printed as %d statements:\n%s", src, len(again), text)
		}
		if d := diff("", reflect.ValueOf(stmt), reflect.ValueOf(again[0])); d != "" {
			t.Fatalf("%s\nis printed as\n%s\nwhich differs in %s", src, text, d)
		}
		if twice := sql.Format(again[0]); twice != text {
			t.Fatalf("printed twice:\n%s\n%s", text, twice)
		}
	}
}

func TestPrintedTextParsesToTheSameTree(t *testing.T) {
	for _, s := range oracleScripts(t) {
		checkRoundTrip(t, s.src, s.dialect)
	}
	for _, e := range oracleExprs(t) {
		checkRoundTrip(t, "SELECT "+e.src, "")
	}
	files, _ := filepath.Glob("testdata/valid/*.sql")
	if len(files) < 5 {
		t.Fatalf("only %d files in testdata/valid", len(files))
	}
	for _, f := range files {
		src := string(read(t, f))
		if _, err := sql.Parse(src, sql.Options{}); err != nil {
			t.Errorf("%s: %s", f, diag.Render(err))
		}
		checkRoundTrip(t, src, "")
	}
}
