package avro

import (
	stdbytes "bytes"
	"compress/bzip2"
	"compress/flate"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/vector"
)

// magic begins an object container file.
const magic = "Obj\x01"

// maxBlock bounds blocks and what they are when decompressed.
const maxBlock = 1 << 30

// reader reads an object container file block by block.
type reader struct {
	f      format.File
	at     int64
	codec  string
	sync   [16]byte
	plan   *plan
	raw    []byte
	block  []byte
	pos    int   // in block
	left   int64 // rows left in block
	row    int64
	skip   int64
	places []int32
	wants  int
	zstd   *zstd.Decoder
	names  []string
}

func openFile(f format.File, d format.FileDecoding, skip int64) (*reader, error) {
	r := &reader{f: f, skip: skip, wants: len(d.Wanted)}
	meta, err := r.header()
	if err != nil {
		return nil, err
	}
	w, err := parseSchema(meta["avro.schema"])
	if err != nil {
		return nil, err
	}
	r.codec = string(meta["avro.codec"])
	switch r.codec {
	case "", "null", "deflate", "snappy", "bzip2", "xz", "zstandard":
	default:
		return nil, fmt.Errorf("codec %s is not known", r.codec)
	}
	for _, w := range d.Wanted {
		r.names = append(r.names, d.Schema.Fields[w.Column].Name)
	}
	r.plan, err = newPlan(w, d.Decoding)
	return r, err
}

// header reads the metadata and the marker behind it.
func (r *reader) header() (map[string][]byte, error) {
	for n := int64(64 << 10); ; n *= 4 {
		b := make([]byte, min(n, r.f.Size()))
		if _, err := r.f.ReadAt(b, 0); err != nil && err != io.EOF {
			return nil, err
		}
		if len(b) < 4 || string(b[:4]) != magic {
			return nil, errors.New("no Avro file: it does not begin with Obj and 1")
		}
		meta := map[string][]byte{}
		at, err := blocks(b, 4, false, func(at int) (int, error) {
			n, at, err := size(b, at)
			if err != nil {
				return at, err
			}
			key := string(b[at : at+n])
			if n, at, err = size(b, at+n); err != nil {
				return at, err
			}
			meta[key] = b[at : at+n]
			return at + n, nil
		})
		if err == nil && len(b)-at < 16 {
			err = errShort
		}
		if err == nil {
			copy(r.sync[:], b[at:])
			r.at = int64(at + 16)
			return meta, nil
		}
		if int64(len(b)) == r.f.Size() || n > maxBlock {
			return nil, fmt.Errorf("the header: %w", err)
		}
	}
}

// next reads blocks until one has rows behind those to skip.
func (r *reader) next() error {
	for {
		if r.at >= r.f.Size() {
			return io.EOF
		}
		var head [20]byte
		n, err := r.f.ReadAt(head[:], r.at)
		if err != nil && err != io.EOF {
			return err
		}
		count, at, err := long(head[:n], 0)
		if err != nil {
			return err
		}
		length, at, err := long(head[:n], at)
		if err != nil {
			return err
		}
		if count < 0 || length < 0 || length > maxBlock || length > r.f.Size()-r.at-int64(at)-16 {
			return errLong
		}
		start := r.at + int64(at)
		r.at = start + length + 16
		if r.row+count <= r.skip { // need not be read at all
			r.row += count
			continue
		}
		if int64(cap(r.raw)) < length+16 {
			r.raw = make([]byte, length+16)
		}
		r.raw = r.raw[:length+16]
		if _, err := r.f.ReadAt(r.raw, start); err != nil {
			return err
		}
		if string(r.raw[length:]) != string(r.sync[:]) {
			return errors.New("a block does not end with the file's marker")
		}
		if err := r.unpack(r.raw[:length]); err != nil {
			return fmt.Errorf("codec %s: %w", r.codec, err)
		}
		r.pos, r.left = 0, count
		if count > 0 {
			return nil
		}
	}
}

func (r *reader) unpack(raw []byte) (err error) {
	var in io.Reader
	switch r.codec {
	case "", "null":
		r.block = raw
		return nil
	case "snappy":
		if len(raw) < 4 {
			return errShort
		}
		n, err := snappy.DecodedLen(raw[:len(raw)-4])
		if err != nil || n > maxBlock {
			return errLong
		}
		if r.block, err = snappy.Decode(r.block[:cap(r.block)], raw[:len(raw)-4]); err != nil {
			return err
		}
		if crc32.ChecksumIEEE(r.block) != binary.BigEndian.Uint32(raw[len(raw)-4:]) {
			return errors.New("the checksum is wrong")
		}
		return nil
	case "zstandard":
		if r.zstd == nil {
			if r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock)); err != nil {
				return err
			}
		}
		r.block, err = r.zstd.DecodeAll(raw, r.block[:0])
		return err
	case "deflate":
		in = flate.NewReader(stdbytes.NewReader(raw))
	case "bzip2":
		in = bzip2.NewReader(stdbytes.NewReader(raw))
	case "xz":
		if in, err = xz.NewReader(stdbytes.NewReader(raw)); err != nil {
			return err
		}
	}
	out := stdbytes.NewBuffer(r.block[:0])
	n, err := io.Copy(out, io.LimitReader(in, maxBlock+1))
	if err == nil && n > maxBlock {
		err = errLong
	}
	r.block = out.Bytes()
	return err
}

