package kafka

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/services/servicetest"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

type writer interface {
	connector.Sink
	connector.Tx
}

// texts is a batch of the rows of valueTable.
func texts(values ...string) *vector.Batch {
	b := vector.NewBatch(types.NewSchema(types.Field{Name: "v", Type: types.String()}), len(values))
	for _, v := range values {
		b.AppendValues(types.Insert, v)
	}
	return b
}

// TestFenced has a unit's transactions pass from writer to writer: the former one
// can neither write nor, once it is told that the unit is not its own, take them back.
func TestFenced(t *testing.T) {
	addr := servicetest.Kafka(t)
	cl := testClient(t, addr)
	topic := makeTopic(t, cl, 1)
	owned := true
	open := func(f func() bool) writer {
		table := valueTable(t, map[string]string{"topic": topic, "properties.bootstrap.servers": addr, "sink.delivery-guarantee": "exactly-once", "sink.transactional-id-prefix": topic})
		table.Unit, table.Owned = "u", f
		s, err := Connector.Sink(testContext(), table)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = s.Close(ctx)
		})
		return s.(writer)
	}
	commit := func(s writer) error {
		token, err := s.Prepare(t.Context(), 1)
		if err != nil {
			return err
		}
		return s.Commit(t.Context(), token)
	}
	former, next := open(func() bool { return owned }), open(nil)
	if err := former.Write(t.Context(), texts("a")); err != nil {
		t.Fatal(err)
	}
	if err := next.Write(t.Context(), texts("b")); err != nil {
		t.Fatal(err)
	}
	if err := former.Write(t.Context(), texts("c")); !errors.Is(err, connector.ErrFenced) {
		t.Errorf("the former writer writes on: %v", err)
	}
	late := open(func() bool { return owned })
	owned = false
	if err := late.Write(t.Context(), texts("d")); !errors.Is(err, connector.ErrFenced) {
		t.Errorf("a writer that does not own the unit takes its ids: %v", err)
	}
	if err := next.Write(t.Context(), texts("e")); err != nil {
		t.Errorf("the owner was disturbed: %v", err)
	}
	if err := commit(next); err != nil {
		t.Error(err)
	}
	var got []string
	for _, r := range readAll(t, addr, topic) {
		got = append(got, string(r.Value))
	}
	if !slices.Equal(got, []string{"b", "e"}) {
		t.Errorf("committed: %q", got)
	}
}
