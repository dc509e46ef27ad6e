package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// gate is conditions of a step on a rule, item or field.
type gate[T any] struct {
	names []string
	conds []func(T, *pipelineRun, *item) bool
	or    bool
	not   bool
	expr  *condNode // over names
	logs  bool      // one of them looks at the log source
}

// open tells whether the step is to be done for v.
func (g *gate[T]) open(v T, run *pipelineRun, it *item) bool {
	if g.expr != nil {
		return g.eval(g.expr, v, run, it)
	}
	if len(g.conds) == 0 {
		return true
	}
	out := !g.or
	for _, c := range g.conds {
		if c(v, run, it) == g.or {
			out = g.or
			break
		}
	}
	return out != g.not
}

func (g *gate[T]) eval(n *condNode, v T, run *pipelineRun, it *item) bool {
	switch n.op {
	case condNot:
		return !g.eval(n.subs[0], v, run, it)
	case condAnd, condOr:
		for _, s := range n.subs {
			if g.eval(s, v, run, it) == (n.op == condOr) {
				return n.op == condOr
			}
		}
		return n.op == condAnd
	}
	return g.conds[slices.Index(g.names, n.name)](v, run, it)
}

// gateKeys are the parts of a step that say when it is done.
var gateKeys = []string{"rule", "detection_item", "field_name"}

// isGateKey tells whether a key of a step belongs to a gate.
func isGateKey(key string) bool {
	for _, g := range gateKeys {
		if rest, ok := strings.CutPrefix(key, g+"_cond"); ok && slices.Contains([]string{"itions", "_op", "_not", "_expr", "_expression"}, rest) {
			return true
		}
	}
	return false
}

// parseGate reads KIND_conditions and what belongs to it.
func parseGate[T any](t *node, kind string, parse func(*node) (func(T, *pipelineRun, *item) bool, error)) (gate[T], error) {
	var g gate[T]
	conds := t.get(kind + "_conditions")
	add := func(name string, n *node) error {
		if n.kind != mapNode || n.get("type") == nil {
			return n.errorf("a condition is a map with a type")
		}
		c, err := parse(n)
		if err != nil {
			return err
		}
		g.logs = g.logs || n.get("type").text == "logsource"
		g.names, g.conds = append(g.names, name), append(g.conds, c)
		return nil
	}
	switch {
	case conds == nil:
	case conds.kind == listNode:
		for _, c := range conds.vals {
			if err := add("", c); err != nil {
				return g, err
			}
		}
	case conds.kind == mapNode:
		for i, k := range conds.keys {
			if err := add(k.text, conds.vals[i]); err != nil {
				return g, err
			}
		}
	default:
		return g, conds.errorf("%s_conditions is a list", kind)
	}
	if op := t.get(kind + "_cond_op"); op != nil {
		if g.or = strings.EqualFold(op.text, "or"); !g.or && !strings.EqualFold(op.text, "and") {
			return g, op.errorf("%s_cond_op is and or or", kind)
		}
	}
	if n := t.get(kind + "_cond_not"); n != nil {
		g.not = n.text == "true"
	}
	expr := t.get(kind + "_cond_expr")
	if expr == nil {
		expr = t.get(kind + "_cond_expression")
	}
	if expr == nil {
		return g, nil
	}
	var err error
	if g.expr, err = parseCondition(expr.text); err == nil {
		err = g.expr.check(func(name string, pattern bool) error {
			if pattern || !slices.Contains(g.names, name) {
				return fmt.Errorf("there is no condition %s", name)
			}
			return nil
		})
	}
	if err != nil {
		return g, expr.errorf("%s", err)
	}
	return g, nil
}

