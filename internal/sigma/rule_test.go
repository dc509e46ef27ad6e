package sigma

import (
	"fmt"
	"strings"
	"testing"
)

// collect loads rules from a text.
func collect(t testing.TB, text string, opt Options) *Collection {
	t.Helper()
	l, err := NewLoader(opt)
	if err != nil {
		t.Fatal(err)
	}
	l.Add("rules.yml", []byte(text))
	return l.Collection()
}

// rule is a rule with a detection, indented by four.
func rule(detection string) string {
	return "title: t\nid: r\nlogsource: {product: test}\ndetection:\n" + detection + "\n"
}

// matches tells whether the only rule of text holds for an event.
func matches(t testing.TB, text, event string, opt Options) bool {
	t.Helper()
	opt.AllLogSources = true
	c := collect(t, text, opt)
	for _, e := range c.Entries {
		if e.State != OK {
			t.Fatalf("%s: %s:%d: %s\n%s", e.State, e.File, e.Line, e.Why, text)
		}
	}
	m, err := NewMatcher(c, "_id")
	if err != nil {
		t.Fatal(err)
	}
	task, err := m.NewTask()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time all is learned
		hits, err := task.MatchText(event)
		if err != nil {
			t.Fatalf("%s: %v", event, err)
		}
		if len(hits) > 0 {
			return true
		}
	}
	return false
}

