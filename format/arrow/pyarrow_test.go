package arrow

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
)

var update = flag.Bool("update", false, "write the golden files with pyarrow")

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// python returns an interpreter with pyarrow; PYARROW names one that is not python3.
func python(t *testing.T) string {
	t.Helper()
	for _, p := range []string{os.Getenv("PYARROW"), "python3"} {
		if p != "" && exec.Command(p, "-c", "import pyarrow.compute").Run() == nil {
			return p
		}
	}
	t.Skip("there is no Python with pyarrow")
	return ""
}

// golden calls do for the files another implementation wrote.
func golden(do func(name string, raw []byte)) {
	files, _ := filepath.Glob("testdata/*.arrow*")
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil {
			do(f, raw)
		}
	}
}

// columns of the golden files, and what pyarrow calls the same.
const goldenColumns = "i8 INT, u8 SMALLINT, u64 DECIMAL(20, 0), f16 FLOAT, f32 DOUBLE, s STRING, ls STRING, sv STRING, b BYTES, fb BYTES, d32 DATE, d64 DATE, ts TIMESTAMP(0), tu TIMESTAMP_LTZ(6), " +
	"tn TIMESTAMP(9), t32 TIME(0), t64 TIME(3), dec DECIMAL(38, 4), d256 DECIMAL(38, 2), dict STRING, li ARRAY<INT>, ll ARRAY<STRING>, fl ARRAY<BIGINT>, st ROW<y STRING, X INT, nothing INT>, " +
	"m MAP<STRING, ROW<q DOUBLE>>, nul INT, bo BOOLEAN, ld ARRAY<STRING>"

