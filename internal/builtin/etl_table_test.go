package builtin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// callTable calls a table function with constants and prints its columns and rows.
func callTable(t *testing.T, name string, vals ...types.Value) string {
	t.Helper()
	args := make([]function.Arg, len(vals))
	cols := make([]vector.Vector, len(vals))
	for i, v := range vals {
		typ := types.String()
		if _, ok := v.(int64); ok {
			typ = types.Of(types.BigInt)
		}
		args[i] = function.Arg{Type: typ, Const: i > 0, Value: v}
		cols[i] = vector.NewConst(typ, v, 1)
	}
	def, sig, err := builtin.Rsqldb().Resolve(name, args)
	if err != nil {
		return "error"
	}
	call, err := def.Table.Bind(newContext(t, ""), args, sig.Result)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fields := sig.Result.Fields
	var text strings.Builder
	if sig.Result.Kind != types.Row {
		fields = []types.Field{{Name: "_", Type: sig.Result}}
	}
	out := make([]vector.Vector, len(fields))
	for i, f := range fields {
		out[i] = vector.New(f.Type, 0)
	}
	n, err := call(cols, 0, out)
	if err != nil {
		return "error " + err.Error()
	}
	for r := range n {
		if r > 0 {
			text.WriteByte('|')
		}
		for i, f := range fields {
			if i > 0 {
				text.WriteByte(' ')
			}
			if f.Name != "_" {
				text.WriteString(f.Name + "=")
			}
			text.Write(types.AppendValue(nil, vector.Get(out[i], r), f.Type, nil))
		}
	}
	for i := range out {
		if out[i].Len() != n {
			t.Errorf("%s: column %d has %d rows of %d", name, i, out[i].Len(), n)
		}
	}
	return text.String()
}

func TestTableFunctions(t *testing.T) {
	t.Parallel()
	f := func(want, name string, vals ...types.Value) {
		t.Helper()
		if got := callTable(t, name, vals...); got != want {
			t.Errorf("%s%q: %s, want %s", name, vals, got, want)
		}
	}
	f("a|b|", "STRING_SPLIT", "a,b,", ",")
	f("", "STRING_SPLIT", "", ",")
	f("", "STRING_SPLIT", nil, ",")
	f(`1|x|NULL|{"a":1}`, "SPLIT_ARRAY", `[1, "x", null, {"a": 1}]`)
	f("", "SPLIT_ARRAY", "no json")
	f(`1|NULL|[2,3]`, "JSON_TUPLE", `{"a": 1, "b": [2, 3]}`, "a", "zz", "$.b")
	f("2|3", "GENERATE_SERIES", int64(2), int64(4))
	f("2024-01-31 00:00:00|2024-02-29 00:00:00|2024-03-31 00:00:00", "FOR_TIME", "2024-01-31 00:00:00", "2024-04-01 00:00:00", "month", int64(1))
	f("n=12 w=ab", "PASERBYREGEX", "x 12 ab y", `(\d+) (\w+)`, "n", "w")
	f("a=1 b=NULL", "PASERBYREGEX", "1", `(\d)(x)?`, "a", "b")
	f("", "PASERBYREGEX", "x", `(\d)`, "n")
	f("error", "PASERBYREGEX", "x", `(\d`, "n")
	f("ip=1.2.3.4 t=1/Jan 10:00 r=GET / HTTP rest=x", "PASERBYSPLIT", `1.2.3.4 [1/Jan 10:00] "GET / HTTP" x`, " ", "ip", "t", "r", "rest")
	f("a=1 b=2 c=NULL", "PASERBYSIGN", "1|2", "|", "a", "b", "c")
	f("a=1 b=2", "PASERBYASCIISPLIT", "1|2", int64(124), "a", "b")
	f("a=1 b=x,\"y", "CSV_SPLIT", `1,"x,""y"`, "a", "b")
	f("b=2 zz=NULL", "MULTI_KEYVALUE", "a=1&b=2", "&", "=", "b", "zz")
	f("k=a v=1|k=b v=2", "PARSE_EXPRESS", "a=1, b = 2,c", ",")
	f("path=a.0.b value=1|path=c value=NULL", "SPREAD_JSON", `{"a": [{"b": 1}], "c": null}`)
	f("ip=10.0.0.1 verb=GET n=42", "GROK", "from 10.0.0.1: GET 42!", "%{IP:ip}: %{WORD:verb} %{INT:n:int}")
	f("", "GROK", "nothing", "%{IP:ip}")
	f("id=A-7", "GROK", "x A-7", "%{ID:id}", "ID [A-Z]-[0-9]")
	f("a=1 b=NULL", "GROK", "1", "(?<a>[0-9])(?<b>x)?")
	f("error", "GROK", "x", "%{NOSUCH:a}")
	f("error", "GROK", "x", "%{WORD}")
	f("error", "GROK", "x", "%{A:a}", "A %{B}\nB %{A}")
	f("timestamp=Mar 16 00:01:25 facility=NULL priority=NULL logsource=evita program=postfix/smtpd pid=1713 message=connect", "GROK",
		"Mar 16 00:01:25 evita postfix/smtpd[1713]: connect", "%{SYSLOGLINE}")
	f(`clientip=83.149.9.216 ident=- auth=- timestamp=24/Feb/2015:23:13:42 +0000 verb=GET request=/a.js httpversion=1.1 rawrequest=NULL response=200 bytes=171717 referrer="http://x/" agent="Mozilla/5.0"`,
		"GROK", `83.149.9.216 - - [24/Feb/2015:23:13:42 +0000] "GET /a.js HTTP/1.1" 200 171717 "http://x/" "Mozilla/5.0"`, "%{COMBINEDAPACHELOG}")
}

// TestRsqldbExamples runs the examples of the functions that only the rsqldb
// dialect has.
func TestRsqldbExamples(t *testing.T) {
	t.Parallel()
	set := builtin.Rsqldb()
	n := 0
	for _, d := range set.Defs() {
		if d.Scalar == nil || (d.Group != "time" && d.Group != "json" && d.Group != "net") {
			continue
		}
		for _, e := range d.Eg {
			if strings.Contains(e.Expr, "JSON_VALUE(") && !strings.Contains(e.Expr, "[*]") {
				continue // Flink's
			}
			n++
			_, got, err := evalExpr(set, newContext(t, ""), e.Expr)
			if text := show(got); err != nil || strings.Trim(text, "'") != e.Result {
				t.Errorf("%s: %s %v, want %s", e.Expr, text, err, e.Result)
			}
		}
	}
	t.Logf("%d examples", n)
}

func FuzzGrok(f *testing.F) {
	f.Add("%{IP:ip} %{WORD:w}", "10.0.0.1 x")
	f.Add("[]%{INT}](?<a>.)", "]1]x")
	set := builtin.All()
	f.Fuzz(func(t *testing.T, expr, text string) {
		args := []function.Arg{{Type: types.String()}, {Type: types.String(), Const: true, Value: expr}}
		def, sig, err := set.Resolve("GROK", args)
		if err != nil {
			return
		}
		call, err := def.Table.Bind(newContext(t, ""), args, sig.Result)
		if err != nil {
			t.Fatalf("%q resolves but does not bind: %v", expr, err)
		}
		out := make([]vector.Vector, len(sig.Result.Fields))
		for i, f := range sig.Result.Fields {
			out[i] = vector.New(f.Type, 0)
		}
		n, err := call([]vector.Vector{vector.NewConst(types.String(), text, 1), nil}, 0, out)
		if err == nil && out[0].Len() != n {
			t.Fatal(fmt.Sprint(out[0].Len(), " rows, said ", n))
		}
	})
}
