// Package docs holds the documents to the program: what can be written by the
// program is, options and dependencies are complete, and the paths that are
// named exist. With UPDATE=1 its tests write what the program writes.
package docs

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/cli"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/corpus"
)

func read(t *testing.T, elem ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{corpus.Root(t)}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// is compares a document with what the program writes, or writes it.
func is(t *testing.T, name, want string) {
	t.Helper()
	path := filepath.Join(corpus.Root(t), "docs", name)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/%s is not what the program says (%v): run make docs", name, err)
	}
}

// output is what a command prints.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Run(context.Background(), cli.Host{Connectors: connectors.Connectors(), Formats: formats.Formats(),
		IO: connector.Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}}, args)
	if code != 0 {
		t.Fatalf("runnel %s: %d: %s", strings.Join(args, " "), code, errs.String())
	}
	return out.String()
}

func TestFunctions(t *testing.T)  { is(t, "functions.md", output(t, "functions", "--markdown")) }
func TestConnectors(t *testing.T) { is(t, "connectors.md", output(t, "connectors", "--markdown")) }

// TestOptions writes the tables of SET's options between the marks in docs/sql.md.
func TestOptions(t *testing.T) {
	var with, without strings.Builder
	with.WriteString("| option | default | |\n| - | - | - |\n")
	var names []string
	for _, k := range compile.Known() {
		if !k.Effect {
			names = append(names, "`"+k.Key+"`")
			continue
		}
		doc := k.Doc
		if len(k.Enum) > 0 {
			doc += " One of " + strings.Join(k.Enum, ", ") + "."
		}
		fmt.Fprintf(&with, "| `%s` | %s | %s |\n", k.Key, k.Default, strings.ReplaceAll(doc, "|", `\|`))
	}
	fmt.Fprintf(&without, "\nTaken, so that scripts written for Flink run, but without effect (a warning says so): %s.\n", strings.Join(names, ", "))
	const begin, end = "<!-- options: written by make docs -->\n", "<!-- end of options -->"
	text := read(t, "docs", "sql.md")
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/sql.md has no marks for the options")
	}
	is(t, "sql.md", before+begin+with.String()+without.String()+end+after)
}

// documents are the Markdown files of the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var out []string
	root := corpus.Root(t)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if d.IsDir() && (rel == "testdata" || strings.HasPrefix(d.Name(), ".") && rel != "." || rel == "bin") {
			return fs.SkipDir
		}
		if strings.HasSuffix(rel, ".md") {
			out = append(out, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	code = regexp.MustCompile("`([A-Za-z0-9_.*-]+(?:/[A-Za-z0-9_.*-]+)+/?)`")
	// quoted is code, in which brackets are no links.
	quoted = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	// rooted are the folders a path in backquotes begins with, if it is one of ours.
	rooted = regexp.MustCompile(`^(bench|cmd|connector|connectors|docs|examples|format|function|internal|option|runneltest|scripts|testdata|types|udf|vector|\.ci)/`)
)

// TestPathsExist holds that links and paths lead somewhere.
func TestPathsExist(t *testing.T) {
	root := corpus.Root(t)
	for _, doc := range documents(t) {
		text := read(t, doc)
		for _, m := range link.FindAllStringSubmatch(quoted.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, m[1])
			}
		}
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			if !rooted.MatchString(m[1]) {
				continue
			}
			if found, _ := filepath.Glob(filepath.Join(root, m[1])); len(found) == 0 {
				t.Errorf("%s names %s, which is not there", doc, m[1])
			}
		}
	}
}

// TestPackages writes the packages with the first sentence of their comments
// between the marks in docs/ARCHITECTURE.md. Without UPDATE=1 it only asks that
// all of them are named there and no others.
func TestPackages(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}\t{{len .GoFiles}}", "github.com/runnelio/runnel/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| package | |\n| - | - |\n")
	var want []string
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		name := strings.TrimPrefix(strings.TrimPrefix(f[0], "github.com/runnelio/runnel"), "/")
		if len(f) < 3 || f[2] == "0" && f[1] == "" { // tests only
			continue
		}
		if strings.HasPrefix(name, "bench/") || strings.HasPrefix(name, "examples/") {
			continue // programs that say what they are
		}
		if name == "" {
			name = "."
		}
		want = append(want, name)
		fmt.Fprintf(&table, "| `%s` | %s |\n", name, strings.ReplaceAll(f[1], "|", `\|`))
	}
	const begin, end = "<!-- packages: written by make docs -->\n", "<!-- end of packages -->"
	before, rest, ok := strings.Cut(read(t, "docs", "ARCHITECTURE.md"), begin)
	now, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/ARCHITECTURE.md has no marks for the packages")
	}
	if os.Getenv("UPDATE") == "1" {
		is(t, "ARCHITECTURE.md", before+begin+table.String()+end+after)
		return
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(now, -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("docs/ARCHITECTURE.md lists the packages\n%v\nand there are\n%v\nrun make docs", got, want)
	}
}

// TestDependencies holds that docs/dependencies.md lists exactly the direct
// modules of go.mod.
func TestDependencies(t *testing.T) {
	var want []string
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+([a-z0-9.]+\.[a-z]+/\S+) v\S+$`).FindAllStringSubmatch(read(t, "go.mod"), -1) {
		want = append(want, m[1])
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "docs", "dependencies.md"), -1) {
		got = append(got, m[1])
	}
	if len(want) < 5 {
		t.Fatalf("only %d modules found in go.mod", len(want))
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("docs/dependencies.md does not say why %s is needed", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("docs/dependencies.md lists %s, which is no direct dependency", g)
		}
	}
}

// TestFlagsOfRun holds that docs/operations.md names every flag of run.
func TestFlagsOfRun(t *testing.T) {
	text := read(t, "docs", "operations.md")
	for _, m := range regexp.MustCompile(`--[a-z-]+`).FindAllString(output(t, "run", "--help"), -1) {
		if m != "--help" && !strings.Contains(text, "`"+m) {
			t.Errorf("docs/operations.md says nothing of %s", m)
		}
	}
}
