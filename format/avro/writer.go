package avro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// write appends the value in row i of v.
type write func(dst []byte, v vector.Vector, i int) ([]byte, error)

// notNull is w for values that may not be NULL.
func notNull(w write) write {
	return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
		if c, ok := v.(*vector.Const); ok {
			v, i = c.Of, 0
		}
		if v.IsNull(i) {
			return dst, errNull
		}
		return w(dst, v, i)
	}
}

// compile makes the write of values of type t into a schema that was given.
func compile(w *schema, t types.Type, depth int) (write, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	no := fmt.Errorf("%s cannot be written as an Avro %s", t.OrNull(), w.described())
	switch w.kind {
	case null:
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			if !v.IsNull(i) {
				return dst, no
			}
			return dst, nil
		}, nil
	case union:
		return compileUnion(w, t, depth)
	case record:
		if t.Kind != types.Row {
			return nil, no
		}
		fields, err := compileFields(w, t.Fields, depth)
		if err != nil {
			return nil, err
		}
		return notNull(func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			return fields(dst, v.(*vector.Row).Cols, i)
		}), nil
	case array:
		if t.Kind != types.Array {
			return nil, no
		}
		elem, err := compile(w.elem, *t.Elem, depth+1)
		if err != nil {
			return nil, err
		}
		return notNull(func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			l := v.(*vector.List)
			return blockOf(dst, int(l.Off[i]), int(l.Count[i]), func(dst []byte, j int) ([]byte, error) { return elem(dst, l.Child, j) })
		}), nil
	case maps:
		key, val := t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = t.Key, *t.Elem
		}
		if t.Kind != types.Map && t.Kind != types.Multiset || !key.IsChar() {
			return nil, no
		}
		elem, err := compile(w.elem, val, depth+1)
		if err != nil {
			return nil, err
		}
		return notNull(func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			m := v.(*vector.Map)
			keys, ok := m.Keys.(*vector.Flat[string])
			return blockOf(dst, int(m.Off[i]), int(m.Count[i]), func(dst []byte, j int) ([]byte, error) {
				if !ok || keys.IsNull(j) {
					return dst, errors.New("a key of a map is NULL")
				}
				dst = append(appendLong(dst, int64(len(keys.Vals[j]))), keys.Vals[j]...)
				return elem(dst, m.Vals, j)
			})
		}), nil
	}
	put := compileScalar(w, t)
	if put == nil {
		return nil, no
	}
	return notNull(put), nil
}

