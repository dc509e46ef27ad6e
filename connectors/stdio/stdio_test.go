package stdio

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func table(t *testing.T, opts map[string]string) *connector.Table {
	t.Helper()
	f, err := json.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &connector.Table{Schema: types.NewSchema(types.Field{Name: "a", Type: types.Of(types.Int)}), Options: opts, Format: f, Parallel: 1}
}

// A line is there at once, not when a buffer is full.
func TestStdinGivesEachLineAtOnce(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	src, err := Stdin.Source(&connector.Context{IO: &connector.Terminal{In: in}}, table(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	r, err := src.(connector.Source).Open(t.Context(), connector.Split{ID: "stdin"}, "")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		out.Write([]byte(`{"a":1}` + "\n"))
		out.Write([]byte(`{"a"`))
		out.Write([]byte(`:2}` + "\n" + `{"a":3}`))
		out.Close()
	}()
	var recs format.Records
	var got []string
	for {
		err := r.Read(t.Context(), &recs)
		for _, v := range recs.Val {
			got = append(got, string(recs.Buf[v.Off:v.Off+v.Len]))
		}
		got = append(got, "|")
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if text := strings.Join(got, " "); text != `{"a":1} | {"a":2} | {"a":3} |` {
		t.Fatal(text)
	}
}

func TestStdinTooLong(t *testing.T) {
	t.Parallel()
	src, _ := Stdin.Source(&connector.Context{IO: &connector.Terminal{In: strings.NewReader("0123456789\nok\n")}}, table(t, map[string]string{"max-record-size": "5"}))
	r, _ := src.(connector.Source).Open(t.Context(), connector.Split{}, "")
	var recs format.Records
	if err := r.Read(t.Context(), &recs); err != nil || recs.Oversize != 1 || len(recs.Val) != 1 || string(recs.OversizeHead[0]) != "0123456789" {
		t.Fatal(recs, err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestStdout(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tb := table(t, nil)
	s, err := Stdout.Sink(&connector.Context{IO: &connector.Terminal{Out: &out}}, tb)
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(tb.Schema, 2)
	b.AppendValues(types.Insert, int32(1))
	b.AppendValues(types.Insert, nil)
	if err := s.Write(t.Context(), b); err != nil || out.String() != "{\"a\":1}\n{\"a\":null}\n" {
		t.Fatal(out.String(), err)
	}
	s, _ = Stdout.Sink(&connector.Context{IO: &connector.Terminal{Out: broken{}}}, tb)
	if err := s.Write(t.Context(), b); err == nil || err.Error() != "stdout: gone" {
		t.Fatal(err)
	}
}
