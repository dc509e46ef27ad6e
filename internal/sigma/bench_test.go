package sigma

import (
	"bytes"
	"testing"

	"github.com/runnelio/runnel/format/json"
)

// The cost of a real event under all rules that are run; caches begin empty.
func BenchmarkRealEvents(b *testing.B) {
	c := realRules(b, Options{})
	m, err := NewMatcher(c, "_id")
	if err != nil {
		b.Fatal(err)
	}
	events := gunzipped(b, "windows", "events.jsonl.gz")
	n := len(events)
	events = append(events, make([]byte, json.Slack)...)
	task, err := m.NewTask()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	from := 0
	for range b.N {
		to := from + bytes.IndexByte(events[from:n], '\n')
		if _, err := task.Match(events, from, to); err != nil {
			b.Fatal(err)
		}
		if from = to + 1; from >= n {
			from = 0
			if task, err = m.NewTask(); err != nil {
				b.Fatal(err)
			}
		}
	}
}
