package sqltest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// ternary is a value of three-valued logic.
type ternary int8

const (
	isFalse ternary = iota
	isUnknown
	isTrue
)

// comparison compares as SQL does; nil is NULL.
func comparison(op string, a, b *int) ternary {
	if a == nil || b == nil {
		return isUnknown
	}
	ok := map[string]bool{"=": *a == *b, "<>": *a != *b, "<": *a < *b, "<=": *a <= *b, ">": *a > *b, ">=": *a >= *b}[op]
	if ok {
		return isTrue
	}
	return isFalse
}

// quantifiedModel is x op ANY|ALL (rows) as the standard says it: all
// comparisons, joined by OR or AND.
func quantifiedModel(op string, all bool, x *int, rows []*int) ternary {
	if all {
		out := isTrue
		for _, r := range rows {
			out = min(out, comparison(op, x, r))
		}
		return out
	}
	out := isFalse
	for _, r := range rows {
		out = max(out, comparison(op, x, r))
	}
	return out
}

// TestQuantifiedComparisons compares ANY and ALL over queries with the model: as
// values, as conditions and as negated ones, correlated or not.
func TestQuantifiedComparisons(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	number := func() *int {
		if r.IntN(4) == 0 {
			return nil
		}
		n := r.IntN(4)
		return &n
	}
	text := func(n *int) string {
		if n == nil {
			return "CAST(NULL AS INT)"
		}
		return fmt.Sprint(*n)
	}
	type row struct {
		k int
		v *int
	}
	table := func(name string, rows []row) string {
		var b strings.Builder
		for i, x := range rows {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "(%d, %s)", x.k, text(x.v))
		}
		if len(rows) == 0 {
			return "CREATE VIEW " + name + " AS SELECT k, v FROM (VALUES (0, CAST(NULL AS INT))) AS w(k, v) WHERE k > 0;\n"
		}
		return "CREATE VIEW " + name + " AS SELECT k, v FROM (VALUES " + b.String() + ") AS w(k, v);\n"
	}
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		var ts, us []row
		for i := range 6 {
			ts = append(ts, row{i, number()})
		}
		for range []int{0, 1, 3, 6}[round%4] {
			us = append(us, row{r.IntN(6), number()})
		}
		for _, mode := range []string{"streaming", "batch"} {
			s, err := Session(exactly("1"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Run(t.Context(), s, "SET 'execution.runtime-mode' = '"+mode+"';\n"+table("t", ts)+table("u", us)); err != nil {
				t.Fatal(err)
			}
			for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
				for _, word := range []string{"ANY", "SOME", "ALL"} {
					for _, correlation := range []string{"", " WHERE u.k = t.k", " WHERE u.k < t.k"} {
						in := op == "=" && word != "ALL" || op == "<>" && word == "ALL"
						x := fmt.Sprintf("v %s %s (SELECT v FROM u%s)", op, word, correlation)
						for _, form := range []string{"value", "where", "not"} {
							if form == "value" && strings.Contains(correlation, "<") && !in {
								continue // refused: a correlated sub-query of an aggregate needs equalities
							}
							var want []string
							for _, a := range ts {
								var rows []*int
								for _, b := range us {
									if correlation == "" || strings.Contains(correlation, "=") && a.k == b.k || strings.Contains(correlation, "<") && b.k < a.k {
										rows = append(rows, b.v)
									}
								}
								v := quantifiedModel(op, word == "ALL", a.v, rows)
								switch {
								case form == "value":
									want = append(want, fmt.Sprintf("%d,%s", a.k, []string{"FALSE", "<NULL>", "TRUE"}[v]))
								case form == "where" && v == isTrue, form == "not" && v == isFalse:
									want = append(want, fmt.Sprint(a.k))
								}
							}
							query := map[string]string{"value": "SELECT k, " + x + " FROM t", "where": "SELECT k FROM t WHERE " + x, "not": "SELECT k FROM t WHERE NOT (" + x + ")"}[form]
							out, err := Run(t.Context(), s, query)
							if err != nil {
								t.Errorf("%s: %v", query, err)
								continue
							}
							got := Fold(out.Changes)
							for i := range got {
								got[i] = strings.ReplaceAll(got[i], "\x1f", ",")
							}
							slices.Sort(got)
							slices.Sort(want)
							if !slices.Equal(got, want) {
								t.Errorf("%s: %s\n got %v\nwant %v\n%s%s", mode, query, got, want, table("t", ts), table("u", us))
							}
						}
					}
				}
			}
		}
	}
}
