package remoting

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"net/netip"
)

// Message is a message of a queue. Its bytes are views of the Messages it came
// with, valid until those are used again.
type Message struct {
	Body       []byte
	Properties []byte // see Property and EachProperty
	Topic      []byte
	Offset     int64 // in the queue
	LogOffset  int64 // in the broker's commit log
	Born       int64 // ms since 1970, by the producer's clock
	Stored     int64 // ms since 1970, by the broker's clock
	QueueID    int32
	Flag       int32 // the producer's own
	SysFlag    int32
	Reconsume  int32
	// At is where Body begins in Messages.Raw; -1 if it was compressed and is elsewhere.
	At        int32
	bornHost  []byte
	storeHost []byte
}

// The properties with a meaning.
const (
	PropKeys      = "KEYS"
	PropTags      = "TAGS"
	PropUniqueKey = "UNIQ_KEY"
	PropDelay     = "DELAY"
	PropDelayMs   = "TIMER_DELAY_MS"
	PropDeliverMs = "TIMER_DELIVER_MS"
	PropSharding  = "__SHARDINGKEY"
)

const (
	nameEnd  = 1 // behind a property's name
	valueEnd = 2 // behind its value
)

// Property returns the value of a property, nil if the message has none of that name.
func (m *Message) Property(name string) []byte { return findProperty(m.Properties, name) }

func findProperty(p []byte, name string) []byte {
	for len(p) > 0 {
		end := bytes.IndexByte(p, valueEnd)
		entry := p
		if end >= 0 {
			entry, p = p[:end], p[end+1:]
		} else {
			p = nil
		}
		if len(entry) > len(name) && entry[len(name)] == nameEnd && string(entry[:len(name)]) == name {
			return entry[len(name)+1:]
		}
	}
	return nil
}

// EachProperty goes through names and values.
func (m *Message) EachProperty() iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for entry := range bytes.SplitSeq(m.Properties, []byte{valueEnd}) {
			if name, value, ok := bytes.Cut(entry, []byte{nameEnd}); ok && !yield(name, value) {
				return
			}
		}
	}
}

// AppendProperty appends a property as messages have them. Names and values
// must not hold the bytes 1 and 2, which are replaced by spaces.
func AppendProperty(dst []byte, name, value string) []byte {
	dst = appendClean(dst, name)
	dst = append(dst, nameEnd)
	dst = appendClean(dst, value)
	return append(dst, valueEnd)
}

func appendClean(dst []byte, s string) []byte {
	for i := range len(s) {
		if ch := s[i]; ch == nameEnd || ch == valueEnd {
			dst = append(dst, ' ')
		} else {
			dst = append(dst, ch)
		}
	}
	return dst
}

// BornHost is the producer's address as the broker saw it.
func (m *Message) BornHost() netip.AddrPort { return hostOf(m.bornHost) }

// StoreHost is the broker's address.
func (m *Message) StoreHost() netip.AddrPort { return hostOf(m.storeHost) }

