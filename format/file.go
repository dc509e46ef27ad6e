package format

import (
	"io"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// FileFormat is a Format with Whole framing: it reads and writes files itself,
// in columns. Connectors of files use it in place of decoders and encoders.
// Such a format may still have decoders and encoders, for single messages.
type FileFormat interface {
	Format
	// OpenFile begins to read a file at the row skip, counted from 0 over all
	// rows of the file. The file must stay open until Close.
	OpenFile(f File, d FileDecoding, skip int64) (FileReader, error)
	// CreateFile begins to write a file; an error says why the schema does not fit.
	CreateFile(w io.Writer, e Encoding) (FileWriter, error)
	// Ending is the usual ending of file names, such as ".avro".
	Ending() string
}

// StreamFormat is a FileFormat that can do without a file: it reads and writes
// what passes once, such as the standard input and output.
type StreamFormat interface {
	FileFormat
	// OpenStream begins to read at the current place of r, which stays open.
	OpenStream(r io.Reader, d Decoding) (FileReader, error)
	// CreateStream begins to write a stream. The writer may be a Flusher.
	CreateStream(w io.Writer, e Encoding) (FileWriter, error)
	// ContinueStream writes rows to a stream that another writer has begun and
	// ends, if it needs an end: each call of w.Write is a part that may stand
	// anywhere behind the beginning.
	ContinueStream(w io.Writer, e Encoding) (FileWriter, error)
}

// Flusher is a FileWriter that can write what it has collected at any time.
type Flusher interface{ Flush() error }

// File is an open file.
type File interface {
	io.ReaderAt
	Size() int64
}

// FileDecoding is what a FileReader is asked for.
type FileDecoding struct {
	Decoding
	// Bounds are conditions that hold for every row that matters: a reader may
	// leave out rows that break one, and need not.
	Bounds []Bound
}

// FileReader reads one file in order. It belongs to one goroutine.
type FileReader interface {
	// Read appends at most max rows of the wanted columns to cols, one vector
	// each, which are empty, and returns how many. It ends with io.EOF, with
	// which rows may come.
	Read(cols []vector.Vector, max int) (int, error)
	// Row is the row behind the last one read: where to skip to to go on.
	Row() int64
	Close() error
}

// FileWriter writes one file.
type FileWriter interface {
	// Write adds the live rows of b. After an error the file is broken.
	Write(b *vector.Batch) error
	// Size is about how many bytes the file has, with what is still in memory.
	Size() int64
	// Close makes the file complete; the io.Writer stays open.
	Close() error
}

// Compare is the comparison of a Bound.
type Compare uint8

// The comparisons.
const (
	Equal Compare = iota
	Less
	LessEqual
	Greater
	GreaterEqual
)

// Bound is a condition on a column: Column Op Value, of the column's Go type.
// NULL breaks it.
type Bound struct {
	Column int // index into the schema
	Op     Compare
	Value  types.Value
}

// May tells whether a value between low and high can keep the bound.
func (b Bound) May(low, high types.Value, t types.Type) bool {
	switch b.Op {
	case Equal:
		return types.Compare(low, b.Value, t) <= 0 && types.Compare(high, b.Value, t) >= 0
	case Less:
		return types.Compare(low, b.Value, t) < 0
	case LessEqual:
		return types.Compare(low, b.Value, t) <= 0
	case Greater:
		return types.Compare(high, b.Value, t) > 0
	}
	return types.Compare(high, b.Value, t) >= 0
}