// script writes one table in many ways; the types that a table cannot have are between.
const script = `
import sys, datetime, decimal
import pyarrow as pa, pyarrow.ipc as ipc, pyarrow.compute as pc
import numpy as np
D = decimal.Decimal
n = None
def col(t, v): return pa.array(v, type=t)
cols = [
 ("i8", col(pa.int8(), [-128, n, 127, 0])),
 ("skip1", col(pa.list_(pa.string()), [["x"], n, [], ["y", "z"]])),
 ("u8", col(pa.uint8(), [255, n, 0, 1])),
 ("u64", col(pa.uint64(), [2**64-1, n, 0, 1])),
 ("f16", pa.array(np.array([1.5, 0, -0.25, 65504], dtype="float16"))),
 ("f32", col(pa.float32(), [1.5, n, float("inf"), -2])),
 ("s", col(pa.string(), ["", n, "é", "a longer text than twelve bytes"])),
 ("union", pa.UnionArray.from_sparse(pa.array([0,1,0,1], pa.int8()), [pa.array([1,2,3,4]), pa.array(["a","b","c","d"])])),
 ("dense", pa.UnionArray.from_dense(pa.array([0,1,0,1], pa.int8()), pa.array([0,0,1,1], pa.int32()), [pa.array([1,2]), pa.array(["a","b"])])),
 ("ree", pc.run_end_encode(pa.array([1,1,2,2]))),
 ("ls", col(pa.large_string(), ["p", n, "", "q"])),
 ("sv", col(pa.string_view(), ["short", n, "", "a longer text than twelve bytes"])),
 ("b", col(pa.binary(), [b"\x00\xff", n, b"", b"z"])),
 ("fb", col(pa.binary(2), [b"ab", n, b"cd", b"ef"])),
 ("d32", col(pa.date32(), [datetime.date(1969,12,31), n, datetime.date(2024,2,29), datetime.date(1,1,1)])),
 ("d64", col(pa.date64(), [datetime.date(1969,12,31), n, datetime.date(2024,2,29), datetime.date(1970,1,2)])),
 ("ts", col(pa.timestamp("s"), [-1, n, 0, 1700000000])),
 ("tu", col(pa.timestamp("us", "Europe/Paris"), [-1, n, 0, 1700000000123456])),
 ("tn", col(pa.timestamp("ns"), [-1, n, 0, 1700000000123456789])),
 ("t32", col(pa.time32("s"), [0, n, 86399, 60])),
 ("t64", col(pa.time64("ns"), [0, n, 86399999999999, 1000000])),
 ("dur", col(pa.duration("us"), [1, n, -5, 7])),
 ("dec", col(pa.decimal128(38, 4), [D("-1234567890123456789012345678901234.5678"), n, D("0.0001"), D("9.9")])),
 ("d256", col(pa.decimal256(70, 2), [D("-12.34"), n, D("123456789012345678901234567890123456.78"), D("1e50")])),
 ("dict", pa.DictionaryArray.from_arrays(pa.array([1, n, 0, 2], pa.int16()), pa.array(["zero", "one", n]))),
 ("li", col(pa.list_(pa.int32()), [[1, n, 3], n, [], [4]])),
 ("ll", col(pa.large_list(pa.string()), [["a"], n, [], [n, "b"]])),
 ("fl", col(pa.list_(pa.int64(), 2), [[1, 2], n, [n, 4], [5, 6]])),
 ("st", col(pa.struct([("x", pa.int8()), ("w", pa.string()), ("y", pa.string())]), [{"x": 1, "w": "-", "y": "yes"}, n, {"x": n, "w": n, "y": n}, {"x": 4, "w": "-", "y": ""}])),
 ("m", col(pa.map_(pa.string(), pa.struct([("q", pa.float64())])), [[("k", {"q": 0.5}), ("l", n)], n, [], [("k", {"q": n})]])),
 ("nul", pa.nulls(4)),
 ("bo", col(pa.bool_(), [True, n, False, True])),
 ("ld", pa.ListArray.from_arrays(pa.array([0, 2, 2, 3, 3], pa.int32()), pa.DictionaryArray.from_arrays(pa.array([1, 0, n], pa.int8()), pa.array(["zero", "one"])))),
]
t = pa.table(dict(cols))
def write(name, tables, file, **kw):
    o = ipc.IpcWriteOptions(**kw)
    with (ipc.new_file if file else ipc.new_stream)(sys.argv[1] + "/" + name, tables[0].schema, options=o) as w:
        for x in tables: w.write_table(x)
# Slices, so that offsets do not begin at 0, and three batches.
parts = [t.slice(0, 1), t.slice(1, 2), t.slice(3)]
write("plain.arrow", parts, True)
write("lz4.arrow", [t], True, compression="lz4")
write("zstd.arrows", parts, False, compression="zstd")
write("legacy.arrows", parts, False, use_legacy_format=True)
write("v4.arrows", [t.drop(["union", "dense"])], False, metadata_version=ipc.MetadataVersion.V4)
# Dictionaries that grow and are replaced.
def d(v): return pa.table({"dict": pa.array(v).dictionary_encode()})
write("delta.arrows", [d(["a", "b"]), d(["a", "b", "c", "c"]), d(["x", None, "a"])], False, emit_dictionary_deltas=True)
write("delta.arrow", [d(["a", "b"]), d(["a", "b", "c", "c"])], True, emit_dictionary_deltas=True)
`

