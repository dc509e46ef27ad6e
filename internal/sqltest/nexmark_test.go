package sqltest

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/corpus"
)

// TestNexmark runs the Nexmark queries and compares their final rows with Flink's.
func TestNexmark(t *testing.T) {
	if testing.Short() {
		t.Skip("100,000 events a query")
	}
	dir := corpus.Oracle(t, "nexmark")
	raw, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(t.TempDir(), "events.jsonl")
	if err := gunzip(filepath.Join(dir, "events.jsonl.gz"), data); err != nil {
		t.Fatal(err)
	}
	ddl, err := os.ReadFile(filepath.Join(dir, "ddl.sql"))
	if err != nil {
		t.Fatal(err)
	}
	side := filepath.Join(t.TempDir(), "side.csv")
	var table strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&table, "%d,%d\n", i, i)
	}
	if err := os.WriteFile(side, []byte(table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 23 {
		name := fmt.Sprintf("q%d", i)
		t.Run(name, func(t *testing.T) {
			q, err := os.ReadFile(filepath.Join(dir, name+".sql"))
			if err != nil {
				t.Fatal(err)
			}
			s, err := Session(nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			start := time.Now()
			if name == "q12" {
				processingTime(t, ctx, s, Expand(lookupTable(string(ddl)+"\n"+string(q)), map[string]string{"DATA": data, "SIDE": side}), filepath.Join(dir, "q12.csv"))
				return
			}
			out, err := Run(ctx, s, Expand(lookupTable(string(ddl)+"\n"+string(q)), map[string]string{"DATA": data, "SIDE": side}))
			var want struct {
				Rows   int    `json:"rows"`
				Sum    string `json:"sha256"`
				Error  string `json:"error"`
				Schema []Column
			}
			if err := json.Unmarshal(entries[name], &want); err != nil {
				t.Fatal(err)
			}
			if want.Error != "" {
				if err == nil {
					t.Errorf("accepted, but Flink says %s", want.Error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range want.Schema {
				if f := out.Schema.Fields[i]; f.Name != c.Name || f.Type.String() != c.Type {
					t.Errorf("column %s %s, want %s %s", f.Name, f.Type, c.Name, c.Type)
				}
			}
			rows := Fold(out.Changes)
			for i, r := range rows {
				rows[i] = strings.ReplaceAll(strings.ReplaceAll(r, "\x1f", ","), "<NULL>", "")
			}
			slices.Sort(rows)
			sum := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(rows, "\n")+"\n")))
			if len(rows) != want.Rows || sum != want.Sum {
				t.Errorf("%d rows with sum %.8s, want %d with %.8s; first %s", len(rows), sum, want.Rows, want.Sum, first(rows))
			}
			t.Logf("%d rows, %d changes, %s", len(rows), len(out.Changes), time.Since(start).Round(time.Millisecond))
		})
	}
}

// processingTime checks q12, whose windows depend on the clock: flushed at the
// end, the counts of each bidder add up to what they are without windows.
func processingTime(t *testing.T, ctx context.Context, s *compile.Session, script, want string) {
	t.Helper()
	raw, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	out, err := Run(ctx, s, "SET 'window.flush-at-end' = 'true';\n"+script)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int{}
	for _, r := range out.Changes {
		n, err := strconv.Atoi(r[2])
		if r[0] != "+I" || err != nil {
			t.Fatalf("row %q", r)
		}
		sums[r[1]] += n
	}
	var got []string
	for bidder, n := range sums {
		got = append(got, fmt.Sprintf("%s,%d", bidder, n))
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		t.Errorf("%d sums, want %d; first %s and %s", len(got), len(lines), first(got), first(lines))
	}
}

func first(rows []string) string {
	if len(rows) == 0 {
		return "none"
	}
	return rows[0]
}

func gunzip(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, z); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