func hostOf(b []byte) netip.AddrPort {
	if len(b) < 8 {
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(b[:len(b)-4])
	return netip.AddrPortFrom(ip, uint16(binary.BigEndian.Uint32(b[len(b)-4:])))
}

// Messages is the answer to a pull. Its memory is used again by the next.
type Messages struct {
	List []Message
	// Next is the offset to pull from next; Min and Max are the queue's first
	// offset and the one behind its last message.
	Next, Min, Max int64
	// Moved tells that the offset asked for is outside the queue; Next is where it begins or ends.
	Moved bool
	// Bytes is how many bytes came over the network.
	Bytes int

	buf   []byte // the answer's body
	plain []byte // what was compressed in it
}

const (
	magicV1 = 0xdaa320a7
	magicV2 = 0xdaa320ab // the topic's length has two bytes
	// fixedBefore is the length of a message's fields before the born host.
	fixedBefore = 4 + 4 + 4 + 4 + 4 + 8 + 8 + 4 + 8
)

var errMessage = errors.New("rocketmq: message that does not decode")

// Raw is the bytes that the messages are views of, with 64 bytes of capacity at
// least behind the last.
func (m *Messages) Raw() []byte { return m.buf }

// Lend gives m memory to receive the next answer in. The memory of the last one
// is then the caller's: whoever keeps what Raw returned lends other memory.
func (m *Messages) Lend(buf []byte) { m.buf = buf[:0] }

// decode fills m.List from the bytes of a pull's answer.
func (m *Messages) decode(b []byte) error {
	m.List, m.plain = m.List[:0], m.plain[:0]
	for whole := len(b); len(b) > 0; {
		if len(b) < 4 {
			return errMessage
		}
		size := int(int32(binary.BigEndian.Uint32(b)))
		if size < fixedBefore || size > len(b) {
			return fmt.Errorf("%w: size %d of %d bytes", errMessage, size, len(b))
		}
		if n := len(m.List); n < cap(m.List) {
			m.List = m.List[:n+1]
		} else {
			m.List = append(m.List, Message{})
		}
		msg := &m.List[len(m.List)-1]
		if err := msg.decode(b[:size:size]); err != nil {
			return err
		}
		msg.At += int32(whole - len(b))
		b = b[size:]
		if msg.SysFlag&(sysCompressed|sysNeedUnwrap|sysInnerBatch) != 0 {
			if err := m.unpack(msg); err != nil {
				return err
			}
		}
	}
	return nil
}

// decode reads one message, b being exactly its bytes.
func (m *Message) decode(b []byte) error {
	magic := binary.BigEndian.Uint32(b[4:])
	if magic != magicV1 && magic != magicV2 {
		return fmt.Errorf("%w: magic %#x", errMessage, magic)
	}
	m.QueueID = int32(binary.BigEndian.Uint32(b[12:]))
	m.Flag = int32(binary.BigEndian.Uint32(b[16:]))
	m.Offset = int64(binary.BigEndian.Uint64(b[20:]))
	m.LogOffset = int64(binary.BigEndian.Uint64(b[28:]))
	m.SysFlag = int32(binary.BigEndian.Uint32(b[36:]))
	m.Born = int64(binary.BigEndian.Uint64(b[40:]))
	at := fixedBefore
	born, store := 8, 8
	if m.SysFlag&sysBornV6 != 0 {
		born = 20
	}
	if m.SysFlag&sysStoreV6 != 0 {
		store = 20
	}
	// Behind the hosts: store time 8 (between them), reconsume 4, prepared offset 8, body length 4.
	if len(b) < at+born+8+store+16 {
		return errMessage
	}
	m.bornHost = b[at : at+born]
	at += born
	m.Stored = int64(binary.BigEndian.Uint64(b[at:]))
	at += 8
	m.storeHost = b[at : at+store]
	at += store
	m.Reconsume = int32(binary.BigEndian.Uint32(b[at:]))
	at += 12
	n := int(int32(binary.BigEndian.Uint32(b[at:])))
	at += 4
	if n < 0 || n > len(b)-at {
		return errMessage
	}
	m.Body, m.At = b[at:at+n:at+n], int32(at)
	at += n
	if magic == magicV2 {
		if len(b) < at+2 {
			return errMessage
		}
		n = int(binary.BigEndian.Uint16(b[at:]))
		at += 2
	} else {
		if len(b) < at+1 {
			return errMessage
		}
		n = int(b[at])
		at++
	}
	if n > len(b)-at-2 {
		return errMessage
	}
	m.Topic = b[at : at+n]
	at += n
	n = int(binary.BigEndian.Uint16(b[at:]))
	at += 2
	if n > len(b)-at {
		return errMessage
	}
	m.Properties = b[at : at+n]
	return nil
}

// unpack makes the last message of the list, msg, what its producer sent: it
// decompresses the body, and puts the messages of an inner batch in its place.
func (m *Messages) unpack(msg *Message) error {
	if msg.SysFlag&sysCompressed != 0 {
		from := len(m.plain)
		out, err := decompress(m.plain, msg.Body, msg.SysFlag&sysCompressAny)
		if err != nil {
			return fmt.Errorf("%w: offset %d: %v", errMessage, msg.Offset, err)
		}
		m.plain = out
		msg.Body = out[from:len(out):len(out)]
		msg.SysFlag &^= sysCompressed
		msg.At = -1
	}
	if msg.SysFlag&sysNeedUnwrap == 0 || msg.SysFlag&sysInnerBatch == 0 {
		return nil
	}
	outer := *msg
	m.List = m.List[:len(m.List)-1]
	offset := outer.Offset
	for b := outer.Body; len(b) > 0; offset++ {
		inner := outer
		if outer.At >= 0 {
			inner.At = outer.At + int32(len(outer.Body)-len(b)) + innerBody
		}
		rest, err := inner.decodeInner(b)
		if err != nil {
			return err
		}
		b = rest
		inner.Offset = offset
		inner.SysFlag &^= sysNeedUnwrap | sysInnerBatch
		m.List = append(m.List, inner)
	}
	return nil
}

// innerBody is where the body of a message in a batch begins.
const innerBody = 20

// decodeInner reads a message as producers put it into a batch.
func (m *Message) decodeInner(b []byte) (rest []byte, err error) {
	if len(b) < 20 {
		return nil, errMessage
	}
	size := int(int32(binary.BigEndian.Uint32(b)))
	if size < 22 || size > len(b) {
		return nil, errMessage
	}
	b, rest = b[:size], b[size:]
	m.Flag = int32(binary.BigEndian.Uint32(b[12:]))
	n := int(int32(binary.BigEndian.Uint32(b[16:])))
	if n < 0 || n > size-22 {
		return nil, errMessage
	}
	m.Body = b[20 : 20+n : 20+n]
	p := int(binary.BigEndian.Uint16(b[20+n:]))
	if p > size-22-n {
		return nil, errMessage
	}
	m.Properties = b[22+n : 22+n+p]
	return rest, nil
}
