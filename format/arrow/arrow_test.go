package arrow

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/formattest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var allTypes = []string{
	"STRING", "INT NOT NULL", "BIGINT", "BOOLEAN", "TINYINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL(5, 2)", "DECIMAL(38, 10)", "BYTES", "DATE", "TIME(0)", "TIME(3)",
	"TIMESTAMP(0)", "TIMESTAMP(3)", "TIMESTAMP(6)", "TIMESTAMP_LTZ(9)", "ARRAY<STRING>", "MAP<STRING, INT>", "ROW<x INT, y ROW<z STRING NOT NULL>>", "MULTISET<STRING>",
	"ARRAY<ROW<k BIGINT, l ARRAY<INT>>>", "ARRAY<ARRAY<INT NOT NULL> NOT NULL> NOT NULL", "MAP<BIGINT, ARRAY<ROW<a INT, b MAP<STRING, DOUBLE>>>>", "CHAR(3)",
}

func make1(t testing.TB, options map[string]string) format.StreamFormat {
	t.Helper()
	f, err := Format.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return f.(format.StreamFormat)
}

// TestFilesComeBack writes and reads rows of all types in both forms.
func TestFilesComeBack(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"file", "stream"} {
		for _, codec := range []string{"NONE", "LZ4", "ZSTD"} {
			rows := 100
			if codec == "NONE" {
				rows = 900
			}
			formattest.File(t, make1(t, map[string]string{"form": form, "compression": codec, "batch-size": "64 kb"}), formattest.Schema(allTypes...), rows)
		}
	}
}

// TestStreamsComeBack reads what passes once.
func TestStreamsComeBack(t *testing.T) {
	t.Parallel()
	s := formattest.Schema(allTypes...)
	f := make1(t, map[string]string{"batch-size": "16 kb"})
	b := formattest.Batch(s, 1000, 4)
	var buf bytes.Buffer
	w, err := f.CreateStream(&buf, format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	d, all := wantAll(s)
	want := formattest.Rows(s, b.Cols, all)
	got, err := readStream(f, buf.Bytes(), d, s, all)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%d rows, want %d; %v", len(got), len(want), err)
	}
	for _, cut := range []int{3, 9, 100, buf.Len() / 2, buf.Len() - 20} {
		if _, err := readStream(f, buf.Bytes()[:cut], d, s, all); err == nil {
			t.Errorf("cut at %d of %d: no error", cut, buf.Len())
		}
	}
	if _, err := readStream(f, formattest.Write(t, f, s, b), d, s, all); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a file as a stream: %v", err)
	}
}

func wantAll(s *types.Schema) (format.Decoding, []int) {
	d := format.Decoding{Schema: s, Zone: time.UTC}
	var all []int
	for c, f := range s.Fields {
		d.Wanted = append(d.Wanted, format.Want{Column: c, Type: f.Type})
		all = append(all, c)
	}
	return d, all
}

func readStream(f format.StreamFormat, b []byte, d format.Decoding, s *types.Schema, all []int) ([]string, error) {
	r, err := f.OpenStream(bytes.NewReader(b), d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var cols []vector.Vector
	for _, c := range all {
		cols = append(cols, vector.New(s.Fields[c].Type, 0))
	}
	for {
		if _, err = r.Read(cols, 100); err != nil {
			break
		}
	}
	if err != io.EOF {
		return nil, err
	}
	return formattest.Rows(s, cols, all), nil
}

// TestMessages reads records of many rows and of one.
func TestMessages(t *testing.T) {
	t.Parallel()
	s := formattest.Schema(allTypes...)
	f := make1(t, map[string]string{"compression": "LZ4"})
	b := formattest.Batch(s, 40, 6)
	d, all := wantAll(s)
	want := formattest.Rows(s, b.Cols, all)
	enc, err := f.NewEncoder(format.Encoding{Schema: s})
	if err != nil {
		t.Fatal(err)
	}
	var recs format.Records
	add := func(m []byte) {
		recs.Val = append(recs.Val, format.Span{Off: int32(len(recs.Buf)), Len: int32(len(m))})
		recs.Buf = append(recs.Buf, m...)
	}
	for i := range b.N {
		m, skip, err := enc.Append(nil, b, i)
		if err != nil || skip {
			t.Fatal(skip, err)
		}
		add(m)
	}
	add([]byte("no arrow at all"))
	recs.Val = append(recs.Val, format.Span{Len: -1})
	add(formattest.Write(t, f, s, b)) // a file in a message
	d.Wanted = append(d.Wanted, format.Want{Column: 20, Path: []string{"y", "z"}, Type: types.String()})
	dec, err := f.NewDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var bad []int
		n := dec.Scan(&recs, 0, len(recs.Val), func(r, row int, err error) { bad = append(bad, r) })
		if n != 80 || len(bad) != 1 || bad[0] != 40 {
			t.Fatalf("%d rows, bad %v", n, bad)
		}
		var cols []vector.Vector
		for c, w := range d.Wanted {
			v := vector.New(w.Type.OrNull(), 0)
			dec.Fill(c, nil, v, nil)
			cols = append(cols, v)
		}
		if got := formattest.Rows(s, cols[:len(all)], all); !slices.Equal(got, append(slices.Clone(want), want...)) {
			t.Fatal("other rows come back")
		}
		for i := range n {
			row := b.Cols[20].(*vector.Row)
			if want := vector.Get(row.Cols[1].(*vector.Row).Cols[0], i%40); vector.Get(cols[len(all)], i) != want {
				t.Fatalf("row %d: the nested field is %v, want %v", i, vector.Get(cols[len(all)], i), want)
			}
		}
		if dec.Record(3) != 3 || dec.Record(41) != 42 {
			t.Errorf("row 3 is of record %d, row 41 of %d", dec.Record(3), dec.Record(41))
		}
	}
}

