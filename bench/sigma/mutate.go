package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	idLine  = regexp.MustCompile(`(?m)^id: .*$`)
	literal = regexp.MustCompile(`(?m)^(\s+- ['"])(.*)(['"])\s*$`)
	letters = regexp.MustCompile(`[A-Za-z]{3,}`)
)

// mutated fills docs up to n rules with copies that have other ids and in whose
// listed literals words are changed, as rules for other programs would be.
func mutated(docs []string, n int, rnd *rand.Rand) ([]string, error) {
	out := append([]string(nil), docs...)
	for len(out) < n {
		src := docs[rnd.IntN(len(docs))]
		if !idLine.MatchString(src) {
			return nil, fmt.Errorf("a rule without an id: %.60q", src)
		}
		at := strings.Index(src, "detection:")
		head := idLine.ReplaceAllString(src[:at], fmt.Sprintf("id: mutated-%d", len(out)))
		body := literal.ReplaceAllStringFunc(src[at:], func(line string) string {
			m := literal.FindStringSubmatch(line)
			if rnd.IntN(3) == 0 || strings.ContainsAny(m[2], "[](){}+^$:") { // an expression or network, maybe
				return line
			}
			return m[1] + letters.ReplaceAllStringFunc(m[2], func(w string) string { return mix(w, rnd) }) + m[3]
		})
		out = append(out, head+body)
	}
	return out, nil
}

// mix changes a letter or two of a word.
func mix(w string, rnd *rand.Rand) string {
	b := []byte(w)
	for range 1 + rnd.IntN(2) {
		b[rnd.IntN(len(b))] = byte('a' + rnd.IntN(26))
	}
	return string(b)
}
