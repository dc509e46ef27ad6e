package builtin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const jsonDoc = `{"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "s": "str", "n": null, "f": 1.5,
 "books": [{"t": "A", "p": 8.95, "tags": ["x","y"]}, {"t": "B", "p": 12.99}, {"t": "C", "p": 8.99, "isbn": "0-1"}]}`

func TestJSONPaths(t *testing.T) {
	t.Parallel()
	f := func(path, want string) {
		t.Helper()
		p := compilePath(path)
		r, status := p.eval(jsonDoc)
		got := [...]string{"", "missing", "invalid"}[status]
		if status == pathFound {
			got = string(r.append(nil))
		}
		if got != want {
			t.Errorf("%s: %s, want %s (%v)", path, got, want, p.bad)
		}
	}
	f("$.a", "1")
	f("$", string(appendJSON(nil, jsonDoc, jsonSpan{0, len(jsonDoc)})))
	f("$['b']['c'][0]", "1")
	f("$.b.c[-1].d", `"x"`)
	f("$.b.c[-4]", "missing")
	f("$.b.c[3]", "missing")
	f("$.n", "missing")
	f("$.zz", "missing")
	f("$.s.x", "missing")
	f("a", "1")
	f("lax $.a", "1")
	f("  STRICT   $.a", "1")
	f("$.b.c[*]", `[1,2,{"d":"x"}]`)
	f("$.b.c[0,2]", `[1,{"d":"x"}]`)
	f("$.b.c[0:2]", `[1,2]`)
	f("$.b.c[-2:]", `[2,{"d":"x"}]`)
	f("$.b.c[:1]", `[1]`)
	f("$..d", `["x"]`)
	f("$..zz", `[]`)
	f("$['a','f']", `{"a":1,"f":1.5}`)
	f("$.books[*].t", `["A","B","C"]`)
	f("$.books[?(@.p < 9)].t", `["A","C"]`)
	f("$.books[?(@.p < 9 && @.isbn)].t", `["C"]`)
	f("$.books[?(!(@.p < 9) || @.t == 'A')].t", `["A","B"]`)
	f("$.books[?(@.t =~ /[ab]/i)].t", `["A","B"]`)
	f("$.books[?(@.t in ['A', \"C\"])].p", `[8.95,8.99]`)
	f("$.books[?(@.tags contains 'x')].t", `["A"]`)
	f("$.books[?(@.tags size 2)].t", `["A"]`)
	f("$.books[?(@['t'] != 'A')].t", `["B","C"]`)
	f("$.books.length()", "3")
	f("$.books[*].p.max()", "12.99")
	f("$.b.keys()", `["c"]`)
	f("$.b.c.first()", "1")
	f("$.a[0]", "missing")
	f("$.a[*]", "[]")
	f("$.zz[*]", "missing")
	for _, bad := range []string{"$[", "$.", "$['a'", "$[a]", "$.a.nofunc()", "$[?(@.a ~ 1)]", "$[?(@.a == )]", "", "$.books[?(@.t =~ /[/)]"} {
		f(bad, "invalid")
	}
}

func TestJSONNumbersPrintLikeJava(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		if got := string(appendJSONNumber(nil, in)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	f("1e3", "1E+3")
	f("-0", "0")
	f("-0.0", "0.0")
	f("1.50", "1.50")
	f("12345678901234567890", "12345678901234567890")
	f("0.000001", "0.000001")
	f("0.0000001", "1E-7")
	f("1.5e-10", "1.5E-10")
	f("123e-2", "1.23")
	f("0e5", "0E+5")
}

func TestWhatIsJSON(t *testing.T) {
	t.Parallel()
	f := func(s string, want bool) {
		t.Helper()
		if _, end := jsonDocument(s); (end >= 0) != want {
			t.Errorf("%q: %v, want %v", s, end >= 0, want)
		}
	}
	for _, s := range []string{"1", " 1 ", "1 2", "true", "null}", `"a"x`, "{}x", "[1] [", "-0.5e+7", `{"a":{"a":[]}}`, `"\u00e4"`} {
		f(s, true)
	}
	for _, s := range []string{"", " ", "01", "1x", "1.", ".5", "+1", "-", "nul", "truex", "[1,]", "{a:1}", `{"a":1,}`, `{"a"}`, `"a`, "\"\t\"", `"\x"`, "'a'", "NaN", "1e", "[", "{"} {
		f(s, false)
	}
	f(strings.Repeat("[", 1000)+strings.Repeat("]", 1000), true)
	f(strings.Repeat("[", 1001)+strings.Repeat("]", 1001), false)
}

// randomJSON makes a value and its text.
func randomJSON(r *rand.Rand, depth int) any {
	switch n := r.IntN(8); {
	case n == 0 && depth > 0:
		m := map[string]any{}
		for range r.IntN(5) {
			m[string(rune('a'+r.IntN(4)))] = randomJSON(r, depth-1)
		}
		return m
	case n <= 2 && depth > 0:
		l := make([]any, r.IntN(5))
		for i := range l {
			l[i] = randomJSON(r, depth-1)
		}
		return l
	case n == 3:
		return "x\"\\\n\u00e4\u4e2d\U0001F600"[:r.IntN(3)]
	case n == 4:
		return r.IntN(2) == 0
	case n == 5:
		return nil
	}
	return float64(r.IntN(100)) / 4
}

// TestPlainPathsAgreeWithTrees compares the one-pass search and the general
// evaluation with a walk through decoded trees.
func TestPlainPathsAgreeWithTrees(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		tree := randomJSON(r, 5)
		var doc bytes.Buffer
		text, _ := json.Marshal(tree)
		if r.IntN(2) == 0 {
			_ = json.Indent(&doc, text, " ", "\t")
		} else {
			doc.Write(text)
		}
		path, want, found := "$", tree, true
		for range r.IntN(4) {
			if r.IntN(2) == 0 {
				key := string(rune('a' + r.IntN(4)))
				path += [...]string{"." + key, "['" + key + "']"}[r.IntN(2)]
				m, _ := want.(map[string]any)
				want, found = m[key], found && m != nil && slices.Contains(mapKeys(m), key)
			} else {
				i := r.IntN(6) - 3
				path += fmt.Sprintf("[%d]", i)
				l, _ := want.([]any)
				if i < 0 {
					i += len(l)
				}
				if i >= 0 && i < len(l) {
					want = l[i]
				} else {
					want, found = nil, false
				}
			}
		}
		p := compilePath(path)
		general := *p
		general.plain = false
		for _, q := range []*jsonPath{p, &general} {
			res, status := q.eval(doc.String())
			if (status == pathFound) != (found && want != nil) {
				t.Fatalf("%s of %s: status %d, want %v", path, doc.String(), status, want)
			}
			if status != pathFound {
				continue
			}
			var got any
			if err := json.Unmarshal(res.append(nil), &got); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s of %s: %s %v, want %v", path, doc.String(), res.append(nil), err, want)
			}
		}
	}
}

