package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// array is a column of a batch, loaded.
type array struct {
	f        *field // of dictionaries: the type of the index
	n        int
	valid    []byte // bits of the rows that are not NULL; nil: all are not
	data     []byte
	offsets  []byte // of 32 or 64 bits
	views    [][]byte
	children []*array // nil where not wanted
}

func (a *array) null(i int) bool { return a.valid != nil && a.valid[i>>3]&(1<<(i&7)) == 0 }

// loader goes through the nodes and buffers of a batch.
type loader struct {
	node, nodes   int // of 16 bytes: the number of values, of NULLs
	buf, bufs     int // of 16 bytes: where and how long
	view, views   int
	flat          *flat
	body          body
	v4            bool // unions have a bitmap
	codec         int  // of the buffers, -1: none
	nodeAt, bufAt int
	viewAt        int
	rows          int64
	unpack        *unpacker
}

// newLoader reads the header of a batch.
func newLoader(t table, b body, u *unpacker) (*loader, error) {
	l := &loader{flat: t.f, body: b, codec: -1, unpack: u}
	l.rows = t.long(0)
	l.nodeAt, l.nodes = t.list(1, 16)
	l.bufAt, l.bufs = t.list(2, 16)
	if c := t.table(3); c.at != 0 {
		if l.codec = int(c.byte(0, 0)); l.codec > 1 || c.byte(1, 0) != 0 {
			return nil, fmt.Errorf("compression number %d is not known", l.codec)
		}
	}
	l.viewAt, l.views = t.list(4, 8)
	if t.f.bad {
		return nil, errFlat
	}
	// Bits compressed by a thousand are about the least that rows take; a batch of
	// more rows than that has nothing but what takes no bytes, or lies.
	if l.rows < 0 || l.rows > 1<<31-1 || l.rows > 1<<20+8<<10*b.size() {
		return nil, errLong
	}
	return l, nil
}

var errFew = errors.New("the batch has fewer buffers than its columns need")

// values takes the next node: how many values a field has.
func (l *loader) values() (int, bool, error) {
	if l.node >= l.nodes {
		return 0, false, errFew
	}
	n, nulls := l.flat.i64(l.nodeAt+16*l.node), l.flat.i64(l.nodeAt+16*l.node+8)
	if l.node++; n < 0 || n > 1<<31-1 {
		return 0, false, errLong
	}
	return int(n), nulls != 0, nil
}

// skipBuffers passes over buffers.
func (l *loader) skipBuffers(n int) error {
	if l.buf += n; l.buf > l.bufs {
		return errFew
	}
	return nil
}

// buffer takes the next buffer, decompressed. It stays as it is for ever.
func (l *loader) buffer() ([]byte, error) {
	if l.buf >= l.bufs {
		return nil, errFew
	}
	off, n := l.flat.i64(l.bufAt+16*l.buf), l.flat.i64(l.bufAt+16*l.buf+8)
	l.buf++
	if n == 0 {
		return nil, nil
	}
	if n < 0 || n > l.body.size() {
		return nil, errLong
	}
	raw, err := l.body.at(off, n)
	if err != nil || l.codec < 0 {
		return raw, err
	}
	if n < 8 {
		return nil, errLong
	}
	size := int64(binary.LittleEndian.Uint64(raw))
	if size == -1 {
		return raw[8:], nil
	}
	if size < 0 || size > maxBytes {
		return nil, errLong
	}
	return l.unpack.unpack(l.codec, raw[8:], size)
}

// need is buffer with at least so many bytes.
func (l *loader) need(bytes int64) ([]byte, error) {
	b, err := l.buffer()
	if err == nil && int64(len(b)) < bytes {
		err = errors.New("a buffer is too short for its values")
	}
	return b, err
}

// skip passes over a field.
func (l *loader) skip(f *field) error {
	if _, _, err := l.values(); err != nil {
		return err
	}
	if f.dictionary {
		return l.skipBuffers(2)
	}
	n := 2
	switch f.kind {
	case kNull:
		n = 0
	case kRunEnd:
		if n = 0; l.v4 {
			n = 1
		}
	case kStruct, kFixedList:
		n = 1
	case kUtf8, kBinary, kLargeUtf8, kLargeBinary, kListView, kLargeView:
		n = 3
	case kUnion:
		if n = 1; f.dense {
			n = 2
		}
		if l.v4 {
			n++
		}
	case kUtf8View, kBinaryView:
		more, err := l.viewBuffers()
		if err != nil {
			return err
		}
		n += more
	}
	if err := l.skipBuffers(n); err != nil {
		return err
	}
	for _, c := range f.children {
		if err := l.skip(c); err != nil {
			return err
		}
	}
	return nil
}

