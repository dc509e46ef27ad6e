package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Error is what is wrong with a rule, pipeline or filter, and where.
type Error struct {
	File string
	Line int // from 1; 0: of the whole file
	Why  string
}

func (e *Error) Error() string {
	switch {
	case e.File == "":
		return fmt.Sprintf("line %d: %s", e.Line, e.Why)
	case e.Line == 0:
		return e.File + ": " + e.Why
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Why)
}

// nodeKind is the kind of a YAML value.
type nodeKind uint8

const (
	nullNode nodeKind = iota
	textNode
	numberNode
	boolNode
	listNode
	mapNode
)

func (k nodeKind) String() string {
	return [...]string{"nothing", "a text", "a number", "a truth value", "a list", "a map"}[k]
}

// node is a YAML value with its place.
type node struct {
	kind nodeKind
	text string // of scalars; numbers in decimal form
	line int
	keys []*node // of maps; scalars
	vals []*node // of maps, or the elements of lists
}

// Bounds of what is read, so that a hostile file costs bounded time and memory.
const (
	maxFile  = 8 << 20
	maxNodes = 1 << 20
	maxNest  = 100
)

func (n *node) get(key string) *node {
	if n == nil || n.kind != mapNode {
		return nil
	}
	for i, k := range n.keys {
		if k.text == key {
			return n.vals[i]
		}
	}
	return nil
}

// set replaces or adds a key.
func (n *node) set(key, val *node) {
	for i, k := range n.keys {
		if k.text == key.text {
			n.vals[i] = val
			return
		}
	}
	n.keys, n.vals = append(n.keys, key), append(n.vals, val)
}

// merged is a map with the entries of both; those of b win, maps within are merged.
func merged(a, b *node) *node {
	if a == nil || a.kind != mapNode || b.kind != mapNode {
		return b
	}
	out := &node{kind: mapNode, line: b.line, keys: append([]*node(nil), a.keys...), vals: append([]*node(nil), a.vals...)}
	for i, k := range b.keys {
		out.set(k, merged(a.get(k.text), b.vals[i]))
	}
	return out
}

// isScalar tells whether n is no list and no map.
func (n *node) isScalar() bool { return n.kind < listNode }

// errorf is an error at n; the file is added by the caller.
func (n *node) errorf(format string, args ...any) error {
	return &Error{Line: n.line, Why: fmt.Sprintf(format, args...)}
}

// inFile adds the file to an error's place.
func inFile(err error, file string) error {
	var e *Error
	if errors.As(err, &e) {
		if e.File != "" {
			return err
		}
		return &Error{File: file, Line: e.Line, Why: e.Why}
	}
	return &Error{File: file, Why: err.Error()}
}

// parseYAML returns the documents of a file; empty ones are left out.
func parseYAML(text []byte) (docs []*node, err error) {
	if len(text) > maxFile {
		return nil, &Error{Why: fmt.Sprintf("the file has more than %d bytes", maxFile)}
	}
	if line := tooDeep(text); line > 0 {
		return nil, &Error{Line: line, Why: fmt.Sprintf("more than %d levels of YAML", maxNest)}
	}
	defer func() { // the parser has met inputs it was not made for
		if r := recover(); r != nil {
			docs, err = nil, &Error{Line: 1, Why: fmt.Sprintf("this is no YAML that can be read: %v", r)}
		}
	}()
	f, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, yamlError(err)
	}
	for _, d := range f.Docs {
		if d.Body == nil {
			continue
		}
		r := &yamlReader{anchors: map[string]ast.Node{}}
		n, err := r.node(d.Body, 0)
		if err != nil {
			return nil, err
		}
		if n.kind != nullNode {
			docs = append(docs, n)
		}
	}
	return docs, nil
}

func yamlError(err error) error {
	var s *yaml.SyntaxError
	if errors.As(err, &s) {
		line := 0
		if s.Token != nil && s.Token.Position != nil {
			line = s.Token.Position.Line
		}
		return &Error{Line: line, Why: s.Message}
	}
	why, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{Why: why}
}

// tooDeep returns the line where brackets, or dashes in a row, nest so deep that
// a parser that calls itself must not be given them; 0 if none does. Brackets in
// texts count too, therefore the generous bound.
func tooDeep(text []byte) int {
	depth := 0
	for i, line := range bytes.Split(text, []byte("\n")) {
		run := 0
		for at := 0; at < len(line); at++ {
			switch c := line[at]; {
			case c == '[' || c == '{':
				depth++
			case (c == ']' || c == '}') && depth > 0:
				depth--
			case (c == '-' || c == '?' || c == ':') && at+1 < len(line) && (line[at+1] == ' ' || line[at+1] == '\t'):
				run++
			}
		}
		if depth > 100*maxNest || run > 20*maxNest {
			return i + 1
		}
	}
	return 0
}

type yamlReader struct {
	anchors map[string]ast.Node
	nodes   int
}

