package file

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressionOf is the compression of a file by option and name.
func compressionOf(option, path string) string {
	if option != "auto" {
		return option
	}
	for ending, c := range map[string]string{".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bzip2", ".xz": "xz"} {
		if strings.HasSuffix(strings.ToLower(path), ending) {
			return c
		}
	}
	return "none"
}

// counter counts what is read through it: compressed bytes.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// decompress returns a reader of the content of r. Several compressed streams
// one behind the other are one content.
func decompress(r io.Reader, compression string) (io.Reader, func(), error) {
	nothing := func() {}
	switch compression {
	case "none":
		return r, nothing, nil
	case "gzip":
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 128<<10))
		if err == io.EOF {
			return strings.NewReader(""), nothing, nil // an empty file has no records
		}
		return z, nothing, damage(err)
	case "zstd":
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return nil, nil, damage(err)
		}
		return z, z.Close, nil
	case "bzip2":
		return bzip2.NewReader(bufio.NewReaderSize(r, 128<<10)), nothing, nil
	case "xz":
		z, err := xz.NewReader(bufio.NewReaderSize(r, 128<<10))
		if err == io.EOF {
			return strings.NewReader(""), nothing, nil
		}
		return z, nothing, damage(err)
	}
	return nil, nil, fmt.Errorf("compression %q is unknown", compression)
}

// errTruncated tells of compressed data that ends too early.
var errTruncated = errors.New("the compressed data ends in the middle: the file is truncated or still being written")

// damage makes errors of the libraries readable.
func damage(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, zstd.ErrMagicMismatch):
		return fmt.Errorf("the file is not compressed as its name or 'compression' says: %w", err)
	}
	return fmt.Errorf("the compressed data is damaged: %w", err)
}
