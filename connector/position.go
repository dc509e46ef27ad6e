package connector

import (
	"fmt"
	"strings"
)

// ShowPosition is a position as people read it: numbers without the zeros that
// make positions ordered bytewise, other bytes in hexadecimal.
func ShowPosition(p Position) string {
	switch p {
	case "":
		return "the start"
	case "\xff":
		return "its end"
	}
	for _, c := range []byte(p) {
		if c < 0x20 || c > 0x7e {
			return fmt.Sprintf("%x", p)
		}
	}
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		// A zero goes if it begins a number and is not all of it.
		if p[i] == '0' && i+1 < len(p) && digit(p[i+1]) && (b.Len() == 0 || !digit(b.String()[b.Len()-1])) {
			continue
		}
		b.WriteByte(p[i])
	}
	return b.String()
}
