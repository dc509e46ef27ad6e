package cli

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/runnelio/runnel/types"
)

// drawn is a table of one row on a terminal so many columns wide.
func drawn(limit int, cells ...string) []string {
	fields := make([]types.Field, len(cells))
	for i := range cells {
		fields[i] = types.Field{Name: string(rune('a' + i)), Type: types.String()}
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	t := newTableWriter(w, types.NewSchema(fields...), false)
	t.limit = limit
	t.add("", cells)
	t.finish()
	w.Flush()
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// A row is one line of the terminal, whatever it holds: what is drawn over a
// table that updates in place counts lines.
func TestTablesFitTheTerminal(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200)
	for _, limit := range []int{20, 40, 80, 200} {
		for columns := 1; columns <= 30; columns++ {
			cells := make([]string, columns)
			for i := range cells {
				cells[i] = long[:(i*37)%150]
			}
			for _, line := range drawn(limit, cells...) {
				if cellWidth(line) > limit {
					t.Fatalf("%d columns on a terminal of %d: a line of %d", columns, limit, cellWidth(line))
				}
			}
		}
	}
	got := drawn(20, "short", long)
	if want := "| short | xxxxxxx… |"; got[3] != want {
		t.Errorf("%q, want %q", got[3], want)
	}
	got = drawn(20, "aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddd")
	if want := "| aaa… | bbb… | … |"; got[3] != want || got[0] != "+------+------+---+" {
		t.Errorf("%q, want %q", got, want)
	}
	// Without a terminal nothing is left out.
	if got := drawn(0, "a", "b", "c"); got[3] != "| a | b | c |" {
		t.Errorf("%q", got)
	}
}
