package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func testContext(dir string) *connector.Context {
	return &connector.Context{Log: slog.New(slog.DiscardHandler), Now: time.Now, Zone: time.UTC, Dir: dir}
}

func testTable(t testing.TB, opts map[string]string) *connector.Table {
	t.Helper()
	f, err := json.Format.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &connector.Table{Name: "t", Schema: types.NewSchema(types.Field{Name: "a", Type: types.Of(types.Int)}), Options: opts, Format: f, Parallel: 1}
}

func openSource(t testing.TB, dir string, table *connector.Table) connector.Source {
	t.Helper()
	s, err := Connector.Source(testContext(dir), table)
	if err != nil {
		t.Fatal(err)
	}
	return s.(connector.Source)
}

// line is a record with the position behind it.
type line struct{ text, pos string }

// readAll reads a split to its end.
func readAll(t testing.TB, s connector.Source, split connector.Split, at string) (out []line, oversize int, err error) {
	t.Helper()
	r, err := s.Open(t.Context(), split, at)
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	var recs format.Records
	for {
		err := r.Read(t.Context(), &recs)
		for i, v := range recs.Val {
			out = append(out, line{string(recs.Buf[v.Off : v.Off+v.Len]), recs.Position(i)})
		}
		oversize += recs.Oversize
		if err == io.EOF {
			return out, oversize, nil
		}
		if err != nil {
			return out, oversize, err
		}
	}
}

func texts(lines []line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, l.text)
	}
	return out
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func compress(t testing.TB, kind string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gz":
		w = gzip.NewWriter(&b)
	case "zst":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	default:
		return content
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Write(content)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func someLines(n int) (text []byte, lines []string) {
	for i := range n {
		l := fmt.Sprintf(`{"a":%d,"b":"%s"}`, i, strings.Repeat("x", i%300))
		lines = append(lines, l)
		text = append(text, l...)
		if text = append(text, '\n'); i%7 == 0 {
			text = append(text[:len(text)-1], "\r\n"...)
		}
	}
	return text, lines
}

// Every record comes once and in order, and from the position behind any record
// reading goes on with the next.
func TestReadAndSeek(t *testing.T) {
	t.Parallel()
	text, want := someLines(5000)
	for _, kind := range []string{"txt", "gz", "zst", "xz"} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "x."+kind), compress(t, kind, text))
		s := openSource(t, dir, testTable(t, map[string]string{"path": "x." + kind}))
		splits, err := s.Splits(t.Context())
		if err != nil || len(splits) != 1 {
			t.Fatal(splits, err)
		}
		got, _, err := readAll(t, s, splits[0], "")
		if err != nil || !reflect.DeepEqual(texts(got), want) {
			t.Fatalf("%s: %d lines of %d, %v", kind, len(got), len(want), err)
		}
		for i := 1; i < len(got); i++ {
			if got[i].pos <= got[i-1].pos {
				t.Fatalf("%s: position %s behind %s", kind, got[i].pos, got[i-1].pos)
			}
		}
		for _, i := range []int{0, 1, 777, 2500, 4998, 4999} {
			rest, _, err := readAll(t, s, splits[0], got[i].pos)
			if err != nil || !reflect.DeepEqual(texts(rest), append([]string(nil), want[i+1:]...)) && len(want[i+1:]) > 0 || len(rest) != len(want[i+1:]) {
				t.Fatalf("%s: behind record %d there are %d lines, want %d (%v)", kind, i, len(rest), len(want[i+1:]), err)
			}
		}
	}
}

func TestLastLineWithoutEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), []byte("a\n\nb"))
	write(t, filepath.Join(dir, "empty"), nil)
	write(t, filepath.Join(dir, "empty.gz"), nil)
	s := openSource(t, dir, testTable(t, map[string]string{"path": "."}))
	for file, want := range map[string][]string{"x": {"a", "", "b"}, "empty": nil, "empty.gz": nil} {
		got, _, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, file)}, "")
		if err != nil || !reflect.DeepEqual(texts(got), want) {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
}

