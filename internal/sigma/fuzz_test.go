package sigma

import (
	stdjson "encoding/json"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format/json"
)

// Whatever the text of a condition, it is parsed or refused, and what was parsed
// is the same when it is written out and parsed again.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{"a and not b", "1 of sel_* or (all of them and x)", "not (a)", "((", "a or", "1 of", "not not a", "ALL OF THEM", "a|count()", "\x00 and é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCondition(s)
		if err != nil {
			return
		}
		text := written(c)
		again, err := parseCondition(text)
		if err != nil || written(again) != text {
			t.Errorf("%q is %q is %v (%v)", s, text, again, err)
		}
	})
}

func written(n *condNode) string {
	switch n.op {
	case condName:
		return n.name
	case condOne:
		return "1 of " + n.name
	case condAll:
		return "all of " + n.name
	case condNot:
		return "not (" + written(n.subs[0]) + ")"
	}
	var parts []string
	for _, s := range n.subs {
		parts = append(parts, "("+written(s)+")")
	}
	return strings.Join(parts, map[condOp]string{condAnd: " and ", condOr: " or "}[n.op])
}

// Whatever the text of a file, loading and converting end without a panic, and
// rules that are refused say why.
func FuzzRules(f *testing.F) {
	f.Add(rule("    s: {a|contains: x}\n    condition: s"))
	f.Add(baseRules)
	f.Add("title: x\ncorrelation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 1}}")
	f.Add("a: &a [*a]\n---\n<<: *a\n? b\n: c\n!!str 5: |\n  x\n")
	f.Add("action: global\nx: y\n---\ntitle: 'q\n")
	f.Add("{title: t, logsource: {}, detection: {s: [a, {b|re: '('}], condition: 1 of *}}")
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 20_000 {
			return
		}
		l, err := NewLoader(Options{AllLogSources: true, NoBuiltin: true})
		if err != nil {
			t.Fatal(err)
		}
		l.Add("f", []byte(s))
		c := l.Collection()
		for _, e := range c.Entries {
			if e.State != OK && e.Why == "" {
				t.Errorf("%s without a reason", e.State)
			}
			if e.Rule != nil {
				_, _ = e.SQL("t", "v", "ts")
			}
		}
		if _, err := NewMatcher(c); err != nil {
			t.Error(err)
		}
		_, _ = ParsePipeline("p", []byte(s))
	})
}

// The scanner takes what encoding/json takes and finds the same value, but for
// the texts that it does not look into.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":"x"}`, `{"b":[1,{"a":2}],"a":"\u0041\n"}`, ` {"a" : null , "c.d":{"e":[]}} `, `{"c":{"d":"x"},"a":1.5e3}`, `{"a":"x","a":"y"}`, `{`, `[]`, `{"a":}`, `{"a":"x"} x`} {
		f.Add(s)
	}
	names := []string{"a", "c.d", "t|hour"}
	all := newScanner(names, []string{"h"}, true)
	some := newScanner(names, []string{"h"}, false)
	f.Fuzz(func(t *testing.T, s string) {
		buf := make([]byte, len(s)+json.Slack)
		copy(buf, s)
		from := blank(buf, 0, len(s))
		var want map[string]any
		valid := stdjson.Unmarshal([]byte(s), &want) == nil && want != nil
		for _, sc := range []*scanner{all, some} {
			err := sc.scan(buf, from, len(s))
			if valid && err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if err != nil || !valid {
				continue
			}
			text, ok := want["a"].(string)
			if !ok || strings.ContainsRune(s, 0xFFFD) || strings.ContainsRune(text, 0xFFFD) {
				continue
			}
			got := ""
			for _, v := range sc.vals {
				if v.input == 0 {
					got = decoded(buf[v.from:v.to], v.kind)
				}
			}
			if got != text {
				t.Fatalf("%q: a is %q instead of %q", s, got, text)
			}
		}
	})
}
