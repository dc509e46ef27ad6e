package sqltest

import (
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
)

// TestOracleTime runs recorded queries of windows, OVER, Top-N and joins by time
// over input with late rows. Their final rows are Flink's.
func TestOracleTime(t *testing.T) {
	cases, err := Load(corpus.Oracle(t, "time"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) < 60 {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			how, err := check(t, c, exactly("1"))
			if err != nil {
				t.Error(err)
			} else if how != "exact" {
				t.Log(how)
			}
		})
	}
}