func TestModifiers(t *testing.T) {
	t.Parallel()
	f := func(item, event string, want bool) {
		t.Helper()
		if got := matches(t, rule("    sel:\n        "+strings.ReplaceAll(item, "\n", "\n        ")+"\n    condition: sel"), event, Options{}); got != want {
			t.Errorf("%s over %s: %v", item, event, got)
		}
	}
	// Texts compare as a whole and without case; * and ? are wildcards.
	f(`a: Foo`, `{"a":"fOO"}`, true)
	f(`a: Foo`, `{"a":"foo "}`, false)
	f(`a: Foo`, `{"b":"foo"}`, false)
	f(`a: ÄB`, `{"a":"äb"}`, true)
	f(`a: ÄB`, `{"a":"\u00e4b"}`, true)
	f(`a: 'f*o'`, `{"a":"FxxO"}`, true)
	f(`a: 'f?o'`, `{"a":"fäo"}`, true)
	f(`a: 'f?o'`, `{"a":"fo"}`, false)
	f(`a: 'f\*o'`, `{"a":"fxo"}`, false)
	f(`a: 'f\*o'`, `{"a":"f*o"}`, true)
	f(`a: 'f\\*o'`, `{"a":"f\\xo"}`, true)
	f(`a: 'c:\x'`, `{"a":"C:\\X"}`, true)
	f(`a: '*'`, `{"a":""}`, true)
	f(`a: '*'`, `{"a":null}`, false)
	f(`a: ''`, `{"a":""}`, true)
	f(`a: ''`, `{}`, false)
	f(`a: null`, `{}`, true)
	f(`a: null`, `{"a":null}`, true)
	f(`a: null`, `{"a":""}`, false)
	f("a: [x, null]", `{"b":1}`, true)
	f("a: [x, Y]", `{"a":"y"}`, true)
	// Numbers and truth values are texts.
	f(`a: 5`, `{"a":5}`, true)
	f(`a: 5`, `{"a":"5"}`, true)
	f(`a: '5'`, `{"a":5}`, true)
	f(`a: 5`, `{"a":5.0}`, false)
	f(`a: true`, `{"a":true}`, true)
	f(`a: true`, `{"a":"True"}`, true)
	// Places in a text.
	f(`a|contains: B`, `{"a":"abc"}`, true)
	f(`a|contains: 'b*d'`, `{"a":"abcde"}`, true)
	f(`a|startswith: A`, `{"a":"abc"}`, true)
	f(`a|startswith: b`, `{"a":"abc"}`, false)
	f(`a|endswith: '\C'`, `{"a":"b\\c"}`, true)
	f(`a|endswith: c`, `{"a":"cd"}`, false)
	f("a|contains|all: [b, c]", `{"a":"cb"}`, true)
	f("a|contains|all: [b, c]", `{"a":"bx"}`, false)
	f(`a|contains|cased: B`, `{"a":"abc"}`, false)
	f(`a|cased: aB`, `{"a":"aB"}`, true)
	// Expressions: anywhere, with case.
	f(`a|re: 'b.d$'`, `{"a":"abcd"}`, true)
	f(`a|re: 'B.D$'`, `{"a":"abcd"}`, false)
	f(`a|re|i: 'B.D$'`, `{"a":"abcd"}`, true)
	f(`a|re: 'a.b'`, `{"a":"a\nb"}`, false)
	f(`a|re|s: 'a.b'`, `{"a":"a\nb"}`, true)
	f(`a|re: '^b'`, `{"a":"a\nb"}`, false)
	f(`a|re|m: '^b'`, `{"a":"a\nb"}`, true)
	f(`a|re: '^\w+$'`, `{"a":"äß"}`, true)
	f("a|re|all: ['b', 'c']", `{"a":"cb"}`, true)
	// Networks.
	f(`a|cidr: 10.0.0.0/8`, `{"a":"10.2.3.4"}`, true)
	f(`a|cidr: 10.0.0.0/8`, `{"a":"11.2.3.4"}`, false)
	f(`a|cidr: ['fe80::/10', 127.0.0.1]`, `{"a":"fe80::1"}`, true)
	// Encodings. "foobar" is Zm9vYmFy.
	f(`a|base64: foobar`, `{"a":"Zm9vYmFy"}`, true)
	f(`a|base64offset|contains: foobar`, `{"a":"xxZm9vYmFyxx"}`, true)
	f(`a|base64offset|contains: foobar`, `{"a":"eGZvb2Jhcng="}`, true) // xfoobarx
	f(`a|base64offset|contains: foobar`, `{"a":"eHhmb29iYXI="}`, true) // xxfoobar
	f(`a|base64offset|contains: fooBar`, `{"a":"eHhmb29iYXI="}`, false)
	f(`a|wide|base64: foo`, `{"a":"ZgBvAG8A"}`, true)
	f(`a|utf16le|base64offset|contains: foo`, `{"a":"ZgBvAG8A"}`, true)
	f(`a|utf16be|base64: foo`, `{"a":"AGYAbwBv"}`, true)
	f(`a|utf16|base64: foo`, `{"a":"//5mAG8AbwA="}`, true)
	f(`a|wide|contains: fo`, `{"a":"xf\u0000o\u0000"}`, true)
	// Dashes.
	f(`a|windash|contains: ' -f x'`, `{"a":"cmd /f x"}`, true)
	f(`a|contains|windash: ' -f x'`, `{"a":"cmd –f x"}`, true)
	f(`a|windash|contains: ' -f x'`, `{"a":"cmd +f x"}`, false)
	f(`a|windash|contains: 'a-b'`, `{"a":"a/b"}`, false) // inside of a word it is no option
	f(`a|windash|contains: '-a -b'`, `{"a":"/A ―B"}`, true)
	f(`a|windash|contains: '-a -b -c'`, `{"a":"x /A ―b —c"}`, true)
	f(`a|windash: '-a -b -c'`, `{"a":"x /a -b -c"}`, false)
	f(`a|windash: '-a* -b -c.'`, `{"a":"/a.. -b -c."}`, true)
	f("a|windash|contains|all: ['-a', '-b']", `{"a":"/a"}`, false)
	f("a|windash|contains|all: ['-a', '-b']", `{"a":"/a /b"}`, true)
	// Existence, other fields, comparisons.
	f(`a|exists: true`, `{"a":""}`, true)
	f(`a|exists: true`, `{"a":null}`, false)
	f(`a|exists: false`, `{}`, true)
	f(`a|fieldref: b`, `{"a":"X","b":"x"}`, true)
	f(`a|fieldref: b`, `{"a":"X","b":"xy"}`, false)
	f(`a|fieldref|startswith: b`, `{"a":"Xyz","b":"xy"}`, true)
	f(`a|fieldref|endswith: b`, `{"a":"zxy","b":"xy"}`, true)
	f(`a|fieldref|contains: b`, `{"a":"1xy2","b":"xy"}`, true)
	f(`a|gt: 5`, `{"a":5.5}`, true)
	f(`a|gt: 5`, `{"a":"5"}`, false)
	f(`a|gte: 5`, `{"a":"5"}`, true)
	f(`a|lt: 5`, `{"a":-1}`, true)
	f(`a|lte: 4.5`, `{"a":4.6}`, false)
	f(`a|lt: 5`, `{"a":"x"}`, false)
	f(`a|neq: x`, `{"a":"y"}`, true)
	f(`a|neq: x`, `{"a":"X"}`, false)
	f(`a|neq: x`, `{}`, true)
	// Parts of times.
	f(`t|hour: 13`, `{"t":"2024-05-06T13:14:15.123Z"}`, true)
	f(`t|hour: 13`, `{"t":"2024-05-06 12:14:15"}`, false)
	f(`t|hour|gte: 12`, `{"t":"2024-05-06 12:14:15"}`, true)
	f(`t|minute: 14`, `{"t":"2024-05-06 12:14:15"}`, true)
	f(`t|day: 6`, `{"t":"2024-05-06"}`, true)
	f(`t|week: 19`, `{"t":"2024-05-06"}`, true)
	f(`t|month: 5`, `{"t":1714953600}`, true)
	f(`t|year: 2024`, `{"t":1714953600000}`, true)
	f(`t|year: 2024`, `{"t":"no time"}`, false)
}

