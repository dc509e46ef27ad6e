// Package parquet is the parquet format: files of columns.
//
// Columns are found by name; those that are missing are NULL, and only those
// that are wanted are read. Row groups whose statistics say that no row can keep
// the bounds of a query are left out. Numbers may be narrower in the file.
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
var Format = format.Define("parquet", "Apache Parquet files.", func(o *options) (format.Format, error) { return &parquet{o}, nil })

type options struct {
	Compression string        `opt:"compression" default:"SNAPPY" enum:"SNAPPY,GZIP,ZSTD,BROTLI,UNCOMPRESSED" doc:"How written pages are compressed. Files are read with all of these."`
	UTC         bool          `opt:"utc-timezone" default:"false" doc:"Times of the old type INT96 are read as TIMESTAMP in UTC; otherwise in the session's time zone, as Hive 2 wrote them."`
	BlockSize   option.Memory `opt:"block.size" default:"64 mb" min:"1 kb" doc:"A row group is written when the values collected for it have about this size."`
}

var codecs = map[string]compress.Codec{
	"SNAPPY": &pq.Snappy, "GZIP": &pq.Gzip, "ZSTD": &pq.Zstd, "BROTLI": &pq.Brotli, "UNCOMPRESSED": &pq.Uncompressed,
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
	return createFile(w, e, codecs[p.o.Compression], int64(p.o.BlockSize))
}

var _ format.FileFormat = (*parquet)(nil)
