package compile_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/sql"
)

// TestDialectChoosesFunctions evaluates what the dialects read differently, and
// functions made of built-in ones.
func TestDialectChoosesFunctions(t *testing.T) {
	t.Parallel()
	s, err := compile.New(compile.Options{Functions: builtin.All(), Rsqldb: builtin.Rsqldb()})
	if err != nil {
		t.Fatal(err)
	}
	run := func(text string) []string {
		t.Helper()
		stmts, err := sql.Parse(text, sql.Options{Dialect: s.Settings.Get("sql.dialect")})
		if err != nil {
			t.Fatal(err)
		}
		var warnings []string
		for _, st := range stmts {
			r, err := s.Execute(t.Context(), st, nil)
			if err != nil {
				t.Fatal(err)
			}
			warnings = append(warnings, r.Warnings...)
		}
		return warnings
	}
	eval := func(text string) any {
		t.Helper()
		_, v, err := s.Eval(text, true)
		if err != nil {
			return "error"
		}
		return v
	}
	is := func(text string, want any) {
		t.Helper()
		if got := eval(text); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
	bround := eval("BROUND(1.25E0, 1)") // of RocketMQ-Streams only: in both
	is("HEX(255)", "FF")
	is("`minus`(5, 3)", int64(2))
	is("`between`(5, 1, 10)", true)
	is("gt('b', 'a')", true)
	is("ITEM(ARRAY[1, 2], 2)", int32(2))
	is("GET_MAP_FIELD(PUT_MAP_FIELD(MAP['a', 1], 'b', 2), 'b')", int32(2))
	run("SET 'sql.dialect' = 'rsqldb'")
	is("BROUND(1.25E0, 1)", bround)
	is("HEX(255)", "ff")
	is("ITEM(ARRAY[1, 2], 0)", int32(1))
	is("ITEM(ARRAY[1, 2], 2)", nil)
	is("ITEM(MAP['a', 1], 'a')", int32(1))
	is("RAND(5) >= 5 AND RAND(5) < 6", true)
	is("CHAR_LENGTH(CURRENT_TIMESTAMP)", int32(19))
	if w := run("CREATE FUNCTION split_index AS 'org.apache.rocketmq.streams.script.annotation.Function'"); w != nil {
		t.Errorf("a marker class warns: %v", w)
	}
	is("SPLIT_INDEX('a/b', '/', 1)", "b")
	if w := run("CREATE FUNCTION no_such AS 'com.sql.Function'"); len(w) != 1 {
		t.Errorf("a marker without a built-in function warns: %v", w)
	}
	is("NO_SUCH('a')", "error")
	run("CREATE FUNCTION shout AS 'upper'")
	for _, text := range []string{"CREATE FUNCTION cry AS 'upper' USING JAR 'a.jar'", "CREATE FUNCTION lower AS 'com.acme.Lower' USING JAR 'a.jar'", "CREATE FUNCTION lower AS 'com.sql.Function' USING JAR 'a.jar'"} {
		if w := run(text); len(w) != 1 || !strings.Contains(w[0], "not read") {
			t.Errorf("%s: warnings %q", text, w)
		}
		run("DROP FUNCTION IF EXISTS lower")
	}
	is("SHOUT('a')", "A")
	is("BROUND(1.25E0, 1)", bround)
	run("SET 'sql.dialect' = 'flink'")
	is("SHOUT('a')", "A")
	is("BROUND(1.25E0, 1)", bround)
}
