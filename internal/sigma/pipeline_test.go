package sigma

import (
	"strings"
	"testing"
)

func TestPipelines(t *testing.T) {
	t.Parallel()
	f := func(pipeline, detection, event string, want bool) {
		t.Helper()
		p, err := ParsePipeline("p.yml", []byte(pipeline))
		if err != nil {
			t.Fatal(err)
		}
		if got := matches(t, rule(detection+"\n    condition: s"), event, Options{Pipelines: []*Pipeline{p}}); got != want {
			t.Errorf("%s\n%s over %s: %v", pipeline, detection, event, got)
		}
	}
	steps := func(s string) string { return "name: p\ntransformations:\n  - " + s }
	f(steps("{type: field_name_mapping, mapping: {a: b}}"), "    s: {a|contains: x}", `{"b":"xx"}`, true)
	f(steps("{type: field_name_mapping, mapping: {a: [b, c]}}"), "    s: {a: x}", `{"c":"x"}`, true)
	f(steps("{type: field_name_mapping, mapping: {a: [b, c]}}"), "    s: {a: x}", `{"a":"x"}`, false)
	f(steps("{type: field_name_mapping, mapping: {b: c}}"), "    s: {a|fieldref: b}", `{"a":"x","c":"x"}`, true)
	f(steps("{type: field_name_prefix, prefix: win.}"), "    s: {a: x}", `{"win":{"a":"x"}}`, true)
	f(steps("{type: field_name_suffix, suffix: _s}"), "    s: {a: x}", `{"a_s":"x"}`, true)
	f(steps("{type: field_name_prefix_mapping, mapping: {x.: y.}}"), "    s: {x.a: 1}", `{"y.a":1}`, true)
	f(steps("{type: add_condition, conditions: {k: v}}"), "    s: {a: x}", `{"a":"x"}`, false)
	f(steps("{type: add_condition, conditions: {k: v}}"), "    s: {a: x}", `{"a":"x","k":"V"}`, true)
	f(steps("{type: add_condition, conditions: {k: v}, negated: true}"), "    s: {a: x}", `{"a":"x","k":"V"}`, false)
	f(steps("{type: add_condition, conditions: {k: $product}, template: true}"), "    s: {a: x}", `{"a":"x","k":"test"}`, true)
	f(steps("{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [b]}]}"), "    s: {a: x, b: y}", `{"a":"x"}`, true)
	f(steps("{type: set_value, value: 7, field_name_conditions: [{type: include_fields, fields: [a]}]}"), "    s: {a: x}", `{"a":7}`, true)
	f(steps("{type: replace_string, regex: '^C:(.*)', replacement: 'D:\\1'}"), "    s: {a: 'C:x'}", `{"a":"d:x"}`, true)
	f(steps("{type: map_string, mapping: {x: [y, z]}}"), "    s: {a: x}", `{"a":"z"}`, true)
	f("vars: {v: [x, 'y*']}\ntransformations: [{type: value_placeholders}]", "    s: {a|expand: 'p%v%'}", `{"a":"pyy"}`, true)
	f("vars: {v: [x, y]}", "    s: {a|contains|expand: '%v%'}", `{"a":"-y-"}`, true)
	f("vars: {v: [x, y]}", `    s: {a|expand: '\%v%'}`, `{"a":"%v%"}`, true)
	f(steps("{type: wildcard_placeholders}"), "    s: {a|expand: 'p%v%'}", `{"a":"panything"}`, true)
	// Conditions of steps.
	only := func(cond string) string {
		return steps("{type: field_name_mapping, mapping: {a: b}, " + cond + "}")
	}
	for cond, want := range map[string]bool{
		"rule_conditions: [{type: logsource, product: test}]":                                                              true,
		"rule_conditions: [{type: logsource, product: other}]":                                                             false,
		"rule_conditions: [{type: logsource, product: other}], rule_cond_not: true":                                        true,
		"rule_conditions: [{type: logsource, product: other}, {type: is_sigma_rule}], rule_cond_op: or":                    true,
		"rule_conditions: [{type: logsource, product: other}, {type: is_sigma_rule}]":                                      false,
		"rule_conditions: {x: {type: logsource, product: other}, y: {type: is_sigma_rule}}, rule_cond_expr: 'y and not x'": true,
		"rule_conditions: [{type: contains_detection_item, field: a, value: x}]":                                           true,
		"rule_conditions: [{type: contains_field, field: z}]":                                                              false,
		"rule_conditions: [{type: rule_attribute, attribute: title, value: t}]":                                            true,
		"rule_conditions: [{type: is_sigma_correlation_rule}]":                                                             false,
		"rule_conditions: [{type: tag, tag: no.such}]":                                                                     false,
		"detection_item_conditions: [{type: match_string, cond: any, pattern: '^x$'}]":                                     true,
		"detection_item_conditions: [{type: is_null}]":                                                                     false,
		"field_name_conditions: [{type: exclude_fields, fields: [a]}]":                                                     false,
		"field_name_conditions: [{type: include_fields, fields: ['[ab]'], mode: re}]":                                      true,
		"rule_conditions: [{type: processing_state, key: k, val: v}]":                                                      false,
	} {
		f(only(cond), "    s: {a: x}", `{"b":"x"}`, want)
	}
	f("transformations:\n  - {id: one, type: set_state, key: k, val: v}\n  - {type: field_name_mapping, mapping: {a: b}, rule_conditions: [{type: processing_state, key: k, val: v}, {type: processing_item_applied, processing_item_id: one}]}",
		"    s: {a: x}", `{"b":"x"}`, true)
	bad := func(pipeline, want string) {
		t.Helper()
		if _, err := ParsePipeline("p.yml", []byte(pipeline)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v instead of %s", pipeline, err, want)
		}
	}
	bad("transformations:\n  - type: nope", "p.yml:2: the transformation nope is unknown")
	bad("transformations:\n  - {type: drop_detection_item, foo: 1}", "foo is no part of drop_detection_item")
	bad("transformations:\n  - {type: set_state, key: a}", "val is missing")
	bad("transformations:\n  - {type: set_state, key: a, val: b, rule_conditions: [{type: nope}]}", "the condition nope is unknown")
	bad("foo: 1", "foo is no part of a pipeline")
	bad("postprocessing: []", "changes the text of queries")
	p, err := ParsePipeline("p.yml", []byte("transformations: [{type: rule_failure, message: 'not for us'}]"))
	if err != nil {
		t.Fatal(err)
	}
	if e := collect(t, rule("    s: {a: x}\n    condition: s"), Options{Pipelines: []*Pipeline{p}}).Entries[0]; e.State != NotImported || !strings.Contains(e.Why, "not for us") {
		t.Errorf("%s: %s", e.State, e.Why)
	}
}

