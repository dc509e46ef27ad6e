package sigma

import (
	"slices"
	"strings"
)

// Rule is a document: a detection rule, or a correlation or filter, which have
// no detections of their own that are run.
type Rule struct {
	File string
	Line int

	ID, Name, Title, Description string
	Status, Level, Author        string
	Date, Modified, License      string
	Taxonomy                     string
	Tags, References, Fields     []string
	FalsePositives, Scope        []string
	Related                      []Related
	LogSource                    LogSource
	Custom                       map[string]string // scalar attributes of other names
	Correlation                  *Correlation
	Filter                       *Filter

	detections []named
	conditions []conditionText
	added      []addedCondition // by pipelines and filters
}

// Related is another rule that a rule has to do with.
type Related struct{ ID, Type string }

// LogSource says which events a rule is for. What is empty is not restricted.
type LogSource struct{ Category, Product, Service string }

func (l LogSource) String() string {
	var parts []string
	for _, p := range [][2]string{{"product", l.Product}, {"category", l.Category}, {"service", l.Service}} {
		if p[1] != "" {
			parts = append(parts, p[0]+": "+p[1])
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// within tells whether l is fulfilled by o: what l says, o says too.
func (l LogSource) within(o LogSource) bool {
	same := func(a, b string) bool { return a == "" || strings.EqualFold(a, b) }
	return same(l.Category, o.Category) && same(l.Product, o.Product) && same(l.Service, o.Service)
}

// Filter narrows other rules: its condition must hold too.
type Filter struct {
	Any   bool
	Rules []string // ids or names
}

type named struct {
	name string
	det  *detection
}

type conditionText struct {
	text string
	line int
}

type addedCondition struct {
	det *detection // or
	set *conditions
	not bool
}

// Key is what the rule is called by in results: its id, else its name, else its title.
func (r *Rule) Key() string {
	switch {
	case r.ID != "":
		return r.ID
	case r.Name != "":
		return r.Name
	}
	return r.Title
}

// ParseRules reads the documents of a file. Those that are wrong are left out
// and in errs, each an *Error.
func ParseRules(file string, text []byte) (rules []*Rule, errs []error) {
	docs, err := parseYAML(text)
	if err == nil {
		docs, err = documents(docs)
	}
	if err != nil {
		return nil, []error{inFile(err, file)}
	}
	for _, d := range docs {
		r, err := parseRule(file, d)
		if err != nil {
			errs = append(errs, inFile(err, file))
			continue
		}
		rules = append(rules, r)
	}
	return rules, errs
}

var levels = []string{"informational", "low", "medium", "high", "critical"}

func parseRule(file string, d *node) (*Rule, error) {
	r := &Rule{File: file, Line: d.line, Custom: map[string]string{}}
	var detection, correlation, filter *node
	for i, k := range d.keys {
		v := d.vals[i]
		var err error
		switch k.text {
		case "id":
			r.ID, err = scalar(k, v)
		case "name":
			r.Name, err = scalar(k, v)
		case "title":
			r.Title, err = scalar(k, v)
		case "description":
			r.Description, err = scalar(k, v)
		case "status":
			r.Status, err = scalar(k, v)
		case "level":
			r.Level, err = scalar(k, v)
			if err == nil && v.kind != nullNode && !slices.Contains(levels, r.Level) {
				err = v.errorf("level is one of %s, not %q", strings.Join(levels, ", "), r.Level)
			}
		case "author":
			r.Author, err = scalar(k, v)
		case "date":
			r.Date, err = scalar(k, v)
		case "modified":
			r.Modified, err = scalar(k, v)
		case "license":
			r.License, err = scalar(k, v)
		case "taxonomy":
			r.Taxonomy, err = scalar(k, v)
		case "tags":
			r.Tags, err = texts(k, v)
		case "references":
			r.References, err = texts(k, v)
		case "fields":
			r.Fields, err = texts(k, v)
		case "falsepositives":
			r.FalsePositives, err = texts(k, v)
		case "scope":
			r.Scope, err = texts(k, v)
		case "related":
			r.Related, err = related(k, v)
		case "logsource":
			r.LogSource, err = logSource(k, v)
		case "detection":
			detection = v
		case "correlation":
			correlation = v
		case "filter":
			filter = v
		default:
			if v.isScalar() {
				r.Custom[k.text] = v.text
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if r.Title == "" {
		return nil, d.errorf("the rule has no title")
	}
	var err error
	switch {
	case correlation != nil:
		r.Correlation, err = parseCorrelation(correlation)
		return r, err
	case filter != nil:
		return r, r.parseFilter(d, filter)
	case detection == nil:
		return nil, d.errorf("the rule has no detection")
	case d.get("logsource") == nil:
		return nil, d.errorf("the rule has no logsource")
	}
	return r, r.parseDetections(detection)
}

func (r *Rule) parseFilter(d, filter *node) error {
	if filter.kind != mapNode {
		return filter.errorf("filter is a map, not %s", filter.kind)
	}
	r.Filter = &Filter{}
	rest := &node{kind: mapNode, line: filter.line}
	for i, k := range filter.keys {
		v := filter.vals[i]
		if k.text != "rules" {
			rest.set(k, v)
			continue
		}
		if v.kind == textNode && strings.EqualFold(v.text, "any") {
			r.Filter.Any = true
			continue
		}
		var err error
		if r.Filter.Rules, err = texts(k, v); err != nil {
			return err
		}
	}
	if !r.Filter.Any && len(r.Filter.Rules) == 0 {
		return filter.errorf("a filter names its rules, or any")
	}
	if d.get("logsource") == nil {
		return d.errorf("the filter has no logsource")
	}
	return r.parseDetections(rest)
}

// scalar is the text of a value; empty for null.
func scalar(k, v *node) (string, error) {
	if !v.isScalar() {
		return "", v.errorf("%s is a text, not %s", k.text, v.kind)
	}
	return strings.TrimSpace(v.text), nil
}

// texts is a list of texts, or a single one.
func texts(k, v *node) ([]string, error) {
	if v.kind == nullNode {
		return nil, nil
	}
	if v.isScalar() {
		return []string{v.text}, nil
	}
	if v.kind == mapNode {
		return nil, v.errorf("%s is a list of texts, not a map", k.text)
	}
	var out []string
	for _, e := range v.vals {
		if !e.isScalar() {
			return nil, e.errorf("%s is a list of texts; here is %s", k.text, e.kind)
		}
		if e.kind != nullNode {
			out = append(out, e.text)
		}
	}
	return out, nil
}

func related(k, v *node) ([]Related, error) {
	if v.kind == nullNode {
		return nil, nil
	}
	if v.kind != listNode {
		return nil, v.errorf("related is a list, not %s", v.kind)
	}
	var out []Related
	for _, e := range v.vals {
		id, kind := e.get("id"), e.get("type")
		if id == nil || !id.isScalar() {
			return nil, e.errorf("an entry of related has an id and a type")
		}
		rel := Related{ID: id.text}
		if kind != nil {
			rel.Type = kind.text
		}
		out = append(out, rel)
	}
	return out, nil
}

func logSource(k, v *node) (LogSource, error) {
	var l LogSource
	if v.kind != mapNode {
		return l, v.errorf("logsource is a map, not %s", v.kind)
	}
	for i, key := range v.keys {
		var to *string
		switch key.text {
		case "category":
			to = &l.Category
		case "product":
			to = &l.Product
		case "service":
			to = &l.Service
		default: // definition and others are for people
			continue
		}
		var err error
		if *to, err = scalar(key, v.vals[i]); err != nil {
			return l, err
		}
	}
	return l, nil
}
