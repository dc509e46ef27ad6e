package datagen

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func open(t testing.TB, cols string, opts map[string]string) (connector.ColumnSource, *types.Schema, error) {
	t.Helper()
	s := types.NewSchema(types.MustType("ROW<" + cols + ">").Fields...)
	src, err := Connector.Source(&connector.Context{Now: time.Now, Zone: time.UTC}, &connector.Table{Schema: s, Options: opts, Parallel: 1})
	if err != nil {
		return nil, s, err
	}
	return src.(connector.ColumnSource), s, nil
}

// readAll returns all rows as text, split after split, and the positions behind
// each batch of the first split.
func readAll(t testing.TB, src connector.ColumnSource, s *types.Schema, at string, most int) (rows []string, positions []string) {
	t.Helper()
	splits, err := src.Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for k, sp := range splits {
		r, err := src.OpenColumns(t.Context(), sp, at)
		if err != nil {
			t.Fatal(err)
		}
		b := vector.NewBatch(s, most)
		for {
			b.Reset()
			err := r.ReadBatch(t.Context(), b, most)
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			for i := range b.N {
				var cells []string
				for c, v := range b.Row(i) {
					if v == nil {
						cells = append(cells, "NULL")
					} else {
						cells = append(cells, string(types.AppendValue(nil, v, s.Fields[c].Type, time.UTC)))
					}
				}
				rows = append(rows, strings.Join(cells, "|"))
			}
			if k == 0 {
				positions = append(positions, b.Origin.Last)
			}
			if err == io.EOF {
				break
			}
		}
	}
	return rows, positions
}

func TestSequenceEndsTheTable(t *testing.T) {
	t.Parallel()
	src, s, err := open(t, "a BIGINT, b STRING, c DECIMAL(5,2), d DOUBLE", map[string]string{"rows-per-second": "0",
		"fields.a.kind": "sequence", "fields.a.start": "5", "fields.a.end": "9", "fields.b.kind": "sequence", "fields.b.start": "1", "fields.b.end": "3",
		"fields.c.kind": "sequence", "fields.c.start": "0", "fields.c.end": "100", "fields.d.kind": "sequence", "fields.d.start": "-1", "fields.d.end": "100"})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := readAll(t, src, s, "", 2)
	if want := []string{"5|1|0.00|-1.0", "6|2|1.00|0.0", "7|3|2.00|1.0"}; !reflect.DeepEqual(got, want) || !src.Bounded() {
		t.Fatal(got)
	}
}

