package sql_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// FuzzParse wants of any text: no panic, errors with a place inside the text,
// and trees that survive printing.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/valid/*.sql", "testdata/errors/*.sql", "testdata/format/*.sql"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			src := string(read(f, file))
			for _, s := range strings.FieldsFunc(src, func(r rune) bool { return r == ';' }) {
				f.Add(s, strings.Contains(file, "rsqldb"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, src string, rsqldb bool) {
		opts := sql.Options{}
		if rsqldb {
			opts.Dialect = "rsqldb"
		}
		stmts, err := sql.Parse(src, opts)
		var l diag.List
		var e *diag.Error
		switch {
		case errors.As(err, &l):
		case errors.As(err, &e):
			l = diag.List{e}
		}
		for _, e := range l {
			if e.Span.IsZero() || int(e.Span.Start) > len(src) || int(e.Span.End) > len(src) || e.Span.End < e.Span.Start {
				t.Fatalf("%+v in a text of %d bytes", e, len(src))
			}
			_ = diag.Render(e)
		}
		sql.Split(src, opts)
		sql.Tokens(src, opts)
		sql.Expected(src, opts)
		if err != nil {
			return
		}
		checkRoundTrip(t, src, opts.Dialect)
		text, err := sql.FormatScript(src, opts)
		if err != nil {
			t.Fatal(err)
		}
		again, err := sql.Parse(text, opts)
		if err != nil {
			t.Fatalf("%s\nis formatted as\n%s\n%s", src, text, diag.Render(err))
		}
		if d := diff("", reflect.ValueOf(stmts), reflect.ValueOf(again)); d != "" {
			t.Fatalf("%s\nis formatted as\n%s\nand differs in %s", src, text, d)
		}
		for _, s := range stmts {
			ast.Walk(s, func(ast.Node) bool { return true })
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"ddl", "query", "expr"} {
		src := string(read(b, filepath.Join("testdata", "valid", name+".sql")))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sql.Parse(src, sql.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("rules", func(b *testing.B) { // thousands of short statements
		src := strings.Repeat("INSERT INTO alerts SELECT host, ts, 'r1' FROM events WHERE user = 'root' AND proc LIKE '%ssh%' OR port IN (22, 23);\n", 1000)
		b.SetBytes(int64(len(src)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := sql.Parse(strings.ReplaceAll(src, "user", "usr"), sql.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFormat(b *testing.B) {
	stmts, err := sql.Parse(string(read(b, filepath.Join("testdata", "valid", "query.sql"))), sql.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range stmts {
			sql.Format(s)
		}
	}
}
