package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/format"
	formatjson "github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The formats of query results.
const (
	formatTable = "table"
	formatJSON  = "json" // {"op":"+I","row":{…}} a line
	formatCSV   = "csv"
	formatRows  = "rows" // ["+I","a",null] a line, values as Flink's client prints them
)

// rowPrinter is the sink that prints the rows of a query: each change as it
// comes, or the final rows at the end.
type rowPrinter struct {
	out    *bufio.Writer
	format string
	zone   *time.Location
	schema *types.Schema
	final  bool
	order  []plan.SortKey // of the final rows, which else stand as they came
	// kept are the final rows so far, in the order they came, as printed text.
	kept []*keptRow
	// at finds a kept row by its text: the newest of equal ones last.
	at      map[string][]*keptRow
	encoder format.Encoder
	csv     *csv.Writer
	rows    int64
	table   *tableWriter
	columns int // of the terminal, 0 if there is none
	buf     []byte
}

type keptRow struct {
	line  []byte
	cells []string
	keys  []types.Value // of the columns of order
	gone  bool
}

func newRowPrinter(out io.Writer, format string, zone *time.Location) *rowPrinter {
	return &rowPrinter{out: bufio.NewWriterSize(out, 64<<10), format: format, zone: zone, columns: columnsOf(out), at: map[string][]*keptRow{}}
}

// begin says which rows will come.
func (p *rowPrinter) begin(schema *types.Schema, final bool) error {
	p.schema, p.final = schema, final
	switch p.format {
	case formatJSON:
		f, err := formatjson.Format.New(nil)
		if err != nil {
			return err
		}
		plain := types.NewSchema(append([]types.Field(nil), schema.Fields...)...)
		if p.encoder, err = f.NewEncoder(format.Encoding{Schema: plain, Zone: p.zone}); err != nil {
			return err
		}
	case formatCSV:
		p.csv = csv.NewWriter(p.out)
		head := schema.Names()
		if !final {
			head = append([]string{"op"}, head...)
		}
		if err := p.csv.Write(head); err != nil {
			return err
		}
	case formatTable:
		p.table = newTableWriter(p.out, schema, !final)
		p.table.limit = p.columns
	}
	return nil
}

// Write implements connector.Sink.
func (p *rowPrinter) Write(_ context.Context, b *vector.Batch) error {
	var err error
	b.Rows(func(i int) {
		if err == nil {
			err = p.row(b, i)
		}
	})
	return err
}

func (p *rowPrinter) row(b *vector.Batch, i int) error {
	kind := b.Kind(i)
	if !p.final {
		p.rows++
		return p.print(b, i, kind)
	}
	// The final rows are the changelog applied as a multiset.
	p.buf = vector.AppendRowOf(p.buf[:0], b.Cols, i)
	key := string(p.buf)
	list := p.at[key]
	if kind.Sign() < 0 {
		if n := len(list); n > 0 {
			list[n-1].gone = true
			if n == 1 {
				delete(p.at, key)
			} else {
				p.at[key] = list[:n-1]
			}
			p.rows--
		}
		return nil
	}
	k := &keptRow{}
	switch p.format {
	case formatTable, formatCSV:
		k.cells = p.cells(b, i)
	default:
		var err error
		if k.line, err = p.line(nil, b, i, types.Insert); err != nil {
			return err
		}
	}
	for _, o := range p.order {
		v := vector.Get(b.Cols[o.Column], i)
		if s, ok := v.(string); ok {
			v = strings.Clone(s) // of the batch, which is filled again
		}
		k.keys = append(k.keys, v)
	}
	p.at[key] = append(list, k)
	p.kept = append(p.kept, k)
	p.rows++
	p.compact()
	return nil
}

// compact drops rows that are gone when most are.
func (p *rowPrinter) compact() {
	if len(p.kept) < 1024 || int64(len(p.kept)) < 2*p.rows {
		return
	}
	kept := p.kept[:0]
	for _, k := range p.kept {
		if !k.gone {
			kept = append(kept, k)
		}
	}
	clear(p.kept[len(kept):])
	p.kept = kept
}

