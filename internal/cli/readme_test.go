package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
)

// figures are what differs from run to run.
var figures = regexp.MustCompile(`in [0-9.]+m?s:|[0-9,]+ rows/s`)

// TestReadme types what README.md types and compares what it shows: a line that
// is … stands for any lines.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the demo")
	}
	t.Parallel()
	root := corpus.Root(t)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"detect.sql", "events.jsonl.gz"} {
		b, err := os.ReadFile(filepath.Join(root, "examples/detect", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	typed := 0
	for i, block := range strings.Split(string(readme), "```") {
		if i%2 == 0 || !strings.HasPrefix(block, "\n$ ") {
			continue
		}
		for _, part := range strings.Split(block, "\n$ ")[1:] {
			command, shown, _ := strings.Cut(part, "\n")
			shown = strings.TrimSpace(shown)
			command = strings.TrimPrefix(command, "cd examples/detect && ")
			if file, ok := strings.CutPrefix(command, "cat "); ok {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(shown+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				continue
			}
			typed++
			cmd := exec.Command("bash", "-c", command)
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput() // a mistake is shown too
			got := figures.ReplaceAllString(strings.TrimSpace(string(out)), "#")
			want := figures.ReplaceAllString(shown, "#")
			if rest, ok := strings.CutPrefix(want, "…\n"); ok {
				if !strings.HasSuffix(got, rest) {
					t.Errorf("%s ends with\n%s\nnot with\n%s", command, got[max(0, len(got)-len(rest)-200):], rest)
				}
				continue
			}
			if got != want {
				t.Errorf("%s prints\n%s\nnot\n%s", command, got, want)
			}
		}
	}
	if typed < 5 {
		t.Errorf("only %d commands are typed", typed)
	}
}
