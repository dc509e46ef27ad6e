package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// transformations are the types of steps, with the keys they take.
var transformations = map[string]struct {
	keys  []string
	parse func(s *step, t *node) error
}{
	"field_name_mapping":        {[]string{"mapping"}, parseFieldMapping},
	"field_name_prefix_mapping": {[]string{"mapping"}, parsePrefixMapping},
	"field_name_prefix":         {[]string{"prefix"}, parseAffix},
	"field_name_suffix":         {[]string{"suffix"}, parseAffix},
	"add_condition":             {[]string{"conditions", "template", "negated"}, parseAddCondition},
	"change_logsource":          {[]string{"category", "product", "service"}, parseChangeLogSource},
	"drop_detection_item":       {nil, parseDrop},
	"set_state":                 {[]string{"key", "val"}, parseSetState},
	"set_value":                 {[]string{"value"}, parseSetValue},
	"replace_string":            {[]string{"regex", "replacement"}, parseReplace},
	"map_string":                {[]string{"mapping"}, parseMapString},
	"value_placeholders":        {[]string{"include", "exclude"}, parsePlaceholders},
	"wildcard_placeholders":     {[]string{"include", "exclude"}, parsePlaceholders},
	"rule_failure":              {[]string{"message"}, parseFailure},
	"detection_item_failure":    {[]string{"message"}, parseFailure},
}

func parseStep(t *node) (*step, error) {
	if t.kind != mapNode {
		return nil, t.errorf("a transformation is a map, not %s", t.kind)
	}
	kind, err := t.must("type")
	if err != nil {
		return nil, err
	}
	tr, ok := transformations[kind]
	if !ok {
		return nil, t.errorf("the transformation %s is unknown", kind)
	}
	for _, k := range t.keys {
		if k.text != "id" && k.text != "type" && !isGateKey(k.text) && !slices.Contains(tr.keys, k.text) {
			return nil, k.errorf("%s is no part of %s", k.text, kind)
		}
	}
	s := &step{line: t.line}
	if id := t.get("id"); id != nil {
		s.id = id.text
	}
	if s.rule, err = parseGate(t, "rule", ruleGate); err != nil {
		return nil, err
	}
	if s.item, err = parseGate(t, "detection_item", itemGate); err != nil {
		return nil, err
	}
	if s.field, err = parseGate(t, "field_name", fieldGate); err != nil {
		return nil, err
	}
	return s, tr.parse(s, t)
}