func TestSplitsOfFolderAndPattern(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, f := range []string{"a.json", "sub/b.json", "sub/c.log", ".hidden", "_SUCCESS", "_tmp/d.json"} {
		write(t, filepath.Join(dir, f), []byte("x\n"))
	}
	f := func(want []string, opts map[string]string) {
		t.Helper()
		s := openSource(t, dir, testTable(t, opts))
		splits, err := s.Splits(t.Context())
		var got []string
		for _, sp := range splits {
			rel, _ := filepath.Rel(dir, sp.ID)
			got = append(got, rel)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %q, %v; want %q", opts, got, err, want)
		}
	}
	all := []string{"a.json", "sub/b.json", "sub/c.log"}
	f(all, map[string]string{"path": dir})
	f(all, map[string]string{"path": "file://" + dir})
	f(all, map[string]string{"path": "./"})
	f([]string{"a.json"}, map[string]string{"path": "a.json"})
	f([]string{"a.json"}, map[string]string{"path": "*.json"})
	f([]string{"sub/b.json"}, map[string]string{"path": "*/*.json"})
	f(nil, map[string]string{"path": "*.none", "source.allow-empty": "true"})
	f([]string{"sub/c.log"}, map[string]string{"path": ".", "source.path.regex-pattern": `.*\.log`})
	s := openSource(t, dir, testTable(t, map[string]string{"path": "missing"}))
	if _, err := s.Splits(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing path: %v", err)
	}
	if err := Connector.Check(map[string]string{"path": "x", "source.path.regex-pattern": "("}); err == nil {
		t.Error("a broken pattern passes")
	}
}

func TestPartitionValues(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "day=2024-01-02/n=7/f"), []byte("{}\n"))
	write(t, filepath.Join(dir, "day=__DEFAULT_PARTITION__/n=8/f"), []byte("{}\n"))
	table := testTable(t, map[string]string{"path": "."})
	table.Schema = types.NewSchema(types.Field{Name: "a", Type: types.String()}, types.Field{Name: "day", Type: types.Of(types.Date)}, types.Field{Name: "n", Type: types.Of(types.Int)})
	table.Partitions = []string{"n", "day"}
	splits, err := openSource(t, dir, table).Splits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	day, _ := types.ParseDate("2024-01-02")
	if len(splits) != 2 || !reflect.DeepEqual(splits[0].Values, []types.Value{int32(7), day}) || !reflect.DeepEqual(splits[1].Values, []types.Value{int32(8), nil}) {
		t.Fatalf("%v", splits)
	}
	write(t, filepath.Join(dir, "n=x/day=2024-01-02/f"), nil)
	if _, err := openSource(t, dir, table).Splits(t.Context()); err == nil || !strings.Contains(err.Error(), "partition column n") {
		t.Fatal(err)
	}
}

func TestTruncatedGzipTellsSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, want := someLines(20000)
	packed := compress(t, "gz", text)
	write(t, filepath.Join(dir, "x.gz"), packed[:len(packed)/2])
	write(t, filepath.Join(dir, "y.gz"), []byte("this is not gzip"))
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-6] ^= 1 // the checksum
	write(t, filepath.Join(dir, "z.gz"), damaged)
	s := openSource(t, dir, testTable(t, map[string]string{"path": "."}))
	got, _, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, "x.gz")}, "")
	if !errors.Is(err, errTruncated) || !strings.Contains(err.Error(), "x.gz") {
		t.Errorf("truncated: %v", err)
	}
	if len(got) < 1000 || !reflect.DeepEqual(texts(got), want[:len(got)]) {
		t.Errorf("truncated: %d lines in front of the damage", len(got))
	}
	if _, _, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, "y.gz")}, ""); err == nil || !strings.Contains(err.Error(), "not compressed as") {
		t.Errorf("no gzip: %v", err)
	}
	if _, _, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, "z.gz")}, ""); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("checksum: %v", err)
	}
}

func TestHugeLineIsLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	huge := bytes.Repeat([]byte("0123456789"), 10<<20)
	write(t, filepath.Join(dir, "x"), append(append([]byte("first\n"), huge...), "\nlast\n"...))
	write(t, filepath.Join(dir, "y"), append([]byte("first\n"), huge...))
	s := openSource(t, dir, testTable(t, map[string]string{"path": ".", "max-record-size": "1 mb"}))
	got, over, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, "x")}, "")
	if err != nil || over != 1 || !reflect.DeepEqual(texts(got), []string{"first", "last"}) {
		t.Errorf("%q, %d too long, %v", texts(got), over, err)
	}
	if rest, _, err := readAll(t, s, connector.Split{ID: filepath.Join(dir, "x")}, got[0].pos); err != nil || len(rest) != 1 || rest[0] != got[1] {
		t.Errorf("behind the first: %v, %v", rest, err)
	}
	got, over, err = readAll(t, s, connector.Split{ID: filepath.Join(dir, "y")}, "")
	if err != nil || over != 1 || len(got) != 1 {
		t.Errorf("at the end: %q, %d too long, %v", texts(got), over, err)
	}
	whole := openSource(t, dir, testTable(t, map[string]string{"path": ".", "max-record-size": "200 mb"}))
	if got, over, err := readAll(t, whole, connector.Split{ID: filepath.Join(dir, "x")}, ""); err != nil || over != 0 || len(got) != 3 || len(got[1].text) != len(huge) {
		t.Errorf("allowed: %d lines, %d too long, %v", len(got), over, err)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), []byte("a\n"))
	s := openSource(t, dir, testTable(t, map[string]string{"path": "x"}))
	if _, err := s.Open(context.Background(), connector.Split{ID: filepath.Join(dir, "gone")}, ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := s.Open(context.Background(), connector.Split{ID: filepath.Join(dir, "x")}, "abc"); err == nil {
		t.Error("a broken position passes")
	}
	if _, _, err := readAll(t, s, connector.Split{ID: dir}, ""); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
	if os.Geteuid() != 0 {
		os.Chmod(filepath.Join(dir, "x"), 0)
		if _, err := s.Open(context.Background(), connector.Split{ID: filepath.Join(dir, "x")}, ""); !errors.Is(err, os.ErrPermission) {
			t.Errorf("no permission: %v", err)
		}
	}
}

func TestMetadataColumns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), []byte("{}\n{}\n"))
	table := testTable(t, map[string]string{"path": "x"})
	table.Schema = types.NewSchema(types.Field{Name: "n", Type: types.String()}, types.Field{Name: "s", Type: types.Of(types.BigInt)})
	table.Metadata = []connector.Metadata{{Column: 0, Key: "file.name"}, {Column: 1, Key: "file.size"}}
	r, err := openSource(t, dir, table).Open(t.Context(), connector.Split{ID: filepath.Join(dir, "x")}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var recs format.Records
	r.Read(t.Context(), &recs)
	if len(recs.Meta) != 2 || vector.Get(recs.Meta[0], 1) != "x" || vector.Get(recs.Meta[1], 0) != int64(6) || recs.Meta[0].Len() != len(recs.Val) {
		t.Fatalf("%v", recs.Meta)
	}
}

// The parts of a file have together each record once, whatever their size, and
// can be gone on with from every position.
func TestParts(t *testing.T) {
	t.Parallel()
	text, want := someLines(400)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "x"), text)
	write(t, filepath.Join(dir, "y.gz"), compress(t, "gz", text))
	for _, size := range []int{1, 7, 100, 1000, 5000, len(text) - 1, len(text), len(text) + 1} {
		s := openSource(t, dir, testTable(t, map[string]string{"path": "x", "source.split-size": fmt.Sprint(size)}))
		splits, err := s.Splits(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if size < 100 {
			splits = splits[:min(len(splits), 2000)]
		} else if n := (len(text) + size - 1) / size; len(splits) != n {
			t.Fatalf("size %d: %d parts, want %d", size, len(splits), n)
		}
		var got []line
		for _, sp := range splits {
			part, _, err := readAll(t, s, sp, "")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
			if len(part) > 2 {
				rest, _, err := readAll(t, s, sp, part[1].pos)
				if err != nil || !reflect.DeepEqual(rest, part[2:]) {
					t.Fatalf("size %d, %s: behind the second record %q, want %q (%v)", size, sp.ID, texts(rest), texts(part[2:]), err)
				}
			}
		}
		if !reflect.DeepEqual(texts(got), want[:len(got)]) || size >= 100 && len(got) != len(want) {
			t.Fatalf("size %d: %d records, want %d in order", size, len(got), len(want))
		}
	}
	s := openSource(t, dir, testTable(t, map[string]string{"path": "y.gz", "source.split-size": "100"}))
	if splits, err := s.Splits(t.Context()); err != nil || len(splits) != 1 {
		t.Fatal(splits, err)
	}
}
