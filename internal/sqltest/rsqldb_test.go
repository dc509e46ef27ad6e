package sqltest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

var (
	rsqldbHead  = regexp.MustCompile(`(?m)^## (G\d\d) (.*)$`)
	rsqldbBlock = regexp.MustCompile("(?s)```(sql|jsonl in=(\\w+)|text in=(\\w+)|jsonl out=(\\w+))\n(.*?)```")
)

// rsqldbVariant completes the text of a case: G11 is G10 with another join, and
// the table that G12 has in a database is a file, which the case allows.
func rsqldbVariant(t *testing.T, name, text string, texts map[string]string) string {
	switch name {
	case "G11":
		g10 := texts["G10"]
		if i := strings.Index(g10, "```jsonl out="); i > 0 {
			g10 = g10[:i]
		}
		left := strings.Replace(g10, "FROM p JOIN s", "FROM p LEFT JOIN s", 1)
		if left == g10 {
			t.Fatal("G10 has another text")
		}
		return left + text
	case "G12":
		db := regexp.MustCompile(`WITH \(type = 'db'[^)]*\)`)
		if !db.MatchString(text) {
			t.Fatal("G12 has another text")
		}
		return db.ReplaceAllString(text, "WITH (type = 'file', filePath = 'buyer_dim.jsonl')")
	}
	return text
}

// TestRsqldbCases runs the cases of the older dialect. Sinks that print there are files here.
func TestRsqldbCases(t *testing.T) {
	raw, err := os.ReadFile(corpus.Oracle(t, "rsqldb-cases.md"))
	if err != nil {
		t.Fatal(err)
	}
	heads := rsqldbHead.FindAllStringSubmatchIndex(string(raw), -1)
	if len(heads) == 0 {
		t.Fatal("no cases")
	}
	texts := map[string]string{}
	for i, h := range heads {
		end := len(raw)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		name, text := string(raw[h[2]:h[3]]), string(raw[h[1]:end])
		texts[name] = text
		t.Run(name, func(t *testing.T) { rsqldbCase(t, rsqldbVariant(t, name, text, texts)) })
	}
}

func rsqldbCase(t *testing.T, text string) {
	dir := t.TempDir()
	script := ""
	want := map[string][]string{}
	for _, m := range rsqldbBlock.FindAllStringSubmatch(text, -1) {
		switch {
		case m[1] == "sql":
			script += m[5]
		case m[2]+m[3] != "":
			ending := ".jsonl"
			if m[3] != "" {
				ending = ".txt"
			}
			if err := os.WriteFile(filepath.Join(dir, m[2]+m[3]+ending), []byte(m[5]), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			for _, l := range strings.Split(strings.TrimSpace(m[5]), "\n") {
				if l != "" {
					want[m[4]] = append(want[m[4]], canonicalJSON(t, l))
				}
			}
			if want[m[4]] == nil {
				want[m[4]] = []string{}
			}
		}
	}
	s, err := Session(exactly("1"))
	if err != nil {
		t.Fatal(err)
	}
	script = regexp.MustCompile(`filePath = '`).ReplaceAllString(script, "filePath = '"+dir+"/")
	for name := range want {
		out := regexp.MustCompile(`(?i)(CREATE TABLE ` + name + ` \([^;]*\)\s*)WITH \(type = 'print'\)`)
		script = out.ReplaceAllString(script, "${1}WITH ('connector' = 'filesystem', 'format' = 'json', 'path' = '"+dir+"/sink-"+name+"')")
	}
	full := "SET 'sql.dialect' = 'rsqldb';\nSET 'execution.runtime-mode' = '" + mode(text) + "';\n" + script
	if _, err := sql.Parse(full, sql.Options{}); err != nil {
		t.Fatal(diag.Render(err))
	}
	if _, err := Run(t.Context(), s, full); err != nil {
		t.Fatal(diag.Render(err))
	}
	for name, rows := range want {
		lines, err := ReadSink(filepath.Join(dir, "sink-"+name))
		if err != nil && len(rows) > 0 {
			t.Fatal(err)
		}
		got := []string{}
		for _, l := range lines {
			got = append(got, canonicalJSON(t, l))
		}
		slices.Sort(got)
		slices.Sort(rows)
		if !slices.Equal(got, rows) {
			t.Errorf("%s\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(rows, "\n     "))
		}
	}
}

// mode is batch where the sink would see updates: only its final rows are compared.
func mode(text string) string {
	if strings.Contains(text, "GROUP BY `position`") || strings.Contains(text, "LEFT JOIN s ON") {
		return "batch"
	}
	return "streaming"
}

// canonicalJSON sorts keys, leaves NULLs out, and writes numbers and times one way.
func canonicalJSON(t *testing.T, line string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for k, v := range m {
		switch v := v.(type) {
		case nil:
			delete(m, k)
		case string:
			m[k] = strings.TrimSuffix(strings.TrimSuffix(v, ".000"), ".0")
		case float64:
			m[k] = fmt.Sprint(v)
		}
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
