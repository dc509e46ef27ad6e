package builtin

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// stringCodeFuncs convert between texts and their encodings.
var stringCodeFuncs = []function.Def{
	{
		Name: "TO_BASE64", Group: "string", Sig: "(STRING) -> STRING | (BYTES) -> STRING",
		Doc: "The bytes of the text, in UTF-8, in base 64.",
		Scalar: function.Append1(func(dst []byte, s string) []byte {
			return base64.StdEncoding.AppendEncode(dst, []byte(s))
		}),
		Eg: []function.Example{eg("TO_BASE64('hello')", "aGVsbG8=")},
	},
	{
		Name: "FROM_BASE64", Group: "string", Sig: "(STRING) -> STRING",
		Doc:    "The text whose bytes are written in base 64; padding may be left out. Other characters are an error.",
		Scalar: function.AppendErr1(appendFromBase64), Eg: []function.Example{eg("FROM_BASE64('aGVsbG8=')", "hello")},
	},
	{
		Name: "ENCODE", Group: "string", Sig: "(STRING, STRING) -> BYTES",
		Doc:    "The bytes of the text in a character set, such as UTF-8, UTF-16BE, GBK or ISO-8859-1. What the set does not have becomes '?'.",
		Scalar: charsetScalar(true), Eg: []function.Example{eg("ENCODE('é', 'ISO-8859-1')", "x'e9'")},
	},
	{
		Name: "DECODE", Group: "string", Sig: "(BYTES, STRING) -> STRING",
		Doc:    "The text that the bytes are in a character set. Bytes that are none become U+FFFD.",
		Scalar: charsetScalar(false), Eg: []function.Example{eg("DECODE(x'e4b8ad', 'UTF-8')", "中")},
	},
	{
		Name: "INET_ATON", Group: "string", Sig: "(STRING) -> BIGINT?",
		Doc:    "The number of an IPv4 address; fewer than four parts are read as inet_aton does. NULL if the text is no address.",
		Scalar: function.MapOk1(inetAton), Eg: []function.Example{eg("INET_ATON('127.0.0.1')", "2130706433")},
	},
	{
		Name: "INET_NTOA", Group: "string", Sig: "(BIGINT) -> STRING?",
		Doc:    "The IPv4 address with the number, NULL if it has more than 32 bits.",
		Scalar: function.AppendOk1(appendInet), Eg: []function.Example{eg("INET_NTOA(2130706433)", "127.0.0.1")},
	},
}

// appendFromBase64 reads a text written in base 64.
func appendFromBase64(dst []byte, s string) ([]byte, error) {
	var buf [256]byte
	raw, err := appendBase64Bytes(buf[:0], s)
	if err != nil {
		return dst, err
	}
	return types.AppendUTF8(dst, string(raw)), nil
}

func appendBase64Bytes(dst []byte, s string) ([]byte, error) {
	body := strings.TrimRight(s, "=")
	if pad := len(s) - len(body); pad > 2 || pad > 0 && len(s)%4 != 0 {
		return dst, errors.New("base 64 with wrong padding")
	}
	for i := 0; i < len(body); i++ {
		if c := body[i]; c == '\n' || c == '\r' { // Go would skip them
			return dst, fmt.Errorf("base 64 with character %q", c)
		}
	}
	dst, err := base64.RawStdEncoding.AppendDecode(dst, []byte(body))
	if err != nil {
		return dst, fmt.Errorf("base 64: %w", err)
	}
	return dst, nil
}

// charset returns a character set by one of its names, nil for UTF-8.
func charset(name string) (encoding.Encoding, error) {
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8":
		return nil, nil
	case "UTF-16", "UTF16": // big endian with a mark when written, by the mark when read
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	case "UTF-16BE":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), nil
	case "UTF-16LE":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), nil
	case "UTF-32", "UTF32", "UTF-32BE":
		return utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM), nil
	case "UTF-32LE":
		return utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM), nil
	case "US-ASCII", "ASCII", "ISO646-US":
		return asciiCharset{}, nil
	case "ISO-8859-1", "LATIN1", "ISO8859_1":
		return charmap.ISO8859_1, nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, fmt.Errorf("no character set %q", name)
	}
	return e, nil
}

// asciiCharset is US-ASCII, which the library has only as a part of others.
type asciiCharset struct{ encoding.Encoding }

// charsetCode converts in one character set, keeping it for the next row.
type charsetCode struct {
	name    string
	known   bool
	ascii   bool
	encoder *encoding.Encoder
	decoder *encoding.Decoder
}

func (c *charsetCode) use(name string) error {
	if c.known && c.name == name {
		return nil
	}
	e, err := charset(name)
	if err != nil {
		return err
	}
	*c = charsetCode{name: strings.Clone(name), known: true}
	if _, c.ascii = e.(asciiCharset); e != nil && !c.ascii {
		c.encoder, c.decoder = encoding.ReplaceUnsupported(e.NewEncoder()), e.NewDecoder()
	}
	return nil
}

func (c *charsetCode) encode(dst []byte, s string) ([]byte, error) {
	switch {
	case c.ascii:
		for _, r := range s {
			if r >= 0x80 {
				r = '?'
			}
			dst = append(dst, byte(r))
		}
		return dst, nil
	case c.encoder == nil:
		return append(dst, s...), nil
	}
	b, err := c.encoder.Bytes([]byte(s))
	if err != nil {
		return dst, err
	}
	return append(dst, bytes.ReplaceAll(b, []byte{0x1a}, []byte{'?'})...), nil
}

func (c *charsetCode) decode(dst []byte, s string) ([]byte, error) {
	switch {
	case c.ascii:
		for i := 0; i < len(s); i++ {
			if s[i] >= 0x80 {
				dst = append(dst, "\uFFFD"...)
				continue
			}
			dst = append(dst, s[i])
		}
		return dst, nil
	case c.decoder == nil:
		return types.AppendUTF8(dst, s), nil
	}
	b, err := c.decoder.Bytes([]byte(s))
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

func charsetScalar(encode bool) *function.Scalar {
	return function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
		var c charsetCode
		if name, ok := args[1].Value.(string); ok && args[1].Const {
			if err := c.use(name); err != nil {
				return nil, err
			}
		}
		return function.CallAppendErr2(func(dst []byte, s, name string) ([]byte, error) {
			if err := c.use(name); err != nil {
				return dst, err
			}
			if encode {
				return c.encode(dst, s)
			}
			return c.decode(dst, s)
		}), nil
	})
}

// inetAton reads one to four numbers; the last fills the bytes that are left.
func inetAton(s string) (int64, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return 0, false
	}
	var n int64
	for i, p := range parts {
		if p == "" || len(p) > 10 || strings.Trim(p, "0123456789") != "" {
			return 0, false
		}
		v, err := strconv.ParseInt(p, 10, 64)
		most := int64(255)
		if i == len(parts)-1 {
			most = 1<<(8*(5-len(parts))) - 1
		}
		if err != nil || v > most {
			return 0, false
		}
		if i == len(parts)-1 {
			return n<<(8*(5-len(parts))) | v, true
		}
		n = n<<8 | v
	}
	return 0, false
}

func appendInet(dst []byte, n int64) ([]byte, bool) {
	if n < 0 || n > 1<<32-1 {
		return dst, false
	}
	for shift := 24; shift >= 0; shift -= 8 {
		dst = strconv.AppendInt(dst, n>>shift&255, 10)
		if shift > 0 {
			dst = append(dst, '.')
		}
	}
	return dst, true
}
