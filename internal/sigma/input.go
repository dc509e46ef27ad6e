package sigma

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/runnelio/runnel/format/json"
)

const (
	chunkSize = 1 << 20
	maxLine   = 64 << 20
)

// chunk is whole lines of an input.
type chunk struct {
	input string
	line  int64 // number of the first
	buf   []byte
	n     int // bytes of buf that are lines
	err   error
}

// source reads inputs one after another, ahead of whoever evaluates.
type source struct {
	read  atomic.Int64 // bytes of files, as they are stored
	total int64
	out   chan *chunk
	free  chan *chunk
}

// readInputs starts reading; the channel ends when all is read, after an error,
// or when ctx is done. There are n chunks, which go back to free.
func readInputs(ctx context.Context, paths []string, stdin io.Reader, n int) *source {
	s := &source{out: make(chan *chunk, 2), free: make(chan *chunk, n)}
	for range n {
		s.free <- &chunk{}
	}
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			s.total += info.Size()
		}
	}
	go func() {
		defer close(s.out)
		for _, p := range paths {
			if err := s.file(ctx, p, stdin); err != nil {
				if ctx.Err() == nil {
					select {
					case s.out <- &chunk{input: p, err: err}:
					case <-ctx.Done():
					}
				}
				return
			}
		}
	}()
	return s
}

type counted struct {
	r io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (s *source) file(ctx context.Context, path string, stdin io.Reader) error {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r, stop, err := decompressed(counted{in, &s.read}, path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer stop()
	line := int64(1)
	var rest []byte
	for {
		var c *chunk
		select {
		case c = <-s.free:
		case <-ctx.Done():
			return ctx.Err()
		}
		c.input, c.line, c.err = path, line, nil
		size := max(chunkSize, 2*len(rest)) + json.Slack
		if cap(c.buf) < size {
			c.buf = make([]byte, size)
		}
		c.buf = c.buf[:cap(c.buf)]
		n := copy(c.buf, rest)
		m, err := io.ReadFull(r, c.buf[n:len(c.buf)-json.Slack])
		n += m
		end := err == io.EOF || err == io.ErrUnexpectedEOF // of ReadFull: the input is over
		if err != nil && !end {
			return fmt.Errorf("%s: %w", path, err)
		}
		c.n = n
		if !end {
			c.n = bytes.LastIndexByte(c.buf[:n], '\n') + 1
			rest = append(rest[:0], c.buf[c.n:n]...)
			if len(rest) > maxLine {
				return fmt.Errorf("%s: a line has more than %d MB", path, maxLine>>20)
			}
		}
		line += int64(bytes.Count(c.buf[:c.n], []byte{'\n'}))
		select {
		case s.out <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
		if end {
			return nil
		}
	}
}

// decompressed reads by the ending of the name: .gz, .zst, .bz2; others as they are.
func decompressed(r io.Reader, path string) (io.Reader, func(), error) {
	nothing := func() {}
	switch name := strings.ToLower(path); {
	case strings.HasSuffix(name, ".gz"), strings.HasSuffix(name, ".gzip"):
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 128<<10))
		if errors.Is(err, io.EOF) {
			return strings.NewReader(""), nothing, nil
		}
		return truncated{z}, nothing, err
	case strings.HasSuffix(name, ".zst"), strings.HasSuffix(name, ".zstd"):
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, nothing, err
		}
		return truncated{z}, z.Close, nil
	case strings.HasSuffix(name, ".bz2"):
		return truncated{bzip2.NewReader(bufio.NewReaderSize(r, 128<<10))}, nothing, nil
	}
	return r, nothing, nil
}

// truncated tells a compressed stream that breaks off from the end of a file.
type truncated struct{ r io.Reader }

func (t truncated) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the compressed data ends in the middle")
	}
	return n, err
}