func TestLogSources(t *testing.T) {
	t.Parallel()
	text := strings.Replace(rule("    s: {Image|endswith: '\\x.exe'}\n    condition: s"), "{product: test}", "{product: windows, category: process_creation}", 1)
	f := func(event string, want bool, names ...string) {
		t.Helper()
		var opt Options
		for _, n := range names {
			p, err := LoadPipeline(n)
			if err != nil {
				t.Fatal(err)
			}
			opt.Pipelines = append(opt.Pipelines, p)
		}
		if got := matches(t, text, event, opt); got != want {
			t.Errorf("%s with %v: %v", event, names, got)
		}
	}
	f(`{"Channel":"microsoft-windows-sysmon/operational","EventID":1,"Image":"c:\\x.exe"}`, true)
	f(`{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":"2","Image":"c:\\x.exe"}`, false)
	f(`{"Image":"c:\\x.exe"}`, false)
	f(`{"Channel":"Security","EventID":4688,"NewProcessName":"c:\\x.exe"}`, true, "windows-audit")
	f(`{"Channel":"microsoft-windows-sysmon/operational","EventID":1,"Image":"c:\\x.exe"}`, false, "windows-audit")
	if e := collect(t, rule("    s: {a: x}\n    condition: s"), Options{}).Entries[0]; e.State != NotRun || !strings.Contains(e.Why, "product: test") {
		t.Errorf("%s: %s", e.State, e.Why)
	}
	if e := collect(t, text, Options{NoBuiltin: true}).Entries[0]; e.State != NotRun {
		t.Errorf("%s: %s", e.State, e.Why)
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	filter := func(rules string) string {
		return rule("    s: {a: x}\n    condition: s") + "---\ntitle: f\nlogsource: {product: test}\nfilter:\n  rules: " + rules + "\n  sel: {u|startswith: adm_}\n  condition: not sel\n"
	}
	f := func(rules, event string, want bool) {
		t.Helper()
		if got := matches(t, filter(rules), event, Options{}); got != want {
			t.Errorf("%s over %s: %v", rules, event, got)
		}
	}
	f("[r]", `{"a":"x","u":"bob"}`, true)
	f("[r]", `{"a":"x","u":"ADM_bob"}`, false)
	f("any", `{"a":"x","u":"ADM_bob"}`, false)
	f("[r]", `{"a":"x"}`, true)
	c := collect(t, filter("[zz]"), Options{AllLogSources: true})
	if e := c.Entries[1]; e.State != NotRun {
		t.Errorf("%s: %s", e.State, e.Why)
	}
}
