package function

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ErrUnknown is wrapped by the error of a name that is no function.
var ErrUnknown = errors.New("no function")

// Set is functions by name. The zero Set is empty and ready. It is safe for
// concurrent reading; Add and Replace are for its owner before it is shared.
type Set struct {
	entries map[string][]entry // by folded name and alias
	defs    []*Def             // in the order they were added
}

// entry is a definition with its parsed signature.
type entry struct {
	def   *Def
	forms []Form
}

// NewSet returns a set of the definitions.
func NewSet(families ...[]Def) (*Set, error) {
	s := &Set{}
	for _, defs := range families {
		if err := s.Add(defs...); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// MustSet is NewSet for definitions that are part of the program: it panics if
// one is wrong.
func MustSet(families ...[]Def) *Set {
	s, err := NewSet(families...)
	if err != nil {
		panic(err)
	}
	return s
}

// Add adds definitions. One whose name is there already is a further overload.
// An error names the definition that is wrong; those before it were added.
func (s *Set) Add(defs ...Def) error {
	for i := range defs {
		d := defs[i]
		forms, err := check(&d)
		if err != nil {
			return fmt.Errorf("function %s: %w", d.Name, err)
		}
		if s.entries == nil {
			s.entries = map[string][]entry{}
		}
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			key := fold(name)
			s.entries[key] = append(s.entries[key], entry{&d, forms})
		}
		s.defs = append(s.defs, &d)
	}
	return nil
}

// Replace adds definitions in place of all that have one of their names or aliases.
func (s *Set) Replace(defs ...Def) error {
	for _, d := range defs {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			delete(s.entries, fold(name))
		}
	}
	// A definition lives on while another of its names leads to it.
	s.defs = slices.DeleteFunc(s.defs, func(d *Def) bool {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			for _, e := range s.entries[fold(name)] {
				if e.def == d {
					return false
				}
			}
		}
		return true
	})
	return s.Add(defs...)
}

// check validates a definition and parses its signature.
func check(d *Def) ([]Form, error) {
	if d.Name == "" {
		return nil, errors.New("no name")
	}
	kinds := 0
	for _, set := range []bool{d.Scalar != nil, d.Aggregate != nil, d.Table != nil} {
		if set {
			kinds++
		}
	}
	if kinds > 1 || kinds == 0 && !d.Special {
		return nil, errors.New("want one of scalar, aggregate and table")
	}
	if d.Infer != nil || d.Special {
		return nil, nil // the text is for people
	}
	forms, err := ParseSignature(d.Sig)
	if err != nil {
		return nil, err
	}
	if d.Scalar != nil {
		for _, f := range forms {
			if err := d.Scalar.fits(f); err != nil {
				return nil, err
			}
		}
	}
	return forms, nil
}

func fold(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c >= 'a' && c <= 'z' || c >= 0x80 {
			return strings.Map(unicode.ToUpper, name)
		}
	}
	return name
}

// Lookup returns the overloads of a function by name or alias, whatever their
// case, nil if there are none.
func (s *Set) Lookup(name string) []*Def {
	var defs []*Def
	for _, e := range s.entries[fold(name)] {
		defs = append(defs, e.def)
	}
	return defs
}

// Has tells whether name is a function.
func (s *Set) Has(name string) bool { return len(s.entries[fold(name)]) > 0 }

// Forms returns the signatures of a function as text.
func (s *Set) Forms(name string) []string {
	var out []string
	for _, e := range s.entries[fold(name)] {
		for _, f := range strings.Split(e.def.Sig, "|") {
			out = append(out, strings.TrimSpace(f))
		}
	}
	return out
}

// Clone returns a set that can be changed without changing s.
func (s *Set) Clone() *Set {
	c := &Set{entries: make(map[string][]entry, len(s.entries)), defs: slices.Clone(s.defs)}
	for k, v := range s.entries {
		c.entries[k] = slices.Clone(v)
	}
	return c
}

// Defs returns all definitions in the order they were added.
func (s *Set) Defs() []*Def { return slices.Clone(s.defs) }

// Names returns all names and aliases in upper case, sorted.
func (s *Set) Names() []string {
	names := make([]string, 0, len(s.entries))
	for k := range s.entries {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// Groups returns the families of the functions in order of first use.
func (s *Set) Groups() []string {
	var groups []string
	for _, d := range s.defs {
		if !slices.Contains(groups, d.Group) {
			groups = append(groups, d.Group)
		}
	}
	return groups
}

// InGroup returns the definitions of one family, in order of name.
func (s *Set) InGroup(group string) []*Def {
	var defs []*Def
	for _, d := range s.defs {
		if d.Group == group {
			defs = append(defs, d)
		}
	}
	slices.SortStableFunc(defs, func(a, b *Def) int { return strings.Compare(a.Name, b.Name) })
	return defs
}
