package sqltest

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/compile"
)

// TestMoreFunctions evaluates expressions that were recorded after the functions
// were written, of argument kinds the first recording did not have. They hold
// Flink's oddities, too, which are not marked: those that differ are listed in
// testdata/more-differences.txt, and the list must be right. WRITE_DIFFERENCES=1
// writes it again.
func TestMoreFunctions(t *testing.T) {
	const list = "testdata/more-differences.txt"
	cases := loadVectors(t, "functions-more.jsonl")
	known := map[string]bool{}
	if raw, err := os.ReadFile(list); err == nil {
		sc := bufio.NewScanner(strings.NewReader(string(raw)))
		for sc.Scan() {
			known[sc.Text()] = true
		}
	}
	sessions := map[string]*compile.Session{}
	var differ []string
	for _, c := range cases {
		s := sessions[c.Zone]
		if s == nil {
			settings := map[string]string{}
			if c.Zone != "" {
				settings["table.local-time-zone"] = c.Zone
			}
			var err error
			if s, err = Session(settings); err != nil {
				t.Fatal(err)
			}
			sessions[c.Zone] = s
		}
		why := evaluate(s, c, true)
		key := strings.Join(strings.Fields(c.Zone+" "+c.Expr), " ")
		switch {
		case strings.HasPrefix(why, "panic"):
			t.Errorf("%s: %s", c.Expr, why)
		case why != "" && !known[key] && os.Getenv("WRITE_DIFFERENCES") == "":
			t.Errorf("%s: %s", c.Expr, why)
		case why == "" && known[key]:
			t.Errorf("%s agrees now: take it off %s", c.Expr, list)
		}
		if why != "" {
			differ = append(differ, key)
		}
	}
	t.Logf("%d of %d agree", len(cases)-len(differ), len(cases))
	if os.Getenv("WRITE_DIFFERENCES") != "" {
		if err := os.WriteFile(list, []byte(strings.Join(differ, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(differ)*100 > len(cases)*6 {
		t.Errorf("%d of %d differ", len(differ), len(cases))
	}
}