func mapKeys(m map[string]any) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func FuzzJSON(f *testing.F) {
	f.Add(jsonDoc, "$.books[?(@.p < 9 && @.t =~ /[ab]/i)].t")
	f.Add(`{"a":1,"a":[{"b":"\ud83d\ude00"}]}`, "lax $..['a','b'][-1:].length()")
	f.Add("[1e3, -0.0, 1.50]", "$[0,1].sum()")
	f.Fuzz(func(t *testing.T, text, path string) {
		start, end := jsonDocument(text)
		if end >= 0 && strings.TrimSpace(text[end:]) == "" && !json.Valid([]byte(text)) && strings.IndexByte(text[end:], '\v') < 0 && len(text) < 1000 {
			// Go and Jackson agree but for blanks that only one of them knows.
			if strings.Trim(text[end:], " \t\r\n") == "" && strings.Trim(text[:start], " \t\r\n") == "" {
				t.Fatalf("%q is no JSON", text)
			}
		}
		if end < 0 && json.Valid([]byte(text)) && len(text) < 500 && !strings.ContainsAny(text, "eE") {
			t.Fatalf("%q is JSON", text)
		}
		if end >= 0 {
			once := appendJSON(nil, text, jsonSpan{start, end})
			if twice := appendJSON(nil, string(once), jsonSpan{0, len(once)}); !bytes.Equal(once, twice) {
				t.Fatalf("%q: %s is not canonical: %s", text, once, twice)
			}
		}
		if v, err := appendVariant(nil, text, true); err == nil {
			again, err := appendVariant(nil, string(v), false)
			// A DOUBLE prints as 1000.0, which is a decimal when it is read again.
			if err != nil || !bytes.Equal(asDecimals(v), asDecimals(again)) {
				t.Fatalf("%q: variant %s becomes %s %v", text, v, again, err)
			}
			appendVariantField(nil, string(v), "a")
			appendVariantElement(nil, string(v), 2)
		}
		p := compilePath(path)
		if r, status := p.eval(text); status == pathFound {
			r.append(nil)
		}
		appendUnquote(nil, string(appendQuote(nil, text)))
	})
}

func TestJSONValueDoesNotAllocate(t *testing.T) {
	p := compilePath("$.b.c[2].d")
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		r, status := p.eval(jsonDoc)
		if status != pathFound {
			t.Fatal("missing")
		}
		buf = appendJSONScalar(buf[:0], r.text, r.value)
	}); n != 0 {
		t.Errorf("%v allocations a row", n)
	}
}

func BenchmarkJSONValue(b *testing.B) {
	p := compilePath("$.b.c[2].d")
	b.SetBytes(int64(len(jsonDoc)))
	b.ReportAllocs()
	for b.Loop() {
		p.eval(jsonDoc)
	}
}

var (
	wholeDouble  = regexp.MustCompile(`\.0\b`)
	negativeZero = regexp.MustCompile(`-0\.0\b`)
)

// asDecimals are the numbers of a JSON text as they are when it is read once more.
func asDecimals(json []byte) []byte {
	return wholeDouble.ReplaceAll(negativeZero.ReplaceAll(json, []byte("0")), nil)
}
