package avro

import (
	stdbytes "bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/vector"
)

// The JSON encoding of Avro: records are objects, bytes and fixed texts with a
// character for each byte, and values of unions but null stand in an object with
// the name of their branch. It is brought into the binary encoding and read and
// written by that.

// textDecoder reads messages in the JSON encoding.
type textDecoder struct {
	*decoder
	writer *schema
	recs   format.Records
}

// Scan implements format.Decoder.
func (d *textDecoder) Scan(recs *format.Records, from, to int, bad format.BadRow) int {
	d.recs.Buf, d.recs.Val = d.recs.Buf[:0], append(d.recs.Val[:0], make([]format.Span, to)...)
	for r := from; r < to; r++ {
		s := recs.Val[r]
		d.recs.Val[r].Len = -1
		if s.Len < 0 || len(stdbytes.TrimSpace(recs.Buf[s.Off:s.Off+s.Len])) == 0 {
			continue
		}
		start := len(d.recs.Buf)
		out, err := fromText(d.recs.Buf, d.writer, recs.Buf[s.Off:s.Off+s.Len])
		if err == nil && len(out) > math.MaxInt32 {
			err = errLong
		}
		if err != nil {
			bad(r, -1, err)
			continue
		}
		d.recs.Buf = out
		d.recs.Val[r] = format.Span{Off: int32(start), Len: int32(len(out) - start)}
	}
	return d.decoder.Scan(&d.recs, from, to, bad)
}

// fromText appends the binary encoding of a datum in JSON.
func fromText(dst []byte, w *schema, text []byte) ([]byte, error) {
	in := json.NewDecoder(stdbytes.NewReader(text))
	in.UseNumber()
	var v any
	if err := in.Decode(&v); err != nil {
		return dst, fmt.Errorf("no JSON: %w", err)
	}
	if _, err := in.Token(); err != io.EOF {
		return dst, errors.New("something stands behind the value")
	}
	return w.fromJSON(dst, v, 0)
}

