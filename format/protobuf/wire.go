package protobuf

import (
	"encoding/binary"
	"errors"
)

// The wire types.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireStart   = 3
	wireEnd     = 4
	wireFixed32 = 5
)

var (
	errShort = errors.New("the message ends too early")
	errWire  = errors.New("no protobuf message: a field has an unknown wire type or number")
	errDepth = errors.New("messages too deep in one another")
)

// maxDepth bounds messages in one another.
const maxDepth = 64

// wireField is a field as it stands in a message: a number, or bytes.
type wireField struct {
	number uint64
	wire   int
	num    uint64
	bytes  []byte
}

// next reads the field at b[at:].
func next(b []byte, at int) (f wireField, end int, err error) {
	tag, w := binary.Uvarint(b[at:])
	if w <= 0 {
		return f, at, errShort
	}
	at += w
	f.number, f.wire = tag>>3, int(tag&7)
	if f.number == 0 || f.number > 1<<29-1 {
		return f, at, errWire
	}
	switch f.wire {
	case wireVarint:
		f.num, w = binary.Uvarint(b[at:])
		if w <= 0 {
			return f, at, errShort
		}
		return f, at + w, nil
	case wireFixed64:
		if len(b)-at < 8 {
			return f, at, errShort
		}
		f.num = binary.LittleEndian.Uint64(b[at:])
		return f, at + 8, nil
	case wireFixed32:
		if len(b)-at < 4 {
			return f, at, errShort
		}
		f.num = uint64(binary.LittleEndian.Uint32(b[at:]))
		return f, at + 4, nil
	case wireBytes:
		n, w := binary.Uvarint(b[at:])
		if w <= 0 || n > uint64(len(b)-at-w) {
			return f, at, errShort
		}
		at += w
		f.bytes = b[at : at+int(n)]
		return f, at + int(n), nil
	case wireStart:
		start := at
		for depth := 1; depth > 0; {
			x, end, err := next1(b, at)
			if err != nil {
				return f, at, err
			}
			switch x.wire {
			case wireStart:
				if depth++; depth > maxDepth {
					return f, at, errDepth
				}
			case wireEnd:
				if depth--; depth == 0 {
					f.bytes = b[start:at]
				}
			}
			at = end
		}
		return f, at, nil
	}
	return f, at, errWire
}

// next1 is next, but for groups, of which it reads the tags alone.
func next1(b []byte, at int) (f wireField, end int, err error) {
	tag, w := binary.Uvarint(b[at:])
	if w <= 0 {
		return f, at, errShort
	}
	if wire := int(tag & 7); wire == wireStart || wire == wireEnd {
		return wireField{number: tag >> 3, wire: wire}, at + w, nil
	}
	return next(b, at)
}

// each calls do for every field of a message.
func each(b []byte, do func(f wireField) error) error {
	for at := 0; at < len(b); {
		f, end, err := next(b, at)
		if err != nil {
			return err
		}
		if err := do(f); err != nil {
			return err
		}
		at = end
	}
	return nil
}

func zigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }
