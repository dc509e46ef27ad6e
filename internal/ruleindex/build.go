package ruleindex

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// Input is a value of a row that rules look at.
type Input struct {
	Name   string     // of the column, or of the field of an event
	Column int        // of the schema; -1: events only
	Type   types.Type // of the column
}

// inputs numbers what the rules of an index look at. It only grows.
type inputs struct {
	schema *types.Schema
	list   []Input
	byName map[string]int32
	byCol  map[int]int32
}

func newInputs(s *types.Schema) *inputs {
	return &inputs{schema: s, byName: map[string]int32{}, byCol: map[int]int32{}}
}

func (in *inputs) column(i int) int32 {
	if at, ok := in.byCol[i]; ok {
		return at
	}
	f := in.schema.Fields[i]
	return in.add(Input{f.Name, i, f.Type})
}

func (in *inputs) named(name string) int32 {
	if at, ok := in.byName[name]; ok {
		return at
	}
	if in.schema != nil {
		for i, f := range in.schema.Fields {
			if f.Name == name {
				return in.column(i)
			}
		}
	}
	return in.add(Input{Name: name, Column: -1})
}

func (in *inputs) add(i Input) int32 {
	at := int32(len(in.list))
	in.list = append(in.list, i)
	if _, ok := in.byName[i.Name]; !ok {
		in.byName[i.Name] = at
	}
	if i.Column >= 0 {
		in.byCol[i.Column] = at
	}
	return at
}

// fieldClass says how values of a field are looked up.
type fieldClass uint8

const (
	textField  fieldClass = iota // as texts, through the memo
	orderField                   // as keys of an order
	anyField                     // the values of all fields of an event, as texts
)

// fieldBuild collects the atoms of one field.
type fieldBuild struct {
	input    int32
	class    fieldClass
	typ      types.Type // of an orderField
	derive   plan.Expr  // a text computed from the input's, over a row of it alone; or nil
	sql      bool       // a condition in SQL looks at it: values are those of the column
	null     int32      // the atom "no value", -1: nobody asks
	byKey    map[string]int32
	patterns []multimatch.Pattern
	target   []int32 // of each pattern: an atom, or ^verifier
	checks   []check
	always   []int32 // checks without a pattern in front
	texts    []bound[string]
	numbers  []bound[float64]
	orders   []bound[orderKey]
	nets     *networks
}

// check is a test that a hit of a pattern leads to.
type check struct {
	atom int32
	like textTest
	re   *regex.Regexp
}

// builder makes a segment.
type builder struct {
	cx      *function.Context
	in      *inputs
	fields  []*fieldBuild
	byKey   map[string]int32
	regexes map[string]regexOrError // of SQL
	fieldOf []int32                 // of atoms
	isEqual []bool                  // of atoms
	guess   []float32               // of atoms: how often they fire
}

func newBuilder(in *inputs, cx *function.Context) *builder {
	return &builder{cx: cx, in: in, byKey: map[string]int32{}, regexes: map[string]regexOrError{}}
}

type regexOrError struct {
	re  *regex.Regexp
	err error
}

// compiled is the expression of a text, compiled once for all rules.
func (b *builder) compiled(pattern string) (*regex.Regexp, error) {
	r, ok := b.regexes[pattern]
	if !ok {
		r.re, r.err = regex.Compile(pattern, 0)
		b.regexes[pattern] = r
	}
	return r.re, r.err
}

func (b *builder) field(input int32, class fieldClass, t types.Type, derive plan.Expr) int32 {
	key := fmt.Sprintf("%d/%d", input, class)
	if derive != nil {
		key += plan.String(derive)
	}
	if at, ok := b.byKey[key]; ok {
		return at
	}
	at := int32(len(b.fields))
	b.byKey[key] = at
	b.fields = append(b.fields, &fieldBuild{input: input, class: class, typ: t, derive: derive, null: -1, byKey: map[string]int32{}})
	return at
}

func (b *builder) atom(field int32, guess float64, equal bool) int32 {
	b.fieldOf = append(b.fieldOf, field)
	b.isEqual = append(b.isEqual, equal)
	b.guess = append(b.guess, float32(guess))
	return int32(len(b.fieldOf) - 1)
}

