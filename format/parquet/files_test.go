package parquet

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var update = flag.Bool("update", false, "write the golden files with pyarrow")

// python returns an interpreter with pyarrow; PYARROW names one that is not python3.
func python(t *testing.T) string {
	t.Helper()
	for _, p := range []string{os.Getenv("PYARROW"), "python3"} {
		if p != "" && exec.Command(p, "-c", "import pyarrow.parquet").Run() == nil {
			return p
		}
	}
	t.Skip("there is no Python with pyarrow")
	return ""
}

// script writes the same rows in several ways.
const script = `
import sys, decimal
import pyarrow as pa, pyarrow.parquet as pq
n = 700
D = decimal.Decimal
t = pa.table({
  "a": pa.array([i * 3 if i % 7 else None for i in range(n)], pa.int64()),
  "s": pa.array(["k%03d" % (i // 5) if i % 5 else None for i in range(n)]),
  "r": pa.array([i / 8 for i in range(n)], pa.float64()),
  "l": pa.array([[1, 2, i] if i % 3 else [] for i in range(n)], pa.list_(pa.int64())),
  "m": pa.array([[("x", i)] if i % 2 else None for i in range(n)], pa.map_(pa.string(), pa.int32())),
  "ts": pa.array([i * 1_000_000_007 for i in range(n)], pa.timestamp("ns")),
  "d": pa.array([D(i - 300) / 100 for i in range(n)], pa.decimal128(7, 2)),
  "e": pa.array([D(i - 300) for i in range(n)], pa.decimal128(38, 10)),
})
def w(name, **kw): pq.write_table(t, sys.argv[1] + "/" + name, row_group_size=500, data_page_size=300, write_batch_size=50, **kw)
w("plain.parquet", compression="none", use_dictionary=False, write_page_index=True)
w("lz4.parquet", compression="lz4")
w("lz4v2.parquet", compression="lz4", data_page_version="2.0", use_dictionary=["s"])
w("int96.parquet", compression="zstd", use_deprecated_int96_timestamps=True)
w("snappyv2.parquet", compression="snappy", data_page_version="2.0", write_page_index=True)
`

const goldenColumns = "a BIGINT, s STRING, r DOUBLE, l ARRAY<BIGINT>, m MAP<STRING, INT>, ts TIMESTAMP(9), d DECIMAL(7, 2), e DECIMAL(38, 10)"

// TestFilesOfPyarrow reads the same rows from files of another implementation.
func TestFilesOfPyarrow(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(python(t), "-c", script, "testdata").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s := types.NewSchema(types.MustType("ROW<" + goldenColumns + ">").Fields...)
	b := vector.NewBatch(s, 700)
	for i := range 700 {
		row := make([]types.Value, 8)
		if i%7 != 0 {
			row[0] = int64(i * 3)
		}
		if i%5 != 0 {
			row[1] = "k" + string([]byte{'0' + byte(i/500), '0' + byte(i/50%10), '0' + byte(i/5%10)})
		}
		row[2] = float64(i) / 8
		row[3] = []types.Value{}
		if i%3 != 0 {
			row[3] = []types.Value{int64(1), int64(2), int64(i)}
		}
		if i%2 != 0 {
			row[4] = &types.MapValue{Keys: []types.Value{"x"}, Vals: []types.Value{int32(i)}}
		}
		row[5] = types.TS{Ms: int64(i) * 1000, Ns: int32(i) * 7}
		row[6] = types.DecFromInt64(int64(i - 300))
		row[7], _ = types.DecFromInt64(int64(i-300)).Rescale(0, 10)
		b.AppendValues(types.Insert, row...)
	}
	all := []int{0, 1, 2, 3, 4, 5, 6, 7}
	want := formattest.Rows(s, b.Cols, all)
	f := make1(t, map[string]string{"utc-timezone": "true"})
	for _, name := range []string{"plain", "lz4", "lz4v2", "int96", "snappyv2"} {
		raw, err := os.ReadFile("testdata/" + name + ".parquet")
		if err != nil {
			t.Fatal(err)
		}
		for _, skip := range []int64{0, 1, 333, 650} {
			got, err := formattest.Read(f, raw, s, all, skip, 100)
			if err != nil || !slices.Equal(got, want[skip:]) {
				t.Errorf("%s from row %d: %d rows, %v", name, skip, len(got), err)
			}
		}
		got, err := formattest.Read(f, raw, s, []int{7, 1}, 0, 64)
		if err != nil || len(got) != 700 {
			t.Errorf("%s: two columns: %d rows, %v", name, len(got), err)
		}
		// What bounds leave out is always what does not keep them.
		for _, bounds := range [][]format.Bound{
			{{Column: 0, Op: format.GreaterEqual, Value: int64(1500)}, {Column: 0, Op: format.Less, Value: int64(1590)}},
			{{Column: 1, Op: format.Equal, Value: "k077"}},
			{{Column: 5, Op: format.Greater, Value: types.TSFromMs(600_000)}, {Column: 1, Op: format.LessEqual, Value: "k130"}},
			{{Column: 6, Op: format.Less, Value: types.DecFromInt64(-250)}},
		} {
			got, err := formattest.Read(f, raw, s, all, 0, 100, bounds...)
			if err != nil {
				t.Fatalf("%s: %v: %v", name, bounds, err)
			}
			seen := map[string]bool{}
			for _, r := range got {
				seen[r] = true
			}
			must := 0
			for i := range 700 {
				keeps := true
				for _, x := range bounds {
					v := vector.Get(b.Cols[x.Column], i)
					keeps = keeps && v != nil && x.May(v, v, s.Fields[x.Column].Type)
				}
				if keeps {
					must++
					if !seen[want[i]] {
						t.Errorf("%s: %v leave out row %d", name, bounds, i)
					}
				}
			}
			if indexed := name == "plain" || name == "snappyv2"; must == 0 || indexed && bounds[0].Column != 6 && len(got) > must+300 {
				t.Errorf("%s: %v read %d rows for %d", name, bounds, len(got), must)
			}
		}
	}
}

