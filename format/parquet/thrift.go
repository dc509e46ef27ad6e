package parquet

import (
	"encoding/binary"
	"errors"
	"io"
)

var errThrift = errors.New("the metadata are damaged")

// sound tells whether b is a struct in Thrift's compact encoding whose lengths
// its bytes stand behind: the library makes lists of any length it reads.
func sound(b []byte) error {
	_, err := soundValue(b, 12, 0)
	return err
}

// soundAt is sound for bytes of a file; none are sound.
func soundAt(f io.ReaderAt, size, off int64, n int32) bool {
	if off == 0 {
		return true
	}
	if off < 0 || n < 0 || off > size-int64(n) {
		return false
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil && err != io.EOF {
		return false
	}
	return sound(b) == nil
}

// soundValue passes over a value of a type and returns what is behind it.
func soundValue(b []byte, typ byte, depth int) ([]byte, error) {
	if depth > 64 {
		return nil, errThrift
	}
	skip := func(n uint64) ([]byte, error) {
		if n > uint64(len(b)) {
			return nil, errThrift
		}
		return b[n:], nil
	}
	number := func() (uint64, bool) {
		n, w := binary.Uvarint(b)
		if w <= 0 {
			return 0, false
		}
		b = b[w:]
		return n, true
	}
	switch typ {
	case 1, 2:
		return b, nil
	case 3:
		return skip(1)
	case 4, 5, 6:
		if _, ok := number(); !ok {
			return nil, errThrift
		}
		return b, nil
	case 7:
		return skip(8)
	case 8:
		n, ok := number()
		if !ok {
			return nil, errThrift
		}
		return skip(n)
	case 9, 10:
		if len(b) == 0 {
			return nil, errThrift
		}
		n, elem := uint64(b[0]>>4), b[0]&15
		if b = b[1:]; n == 15 {
			var ok bool
			if n, ok = number(); !ok {
				return nil, errThrift
			}
		}
		if n > uint64(len(b)) {
			return nil, errThrift
		}
		if elem <= 2 {
			return skip(n) // booleans in lists take a byte
		}
		var err error
		for range n {
			if b, err = soundValue(b, elem, depth+1); err != nil {
				return nil, err
			}
		}
		return b, nil
	case 12:
		for {
			if len(b) == 0 {
				return nil, errThrift
			}
			head := b[0]
			if b = b[1:]; head == 0 {
				return b, nil
			}
			if head>>4 == 0 {
				if _, ok := number(); !ok {
					return nil, errThrift
				}
			}
			var err error
			if b, err = soundValue(b, head&15, depth+1); err != nil {
				return nil, err
			}
		}
	}
	return nil, errThrift // maps are in no metadata of Parquet
}
