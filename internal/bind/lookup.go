package bind

import (
	"slices"
	"strconv"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/option"
)

// lookupHint is LOOKUP('table' = 't', …) of a SELECT.
type lookupHint struct {
	hint    *ast.Hint
	options map[string]string
	used    bool
}

// lookupHints takes the LOOKUP hints of a SELECT.
func (b *binder) lookupHints(hints []*ast.Hint) ([]*lookupHint, error) {
	known := []string{"table", "retry-predicate", "retry-strategy", "fixed-delay", "max-attempts", "async", "output-mode", "capacity", "timeout", "shuffle"}
	var out []*lookupHint
	for _, h := range hints {
		if h.Name != "LOOKUP" {
			continue
		}
		l := &lookupHint{hint: h, options: ast.Options(h.Options)}
		for k := range l.options {
			if !slices.Contains(known, k) {
				return nil, diag.At(h.Pos(), diag.UnknownOption, "hint LOOKUP has no option '%s'", k).DidYouMean(k, known)
			}
			if slices.Contains(known[5:], k) && b.Warn != nil {
				b.Warn(h.Pos(), "option '"+k+"' of hint LOOKUP has no effect here")
			}
		}
		if l.options["table"] == "" {
			return nil, diag.At(h.Pos(), diag.BadValue, "hint LOOKUP needs 'table'")
		}
		out = append(out, l)
	}
	return out, nil
}

// retries puts what the hint for table t says into n.
func (b *binder) retries(t *ast.Table, n *plan.Temporal) error {
	for _, l := range b.lookups {
		name := t.Name.Last()
		if t.Alias != nil && t.Alias.Name != nil && l.options["table"] == t.Alias.Name.Name {
			name = t.Alias.Name.Name
		}
		if l.options["table"] != name {
			continue
		}
		l.used = true
		given := 0
		for _, k := range []string{"retry-predicate", "retry-strategy", "fixed-delay", "max-attempts"} {
			if l.options[k] != "" {
				given++
			}
		}
		if given == 0 {
			return nil
		}
		bad := func(text string, args ...any) error {
			return diag.At(l.hint.Pos(), diag.BadValue, "hint LOOKUP: "+text, args...)
		}
		delay, ok := option.ParseDuration(l.options["fixed-delay"])
		attempts, err := strconv.Atoi(l.options["max-attempts"])
		switch {
		case given < 4:
			return bad("'retry-predicate', 'retry-strategy', 'fixed-delay' and 'max-attempts' are given together")
		case l.options["retry-predicate"] != "lookup_miss":
			return bad("'retry-predicate' can be lookup_miss only")
		case l.options["retry-strategy"] != "fixed_delay":
			return bad("'retry-strategy' can be fixed_delay only")
		case !ok || delay <= 0:
			return bad("'fixed-delay' takes a duration such as 10 s, not '%s'", l.options["fixed-delay"])
		case err != nil || attempts < 1:
			return bad("'max-attempts' takes a number above 0, not '%s'", l.options["max-attempts"])
		}
		n.Retries, n.RetryAfter = attempts, delay
	}
	return nil
}

// unusedLookup warns of hints for tables that are not looked up: Flink ignores them.
func (b *binder) unusedLookup(hints []*lookupHint) {
	for _, l := range hints {
		if !l.used && b.Warn != nil {
			b.Warn(l.hint.Pos(), "hint LOOKUP has no effect here: no table "+l.options["table"]+" is joined FOR SYSTEM_TIME AS OF processing time")
		}
	}
}
