package builtin

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
)

// renamed gives the examples of a function for another name of it, without those
// that are written with syntax of their own.
func renamed(egs []function.Example, from, to string) []function.Example {
	var out []function.Example
	for _, e := range egs {
		if strings.Contains(e.Expr, " FROM ") && !strings.HasPrefix(e.Expr, "SELECT ") {
			continue // SUBSTRING(x FROM 2), TRIM(… FROM …)
		}
		for _, call := range []string{quoted(from) + "(", from + "("} {
			at := strings.Index(e.Expr, call)
			if at < 0 || at > 0 && isWordByte(e.Expr[at-1]) {
				continue
			}
			out = append(out, eg(e.Expr[:at]+spelled(to)+"("+e.Expr[at+len(call):], e.Result))
			break
		}
	}
	return out
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

func quoted(name string) string { return "`" + name + "`" }

// keywords are names of functions that SQL reads as something else unless they
// are quoted.
var keywords = []string{
	"AND", "BETWEEN", "CASE", "CHAR", "CONTAINS", "CURRENT_TIMESTAMP", "EQUALS", "EXISTS", "IF", "IN", "LIKE", "MINUS", "NOT", "NULL", "OR",
}

// spelled is a name as SQL has to write it.
func spelled(name string) string {
	for i := range len(name) {
		if !isWordByte(name[i]) {
			return quoted(name)
		}
	}
	if name == "" || name[0] >= '0' && name[0] <= '9' || slices.Contains(keywords, name) {
		return quoted(name)
	}
	return name
}

// exampled returns a family with the examples of those definitions that carry
// none themselves: definitions that loops make, and functions over rows, whose
// examples are whole queries.
func exampled(defs []function.Def) []function.Def {
	out := slices.Clone(defs)
	for i := range out {
		if len(out[i].Eg) == 0 {
			out[i].Eg = rowExamples[out[i].Name]
		}
	}
	return out
}
