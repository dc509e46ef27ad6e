package sqltest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"context"

	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/optimize"
)

// off are settings without some rules.
func off(rules string) map[string]string {
	s := exactly("1")
	s["runnel.optimizer.disable"] = rules
	return s
}

// TestEachRuleOff runs every recorded query with each optimiser rule off: a
// rule never changes a result.
func TestEachRuleOff(t *testing.T) {
	rules := []string{"share"}
	for _, r := range optimize.Rules() {
		rules = append(rules, r.Name)
	}
	var settings []map[string]string
	for _, r := range rules {
		settings = append(settings, off(r))
	}
	all := ""
	for _, r := range rules {
		all += r + ","
	}
	settings = append(settings, off(all))
	sameEverywhere(t, settings, func(s map[string]string) string { return s["runnel.optimizer.disable"] })
}

// TestWorlds runs every recorded query in other worlds: batches of other sizes
// and several tasks give the same final rows.
func TestWorlds(t *testing.T) {
	var settings []map[string]string
	for _, n := range []string{"1", "3"} {
		for _, p := range []string{"1", "4"} {
			w := exactly(n)
			w["parallelism.default"] = p
			settings = append(settings, w)
		}
	}
	sameEverywhere(t, settings, func(s map[string]string) string {
		return "batch " + s["runnel.batch-size"] + ", parallelism " + s["parallelism.default"]
	})
}

// late are cases with late rows: which rows are late depends on how far the
// watermark got, and with several tasks on how they interleave.
var late = map[string]bool{"over_late": true, "watermark_as_col": true, "hop_tvf_late": true, "session_tvf_late": true, "over_bounded_rows": true,
	"topn_of_agg": true, // two equal sums
}

// sameEverywhere compares the final rows of each case under each settings with
// those of the plain way, or that it is refused there too.
func sameEverywhere(t *testing.T, settings []map[string]string, name func(map[string]string) string) {
	cases, err := Load(corpus.Oracle(t, "queries"))
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, c := range cases {
		if c.FinalStable != nil && !*c.FinalStable {
			continue
		}
		if len(c.Sinks) > 0 {
			continue // compared in TestOracleQueries
		}
		base, baseErr := finalRows(t, c, exactly("1"))
		for _, s := range settings {
			if s["parallelism.default"] == "4" && late[c.Name] {
				continue
			}
			runs++
			got, err := finalRows(t, c, s)
			if (err != nil) != (baseErr != nil) {
				t.Errorf("%s, %s: error %v, else %v", c.Name, name(s), err, baseErr)
				continue
			}
			if !slices.Equal(got, base) {
				t.Errorf("%s, %s:\n got %q\nwant %q", c.Name, name(s), got, base)
			}
		}
	}
	t.Logf("%d cases, %d runs", len(cases), runs)
}

func finalRows(t *testing.T, c *Case, settings map[string]string) ([]string, error) {
	dir := t.TempDir()
	vars, err := c.Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Session(settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	script := ""
	for k, v := range c.Config {
		script += fmt.Sprintf("SET '%s' = '%s';\n", k, v)
	}
	for _, d := range c.DDL {
		script += Expand(d, vars) + ";\n"
	}
	out, err := Run(ctx, s, script+Expand(c.Query, vars))
	if err != nil {
		return nil, err
	}
	return Fold(canonical(out.Changes)), nil
}
