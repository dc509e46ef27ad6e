package json

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A Writer writes rows as objects, the fields in the order of the columns.
type Writer struct {
	o          *Options
	timestamps types.TimestampFormat
	keys       []string // "name":
	types      []types.Type
}

func writable(t types.Type) error {
	switch t.Kind {
	case types.Variant, types.Bitmap, types.Raw, types.Symbol, types.Descriptor, types.Null:
		return fmt.Errorf("the json format has no values of type %s", t)
	case types.Map:
		if !t.Key.IsChar() {
			return fmt.Errorf("the json format writes only texts as keys of %s", t)
		}
		return writable(*t.Elem)
	case types.Multiset:
		if !t.Elem.IsChar() {
			return fmt.Errorf("the json format writes only texts as elements of %s", t)
		}
	case types.Array:
		return writable(*t.Elem)
	case types.Row:
		for _, f := range t.Fields {
			if err := writable(f.Type); err != nil {
				return err
			}
		}
	}
	return nil
}

// Append implements format.Encoder.
func (w *Writer) Append(dst []byte, b *vector.Batch, i int) (out []byte, skip bool, err error) {
	dst = append(dst, '{')
	first := true
	for c, col := range b.Cols[:len(w.keys)] {
		if w.o.IgnoreNulls && col.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, w.keys[c]...)
		if dst, err = w.value(dst, col, w.types[c], i); err != nil {
			return dst, false, err
		}
	}
	return append(dst, '}'), false, nil
}

func (w *Writer) value(dst []byte, v vector.Vector, t types.Type, i int) ([]byte, error) {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	if v.IsNull(i) {
		return append(dst, "null"...), nil
	}
	switch v := v.(type) {
	case *vector.Flat[string]:
		if t.IsBinary() {
			dst = append(dst, '"')
			dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Vals[i]))
			return append(dst, '"'), nil
		}
		return AppendString(dst, v.Vals[i]), nil
	case *vector.Flat[bool]:
		return strconv.AppendBool(dst, v.Vals[i]), nil
	case *vector.Flat[int8]:
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), nil
	case *vector.Flat[int16]:
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), nil
	case *vector.Flat[int32]:
		switch t.Kind {
		case types.Date:
			return append(types.AppendDate(append(dst, '"'), v.Vals[i]), '"'), nil
		case types.Time:
			return append(types.AppendFormatTime(append(dst, '"'), v.Vals[i]), '"'), nil
		}
		return strconv.AppendInt(dst, int64(v.Vals[i]), 10), nil
	case *vector.Flat[int64]:
		return strconv.AppendInt(dst, v.Vals[i], 10), nil
	case *vector.Flat[float32]:
		if f := float64(v.Vals[i]); math.IsNaN(f) || math.IsInf(f, 0) {
			return append(types.AppendFloat(append(dst, '"'), v.Vals[i]), '"'), nil
		}
		return types.AppendFloat(dst, v.Vals[i]), nil
	case *vector.Flat[float64]:
		if f := v.Vals[i]; math.IsNaN(f) || math.IsInf(f, 0) {
			return append(types.AppendDouble(append(dst, '"'), f), '"'), nil
		}
		return types.AppendDouble(dst, v.Vals[i]), nil
	case *vector.Flat[types.Dec]:
		return convert.AppendDecimal(dst, v.Vals[i], t.Scale, w.o.PlainDecimals), nil
	case *vector.Flat[types.TS]:
		dst = types.AppendFormatTS(append(dst, '"'), v.Vals[i].Truncate(t.Prec), w.timestamps)
		if t.Kind == types.TimestampLTZ {
			dst = append(dst, 'Z')
		}
		return append(dst, '"'), nil
	case *vector.List:
		return w.list(dst, v, *t.Elem, i)
	case *vector.Map:
		return w.mapping(dst, v, t, i)
	case *vector.Row:
		return w.row(dst, v, t, i)
	}
	return dst, fmt.Errorf("the json format has no values of type %s", t)
}

func (w *Writer) list(dst []byte, v *vector.List, elem types.Type, i int) (_ []byte, err error) {
	dst = append(dst, '[')
	for k := range v.Count[i] {
		if k > 0 {
			dst = append(dst, ',')
		}
		if dst, err = w.value(dst, v.Child, elem, int(v.Off[i]+k)); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (w *Writer) mapping(dst []byte, v *vector.Map, t types.Type, i int) (_ []byte, err error) {
	elem := types.Of(types.Int)
	if t.Kind == types.Map {
		elem = *t.Elem
	}
	dst = append(dst, '{')
	first := true
	for k := v.Off[i]; k < v.Off[i]+v.Count[i]; k++ {
		key := ""
		if v.Keys.IsNull(int(k)) {
			switch w.o.MapNullKeyMode {
			case "DROP":
				continue
			case "LITERAL":
				key = w.o.MapNullKeyLiteral
			default:
				return dst, fmt.Errorf("a map has a NULL key: set 'map-null-key.mode' to DROP or LITERAL to write it")
			}
		} else {
			key, _ = vector.Get(v.Keys, int(k)).(string)
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendString(dst, key), ':')
		if dst, err = w.value(dst, v.Vals, elem, int(k)); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (w *Writer) row(dst []byte, v *vector.Row, t types.Type, i int) (_ []byte, err error) {
	dst = append(dst, '{')
	first := true
	for f, col := range v.Cols {
		if w.o.IgnoreNulls && col.IsNull(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(AppendString(dst, t.Fields[f].Name), ':')
		if dst, err = w.value(dst, col, t.Fields[f].Type, i); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