// viewBuffers takes the number of buffers that views lead to.
func (l *loader) viewBuffers() (int, error) {
	if l.view >= l.views {
		return 0, errFew
	}
	n := l.flat.i64(l.viewAt + 8*l.view)
	if l.view++; n < 0 || n > int64(l.bufs) {
		return 0, errLong
	}
	return int(n), nil
}

// load takes the buffers of a column: those of its children that are wanted.
func (l *loader) load(c *column) (*array, error) {
	f := c.f
	n, nulls, err := l.values()
	if err != nil {
		return nil, err
	}
	if f.dictionary && !c.values {
		f = f.index
	}
	a := &array{f: f, n: n}
	if (c.inside || c.values) && n > 1<<20 && c.weightless() {
		return nil, errLong // no bytes bound their number
	}
	if f.kind == kNull {
		return a, nil
	}
	if nulls {
		if a.valid, err = l.need(int64(n+7) / 8); err != nil {
			return nil, err
		}
	} else if err := l.skipBuffers(1); err != nil {
		return nil, err
	}
	switch f.kind {
	case kUtf8, kBinary, kLargeUtf8, kLargeBinary:
		if a.offsets, err = l.offsets(f, n); err == nil {
			a.data, err = l.buffer()
		}
	case kUtf8View, kBinaryView:
		if a.data, err = l.need(16 * int64(n)); err != nil {
			return nil, err
		}
		more, err := l.viewBuffers()
		if err != nil {
			return nil, err
		}
		for range more {
			b, err := l.buffer()
			if err != nil {
				return nil, err
			}
			a.views = append(a.views, b)
		}
		return a, nil
	case kList, kLargeList, kMap:
		a.offsets, err = l.offsets(f, n)
	case kStruct, kFixedList:
	default:
		a.data, err = l.need((int64(n)*int64(f.width) + 7) / 8)
	}
	if err != nil {
		return nil, err
	}
	return a, l.inner(c, a)
}

// inner loads the children of a.
func (l *loader) inner(c *column, a *array) error {
	if len(a.f.children) == 0 {
		return nil
	}
	a.children = make([]*array, len(a.f.children))
	for i, f := range a.f.children {
		of := c.child(i)
		if of == nil {
			if err := l.skip(f); err != nil {
				return err
			}
			continue
		}
		x, err := l.load(of)
		if err != nil {
			return err
		}
		switch {
		case a.f.kind == kStruct && x.n < a.n, a.f.kind == kFixedList && int64(x.n) < int64(a.n)*int64(a.f.width):
			return fmt.Errorf("%s: fewer values than the %s around has", f.name, a.f)
		}
		a.children[i] = x
	}
	return nil
}

// offsets takes a buffer of n+1 offsets; of no values it may be empty.
func (l *loader) offsets(f *field, n int) ([]byte, error) {
	width := int64(4)
	if f.kind == kLargeUtf8 || f.kind == kLargeBinary || f.kind == kLargeList {
		width = 8
	}
	if n == 0 {
		return nil, l.skipBuffers(1)
	}
	return l.need(width * int64(n+1))
}

// unpacker decompresses buffers, with memory that grows as the bytes come.
type unpacker struct {
	zstd *zstd.Decoder
	lz4  *lz4.Reader
}

func (u *unpacker) unpack(codec int, raw []byte, size int64) ([]byte, error) {
	var r io.Reader
	if codec == 0 {
		if u.lz4 == nil {
			u.lz4 = lz4.NewReader(nil)
		}
		u.lz4.Reset(bytes.NewReader(raw))
		r = u.lz4
	} else {
		if u.zstd == nil {
			var err error
			if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBytes), zstd.WithDecoderLowmem(true)); err != nil {
				return nil, err
			}
		}
		if err := u.zstd.Reset(bytes.NewReader(raw)); err != nil {
			return nil, err
		}
		r = u.zstd
	}
	b, err := readSome(r, size)
	if err != nil {
		return nil, fmt.Errorf("a compressed buffer: %w", err)
	}
	return b, nil
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}
