package builtin

import "strings"

// finder looks for one text in many. It looks for the byte of the text that is
// rarest in logs and messages and compares only there: looking for a byte is
// several times faster than looking for a text, unless the byte is everywhere.
type finder struct {
	text string
	at   int // of the rarest byte
}

// frequent is bytes from the most frequent on; those that are not here are rarer.
const frequent = " \"e:,taoinsrl01d2-._/ucmp3456789hfgbywvk{}[]=xTSAEjqzCDIPRMN()'OLF\n\tBUGHWVK"

func newFinder(text string) finder {
	f := finder{text: text}
	rarest := -1
	for i := range len(text) {
		rank := strings.IndexByte(frequent, text[i])
		if rank < 0 {
			rank = len(frequent)
		}
		if rank > rarest {
			rarest, f.at = rank, i
		}
	}
	return f
}

// in tells whether s holds the text, which is not empty.
func (f finder) in(s string) bool {
	c := f.text[f.at]
	misses := 0
	for from := f.at; from < len(s); {
		j := strings.IndexByte(s[from:], c)
		if j < 0 {
			return false
		}
		begin := from + j - f.at
		if begin+len(f.text) > len(s) {
			return false
		}
		if s[begin:begin+len(f.text)] == f.text {
			return true
		}
		from += j + 1
		if misses++; misses > 4+(from>>5) { // the byte is not rare here
			return strings.Contains(s[begin+1:], f.text)
		}
	}
	return false
}
