package parquet

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var allTypes = []string{
	"STRING", "INT NOT NULL", "BIGINT", "BOOLEAN", "TINYINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL(5, 2)", "DECIMAL(15, 3)", "DECIMAL(38, 10)", "BYTES", "DATE", "TIME(3)",
	"TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP_LTZ(9)", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<x INT, y ROW<z STRING NOT NULL>>", "MULTISET<STRING>",
	"ARRAY<ROW<k BIGINT, l ARRAY<INT>>>", "ARRAY<ARRAY<INT NOT NULL> NOT NULL> NOT NULL", "MAP<BIGINT, ARRAY<ROW<a INT, b MAP<STRING, DOUBLE>>>>",
}

func make1(t *testing.T, options map[string]string) format.FileFormat {
	t.Helper()
	f, err := Format.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f.(format.FileFormat)
}

func TestFilesComeBack(t *testing.T) {
	t.Parallel()
	for codec := range codecs {
		rows := 300
		if codec == "SNAPPY" || codec == "LZ4_RAW" {
			rows = 2000
		}
		formattest.File(t, make1(t, map[string]string{"compression": codec, "block.size": "64 kb"}), formattest.Schema(allTypes...), rows)
	}
}

// TestRowGroupsAreLeftOut reads with bounds that statistics decide.
func TestRowGroupsAreLeftOut(t *testing.T) {
	t.Parallel()
	s := formattest.Schema("BIGINT", "STRING", "TIMESTAMP(3)")
	b := vector.NewBatch(s, 5000)
	for i := range 5000 {
		b.AppendValues(types.Insert, int64(i), fmt.Sprintf("k%05d", i), types.TSFromMs(int64(i)*1000))
	}
	f := make1(t, map[string]string{"block.size": "16 kb"})
	file := formattest.Write(t, f, s, b)
	read := func(bounds ...format.Bound) int {
		t.Helper()
		got, err := formattest.Read(f, file, s, []int{0}, 0, 1024, bounds...)
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	if n := read(); n != 5000 {
		t.Fatalf("%d rows without bounds", n)
	}
	for _, bounds := range [][]format.Bound{
		{{Column: 0, Op: format.Equal, Value: int64(4321)}},
		{{Column: 1, Op: format.Equal, Value: "k00100"}},
		{{Column: 2, Op: format.Less, Value: types.TSFromMs(100_000)}},
		{{Column: 0, Op: format.GreaterEqual, Value: int64(4900)}, {Column: 0, Op: format.LessEqual, Value: int64(4950)}},
	} {
		if n := read(bounds...); n == 0 || n > 1500 {
			t.Errorf("%v: %d rows are read", bounds, n)
		}
	}
	if n := read(format.Bound{Column: 0, Op: format.Greater, Value: int64(4999)}); n != 0 {
		t.Errorf("%d rows are read of none", n)
	}
}

// TestFilesOfOthers reads what the library writes of Go structs: other orders,
// unsigned and old types, lists without a group around, fields that are missing.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	type inner struct {
		X int32  `parquet:"x"`
		Y string `parquet:"y"`
	}
	type row struct {
		Name  string           `parquet:"name,dict"`
		Count uint32           `parquet:"count"`
		Small int32            `parquet:"small"`
		Tags  []string         `parquet:"tags"`
		Items []inner          `parquet:"items,list"`
		Opt   *inner           `parquet:"opt"`
		Map   map[string]int64 `parquet:"map"`
	}
	var buf bytes.Buffer
	w := pq.NewGenericWriter[row](&buf)
	if _, err := w.Write([]row{
		{"a", 4000000000, 1, []string{"x", "y"}, []inner{{1, "p"}, {2, "q"}}, &inner{7, "o"}, map[string]int64{"k": 5}},
		{"b", 1, 200, nil, nil, nil, nil},
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := make1(t, nil)
	read := func(columns string, want ...string) {
		t.Helper()
		s := types.NewSchema(types.MustType("ROW<" + columns + ">").Fields...)
		var all []int
		for c := range s.Fields {
			all = append(all, c)
		}
		got, err := formattest.Read(f, buf.Bytes(), s, all, 0, 10)
		if err != nil {
			got = []string{"no: " + err.Error()}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", columns, got, want)
		}
	}
	read("`count` BIGINT, name STRING", "4000000000|a|", "1|b|")
	read("tags ARRAY<STRING>, nothing INT", "[x, y]|NULL|", "[]|NULL|")
	read("items ARRAY<ROW<y STRING>>", "[(p), (q)]|", "[]|")
	read("opt ROW<z INT>", "(NULL)|", "NULL|")
	read("opt ROW<y STRING, x BIGINT>, `map` MAP<STRING, BIGINT>", "(o, 7)|{k=5}|", "NULL|{}|")
	read("NAME STRING, small DOUBLE", "a|1.0|", "b|200.0|")
	read("small TINYINT", "no: row 1, column small: 200 does not fit TINYINT")
	read("name INT", "no: column name: a Parquet STRING cannot be read as INT")
	read("nothing INT NOT NULL", "no: column nothing is NOT NULL, but the file does not have it")
}