// TestRefusals are schemas that do not fit, by name of the column.
func TestRefusals(t *testing.T) {
	t.Parallel()
	f := make1(t, nil)
	s := formattest.Schema("INT", "STRING", "ARRAY<INT>", "BIGINT")
	b := vector.NewBatch(s, 2)
	b.AppendValues(types.Insert, int32(300), "x\xff", []types.Value{int32(1), nil}, nil)
	file := formattest.Write(t, f, s, b)
	read := func(columns, want string) {
		t.Helper()
		s := types.NewSchema(types.MustType("ROW<" + columns + ">").Fields...)
		var all []int
		for c := range s.Fields {
			all = append(all, c)
		}
		got, err := formattest.Read(f, file, s, all, 0, 10)
		text := strings.Join(got, " ")
		if err != nil {
			text = "no: " + err.Error()
		}
		if text != want {
			t.Errorf("%s: %s, want %s", columns, text, want)
		}
	}
	read("A BIGINT, nothing INT", "300|NULL|")
	read("a DOUBLE", "300.0|")
	read("a DECIMAL(4, 1)", "300.0|")
	read("a DECIMAL(3, 1)", "NULL|")
	read("a DECIMAL(3, 1) NOT NULL", "no: row 0, column a: the number does not fit DECIMAL(3, 1)")
	read("b BYTES", "x'78ff'|")
	read("a TINYINT", "no: row 0, column a: 300 does not fit TINYINT")
	read("b STRING", "no: row 0, column b: the text is no UTF-8")
	read("b INT", "no: column b: an Arrow Utf8 cannot be read as INT")
	read("c ARRAY<INT NOT NULL>", "no: row 0, column c: the value is NULL, but the column is NOT NULL")
	read("d BIGINT NOT NULL", "no: row 0, column d: the value is NULL, but the column is NOT NULL")
	read("nothing INT NOT NULL", "no: column nothing: it is NOT NULL, but the data do not have it")
	if _, err := f.CreateFile(nil, format.Encoding{Schema: formattest.Schema("INT", "ROW<v VARIANT>")}); err == nil || !strings.Contains(err.Error(), "column b: v: the format has no values of type VARIANT") {
		t.Errorf("VARIANT: %v", err)
	}
	far := vector.NewBatch(formattest.Schema("TIMESTAMP(9)"), 1)
	far.AppendValues(types.Insert, types.TS{Ms: 1 << 60})
	w, err := f.CreateFile(&bytes.Buffer{}, format.Encoding{Schema: far.Schema})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(far); err == nil || !strings.Contains(err.Error(), "too far away") {
		t.Errorf("a far time: %v", err)
	}
}

// FuzzRead reads damaged files: no panic, and no more memory than they warrant.
func FuzzRead(f *testing.F) {
	s := formattest.Schema(allTypes...)
	seed := func(options map[string]string, rows int) {
		spec, err := Format.New(options)
		if err != nil {
			f.Fatal(err)
		}
		var buf bytes.Buffer
		w, err := spec.(format.FileFormat).CreateFile(&buf, format.Encoding{Schema: s})
		if err != nil {
			f.Fatal(err)
		}
		if err := w.Write(formattest.Batch(s, rows, 2)); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.Bytes())
	}
	seed(nil, 3)
	seed(map[string]string{"form": "stream"}, 20)
	seed(map[string]string{"compression": "LZ4"}, 20)
	seed(map[string]string{"compression": "ZSTD", "form": "stream"}, 5)
	golden(func(name string, raw []byte) { f.Add(raw) })
	spec := make1(f, nil)
	all := make([]int, len(s.Fields))
	for i := range all {
		all[i] = i
	}
	read := func(r format.FileReader, err error, columns ...int) {
		if err != nil {
			return
		}
		defer r.Close()
		var cols []vector.Vector
		for _, c := range columns {
			cols = append(cols, vector.New(s.Fields[c].Type, 0))
		}
		for range 20 { // a few bytes can be many rows of NULL
			for _, c := range cols {
				c.Resize(0)
			}
			if n, err := r.Read(cols, 500); err != nil {
				return
			} else if len(cols) > 0 {
				formattest.Rows(s, cols, columns)
				if cols[0].Len() != n {
					panic("another number of rows")
				}
			}
		}
	}
	d, _ := wantAll(s)
	few := format.Decoding{Schema: s, Wanted: []format.Want{d.Wanted[0], d.Wanted[22]}}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := spec.OpenFile(bytes.NewReader(b), format.FileDecoding{Decoding: d}, 0)
		read(r, err, all...)
		r, err = spec.OpenFile(bytes.NewReader(b), format.FileDecoding{Decoding: few}, 7)
		read(r, err, 0, 22)
		r, err = spec.OpenStream(bytes.NewReader(b), d)
		read(r, err, all...)
	})
}

