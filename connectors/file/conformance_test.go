package file

import (
	"bufio"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/conformance"
	"github.com/runnelio/runnel/format/raw"
	"github.com/runnelio/runnel/types"
)

func TestConformanceFollow(t *testing.T) {
	t.Parallel()
	conformance.TestSource(t, conformance.Source{Oversize: 2 << 20, New: func(t *testing.T, n int) conformance.Place {
		dir := t.TempDir()
		path := func(i int) string { return filepath.Join(dir, strconv.Itoa(i)+".log") }
		for i := range n {
			appendTo(t, path(i), "")
		}
		ids := map[int]string{}
		id := func(i int) string {
			if s, err := fileID(path(i)); err == nil {
				ids[i] = s // kept when the file is removed
			}
			return ids[i]
		}
		for i := range n {
			id(i)
		}
		return conformance.Place{
			Open: func(t *testing.T) connector.Source {
				return openSource(t, dir, testTable(t, map[string]string{"path": ".", "source.monitor-interval": "10 ms", "max-record-size": "1 mb"}))
			},
			Append:      func(t *testing.T, i int, values []string) { appendTo(t, path(i), strings.Join(values, "\n")+"\n") },
			ID:          id,
			AddSplit:    func(t *testing.T) { appendTo(t, path(n), "") },
			RemoveSplit: func(t *testing.T) { os.Remove(path(n - 1)) },
		}
	}})
}

func TestConformanceFiles(t *testing.T) {
	t.Parallel()
	conformance.TestSource(t, conformance.Source{Oversize: 2 << 20, New: func(t *testing.T, n int) conformance.Place {
		dir := t.TempDir()
		path := func(i int) string { return filepath.Join(dir, strconv.Itoa(i)+".log") }
		for i := range n {
			appendTo(t, path(i), "")
		}
		return conformance.Place{
			Open: func(t *testing.T) connector.Source {
				return openSource(t, dir, testTable(t, map[string]string{"path": ".", "max-record-size": "1 mb"}))
			},
			Append: func(t *testing.T, i int, values []string) { appendTo(t, path(i), strings.Join(values, "\n")+"\n") },
			ID:     path,
		}
	}})
}

func TestConformanceSink(t *testing.T) {
	t.Parallel()
	conformance.TestSink(t, conformance.Sink{New: func(t *testing.T) conformance.Target {
		dir := t.TempDir()
		table := testTable(t, map[string]string{"path": "out"})
		table.Schema = types.NewSchema(types.Field{Name: "v", Type: types.String()})
		f, err := raw.Format.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		table.Format = f
		return conformance.Target{
			Schema: table.Schema,
			Once:   true,
			Open:   func(t *testing.T) connector.Sink { return openSink(t, testContext(dir), table) },
			Read: func(t *testing.T, n int) []string {
				var out []string
				for deadline := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
					out = out[:0]
					files, _ := filepath.Glob(filepath.Join(dir, "out", "[^._]*"))
					for _, p := range files {
						f, err := os.Open(p)
						if err != nil {
							t.Fatal(err)
						}
						lines := bufio.NewScanner(f)
						lines.Buffer(nil, 1<<24)
						for lines.Scan() {
							out = append(out, lines.Text())
						}
						f.Close()
					}
					if len(out) >= n && n > 0 || time.Now().After(deadline) {
						return out
					}
				}
			},
		}
	}})
}
