package logfmt

import (
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func schemaOf(t testing.TB, cols string) *types.Schema {
	t.Helper()
	return formattest.SchemaOf(t, cols)
}

func decodeAll(t testing.TB, cols string, opts map[string]string, lines ...string) []string {
	t.Helper()
	return formattest.Lines(t, Format, cols, opts, nil, lines...)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f := func(opts map[string]string, line string, want ...string) {
		t.Helper()
		cols := "level STRING, msg STRING, n INT, ok BOOLEAN"
		// A line with the keys in another order comes before.
		got := decodeAll(t, cols, opts, `msg=x level=y n=1`, line)[1:]
		if len(got) == 0 {
			got = nil
		}
		if len(want) == 0 {
			want = nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
	f(nil, `level=info msg="it works" n=5 ok`, "info|it works|5|TRUE")
	f(nil, `  level=info  other=7 msg="a \"b\" \u00e9\n"  `, "info|a \"b\" é\n|NULL|NULL")
	f(nil, `level= msg="" n=1 n=2`, "||2|NULL")
	f(nil, `msg=a=b"c level=x=`, `x=|a=b"c|NULL|NULL`)
	f(nil, `x`, "NULL|NULL|NULL|NULL")
	f(nil, ``)
	f(nil, "  \t")
	f(nil, `msg="a`, "bad: no logfmt: a quote is not closed")
	f(nil, `msg="a\"`, "bad: no logfmt: a quote is not closed")
	f(nil, `msg="a"b`, "bad: no logfmt: behind a closing quote there should be a blank")
	f(nil, `=a`, "bad: no logfmt: here should be a key")
	f(nil, `"a"=b`, "bad: no logfmt: here should be a key")
	f(nil, `n=x`, "bad: column n: 'x' is no INT")
	f(nil, "msg=\xff", `bad: column msg: "\xff" is no UTF-8`)
	f(nil, `msg="\q"`, `bad: column msg: \q is no escape of JSON`)
	f(map[string]string{"ignore-parse-errors": "true"}, `n=x level=a`, "a|NULL|NULL|NULL")
	f(map[string]string{"ignore-parse-errors": "true"}, `=a`)
	if got := decodeAll(t, "a STRING, ts TIMESTAMP(3)", map[string]string{"fail-on-missing-field": "true", "timestamp-format.standard": "ISO-8601"}, "ts=2024-01-01T00:00:01", "a=x ts=2024-01-01T00:00:01"); !reflect.DeepEqual(got,
		[]string{"bad: column a: the key is missing", "x|2024-01-01 00:00:01.000"}) {
		t.Error(got)
	}
}

func encode(t testing.TB, s *types.Schema, row ...types.Value) string {
	t.Helper()
	f, _ := Format.New(nil)
	e, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, 1)
	b.AppendValues(types.Insert, row...)
	line, _, err := e.Append(nil, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

func TestEncode(t *testing.T) {
	t.Parallel()
	s := schemaOf(t, "a INT, b STRING, c DECIMAL(10,2), d BOOLEAN")
	if got := encode(t, s, int32(1), "x y", types.DecFromInt64(1000), true); got != `a=1 b="x y" c=10 d=true` {
		t.Error(got)
	}
	if got := encode(t, s, nil, "", nil, false); got != `b="" d=false` {
		t.Error(got)
	}
	f, _ := Format.New(nil)
	for _, cols := range []string{"`a b` INT", "a ARRAY<INT>"} {
		if _, err := f.NewEncoder(format.Encoding{Schema: schemaOf(t, cols)}); err == nil {
			t.Errorf("%s: want an error", cols)
		}
	}
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("a b", `"\=`)
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, "?"), strings.ToValidUTF8(b, "?")
		line := encode(t, schemaOf(t, "a STRING, b STRING"), a, b)
		if got := decodeAll(t, "a STRING, b STRING", nil, line); len(got) != 1 || got[0] != a+"|"+b {
			t.Fatalf("%q is read as %q", line, got)
		}
		decodeAll(t, "a STRING, b INT", nil, a, b) // any text: no panic
	})
}
