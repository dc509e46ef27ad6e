package sqltest

import (
	"testing"
)

// TestValuesAreNotReadTwice kills jobs over VALUES between the commit that holds
// their rows and their end, again and again: the place reached in VALUES is part
// of the commit like that of any source.
func TestValuesAreNotReadTwice(t *testing.T) {
	c := &Case{Name: "values", Query: "SELECT SUM(x) AS s FROM (VALUES (1), (2)) AS t(x)"}
	killed := 0
	for range 100 {
		rows, lives, err := restartedRows(t, c, exactly("1"))
		if err != nil {
			t.Fatal(err)
		}
		if lives > 1 {
			killed++
		}
		if len(rows) != 1 || rows[0] != "3" {
			t.Fatalf("after %d lives: %q, want 3", lives, rows)
		}
	}
	t.Logf("%d of 100 jobs were killed", killed)
	if killed == 0 {
		t.Error("no job lived long enough to be killed: the test shows nothing")
	}
}
