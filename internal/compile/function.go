package compile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// This file says which functions a statement sees: those of the session's
// dialect, and what CREATE FUNCTION … AS 'class' makes of a class.

// dialectSet is a set made of the rsqldb functions and those that were created
// in the session, kept until the session's own set is another.
type dialectSet struct {
	of  *function.Set
	set *function.Set
}

// functions returns the functions that statements of the present dialect see.
func (s *Session) functions() *function.Set {
	if s.opts.Rsqldb == nil || !s.rsqldb() {
		return s.Functions
	}
	if s.rsqldbSet.of == s.Functions {
		return s.rsqldbSet.set
	}
	set := s.opts.Rsqldb
	for _, d := range s.Functions.Defs() {
		if d == nil || slices.Contains(s.opts.Functions.Lookup(d.Name), d) {
			continue
		}
		if set == s.opts.Rsqldb {
			set = set.Clone()
		}
		if err := set.Replace(*d); err != nil {
			continue // it was in a set already: nothing is wrong with it
		}
	}
	s.rsqldbSet = dialectSet{of: s.Functions, set: set}
	return set
}

// markers are classes that say no more than that the function is a built-in one.
var markers = []string{"org.apache.rocketmq.streams.script.annotation.Function", "com.sql.Function"}

// implementation finds what implements a function of CREATE FUNCTION: nothing
// (nil) if the name is a built-in's and the class a marker or one that is not to
// be had; the built-in if the class is the name of one; else what the host loads.
// Without a host the function exists but cannot be called.
func (s *Session) implementation(x *ast.CreateFunction) ([]function.Def, error) {
	name, class := x.Name.Last(), x.Class.Value
	builtin := s.functions().Has(name)
	unread := func() {
		if len(x.Jars) > 0 {
			s.warnings = append(s.warnings, fmt.Sprintf("function %s: the jar is not read, class %s stands for a built-in function", name, class))
		}
	}
	if slices.ContainsFunc(markers, func(m string) bool { return strings.EqualFold(m, class) }) {
		if !builtin {
			s.warnings = append(s.warnings, fmt.Sprintf("class %s stands for a built-in function, but there is none called %s", class, name))
		} else {
			unread()
		}
		return nil, nil
	}
	if defs := s.functions().Lookup(class); len(defs) > 0 {
		unread()
		out := make([]function.Def, len(defs))
		for i, d := range defs {
			out[i] = *d
			out[i].Name, out[i].Aliases, out[i].Eg = strings.ToUpper(name), nil, nil
		}
		return out, nil
	}
	if len(x.Jars) > 0 {
		if !builtin {
			return nil, diag.At(x.Jars[0].Pos(), diag.Unsupported, "functions of jars are not loaded yet").
				Hint("this program runs no Java; its functions are built in or written in Go")
		}
		s.warnings = append(s.warnings, fmt.Sprintf("function %s is the built-in one: class %s of the jar is not read", name, class))
		return nil, nil
	}
	if s.opts.Load == nil {
		return nil, nil
	}
	defs, err := s.opts.Load(x)
	if err == nil || !builtin {
		if err != nil {
			err = diag.At(x.Class.Pos(), diag.BadArgument, "function %s: %w", x.Name, err)
		}
		return defs, err
	}
	s.warnings = append(s.warnings, fmt.Sprintf("function %s is the built-in one: class %s is not to be had (%v)", name, class, err))
	return nil, nil
}