// FuzzFlat reads any bytes as metadata.
func FuzzFlat(f *testing.F) {
	fields, err := fieldsOf(formattest.Schema(allTypes...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(appendFlat(nil, schemaObject(fields, formattest.Schema(allTypes...))))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseSchema((&flat{b: b}).root())
		_, _, _ = parseMessage(b)
	})
}

// TestMemoryIsBounded reads lengths that no input stands behind.
func TestMemoryIsBounded(t *testing.T) {
	head := func(o *object, kind byte, body int64) []byte { return envelope(nil, kind, o, body) }
	batch := func(rows, nodes, length int64, codec bool) *object {
		le := func(vals ...int64) (b []byte) {
			for _, v := range vals {
				for range 8 {
					b = append(b, byte(v))
					v >>= 8
				}
			}
			return b
		}
		o := (&object{}).scalar(0, 8, rows).child(1, structs(le(nodes, 0), 1)).child(2, structs(le(0, 0, 0, length), 2))
		if codec {
			o.child(3, (&object{}).scalar(0, 1, 1))
		}
		return o
	}
	s := formattest.Schema("BIGINT")
	fields, err := fieldsOf(s)
	if err != nil {
		t.Fatal(err)
	}
	start := head(schemaObject(fields, s), headSchema, 0)
	for name, b := range map[string][]byte{
		"metadata": append(slices.Clone(start), 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0x3F),
		"body":     append(slices.Clone(start), head(batch(1, 1, 8, false), headBatch, 1<<40)...),
		"buffer":   append(append(slices.Clone(start), head(batch(1, 1, 1<<40, false), headBatch, 8)...), make([]byte, 8)...),
		"rows":     append(append(slices.Clone(start), head(batch(1<<30, 1, 8, false), headBatch, 8)...), make([]byte, 8)...),
		"values":   append(append(slices.Clone(start), head(batch(1<<30, 1<<30, 8, false), headBatch, 8)...), make([]byte, 8)...),
		"unpacked": append(append(slices.Clone(start), head(batch(1<<20, 1<<20, 16, true), headBatch, 16)...), 0, 0, 0, 0x30, 0, 0, 0, 0, 0x28, 0xB5, 0x2F, 0xFD, 0, 0, 0, 0),
	} {
		got, err := formattest.Read(make1(t, nil), b, s, []int{0}, 0, 1024)
		if err == nil {
			t.Errorf("%s: no error, but %d rows", name, len(got))
		}
		before := allocated()
		_, _ = formattest.Read(make1(t, nil), b, s, []int{0}, 0, 1024)
		d, all := wantAll(s)
		_, _ = readStream(make1(t, nil), b, d, s, all)
		if used := allocated() - before; used > 32<<20 && !testing.Short() {
			t.Errorf("%s: %d MB for %d bytes", name, used>>20, len(b))
		}
	}
}

func BenchmarkRead(b *testing.B) {
	s := formattest.Schema("BIGINT", "STRING", "DOUBLE", "TIMESTAMP(3)")
	var batches []*vector.Batch
	batches = append(batches, formattest.Batch(s, 20_000, 1))
	spec := make1(b, nil)
	var buf bytes.Buffer
	w, _ := spec.CreateFile(&buf, format.Encoding{Schema: s})
	for _, x := range batches {
		if err := w.Write(x); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	for _, wanted := range [][]int{{0}, {0, 1, 2, 3}} {
		b.Run(fmt.Sprint(len(wanted)), func(b *testing.B) {
			d := format.FileDecoding{Decoding: format.Decoding{Schema: s}}
			var cols []vector.Vector
			for _, c := range wanted {
				d.Wanted = append(d.Wanted, format.Want{Column: c, Type: s.Fields[c].Type})
				cols = append(cols, vector.New(s.Fields[c].Type, 1024))
			}
			for b.Loop() {
				r, err := spec.OpenFile(bytes.NewReader(buf.Bytes()), d, 0)
				if err != nil {
					b.Fatal(err)
				}
				for err == nil {
					for _, c := range cols {
						c.Resize(0)
					}
					_, err = r.Read(cols, 1024)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/row")
		})
	}
}
