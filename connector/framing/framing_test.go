package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/runnelio/runnel/format"
)

// model cuts text in the obvious way; long records are left out.
func model(text string, o Options) (recs []string, oversize int) {
	for text != "" {
		end := -1
		quoted := false
		for i := range len(text) {
			if o.Framing == format.Quoted && text[i] == '"' {
				quoted = !quoted
			}
			if text[i] == '\n' && !quoted {
				end = i
				break
			}
		}
		rec := text
		if end >= 0 {
			rec, text = text[:end], text[end+1:]
		} else {
			text = ""
		}
		if len(rec) > o.MaxRecord {
			oversize++
			continue
		}
		recs = append(recs, strings.TrimSuffix(rec, "\r"))
	}
	return recs, oversize
}

func readAll(t testing.TB, c *Cutter) (recs, pos []string, oversize int) {
	t.Helper()
	parcels := []*format.Records{{}, {}} // two go round, as in the engine
	for k := 0; ; k++ {
		into := parcels[k&1]
		err := c.Read(into)
		for i, v := range into.Val {
			recs = append(recs, string(into.Buf[v.Off:v.Off+v.Len]))
			pos = append(pos, into.Position(i))
		}
		oversize += into.Oversize
		if len(into.OversizeHead) != into.Oversize {
			t.Fatalf("%d heads of %d", len(into.OversizeHead), into.Oversize)
		}
		if err == io.EOF {
			return recs, pos, oversize
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(into.Val) == 0 && into.Oversize == 0 {
			t.Fatal("a read without records and without an end")
		}
	}
}

func TestCutsLikeTheModel(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteString([]string{"a", "bc", "\n", "\r\n", "\n\n", "x y z", strings.Repeat("long", r.IntN(8))}[r.IntN(7)])
		}
		text := b.String()
		o := Options{Framing: format.Lines, MaxRecord: 1 << 20, Chunk: 1 + r.IntN(30)}
		if n%3 == 1 { // whole records in quotes
			o.Framing = format.Quoted
			text = strings.ReplaceAll(text, "x y z", "\"q\nq\"")
		}
		if n%3 == 2 {
			o.MaxRecord = 10 + r.IntN(10)
		}
		want, long := model(text, o)
		var src io.Reader = strings.NewReader(text)
		switch n % 4 {
		case 1:
			src = iotest.OneByteReader(src)
		case 2:
			src = iotest.DataErrReader(src)
		}
		got, pos, oversize := readAll(t, New(src, o))
		if !reflect.DeepEqual(got, want) || oversize != long {
			t.Fatalf("%q %+v: got %q and %d too long, want %q and %d", text, o, got, oversize, want, long)
		}
		// From the position behind any record the rest follows.
		if len(pos) > 0 {
			i := r.IntN(len(pos))
			at, err := ParsePosition(pos[i])
			if err != nil {
				t.Fatal(err)
			}
			o.Offset = at
			rest, restPos, _ := readAll(t, New(strings.NewReader(text[at:]), o))
			if fmt.Sprint(rest) != fmt.Sprint(got[i+1:]) || fmt.Sprint(restPos) != fmt.Sprint(pos[i+1:]) {
				t.Fatalf("%q: behind record %d there is %q, want %q", text, i, rest, got[i+1:])
			}
		}
	}
}

func TestGrowingKeepsWhatHasNoEnd(t *testing.T) {
	t.Parallel()
	var src bytes.Buffer
	c := New(&src, Options{Growing: true})
	var recs format.Records
	src.WriteString("a\nb")
	if err := c.Read(&recs); err != nil && err != io.EOF || len(recs.Val) != 1 || c.Offset() != 2 {
		t.Fatal(recs, err)
	}
	if err := c.Read(&recs); err != io.EOF || len(recs.Val) != 0 {
		t.Fatal(recs, err)
	}
	src.WriteString("c\n")
	if err := c.Read(&recs); err != nil || len(recs.Val) != 1 || string(recs.Buf[:2]) != "bc" || recs.Position(0) != Position(5) {
		t.Fatal(recs, err)
	}
}

func TestErrorsComeBehindTheRecords(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	c := New(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), Options{})
	var recs format.Records
	var got int
	var err error
	for err == nil {
		err = c.Read(&recs)
		got += len(recs.Val)
	}
	if err != broken || got != 1 {
		t.Fatal(got, err)
	}
	if _, err := ParsePosition("-1"); err == nil {
		t.Error("a negative position passes")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	line := []byte(strings.Repeat("x", 900) + "\n")
	text := bytes.Repeat(line, 20000)
	src := bytes.NewReader(text)
	c := New(src, Options{})
	var recs format.Records
	read := func() {
		if err := c.Read(&recs); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if n := testing.AllocsPerRun(20, read); n > 0 {
		t.Errorf("%v allocations a read", n)
	}
}

func BenchmarkCut(b *testing.B) {
	text := bytes.Repeat([]byte(strings.Repeat("x", 929)+"\n"), 4000)
	src := bytes.NewReader(text)
	var recs format.Records
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(text)
		c := New(src, Options{})
		for c.Read(&recs) != io.EOF {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4000, "ns/line")
}
