package sigma

import (
	"slices"
	"strings"
)

// detection is a named part of a rule: an item, or AND or OR of others.
type detection struct {
	item *item
	or   bool
	subs []*detection
	line int
}

// item is a field with what its value must be; no field: any field's value.
type item struct {
	field   string
	mods    []string
	values  []value
	line    int
	vars    map[string][]string // placeholders, set by pipelines
	applied []string            // ids of transformations
}

// value is a value of a rule, before modifiers.
type value struct {
	kind nodeKind
	text string
	line int
}

func (d *detection) clone() *detection {
	out := *d
	if d.item != nil {
		it := *d.item
		it.values, it.mods, it.applied = slices.Clone(it.values), slices.Clone(it.mods), slices.Clone(it.applied)
		out.item = &it
	}
	out.subs = make([]*detection, len(d.subs))
	for i, s := range d.subs {
		out.subs[i] = s.clone()
	}
	return &out
}

// items calls f for each item.
func (d *detection) items(f func(*item) error) error {
	if d.item != nil {
		return f(d.item)
	}
	for _, s := range d.subs {
		if err := s.items(f); err != nil {
			return err
		}
	}
	return nil
}

// clone copies what pipelines change.
func (r *Rule) clone() *Rule {
	out := *r
	out.detections = make([]named, len(r.detections))
	for i, d := range r.detections {
		out.detections[i] = named{d.name, d.det.clone()}
	}
	out.added = slices.Clone(r.added)
	out.Fields = slices.Clone(r.Fields)
	if r.Correlation != nil {
		c := *r.Correlation
		c.GroupBy = slices.Clone(c.GroupBy)
		out.Correlation = &c
	}
	return &out
}

// parseDetections reads detection: or filter: without its rules.
func (r *Rule) parseDetections(d *node) error {
	if d.kind != mapNode {
		return d.errorf("detection is a map, not %s", d.kind)
	}
	for i, k := range d.keys {
		v := d.vals[i]
		switch k.text {
		case "condition":
			list := []*node{v}
			if v.kind == listNode {
				list = v.vals
			}
			for _, c := range list {
				if !c.isScalar() || strings.TrimSpace(c.text) == "" {
					return c.errorf("a condition is a text")
				}
				r.conditions = append(r.conditions, conditionText{c.text, c.line})
			}
		case "timeframe":
			return k.errorf("timeframe is of the old aggregations: write a correlation")
		default:
			det, err := parseDetection(v, 0)
			if err != nil {
				return err
			}
			r.detections = append(r.detections, named{k.text, det})
		}
	}
	if len(r.conditions) == 0 {
		return d.errorf("the detection has no condition")
	}
	if len(r.detections) == 0 {
		return d.errorf("the detection has nothing to look for")
	}
	_, err := r.parseConditions()
	return err
}

func parseDetection(n *node, depth int) (*detection, error) {
	if depth > maxNest/2 {
		return nil, n.errorf("nested too deep")
	}
	switch n.kind {
	case mapNode:
		d := &detection{line: n.line}
		for i, k := range n.keys {
			it, err := parseItem(k, n.vals[i])
			if err != nil {
				return nil, err
			}
			d.subs = append(d.subs, &detection{item: it, line: k.line})
		}
		if len(d.subs) == 0 {
			return nil, n.errorf("an empty map matches nothing")
		}
		return d, nil
	case listNode:
		d := &detection{or: true, line: n.line}
		var words *item
		for _, e := range n.vals {
			if !e.isScalar() {
				sub, err := parseDetection(e, depth+1)
				if err != nil {
					return nil, err
				}
				d.subs = append(d.subs, sub)
				continue
			}
			if e.kind == nullNode {
				return nil, e.errorf("a keyword is a text, not null")
			}
			if words == nil {
				words = &item{line: e.line}
				d.subs = append(d.subs, &detection{item: words, line: e.line})
			}
			words.values = append(words.values, value{e.kind, e.text, e.line})
		}
		if len(d.subs) == 0 {
			return nil, n.errorf("an empty list matches nothing")
		}
		return d, nil
	case nullNode:
		return nil, n.errorf("here should be fields or keywords")
	}
	return &detection{item: &item{values: []value{{n.kind, n.text, n.line}}, line: n.line}, line: n.line}, nil
}

// parseItem reads "field|modifier|...: value or list".
func parseItem(k, v *node) (*item, error) {
	parts := strings.Split(k.text, "|")
	it := &item{field: parts[0], mods: parts[1:], line: k.line}
	list := []*node{v}
	if v.kind == listNode {
		list = v.vals
	}
	for _, e := range list {
		if !e.isScalar() {
			return nil, e.errorf("the value of %s is %s", k.text, e.kind)
		}
		it.values = append(it.values, value{e.kind, e.text, e.line})
	}
	if len(it.values) == 0 {
		return nil, k.errorf("%s has no values", k.text)
	}
	for _, m := range it.mods {
		if !knownModifier(m) {
			return nil, k.errorf("the modifier %s is unknown; there are %s", m, strings.Join(modifierNames(), ", "))
		}
	}
	return it, nil
}