// TestPagesAreLeftOut reads few rows of one row group by its page index.
func TestPagesAreLeftOut(t *testing.T) {
	t.Parallel()
	s := formattest.Schema("BIGINT", "STRING", "ARRAY<INT>")
	b := vector.NewBatch(s, 20_000)
	for i := range 20_000 {
		b.AppendValues(types.Insert, int64(i), "text", []types.Value{int32(i), int32(-i)}[:i%3%2+1])
	}
	file := formattest.Write(t, make1(t, map[string]string{"page.size": "4 kb"}), s, b)
	got, err := formattest.Read(make1(t, nil), file, s, []int{0, 2}, 0, 1000, format.Bound{Column: 0, Op: format.GreaterEqual, Value: int64(12_000)}, format.Bound{Column: 0, Op: format.Less, Value: int64(12_010)})
	if err != nil || len(got) > 2000 || !slices.Contains(got, "12005|[12005]|") && !slices.Contains(got, "12005|[12005, -12005]|") {
		t.Errorf("%d rows are read, %v", len(got), err)
	}
}

// TestTimestampsAreWrittenAsAsked writes all units, and INT96 in a time zone.
func TestTimestampsAreWrittenAsAsked(t *testing.T) {
	t.Parallel()
	s := formattest.Schema("TIMESTAMP(9)", "TIMESTAMP_LTZ(9)")
	b := vector.NewBatch(s, 2)
	b.AppendValues(types.Insert, types.TS{Ms: 1_700_000_000_123, Ns: 456_789}, types.TS{Ms: -1, Ns: 999_999})
	b.AppendValues(types.Insert, nil, nil)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	f := func(zone *time.Location, want string, kv ...string) {
		t.Helper()
		o := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			o[kv[i]] = kv[i+1]
		}
		var buf bytes.Buffer
		spec := make1(t, o)
		w, err := spec.CreateFile(&buf, format.Encoding{Schema: s, Zone: zone})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := formattest.Read(spec, buf.Bytes(), s, []int{0, 1}, 0, 10)
		if err != nil || strings.Join(got, " ") != want+" NULL|NULL|" {
			t.Errorf("%v: %q, %v, want %s", kv, got, err, want)
		}
	}
	f(time.UTC, "2023-11-14 22:13:20.123456789|1969-12-31 23:59:59.999999999|")
	f(time.UTC, "2023-11-14 22:13:20.123456000|1969-12-31 23:59:59.999999000|", "timestamp.time.unit", "micros")
	f(time.UTC, "2023-11-14 22:13:20.123000000|1969-12-31 23:59:59.999000000|", "timestamp.time.unit", "millis")
	f(time.UTC, "2023-11-14 22:13:20.123456789|1969-12-31 23:59:59.999999999|", "write.int64.timestamp", "false")
	// Read in UTC what was written in Paris.
	f(paris, "2023-11-14 21:13:20.123456789|1969-12-31 23:59:59.999999999|", "write.int64.timestamp", "false")
	f(paris, "2023-11-14 22:13:20.123456789|1969-12-31 23:59:59.999999999|", "write.int64.timestamp", "false", "utc-timezone", "true")
}

