package print

import (
	"bytes"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func TestPrint(t *testing.T) {
	t.Parallel()
	s := types.NewSchema(types.Field{Name: "a", Type: types.Of(types.Int)}, types.Field{Name: "b", Type: types.String()})
	b := vector.NewBatch(s, 4)
	b.AppendValues(types.Insert, int32(1), "ann")
	b.AppendValues(types.UpdateBefore, int32(2), nil)
	b.AppendValues(types.UpdateAfter, int32(3), "no")
	b.AppendValues(types.Delete, nil, "x, y")
	b.Sel = []int32{0, 1, 3}
	f := func(opts map[string]string, parallel int, out, err string) {
		t.Helper()
		var o, e bytes.Buffer
		cx := &connector.Context{Zone: time.UTC, IO: &connector.Terminal{Out: &o, Err: &e}}
		sink, fail := Connector.Sink(cx, &connector.Table{Schema: s, Options: opts, Subtask: parallel - 1, Parallel: parallel})
		if fail != nil {
			t.Fatal(fail)
		}
		if fail := sink.Write(t.Context(), b); fail != nil {
			t.Fatal(fail)
		}
		if o.String() != out || e.String() != err {
			t.Errorf("%v: %q and %q, want %q and %q", opts, o.String(), e.String(), out, err)
		}
	}
	f(nil, 1, "+I[1, ann]\n-U[2, null]\n-D[null, x, y]\n", "")
	f(map[string]string{"standard-error": "true", "print-identifier": "t"}, 1, "", "t> +I[1, ann]\nt> -U[2, null]\nt> -D[null, x, y]\n")
	f(map[string]string{"print-identifier": "t"}, 2, "t:2> +I[1, ann]\nt:2> -U[2, null]\nt:2> -D[null, x, y]\n", "")
	f(nil, 2, "2> +I[1, ann]\n2> -U[2, null]\n2> -D[null, x, y]\n", "")
}

func TestValuesAsJavaPrintsThem(t *testing.T) {
	t.Parallel()
	f := func(typ string, v types.Value, want string) {
		t.Helper()
		if got := string(appendValue(nil, v, types.MustType(typ))); got != want {
			t.Errorf("%s: %q, want %q", typ, got, want)
		}
	}
	ts := func(s string) types.TS {
		v, ok := types.ParseTimestamp(s, 9)
		if !ok {
			t.Fatal(s)
		}
		return v
	}
	f("BOOLEAN", true, "true")
	f("DOUBLE", 1.0, "1.0")
	f("DECIMAL(10,2)", types.DecFromInt64(1000), "10.00")
	f("TIMESTAMP(3)", ts("2024-01-01 00:00:00"), "2024-01-01T00:00")
	f("TIMESTAMP(3)", ts("2024-01-01 00:00:01"), "2024-01-01T00:00:01")
	f("TIMESTAMP(6)", ts("2024-01-01 00:00:01.5001"), "2024-01-01T00:00:01.500100")
	f("TIMESTAMP_LTZ(3)", ts("2024-01-01 00:00:00"), "2024-01-01T00:00:00Z")
	f("TIME(3)", int32(45296007), "12:34:56.007")
	f("BYTES", "a\xff", "[97, -1]")
	f("ARRAY<ROW<a INT, b STRING>>", []types.Value{[]types.Value{int32(1), nil}, nil}, "[+I[1, null], null]")
	f("MAP<STRING, INT>", &types.MapValue{Keys: []types.Value{"a"}, Vals: []types.Value{int32(1)}}, "{a=1}")
	f("INTERVAL YEAR TO MONTH", int32(14), "P1Y2M")
	f("INTERVAL DAY TO SECOND", int64(25*3600000+61500), "PT25H1M1.5S")
}
