package builtin

import (
	"encoding/binary"

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
	if res, ok := appendFlipped(dst, s, 'a'); ok {
		return res
	}
	return append(dst, c.String(s)...)
}

func appendLower(c cases.Caser, dst []byte, s string) []byte {
	if res, ok := appendFlipped(dst, s, 'A'); ok {
		return res
	}
	return append(dst, c.String(s)...)
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x80 * everyByte
)

// appendFlipped appends s with the 26 letters from first on in the other case,
// eight bytes at a time; false if s is not ASCII.
func appendFlipped(dst []byte, s string, first byte) ([]byte, bool) {
	at := len(dst)
	dst = append(dst, s...)
	b := dst[at:]
	// Added to a byte of 7 bits these set its high bit from first on, and
	// behind the last letter.
	from, behind := uint64(0x80-first)*everyByte, uint64(0x80-first-26)*everyByte
	for len(b) >= 8 {
		w := binary.LittleEndian.Uint64(b)
		if w&highBits != 0 {
			return dst, false
		}
		letters := ((w + from) ^ (w + behind)) & highBits
		binary.LittleEndian.PutUint64(b, w^letters>>2)
		b = b[8:]
	}
	for i, c := range b {
		if c >= 0x80 {
			return dst, false
		}
		if c-first < 26 {
			b[i] = c ^ 0x20
		}
	}
	return dst, true
}
