package remoting

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxPlain is how large a body may get by decompression: the largest message a
// broker takes, times the best ratio of any text worth the name.
const maxPlain = 64 << 20

var errPlainSize = errors.New("body larger than 64 MB when decompressed")

// decompressors are kept between messages: making one costs more than a body.
var (
	zstdPool = sync.Pool{New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain))
		if err != nil {
			panic(err) // options are constant
		}
		return d
	}}
	lz4Pool = sync.Pool{New: func() any { return lz4.NewReader(nil) }}
)

// decompress appends the plain form of body to dst. kind is the compression's bits of SysFlag.
func decompress(dst, body []byte, kind int32) ([]byte, error) {
	switch kind {
	case sysCompressZst:
		d := zstdPool.Get().(*zstd.Decoder)
		defer zstdPool.Put(d)
		out, err := d.DecodeAll(body, dst)
		if err == nil && len(out)-len(dst) > maxPlain {
			err = errPlainSize
		}
		return out, err
	case sysCompressLZ4:
		r := lz4Pool.Get().(*lz4.Reader)
		defer lz4Pool.Put(r)
		r.Reset(bytes.NewReader(body))
		return readInto(dst, r)
	case 0, 0x3 << 8:
		r, err := zlib.NewReader(bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return readInto(dst, r)
	}
	return nil, fmt.Errorf("compression kind %d", kind>>8)
}

func readInto(dst []byte, r io.Reader) ([]byte, error) {
	from := len(dst)
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return nil, err
		}
		if len(dst)-from > maxPlain {
			return nil, errPlainSize
		}
	}
}
