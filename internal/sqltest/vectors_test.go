package sqltest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/types"
)

// vector is a recorded expression.
type vectorCase struct {
	Expr   string  `json:"expr"`
	Group  string  `json:"group"`
	From   string  `json:"from"`
	Type   string  `json:"type"`
	Result *string `json:"result"`
	Error  string  `json:"error"`
	Phase  string  `json:"error_phase"`
	Zone   string  `json:"time_zone"`
	Random bool    `json:"nondeterministic"`
	Quirk  any     `json:"quirk"`
	Order  bool    `json:"order_sensitive"`
}

func loadVectors(t *testing.T, name string) []vectorCase {
	t.Helper()
	raw, err := os.ReadFile(corpus.Oracle(t, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []vectorCase
	sc := bufio.NewScanner(bytes.NewReader(raw))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var v vectorCase
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// streamsName is why an expression that Flink does not know has a result.
const streamsName = "a function of RocketMQ-Streams, which the default dialect has where Flink has no such name"

// knownExpressions are results that differ, with the reason.
var knownExpressions = map[string]string{
	"9007199254740993 = 9007199254740992e0":                 "over columns only: there both are compared as DOUBLE, in Flink too",
	"7 / CAST(1.5 AS FLOAT)":                                "over columns only: constants end as decimals",
	"CAST(CAST(0.1 AS FLOAT) AS DOUBLE)":                    "over columns only: constants end as decimals",
	"CAST(MAP['k', NULL] AS STRING)":                        "Flink takes the map, but not its cast",
	"EXTRACT(DOW FROM TIMESTAMP '1969-12-31 23:59:59.001')": "Flink counts days before 1970 wrongly",
	"BITAND(5, 3)":                         streamsName,
	"BITOR(5, 3)":                          streamsName,
	"BITXOR(5, 3)":                         streamsName,
	"LENGTH('Hello')":                      streamsName,
	"LENGTH('')":                           streamsName,
	"DATEDIFF('2024-01-01', '2024-01-02')": streamsName,
	"DATE_ADD('2024-01-01', 1)":            streamsName,
	"SUM(DISTINCT x)":                      "the order in which floats are added",
	"STDDEV(x)":                            "the order in which floats are added",
}

// TestOracleFunctions evaluates the recorded expressions, folded and over columns.
func TestOracleFunctions(t *testing.T) {
	cases := loadVectors(t, "functions.jsonl")
	for _, fold := range []bool{true, false} {
		t.Run(fmt.Sprintf("fold=%v", fold), func(t *testing.T) {
			sessions := map[string]*compile.Session{}
			var bad, quirks []string
			groups := map[string]int{}
			pass := 0
			for _, c := range cases {
				s := sessions[c.Zone]
				if s == nil {
					settings := map[string]string{}
					if c.Zone != "" {
						settings["table.local-time-zone"] = c.Zone
					}
					var err error
					if s, err = Session(settings); err != nil {
						t.Fatal(err)
					}
					sessions[c.Zone] = s
				}
				why := evaluate(s, c, fold)
				switch {
				case why == "":
					pass++
				case c.Quirk != nil:
					quirks = append(quirks, why)
				case knownExpressions[c.Expr] != "":
					quirks = append(quirks, why)
				default:
					groups[c.Group]++
					bad = append(bad, c.Group+": "+c.Expr+": "+why)
					t.Errorf("%s: %s", c.Expr, why)
				}
			}
			var names []string
			for g := range groups {
				names = append(names, fmt.Sprintf("%s %d", g, groups[g]))
			}
			sort.Strings(names)
			t.Logf("%d of %d (%.1f%%), %d differ where Flink is odd; others: %s", pass, len(cases), 100*float64(pass)/float64(len(cases)), len(quirks), strings.Join(names, ", "))
			if path := os.Getenv("VECTORS_OUT"); path != "" {
				os.WriteFile(fmt.Sprintf("%s.%v", path, fold), []byte(strings.Join(bad, "\n")+"\n"), 0o644)
			}
		})
	}
}

// evaluate returns how the result of an expression differs, "" if it does not.
func evaluate(s *compile.Session, c vectorCase, fold bool) (why string) {
	defer func() {
		if p := recover(); p != nil {
			why = fmt.Sprintf("panic: %v", p)
		}
	}()
	t, v, err := s.Eval(c.Expr, fold)
	if c.Error != "" {
		if err == nil {
			return fmt.Sprintf("is %v, Flink fails: %s", v, c.Error)
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	if got := t.String(); got != c.Type {
		return fmt.Sprintf("type %s, want %s", got, c.Type)
	}
	if c.Random {
		return ""
	}
	if v == nil || c.Result == nil {
		if (v == nil) != (c.Result == nil) {
			return fmt.Sprintf("is %v, want %v", v, text(c.Result))
		}
		return ""
	}
	got := string(types.AppendValue(nil, v, t, s.Func().Zone))
	if got == *c.Result {
		return ""
	}
	a, b := canonical([][]string{{got}}), canonical([][]string{{*c.Result}})
	if a[0][0] == b[0][0] {
		return ""
	}
	return fmt.Sprintf("is %q, want %q", got, *c.Result)
}

func text(s *string) string {
	if s == nil {
		return "NULL"
	}
	return *s
}

// TestOracleAggregates runs the recorded aggregates in batch mode.
func TestOracleAggregates(t *testing.T) {
	var bad []string
	pass, all := 0, loadVectors(t, "aggregates.jsonl")
	for _, c := range all {
		if why := aggregated(t.Context(), c); why == "" {
			pass++
		} else if c.Quirk == nil && !(c.Order && c.Expr == "FIRST_VALUE(x)") && knownExpressions[c.Expr] == "" {
			bad = append(bad, c.Expr+" FROM "+c.From+": "+why)
			t.Errorf("%s FROM %s: %s", c.Expr, c.From, why)
		}
	}
	t.Logf("%d of %d", pass, len(all))
	if path := os.Getenv("VECTORS_OUT"); path != "" {
		os.WriteFile(path+".agg", []byte(strings.Join(bad, "\n")+"\n"), 0o644)
	}
}

func aggregated(ctx context.Context, c vectorCase) (why string) {
	defer func() {
		if p := recover(); p != nil {
			why = fmt.Sprintf("panic: %v", p)
		}
	}()
	s, err := Session(map[string]string{"execution.runtime-mode": "batch"})
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := Run(ctx, s, "SELECT "+c.Expr+" FROM ("+c.From+")")
	if c.Error != "" {
		if err == nil && !strings.Contains(c.Error, "CompileException") { // a defect of its code generator

			return "accepted, Flink fails: " + c.Error
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	if got := out.Schema.Fields[0].Type.String(); got != c.Type {
		return fmt.Sprintf("type %s, want %s", got, c.Type)
	}
	rows := Fold(canonical(out.Changes))
	want := text(c.Result)
	if c.Result == nil {
		want = "<NULL>"
	}
	if c.Order && len(rows) == 1 && elements(rows[0]) == elements(want) {
		return ""
	}
	if w := canonical([][]string{{want}})[0]; !slices.Equal(rows, w) {
		return fmt.Sprintf("is %q, want %q", rows, w)
	}
	return ""
}

// elements returns the elements of a list in order: Flink's is that of its exchange.
func elements(list string) string {
	parts := strings.Split(strings.NewReplacer(", ", ",", "[", "", "]", "").Replace(list), ",")
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