// blockOf appends the items from off on as a block.
func blockOf(dst []byte, off, count int, item func(dst []byte, j int) ([]byte, error)) ([]byte, error) {
	if count > 0 {
		dst = appendLong(dst, int64(count))
	}
	var err error
	for j := off; j < off+count; j++ {
		if dst, err = item(dst, j); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

// compileUnion writes NULL as the branch null, and other values as the first
// branch that takes them.
func compileUnion(w *schema, t types.Type, depth int) (write, error) {
	nulls, branch := -1, -1
	var put write
	var why error
	for i, s := range w.of {
		if s.kind == null {
			nulls = i
			continue
		}
		if put != nil {
			continue
		}
		x, err := compile(s, t, depth+1)
		if err != nil {
			if why == nil {
				why = err
			}
			continue
		}
		put, branch = x, i
	}
	if put == nil {
		if why == nil {
			why = fmt.Errorf("%s cannot be written as an Avro null", t.OrNull())
		}
		return nil, why
	}
	return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
		if v.IsNull(i) {
			if nulls < 0 {
				return dst, errNull
			}
			return appendLong(dst, int64(nulls)), nil
		}
		return put(appendLong(dst, int64(branch)), v, i)
	}, nil
}

// compileFields writes the fields of a record out of columns by name. A field
// without a column must be able to be null.
func compileFields(w *schema, columns []types.Field, depth int) (func(dst []byte, cols []vector.Vector, i int) ([]byte, error), error) {
	type step struct {
		name   string
		column int
		put    write
		null   int64 // the branch to write where there is no column
	}
	var steps []step
	used := make([]bool, len(columns))
	for _, f := range w.fields {
		s := step{name: f.name, column: -1}
		for c, x := range columns {
			if x.Name == f.name {
				var err error
				if s.put, err = compile(f.of, x.Type, depth+1); err != nil {
					return nil, fmt.Errorf("column %s: %w", x.Name, err)
				}
				s.column, used[c] = c, true
			}
		}
		if s.column < 0 {
			at := -1
			if f.of.kind == union {
				for i, b := range f.of.of {
					if b.kind == null {
						at = i
					}
				}
			}
			if at < 0 && f.of.kind != null {
				return nil, fmt.Errorf("field %s of the schema has no column, and cannot be null", f.name)
			}
			if s.null = int64(at); f.of.kind == null {
				continue
			}
		}
		steps = append(steps, s)
	}
	for c, x := range columns {
		if !used[c] {
			return nil, fmt.Errorf("column %s: the schema has no such field", x.Name)
		}
	}
	return func(dst []byte, cols []vector.Vector, i int) ([]byte, error) {
		var err error
		for k := range steps {
			s := &steps[k]
			if s.column < 0 {
				dst = appendLong(dst, s.null)
				continue
			}
			if dst, err = s.put(dst, cols[s.column], i); err != nil {
				return dst, fmt.Errorf("%s: %w", s.name, err)
			}
		}
		return dst, nil
	}, nil
}

// compileScalar returns nil if the types do not go together.
func compileScalar(w *schema, t types.Type) write {
	switch {
	case w.kind == boolean && t.Kind == types.Boolean, w.kind == float && t.Kind == types.Float, w.kind == double && t.Kind == types.Double,
		w.kind == text && t.IsChar(), w.kind == bytes && w.logical == "" && t.IsBinary():
		return plain(t)
	case w.kind == double && t.Kind == types.Float:
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v.(*vector.Flat[float32]).Vals[i]))), nil
		}
	case w.kind == int64s && t.IsTimestamp():
		prec := 0
		switch w.logical {
		case "timestamp-millis", "local-timestamp-millis":
			prec = 3
		case "timestamp-micros", "local-timestamp-micros":
			prec = 6
		case "timestamp-nanos", "local-timestamp-nanos":
			prec = 9
		default:
			return nil
		}
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			return appendTimestamp(dst, v.(*vector.Flat[types.TS]).Vals[i], prec)
		}
	case w.kind == int64s && w.logical == "time-micros" && t.Kind == types.Time:
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			return appendLong(dst, 1000*int64(v.(*vector.Flat[int32]).Vals[i])), nil
		}
	case w.kind == int32s && (t.Kind == types.TinyInt || t.Kind == types.SmallInt || t.Kind == types.Int || t.Kind == types.Date || t.Kind == types.Time), w.kind == int64s && t.IsInteger():
		return plain(t)
	case w.kind == enum && t.IsChar():
		at := map[string]int64{}
		for i, s := range w.symbols {
			at[s] = int64(i)
		}
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			n, ok := at[v.(*vector.Flat[string]).Vals[i]]
			if !ok {
				return dst, fmt.Errorf("enum %s has no symbol %q", w.name, v.(*vector.Flat[string]).Vals[i])
			}
			return appendLong(dst, n), nil
		}
	case w.kind == fixed && w.logical == "" && t.IsBinary():
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			s := v.(*vector.Flat[string]).Vals[i]
			if len(s) != w.size {
				return dst, fmt.Errorf("fixed %s has %d bytes, not %d", w.name, w.size, len(s))
			}
			return append(dst, s...), nil
		}
	case w.logical == "decimal" && t.Kind == types.Decimal:
		return func(dst []byte, v vector.Vector, i int) ([]byte, error) {
			return appendDecimal(dst, w, v.(*vector.Flat[types.Dec]).Vals[i], t.Scale)
		}
	}
	return nil
}

// plain writes a value as its own type does.
func plain(t types.Type) write {
	t = t.NotNull()
	return func(dst []byte, v vector.Vector, i int) ([]byte, error) { return appendValue(dst, v, t, i) }
}

func appendDecimal(dst []byte, w *schema, d types.Dec, scale int) ([]byte, error) {
	x, ok := d.Rescale(scale, w.scale)
	if back, same := x.Rescale(w.scale, scale); !ok || !same || back != d || !x.FitsPrecision(min(w.prec, types.MaxDecimalPrecision)) {
		return dst, fmt.Errorf("the number does not fit a decimal of %d digits, %d behind the point", w.prec, w.scale)
	}
	var raw [16]byte
	b := twosComplement(&raw, x)
	if w.kind == bytes {
		return append(appendLong(dst, int64(len(b))), b...), nil
	}
	if len(b) > w.size {
		return dst, fmt.Errorf("the number does not fit the %d bytes of fixed %s", w.size, w.name)
	}
	sign := byte(0)
	if x.Sign() < 0 {
		sign = 0xFF
	}
	for range w.size - len(b) {
		dst = append(dst, sign)
	}
	return append(dst, b...), nil
}

// described names the schema for messages.
func (s *schema) described() string {
	if s.logical != "" {
		return s.kind.String() + " (" + s.logical + ")"
	}
	return s.kind.String()
}
