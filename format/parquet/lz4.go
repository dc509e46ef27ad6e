package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	pqformat "github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"

	"github.com/runnelio/runnel/format"
)

// lz4Raw compresses blocks for the library, whose own codec LZ4_RAW is not used:
// it hands back the wrong bytes when a page does not fit its first guess, and on
// damaged pages it doubles its buffer for ever.
type lz4Raw struct{}

func (lz4Raw) String() string                              { return "LZ4_RAW" }
func (lz4Raw) CompressionCodec() pqformat.CompressionCodec { return pqformat.Lz4Raw }

func (lz4Raw) Encode(dst, src []byte) ([]byte, error) {
	if n := lz4.CompressBlockBound(len(src)); cap(dst) < n {
		dst = make([]byte, n)
	}
	var c lz4.Compressor
	n, err := c.CompressBlock(src, dst[:cap(dst)])
	return dst[:n], err
}

func (lz4Raw) Decode([]byte, []byte) ([]byte, error) {
	return nil, errors.New("LZ4_RAW is decompressed by pages only")
}

// plainFile shows a file with columns compressed by LZ4_RAW as one that has them
// as they are: behind the bytes of the file there is a place for each such
// column chunk, filled page by page when it is read, and a footer that says so.
type plainFile struct {
	format.File
	pages []plainPage // in order of their places
	size  int64
	tail  []byte // the new footer, at the end

	// The page that was read last.
	last int
	body []byte
}

// plainPage is a page as it is shown: a header of its own and the body.
type plainPage struct {
	at     int64 // where it is shown
	header []byte
	levels int   // bytes of the body that are not compressed
	body   int   // its size when it is plain
	from   int64 // where the compressed body is
	packed int   // its size
}

// plain returns f, or what shows it without LZ4_RAW.
func plain(f format.File) (format.File, error) {
	meta, err := footer(f)
	if err != nil {
		return nil, err
	}
	p := &plainFile{File: f, size: f.Size(), last: -1}
	for g := range meta.RowGroups {
		columns := meta.RowGroups[g].Columns
		for c := range columns {
			if columns[c].MetaData.Codec == pqformat.Lz4Raw {
				if err := p.chunk(&columns[c]); err != nil {
					return nil, fmt.Errorf("row group %d, column %d: %w", g, c, err)
				}
			}
		}
	}
	if len(p.pages) == 0 {
		return f, nil
	}
	if p.tail, err = thrift.Marshal(new(thrift.CompactProtocol), meta); err != nil {
		return nil, err
	}
	p.tail = append(binary.LittleEndian.AppendUint32(p.tail, uint32(len(p.tail))), "PAR1"...)
	return p, nil
}

