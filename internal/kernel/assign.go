package kernel

import (
	"fmt"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Assign stores the rows of src named by sel (all if nil) at the same numbers
// in dst, of the same physical type and as long: values, NULLs, nested ones
// too. src is flat or Const. Strings are shared with src, but those within
// arrays and maps are copied. A row of dst that was NULL stays NULL, and an
// array or map may be assigned once only after Resize.
func Assign(dst, src vector.Vector, sel []int32) {
	switch d := dst.(type) {
	case *vector.Flat[bool]:
		assignFlat(d, src, sel)
	case *vector.Flat[int8]:
		assignFlat(d, src, sel)
	case *vector.Flat[int16]:
		assignFlat(d, src, sel)
	case *vector.Flat[int32]:
		assignFlat(d, src, sel)
	case *vector.Flat[int64]:
		assignFlat(d, src, sel)
	case *vector.Flat[float32]:
		assignFlat(d, src, sel)
	case *vector.Flat[float64]:
		assignFlat(d, src, sel)
	case *vector.Flat[types.Dec]:
		assignFlat(d, src, sel)
	case *vector.Flat[string]:
		assignFlat(d, src, sel)
	case *vector.Flat[types.TS]:
		assignFlat(d, src, sel)
	default:
		each(dst.Len(), sel, func(i int) { assignRow(dst, src, i, i) })
	}
}

func assignFlat[T vector.Elem](dst *vector.Flat[T], src vector.Vector, sel []int32) {
	if c, ok := src.(*vector.Const); ok {
		of := c.Of.(*vector.Flat[T])
		if of.IsNull(0) {
			setNull(dst, sel)
			return
		}
		setConst(dst.Vals, of.Vals[0], sel)
		return
	}
	s := src.(*vector.Flat[T])
	if sel == nil {
		copy(dst.Vals, s.Vals)
	} else {
		for _, i := range sel {
			dst.Vals[i] = s.Vals[i]
		}
	}
	if s.Null == nil {
		return
	}
	if sel == nil {
		OrNulls(dst, s.Null)
		return
	}
	for _, i := range sel {
		if s.Null.Get(int(i)) {
			dst.SetNull(int(i))
		}
	}
}

func setNull[T vector.Elem](dst *vector.Flat[T], sel []int32) {
	if sel == nil {
		AllNull(dst)
		return
	}
	nulls := dst.MutableNulls()
	for _, i := range sel {
		nulls.Set(int(i))
	}
}

func setConst[T any](dst []T, c T, sel []int32) {
	if sel == nil {
		for i := range dst {
			dst[i] = c
		}
		return
	}
	for _, i := range sel {
		dst[i] = c
	}
}

// assignRow is Assign for one nested value, row j of src.
func assignRow(dst, src vector.Vector, i, j int) {
	if c, ok := src.(*vector.Const); ok {
		src, j = c.Of, 0
	}
	if src.IsNull(j) {
		vector.SetNullDeep(dst, i)
		return
	}
	switch d := dst.(type) {
	case *vector.List:
		s := src.(*vector.List)
		d.Off[i], d.Count[i] = int32(d.Child.Len()), s.Count[j]
		for k := s.Off[j]; k < s.Off[j]+s.Count[j]; k++ {
			vector.CopyRow(d.Child, s.Child, int(k))
		}
	case *vector.Map:
		s := src.(*vector.Map)
		d.Off[i], d.Count[i] = int32(d.Keys.Len()), s.Count[j]
		for k := s.Off[j]; k < s.Off[j]+s.Count[j]; k++ {
			vector.CopyRow(d.Keys, s.Keys, int(k))
			vector.CopyRow(d.Vals, s.Vals, int(k))
		}
	case *vector.Row:
		s := src.(*vector.Row)
		for f := range d.Cols {
			assignRow(d.Cols[f], s.Cols[f], i, j)
		}
	default:
		assignScalar(dst, src, i, j)
	}
}

func assignScalar(dst, src vector.Vector, i, j int) {
	switch d := dst.(type) {
	case *vector.Flat[bool]:
		d.Vals[i] = src.(*vector.Flat[bool]).Vals[j]
	case *vector.Flat[int8]:
		d.Vals[i] = src.(*vector.Flat[int8]).Vals[j]
	case *vector.Flat[int16]:
		d.Vals[i] = src.(*vector.Flat[int16]).Vals[j]
	case *vector.Flat[int32]:
		d.Vals[i] = src.(*vector.Flat[int32]).Vals[j]
	case *vector.Flat[int64]:
		d.Vals[i] = src.(*vector.Flat[int64]).Vals[j]
	case *vector.Flat[float32]:
		d.Vals[i] = src.(*vector.Flat[float32]).Vals[j]
	case *vector.Flat[float64]:
		d.Vals[i] = src.(*vector.Flat[float64]).Vals[j]
	case *vector.Flat[types.Dec]:
		d.Vals[i] = src.(*vector.Flat[types.Dec]).Vals[j]
	case *vector.Flat[string]:
		d.Vals[i] = src.(*vector.Flat[string]).Vals[j]
	case *vector.Flat[types.TS]:
		d.Vals[i] = src.(*vector.Flat[types.TS]).Vals[j]
	default:
		panic(fmt.Sprintf("kernel: assign to %T", dst))
	}
}
