package function

import (
	"fmt"
	"strings"

	"github.com/runnelio/runnel/types"
)

// match is the state of fitting arguments to one form.
type match struct {
	vars     map[string]types.Type
	families map[string]types.Type
	cost     int // 0: nothing is converted
}

// Match fits the arguments to the form. cost says how far they are from it: 0
// if none needs a conversion. An error says, for the user, what does not fit.
func (f Form) Match(args []Arg) (sig Signature, cost int, err error) {
	if least, most := f.arity(); len(args) < least || most >= 0 && len(args) > most {
		return sig, 0, fmt.Errorf("takes %s, not %d", countText(least, most), len(args))
	}
	m := match{vars: map[string]types.Type{}, families: map[string]types.Type{}}
	params := make([]pattern, len(args))
	for i := range args {
		params[i] = f.Params[min(i, len(f.Params)-1)].pattern
	}
	// Variables take the common type of all arguments, so they are fixed before
	// any argument is cast.
	for i, a := range args {
		if err := m.bind(params[i], a.Type); err != nil {
			return sig, 0, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	nullable := false
	sig.Args = make([]types.Type, len(args))
	for i, a := range args {
		t, err := m.argument(params[i], a.Type)
		if err != nil {
			return sig, 0, fmt.Errorf("argument %d: %w", i+1, err)
		}
		sig.Args[i] = t
		nullable = nullable || a.Type.Nullable || a.Type.Kind == types.Null
	}
	res, err := m.result(f.Result.pattern, args)
	if err != nil {
		return sig, 0, err
	}
	switch f.Result.null {
	case nullNever:
		nullable = false
	case nullAlways:
		nullable = true
	}
	sig.Result = res.WithNull(nullable)
	return sig, m.cost, nil
}

// arity returns the least and the largest number of arguments, -1 for no limit.
func (f Form) arity() (least, most int) {
	for _, p := range f.Params {
		if p.Repeated {
			return least, -1
		}
		if !p.Optional {
			least++
		}
		most++
	}
	return least, most
}

func countText(least, most int) string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", n)
	}
	switch {
	case most < 0 && least == 0:
		return "any number of arguments"
	case most < 0:
		return plural(least) + " or more"
	case least == most:
		return plural(least)
	case least+1 == most:
		return fmt.Sprintf("%d or %s", least, plural(most))
	}
	return fmt.Sprintf("%d to %s", least, plural(most))
}

// bind gives variables their types from one argument.
func (m *match) bind(p pattern, t types.Type) error {
	if t.Kind == types.Null {
		return nil
	}
	switch {
	case p.name != "":
		old, ok := m.vars[p.name]
		if !ok {
			m.vars[p.name] = t.Plain()
			return nil
		}
		common, ok := types.Common(old, t.Plain())
		if !ok {
			return fmt.Errorf("%s and %s do not mix", old.OrNull(), t.OrNull())
		}
		m.vars[p.name] = common
	case p.root != types.Null && t.Kind == p.root:
		if p.key != nil {
			if err := m.bind(*p.key, *t.Key); err != nil {
				return err
			}
		}
		return m.bind(*p.elem, *t.Elem)
	}
	return nil
}

// argument returns the type that an argument of type t is cast to.
func (m *match) argument(p pattern, t types.Type) (types.Type, error) {
	if t.Kind == types.Null {
		return m.nullArgument(p)
	}
	switch {
	case p.family != "":
		fits := families[p.family]
		if fits == nil || !fits(t) {
			return t, fmt.Errorf("want %s, not %s", p, t.OrNull())
		}
		if _, ok := m.families[p.family]; !ok {
			m.families[p.family] = t
		}
		return t, nil
	case p.name != "":
		return m.convert(t, m.vars[p.name].WithNull(t.Nullable))
	case p.root != types.Null:
		if t.Kind != p.root {
			return t, fmt.Errorf("want %s, not %s", p, t.OrNull())
		}
		want, err := m.result(p, nil)
		if err != nil {
			return t, err
		}
		return m.convert(t, want.WithNull(t.Nullable))
	}
	return m.convert(t, p.typ.WithNull(t.Nullable))
}

// nullArgument is argument of a bare NULL, which fits only where something
// else says what type it has.
func (m *match) nullArgument(p pattern) (types.Type, error) {
	if p.family == "ANY" {
		return types.Of(types.Null), nil
	}
	if v, ok := m.vars[p.name]; ok && p.name != "" {
		return v.OrNull(), nil
	}
	return types.Type{}, fmt.Errorf("NULL has no type here; write CAST(NULL AS %s)", p.example())
}

