package builtin

import (
	"strings"
	"testing"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

func TestCaseOfASCIIByWords(t *testing.T) {
	t.Parallel()
	var all []byte
	for c := range 128 {
		all = append(all, byte(c))
	}
	upper, lower := cases.Upper(language.Und), cases.Lower(language.Und)
	for from := range 128 {
		for _, n := range []int{0, 1, 7, 8, 9, 17, 40} {
			s := string(all[from:min(from+n, 128)])
			if got := string(appendUpper(upper, []byte("x"), s)); got != "x"+strings.ToUpper(s) {
				t.Errorf("upper %q: %q", s, got)
			}
			if got := string(appendLower(lower, []byte("X"), s)); got != "X"+strings.ToLower(s) {
				t.Errorf("lower %q: %q", s, got)
			}
			if got, want := string(appendUpper(upper, nil, s+"é")), strings.ToUpper(s)+"É"; got != want {
				t.Errorf("upper %q: %q", s, got)
			}
		}
	}
}