// Read implements format.FileReader.
func (r *reader) Read(cols []vector.Vector, max int) (int, error) {
	n := 0
	for n < max {
		if r.left == 0 {
			if err := r.next(); err != nil {
				return n, err
			}
		}
		rows := int(min(int64(max-n), r.left))
		if r.row < r.skip {
			rows = 1 // one by one up to where reading begins
		}
		var err error
		r.places = r.places[:0]
		for range rows {
			at := len(r.places)
			for range r.wants {
				r.places = append(r.places, 0)
			}
			if r.pos, err = r.plan.scan(r.block, r.pos, r.places[at:]); err != nil {
				return n, fmt.Errorf("row %d: %w", r.row, err)
			}
		}
		r.left -= int64(rows)
		r.row += int64(rows)
		if r.row <= r.skip {
			continue
		}
		for w, c := range cols {
			first := vector.Extend(c, rows)
			for i := range rows {
				if err := r.plan.fill(w, r.block, r.places[i*r.wants+w], c, first+i); err != nil {
					return n, fmt.Errorf("row %d, column %s: %w", r.row-int64(rows-i), r.names[w], err)
				}
			}
		}
		n += rows
	}
	return n, nil
}

// Row implements format.FileReader.
func (r *reader) Row() int64 { return r.row }

// Close implements format.FileReader.
func (r *reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	return nil
}

// blockSize is how much is collected before a block is written.
const blockSize = 64 << 10

// writer writes an object container file.
type writer struct {
	encoder
	w     io.Writer
	codec string
	sync  [16]byte
	block []byte
	rows  int64
	size  int64
	pack  []byte
	zstd  *zstd.Encoder
}

func createFile(w io.Writer, e encoder, text, codec string) (*writer, error) {
	var err error
	f := &writer{encoder: e, w: w, codec: codec}
	rand.Read(f.sync[:]) // never fails
	if codec == "zstandard" {
		if f.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, err
		}
	}
	head := appendLong([]byte(magic), 2)
	for _, s := range []string{"avro.codec", codec, "avro.schema", text} {
		head = append(appendLong(head, int64(len(s))), s...)
	}
	head = append(append(head, 0), f.sync[:]...)
	return f, f.write(head)
}

func (f *writer) write(b []byte) error {
	n, err := f.w.Write(b)
	f.size += int64(n)
	return err
}

// Write implements format.FileWriter.
func (f *writer) Write(b *vector.Batch) (err error) {
	b.Rows(func(i int) {
		if err != nil {
			return
		}
		if f.block, err = f.row(f.block, b.Cols, i); err != nil {
			return
		}
		if f.rows++; len(f.block) >= blockSize {
			err = f.flush()
		}
	})
	return err
}

func (f *writer) flush() error {
	if f.rows == 0 {
		return nil
	}
	packed := f.block
	switch f.codec {
	case "snappy":
		packed = snappy.Encode(f.pack[:cap(f.pack)], f.block)
		packed = binary.BigEndian.AppendUint32(packed, crc32.ChecksumIEEE(f.block))
		f.pack = packed
	case "zstandard":
		f.pack = f.zstd.EncodeAll(f.block, f.pack[:0])
		packed = f.pack
	case "deflate":
		out := stdbytes.NewBuffer(f.pack[:0])
		w, err := flate.NewWriter(out, flate.DefaultCompression)
		if err != nil {
			return err
		}
		if _, err := w.Write(f.block); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		f.pack = out.Bytes()
		packed = f.pack
	}
	if len(packed) > math.MaxInt32 {
		return errLong
	}
	head := appendLong(appendLong(nil, f.rows), int64(len(packed)))
	for _, b := range [][]byte{head, packed, f.sync[:]} {
		if err := f.write(b); err != nil {
			return err
		}
	}
	f.block, f.rows = f.block[:0], 0
	return nil
}

// Size implements format.FileWriter.
func (f *writer) Size() int64 { return f.size + int64(len(f.block)) }

// Close implements format.FileWriter.
func (f *writer) Close() error {
	err := f.flush()
	if f.zstd != nil {
		err = errors.Join(err, f.zstd.Close())
	}
	return err
}

var (
	_ format.FileReader = (*reader)(nil)
	_ format.FileWriter = (*writer)(nil)
)