// eachItem calls f for the items that the step's conditions let through.
func (s *step) eachItem(run *pipelineRun, r *Rule, f func(*item) error) error {
	one := func(it *item) error {
		if !s.item.open(it, run, it) || !s.field.open(it.field, run, it) {
			return nil
		}
		if s.id != "" {
			it.applied = append(it.applied, s.id)
		}
		return f(it)
	}
	for _, d := range r.detections {
		if err := d.det.items(one); err != nil {
			return err
		}
	}
	for _, a := range r.added {
		if a.det == nil {
			for _, d := range a.set.dets {
				if err := d.det.items(one); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// rename gives fields other names; several make one of several.
func rename(s *step, names func(field string) []string) {
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		one := func(field string, it *item) []string {
			if field == "" || !s.field.open(field, run, it) {
				return nil
			}
			return names(field)
		}
		if c := r.Correlation; c != nil {
			return c.rename(func(f string) ([]string, bool) { n := one(f, nil); return n, n != nil })
		}
		var walk func(d *detection)
		walk = func(d *detection) {
			for _, sub := range d.subs {
				walk(sub)
			}
			it := d.item
			if it == nil || !s.item.open(it, run, it) {
				return
			}
			if slices.Contains(it.mods, "fieldref") {
				for i := range it.values {
					if n := one(it.values[i].text, it); len(n) > 0 {
						it.values[i].text = n[0]
					}
				}
			}
			to := one(it.field, it)
			if to == nil {
				return
			}
			if s.id != "" {
				it.applied = append(it.applied, s.id)
			}
			if len(to) == 1 {
				it.field = to[0]
				return
			}
			d.item, d.or = nil, true
			for _, f := range to {
				c := (&detection{item: it, line: d.line}).clone()
				c.item.field = f
				d.subs = append(d.subs, c)
			}
		}
		for _, d := range r.detections {
			walk(d.det)
		}
		for _, a := range r.added {
			if a.set != nil { // of filters
				for _, d := range a.set.dets {
					walk(d.det)
				}
			}
		}
		for i, f := range r.Fields {
			if n := one(f, nil); len(n) > 0 {
				r.Fields[i] = n[0]
			}
		}
		return nil
	}
}

func mapping(t *node) (map[string][]string, error) {
	m := t.get("mapping")
	if m == nil || m.kind != mapNode {
		return nil, t.errorf("mapping is missing, or no map")
	}
	out := map[string][]string{}
	for i, k := range m.keys {
		to, err := texts(k, m.vals[i])
		if err != nil {
			return nil, err
		}
		if len(to) > 0 {
			out[k.text] = to
		}
	}
	return out, nil
}

func parseFieldMapping(s *step, t *node) error {
	m, err := mapping(t)
	rename(s, func(f string) []string { return m[f] })
	return err
}

func parsePrefixMapping(s *step, t *node) error {
	m, err := mapping(t)
	rename(s, func(f string) []string {
		best := ""
		for p := range m {
			if strings.HasPrefix(f, p) && len(p) > len(best) {
				best = p
			}
		}
		if best == "" {
			return nil
		}
		var out []string
		for _, to := range m[best] {
			out = append(out, to+f[len(best):])
		}
		return out
	})
	return err
}

func parseAffix(s *step, t *node) error {
	var prefix, suffix string
	var err error
	if t.get("prefix") != nil {
		prefix, err = t.must("prefix")
	} else {
		suffix, err = t.must("suffix")
	}
	rename(s, func(f string) []string { return []string{prefix + f + suffix} })
	return err
}

func parseAddCondition(s *step, t *node) error {
	conds := t.get("conditions")
	if conds == nil || conds.kind != mapNode {
		return t.errorf("conditions is missing, or no map")
	}
	template := t.get("template") != nil && t.get("template").text == "true"
	negated := t.get("negated") != nil && t.get("negated").text == "true"
	s.maps = s.rule.logs
	if len(conds.keys) == 0 { // all events are of the log source
		s.apply = func(*pipelineRun, *step, *Rule) error { return nil }
		return nil
	}
	det, err := parseDetection(conds, 0)
	s.apply = func(_ *pipelineRun, _ *step, r *Rule) error {
		if r.Correlation != nil {
			return nil
		}
		d := det.clone()
		if template {
			rep := strings.NewReplacer("${category}", r.LogSource.Category, "${product}", r.LogSource.Product, "${service}", r.LogSource.Service,
				"$category", r.LogSource.Category, "$product", r.LogSource.Product, "$service", r.LogSource.Service)
			_ = d.items(func(it *item) error {
				for i := range it.values {
					it.values[i].text = rep.Replace(it.values[i].text)
				}
				return nil
			})
		}
		r.added = append(r.added, addedCondition{det: d, not: negated})
		return nil
	}
	return err
}

func parseChangeLogSource(s *step, t *node) error {
	l, err := logSource(t, t)
	s.apply = func(_ *pipelineRun, _ *step, r *Rule) error {
		r.LogSource = l
		return nil
	}
	return err
}

func parseDrop(s *step, _ *node) error {
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		var drop func(d *detection) bool
		drop = func(d *detection) bool {
			if it := d.item; it != nil {
				return s.item.open(it, run, it) && s.field.open(it.field, run, it)
			}
			d.subs = slices.DeleteFunc(d.subs, drop)
			return len(d.subs) == 0
		}
		for _, d := range r.detections {
			if drop(d.det) { // nothing is asked any more: it holds
				*d.det = detection{line: d.det.line}
			}
		}
		return nil
	}
	return nil
}

func parseSetState(s *step, t *node) error {
	key, err := t.must("key")
	if err != nil {
		return err
	}
	val, err := t.must("val")
	s.apply = func(run *pipelineRun, _ *step, _ *Rule) error {
		run.state[key] = val
		return nil
	}
	return err
}

func parseSetValue(s *step, t *node) error {
	v := t.get("value")
	if v == nil || !v.isScalar() {
		return t.errorf("value is missing, or no scalar")
	}
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		return s.eachItem(run, r, func(it *item) error {
			it.values = []value{{v.kind, v.text, it.line}}
			return nil
		})
	}
	return nil
}

func parseReplace(s *step, t *node) error {
	pattern, err := t.must("regex")
	if err != nil {
		return err
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return t.errorf("%s", err)
	}
	to := ""
	if n := t.get("replacement"); n != nil {
		to = pythonGroups.ReplaceAllString(strings.ReplaceAll(n.text, "$", "$$"), "$${$1}")
	}
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		return s.eachItem(run, r, func(it *item) error {
			for i := range it.values {
				if v := &it.values[i]; v.kind == textNode {
					v.text = re.ReplaceAllString(v.text, to)
				}
			}
			return nil
		})
	}
	return nil
}

var pythonGroups = regexp.MustCompile(`\\(\d+)`)

func parseMapString(s *step, t *node) error {
	m, err := mapping(t)
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		return s.eachItem(run, r, func(it *item) error {
			var out []value
			for _, v := range it.values {
				to, ok := m[v.text]
				if !ok {
					out = append(out, v)
				}
				for _, x := range to {
					out = append(out, value{textNode, x, v.line})
				}
			}
			it.values = out
			return nil
		})
	}
	return err
}

// parsePlaceholders reads value_placeholders, which take values of the variables,
// and wildcard_placeholders, which make * of the others.
func parsePlaceholders(s *step, t *node) error {
	var include, exclude []string
	var err error
	if n := t.get("include"); n != nil {
		if include, err = texts(n, n); err != nil {
			return err
		}
	}
	if n := t.get("exclude"); n != nil {
		if exclude, err = texts(n, n); err != nil {
			return err
		}
	}
	kind := t.get("type").text
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		return s.eachItem(run, r, func(it *item) error {
			if !slices.Contains(it.mods, "expand") {
				return nil
			}
			vars := map[string][]string{}
			for k, v := range it.vars {
				vars[k] = v
			}
			for _, v := range it.values {
				for _, m := range placeholder.FindAllStringSubmatch(v.text, -1) {
					name := m[1]
					if include != nil && !slices.Contains(include, name) || slices.Contains(exclude, name) || vars[name] != nil {
						continue
					}
					switch list := run.vars[name]; {
					case kind == "wildcard_placeholders":
						vars[name] = []string{"*"}
					case list == nil:
						return fmt.Errorf("line %d: no value for %%%s%% in vars", s.line, name)
					default:
						vars[name] = list
					}
				}
			}
			it.vars = vars
			return nil
		})
	}
	return nil
}

func parseFailure(s *step, t *node) error {
	msg, err := t.must("message")
	whole := t.get("type").text == "rule_failure"
	s.apply = func(run *pipelineRun, s *step, r *Rule) error {
		fail := fmt.Errorf("line %d: %s", s.line, msg)
		if whole {
			return fail
		}
		return s.eachItem(run, r, func(*item) error { return fail })
	}
	return err
}
