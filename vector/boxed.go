package vector

import (
	"fmt"

	"github.com/runnelio/runnel/types"
)

// Get returns row i of v as a types.Value. Strings are views.
func Get(v Vector, i int) types.Value {
	if v.IsNull(i) {
		return nil
	}
	switch v := v.(type) {
	case *Flat[bool]:
		return v.Vals[i]
	case *Flat[int8]:
		return v.Vals[i]
	case *Flat[int16]:
		return v.Vals[i]
	case *Flat[int32]:
		return v.Vals[i]
	case *Flat[int64]:
		return v.Vals[i]
	case *Flat[float32]:
		return v.Vals[i]
	case *Flat[float64]:
		return v.Vals[i]
	case *Flat[types.Dec]:
		return v.Vals[i]
	case *Flat[string]:
		return v.Vals[i]
	case *Flat[types.TS]:
		return v.Vals[i]
	case *List:
		out := make([]types.Value, v.Count[i])
		for j := range out {
			out[j] = Get(v.Child, int(v.Off[i])+j)
		}
		return out
	case *Map:
		m := &types.MapValue{Keys: make([]types.Value, v.Count[i]), Vals: make([]types.Value, v.Count[i])}
		for j := range m.Keys {
			m.Keys[j] = Get(v.Keys, int(v.Off[i])+j)
			m.Vals[j] = Get(v.Vals, int(v.Off[i])+j)
		}
		return m
	case *Row:
		out := make([]types.Value, len(v.Cols))
		for f, c := range v.Cols {
			out[f] = Get(c, i)
		}
		return out
	case *Const:
		return Get(v.Of, 0)
	}
	panic(fmt.Sprintf("vector: unknown form %T", v))
}

// Append adds value, of the Go type that types.Value names for v's type, as a
// new last row; strings are cloned into v's arena. A value of another Go type
// is a defect of the caller and panics.
func Append(v Vector, value types.Value) {
	at := Extend(v, 1)
	if value == nil {
		SetNullDeep(v, at)
		return
	}
	Put(v, at, value)
}

// Put stores value in row i of v, which exists (Resize or Extend) and was not
// put before where v is nested or has strings.
func Put(v Vector, i int, value types.Value) {
	if value == nil {
		SetNullDeep(v, i)
		return
	}
	switch v := v.(type) {
	case *Flat[bool]:
		v.Vals[i] = value.(bool)
	case *Flat[int8]:
		v.Vals[i] = value.(int8)
	case *Flat[int16]:
		v.Vals[i] = value.(int16)
	case *Flat[int32]:
		v.Vals[i] = value.(int32)
	case *Flat[int64]:
		v.Vals[i] = value.(int64)
	case *Flat[float32]:
		v.Vals[i] = value.(float32)
	case *Flat[float64]:
		v.Vals[i] = value.(float64)
	case *Flat[types.Dec]:
		v.Vals[i] = value.(types.Dec)
	case *Flat[string]:
		v.Vals[i] = v.Arena.Clone(value.(string))
	case *Flat[types.TS]:
		v.Vals[i] = value.(types.TS)
	case *List:
		elems := value.([]types.Value)
		v.Off[i], v.Count[i] = int32(v.Child.Len()), int32(len(elems))
		for _, e := range elems {
			Append(v.Child, e)
		}
	case *Map:
		m := value.(*types.MapValue)
		v.Off[i], v.Count[i] = int32(v.Keys.Len()), int32(len(m.Keys))
		for j := range m.Keys {
			Append(v.Keys, m.Keys[j])
			Append(v.Vals, m.Vals[j])
		}
	case *Row:
		for f, e := range value.([]types.Value) {
			Put(v.Cols[f], i, e)
		}
	default:
		panic(fmt.Sprintf("vector: put into %T", v))
	}
}
