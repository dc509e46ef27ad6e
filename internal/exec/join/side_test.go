package join

import (
	"testing"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// changes is a state.Backend that keeps what is put.
type changes struct{ entries map[string][]byte }

func (c *changes) Restore(func(uint16, []byte, []byte) error) error { return nil }
func (c *changes) Seal(int64) error                                 { return nil }

func (c *changes) Put(_ uint16, key, value []byte) error {
	c.entries[string(key)] = append([]byte(nil), value...)
	return nil
}

func (c *changes) Delete(_ uint16, key []byte) error {
	delete(c.entries, string(key))
	return nil
}

// TestRestoredRowLeavesTheStore takes a row back that came before a restart: a
// second restart must not find it.
func TestRestoredRowLeavesTheStore(t *testing.T) {
	t.Parallel()
	schema := types.NewSchema(types.Field{Name: "k", Type: types.Of(types.Int)})
	b := vector.NewBatch(schema, 1)
	b.AppendValues(types.Insert, types.Value(int32(7)))
	key := vector.AppendKey(nil, b.Cols[0], 0)
	store := &changes{entries: map[string][]byte{}}
	first := newSide()
	first.add(key, b, 0, 0)
	if err := first.entries.Snapshot(store, first.save); err != nil || len(store.entries) != 1 {
		t.Fatalf("%d entries, %v", len(store.entries), err)
	}
	second := newSide()
	for k, v := range store.entries {
		if err := second.load([]byte(k), v, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := second.retract(key, b, 0); !ok {
		t.Fatal("the row is not there after a restart")
	}
	if err := second.entries.Snapshot(store, second.save); err != nil || len(store.entries) != 0 {
		t.Fatalf("%d entries are left, %v", len(store.entries), err)
	}
}
