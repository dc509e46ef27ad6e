package builtin

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// bindCase makes the Call of UPPER and LOWER. A letter may become several
// ('ß' is 'SS'): a CHAR, whose length is fixed, is cut to it.
func bindCase(appendCase func(cases.Caser, []byte, string) []byte) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(_ *function.Context, _ []function.Arg, result types.Type) (function.Call, error) {
		caser := cases.Upper(language.Und)
		if string(appendCase(caser, nil, "A")) == "a" {
			caser = cases.Lower(language.Und)
		}
		if result.Kind != types.Char {
			return function.CallAppend1(func(dst []byte, s string) []byte { return appendCase(caser, dst, s) }), nil
		}
		return function.CallAppend1(func(dst []byte, s string) []byte {
			at := len(dst)
			dst = appendCase(caser, dst, s)
			if len(dst)-at > result.Prec {
				dst = dst[:at+offsetBytes(dst[at:], result.Prec)]
			}
			return dst
		}), nil
	}
}

func offsetBytes(b []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(b); n-- {
		for i++; i < len(b) && b[i]&0xC0 == 0x80; i++ {
		}
	}
	return i
}

// appendUpper maps ASCII itself and leaves the rest to c.
func appendUpper(c cases.Caser, dst []byte, s string) []byte {
	if !isASCII(s) {
		return append(dst, c.String(s)...)
	}
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b >= 'a' && b <= 'z' {
			b -= 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

func appendLower(c cases.Caser, dst []byte, s string) []byte {
	if !isASCII(s) {
		return append(dst, c.String(s)...)
	}
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}
