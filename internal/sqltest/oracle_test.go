package sqltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/corpus"
)

// TestOracleQueries runs the recorded queries, a row a batch, so that a
// watermark follows every row as it did when they were recorded.
func TestOracleQueries(t *testing.T) {
	cases, err := Load(corpus.Oracle(t, "queries"))
	if err != nil {
		t.Fatal(err)
	}
	exact, final, failed := 0, 0, 0
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			how, err := check(t, c, exactly("1"))
			switch {
			case err != nil:
				failed++
				if why, ok := knownFailures[c.Name]; ok {
					t.Skipf("known: %s: %v", why, err)
				}
				t.Error(err)
			case how == "exact":
				exact++
			default:
				final++
				t.Log(how)
			}
			if why, ok := knownFailures[c.Name]; ok && err == nil {
				t.Errorf("passes now, take it from the list: %s", why)
			}
		})
	}
	t.Logf("%d cases: %d exact, %d equal final rows, %d failed", len(cases), exact, final, failed)
}

// exactly are the settings of the recording: a watermark behind every row.
func exactly(batch string) map[string]string {
	return map[string]string{"runnel.batch-size": batch, "pipeline.auto-watermark-interval": "0 ms"}
}

// check runs a case. The error says how the result differs; how is "exact" if
// the changelog is Flink's, row by row.
func check(t *testing.T, c *Case, settings map[string]string) (how string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	dir := t.TempDir()
	vars, err := c.Files(dir)
	if err != nil {
		return "", err
	}
	s, err := Session(settings)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for k, v := range c.Config {
		if _, err := Run(ctx, s, fmt.Sprintf("SET '%s' = '%s'", k, v)); err != nil {
			return "", err
		}
	}
	for _, d := range c.DDL {
		if _, err := Run(ctx, s, Expand(lookupTable(d), vars)); err != nil {
			if c.Error != "" {
				return "exact", nil
			}
			return "", fmt.Errorf("%s: %w", d, err)
		}
	}
	out, err := Run(ctx, s, Expand(c.Query, vars))
	if c.Error != "" {
		if err == nil {
			return "", fmt.Errorf("accepted, but Flink says %s", c.Error)
		}
		if strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "internal") {
			return "", err
		}
		return "exact", nil
	}
	if err != nil {
		return "", err
	}
	for _, name := range c.Sinks {
		got, err := ReadSink(vars[name])
		if err != nil {
			return "", err
		}
		want := slices.Clone(c.Rows[name])
		slices.Sort(want)
		if !slices.Equal(got, want) {
			return "", fmt.Errorf("sink %s\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	if c.Schema == nil {
		return "exact", nil
	}
	var types []string
	for i, f := range out.Schema.Fields {
		types = append(types, f.Name+" "+f.Type.String())
		if i < len(c.Schema) && (c.Schema[i].Name != f.Name || c.Schema[i].Type != f.Type.String()) {
			how = fmt.Sprintf("column %s %s, Flink has %s %s", f.Name, f.Type, c.Schema[i].Name, c.Schema[i].Type)
		}
	}
	if len(out.Schema.Fields) != len(c.Schema) {
		return "", fmt.Errorf("schema %v, want %v", types, c.Schema)
	}
	want := Plain(c.Changes)
	got := canonical(out.Changes)
	want = canonical(want)
	if a, b := Fold(got), Fold(want); !slices.Equal(a, b) && (c.FinalStable == nil || *c.FinalStable) {
		return "", fmt.Errorf("final rows\n got %q\nwant %q\nchangelog\n got %s\nwant %s", a, b, lines(got), lines(want))
	}
	if how != "" {
		return how, nil
	}
	if slices.EqualFunc(got, want, slices.Equal[[]string]) {
		return "exact", nil
	}
	if c.Stable != nil && !*c.Stable {
		return "exact", nil
	}
	return fmt.Sprintf("changelog\n got %s\nwant %s", lines(got), lines(want)), nil
}

// lookupTable puts a CSV file in place of the connector for lookups that the
// recording brought with it.
func lookupTable(ddl string) string {
	ddl = strings.ReplaceAll(ddl, "'connector'='lab-lookup'", "'connector'='filesystem','format'='csv'")
	return strings.ReplaceAll(ddl, "'connector' = 'lab-lookup'", "'connector' = 'filesystem', 'format' = 'csv'")
}

// canonical sorts the entries of maps, whose order means nothing.
func canonical(rows [][]string) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		out[i] = slices.Clone(r)
		for k, c := range out[i] {
			if strings.HasPrefix(c, "{") && strings.HasSuffix(c, "}") && !strings.Contains(c, ":") {
				parts := strings.Split(c[1:len(c)-1], ", ")
				slices.Sort(parts)
				out[i][k] = "{" + strings.Join(parts, ", ") + "}"
			}
		}
	}
	return out
}

func lines(rows [][]string) string {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString("\n  " + strings.Join(r, " | "))
	}
	return b.String()
}

// knownFailures are cases that differ, with the reason.
var knownFailures = map[string]string{
	"lateral_topn": "Flink leaves the replaced row in its result: it sends +U without -U",
}