// keyed returns the atom of a field that key names, made by mk the first time.
func (b *builder) keyed(field int32, key string, mk func(f *fieldBuild) int32) int32 {
	f := b.fields[field]
	if a, ok := f.byKey[key]; ok {
		return a
	}
	a := mk(f)
	f.byKey[key] = a
	return a
}

// null is the atom "the field has no value".
func (b *builder) null(field int32) int32 {
	if f := b.fields[field]; f.null < 0 {
		f.null = b.atom(field, 0.5, false)
	}
	return b.fields[field].null
}

func literalGuess(n int) float64 { return 2e-3 / float64(1+n) }

// text is the atom of a text test.
func (b *builder) text(field int32, t textTest) int32 {
	key := fmt.Sprintf("t%v", t.fold)
	for _, p := range t.pieces {
		key += fmt.Sprintf("%v%v%q", p.Any, p.One, p.Text)
	}
	return b.keyed(field, key, func(f *fieldBuild) int32 {
		if p, ok := t.simple(); ok {
			guess := literalGuess(len(p.Text))
			if p.Kind == multimatch.Equal {
				guess = 1e-3
			} else if p.Text == "" {
				guess = 1
			}
			a := b.atom(field, guess, p.Kind == multimatch.Equal)
			f.patterns = append(f.patterns, p)
			f.target = append(f.target, a)
			return a
		}
		c := check{like: t.compiled()}
		p, ok := t.sieve()
		if !ok {
			c.atom = b.atom(field, 0.5, false)
			f.always = append(f.always, int32(len(f.checks)))
		} else {
			c.atom = b.atom(field, literalGuess(len(p.Text)), false)
			f.patterns = append(f.patterns, p)
			f.target = append(f.target, ^int32(len(f.checks)))
		}
		f.checks = append(f.checks, c)
		return c.atom
	})
}

// regex is the atom "the expression is found".
func (b *builder) regex(field int32, re *regex.Regexp, flags regex.Flags) int32 {
	key := fmt.Sprintf("r%d%q", flags, re.String())
	return b.keyed(field, key, func(f *fieldBuild) int32 {
		lits := re.RequiredLiterals()
		guess := 0.1
		if lits != nil {
			guess = 0
			for _, l := range lits {
				guess += literalGuess(len(l.Text))
			}
		}
		c := check{atom: b.atom(field, guess, false), re: re}
		at := int32(len(f.checks))
		f.checks = append(f.checks, c)
		if lits == nil {
			f.always = append(f.always, at)
		}
		for _, l := range lits {
			f.patterns = append(f.patterns, multimatch.Pattern{Kind: multimatch.Contains, Text: l.Text, Fold: l.Fold})
			f.target = append(f.target, ^at)
		}
		return c.atom
	})
}

func (b *builder) network(field int32, cidr string) (int32, error) {
	p, err := parseCIDR(cidr)
	if err != nil {
		return 0, err
	}
	return b.keyed(field, "n"+p.String(), func(f *fieldBuild) int32 {
		if f.nets == nil {
			f.nets = newNetworks()
		}
		a := b.atom(field, 1e-2, false)
		f.nets.add(p, a)
		return a
	}), nil
}

func rangeGuess(op rangeOp) float64 {
	if op == opEq {
		return 1e-3
	}
	return 0.3
}

// order is the atom of a comparison with the key of a literal.
func (b *builder) order(field int32, op rangeOp, k orderKey) int32 {
	key := binary.LittleEndian.AppendUint64([]byte{'o', byte(op)}, uint64(k.hi))
	key = binary.LittleEndian.AppendUint64(key, k.lo)
	return b.keyed(field, string(key), func(f *fieldBuild) int32 {
		a := b.atom(field, rangeGuess(op), op == opEq)
		f.orders = append(f.orders, bound[orderKey]{k, op, a})
		return a
	})
}

// textOrder is the atom of a comparison of texts by bytes; equality is text.
func (b *builder) textOrder(field int32, op rangeOp, s string) int32 {
	return b.keyed(field, fmt.Sprintf("s%d%s", op, s), func(f *fieldBuild) int32 {
		a := b.atom(field, rangeGuess(op), false)
		f.texts = append(f.texts, bound[string]{s, op, a})
		return a
	})
}

