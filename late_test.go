package runnel_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel"
)

// TestSideOutputLate has rows that come after their window handed to a sink of
// their own, with all columns of the stream and what is told of them.
func TestSideOutputLate(t *testing.T) {
	t.Parallel()
	j := newEnv(t).Job("late").With(runnel.Set("pipeline.auto-watermark-interval", "0 ms"))
	rows := []click{{"ann", 1, at(1)}, {"bob", 2, at(15)}, {"ann", 3, at(2)}, {"bob", 4, at(31)}, {"cid", 5, at(12)}}
	var windows, late []string
	text := func(r runnel.Row) string {
		out := ""
		for _, v := range r.Values() {
			if x, ok := v.(time.Time); ok {
				v = x.Unix()
			}
			out += fmt.Sprint(v, " ")
		}
		return out
	}
	d := runnel.From[click](j, runnel.Values(rows...)).Data()
	err := d.Window(runnel.Tumble(10 * time.Second)).GroupBy("u").Count("c").
		SideOutputLate(runnel.EachChange(func(_ context.Context, _ runnel.Kind, r runnel.Row) error {
			late = append(late, text(r))
			return nil
		})).ToDataStream().
		To(runnel.EachChange(func(_ context.Context, _ runnel.Kind, r runnel.Row) error {
			windows = append(windows, text(r))
			return nil
		})).Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(windows)
	equal(t, windows, "ann 0 10 1 ", "bob 10 20 1 ", "bob 30 40 1 ")
	equal(t, late, "ann 3 2 WindowAggregate-1 15 10 ", "cid 5 12 WindowAggregate-1 31 20 ")
}
