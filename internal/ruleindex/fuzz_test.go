package ruleindex

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/regex"
)

// FuzzGlob compares the matcher of wildcards with a regular expression.
func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add(`*\*?\\x*`, `a*é\x`)
	f.Add("*ab*ab", "abab")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 30 || len(s) > 60 || !utf8.ValidString(pattern) || !utf8.ValidString(s) {
			return
		}
		pieces := Glob(pattern)
		var b strings.Builder
		b.WriteString("(?s)")
		for _, p := range pieces {
			switch {
			case p.Any:
				b.WriteString(".*")
			case p.One:
				b.WriteString(".")
			default:
				for _, r := range p.Text {
					b.WriteString(`\x{` + strings.ToUpper(hexOf(r)) + "}")
				}
			}
		}
		re, err := regex.Compile(b.String(), 0)
		if err != nil {
			t.Fatal(err)
		}
		want, err := re.Matcher().MatchWhole(s)
		if err != nil {
			t.Fatal(err)
		}
		test := textTest{pieces: pieces}
		if got := test.compiled().match(s); got != want {
			t.Fatalf("%q on %q: %v, want %v", pattern, s, got, want)
		}
		if p, ok := test.simple(); ok {
			if got := len(multimatch.New([]multimatch.Pattern{p}).Match(nil, s, new(multimatch.Scratch))) == 1; got != want {
				t.Fatalf("%q as %+v on %q: %v, want %v", pattern, p, s, got, want)
			}
		}
	})
}

func hexOf(r rune) string {
	const digits = "0123456789abcdef"
	if r < 16 {
		return string(digits[r])
	}
	return hexOf(r/16) + string(digits[r%16])
}

// FuzzUnescape compares with the decoder of the standard library.
func FuzzUnescape(f *testing.F) {
	f.Add(`a\nb\u00e9\ud83d\ude00\"\\\/`)
	f.Add(`\ud83dx\ude00`)
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		if !utf8.ValidString(s) || json.Unmarshal([]byte(`"`+s+`"`), &want) != nil {
			appendUnescaped(nil, s) // broken input must not panic
			return
		}
		if got := string(appendUnescaped(nil, s)); got != want {
			t.Fatalf("%q: %q, want %q", s, got, want)
		}
	})
}
