// Package parquet is the parquet format: files of columns.
//
// Columns are found by name; those that are missing are NULL, and only those
// that are wanted are read. Row groups whose statistics say that no row can keep
// the bounds of a query are left out. Numbers may be narrower in the file.
//
// Pages are left out likewise where a file has a page index (prune.go). Columns
// compressed by LZ4_RAW are decompressed before the library sees them (lz4.go).
//
// schema.go joins the nodes of a file's schema with the types of the table,
// read.go assembles rows of nested types from the leaves, value.go converts the
// values of leaves, write.go writes files.
package parquet

import (
	"errors"
	"io"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
)

// Format is the format.
var Format = format.Define("parquet", "Apache Parquet files.", func(o *options) (format.Format, error) { return &parquet{o}, nil }).Noted(notes)

type options struct {
	Compression string        `opt:"compression" default:"SNAPPY" enum:"SNAPPY,GZIP,ZSTD,BROTLI,LZ4_RAW,UNCOMPRESSED" doc:"How written pages are compressed. Files are read with all of these."`
	UTC         bool          `opt:"utc-timezone" default:"false" doc:"Times of the old type INT96 are read and written as TIMESTAMP in UTC; otherwise in the session's time zone, as Hive 2 wrote them."`
	Int64       bool          `opt:"write.int64.timestamp" default:"true" doc:"Timestamps are written as INT64, with the unit timestamp.time.unit; otherwise as INT96. Flink's default is false."`
	Unit        string        `opt:"timestamp.time.unit" enum:"nanos,micros,millis" doc:"Unit of written INT64 timestamps. Not given: the one that holds the column's digits. What is finer is cut."`
	BlockSize   option.Memory `opt:"block.size" default:"64 mb" min:"1 kb" doc:"A row group is written when the values collected for it have about this size."`
	PageSize    option.Memory `opt:"page.size" default:"1 mb" min:"1 kb" max:"512 mb" doc:"About the size of a written page, before it is compressed. Bounds can leave out pages."`
	Dictionary  bool          `opt:"enable.dictionary" default:"false" doc:"Texts and bytes are written by a dictionary for each row group: smaller where they repeat."`
	BatchSize   int           `opt:"batch-size" default:"2048" min:"1" doc:"Accepted for Flink's sake: rows are read in the engine's batches."`
}

var codecs = map[string]compress.Codec{
	"SNAPPY": &pq.Snappy, "GZIP": &pq.Gzip, "ZSTD": &pq.Zstd, "BROTLI": &pq.Brotli, "LZ4_RAW": lz4Raw{}, "UNCOMPRESSED": &pq.Uncompressed,
}

type parquet struct{ o *options }

var errFiles = errors.New("parquet is a format of files, not of messages")

// Framing implements format.Format.
func (p *parquet) Framing() format.Framing { return format.Whole }

// Changelog implements format.Format.
func (p *parquet) Changelog() bool { return false }

// NewDecoder implements format.Format: there are no messages in Parquet.
func (p *parquet) NewDecoder(format.Decoding) (format.Decoder, error) { return nil, errFiles }

// NewEncoder implements format.Format.
func (p *parquet) NewEncoder(format.Encoding) (format.Encoder, error) { return nil, errFiles }

// Ending implements format.FileFormat.
func (p *parquet) Ending() string { return ".parquet" }

// OpenFile implements format.FileFormat.
func (p *parquet) OpenFile(f format.File, d format.FileDecoding, skip int64) (r format.FileReader, err error) {
	defer recovered(&err)
	return openFile(f, d, skip, p.o.UTC)
}

// CreateFile implements format.FileFormat.
func (p *parquet) CreateFile(w io.Writer, e format.Encoding) (format.FileWriter, error) {
	return createFile(w, e, p.o)
}

var _ format.FileFormat = (*parquet)(nil)
