package alone

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connector/buffered"
	"github.com/runnelio/runnel/connectors/file"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/changelog"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Metadata of the connector and of the format stand among the columns, in any order.
func TestToldMetadata(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(path, []byte(`{"database":"d","table":"t","type":"update","ts":1,"data":{"id":2},"old":{"id":1}}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	table := func(typ string, key string) *Table {
		return &Table{
			Schema: types.NewSchema(types.Field{Name: "tab", Type: types.MustType(typ)}, types.Field{Name: "f", Type: types.String()},
				types.Field{Name: "id", Type: types.Of(types.Int)}, types.Field{Name: "db", Type: types.String()}),
			Metadata:   map[string]string{"tab": key, "db": "value.database", "f": "file.name"},
			Options:    map[string]string{"connector": "filesystem", "path": path, "format": "maxwell-json"},
			Connectors: connector.Set{file.Connector},
			Formats:    format.Set{changelog.Maxwell},
		}
	}
	r, err := table("STRING", "value.table").Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []string
	for batch, err := range r.Batches(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		batch.Rows(func(i int) {
			row := batch.Kind(i).String()
			for _, c := range batch.Cols {
				row += fmt.Sprint(" ", vector.Get(c, i))
			}
			got = append(got, row)
		})
	}
	if want := "-U t in.jsonl 1 d\n+U t in.jsonl 2 d"; strings.Join(got, "\n") != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := table("INT", "value.table").Open(t.Context()); err == nil || !strings.Contains(err.Error(), "is STRING, not INT") {
		t.Errorf("another type: %v", err)
	}
	unknown, err := table("STRING", "value.tabel").Open(t.Context()) // the connector's to refuse
	if err == nil {
		for _, err = range unknown.Batches(t.Context(), nil) {
		}
		defer unknown.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "value.tabel") {
		t.Errorf("a name that nobody tells: %v", err)
	}
	if _, err := table("STRING", "value.table").Writer(buffered.Options{}); err == nil || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("writing: %v", err)
	}
}