func (r *yamlReader) node(a ast.Node, depth int) (*node, error) {
	n := &node{}
	if a != nil && a.GetToken() != nil && a.GetToken().Position != nil {
		n.line = a.GetToken().Position.Line
	}
	if r.nodes++; r.nodes > maxNodes {
		return nil, n.errorf("more than %d values", maxNodes)
	}
	if depth > maxNest {
		return nil, n.errorf("more than %d levels of YAML", maxNest)
	}
	switch a := a.(type) {
	case nil, *ast.NullNode:
	case *ast.StringNode:
		n.kind, n.text = textNode, a.Value
	case *ast.LiteralNode:
		n.kind, n.text = textNode, a.Value.Value
	case *ast.IntegerNode:
		n.kind, n.text = numberNode, fmt.Sprint(a.Value)
	case *ast.FloatNode:
		n.kind, n.text = numberNode, strconv.FormatFloat(a.Value, 'f', -1, 64)
	case *ast.InfinityNode, *ast.NanNode:
		n.kind, n.text = textNode, a.GetToken().Value
	case *ast.BoolNode:
		n.kind, n.text = boolNode, strconv.FormatBool(a.Value)
	case *ast.TagNode:
		return r.tag(a, depth)
	case *ast.AnchorNode:
		r.anchors[a.Name.GetToken().Value] = a.Value
		return r.node(a.Value, depth)
	case *ast.AliasNode:
		name := a.Value.GetToken().Value
		v := r.anchors[name]
		if v == nil {
			return nil, n.errorf("no anchor &%s above", name)
		}
		return r.node(v, depth+1)
	case *ast.SequenceNode:
		n.kind = listNode
		for _, v := range a.Values {
			e, err := r.node(v, depth+1)
			if err != nil {
				return nil, err
			}
			n.vals = append(n.vals, e)
		}
	case *ast.MappingNode:
		n.kind = mapNode
		for _, v := range a.Values {
			if err := r.entry(n, v, depth); err != nil {
				return nil, err
			}
		}
		if len(n.keys) > 0 {
			n.line = n.keys[0].line
		}
	case *ast.MappingValueNode:
		n.kind = mapNode
		if err := r.entry(n, a, depth); err != nil {
			return nil, err
		}
		n.line = n.keys[0].line
	default:
		return nil, n.errorf("%s is not expected here", a.Type())
	}
	return n, nil
}

// tag reads a value with a tag in front, which may make a text of it.
func (r *yamlReader) tag(a *ast.TagNode, depth int) (*node, error) {
	v, err := r.node(a.Value, depth+1)
	if err != nil {
		return nil, err
	}
	switch a.Start.Value {
	case "!!str":
		if v.isScalar() {
			if s, ok := a.Value.(ast.ScalarNode); ok && v.kind != textNode {
				v.text = s.GetToken().Value
			}
			v.kind = textNode
		}
	case "!!int", "!!float", "!!bool", "!!map", "!!seq", "!!null":
	default:
		return nil, v.errorf("the tag %s is unknown", a.Start.Value)
	}
	return v, nil
}

func (r *yamlReader) entry(n *node, v *ast.MappingValueNode, depth int) error {
	val, err := r.node(v.Value, depth+1)
	if err != nil {
		return err
	}
	if _, ok := v.Key.(*ast.MergeKeyNode); ok {
		from := []*node{val}
		if val.kind == listNode {
			from = val.vals
		}
		for _, m := range from {
			if m.kind != mapNode {
				return val.errorf("only maps can be merged with <<")
			}
			for i, k := range m.keys {
				if n.get(k.text) == nil {
					n.set(k, m.vals[i])
				}
			}
		}
		return nil
	}
	var from ast.Node = v.Key
	if k, ok := v.Key.(*ast.MappingKeyNode); ok {
		from = k.Value
	}
	key, err := r.node(from, depth+1)
	if err != nil {
		return err
	}
	if !key.isScalar() {
		return key.errorf("a key is %s", key.kind)
	}
	n.set(key, val)
	return nil
}

// documents applies the actions of a file with several documents: global is
// merged into all that follow, until reset; repeat is the document before with
// changes.
func documents(docs []*node) ([]*node, error) {
	var out []*node
	var global, last *node
	for _, d := range docs {
		if d.kind != mapNode {
			return nil, d.errorf("a rule is a map, not %s", d.kind)
		}
		action := d.get("action")
		if action == nil {
			last = merged(global, d)
			out = append(out, last)
			continue
		}
		rest := &node{kind: mapNode, line: d.line}
		for i, k := range d.keys {
			if k.text != "action" {
				rest.set(k, d.vals[i])
			}
		}
		switch action.text {
		case "global":
			global = merged(global, rest)
		case "reset":
			global = nil
		case "repeat":
			if last == nil {
				return nil, action.errorf("action: repeat has no rule before it")
			}
			last = merged(last, rest)
			out = append(out, last)
		default:
			return nil, action.errorf("action: %s is unknown; there are global, reset and repeat", action.text)
		}
	}
	return out, nil
}