// The rows depend on the seed alone, not on splits, batches or restarts.
func TestSeedFixesTheRows(t *testing.T) {
	t.Parallel()
	cols := "a INT, b STRING, c DOUBLE, d BOOLEAN, e DECIMAL(10,3), f ARRAY<INT>, g MAP<STRING,INT>, h ROW<x INT, y STRING>, i BYTES, j MULTISET<INT>"
	opts := func(more ...string) map[string]string {
		m := map[string]string{"rows-per-second": "0", "number-of-rows": "100", "seed": "7", "fields.a.min": "-5", "fields.a.max": "5", "fields.a.null-rate": "0.3",
			"fields.b.length": "6", "fields.b.var-len": "true", "fields.f.element.max": "9", "fields.f.element.min": "0", "fields.h.y.length": "4", "fields.g.key.length": "1"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	src, s, err := open(t, cols, opts())
	if err != nil {
		t.Fatal(err)
	}
	want, positions := readAll(t, src, s, "", 7)
	if len(want) != 100 {
		t.Fatal(len(want))
	}
	rest, _ := readAll(t, src, s, positions[4], 7)
	if !reflect.DeepEqual(rest, want[35:]) {
		t.Fatal("from a position other rows come")
	}
	src, s, _ = open(t, cols, opts("splits", "3"))
	parts, _ := readAll(t, src, s, "", 7)
	for i, row := range want {
		if k := i % 3; parts[k*34-max(0, k-1)+i/3] != row {
			t.Fatalf("row %d of three splits differs", i)
		}
	}
	src, s, _ = open(t, cols, opts("seed", "8"))
	if other, _ := readAll(t, src, s, "", 7); reflect.DeepEqual(other, want) {
		t.Fatal("another seed gives the same")
	}
	nulls := 0
	for _, row := range want {
		a, rest, _ := strings.Cut(row, "|")
		if a == "NULL" {
			nulls++
		} else {
			var n int
			if fmt.Sscan(a, &n); n < -5 || n > 5 {
				t.Errorf("a is %s", a)
			}
		}
		if b, _, _ := strings.Cut(rest, "|"); len(b) < 1 || len(b) > 6 {
			t.Errorf("b is %q", b)
		}
	}
	if nulls < 15 || nulls > 45 {
		t.Errorf("%d of 100 are NULL, want about 30", nulls)
	}
}

func TestRandomDefaults(t *testing.T) {
	t.Parallel()
	src, s, err := open(t, "s STRING, c CHAR(5), v VARCHAR(7), t TINYINT, x TIMESTAMP(3), y TIMESTAMP_LTZ(3), d DATE, z TIME(0), f FLOAT", map[string]string{"number-of-rows": "20", "rows-per-second": "0", "fields.x.max-past": "1 h"})
	if err != nil {
		t.Fatal(err)
	}
	b := vector.NewBatch(s, 20)
	r, _ := src.OpenColumns(t.Context(), connector.Split{ID: "0"}, "")
	before := types.TSFromTime(time.Now().Add(-time.Millisecond))
	if err := r.ReadBatch(t.Context(), b, 100); err != io.EOF || b.N != 20 {
		t.Fatal(b.N, err)
	}
	for i := range b.N {
		row := b.Row(i)
		if len(row[0].(string)) != 100 || len(row[1].(string)) != 5 || len(row[2].(string)) != 7 {
			t.Errorf("lengths %d %d %d", len(row[0].(string)), len(row[1].(string)), len(row[2].(string)))
		}
		if x := row[4].(types.TS); x.Ms > before.Ms || x.Ms < before.Ms-3600_000-1000 {
			t.Errorf("x is %v", x)
		}
		if y := row[5].(types.TS); y.Ms < before.Ms {
			t.Errorf("y is %v", y)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		src, s, err := open(t, "a INT", map[string]string{"rows-per-second": "100", "number-of-rows": "501"})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		rows, _ := readAll(t, src, s, "", 1024)
		if d := time.Since(start); len(rows) != 501 || d < 4900*time.Millisecond || d > 5200*time.Millisecond {
			t.Fatalf("%d rows in %v, want 501 in 5 s", len(rows), d)
		}
	})
}

func TestOptionErrors(t *testing.T) {
	t.Parallel()
	f := func(cols, key string, opts map[string]string) {
		t.Helper()
		_, _, err := open(t, cols, opts)
		var e *option.Error
		if !errors.As(err, &e) || e.Key != key {
			t.Errorf("%v: %v, want an error of %s", opts, err, key)
		}
	}
	f("a INT", "fields.a.kind", map[string]string{"fields.a.kind": "odd"})
	f("a INT", "fields.a.kind", map[string]string{"fields.a.kind": "sequence"})
	f("a DATE", "fields.a.kind", map[string]string{"fields.a.kind": "sequence", "fields.a.start": "1", "fields.a.end": "2"})
	f("a INT", "fields.a.end", map[string]string{"fields.a.kind": "sequence", "fields.a.start": "5", "fields.a.end": "2"})
	f("a TINYINT", "fields.a.end", map[string]string{"fields.a.kind": "sequence", "fields.a.start": "5", "fields.a.end": "200"})
	f("a INT", "fields.a.max", map[string]string{"fields.a.min": "5", "fields.a.max": "2"})
	f("a INT", "fields.a.min", map[string]string{"fields.a.min": "x"})
	f("a INT", "fields.a.length", map[string]string{"fields.a.length": "5"})
	f("a INT", "fields.b.min", map[string]string{"fields.b.min": "5"})
	f("a CHAR(3)", "fields.a.var-len", map[string]string{"fields.a.var-len": "true"})
	f("a VARCHAR(3)", "fields.a.length", map[string]string{"fields.a.length": "5"})
	f("a INT", "fields.a.null-rate", map[string]string{"fields.a.null-rate": "2"})
	f("a INT", "rows-per-second", map[string]string{"rows-per-second": "-1"})
}
