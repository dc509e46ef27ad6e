// Package layers holds the direction of imports: its one test is the truth of
// the table in docs/ARCHITECTURE.md.
package layers

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/runnelio/runnel"

// rows are the layers from the bottom up. A package imports only packages of
// lower rows; inside a row, only those named after it in the same chain. A name
// that ends in /... stands for the folders below it.
var rows = []struct {
	name   string
	chains []string // "a ▸ b": a may import b
}{
	{"vocabulary", []string{"vector ▸ types", "internal/metrics", "option ▸ internal/diag"}},
	{"SPI", []string{
		"udf/... ▸ function ▸ format",
		"connectors/all ▸ connectors/... ▸ connector/... ▸ connector ▸ format",
		"connectors/... ▸ format/...", "connector/alone ▸ connector/buffered ▸ connector ▸ format",
		"format/all ▸ format/changelog ▸ format/logfmt ▸ format/json ▸ format/... ▸ format/convert ▸ format",
	}},
	{"language", []string{"internal/sql ▸ internal/sql/ast", "internal/catalog ▸ internal/sql/ast", "internal/kernel", "internal/multimatch ▸ internal/regex"}},
	{"planning", []string{
		"internal/compile ▸ internal/physical ▸ internal/optimize ▸ internal/bind ▸ internal/eval ▸ internal/plan",
		"internal/compile ▸ internal/builtin", "internal/bind ▸ internal/builtin", "internal/bind ▸ internal/rulefile ▸ internal/plan",
	}},
	{"execution", []string{"internal/exec/... ▸ internal/exec/aggregate ▸ internal/exec ▸ internal/ruleindex ▸ internal/state", "internal/sigma ▸ internal/ruleindex"}},
	{"runtime", []string{"internal/runtime ▸ internal/shuffle ▸ internal/checkpoint ▸ internal/state/...", "internal/flinkjob"}},
	{"engine", []string{"internal/engine"}},
	{"SDK", []string{"runneltest ▸ .", "."}},
	{"hosts", []string{"cmd/... ▸ internal/cli ▸ internal/server"}},
}

// outside is what may import anything, but is itself imported by tests and by
// each other only.
var outside = []string{"bench/...", "examples/...", "internal/simtest", "internal/sqltest", "internal/difftest", "internal/layers", "internal/docs", "internal/chaos/...", "internal/corpus", "internal/exec/exectest", "internal/services/...", "internal/services", "cmd/services"}

type place struct{ row, chain, at int }

// places finds where a package stands; a package may be in several chains of a row.
func places(pkg string) (out []place, exact bool) {
	for pass := range 2 {
		for r, row := range rows {
			for c, chain := range row.chains {
				for i, p := range strings.Split(chain, " ▸ ") {
					below, wide := strings.CutSuffix(p, "/...")
					if pass == 0 && p == pkg || pass == 1 && wide && strings.HasPrefix(pkg, below+"/") {
						out = append(out, place{r, c, i})
					}
				}
			}
		}
	}
	return out, len(out) > 0
}

func isOutside(pkg string) bool {
	return slices.ContainsFunc(outside, func(o string) bool {
		below, wide := strings.CutSuffix(o, "/...")
		return pkg == o || wide && (pkg == below || strings.HasPrefix(pkg, below+"/"))
	})
}

// allowed tells whether from may import to.
func allowed(from, to string) bool {
	if isOutside(from) {
		return true
	}
	a, ok := places(from)
	b, ok2 := places(to)
	if !ok || !ok2 {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			if y.row < x.row || y.row == x.row && y.chain == x.chain && (y.at > x.at || y.at == x.at && strings.HasPrefix(to, from+"/")) {
				return true
			}
		}
	}
	return false
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		from := short(p.ImportPath)
		if _, ok := places(from); !ok && !isOutside(from) {
			t.Errorf("%s is in no layer", from)
			continue
		}
		for _, i := range p.Imports {
			if i != module && !strings.HasPrefix(i, module+"/") {
				continue
			}
			to := short(i)
			if isOutside(to) && !isOutside(from) {
				t.Errorf("%s imports %s, which is for tests, benchmarks and examples", from, to)
			} else if !isOutside(to) && !allowed(from, to) {
				t.Errorf("%s may not import %s", from, to)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages seen", seen)
	}
}

// TestTheTableForbids shows that the check can fail.
func TestTheTableForbids(t *testing.T) {
	for _, c := range [][2]string{
		{"types", "vector"}, {"internal/bind", "internal/exec"}, {"connector", "internal/exec"},
		{"internal/plan", "internal/bind"}, {"format/json", "connector"}, {"internal/runtime", "."},
	} {
		if allowed(c[0], c[1]) {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	if !allowed("internal/runtime", "internal/exec/join") || !allowed("internal/compile", "internal/sql") {
		t.Error("a downward import is refused")
	}
}

// TestExecutionSeesNoSQL: operators know batches and plain structs, no text.
func TestExecutionSeesNoSQL(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/internal/exec/...", module+"/internal/runtime/...", module+"/internal/state/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		for _, i := range f[1:] {
			switch short(i) {
			case "internal/sql", "internal/sql/ast", "internal/catalog", "internal/bind", "internal/compile":
				t.Errorf("%s imports %s", short(f[0]), short(i))
			}
		}
	}
}

func short(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
