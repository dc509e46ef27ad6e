package cli

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"

	"github.com/runnelio/runnel/types"
)

// tableWriter draws rows in a frame. The widths are those of the first rows;
// cells that are longer are cut. On a terminal a row is one line of it.
type tableWriter struct {
	out    *bufio.Writer
	names  []string
	right  []bool
	op     bool
	rows   [][]string
	widths []int
	limit  int // columns of the terminal, 0 if there is none
	hidden int // columns of the table that have no room
}

// sampleRows is how many rows the widths of the columns are taken from.
const sampleRows = 1000

// maxCell is how wide a column gets, minCell how narrow on a narrow terminal.
const (
	maxCell = 60
	minCell = 4
)

// columnsOf is the width of the terminal behind a stream, 0 if it is none.
func columnsOf(out any) int {
	if !isTerminal(out) {
		return 0
	}
	return width(out)
}

func newTableWriter(out *bufio.Writer, s *types.Schema, op bool) *tableWriter {
	t := &tableWriter{out: out, op: op}
	if op {
		t.names, t.right = append(t.names, "op"), append(t.right, false)
	}
	for _, f := range s.Fields {
		t.names = append(t.names, f.Name)
		t.right = append(t.right, f.Type.IsNumeric())
	}
	return t
}

func (t *tableWriter) add(op string, cells []string) {
	if t.op {
		cells = append([]string{op}, cells...)
	}
	if t.widths != nil {
		t.line(cells)
		return
	}
	t.rows = append(t.rows, cells)
	if len(t.rows) >= sampleRows {
		t.start()
	}
}

// start fixes the widths and draws what has come.
func (t *tableWriter) start() {
	t.widths = make([]int, len(t.names))
	for i, n := range t.names {
		t.widths[i] = cellWidth(n)
	}
	for _, r := range t.rows {
		for i, c := range r {
			t.widths[i] = min(max(t.widths[i], cellWidth(oneLine(c))), maxCell)
		}
	}
	t.fit()
	t.rule()
	t.line(t.names)
	t.rule()
	for _, r := range t.rows {
		t.line(r)
	}
	t.rows = nil
}

// fit narrows the widest columns until a row has room on the terminal. Where that
// is not enough the last columns are left out, and a column of dots tells it.
func (t *tableWriter) fit() {
	if t.limit == 0 {
		return
	}
	total := 1
	for _, w := range t.widths {
		total += w + 3
	}
	for total > t.limit {
		widest := 0
		for i, w := range t.widths {
			if w > t.widths[widest] {
				widest = i
			}
		}
		if t.widths[widest] <= minCell {
			break
		}
		t.widths[widest]--
		total--
	}
	for total > t.limit && len(t.widths) > 1 {
		last := len(t.widths) - 1
		if t.hidden == 0 {
			total += 1 + 3 // the dots
		}
		total -= t.widths[last] + 3
		t.widths = t.widths[:last]
		t.hidden++
	}
}

func (t *tableWriter) finish() {
	if t.widths == nil {
		t.start()
	}
	t.rule()
}

func (t *tableWriter) rule() {
	for _, w := range t.widths {
		fmt.Fprintf(t.out, "+%s", strings.Repeat("-", w+2))
	}
	if t.hidden > 0 {
		fmt.Fprint(t.out, "+---")
	}
	fmt.Fprintln(t.out, "+")
}

func (t *tableWriter) line(cells []string) {
	for i := range t.widths {
		c := oneLine(cells[i])
		if cellWidth(c) > t.widths[i] {
			c = cut(c, t.widths[i])
		}
		pad := strings.Repeat(" ", max(0, t.widths[i]-cellWidth(c)))
		if t.right[i] {
			fmt.Fprintf(t.out, "| %s%s ", pad, c)
		} else {
			fmt.Fprintf(t.out, "| %s%s ", c, pad)
		}
	}
	if t.hidden > 0 {
		fmt.Fprint(t.out, "| … ")
	}
	fmt.Fprintln(t.out, "|")
}

// oneLine shows line ends and other control characters as escapes: a cell is one
// line, and cannot steer the terminal.
func oneLine(s string) string {
	clean := true
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7f {
			clean = false
			break
		}
	}
	if clean && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func cellWidth(s string) int { return uniseg.StringWidth(s) }

// cut shortens a cell to w columns with an ellipsis.
func cut(s string, w int) string {
	var b strings.Builder
	n := 0
	g := uniseg.NewGraphemes(s)
	for g.Next() {
		if n+g.Width() > w-1 {
			break
		}
		b.WriteString(g.Str())
		n += g.Width()
	}
	return b.String() + "…"
}

// printRows prints the answer of a statement as a table.
func printRows(out any, s *types.Schema, rows [][]types.Value) error {
	b := bufio.NewWriter(out.(io.Writer))
	t := newTableWriter(b, s, false)
	t.limit = columnsOf(out)
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, v := range r {
			if v == nil {
				cells[i] = "<NULL>"
				continue
			}
			cells[i] = string(types.AppendValue(nil, v, s.Fields[i].Type, nil))
		}
		t.add("", cells)
	}
	t.finish()
	fmt.Fprintf(b, "%s\n", rowCount(int64(len(rows))))
	return b.Flush()
}
