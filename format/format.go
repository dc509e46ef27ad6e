// Package format says what a format is: how the bytes of a record become
// columns and back. Each format is a folder below with one exported *Spec.
//
// Decoding is in two steps, so that columns are made only of rows that survive
// the first filter: Scan finds where the wanted fields of each record are, Fill
// turns one field of the chosen rows into a vector.
package format

import (
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Records is a run of raw records of one split, in one buffer.
type Records struct {
	// Buf holds the bytes. A decoder may rely on 64 readable bytes behind the
	// last record (cap, not len) and must not change the bytes.
	Buf []byte
	// Val is the value of each record as offsets into Buf; line ends excluded.
	Val []Span
	// Key is the key of each record, empty if the source has none.
	Key []Span
	// Pos is the position behind each record: where to seek to go on after it.
	// A source whose positions follow from offsets may leave it nil and give
	// PosAt, which appends the position to dst.
	Pos   []string
	PosAt func(dst []byte, i int) []byte
	// Meta gives metadata columns: Meta[k] holds column Table.Metadata[k] of each record.
	Meta []vector.Vector
	// Split is the split's id.
	Split string
	// Bytes is how many bytes of input the records stand for (compressed size
	// for compressed files): for progress and rates.
	Bytes int64
	// Oversize counts records that were too long and left out, with their
	// first bytes in OversizeHead for the dead letter.
	Oversize     int
	OversizeHead [][]byte
}

// Span is Buf[Off:Off+Len]. A record with Len < 0 has no value (a tombstone).
type Span struct{ Off, Len int32 }

// Position returns the position behind record i.
func (r *Records) Position(i int) string {
	if r.PosAt != nil {
		return string(r.PosAt(nil, i))
	}
	return r.Pos[i]
}

// AppendPosition appends the position behind record i to dst.
func (r *Records) AppendPosition(dst []byte, i int) []byte {
	if r.PosAt != nil {
		return r.PosAt(dst, i)
	}
	return append(dst, r.Pos[i]...)
}

// Reset empties r and keeps its memory.
func (r *Records) Reset() {
	r.Buf, r.Val, r.Key, r.Pos = r.Buf[:0], r.Val[:0], r.Key[:0], r.Pos[:0]
	r.PosAt, r.Meta, r.Bytes, r.Oversize, r.OversizeHead = nil, nil, 0, 0, nil
}

// Framing is how records of a format stand in a file.
type Framing uint8

// The framings.
const (
	Lines  Framing = iota // a record a line: ends at \n, a \r before it is cut
	Quoted                // a record a line, but line ends inside double quotes belong to it (CSV)
	Whole                 // the file is one unit (avro, parquet): the format reads it itself, see FileReader
)

// Decoder turns records into rows. It belongs to one goroutine.
type Decoder interface {
	// Scan looks at records [from, to) of recs, which stays unchanged until the
	// next Scan, and returns the number of rows they hold (for most formats
	// to-from). A record that cannot be read at all is reported to bad and
	// holds no row.
	Scan(recs *Records, from, to int, bad BadRow) (rows int)
	// Kinds are the row kinds of the scanned rows, empty if all are +I.
	Kinds() []types.RowKind
	// Record is the index in recs of the record that row came from.
	Record(row int) int
	// Fill makes wanted column w (an index into Decoding.Wanted) of the scanned
	// rows that sel names (all if nil) in out, which it resizes to the number of
	// scanned rows. A value that cannot be converted is reported to bad; the row
	// is then no longer live and its value undefined.
	Fill(w int, sel []int32, out vector.Vector, bad BadRow)
}

// BadRow is told of a record that does not decode: its index in the Records
// scanned, its row (-1 if it has none) and why.
type BadRow func(record, row int, err error)

// Encoder turns rows into records.
type Encoder interface {
	// Append appends the encoding of physical row i of b to dst, without a
	// line end. skip tells that the row has no encoding (a -U of an upsert format).
	Append(dst []byte, b *vector.Batch, i int) (out []byte, skip bool, err error)
}

// HeaderEncoder is an Encoder whose files start with a header.
type HeaderEncoder interface{ Header(dst []byte) []byte }

// Decoding is what a decoder is asked for.
type Decoding struct {
	// Schema is the format's whole row: the physical columns of the table.
	Schema *types.Schema
	// Wanted are the columns to decode, ascending, with an optional path below
	// each: a column that is only read through fields of its row.
	Wanted []Want
	Zone   *time.Location
}

// Want is a wanted column. With Path set only that nested field is wanted
// (names below the column), and the vector made is of the field's type. With Meta
// set it is what the record tells under that name (see Annotated), of the type it
// has there; Column is then the number of columns, so that such wants come last.
type Want struct {
	Column int
	Path   []string
	Meta   string
	Type   types.Type
}

// Encoding is what an encoder is asked for.
type Encoding struct {
	Schema *types.Schema
	Zone   *time.Location
}

// Format is a format with its options parsed.
type Format interface {
	Framing() Framing
	// NewDecoder and NewEncoder return an error if the schema does not fit the
	// format, or the format cannot do it at all.
	NewDecoder(d Decoding) (Decoder, error)
	NewEncoder(e Encoding) (Encoder, error)
	// Changelog tells that decoded rows can be other than +I.
	Changelog() bool
}

// Quoter is a Format with Quoted framing whose quotes are not ".
type Quoter interface{ QuoteChar() byte }

// Keyer is a Format whose records have the table's primary key apart from the
// value: the engine tells it the columns before it uses the format.
type Keyer interface {
	WithKey(columns []string) (Format, error)
}

// Upserter is a Format whose rows replace those of the same primary key without
// taking them back: +U and -D without -U.
type Upserter interface{ Upserts() bool }

// Annotated is a Format whose records tell more than their rows, such as the
// table a change was made in: columns read it METADATA FROM 'value.<name>'. Its
// decoders take wants with Meta.
type Annotated interface {
	// Metadata are the names and types of what records tell.
	Metadata() []types.Field
}

// MetadataPrefix is what the names of a format's metadata begin with in tables,
// where they stand beside those of the connector.
const MetadataPrefix = "value."

// Spec is a kind of format: what 'format' = Name makes.
type Spec struct {
	Name, Doc string
	// Notes say which types there are and what is done with what is not quite as
	// it should be, as paragraphs or lists of Markdown.
	Notes   string
	Options []Option
	// Metadata are those of an Annotated format.
	Metadata []types.Field
	// New gets the options below the format's prefix ('json.fail-on-missing-field'
	// arrives as 'fail-on-missing-field').
	New func(options map[string]string) (Format, error)
}