func (s *schema) fromJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, errDepth
	}
	bad := func() ([]byte, error) {
		text, _ := json.Marshal(v) // it came from JSON
		if len(text) > 60 {
			text = append(text[:60:60], "…"...)
		}
		return dst, fmt.Errorf("%s is no %s", text, s.kind)
	}
	switch s.kind {
	case null:
		if v != nil {
			return bad()
		}
		return dst, nil
	case boolean:
		b, ok := v.(bool)
		if !ok {
			return bad()
		}
		if b {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case int32s, int64s:
		n, ok := v.(json.Number)
		x, err := strconv.ParseInt(n.String(), 10, 64)
		if !ok || err != nil || s.kind == int32s && int64(int32(x)) != x {
			return bad()
		}
		return appendLong(dst, x), nil
	case float, double:
		f, ok := number64(v)
		if !ok {
			return bad()
		}
		if s.kind == float {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
		}
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
	case text:
		t, ok := v.(string)
		if !ok {
			return bad()
		}
		return append(appendLong(dst, int64(len(t))), t...), nil
	case bytes, fixed:
		t, ok := v.(string)
		raw, all := latin1(t)
		if !ok || !all || s.kind == fixed && len(raw) != s.size {
			return bad()
		}
		if s.kind == bytes {
			dst = appendLong(dst, int64(len(raw)))
		}
		return append(dst, raw...), nil
	case enum:
		for i, x := range s.symbols {
			if x == v {
				return appendLong(dst, int64(i)), nil
			}
		}
		return bad()
	case union:
		return s.branchJSON(dst, v, depth, bad)
	case array:
		l, ok := v.([]any)
		if !ok {
			return bad()
		}
		return blockOf(dst, 0, len(l), func(dst []byte, j int) ([]byte, error) { return s.elem.fromJSON(dst, l[j], depth+1) })
	case maps:
		m, ok := v.(map[string]any)
		if !ok {
			return bad()
		}
		if len(m) > 0 {
			dst = appendLong(dst, int64(len(m)))
		}
		var err error
		for k, x := range m {
			dst = append(appendLong(dst, int64(len(k))), k...)
			if dst, err = s.elem.fromJSON(dst, x, depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, 0), nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return bad()
	}
	var err error
	for _, f := range s.fields {
		x, there := m[f.name]
		if !there {
			return dst, fmt.Errorf("field %s is missing", f.name)
		}
		if dst, err = f.of.fromJSON(dst, x, depth+1); err != nil {
			return dst, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return dst, nil
}

// branchJSON reads null, or an object with the name of a branch.
func (s *schema) branchJSON(dst []byte, v any, depth int, bad func() ([]byte, error)) ([]byte, error) {
	name := "null"
	if v != nil {
		m, ok := v.(map[string]any)
		if !ok || len(m) != 1 {
			return bad()
		}
		for name, v = range m {
		}
	}
	for i, b := range s.of {
		if b.branchName() == name {
			return b.fromJSON(appendLong(dst, int64(i)), v, depth+1)
		}
	}
	return dst, fmt.Errorf("the union has no branch %s", name)
}

// branchName is how the JSON encoding names a branch of a union.
func (s *schema) branchName() string {
	if s.name != "" {
		return s.name
	}
	return s.kind.String()
}

func number64(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(v.String(), 64)
		return f, err == nil || errors.Is(err, strconv.ErrRange)
	case string: // as Java's library writes what JSON has no numbers for
		switch v {
		case "NaN":
			return math.NaN(), true
		case "Infinity", "INF":
			return math.Inf(1), true
		case "-Infinity", "-INF":
			return math.Inf(-1), true
		}
	}
	return 0, false
}

// latin1 returns the bytes that the characters of t stand for.
func latin1(t string) ([]byte, bool) {
	out := make([]byte, 0, len(t))
	for _, r := range t {
		if r > 0xFF {
			return nil, false
		}
		out = append(out, byte(r))
	}
	return out, true
}

// toText appends the JSON encoding of the datum at b[at:].
func (s *schema) toText(dst, b []byte, at, depth int) ([]byte, int, error) {
	if depth > maxDepth {
		return dst, at, errDepth
	}
	switch s.kind {
	case null:
		return append(dst, "null"...), at, nil
	case boolean:
		if at >= len(b) {
			return dst, at, errShort
		}
		return strconv.AppendBool(dst, b[at] != 0), at + 1, nil
	case int32s, int64s:
		n, at, err := long(b, at)
		return strconv.AppendInt(dst, n, 10), at, err
	case float, double:
		return s.floatText(dst, b, at)
	case text, bytes, fixed:
		n, err := s.size, error(nil)
		if s.kind != fixed {
			n, at, err = size(b, at)
		}
		if err == nil {
			_, err = fits(b, at, n)
		}
		if err != nil {
			return dst, at, err
		}
		if s.kind == text {
			return appendText(dst, string(b[at:at+n])), at + n, nil
		}
		var chars strings.Builder
		for _, c := range b[at : at+n] {
			chars.WriteRune(rune(c))
		}
		return appendText(dst, chars.String()), at + n, nil
	case enum:
		n, at, err := long(b, at)
		if err != nil || n < 0 || n >= int64(len(s.symbols)) {
			return dst, at, errLong
		}
		return appendText(dst, s.symbols[n]), at, nil
	case union:
		u, at, err := s.branch(b, at)
		if err != nil || u.kind == null {
			return append(dst, "null"...), at, err
		}
		dst = append(appendText(append(dst, '{'), u.branchName()), ':')
		dst, at, err = u.toText(dst, b, at, depth+1)
		return append(dst, '}'), at, err
	case record:
		dst = append(dst, '{')
		var err error
		for i, f := range s.fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, f.name), ':')
			if dst, at, err = f.of.toText(dst, b, at, depth+1); err != nil {
				return dst, at, err
			}
		}
		return append(dst, '}'), at, nil
	}
	ends := "[]"
	if s.kind == maps {
		ends = "{}"
	}
	dst = append(dst, ends[0])
	first := true
	at, err := blocks(b, at, false, func(at int) (int, error) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if s.kind == maps {
			n, from, err := size(b, at)
			if err != nil {
				return at, err
			}
			dst = append(appendText(dst, string(b[from:from+n])), ':')
			at = from + n
		}
		var err error
		dst, at, err = s.elem.toText(dst, b, at, depth+1)
		return at, err
	})
	return append(dst, ends[1]), at, err
}

func (s *schema) floatText(dst, b []byte, at int) ([]byte, int, error) {
	n := 8
	if s.kind == float {
		n = 4
	}
	end, err := fits(b, at, n)
	if err != nil {
		return dst, at, err
	}
	var f float64
	bits := 64
	if s.kind == float {
		f, bits = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[at:]))), 32
	} else {
		f = math.Float64frombits(binary.LittleEndian.Uint64(b[at:]))
	}
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...), end, nil
	case math.IsInf(f, 0):
		return append(dst, map[bool]string{true: `"Infinity"`, false: `"-Infinity"`}[f > 0]...), end, nil
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits), end, nil
}

func appendText(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	var b stdbytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be
	return append(dst, stdbytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// texts is the encoder of messages in the JSON encoding.
type texts struct {
	inner  format.Encoder
	writer *schema
	buf    []byte
}

// Append implements format.Encoder.
func (e *texts) Append(dst []byte, b *vector.Batch, i int) ([]byte, bool, error) {
	var err error
	if e.buf, _, err = e.inner.Append(e.buf[:0], b, i); err != nil {
		return dst, false, err
	}
	dst, _, err = e.writer.toText(dst, e.buf, 0, 0)
	return dst, false, err
}

var (
	_ format.Decoder = (*textDecoder)(nil)
	_ format.Encoder = (*texts)(nil)
)
