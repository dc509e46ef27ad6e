package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// eos ends a stream.
const eos = "\xff\xff\xff\xff\x00\x00\x00\x00"

// version is that of the metadata: 5, which counts from 1.
const version = 4

// batcher collects rows and makes messages of them.
type batcher struct {
	table    *types.Schema
	fields   []*field
	builders []*builder
	rows     int64
	codec    int // -1: none
	lz4      *lz4.Writer
	zstd     *zstd.Encoder

	body           []byte
	nodes, buffers []byte
	pack           bytes.Buffer
}

func newBatcher(s *types.Schema, compression string) (*batcher, error) {
	b := &batcher{table: s, codec: -1}
	var err error
	if b.fields, err = fieldsOf(s); err != nil {
		return nil, err
	}
	for i, f := range b.fields {
		b.builders = append(b.builders, newBuilder(f, s.Fields[i].Type))
	}
	switch compression {
	case "LZ4":
		b.codec, b.lz4 = 0, lz4.NewWriter(nil)
	case "ZSTD":
		b.codec = 1
		if b.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *batcher) reset() {
	b.rows = 0
	for _, x := range b.builders {
		x.reset()
	}
}

func (b *batcher) held() int64 {
	n := int64(0)
	for _, x := range b.builders {
		n += x.held()
	}
	return n
}

// add adds rows of a batch. After an error the collected rows are broken.
func (b *batcher) add(batch *vector.Batch, rows []int32) error {
	for c, x := range b.builders {
		if err := x.add(batch.Cols[c], rows); err != nil {
			return fmt.Errorf("column %s: %w", x.f.name, err)
		}
	}
	b.rows += int64(len(rows))
	return nil
}

// envelope appends a message without its body.
func envelope(dst []byte, kind byte, header *object, body int64) []byte {
	o := (&object{}).scalar(3, 8, body).scalar(0, 2, version).scalar(1, 1, int64(kind)).child(2, header)
	meta := appendFlat(nil, o)
	dst = binary.LittleEndian.AppendUint32(dst, 0xFFFFFFFF)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(meta)))
	return append(dst, meta...)
}

// schema appends the message that begins a stream.
func (b *batcher) schema(dst []byte) []byte {
	return envelope(dst, headSchema, schemaObject(b.fields, b.table), 0)
}

// message appends the collected rows as a record batch.
func (b *batcher) message(dst []byte) ([]byte, error) {
	head, err := b.build()
	if err != nil {
		return dst, err
	}
	return append(append(dst, head...), b.body...), nil
}

// build makes the body of a record batch and returns what stands in front of it.
func (b *batcher) build() ([]byte, error) {
	b.body, b.nodes, b.buffers = b.body[:0], b.nodes[:0], b.buffers[:0]
	for _, x := range b.builders {
		if err := b.put(x); err != nil {
			return nil, fmt.Errorf("column %s: %w", x.f.name, err)
		}
	}
	o := (&object{}).scalar(0, 8, b.rows).child(1, structs(b.nodes, len(b.nodes)/16)).child(2, structs(b.buffers, len(b.buffers)/16))
	if b.codec >= 0 {
		o.child(3, (&object{}).scalar(0, 1, int64(b.codec)).scalar(1, 1, 0))
	}
	return envelope(nil, headBatch, o, int64(len(b.body))), nil
}

func (b *batcher) put(x *builder) error {
	b.nodes = binary.LittleEndian.AppendUint64(b.nodes, uint64(x.n))
	b.nodes = binary.LittleEndian.AppendUint64(b.nodes, uint64(x.nulls))
	valid := x.valid
	if x.nulls == 0 {
		valid = nil
	}
	parts := [][]byte{valid}
	switch x.f.kind {
	case kStruct:
	case kList, kMap:
		parts = append(parts, x.offsets)
	case kUtf8, kBinary:
		parts = append(parts, x.offsets, x.data)
	default:
		parts = append(parts, x.data)
	}
	for _, p := range parts {
		if err := b.buffer(p); err != nil {
			return err
		}
	}
	for _, c := range x.children {
		if err := b.put(c); err != nil {
			return err
		}
	}
	return nil
}

