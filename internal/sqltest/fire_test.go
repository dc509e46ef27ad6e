package sqltest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFireModes sets the fire mode in every place it can be set. A row comes
// after its window has been emitted.
func TestFireModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.jsonl")
	var lines []string
	for _, second := range []string{"01", "03", "12", "04", "30"} {
		lines = append(lines, `{"t": "2024-01-01 00:00:`+second+`.000"}`)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const (
		once  = "+I 0 2, +I 10 1, +I 30 1"
		parts = "+I 0 2, +I 0 1, +I 10 1, +I 30 1"
		whole = "+I 0 2, -U 0 2, +U 0 3, +I 10 1, +I 30 1"
		query = "WITH x AS (SELECT * FROM t ${hint}) SELECT EXTRACT(SECOND FROM window_start), COUNT(*) FROM TUMBLE(TABLE x, DESCRIPTOR(t), INTERVAL '10' SECOND) GROUP BY window_start, window_end ${emit}"
	)
	f := func(name, set, with, hint, want string) {
		t.Helper()
		s, err := Session(exactly("1"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := Run(t.Context(), s, Expand(set+`CREATE TABLE t (t TIMESTAMP(3), WATERMARK FOR t AS t)
			WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'json'${with}); `+query,
			map[string]string{"path": path, "with": with, "hint": hint, "emit": ""}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		var got []string
		for _, r := range out.Changes {
			got = append(got, strings.Join(r, " "))
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("%s: %s, want %s", name, g, want)
		}
	}
	f("default", "", "", "", once)
	f("setting 1", "SET 'window.fire-mode' = '1'; SET 'table.exec.emit.allow-lateness' = '30 s';", "", "", parts)
	f("setting 2", "SET 'window.fire-mode' = '2'; SET 'table.exec.emit.allow-lateness' = '30 s';", "", "", whole)
	f("lateness alone", "SET 'table.exec.emit.allow-lateness' = '30 s';", "", "", whole)
	f("option 1", "", ", 'window.fire-mode' = '1', 'window.allow-lateness' = '30 s'", "", parts)
	f("option 2 over setting", "SET 'window.fire-mode' = '1';", ", 'window.fire-mode' = '2', 'window.allow-lateness' = '30 s'", "", whole)
	f("hint 1", "", "", "/*+ OPTIONS('window.fire-mode' = '1', 'window.allow-lateness' = '30 s') */", parts)
	f("hint 0 over option", "", ", 'window.fire-mode' = '2', 'window.allow-lateness' = '30 s'", "/*+ OPTIONS('window.fire-mode' = '0', 'window.allow-lateness' = '0 s') */", once)

	// EMIT of a statement.
	s, err := Session(exactly("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, Expand(`CREATE TABLE t (t TIMESTAMP(3), WATERMARK FOR t AS t)
		WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'json')`, map[string]string{"path": path})); err != nil {
		t.Fatal(err)
	}
	text := Expand(query, map[string]string{"hint": "", "emit": "EMIT WITH DELAY '5' SECOND AFTER WATERMARK, WITH DELAY '7' SECOND BEFORE WATERMARK"})
	plan, err := explain(t.Context(), s, "SET 'sql.dialect' = 'rsqldb'; EXPLAIN "+text)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, "emit=[") || !strings.Contains(plan, "5s") || !strings.Contains(plan, "7s") {
		t.Errorf("EMIT is not in the plan:\n%s", plan)
	}
	// Late emissions without late rows make no sense.
	if _, err := Run(t.Context(), s, "SET 'table.exec.emit.late-fire.enabled' = 'true'; "+Expand(query, map[string]string{"hint": "", "emit": ""})); err == nil || !strings.Contains(err.Error(), "no late rows") {
		t.Errorf("late fire without lateness: %v", err)
	}
}

// TestFireTimeNeedsAWindow refuses what has no meaning.
func TestFireTimeNeedsAWindow(t *testing.T) {
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), s, "SELECT PANE(), COUNT(*) FROM (VALUES (1)) AS t(a) GROUP BY a")
	if err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("PANE without window: %v", err)
	}
}
