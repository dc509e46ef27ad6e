package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// encoder appends rows as datums of tableSchema, or of a schema that was given.
type encoder struct {
	fields []types.Field
	given  func(dst []byte, cols []vector.Vector, i int) ([]byte, error)
}

// newEncoder returns the encoder of rows of t; given is the text of w where it is
// not the table's own.
func newEncoder(t *types.Schema, given string, w *schema) (e encoder, err error) {
	e.fields = t.Fields
	if given == "" {
		return e, nil
	}
	if w.kind != record {
		return e, fmt.Errorf("the schema is a %s: rows are written as records", w.kind)
	}
	e.given, err = compileFields(w, t.Fields, 0)
	return e, err
}

// row appends row i of the columns.
func (e *encoder) row(dst []byte, cols []vector.Vector, i int) ([]byte, error) {
	if e.given != nil {
		return e.given(dst, cols, i)
	}
	var err error
	for c, f := range e.fields {
		if dst, err = appendValue(dst, cols[c], f.Type, i); err != nil {
			return dst, fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	return dst, nil
}

func appendLong(dst []byte, n int64) []byte { return binary.AppendVarint(dst, n) }

func appendValue(dst []byte, v vector.Vector, t types.Type, i int) ([]byte, error) {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	if v.IsNull(i) {
		if !t.Nullable {
			return dst, errNull
		}
		return append(dst, 0), nil
	}
	if t.Nullable {
		dst = append(dst, 2) // branch 1
	}
	switch v := v.(type) {
	case *vector.Flat[string]:
		return append(appendLong(dst, int64(len(v.Vals[i]))), v.Vals[i]...), nil
	case *vector.Flat[bool]:
		if v.Vals[i] {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case *vector.Flat[int8]:
		return appendLong(dst, int64(v.Vals[i])), nil
	case *vector.Flat[int16]:
		return appendLong(dst, int64(v.Vals[i])), nil
	case *vector.Flat[int32]:
		return appendLong(dst, int64(v.Vals[i])), nil
	case *vector.Flat[int64]:
		return appendLong(dst, v.Vals[i]), nil
	case *vector.Flat[float32]:
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(v.Vals[i])), nil
	case *vector.Flat[float64]:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Vals[i])), nil
	case *vector.Flat[types.Dec]:
		var raw [16]byte
		b := twosComplement(&raw, v.Vals[i])
		return append(appendLong(dst, int64(len(b))), b...), nil
	case *vector.Flat[types.TS]:
		return appendTimestamp(dst, v.Vals[i], t.Prec)
	case *vector.List:
		return appendArray(dst, v, *t.Elem, i)
	case *vector.Map:
		return appendMap(dst, v, t, i)
	case *vector.Row:
		var err error
		for f := range t.Fields {
			if dst, err = appendValue(dst, v.Cols[f], t.Fields[f].Type, i); err != nil {
				return dst, fmt.Errorf("%s: %w", t.Fields[f].Name, err)
			}
		}
		return dst, nil
	}
	return dst, fmt.Errorf("the format has no values of type %s", t)
}

// twosComplement returns d big-endian in as few bytes as hold it.
func twosComplement(raw *[16]byte, d types.Dec) []byte {
	binary.BigEndian.PutUint64(raw[:8], uint64(d.Hi))
	binary.BigEndian.PutUint64(raw[8:], d.Lo)
	b := raw[:]
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xFF && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

var errFar = errors.New("the time is too far away to be written")

func appendTimestamp(dst []byte, t types.TS, prec int) ([]byte, error) {
	per := int64(1)
	switch {
	case prec > 6:
		per = 1_000_000
	case prec > 3:
		per = 1000
	}
	if t.Ms > math.MaxInt64/per-1 || t.Ms < math.MinInt64/per+1 {
		return dst, errFar
	}
	return appendLong(dst, t.Ms*per+int64(t.Ns)/(1_000_000/per)), nil
}

func appendArray(dst []byte, l *vector.List, elem types.Type, i int) ([]byte, error) {
	if l.Count[i] > 0 {
		dst = appendLong(dst, int64(l.Count[i]))
	}
	var err error
	for j := l.Off[i]; j < l.Off[i]+l.Count[i]; j++ {
		if dst, err = appendValue(dst, l.Child, elem, int(j)); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func appendMap(dst []byte, m *vector.Map, t types.Type, i int) ([]byte, error) {
	val := types.Of(types.Int).NotNull()
	if t.Kind == types.Map {
		val = *t.Elem
	}
	if m.Count[i] > 0 {
		dst = appendLong(dst, int64(m.Count[i]))
	}
	keys, ok := m.Keys.(*vector.Flat[string])
	if !ok {
		return dst, errors.New("the keys of Avro maps are texts")
	}
	var err error
	for j := int(m.Off[i]); j < int(m.Off[i]+m.Count[i]); j++ {
		if keys.IsNull(j) {
			return dst, errors.New("a key of a map is NULL")
		}
		dst = append(appendLong(dst, int64(len(keys.Vals[j]))), keys.Vals[j]...)
		if dst, err = appendValue(dst, m.Vals, val, j); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}
