package stdio

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format/arrow"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func arrowTable(t *testing.T, sub, parallel int) *connector.Table {
	t.Helper()
	f, err := arrow.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &connector.Table{Schema: types.NewSchema(types.MustType("ROW<a INT, b STRING>").Fields...), Format: f, Subtask: sub, Parallel: parallel}
}

// TestStreamsPassThrough writes a stream with one and with several writers and
// reads one of its columns.
func TestStreamsPassThrough(t *testing.T) {
	t.Parallel()
	for _, parallel := range []int{1, 3} {
		var out bytes.Buffer
		var sinks []connector.Sink
		for sub := range parallel {
			s, err := Stdout.Sink(&connector.Context{IO: &connector.Terminal{Out: &out}}, arrowTable(t, sub, parallel))
			if err != nil {
				t.Fatal(err)
			}
			sinks = append(sinks, s)
		}
		want := 0
		for i := range 9 {
			b := vector.NewBatch(arrowTable(t, 0, 1).Schema, 2)
			b.AppendValues(types.Insert, int32(2*i), "x")
			b.AppendValues(types.Insert, int32(2*i+1), nil)
			s := sinks[i%parallel]
			if err := s.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				if err := s.(connector.Flusher).Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			want += 4*i + 1
		}
		for _, s := range sinks {
			if err := s.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		in := arrowTable(t, 0, 1)
		in.Wanted = []int{0}
		src, err := Stdin.Source(&connector.Context{IO: &connector.Terminal{In: &out}}, in)
		if err != nil {
			t.Fatal(err)
		}
		r, err := src.(connector.ColumnSource).OpenColumns(t.Context(), connector.Split{ID: "stdin"}, "")
		if err != nil {
			t.Fatal(err)
		}
		sum, rows := 0, 0
		for err == nil {
			b := vector.NewBatch(in.Schema, 4)
			err = r.ReadBatch(t.Context(), b, 4)
			for _, v := range b.Cols[0].(*vector.Flat[int32]).Vals {
				sum, rows = sum+int(v), rows+1
			}
		}
		if err != io.EOF || rows != 18 || sum != want {
			t.Errorf("%d writers: %d rows with the sum %d, want %d; %v", parallel, rows, sum, want, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, err := src.(connector.ColumnSource).OpenColumns(t.Context(), connector.Split{ID: "stdin"}, connector.Position(fmt.Sprint(7))); err == nil || !strings.Contains(err.Error(), "cannot be read again") {
			t.Errorf("from the middle: %v", err)
		}
	}
}