// TestGoldenFiles reads what pyarrow wrote; with -update it writes them again.
func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	if *update {
		out, err := exec.Command(python(t), "-c", script, "testdata").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	wide := types.NewSchema(types.MustType("ROW<" + goldenColumns + ">").Fields...)
	all := make([]int, len(wide.Fields))
	for i := range all {
		all[i] = i
	}
	f := make1(t, nil)
	raw, err := os.ReadFile("testdata/rows.txt")
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	seen := 0
	golden(func(name string, raw []byte) {
		if strings.Contains(name, "delta") {
			s := formattest.Schema("STRING")
			s.Fields[0].Name = "dict"
			want := []string{"a|", "b|", "a|", "b|", "c|", "c|"}
			if strings.HasSuffix(name, "s") {
				want = append(want, "x|", "NULL|", "a|")
			}
			for _, max := range []int{1, 100} {
				if got, err := formattest.Read(f, raw, s, []int{0}, 0, max); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: %v, %v", name, got, err)
				}
			}
			return
		}
		for _, max := range []int{1, 3, 100} {
			got, err := formattest.Read(f, raw, wide, all, 0, max)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if *update && len(raw) > 0 && strings.HasSuffix(name, "plain.arrow") {
				want = got
				if err := os.WriteFile("testdata/rows.txt", []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, %d at a time:\n got %s\nwant %s", name, max, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
		}
		// One column alone, from a row on.
		for c := range all {
			got, err := formattest.Read(f, raw, wide, []int{c}, 2, 10)
			if err != nil || len(got) != 2 {
				t.Errorf("%s: column %s: %v, %v", name, wide.Fields[c].Name, got, err)
			}
		}
		for column, why := range map[string]string{"ree BIGINT": "RunEndEncoded are not supported", "dec INT": "an Arrow Decimal128 cannot be read as INT", "skip1 STRING": "an Arrow List cannot be read as STRING"} {
			s := types.NewSchema(types.MustType("ROW<" + column + ">").Fields...)
			if _, err := formattest.Read(f, raw, s, []int{0}, 0, 10); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "column "+s.Fields[0].Name) {
				t.Errorf("%s: %v", column, err)
			}
		}
		seen++
	})
	if seen != 5 {
		t.Errorf("%d golden files", seen)
	}
}

// verify reads a file with pyarrow, checks it in full, and writes what it read
// again, in the other form and compressed.
const verify = `
import sys
import pyarrow as pa, pyarrow.ipc as ipc
for name in sys.argv[1:]:
    with open(name, "rb") as f: raw = f.read()
    t = ipc.open_file(raw).read_all() if raw[:6] == b"ARROW1" else ipc.open_stream(raw).read_all()
    t.validate(full=True)
    with ipc.new_stream(name + ".again", t.schema, options=ipc.IpcWriteOptions(compression="zstd")) as w: w.write_table(t, max_chunksize=77)
    print(t.schema.to_string(show_field_metadata=False).replace("\n", "; "))
`

// TestAgreesWithPyarrow has pyarrow read what is written here, and reads it back.
func TestAgreesWithPyarrow(t *testing.T) {
	t.Parallel()
	py := python(t)
	s := formattest.Schema(append(slices.Clone(allTypes)[:25:25], "TIME(6)")...)
	all := make([]int, len(s.Fields))
	for i := range all {
		all[i] = i
	}
	b := formattest.Batch(s, 2500, 77)
	want := formattest.Rows(s, b.Cols, all)
	dir := t.TempDir()
	var names []string
	for _, form := range []string{"file", "stream"} {
		for _, codec := range []string{"NONE", "LZ4", "ZSTD"} {
			name := filepath.Join(dir, form+codec)
			raw := formattest.Write(t, make1(t, map[string]string{"form": form, "compression": codec, "batch-size": "100 kb"}), s, b)
			if err := os.WriteFile(name, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
		}
	}
	out, err := exec.Command(py, append([]string{"-c", verify}, names...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const schema = "a: string; b: int32 not null; c: int64; d: bool; e: int8; f: int16; g: float; h: double; i: decimal128(5, 2); j: decimal128(38, 10); k: binary; l: date32[day]; m: time32[s]; n: time32[ms]; " +
		"o: timestamp[s]; p: timestamp[ms]; q: timestamp[us]; r: timestamp[ns, tz=UTC]; s: list<item: string>;   child 0, item: string; "
	if !strings.HasPrefix(string(out), schema) {
		t.Errorf("pyarrow sees\n%s, not\n%s", out, schema)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name + ".again")
		if err != nil {
			t.Fatal(err)
		}
		got, err := formattest.Read(make1(t, nil), raw, s, all, 0, 1000)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d rows, want %d; %v", name, len(got), len(want), err)
		}
	}
	// A row alone, as a message.
	enc, err := make1(t, nil).NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := enc.Append(nil, b, 3)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "message")
	if err := os.WriteFile(name, bytes.Clone(m), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(py, "-c", verify, name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
