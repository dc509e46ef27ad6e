package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/cli"
	"github.com/runnelio/runnel/internal/corpus"
)

// runSigma runs a command in this process.
func runSigma(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Run(context.Background(), host(connector.Terminal{In: strings.NewReader(""), Out: &o, Err: &e}), args)
	return code, o.String(), e.String()
}

// unpackRules writes the real rules into a folder.
func unpackRules(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(corpus.Real(t, "sigma", "rules.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, ".yml") || !filepath.IsLocal(h.Name) {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The SQL that rules are converted to selects the events that the rules match,
// as the command finds them too: over all events that match one, and some others.
func TestSigmaConvert(t *testing.T) {
	if testing.Short() {
		corpus.Skip(t, "-short: 1,380 views")
	}
	rules := unpackRules(t)
	want := map[string]bool{} // rule and event
	matched := map[string]bool{}
	var names []string
	b, err := os.ReadFile(corpus.Real(t, "sigma", "expected-matches.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var x struct {
			Rule    string
			Matches []string
		}
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		for _, id := range x.Matches {
			want[x.Rule+" "+id], matched[id] = true, true
		}
		if len(x.Matches) > 0 {
			names = append(names, x.Rule)
		}
	}
	dir := t.TempDir()
	events := filepath.Join(dir, "events.jsonl")
	someEvents(t, events, matched)

	hits := filepath.Join(dir, "hits.jsonl")
	code, _, errs := runSigma(t, "sigma", "run", "--rules", rules, "--input", events, "--id-field", "_id", "--output", hits)
	if code != 0 || !strings.Contains(errs, "893 hits") || !strings.Contains(errs, "1386 ok, 455 not run, 1 not imported") {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	got := map[string]bool{}
	b, err = os.ReadFile(hits)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var x struct {
			Rule string
			ID   string `json:"event_id"`
		}
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		got[x.Rule+" "+x.ID] = true
	}
	compare(t, "run", got, want)

	code, sql, errs := runSigma(t, "sigma", "convert", "--ddl", "--rules", rules)
	if code != cli.ExitRejected || !strings.Contains(errs, "1380 rules converted, 462 not") { // one lacks a placeholder's value
		t.Fatalf("exit code %d: %s", code, errs)
	}
	sql = strings.Replace(sql, "events.jsonl", events, 1)
	sql = strings.Replace(sql, "CREATE TABLE events (", "CREATE TABLE events (`_id` STRING,", 1)
	var selects []string
	for _, n := range names {
		view := "sigma_" + strings.ReplaceAll(n, "-", "_")
		if !strings.Contains(sql, view) {
			t.Errorf("%s has matches but no view", n)
			continue
		}
		selects = append(selects, fmt.Sprintf("SELECT `rule`, `_id` FROM `%s`", view))
	}
	script := filepath.Join(dir, "q.sql")
	if err := os.WriteFile(script, []byte(sql+strings.Join(selects, "\nUNION ALL ")+";\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runSigma(t, "query", "-f", script, "--format", "json")
	if code != 0 {
		t.Fatalf("exit code %d: %.2000s", code, errs)
	}
	compare(t, "SQL", pairs(out), want)

	code, out, errs = runSigma(t, "query", "--format", "json", "-e", fmt.Sprintf("CREATE TABLE l (line STRING) WITH ('connector'='filesystem', 'path'='%s', 'format'='raw');\n"+
		"SELECT h.`rule`, JSON_VALUE(line, '$._id') AS `_id` FROM l, LATERAL TABLE(SIGMA(line, '%s')) AS h;", events, rules))
	if code != 0 {
		t.Fatalf("exit code %d: %.2000s", code, errs)
	}
	compare(t, "SIGMA", pairs(out), want)
}

// pairs are rule and event of the rows of a query.
func pairs(out string) map[string]bool {
	got := map[string]bool{}
	for line := range strings.Lines(out) {
		var x struct {
			Row *struct {
				Rule string `json:"rule"`
				ID   string `json:"_id"`
			} `json:"row"`
		}
		if json.Unmarshal([]byte(line), &x) == nil && x.Row != nil {
			got[x.Row.Rule+" "+x.Row.ID] = true
		}
	}
	return got
}

func compare(t *testing.T, what string, got, want map[string]bool) {
	t.Helper()
	var wrong []string
	for k := range want {
		if !got[k] {
			wrong = append(wrong, "missing "+k)
		}
	}
	for k := range got {
		if !want[k] {
			wrong = append(wrong, "unexpected "+k)
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		t.Errorf("%s: %d pairs instead of %d: %.2000q", what, len(got), len(want), wrong)
	}
}

// someEvents writes the events of ids, and every fiftieth.
func someEvents(t *testing.T, path string, ids map[string]bool) {
	t.Helper()
	f, err := os.Open(corpus.Real(t, "windows", "events.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	n := 0
	for line := range bytes.Lines(all) {
		id, _, _ := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"_id":"`)), []byte(`"`))
		if n++; n%50 == 0 || ids[string(id)] {
			out = append(out, line...)
		}
	}
	if err := os.WriteFile(path, out, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSigmaCommands(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := write("rules.yml", "title: Good\nid: good\nlevel: high\ntags: [a.b]\nlogsource: {product: x}\ndetection: {s: {a|endswith: 'Z'}, condition: s}\n"+
		"---\ntitle: Bad\nid: bad\nlogsource: {product: x}\ndetection:\n  s: {a|nope: 1}\n  condition: s\n")
	events := write("events.jsonl", "{\"n\":7,\"a\":\"xyz\"}\nbroken\n{\"n\":8,\"a\":\"xy\"}\n")
	f := func(want int, part string, args ...string) {
		t.Helper()
		code, out, errs := runSigma(t, append([]string{"sigma"}, args...)...)
		if code != want || !strings.Contains(out+errs, part) {
			t.Errorf("%v: exit code %d, not %d, or no %q in\n%s%s", args, code, want, part, out, errs)
		}
	}
	f(2, "rules.yml:12: not imported: the modifier nope is unknown", "check", "--rules", rules)
	f(2, "good: not run: no pipeline maps the log source (product: x)", "check", "--rules", rules)
	f(2, "rules.yml:1: good: ok\n", "check", "--rules", rules, "--all-logsources")
	f(2, "WHERE LOWER(`a`) LIKE '%z';", "convert", "--rules", rules, "--all-logsources")
	f(2, "no rule can be run", "run", "--rules", rules, "--input", events)
	f(2, "no such file", "run", "--rules", rules, "--all-logsources", "--input", filepath.Join(dir, "none"))
	f(2, "no such file", "check", "--rules", filepath.Join(dir, "none"))
	f(2, "built in are windows", "check", "--rules", rules, "--pipeline", "none.yml")
	f(0, `{"rule":"good","title":"Good","level":"high","tags":["a.b"],"event_id":7,"event":{"n":7,"a":"xyz"}}`+"\n",
		"run", "--rules", rules, "--all-logsources", "--input", events, "--id-field", "n")
	f(0, "1 lines left out that are no JSON objects\nleft out: "+events+":2: no JSON", "run", "--rules", rules, "--all-logsources", "--input", events)
	f(1, events+":2: no JSON", "run", "--rules", rules, "--all-logsources", "--input", events, "--strict")
	f(0, `"event_id":null`, "run", "--rules", rules, "--all-logsources", "--input", events, "--input", events, "-o", "-", "--stats")
}

// The SQL of correlations that are known when a window is over gives as many rows
// as the run has hits.
func TestSigmaConvertWindows(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	rules := `title: fail
id: fail
logsource: {product: test}
detection: {s: {e: fail}, condition: s}
---
title: ok
id: ok
logsource: {product: test}
detection: {s: {e: ok}, condition: s}
`
	kinds := map[string]string{
		"few":   "type: event_count, rules: [fail], group-by: [u], timespan: 10s, condition: {lt: 2}",
		"names": "type: temporal, rules: [fail, ok], group-by: [u], timespan: 100s, condition: fail and not ok",
		"med":   "type: value_median, rules: [fail], timespan: 10s, condition: {lte: 2, field: n}",
		"users": "type: value_count, rules: [fail, ok], timespan: 2m, condition: {gte: 2, lte: 30, field: u}",
	}
	for k, c := range kinds {
		rules += "---\ntitle: " + k + "\nid: " + k + "\ncorrelation: {" + c + "}\n"
	}
	var events strings.Builder
	for i := range 400 {
		x := i * i * 31 % 101
		fmt.Fprintf(&events, `{"t":"2024-01-01T00:%02d:%02d.000Z","e":%q,"u":"u%d","n":"%d"}`+"\n", i*2/60, i*2%60, []string{"fail", "fail", "ok"}[x%3], x%7, x%4)
	}
	for name, text := range map[string]string{"rules.yml": rules, "events.jsonl": events.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, ddl, errs := runSigma(t, "sigma", "convert", "--rules", "rules.yml", "--all-logsources", "--ddl", "--timestamp-field", "t")
	if code != 0 {
		t.Fatal(errs)
	}
	_, hits, _ := runSigma(t, "sigma", "run", "--rules", "rules.yml", "--all-logsources", "--input", "events.jsonl", "--timestamp-field", "t")
	for k := range kinds {
		n := strings.Count(hits, `{"rule":"`+k+`"`)
		if n == 0 {
			t.Errorf("%s: no hits", k)
		}
		if err := os.WriteFile("q.sql", []byte(ddl+"SELECT COUNT(*) AS n FROM sigma_"+k+";\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := runSigma(t, "run", "q.sql")
		if last := out[strings.LastIndex(out, "| +")+1:]; code != 0 || !strings.Contains(last, fmt.Sprintf(" %d |", n)) {
			t.Errorf("%s: exit code %d, not %d rows: %s%s", k, code, n, out[max(0, len(out)-200):], errs)
		}
	}
}
