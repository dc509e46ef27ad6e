package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// liveView shows the rows of a query on a terminal as they are at the moment:
// the last ones that fit, redrawn in place while it runs, and all of them (up to
// maxLive) at the end.
type liveView struct {
	mu    sync.Mutex
	rows  *rowPrinter
	out   io.Writer
	lines int // drawn
	dirty bool
}

// maxLive is how many rows are printed at the end of a query in the shell.
const maxLive = 10_000

func newLiveView(out any, zone *time.Location) *liveView {
	w := out.(io.Writer)
	return &liveView{out: w, rows: newRowPrinter(w, formatTable, zone)}
}

func (v *liveView) begin(s *types.Schema) error { return v.rows.begin(s, true) }

// Write implements connector.Sink.
func (v *liveView) Write(ctx context.Context, b *vector.Batch) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.dirty = true
	return v.rows.Write(ctx, b)
}

// Close implements connector.Sink.
func (v *liveView) Close(context.Context) error { return nil }

// draw shows the last rows over those drawn before.
func (v *liveView) draw() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.dirty {
		return
	}
	v.dirty = false
	height := 24
	if f, ok := file(v.out); ok {
		if _, h, err := term.GetSize(int(f.Fd())); err == nil && h > 0 {
			height = h
		}
	}
	v.erase()
	var shown [][]string
	for i := len(v.rows.kept) - 1; i >= 0 && len(shown) < max(1, height-6); i-- {
		if k := v.rows.kept[i]; !k.gone {
			shown = append(shown, k.cells)
		}
	}
	b := bufio.NewWriter(v.out)
	t := newTableWriter(b, v.rows.schema, false)
	t.limit = columnsOf(v.out)
	for i := len(shown) - 1; i >= 0; i-- {
		t.add("", shown[i])
	}
	t.finish()
	fmt.Fprintf(b, "%s so far\n", rowCount(v.rows.rows))
	_ = b.Flush() // a picture: what comes at the end is checked
	v.lines = len(shown) + 5
}

// erase takes back what was drawn.
func (v *liveView) erase() {
	if v.lines > 0 {
		fmt.Fprintf(v.out, "\x1b[%dA\x1b[J", v.lines)
		v.lines = 0
	}
}

// end prints the rows as they were at the end.
func (v *liveView) end() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	if left := len(v.rows.kept) - maxLive; left > 0 {
		fmt.Fprintf(v.out, "the first %s rows are not shown\n", count(int64(left)))
		v.rows.kept = v.rows.kept[left:]
	}
	return v.rows.end()
}