// footer reads the metadata of a file. The library would believe any length.
func footer(f format.File) (*pqformat.FileMetaData, error) {
	var end [8]byte
	size := f.Size()
	if size < 12 {
		return nil, errors.New("no Parquet file: it is too short")
	}
	if _, err := f.ReadAt(end[:], size-8); err != nil {
		return nil, err
	}
	switch string(end[4:]) {
	case "PAR1":
	case "PARE":
		return nil, errors.New("the file is encrypted, which is not supported")
	default:
		return nil, errors.New("no Parquet file: it does not end with PAR1")
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > size-12 {
		return nil, errors.New("the file is damaged: its footer is longer than itself")
	}
	raw := make([]byte, n)
	if _, err := f.ReadAt(raw, size-8-n); err != nil {
		return nil, err
	}
	if err := sound(raw); err != nil {
		return nil, fmt.Errorf("the footer: %w", err)
	}
	meta := new(pqformat.FileMetaData)
	if err := thrift.Unmarshal(new(thrift.CompactProtocol), raw, meta); err != nil {
		return nil, fmt.Errorf("the footer: %w", err)
	}
	return meta, nil
}

var errPages = errors.New("the pages are damaged")

// chunk finds the pages of a column chunk and gives it a place.
func (p *plainFile) chunk(c *pqformat.ColumnChunk) error {
	m := &c.MetaData
	at, start := m.DataPageOffset, p.size
	if m.DictionaryPageOffset > 0 && m.DictionaryPageOffset < at {
		at = m.DictionaryPageOffset
	}
	end := at + m.TotalCompressedSize
	if at < 0 || m.TotalCompressedSize < 0 || end > p.File.Size() {
		return errPages
	}
	m.DictionaryPageOffset = 0
	first := true
	for values := int64(0); values < m.NumValues && at < end; {
		var h pqformat.PageHeader
		in := io.NewSectionReader(p.File, at, end-at)
		ahead := bufio.NewReaderSize(in, 1<<10)
		if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(ahead)).Decode(&h); err != nil {
			return fmt.Errorf("a page header: %w", err)
		}
		read, err := in.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		packed, body, levels := int64(h.CompressedPageSize), int64(h.UncompressedPageSize), int64(0)
		if at += read - int64(ahead.Buffered()); packed < 0 || packed > end-at || body < 0 || body > 256*packed+64 {
			return errPages
		}
		switch h.Type {
		case pqformat.DictionaryPage:
			m.DictionaryPageOffset = p.size
		case pqformat.DataPage:
			if !h.DataPageHeader.Valid {
				return errPages
			}
			values += int64(h.DataPageHeader.V.NumValues)
		case pqformat.DataPageV2:
			if !h.DataPageHeaderV2.Valid {
				return errPages
			}
			v := &h.DataPageHeaderV2.V
			values += int64(v.NumValues)
			if levels = int64(v.DefinitionLevelsByteLength) + int64(v.RepetitionLevelsByteLength); v.DefinitionLevelsByteLength < 0 || v.RepetitionLevelsByteLength < 0 || levels > min(packed, body) {
				return errPages
			}
			if v.IsCompressed.Valid && !v.IsCompressed.V {
				levels = body
			}
			v.IsCompressed = thrift.Null[bool]{V: false, Valid: true}
		default: // an index, which nobody reads
			at += packed
			continue
		}
		if levels == body && packed < body {
			return errPages
		}
		if h.Type != pqformat.DictionaryPage && first {
			m.DataPageOffset, first = p.size, false
		}
		h.CompressedPageSize, h.CRC = h.UncompressedPageSize, 0
		raw, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
		if err != nil {
			return err
		}
		p.pages = append(p.pages, plainPage{at: p.size, header: raw, levels: int(levels), body: int(body), from: at, packed: int(packed)})
		p.size += int64(len(raw)) + body
		at += packed
	}
	if first {
		m.DataPageOffset = p.size
	}
	m.Codec, m.TotalCompressedSize, m.TotalUncompressedSize = pqformat.Uncompressed, p.size-start, p.size-start
	// Their offsets are those of the pages as they were.
	c.OffsetIndexOffset, c.OffsetIndexLength, c.ColumnIndexOffset, c.ColumnIndexLength = 0, 0, 0, 0
	return nil
}

// Size implements format.File.
func (p *plainFile) Size() int64 { return p.size + int64(len(p.tail)) }

// ReadAt implements io.ReaderAt.
func (p *plainFile) ReadAt(b []byte, off int64) (int, error) {
	total := 0
	for len(b) > 0 {
		n, err := p.part(b, off)
		if total += n; err != nil {
			return total, err
		}
		b, off = b[n:], off+int64(n)
	}
	return total, nil
}

func (p *plainFile) part(b []byte, off int64) (int, error) {
	switch {
	case off < p.File.Size():
		return p.File.ReadAt(b[:min(int64(len(b)), p.File.Size()-off)], off)
	case off >= p.Size():
		return 0, io.EOF
	case off >= p.size:
		return copy(b, p.tail[off-p.size:]), nil
	}
	i := sort.Search(len(p.pages), func(i int) bool { return p.pages[i].at > off }) - 1
	x := &p.pages[i]
	if off -= x.at; off < int64(len(x.header)) {
		return copy(b, x.header[off:]), nil
	}
	if p.last != i {
		p.last = -1
		if err := p.unpack(x); err != nil {
			return 0, err
		}
		p.last = i
	}
	return copy(b, p.body[off-int64(len(x.header)):]), nil
}

func (p *plainFile) unpack(x *plainPage) error {
	raw := make([]byte, x.packed)
	if _, err := p.File.ReadAt(raw, x.from); err != nil {
		return err
	}
	p.body = append(p.body[:0], make([]byte, x.body)...)
	copy(p.body, raw[:x.levels])
	if x.levels == x.body {
		return nil
	}
	if n, err := lz4.UncompressBlock(raw[x.levels:], p.body[x.levels:]); err != nil || n != x.body-x.levels {
		return errors.New("a page compressed with LZ4_RAW is damaged")
	}
	return nil
}
