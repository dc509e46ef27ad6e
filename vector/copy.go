package vector

import "github.com/runnelio/runnel/types"

// Extend makes dst n rows longer and returns the index of the first new row;
// the new rows are not NULL and their values undefined (nested: empty).
// Unlike Resize it keeps what is there.
func Extend(dst Vector, n int) int {
	switch v := dst.(type) {
	case *Flat[bool]:
		return extend(v, n)
	case *Flat[int8]:
		return extend(v, n)
	case *Flat[int16]:
		return extend(v, n)
	case *Flat[int32]:
		return extend(v, n)
	case *Flat[int64]:
		return extend(v, n)
	case *Flat[float32]:
		return extend(v, n)
	case *Flat[float64]:
		return extend(v, n)
	case *Flat[types.Dec]:
		return extend(v, n)
	case *Flat[string]:
		return extend(v, n)
	case *Flat[types.TS]:
		return extend(v, n)
	case *List:
		at := v.grow(n)
		v.Off, v.Count = extendZero(v.Off, n), extendZero(v.Count, n)
		return at
	case *Map:
		at := v.grow(n)
		v.Off, v.Count = extendZero(v.Off, n), extendZero(v.Count, n)
		return at
	case *Row:
		at := v.grow(n)
		for _, c := range v.Cols {
			Extend(c, n)
		}
		return at
	case *Const:
		v.N += n
		return v.N - n
	}
	panic("vector: unknown form")
}

func extend[T Elem](v *Flat[T], n int) int {
	at := len(v.Vals)
	if cap(v.Vals)-at < n {
		grown := make([]T, at, max(2*cap(v.Vals), at+n, 16))
		copy(grown, v.Vals)
		v.Vals = grown
	}
	v.Vals = v.Vals[:at+n]
	v.Null = growBitmap(v.Null, at+n)
	return at
}

func extendZero(s []int32, n int) []int32 {
	for range n {
		s = append(s, 0)
	}
	return s
}

func (v *nested) grow(n int) int {
	at := v.n
	v.n += n
	v.Null = growBitmap(v.Null, v.n)
	return at
}

func growBitmap(b Bitmap, n int) Bitmap {
	if b == nil {
		return nil
	}
	for len(b) < Words(n) {
		b = append(b, 0)
	}
	return b
}

// CopyRow appends row i of src to dst, strings cloned into dst's arena: dst
// does not depend on src afterwards. Both have the same physical type.
func CopyRow(dst, src Vector, i int) {
	if c, ok := src.(*Const); ok {
		src, i = c.Of, 0
	}
	if src.IsNull(i) {
		at := Extend(dst, 1)
		SetNullDeep(dst, at)
		return
	}
	switch d := dst.(type) {
	case *Flat[string]:
		at := extend(d, 1)
		d.Vals[at] = d.Arena.Clone(src.(*Flat[string]).Vals[i])
	case *Flat[bool]:
		d.Vals[extend(d, 1)] = src.(*Flat[bool]).Vals[i]
	case *Flat[int8]:
		d.Vals[extend(d, 1)] = src.(*Flat[int8]).Vals[i]
	case *Flat[int16]:
		d.Vals[extend(d, 1)] = src.(*Flat[int16]).Vals[i]
	case *Flat[int32]:
		d.Vals[extend(d, 1)] = src.(*Flat[int32]).Vals[i]
	case *Flat[int64]:
		d.Vals[extend(d, 1)] = src.(*Flat[int64]).Vals[i]
	case *Flat[float32]:
		d.Vals[extend(d, 1)] = src.(*Flat[float32]).Vals[i]
	case *Flat[float64]:
		d.Vals[extend(d, 1)] = src.(*Flat[float64]).Vals[i]
	case *Flat[types.Dec]:
		d.Vals[extend(d, 1)] = src.(*Flat[types.Dec]).Vals[i]
	case *Flat[types.TS]:
		d.Vals[extend(d, 1)] = src.(*Flat[types.TS]).Vals[i]
	case *List:
		s := src.(*List)
		at := Extend(d, 1)
		d.Off[at], d.Count[at] = int32(d.Child.Len()), s.Count[i]
		for j := s.Off[i]; j < s.Off[i]+s.Count[i]; j++ {
			CopyRow(d.Child, s.Child, int(j))
		}
	case *Map:
		s := src.(*Map)
		at := Extend(d, 1)
		d.Off[at], d.Count[at] = int32(d.Keys.Len()), s.Count[i]
		for j := s.Off[i]; j < s.Off[i]+s.Count[i]; j++ {
			CopyRow(d.Keys, s.Keys, int(j))
			CopyRow(d.Vals, s.Vals, int(j))
		}
	case *Row:
		s := src.(*Row)
		d.grow(1)
		for f := range d.Cols {
			CopyRow(d.Cols[f], s.Cols[f], i)
		}
	}
}

// SetNullDeep marks row i NULL, and the fields of a row with it.
func SetNullDeep(v Vector, i int) {
	v.SetNull(i)
	if r, ok := v.(*Row); ok {
		for _, c := range r.Cols {
			SetNullDeep(c, i)
		}
	}
}

// CopyRows appends the rows of src named by sel (all if nil) to dst, as
// CopyRow does for one.
func CopyRows(dst, src Vector, sel []int32) {
	switch d := dst.(type) {
	case *Flat[int64]:
		if s, ok := src.(*Flat[int64]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[int32]:
		if s, ok := src.(*Flat[int32]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[float64]:
		if s, ok := src.(*Flat[float64]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[bool]:
		if s, ok := src.(*Flat[bool]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[types.TS]:
		if s, ok := src.(*Flat[types.TS]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[types.Dec]:
		if s, ok := src.(*Flat[types.Dec]); ok {
			copyFlat(d, s, sel)
			return
		}
	case *Flat[string]:
		if s, ok := src.(*Flat[string]); ok {
			at := d.Len()
			copyFlat(d, s, sel)
			for i := at; i < len(d.Vals); i++ {
				if d.Null.Get(i) {
					d.Vals[i] = ""
				} else {
					d.Vals[i] = d.Arena.Clone(d.Vals[i])
				}
			}
			return
		}
	}
	if sel == nil {
		for i := range src.Len() {
			CopyRow(dst, src, i)
		}
		return
	}
	for _, i := range sel {
		CopyRow(dst, src, int(i))
	}
}

func copyFlat[T Elem](d, s *Flat[T], sel []int32) {
	if sel == nil {
		at := extend(d, len(s.Vals))
		copy(d.Vals[at:], s.Vals)
		if s.Null != nil {
			for i := range s.Vals {
				if s.Null.Get(i) {
					d.SetNull(at + i)
				}
			}
		}
		return
	}
	at := extend(d, len(sel))
	out := d.Vals[at:]
	for j, i := range sel {
		out[j] = s.Vals[i]
	}
	if s.Null != nil {
		for j, i := range sel {
			if s.Null.Get(int(i)) {
				d.SetNull(at + j)
			}
		}
	}
}