func (p *rowPrinter) cells(b *vector.Batch, i int) []string {
	cells := make([]string, len(b.Cols))
	for c, v := range b.Cols {
		cells[c] = p.text(v, i, p.schema.Fields[c].Type)
	}
	return cells
}

// text is a value as Flink's client prints it, <NULL> for NULL.
func (p *rowPrinter) text(v vector.Vector, i int, t types.Type) string {
	value := vector.Get(v, i)
	if value == nil {
		return "<NULL>"
	}
	p.buf = types.AppendValue(p.buf[:0], value, t, p.zone)
	return string(p.buf)
}

// line encodes a row for the json and rows formats.
func (p *rowPrinter) line(dst []byte, b *vector.Batch, i int, kind types.RowKind) ([]byte, error) {
	if p.format == formatJSON {
		dst = append(dst, `{"op":"`...)
		dst = append(dst, kind.String()...)
		dst = append(dst, `","row":`...)
		dst, _, err := p.encoder.Append(dst, b, i)
		return append(dst, "}\n"...), err
	}
	dst = append(dst, `["`...)
	dst = append(dst, kind.String()...)
	dst = append(dst, '"')
	for c, v := range b.Cols {
		dst = append(dst, ',')
		value := vector.Get(v, i)
		if value == nil {
			dst = append(dst, "null"...)
			continue
		}
		p.buf = types.AppendValue(p.buf[:0], value, p.schema.Fields[c].Type, p.zone)
		dst = appendJSONString(dst, string(p.buf))
	}
	return append(dst, "]\n"...), nil
}

func appendJSONString(dst []byte, s string) []byte {
	quoted, err := marshalPlain(s)
	if err != nil {
		return append(dst, `""`...) // a string always marshals
	}
	return append(dst, quoted...)
}

// marshalPlain is JSON without the escapes that HTML wants.
func marshalPlain(v any) ([]byte, error) {
	var b plainBuffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b[:len(b)-1], nil // without the line end
}

type plainBuffer []byte

func (b *plainBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// print shows a change at once.
func (p *rowPrinter) print(b *vector.Batch, i int, kind types.RowKind) error {
	switch p.format {
	case formatTable:
		p.table.add(kind.String(), p.cells(b, i))
		return nil
	case formatCSV:
		return p.csv.Write(append([]string{kind.String()}, csvCells(p.cells(b, i))...))
	}
	line, err := p.line(nil, b, i, kind)
	if err != nil {
		return err
	}
	_, err = p.out.Write(line)
	return err
}

// csvCells writes NULL as nothing.
func csvCells(cells []string) []string {
	for i, c := range cells {
		if c == "<NULL>" {
			cells[i] = ""
		}
	}
	return cells
}

// Flush implements connector.Flusher: what is printed is seen.
func (p *rowPrinter) Flush(context.Context) error {
	if p.csv != nil {
		p.csv.Flush()
	}
	return p.out.Flush()
}

// Close implements connector.Sink.
func (p *rowPrinter) Close(context.Context) error { return nil }

// end prints the final rows, or the end of the table.
func (p *rowPrinter) end() error {
	slices.SortStableFunc(p.kept, p.compare)
	for _, k := range p.kept {
		if k.gone {
			continue
		}
		var err error
		switch p.format {
		case formatTable:
			p.table.add("", k.cells)
		case formatCSV:
			err = p.csv.Write(csvCells(k.cells))
		default:
			_, err = p.out.Write(k.line)
		}
		if err != nil {
			return err
		}
	}
	if p.table != nil {
		p.table.finish()
		fmt.Fprintf(p.out, "%s\n", rowCount(p.rows))
	}
	return p.Flush(context.Background())
}

// compare orders final rows.
func (p *rowPrinter) compare(a, b *keptRow) int {
	for i, o := range p.order {
		x, y := a.keys[i], b.keys[i]
		c := types.Compare(x, y, p.schema.Fields[o.Column].Type)
		switch {
		case c == 0:
			continue
		case x == nil || y == nil:
			if (x == nil) == o.NullsFirst {
				return -1
			}
			return 1
		case o.Desc:
			return -c
		}
		return c
	}
	return 0
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return count(n) + " rows"
}