// TestDictionariesAreSmaller writes texts that repeat.
func TestDictionariesAreSmaller(t *testing.T) {
	t.Parallel()
	s := formattest.Schema("STRING", "BYTES", "ARRAY<STRING>")
	b := vector.NewBatch(s, 5000)
	for i := range 5000 {
		x := []string{"one", "two", "a rather long text"}[i%3]
		b.AppendValues(types.Insert, x, x, []types.Value{x, nil})
	}
	plain := formattest.Write(t, make1(t, map[string]string{"compression": "UNCOMPRESSED"}), s, b)
	dict := formattest.Write(t, make1(t, map[string]string{"compression": "UNCOMPRESSED", "enable.dictionary": "true"}), s, b)
	if len(dict) > len(plain)/5 {
		t.Errorf("%d bytes with a dictionary, %d without", len(dict), len(plain))
	}
	all := []int{0, 1, 2}
	if got, err := formattest.Read(make1(t, nil), dict, s, all, 0, 999); err != nil || !slices.Equal(got, formattest.Rows(s, b.Cols, all)) {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// TestDecimalsOfAllForms reads a number from every type that may hold decimals.
func TestDecimalsOfAllForms(t *testing.T) {
	t.Parallel()
	schema := pq.NewSchema("x", pq.Group{
		"a": pq.Decimal(2, 9, pq.Int32Type), "b": pq.Decimal(2, 18, pq.Int64Type), "c": pq.Decimal(2, 9, pq.FixedLenByteArrayType(5)),
		"d": pq.Decimal(2, 30, pq.ByteArrayType), "e": pq.Decimal(2, 38, pq.FixedLenByteArrayType(16)), "f": pq.Decimal(0, 40, pq.ByteArrayType),
	})
	var buf bytes.Buffer
	w := pq.NewWriter(&buf, schema)
	num := func(n int64, size int) []byte {
		b := make([]byte, size)
		for i := size - 1; i >= 0; i-- {
			b[i], n = byte(n), n>>8
		}
		return b
	}
	for _, n := range []int64{12345, -12345, 0} {
		row := pq.Row{pq.Int32Value(int32(n)).Level(0, 0, 0), pq.Int64Value(n).Level(0, 0, 1), pq.FixedLenByteArrayValue(num(n, 5)).Level(0, 0, 2),
			pq.ByteArrayValue(num(n, 3)).Level(0, 0, 3), pq.FixedLenByteArrayValue(num(n, 16)).Level(0, 0, 4), pq.ByteArrayValue(num(n, 20)).Level(0, 0, 5)}
		if _, err := w.WriteRows([]pq.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s := formattest.Schema("DECIMAL(9, 2)", "DECIMAL(38, 3)", "DECIMAL(5, 1)", "DECIMAL(9, 2)", "DECIMAL(4, 2)", "DECIMAL(38, 0)")
	got, err := formattest.Read(make1(t, nil), buf.Bytes(), s, []int{0, 1, 2, 3, 4, 5}, 0, 10)
	want := []string{"123.45|123.450|123.5|123.45|NULL|12345|", "-123.45|-123.450|-123.5|-123.45|NULL|-12345|", "0.00|0.000|0.0|0.00|0.00|0|"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q; %v", got, want, err)
	}
}

// FuzzRead reads damaged files: an error or other rows, no panic.
func FuzzRead(f *testing.F) {
	s := formattest.Schema(allTypes...)
	for _, o := range []map[string]string{nil, {"compression": "LZ4_RAW"}, {"compression": "UNCOMPRESSED", "enable.dictionary": "true"}} {
		spec, err := Format.New(o)
		if err != nil {
			f.Fatal(err)
		}
		var buf bytes.Buffer
		w, err := spec.(format.FileFormat).CreateFile(&buf, format.Encoding{Schema: s})
		if err != nil {
			f.Fatal(err)
		}
		if err := w.Write(formattest.Batch(s, 20, 2)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.Bytes())
	}
	spec, err := Format.New(nil)
	if err != nil {
		f.Fatal(err)
	}
	all := make([]int, len(s.Fields))
	for i := range all {
		all[i] = i
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = formattest.Read(spec.(format.FileFormat), b, s, all, 0, 500)
		_, _ = formattest.Read(spec.(format.FileFormat), b, s, []int{0, 1}, 3, 7, format.Bound{Column: 2, Op: format.Greater, Value: int64(0)})
	})
}