func TestKeywords(t *testing.T) {
	t.Parallel()
	f := func(detection, event string, want bool) {
		t.Helper()
		if got := matches(t, rule(detection), event, Options{}); got != want {
			t.Errorf("%s over %s: %v", detection, event, got)
		}
	}
	words := "    k: [Foo, 'b*r']\n    condition: k"
	f(words, `{"x":"a foo b"}`, true)
	f(words, `{"x":"a", "y":{"z":["-", "xBARx"]}}`, true)
	f(words, `{"foo":"x"}`, false)
	f(words, `{"_id":"foo"}`, false)
	f("    k: 42\n    condition: k", `{"x":1421}`, true)
	f("    k: {'|all': [a, b]}\n    condition: k", `{"x":"a","y":"b"}`, true)
	f("    k: {'|all': [a, b]}\n    condition: k", `{"x":"a"}`, false)
	f("    k: {'|re': 'a+b'}\n    condition: k", `{"x":"xaab"}`, true)
	f("    k: {'|contains': aab}\n    condition: not k", `{"x":"xaab"}`, false)
	f("    k:\n        - {x: 1}\n        - foo\n    condition: k", `{"y":"foo"}`, true)
	f("    k:\n        - {x: 1}\n        - foo\n    condition: k", `{"x":"1"}`, true)
}

func TestFieldsOfEvents(t *testing.T) {
	t.Parallel()
	f := func(event string, want bool) {
		t.Helper()
		if got := matches(t, rule("    s: {a.b: x}\n    condition: s"), event, Options{}); got != want {
			t.Errorf("%s: %v", event, got)
		}
	}
	f(`{"a.b":"x"}`, true)
	f(`{"a":{"b":"x"}}`, true)
	f(`{"a":{"b":"x"},"a.b":"y"}`, false) // the key with a dot goes first
	f(`{"a.b":"x","a":{"b":"y"}}`, true)
	f(`{"a.b":null,"a":{"b":"x"}}`, false)
	f(`{"a":[{"b":"y"},{"b":"x"}]}`, true)
	f(`{"a":{"b":["y","x"]}}`, true)
	f(`{"a":{"b":[["y"],["x"]]}}`, true)
	f(`{"a":{"b":{"x":"x"}}}`, false)
	f(`{"a.b":"x","a.b":"y"}`, false) // the last of equal keys
	f(`{"a.b":"y","a.b":"x"}`, true)
	f(`{"a":{"b":"x"},"a":{"b":"y"}}`, false)
	f(`{"\u0061.b":"x"}`, true)
	f(` { "a" : { "b" : "x" } } `, true)
	f(`{"a":"x"}`, false)
	f(`{}`, false)
}

func TestConditions(t *testing.T) {
	t.Parallel()
	f := func(cond, event string, want bool) {
		t.Helper()
		dets := "    sel_a: {a: 1}\n    sel_b: {b: 1}\n    other: {c: 1}\n    _hidden: {d: 1}\n"
		if got := matches(t, rule(dets+"    condition: "+cond), event, Options{}); got != want {
			t.Errorf("%s over %s: %v", cond, event, got)
		}
	}
	f("sel_a and sel_b", `{"a":1,"b":1}`, true)
	f("sel_a and sel_b", `{"a":1}`, false)
	f("sel_a or sel_b and other", `{"a":1}`, true)
	f("(sel_a or sel_b) and other", `{"a":1}`, false)
	f("not sel_a and sel_b", `{"b":1}`, true)
	f("not (sel_a and sel_b)", `{"b":1}`, true)
	f("not not sel_a", `{"a":1}`, true)
	f("1 of sel_*", `{"b":1}`, true)
	f("any of sel_*", `{"c":1}`, false)
	f("all of sel_*", `{"a":1,"b":1}`, true)
	f("1 of them", `{"d":1}`, false)
	f("1 of them", `{"c":1}`, true)
	f("all of them", `{"a":1,"b":1,"c":1}`, true)
	f("_hidden", `{"d":1}`, true)
	f("1 of _*", `{"d":1}`, true)
	f("1 OF *_b OR other", `{"b":1}`, true)
	f("[sel_a, sel_b]", `{"b":1}`, true)
}

