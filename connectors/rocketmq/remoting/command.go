package remoting

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// A frame is: int32 length of what follows, a byte that says how the header is
// written with its length in 24 bits, the header, the body.
const (
	headerJSON   = 0
	headerBinary = 1

	langGo         = 9
	protocolVer    = 401
	flagResponse   = 1
	flagOneWay     = 2
	maxFrame       = 64 << 20
	maxHeader      = 16 << 20
	binaryFixedLen = 2 + 1 + 2 + 4 + 4 // code, language, version, opaque, flag
)

var errFrame = errors.New("rocketmq: frame that is not of the remoting protocol")

// field is a named value of a header. Empty values are never sent: a broker
// reads them as absent, and a signature over them does not match.
type field struct{ key, val string }

// command is a request, or the head of an answer.
type command struct {
	code   int
	opaque int32
	flag   int32
	remark string
	fields []field
	body   []byte
}

func (c *command) isResponse() bool { return c.flag&flagResponse != 0 }
func (c *command) isOneWay() bool   { return c.flag&flagOneWay != 0 }

func (c *command) add(key, val string) {
	if val != "" {
		c.fields = append(c.fields, field{key, val})
	}
}

func (c *command) addInt(key string, v int64) { c.add(key, strconv.FormatInt(v, 10)) }

func (c *command) get(key string) (string, bool) {
	for _, f := range c.fields {
		if f.key == key {
			return f.val, true
		}
	}
	return "", false
}

func (c *command) getInt(key string) (int64, error) {
	v, ok := c.get(key)
	if !ok {
		return 0, fmt.Errorf("rocketmq: answer without %s", key)
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("rocketmq: answer with %s %q", key, v)
	}
	return n, nil
}

// append appends the frame of c to dst.
func (c *command) append(dst []byte, header byte) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	if header == headerJSON {
		dst = c.appendJSON(dst)
	} else {
		dst = c.appendBinary(dst)
	}
	n := len(dst) - start - 8
	binary.BigEndian.PutUint32(dst[start+4:], uint32(header)<<24|uint32(n))
	dst = append(dst, c.body...)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func (c *command) appendBinary(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(c.code))
	dst = append(dst, langGo)
	dst = binary.BigEndian.AppendUint16(dst, protocolVer)
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.opaque))
	dst = binary.BigEndian.AppendUint32(dst, uint32(c.flag))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(c.remark)))
	dst = append(dst, c.remark...)
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for _, f := range c.fields {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.key)))
		dst = append(dst, f.key...)
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.val)))
		dst = append(dst, f.val...)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

func (c *command) appendJSON(dst []byte) []byte {
	h := jsonHeader{Code: c.code, Language: "GO", Version: protocolVer, Opaque: c.opaque, Flag: c.flag, Remark: c.remark}
	if len(c.fields) > 0 {
		h.Fields = make(map[string]jsonText, len(c.fields))
		for _, f := range c.fields {
			h.Fields[f.key] = jsonText(f.val)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return append(dst, text...)
}

type jsonHeader struct {
	Code     int                 `json:"code"`
	Flag     int32               `json:"flag"`
	Language string              `json:"language"`
	Opaque   int32               `json:"opaque"`
	Version  int                 `json:"version"`
	Remark   string              `json:"remark,omitempty"`
	Fields   map[string]jsonText `json:"extFields,omitempty"`
}

// jsonText is a string that some servers write as a bare number or word.
type jsonText string

// UnmarshalJSON takes any scalar.
func (t *jsonText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	if string(b) != "null" {
		*t = jsonText(b)
	}
	return nil
}

// parseHeader reads a header of the given kind into c, whose body it leaves alone.
// Strings of a binary header are copies.
func (c *command) parseHeader(kind byte, h []byte) error {
	c.fields = c.fields[:0]
	switch kind {
	case headerBinary:
		return c.parseBinary(h)
	case headerJSON:
		var j jsonHeader
		if err := json.Unmarshal(h, &j); err != nil {
			return fmt.Errorf("%w: %v", errFrame, err)
		}
		c.code, c.opaque, c.flag, c.remark = j.Code, j.Opaque, j.Flag, j.Remark
		for k, v := range j.Fields {
			c.fields = append(c.fields, field{k, string(v)})
		}
		slices.SortFunc(c.fields, func(a, b field) int {
			if a.key < b.key {
				return -1
			}
			return 1
		})
		return nil
	}
	return fmt.Errorf("%w: header kind %d", errFrame, kind)
}

func (c *command) parseBinary(h []byte) error {
	if len(h) < binaryFixedLen+8 {
		return errFrame
	}
	c.code = int(int16(binary.BigEndian.Uint16(h)))
	c.opaque = int32(binary.BigEndian.Uint32(h[5:]))
	c.flag = int32(binary.BigEndian.Uint32(h[9:]))
	h = h[binaryFixedLen:]
	remark, h, ok := cut32(h)
	if !ok {
		return errFrame
	}
	c.remark = string(remark)
	h, rest, ok := cut32(h)
	if !ok || len(rest) != 0 {
		return errFrame
	}
	for len(h) > 0 {
		if len(h) < 2 {
			return errFrame
		}
		n := int(binary.BigEndian.Uint16(h))
		if len(h) < 2+n {
			return errFrame
		}
		key := h[2 : 2+n]
		var val []byte
		if val, h, ok = cut32(h[2+n:]); !ok {
			return errFrame
		}
		c.fields = append(c.fields, field{string(key), string(val)})
	}
	return nil
}

// cut32 takes a run of bytes with its length before it off the front of b.
func cut32(b []byte) (run, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}
