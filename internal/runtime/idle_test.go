package runtime

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// recorder keeps the watermarks and idle events an operator hears.
type recorder struct {
	exec.Stateless
	heard []string
}

func (r *recorder) Process(int, *vector.Batch, exec.Output) error { return nil }

func (r *recorder) Control(_ int, ev exec.Event, _ exec.Output) error {
	switch ev.Kind {
	case exec.Watermark:
		r.heard = append(r.heard, fmt.Sprint(ev.Time))
	case exec.Idle:
		r.heard = append(r.heard, "idle")
	case exec.End:
		r.heard = append(r.heard, "end")
	}
	return nil
}

// TestIdleSendersHoldNoWatermark sends to a task of three senders what its
// exchanges would.
func TestIdleSendersHoldNoWatermark(t *testing.T) {
	mark := func(sender int, ms int64) message {
		return message{sender: sender, event: exec.Event{Kind: exec.Watermark, Time: ms}}
	}
	idle := func(sender int) message { return message{sender: sender, event: exec.Event{Kind: exec.Idle}} }
	rows := func(sender int) message {
		return message{sender: sender, batch: vector.NewBatch(types.NewSchema(), 0), back: make(chan *vector.Batch, 1)}
	}
	tests := []struct {
		name string
		send []message
		want []string
	}{
		{"all wait for the slowest", []message{mark(0, 10), mark(1, 20), mark(2, 5)}, []string{"5"}},
		{"not for an idle one", []message{mark(0, 10), mark(1, 20), idle(2)}, []string{"10"}},
		{"for one that has rows again", []message{mark(0, 10), mark(1, 20), idle(2), rows(2), mark(0, 30), mark(2, 15)}, []string{"10", "15"}},
		{"for one with a watermark again", []message{mark(0, 10), mark(1, 20), idle(2), mark(2, exec.NoWatermark), mark(0, 30), mark(2, 15)}, []string{"10", "15"}},
		{"all idle: the furthest, then idle", []message{mark(0, 10), mark(1, 20), idle(2), idle(0), idle(1)}, []string{"10", "20", "idle"}},
		{"idle from the start", []message{idle(0), idle(1), idle(2), mark(1, 3)}, []string{"idle", "3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			k := &task{name: "t", inputs: 1, senders: make([]senderInfo, 3), inbox: make(chan message, 32),
				nodes: []*node{{name: "r", op: r, metrics: &metrics.Op{}, mark: noWatermark}}}
			for _, m := range tt.send {
				k.inbox <- m
			}
			for s := range 3 {
				k.inbox <- message{sender: s, event: exec.Event{Kind: exec.End}}
			}
			if err := k.receive(context.Background()); err != nil {
				t.Fatal(err)
			}
			at := min(len(tt.want), len(r.heard))
			if !slices.Equal(r.heard[:at], tt.want) {
				t.Errorf("heard %q, want %q first", r.heard, tt.want)
			}
			if r.heard[len(r.heard)-1] != "end" {
				t.Errorf("the end came not last: %q", r.heard)
			}
		})
	}
}
