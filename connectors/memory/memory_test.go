package memory

import (
	"io"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var schema = types.NewSchema(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.String()})

func open(t *testing.T, s *Store, opts map[string]string) connector.ColumnSource {
	t.Helper()
	src, err := s.Connector().Source(&connector.Context{}, &connector.Table{Name: "t", Schema: schema, Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	return src.(connector.ColumnSource)
}

func row(a int32, b types.Value) Row { return Row{types.Insert, []types.Value{a, b}} }

func TestReadWriteReplay(t *testing.T) {
	t.Parallel()
	s := NewStore()
	s.Append("t", 0, row(1, "x"), row(2, nil), row(3, "z"))
	s.Append("t", 1, Row{types.Delete, []types.Value{int32(4), "w"}})
	src := open(t, s, nil)
	splits, _ := src.Splits(t.Context())
	if len(splits) != 2 || splits[0].Size != 3 || !src.Bounded() {
		t.Fatalf("%+v", splits)
	}
	sink, _ := s.Connector().Sink(nil, &connector.Table{Name: "t", Schema: schema, Options: map[string]string{"name": "copy"}})
	var middle string
	for _, sp := range splits {
		r, err := src.OpenColumns(t.Context(), sp, "")
		if err != nil {
			t.Fatal(err)
		}
		b := vector.NewBatch(schema, 2)
		for {
			b.Reset()
			err := r.ReadBatch(t.Context(), b, 2)
			sink.Write(t.Context(), b)
			if middle == "" {
				middle = b.Origin.Last
			}
			if err == io.EOF {
				break
			}
		}
	}
	if got := s.Rows("copy"); !reflect.DeepEqual(got, s.Rows("t")) {
		t.Fatal(got)
	}
	r, _ := src.OpenColumns(t.Context(), splits[0], middle)
	b := vector.NewBatch(schema, 2)
	if err := r.ReadBatch(t.Context(), b, 10); err != io.EOF || b.N != 1 || b.Row(0)[0] != int32(3) {
		t.Fatal(b.N, err)
	}
	if _, err := src.OpenColumns(t.Context(), splits[0], "x"); err == nil {
		t.Fatal("a broken position passes")
	}
}

func TestUnboundedWaitsForRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewStore()
		r, _ := open(t, s, map[string]string{"bounded": "false"}).OpenColumns(t.Context(), connector.Split{ID: "0"}, "")
		go func() {
			time.Sleep(time.Hour)
			s.Append("t", 0, row(1, "x"))
			time.Sleep(time.Hour)
			s.Finish("t")
		}()
		b := vector.NewBatch(schema, 2)
		if err := r.ReadBatch(t.Context(), b, 10); err != nil || b.N != 1 {
			t.Fatal(b.N, err)
		}
		b.Reset()
		if err := r.ReadBatch(t.Context(), b, 10); err != io.EOF || b.N != 0 {
			t.Fatal(b.N, err)
		}
	})
}