// buffer adds a buffer to the body, at a multiple of eight.
func (b *batcher) buffer(raw []byte) error {
	start := len(b.body)
	if b.codec >= 0 && len(raw) > 0 {
		packed, err := b.compress(raw)
		if err != nil {
			return err
		}
		size := uint64(len(raw))
		if len(packed) >= len(raw) {
			packed, size = raw, math.MaxUint64 // -1: as it is
		}
		b.body = append(binary.LittleEndian.AppendUint64(b.body, size), packed...)
	} else {
		b.body = append(b.body, raw...)
	}
	b.buffers = binary.LittleEndian.AppendUint64(b.buffers, uint64(start))
	b.buffers = binary.LittleEndian.AppendUint64(b.buffers, uint64(len(b.body)-start))
	for len(b.body)%8 != 0 {
		b.body = append(b.body, 0)
	}
	return nil
}

func (b *batcher) compress(raw []byte) ([]byte, error) {
	if b.codec == 1 {
		return b.zstd.EncodeAll(raw, nil), nil
	}
	b.pack.Reset()
	b.lz4.Reset(&b.pack)
	if _, err := b.lz4.Write(raw); err != nil {
		return nil, err
	}
	if err := b.lz4.Close(); err != nil {
		return nil, err
	}
	return b.pack.Bytes(), nil
}

// writer writes a file or stream.
type writer struct {
	*batcher
	out    io.Writer
	file   bool
	open   bool // the end is written by another
	limit  int64
	size   int64
	blocks []block
	sel    []int32
	whole  []byte
}

func newWriter(w io.Writer, e format.Encoding, compression string, limit int64) (*writer, error) {
	b, err := newBatcher(e.Schema, compression)
	if err != nil {
		return nil, err
	}
	return &writer{batcher: b, out: w, limit: limit}, nil
}

func (f *writer) write(b []byte) error {
	n, err := f.out.Write(b)
	f.size += int64(n)
	return err
}

// chunk is how many rows are collected between two looks at their size.
const chunk = 1024

// Write implements format.FileWriter.
func (f *writer) Write(b *vector.Batch) error {
	f.sel = f.sel[:0]
	b.Rows(func(i int) { f.sel = append(f.sel, int32(i)) })
	for rows := f.sel; len(rows) > 0; {
		n := min(chunk, len(rows))
		if err := f.add(b, rows[:n]); err != nil {
			return err
		}
		if rows = rows[n:]; f.held() >= f.limit {
			if err := f.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush writes the rows collected so far.
func (f *writer) Flush() error {
	if f.rows == 0 {
		return nil
	}
	head, err := f.build()
	if err != nil {
		return err
	}
	if f.file {
		f.blocks = append(f.blocks, block{f.size, int64(len(head)), int64(len(f.body))})
	}
	f.reset()
	f.whole = append(append(f.whole[:0], head...), f.body...) // one write, as others may write there too
	return f.write(f.whole)
}

// Size implements format.FileWriter.
func (f *writer) Size() int64 { return f.size + f.held() }

// Close implements format.FileWriter.
func (f *writer) Close() error {
	err := f.Flush()
	if err == nil && !f.open {
		err = f.write([]byte(eos))
	}
	if err == nil && f.file {
		err = f.footer()
	}
	if f.zstd != nil {
		err = errors.Join(err, f.zstd.Close())
	}
	return err
}

// footer writes where the batches stand.
func (f *writer) footer() error {
	var raw []byte
	for _, b := range f.blocks {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(b.off))
		raw = binary.LittleEndian.AppendUint64(raw, uint64(b.meta))
		raw = binary.LittleEndian.AppendUint64(raw, uint64(b.body))
	}
	o := (&object{}).scalar(0, 2, version).child(1, schemaObject(f.fields, f.table)).child(2, structs(nil, 0)).child(3, structs(raw, len(f.blocks)))
	end := appendFlat(nil, o)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(end)))
	return f.write(append(end, magic...))
}

var _ format.FileWriter = (*writer)(nil)