func has(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// only refuses keys of n that are not named.
func (n *node) only(names ...string) error {
	for _, k := range n.keys {
		if !slices.Contains(names, k.text) {
			return k.errorf("%s is not known here", k.text)
		}
	}
	return nil
}

// must returns the text of a key that has to be there.
func (n *node) must(key string) (string, error) {
	v := n.get(key)
	if v == nil || !v.isScalar() || v.kind == nullNode {
		return "", n.errorf("%s is missing", key)
	}
	return v.text, nil
}

// ruleGate reads a condition on a rule.
func ruleGate(n *node) (func(*Rule, *pipelineRun, *item) bool, error) {
	kind := n.get("type").text
	switch kind {
	case "logsource":
		if err := n.only("type", "category", "product", "service"); err != nil {
			return nil, err
		}
		l, err := logSource(n, n)
		return func(r *Rule, _ *pipelineRun, _ *item) bool { return r.Correlation == nil && l.within(r.LogSource) }, err
	case "contains_detection_item", "contains_field":
		field, err := n.must("field")
		want := n.get("value")
		if kind == "contains_detection_item" && want == nil {
			return nil, n.errorf("value is missing")
		}
		return func(r *Rule, _ *pipelineRun, _ *item) bool {
			found := false
			for _, d := range r.detections {
				_ = d.det.items(func(it *item) error {
					found = found || it.field == field && (kind == "contains_field" || slices.ContainsFunc(it.values, func(v value) bool { return v.text == want.text }))
					return nil
				})
			}
			return found
		}, err
	case "processing_item_applied":
		id, err := n.must("processing_item_id")
		return func(_ *Rule, run *pipelineRun, _ *item) bool { return slices.Contains(run.applied, id) }, err
	case "processing_state":
		return stateGate[*Rule](n)
	case "is_sigma_rule":
		return func(r *Rule, _ *pipelineRun, _ *item) bool { return r.Correlation == nil }, nil
	case "is_sigma_correlation_rule":
		return func(r *Rule, _ *pipelineRun, _ *item) bool { return r.Correlation != nil }, nil
	case "tag":
		tag, err := n.must("tag")
		return func(r *Rule, _ *pipelineRun, _ *item) bool { return has(r.Tags, tag) }, err
	case "rule_attribute":
		return attributeGate(n)
	}
	return nil, n.errorf("the condition %s is unknown", kind)
}

func stateGate[T any](n *node) (func(T, *pipelineRun, *item) bool, error) {
	key, err := n.must("key")
	if err != nil {
		return nil, err
	}
	val, err := n.must("val")
	return func(_ T, run *pipelineRun, _ *item) bool { return run.state[key] == val }, err
}

// attributeGate compares an attribute of the rule; levels in their order.
func attributeGate(n *node) (func(*Rule, *pipelineRun, *item) bool, error) {
	name, err := n.must("attribute")
	if err != nil {
		return nil, err
	}
	want, err := n.must("value")
	if err != nil {
		return nil, err
	}
	op := "eq"
	if o := n.get("op"); o != nil {
		op = o.text
	}
	if !slices.Contains([]string{"eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte"}, op) {
		return nil, n.errorf("op %s is unknown", op)
	}
	return func(r *Rule, _ *pipelineRun, _ *item) bool {
		got := r.attribute(name)
		order := strings.Compare(got, want)
		if a, b := slices.Index(levels, got), slices.Index(levels, want); name == "level" && a >= 0 && b >= 0 {
			order = a - b
		}
		switch op {
		case "eq":
			return got == want
		case "ne":
			return got != want
		case "in":
			return strings.Contains(got, want)
		case "not_in":
			return !strings.Contains(got, want)
		case "gt":
			return order > 0
		case "gte":
			return order >= 0
		case "lt":
			return order < 0
		}
		return order <= 0
	}, nil
}

// attribute is a scalar attribute by its name.
func (r *Rule) attribute(name string) string {
	switch name {
	case "id":
		return r.ID
	case "name":
		return r.Name
	case "title":
		return r.Title
	case "description":
		return r.Description
	case "status":
		return r.Status
	case "level":
		return r.Level
	case "author":
		return r.Author
	case "date":
		return r.Date
	case "modified":
		return r.Modified
	case "license":
		return r.License
	case "taxonomy":
		return r.Taxonomy
	}
	return r.Custom[name]
}

// itemGate reads a condition on an item of a detection.
func itemGate(n *node) (func(*item, *pipelineRun, *item) bool, error) {
	kind := n.get("type").text
	switch kind {
	case "match_string":
		pattern, err := n.must("pattern")
		if err != nil {
			return nil, err
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil, n.errorf("%s", err)
		}
		all := n.get("cond") != nil && n.get("cond").text == "all"
		negate := n.get("negate") != nil && n.get("negate").text == "true"
		return func(it *item, _ *pipelineRun, _ *item) bool {
			found := all
			for _, v := range it.values {
				if m := v.kind != nullNode && re.MatchString(v.text); m != all {
					found = m
					break
				}
			}
			return found != negate
		}, nil
	case "is_null":
		return func(it *item, _ *pipelineRun, _ *item) bool {
			return slices.ContainsFunc(it.values, func(v value) bool { return v.kind == nullNode })
		}, nil
	case "processing_item_applied":
		id, err := n.must("processing_item_id")
		return func(it *item, _ *pipelineRun, _ *item) bool { return slices.Contains(it.applied, id) }, err
	case "processing_state":
		return stateGate[*item](n)
	}
	return nil, n.errorf("the condition %s is unknown", kind)
}

// fieldGate reads a condition on the name of a field.
func fieldGate(n *node) (func(string, *pipelineRun, *item) bool, error) {
	kind := n.get("type").text
	switch kind {
	case "include_fields", "exclude_fields":
		key := n.get("fields")
		if key == nil {
			return nil, n.errorf("fields is missing")
		}
		fields, err := texts(&node{text: "fields"}, key)
		if err != nil {
			return nil, err
		}
		var res []*regexp.Regexp
		if mode := n.get("mode"); mode != nil && mode.text == "re" {
			for _, f := range fields {
				re, err := regexp.Compile(`^(?:` + f + `)`)
				if err != nil {
					return nil, n.errorf("%s", err)
				}
				res = append(res, re)
			}
		}
		return func(f string, _ *pipelineRun, _ *item) bool {
			in := slices.Contains(fields, f)
			if res != nil {
				in = slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(f) })
			}
			return in == (kind == "include_fields")
		}, nil
	case "processing_item_applied":
		id, err := n.must("processing_item_id")
		return func(_ string, _ *pipelineRun, it *item) bool { return it != nil && slices.Contains(it.applied, id) }, err
	case "processing_state":
		return stateGate[string](n)
	}
	return nil, n.errorf("the condition %s is unknown", kind)
}
