package file

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
)

// What finds no file is an error that names what was looked for, or with the
// option an empty table.
func TestNothingToRead(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "full", "a.log"), []byte("{}\n"))
	if err := os.MkdirAll(filepath.Join(dir, "void"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, regex string
		want        string // in the error, "" for none
		warns       string // of the log
	}{
		{"full", "", "", ""},
		{"full/*.log", "", "", ""},
		{"full", ".*/a\\.log", "", ""},
		{"full/*.jsn", "", "no file matches the pattern '" + dir + "/full/*.jsn'", ""},
		{"nope/*", "", "no file matches the pattern '" + dir + "/nope/*'", ""},
		{"nope", "", "nope: no such file or directory", ""},
		{"full", "a\\.log", "none of the 1 files below " + dir + "/full matches 'source.path.regex-pattern' = 'a\\.log'", ""},
		{"void", "", "", "has no files: the table is empty"},
		{"void", ".*", "", "has no files: the table is empty"},
	} {
		for _, allow := range []bool{false, true} {
			opts := map[string]string{"path": c.path}
			if c.regex != "" {
				opts["source.path.regex-pattern"] = c.regex
			}
			if allow {
				opts["source.allow-empty"] = "true"
			}
			var log bytes.Buffer
			cx := testContext(dir)
			cx.Log = slog.New(slog.NewTextHandler(&log, nil))
			s, err := Connector.Source(cx, testTable(t, opts))
			if err != nil {
				t.Fatal(err)
			}
			splits, err := s.(connector.Source).Splits(t.Context())
			switch {
			case c.want == "" || allow:
				if err != nil {
					t.Errorf("%v: %v", opts, err)
				}
			case err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "'source.allow-empty' = 'true'"):
				t.Errorf("%v: %v, want %s", opts, err, c.want)
			}
			if found := c.want == "" && c.warns == ""; found != (len(splits) == 1) {
				t.Errorf("%v: %d splits", opts, len(splits))
			}
			if warned := strings.Count(log.String(), "level=WARN"); !allow && warned != strings.Count(c.warns, "empty") || !strings.Contains(log.String(), c.warns) && !allow {
				t.Errorf("%v: log %q", opts, log.String())
			}
		}
	}
}

// A source that goes on warns once that nothing is there, and waits.
func TestNothingToFollow(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"later", "later/*.log", "."} {
		var log bytes.Buffer
		cx := testContext(dir)
		cx.Log = slog.New(slog.NewTextHandler(&log, nil))
		s, err := Connector.Source(cx, testTable(t, map[string]string{"path": path, "source.monitor-interval": "1ms"}))
		if err != nil {
			t.Fatal(err)
		}
		splits, err := s.(connector.Source).Splits(t.Context())
		if err != nil || len(splits) > 0 || strings.Count(log.String(), "no file is there yet") != 1 {
			t.Errorf("%s: %v, %v, log %q", path, splits, err, log.String())
		}
	}
}
