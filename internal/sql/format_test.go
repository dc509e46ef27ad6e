package sql_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/sql"
)

// lineComment finds comments that are a line of their own: nothing before them
// could be a text that they are part of.
var lineComment = regexp.MustCompile(`(?m)^\s*--(.*)$`)

// TestFormatOfAllScripts holds that canonical form is the canonical form of
// itself, keeps the comments, and parses to the same, for every script here.
func TestFormatOfAllScripts(t *testing.T) {
	t.Parallel()
	n := 0
	for _, root := range []string{"../../testdata", "../../examples"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".sql" {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			src := string(b)
			for _, dialect := range []string{"", "rsqldb"} {
				o := sql.Options{Dialect: dialect}
				before, err := sql.Parse(src, o)
				if err != nil {
					continue // the other dialect, or a script that is to be refused
				}
				n++
				got, err := sql.FormatScript(src, o)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					continue
				}
				if again, err := sql.FormatScript(got, o); err != nil || again != got {
					t.Errorf("%s: formatted twice it differs: %v\n%s\nthen\n%s", path, err, got, again)
				}
				after, err := sql.Parse(got, o)
				if err != nil || len(after) != len(before) {
					t.Errorf("%s: %d statements become %d, %v", path, len(before), len(after), err)
				}
				for i := range min(len(after), len(before)) {
					if a, b := sql.Format(before[i]), sql.Format(after[i]); a != b {
						t.Errorf("%s: statement %d becomes another:\n%s\n%s", path, i, a, b)
					}
				}
				for _, c := range lineComment.FindAllStringSubmatch(src, -1) {
					if !strings.Contains(got, strings.TrimSpace(c[1])) {
						t.Errorf("%s: the comment %q is lost", path, c[1])
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 25 {
		t.Errorf("only %d scripts", n)
	}
}
