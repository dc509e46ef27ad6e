package dir

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"
)

// A data file is a magic line and blocks:
//
//	uint32 LE length of the compressed body, uvarint length of the operator's id,
//	the id, then the body, S2 compressed: records of that operator
//
// A record is: uvarint key length, uint16 LE unit, key, then uvarint 1 + value
// length and the value, or uvarint 0 for a removed key.
const magic = "runnel state 1\n"

// blockSize is about how many bytes of records a block has before compression.
const blockSize = 256 << 10

func appendRecord(dst []byte, unit uint16, key, value []byte, deleted bool) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(key)))
	dst = binary.LittleEndian.AppendUint16(dst, unit)
	dst = append(dst, key...)
	if deleted {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(dst, uint64(len(value))+1)
	return append(dst, value...)
}

var errCorrupt = errors.New("damaged state file")

// record reads the record at the front of b.
func record(b []byte) (unit uint16, key, value []byte, deleted bool, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || uint64(len(b)-w) < n+2 || n > uint64(len(b)) {
		return 0, nil, nil, false, nil, errCorrupt
	}
	b = b[w:]
	unit = binary.LittleEndian.Uint16(b)
	key, b = b[2:2+n], b[2+n:]
	v, w := binary.Uvarint(b)
	if w <= 0 {
		return 0, nil, nil, false, nil, errCorrupt
	}
	b = b[w:]
	if v == 0 {
		return unit, key, nil, true, b, nil
	}
	if v-1 > uint64(len(b)) {
		return 0, nil, nil, false, nil, errCorrupt
	}
	return unit, key, b[:v-1], false, b[v-1:], nil
}

// writer writes a data file and hashes what it writes.
type writer struct {
	f    *os.File
	b    *bufio.Writer
	hash *xxh3.Hasher
	size int64
	name string
	seq  int64
	buf  []byte
	comp []byte
}

func (s *Store) create(name string, seq int64) (*writer, error) {
	f, err := os.OpenFile(filepath.Join(s.path, name+".tmp"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	w := &writer{f: f, b: bufio.NewWriterSize(f, 1<<20), hash: xxh3.New(), name: name, seq: seq}
	return w, w.write([]byte(magic))
}

func (w *writer) write(b []byte) error {
	w.hash.Write(b)
	w.size += int64(len(b))
	_, err := w.b.Write(b)
	return err
}

// block writes records of one operator.
func (w *writer) block(op string, records []byte) error {
	w.comp = s2.Encode(w.comp[:cap(w.comp)], records)
	w.buf = binary.LittleEndian.AppendUint32(w.buf[:0], uint32(len(w.comp)))
	w.buf = binary.AppendUvarint(w.buf, uint64(len(op)))
	w.buf = append(w.buf, op...)
	if err := w.write(w.buf); err != nil {
		return err
	}
	return w.write(w.comp)
}

// finish syncs the file and gives it its name.
func (w *writer) finish(dir string, full, noSync bool) (fileRef, error) {
	err := w.b.Flush()
	if err == nil && !noSync {
		err = w.f.Sync()
	}
	if cerr := w.f.Close(); err == nil {
		err = cerr
	}
	tmp := filepath.Join(dir, w.name+".tmp")
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, w.name))
	}
	if err != nil {
		os.Remove(tmp)
		return fileRef{}, fmt.Errorf("state file %s: %w", w.name, err)
	}
	return fileRef{Name: w.name, Seq: w.seq, Full: full, Size: w.size, Hash: fmt.Sprintf("%x", w.hash.Sum128().Bytes())}, nil
}

// abandon removes an unfinished file.
func (w *writer) abandon(dir string) {
	w.f.Close()
	os.Remove(filepath.Join(dir, w.name+".tmp"))
}

// writeChunks puts sealed chunks into one file.
func (s *Store) writeChunks(chunks []chunk) (fileRef, error) {
	name, seq := s.nextName()
	w, err := s.create(name, seq)
	if err != nil {
		return fileRef{}, err
	}
	for _, c := range chunks {
		if err := w.block(c.op, c.records); err != nil {
			w.abandon(s.path)
			return fileRef{}, err
		}
	}
	f, err := w.finish(s.path, false, s.opts.NoSync)
	s.written += f.Size
	return f, err
}

// blocks calls f for each block of a file whose operator want accepts; records
// are valid during the call.
func blocks(path string, want func(op string) bool, f func(op string, records []byte) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	r := bufio.NewReaderSize(file, 1<<20)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r, head); err != nil || string(head) != magic {
		return fmt.Errorf("%s: %w", path, errCorrupt)
	}
	var comp, raw []byte
	for {
		var n uint32
		if err := binary.Read(r, binary.LittleEndian, &n); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("%s: %w", path, errCorrupt)
		}
		size, err := binary.ReadUvarint(r)
		if err != nil || size > 1<<16 {
			return fmt.Errorf("%s: %w", path, errCorrupt)
		}
		op := make([]byte, size)
		if _, err := io.ReadFull(r, op); err != nil {
			return fmt.Errorf("%s: %w", path, errCorrupt)
		}
		if !want(string(op)) {
			if _, err := r.Discard(int(n)); err != nil {
				return fmt.Errorf("%s: %w", path, errCorrupt)
			}
			continue
		}
		if cap(comp) < int(n) {
			comp = make([]byte, n)
		}
		comp = comp[:n]
		if _, err := io.ReadFull(r, comp); err != nil {
			return fmt.Errorf("%s: %w", path, errCorrupt)
		}
		if raw, err = s2.Decode(raw[:cap(raw)], comp); err != nil {
			return fmt.Errorf("%s: %w", path, errCorrupt)
		}
		if err := f(string(op), raw); err != nil {
			return err
		}
	}
}

func hashFile(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := xxh3.New()
	n, err := io.Copy(h, f)
	return n, fmt.Sprintf("%x", h.Sum128().Bytes()), err
}