// number is the atom of a comparison of a text that is a number.
func (b *builder) number(field int32, op rangeOp, n float64) int32 {
	return b.keyed(field, fmt.Sprintf("f%d%x", op, math.Float64bits(n)), func(f *fieldBuild) int32 {
		a := b.atom(field, rangeGuess(op), false)
		f.numbers = append(f.numbers, bound[float64]{n, op, a})
		return a
	})
}

// condition turns a Cond into a term.
func (b *builder) condition(c *Cond) *term {
	switch c.Op {
	case CondAnd, CondOr:
		subs := make([]*term, len(c.Subs))
		for i, s := range c.Subs {
			subs[i] = b.condition(s)
		}
		if c.Op == CondAnd {
			return allOf(subs...)
		}
		return oneOf(subs...)
	case CondNot:
		return b.condition(c.Subs[0]).not()
	case CondKeyword:
		return pos(b.text(b.field(-1, anyField, types.Type{}, nil), c.pattern()))
	case CondSame:
		b.in.named(c.Field) // events bring both values
		b.in.named(c.Value)
		return isUnknown
	}
	var f int32
	if c.Field == "" { // an expression that any field may match
		f = b.field(-1, anyField, types.Type{}, nil)
	} else {
		f = b.field(b.in.named(c.Field), textField, types.Type{}, nil)
	}
	switch c.Op {
	case CondRegex:
		re, err := regex.Compile(c.Value, c.flags())
		if err != nil {
			return isFalse // check has refused it
		}
		return pos(b.regex(f, re, c.flags()))
	case CondCIDR:
		a, err := b.network(f, c.Value)
		if err != nil {
			return isFalse
		}
		return pos(a)
	case CondLess:
		return pos(b.number(f, opLt, c.Number))
	case CondLessEq:
		return pos(b.number(f, opLe, c.Number))
	case CondGreater:
		return pos(b.number(f, opGt, c.Number))
	case CondGreaterEq:
		return pos(b.number(f, opGe, c.Number))
	case CondExists:
		return neg(b.null(f))
	case CondNull:
		return pos(b.null(f))
	}
	return pos(b.text(f, c.pattern()))
}

// field is the index of one field. It is immutable.
type field struct {
	input   int32
	class   fieldClass
	typ     types.Type
	derive  plan.Expr
	sql     bool
	null    int32
	set     *multimatch.Set
	target  []int32 // of patterns
	checks  []check
	always  []int32
	texts   *intervals[string]
	numbers *intervals[float64]
	orders  *intervals[orderKey]
	nets    *networks
	// equalOnly: a lookup costs less than the memo does.
	equalOnly bool
}

func (f *fieldBuild) finish() *field {
	out := &field{input: f.input, class: f.class, typ: f.typ, derive: f.derive, sql: f.sql, null: f.null, target: f.target, checks: f.checks, always: f.always, nets: f.nets}
	if f.class != orderField {
		out.set = multimatch.New(f.patterns)
		out.equalOnly = len(f.checks) == 0 && f.nets == nil && f.derive == nil && !slices.ContainsFunc(f.patterns, func(p multimatch.Pattern) bool {
			return p.Kind == multimatch.Contains || p.Kind == multimatch.Suffix
		})
	}
	if len(f.texts) > 0 {
		out.texts = newIntervals(f.texts, compareText)
	}
	if len(f.numbers) > 0 {
		out.numbers = newIntervals(f.numbers, types.CompareFloat)
	}
	if f.class == orderField {
		out.orders = newIntervals(f.orders, orderKey.compare)
	}
	return out
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (f *field) bytes() int {
	n := 4*len(f.target) + 64*len(f.checks)
	if f.set != nil {
		n += f.set.Bytes()
	}
	if f.orders != nil {
		n += f.orders.bytes()
	}
	if f.texts != nil {
		n += f.texts.bytes()
	}
	if f.numbers != nil {
		n += f.numbers.bytes()
	}
	if f.nets != nil {
		n += 12 * len(f.nets.nodes)
	}
	return n
}