// convert returns to if t becomes it without being asked. Texts stay as they
// are: all of them are held alike.
func (m *match) convert(t, to types.Type) (types.Type, error) {
	if t.Same(to) {
		return t, nil
	}
	if t.IsChar() && to.Kind == types.VarChar && to.Prec == types.MaxLength || t.IsBinary() && to.Kind == types.VarBinary && to.Prec == types.MaxLength {
		return t, nil
	}
	if _, implicit := types.Castable(t, to); !implicit {
		return t, fmt.Errorf("want %s, not %s", to.OrNull(), t.OrNull())
	}
	m.cost++
	if t.Kind != to.Kind {
		m.cost += 2
		if t.IsNumeric() && to.IsNumeric() {
			m.cost += int(max(to.Kind, t.Kind) - min(to.Kind, t.Kind))
		} else {
			m.cost += 10
		}
	}
	return to, nil
}

// result fills the holes of a pattern.
func (m *match) result(p pattern, args []Arg) (types.Type, error) {
	switch {
	case p.typ != nil:
		return *p.typ, nil
	case p.family == "VARCHAR" || p.family == "CHARACTER+":
		return textResult(p.family, args), nil
	case p.family != "":
		t, ok := m.families[p.family]
		if !ok {
			return t, fmt.Errorf("the type of the result is not known")
		}
		return t.Plain(), nil
	case p.name != "":
		t, ok := m.vars[p.name]
		if !ok {
			return t, fmt.Errorf("NULL alone has no type")
		}
		return t, nil
	}
	elem, err := m.result(*p.elem, args)
	if err != nil {
		return elem, err
	}
	t := types.Type{Kind: p.root, Nullable: true, Elem: &elem}
	if p.key != nil {
		key, err := m.result(*p.key, args)
		if err != nil {
			return key, err
		}
		t.Key = &key
	}
	return t, nil
}

// textResult is the type VARCHAR or CHARACTER+ of a result.
func textResult(family string, args []Arg) types.Type {
	kind, length, first := types.Char, 0, true
	for _, a := range args {
		if !a.Type.IsChar() {
			continue
		}
		if family == "VARCHAR" && !first {
			continue
		}
		first = false
		if a.Type.Kind == types.VarChar {
			kind = types.VarChar
		}
		length = min(length+a.Type.Prec, types.MaxLength)
	}
	if first {
		return types.String()
	}
	if family == "VARCHAR" {
		kind = types.VarChar
	}
	return types.Type{Kind: kind, Nullable: true, Prec: length}
}

// String shows the pattern as it is written in a signature.
func (p pattern) String() string {
	switch {
	case p.typ != nil:
		return p.typ.OrNull().String()
	case p.family != "":
		return p.family
	case p.name != "":
		return p.name
	case p.root == types.Map:
		return "MAP<" + p.key.String() + ", " + p.elem.String() + ">"
	}
	return p.root.String() + "<" + p.elem.String() + ">"
}

// example is a type name that would do for p.
func (p pattern) example() string {
	switch p.family {
	case "NUMERIC", "EXACT", "INTEGER":
		return "INT"
	case "APPROX":
		return "DOUBLE"
	}
	if p.typ != nil {
		return p.String()
	}
	return "STRING"
}

// Resolve finds the overload of a function that fits the arguments best: one
// that needs no conversion if there is one, else the one with the smallest. An
// error says, for the user, why none fits.
func (s *Set) Resolve(name string, args []Arg) (*Def, Signature, error) {
	e, ok := s.entries[fold(name)]
	if !ok {
		return nil, Signature{}, fmt.Errorf("%w %s", ErrUnknown, name)
	}
	var (
		best    *Def
		bestSig Signature
		least   int
		why     error
		forms   int
	)
	for _, d := range e {
		if d.def.Infer != nil {
			forms++
			sig, err := d.def.Infer(args)
			if err != nil {
				why = keepFirst(why, err)
			} else if best == nil || least > 0 {
				best, bestSig, least = d.def, sig, 0
			}
			continue
		}
		for _, f := range d.forms {
			forms++
			sig, cost, err := f.Match(args)
			if err != nil {
				why = keepFirst(why, err)
			} else if best == nil || cost < least {
				best, bestSig, least = d.def, sig, cost
			}
		}
	}
	if best != nil {
		return best, bestSig, nil
	}
	if forms == 1 {
		return nil, Signature{}, fmt.Errorf("%s: %w", strings.ToUpper(name), why)
	}
	return nil, Signature{}, fmt.Errorf("%s does not take (%s); it has the forms %s", strings.ToUpper(name), argTexts(args), strings.Join(s.Forms(name), " | "))
}

func keepFirst(old, err error) error {
	if old != nil {
		return old
	}
	return err
}

func argTexts(args []Arg) string {
	texts := make([]string, len(args))
	for i, a := range args {
		texts[i] = a.Type.OrNull().String()
		if a.Type.Kind == types.Null {
			texts[i] = "NULL"
		}
	}
	return strings.Join(texts, ", ")
}
