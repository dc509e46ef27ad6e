package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel"
)

// The job in Go gives what the one in SQL does: the same alerts, and the same
// last word on every host.
func TestSameAsSQL(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"detect.sql", "events.jsonl.gz"} {
		b, err := os.ReadFile(filepath.Join("../detect", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(filepath.Join(dir, "detect.sql"))
	var want, got bytes.Buffer
	env, err := runnel.New(runnel.Dir(dir), runnel.Terminal(nil, &want, &want))
	if err != nil {
		t.Fatal(err)
	}
	runs, err := env.ExecuteScript(t.Context(), string(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := runs.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), filepath.Join(dir, "events.jsonl.gz"), filepath.Join(dir, "go"), &got); err != nil {
		t.Fatal(err)
	}
	w, g := lines(t, filepath.Join(dir, "alerts")), lines(t, filepath.Join(dir, "go"))
	if len(w) == 0 || !slices.Equal(w, g) {
		t.Fatalf("%d alerts, want %d", len(g), len(w))
	}
	if a, b := final(got.String()), final(want.String()); len(b) == 0 || !slices.Equal(a, b) {
		t.Fatalf("hosts %v, want %v", a, b)
	}
}

// lines returns the lines of a folder's visible files, in order.
func lines(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), ".") || strings.HasPrefix(f.Name(), "_") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.Split(strings.TrimSpace(string(b)), "\n")...)
	}
	slices.Sort(out)
	return out
}

// final returns the rows a printed changelog ends with, in order.
func final(log string) []string {
	var out []string
	for line := range strings.Lines(log) {
		kind, row := line[:2], strings.TrimSpace(line[2:])
		if kind == "+I" || kind == "+U" {
			out = append(out, row)
			continue
		}
		if i := slices.Index(out, row); i >= 0 {
			out = slices.Delete(out, i, i+1)
		}
	}
	slices.Sort(out)
	return out
}
