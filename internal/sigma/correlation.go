package sigma

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Correlation asks for several hits of other rules within a time, for each
// combination of values of the group-by fields.
type Correlation struct {
	Type     string
	Rules    []string // ids or names
	GroupBy  []string
	Timespan time.Duration
	Aliases  map[string]map[string]string // alias -> rule -> field
	Generate bool                         // the rules' own hits are written too

	Fields     []string // whose values are counted or computed with
	Percentile float64
	Bounds     []Bound

	Names *condNode // condition over the names in Rules; nil: none

	line  int
	named []named // the names in Rules, if there is a condition over them
}

// Bound is a comparison with the count or value: gt, gte, lt, lte, eq or neq.
type Bound struct {
	Op    string
	Value float64
}

// correlationTypes are the types, and whether they compute with values.
var correlationTypes = map[string]bool{
	"event_count": false, "value_count": true, "temporal": false, "temporal_ordered": false,
	"value_sum": true, "value_avg": true, "value_percentile": true, "value_median": true,
}

func parseCorrelation(n *node) (*Correlation, error) {
	if n.kind != mapNode {
		return nil, n.errorf("correlation is a map, not %s", n.kind)
	}
	c := &Correlation{line: n.line}
	var cond *node
	var err error
	for i, k := range n.keys {
		v := n.vals[i]
		switch k.text {
		case "type":
			if c.Type, err = scalar(k, v); err == nil {
				if _, ok := correlationTypes[c.Type]; !ok {
					err = v.errorf("the correlation type %q is unknown", c.Type)
				}
			}
		case "rules":
			c.Rules, err = texts(k, v)
		case "group-by":
			c.GroupBy, err = texts(k, v)
		case "timespan", "timeframe":
			c.Timespan, err = timespan(v)
		case "condition":
			cond = v
		case "aliases":
			c.Aliases, err = aliases(v)
		case "generate":
			if v.kind != boolNode {
				err = v.errorf("generate is true or false")
			}
			c.Generate = v.text == "true"
		default:
			err = k.errorf("%s is no part of a correlation", k.text)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case c.Type == "":
		return nil, n.errorf("the correlation has no type")
	case len(c.Rules) == 0 && (cond == nil || cond.kind != textNode): // a condition may name them
		return nil, n.errorf("the correlation names no rules")
	case c.Timespan <= 0:
		return nil, n.errorf("the correlation has no timespan")
	}
	if err := c.parseCondition(n, cond); err != nil {
		return nil, err
	}
	for name, m := range c.Aliases {
		for rule := range m {
			if !slices.Contains(c.Rules, rule) {
				return nil, n.errorf("alias %s: %s is not one of the rules", name, rule)
			}
		}
	}
	if cond != nil {
		return c, c.possible(cond)
	}
	return c, nil
}

var boundOps = []string{"gt", "gte", "lt", "lte", "eq", "neq"}

func (c *Correlation) parseCondition(n, cond *node) error {
	ordered := c.Type == "temporal" || c.Type == "temporal_ordered"
	switch {
	case cond == nil && ordered:
		return nil
	case cond == nil:
		return n.errorf("%s needs a condition", c.Type)
	case cond.kind == textNode:
		return c.parseNames(cond)
	case cond.kind != mapNode:
		return cond.errorf("the condition is a map, not %s", cond.kind)
	}
	c.Percentile = 50
	given := false
	for i, k := range cond.keys {
		v := cond.vals[i]
		switch {
		case k.text == "field":
			fields, err := texts(k, v)
			if err != nil {
				return err
			}
			c.Fields = fields
		case k.text == "percentile":
			p, err := strconv.ParseFloat(v.text, 64)
			if err != nil || !(p >= 0 && p <= 100) {
				return v.errorf("percentile is from 0 to 100")
			}
			c.Percentile, given = p, true
		case slices.Contains(boundOps, k.text):
			x, err := strconv.ParseFloat(v.text, 64)
			if err != nil || x != x {
				return v.errorf("%s is a number", k.text)
			}
			c.Bounds = append(c.Bounds, Bound{k.text, x})
		default:
			return k.errorf("%s is no part of the condition of a correlation", k.text)
		}
	}
	switch {
	case correlationTypes[c.Type] && len(c.Fields) == 0:
		return cond.errorf("%s needs a field", c.Type)
	case c.Type != "value_count" && len(c.Fields) > 1:
		return cond.errorf("%s has one field", c.Type)
	case c.Type == "value_percentile" && !given:
		return cond.errorf("value_percentile needs a percentile")
	case len(c.Bounds) == 0 && !ordered:
		return cond.errorf("the condition compares with nothing: it has gt, gte, lt, lte, eq or neq")
	}
	return nil
}

// holds tells whether a count or value fulfils all bounds.
func (c *Correlation) holds(x float64) bool {
	for _, b := range c.Bounds {
		ok := false
		switch b.Op {
		case "gt":
			ok = x > b.Value
		case "gte":
			ok = x >= b.Value
		case "lt":
			ok = x < b.Value
		case "lte":
			ok = x <= b.Value
		case "eq":
			ok = x == b.Value
		case "neq":
			ok = x != b.Value
		}
		if !ok {
			return false
		}
	}
	return true
}

// rename maps the fields of the correlation.
func (c *Correlation) rename(name func(string) ([]string, bool)) error {
	one := func(f string) (string, error) {
		to, ok := name(f)
		switch {
		case !ok:
			return f, nil
		case len(to) != 1:
			return f, fmt.Errorf("line %d: the field %s of a correlation cannot become several", c.line, f)
		}
		return to[0], nil
	}
	var err error
	for i, f := range c.GroupBy {
		if c.Aliases[f] != nil {
			continue
		}
		if c.GroupBy[i], err = one(f); err != nil {
			return err
		}
	}
	fields := slices.Clone(c.Fields)
	for i, f := range fields {
		if fields[i], err = one(f); err != nil {
			return err
		}
	}
	c.Fields = fields
	out := map[string]map[string]string{}
	for alias, m := range c.Aliases {
		out[alias] = map[string]string{}
		for rule, f := range m {
			if out[alias][rule], err = one(f); err != nil {
				return err
			}
		}
	}
	c.Aliases = out
	return nil
}

// field is the name that a group-by field has in the events of a rule, which is
// known by several names.
func (c *Correlation) field(group string, r *Rule) string {
	for rule, f := range c.Aliases[group] {
		if rule == r.ID || rule == r.Name {
			return f
		}
	}
	return group
}

var spanUnits = map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 30 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}

// timespan reads a number with a unit: s, m, h, d, w, M (30 days), y (365 days).
func timespan(v *node) (time.Duration, error) {
	t := strings.TrimSpace(v.text)
	if t != "" {
		unit, ok := spanUnits[t[len(t)-1]]
		n, err := strconv.ParseInt(t[:len(t)-1], 10, 64)
		if ok && err == nil && n > 0 && n <= int64(100*365*24*time.Hour/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, v.errorf("timespan is a number with s, m, h, d, w, M or y, such as 15m, not %q", v.text)
}

func aliases(v *node) (map[string]map[string]string, error) {
	if v.kind != mapNode {
		return nil, v.errorf("aliases is a map, not %s", v.kind)
	}
	out := map[string]map[string]string{}
	for i, k := range v.keys {
		m := v.vals[i]
		if m.kind != mapNode || len(m.keys) == 0 {
			return nil, m.errorf("alias %s is a map of rules to fields", k.text)
		}
		out[k.text] = map[string]string{}
		for j, r := range m.keys {
			f, err := scalar(r, m.vals[j])
			if err != nil {
				return nil, err
			}
			out[k.text][r.text] = f
		}
	}
	return out, nil
}
