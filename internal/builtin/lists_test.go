package builtin

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/function"
)

// TestListsAreComplete names the functions of Flink and of RocketMQ-Streams
// that do not exist. Those with a remark behind = are found elsewhere.
func TestListsAreComplete(t *testing.T) {
	t.Parallel()
	check := func(file string, set *function.Set) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, missing := 0, []string(nil)
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			name, remark, elsewhere := strings.Cut(line, " = ")
			switch {
			case elsewhere && strings.TrimSpace(remark) == "":
				t.Errorf("%s: %s has an empty remark", file, name)
			case elsewhere && (remark == "table function" || remark == "aggregate"):
				if !slices.ContainsFunc(set.Lookup(name), func(d *function.Def) bool {
					return d.Table != nil && remark == "table function" || d.Aggregate != nil && remark == "aggregate"
				}) {
					t.Errorf("%s: %s is no %s", file, name, remark)
				}
			case elsewhere:
			case set.Has(name):
				found++
			default:
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: %d there, missing: %s", file, found, strings.Join(missing, ", "))
		}
		t.Logf("%s: %d there", file, found)
	}
	check("testdata/functions-flink.txt", All())
	check("testdata/functions-etl.txt", Script())
	check("testdata/functions-etl.txt", All())
	check("testdata/functions-etl.txt", Rsqldb())
}
