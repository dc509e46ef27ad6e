package file

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// part is a file being written.
type part struct {
	hidden, final string
	folder        string // below the table's
	born          time.Time
	batch         []byte // encoded rows of the batch in work
	f             *os.File
	buf           *bufio.Writer
	packer        io.WriteCloser // nil: not compressed
	plain         int64          // bytes before compression
	whole         format.FileWriter
	sel           []int32 // rows of the batch in work, for whole
}

func newPart(path, ending string, now time.Time) (*part, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	p := &part{hidden: path, born: now, f: f, buf: bufio.NewWriterSize(f, 64<<10)}
	switch ending {
	case ".gz":
		p.packer = gzip.NewWriter(p.buf)
	case ".zst":
		if p.packer, err = zstd.NewWriter(p.buf, zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(path))
		}
	}
	return p, nil
}

func (p *part) size() int64 {
	if p.whole != nil {
		return p.whole.Size()
	}
	return p.plain
}

func (p *part) write(b []byte) error {
	var w io.Writer = p.buf
	if p.packer != nil {
		w = p.packer
	}
	n, err := w.Write(b)
	p.plain += int64(n)
	return p.explain(err)
}

// close makes the file complete and durable.
func (p *part) close() error {
	var err error
	if p.packer != nil {
		err = p.packer.Close()
	}
	if p.whole != nil {
		err = p.whole.Close()
	}
	if err == nil {
		err = p.buf.Flush()
	}
	if err == nil {
		err = p.f.Sync()
	}
	if e := p.f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(p.hidden)
	}
	return p.explain(err)
}

// drop gives the file up.
func (p *part) drop() {
	p.f.Close()
	os.Remove(p.hidden)
}

func (p *part) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("filesystem: the disk is full: %w", err)
	}
	return fmt.Errorf("filesystem: %w", err)
}

func runName() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// appendFolder appends the folder of row i's partition, k=v/k=v, empty if the
// table has no partitions.
func (s *sink) appendFolder(dst []byte, b *vector.Batch, i int) []byte {
	for n, c := range s.partitions {
		if n > 0 {
			dst = append(dst, '/')
		}
		f := b.Schema.Fields[c]
		dst = append(appendEscaped(dst, f.Name), '=')
		v := vector.Get(b.Cols[c], i)
		text := ""
		if v != nil {
			s.line = types.AppendCast(s.line[:0], v, f.Type, s.cx.Zone)
			text = vector.View(s.line)
		}
		if text == "" {
			text = s.o.NullName
		}
		dst = appendEscaped(dst, text)
	}
	return dst
}

// appendEscaped appends a name of a path; what would be taken apart or cannot
// be in a name is %XX.
func appendEscaped(dst []byte, s string) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7F, c == '"', c == '#', c == '%', c == '\'', c == '*', c == '/', c == ':', c == '=', c == '?', c == '\\',
			c == '{', c == '[', c == ']', c == '^', i == 0 && c == '.':
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
