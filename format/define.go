package format

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Option is a declared option, see package option.
type Option = option.Option

// Define makes a format whose options are the fields of O, see package option.
func Define[O any](name, doc string, build func(o *O) (Format, error)) *Spec {
	return &Spec{
		Name: name, Doc: doc, Options: option.Declared[O](),
		New: func(given map[string]string) (Format, error) {
			o := new(O)
			if err := option.Parse(o, given); err != nil {
				return nil, err
			}
			return build(o)
		},
	}
}

// Noted sets the notes of s and returns it.
func (s *Spec) Noted(notes string) *Spec {
	s.Notes = strings.TrimSpace(notes)
	return s
}

// Tells sets the metadata of s, whose formats are Annotated, and returns it.
func (s *Spec) Tells(metadata []types.Field) *Spec {
	s.Metadata = metadata
	return s
}

// Set is a list of formats, for the engine to find them by name.
type Set []*Spec

// Find returns the format called name, nil if there is none.
func (s Set) Find(name string) *Spec {
	for _, f := range s {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Names returns the names in order.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	slices.Sort(names)
	return names
}
