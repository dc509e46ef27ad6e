// Package conformance is the test suite of connectors: what the engine relies
// on, tried against a connector and the system behind it, real or fake.
//
//	func TestSource(t *testing.T) { conformance.TestSource(t, setup) }
//
// source.go has what is asked of sources: every position can be gone on from,
// records of a split come in order, splits come and go, calls end with their
// context, commits may be repeated and lost, records that are too long are left
// out and counted, broken connections are made again. sink.go has sinks.
//
// A Source describes a system by a few functions; tests of what it cannot do
// are left out and named in the log.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
)

// Patience is how long the suite waits for what must happen.
const Patience = 60 * time.Second

// Record is what a reader delivered.
type Record struct {
	Value    string
	Position connector.Position // behind it
}

// open opens a split's reader and closes it with the test.
func open(t *testing.T, src connector.Source, sp connector.Split, at connector.Position) connector.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	r, err := src.Open(ctx, sp, at)
	if err != nil {
		t.Fatalf("open %s at %q: %v", sp.ID, at, err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// read reads until n records have come, or the split has ended.
func read(t *testing.T, r connector.Reader, n int) []Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	var recs format.Records
	var out []Record
	for len(out) < n {
		err := r.Read(ctx, &recs)
		out = appendRecords(t, out, &recs)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("read: %v, after %d of %d records", err, len(out), n)
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of %d records within %v", len(out), n, Patience)
		}
	}
	return out
}

func appendRecords(t *testing.T, out []Record, recs *format.Records) []Record {
	t.Helper()
	for i, s := range recs.Val {
		v := "<none>"
		if s.Len >= 0 {
			if int(s.Off)+int(s.Len) > len(recs.Buf) {
				t.Fatalf("record %d is outside the buffer: %+v of %d bytes", i, s, len(recs.Buf))
			}
			v = string(recs.Buf[s.Off : s.Off+s.Len])
		}
		out = append(out, Record{v, recs.Position(i)})
	}
	if n := len(recs.Val); n > 0 {
		// Decoders look ahead: up to 64 bytes behind the last record must be there.
		last := recs.Val[n-1]
		if s := int(max(last.Off, 0)) + int(max(last.Len, 0)); cap(recs.Buf)-s < 64 {
			t.Fatalf("only %d bytes behind the last record are readable", cap(recs.Buf)-s)
		}
	}
	return out
}

func values(recs []Record) []string {
	out := make([]string, len(recs))
	for i, r := range recs {
		out[i] = r.Value
	}
	return out
}

// numbered returns n values that tell their place.
func numbered(prefix string, from, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s-%06d", prefix, from+i)
	}
	return out
}

// equal compares values and reports the first difference.
func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: record %d is %q, want %q", what, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d records, want %d", what, len(got), len(want))
	}
}

// within fails the test if f takes longer than limit.
func within(t *testing.T, what string, limit time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s did not return within %v", what, limit)
	}
}
