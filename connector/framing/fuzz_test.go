package framing

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/runnelio/runnel/format"
)

// FuzzCut cuts any text in pieces of any size as the model does, and goes on
// from any record as if it had not stopped.
func FuzzCut(f *testing.F) {
	f.Add("a\nb\r\n\"c\nd\"\n\n", uint8(3), uint8(5), true)
	f.Add(strings.Repeat("x", 70)+"\n", uint8(16), uint8(20), false)
	f.Fuzz(func(t *testing.T, text string, chunk, most uint8, quoted bool) {
		o := Options{Framing: format.Lines, Chunk: int(chunk) + 1, MaxRecord: int(most) + 1}
		if quoted {
			o.Framing = format.Quoted
		}
		want, over := model(text, o)
		got, pos, oversize := readAll(t, New(strings.NewReader(text), o))
		if quoted && over+oversize > 0 {
			return // behind a record that is too long quotes count from the next line on
		}
		if !slices.Equal(got, want) || oversize != over {
			t.Fatalf("%q in pieces of %d, at most %d: %q and %d too long, want %q and %d", text, o.Chunk, o.MaxRecord, got, oversize, want, over)
		}
		if one, _, _ := readAll(t, New(iotest.OneByteReader(strings.NewReader(text)), o)); !slices.Equal(one, want) {
			t.Fatalf("%q byte by byte: %q, want %q", text, one, want)
		}
		if len(pos) == 0 {
			return
		}
		k := int(chunk) % len(pos)
		var err error
		if o.Offset, err = ParsePosition(pos[k]); err != nil {
			t.Fatal(err)
		}
		var rest io.Reader = strings.NewReader(text[o.Offset:])
		if more, _, _ := readAll(t, New(rest, o)); !slices.Equal(more, want[k+1:]) && len(more)+len(want[k+1:]) > 0 {
			t.Fatalf("%q from behind record %d: %q, want %q", text, k, more, want[k+1:])
		}
	})
}