// What is wrong is told with its place.
func TestErrors(t *testing.T) {
	t.Parallel()
	f := func(text, want string) {
		t.Helper()
		c := collect(t, text, Options{AllLogSources: true})
		if len(c.Entries) == 0 {
			t.Fatalf("no entry for %q", text)
		}
		e := c.Entries[len(c.Entries)-1]
		got := fmt.Sprintf("%d: %s", e.Line, e.Why)
		if e.State != NotImported || !strings.Contains(got, want) {
			t.Errorf("%q\n  is %s: %s\n  instead of %s", text, e.State, got, want)
		}
	}
	sel := func(item string) string { return rule("    sel:\n        " + item + "\n    condition: sel") }
	f("title: [", "1: ")
	f("- a", "a rule is a map")
	f("a: 1", "1: the rule has no title")
	f("title: x\nlogsource: {product: a}", "the rule has no detection")
	f("title: x\ndetection: {a: {b: 1}, condition: a}", "the rule has no logsource")
	f("title: x\nlevel: bad\n", "2: level is one of")
	f(rule("    a: {b: 1}"), "5: the detection has no condition")
	f(rule("    condition: a"), "nothing to look for")
	f(rule("    a: {b: 1}\n    condition: a and c"), "6: condition: detection has no c")
	f(rule("    a: {b: 1}\n    condition: 1 of c*"), "no name in detection matches c*")
	f(rule("    a: {b: 1}\n    condition: (a"), "a parenthesis is not closed")
	f(rule("    a: {b: 1}\n    condition: a)"), `")" is not expected here`)
	f(rule("    a: {b: 1}\n    condition: a | count() > 5"), "write a correlation")
	f(rule("    a: {b: 1}\n    condition: 2 of them"), "2 of is not known")
	f(rule("    a: {b: 1}\n    condition: a and"), "it ends where a name should be")
	f(rule("    a: {b: 1}\n    timeframe: 5m\n    condition: a"), "6: timeframe is of the old aggregations")
	f(rule("    a: {b: {c: 1}}\n    condition: a"), "the value of b is a map")
	f(rule("    a: {b: []}\n    condition: a"), "b has no values")
	f(sel("a|foo: x"), "6: the modifier foo is unknown")
	f(sel("a|re: 'a('"), "6: a|re: ")
	f(sel("a|cidr: x"), "is no network")
	f(sel("a|gt: x"), "is no number")
	f(sel("a|exists: x"), "exists is true or false")
	f(sel("a|base64: 'x*y'"), "wildcards cannot be encoded")
	f(sel("a|contains|startswith: x"), "only one of contains")
	f(sel("a|re|contains: x"), "found anywhere already")
	f(sel("a|i: x"), "is for expressions")
	f(sel("a|expand: '%x%'"), "no pipeline gives a value for %x%")
	f(sel("a|contains: null"), "null goes with a field")
	f(sel("'|startswith': x"), "need a field")
	f(sel("a|hour|contains: 1"), "hour is a number")
	f(rule("    a: {b: 1}\n    condition: a")+"---\n"+rule("    a: {b: 1}\n    condition: a"), "is the name of another rule, at rules.yml:1")
	f("action: what\ntitle: x", "action: what is unknown")
	f("action: repeat\ntitle: x", "has no rule before it")
	f(strings.Repeat("- ", 5000)+"a", "levels of YAML")
	f(strings.Repeat("[", 50000), "levels of YAML")
	f("a: &a [x, x]\nb: &b [*a, *a]\nc: *zz\n", "no anchor &zz")
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	c := collect(t, `
action: global
title: common
logsource: {product: test}
detection: {sel: {a: 1}, condition: sel}
---
id: one
level: low
---
action: repeat
id: two
detection: {sel: {b: 2}}
---
action: reset
---
id: three
title: alone
logsource: {product: test}
detection: {x: {c: 1}, condition: x}
`, Options{AllLogSources: true})
	var got []string
	for _, e := range c.Entries {
		got = append(got, fmt.Sprintf("%s %s %s %s %v", e.Rule.ID, e.Rule.Title, e.Rule.Level, e.State, e.Fields()))
	}
	want := "one common low ok [a]\ntwo common low ok [a b]\nthree alone  ok [c]"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s", s)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	rules, errs := ParseRules("f.yml", []byte(`
title: A title
id: 7d8a1f1c-0000-4000-8000-000000000000
name: a_name
status: test
description: |
  Two
  lines
references: [http://a, http://b]
author: Somebody
date: 2024-01-02
modified: 2024/01/03
license: MIT
tags: [attack.execution, attack.t1059]
logsource: {category: process_creation, product: windows, definition: x}
detection:
  sel: {Image: x}
  condition: sel
fields: [Image, User]
falsepositives: Unknown
level: high
related: [{id: x, type: derived}]
scope: [server]
custom: 5
`))
	if len(errs) > 0 || len(rules) != 1 {
		t.Fatal(rules, errs)
	}
	got := fmt.Sprintf("%+v", *rules[0])
	for _, want := range []string{"A title", "a_name", "Status:test", "Two\nlines", "[http://a http://b]", "Somebody", "Date:2024-01-02", "Modified:2024/01/03", "License:MIT",
		"attack.t1059", "category: process_creation", "[Image User]", "[Unknown]", "Level:high", "{ID:x Type:derived}", "[server]", "map[custom:5]"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}
