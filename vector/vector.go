package vector

import "github.com/runnelio/runnel/types"

// Vector is a column of values of one type. Everything but its builder treats
// it as read-only.
type Vector interface {
	// Type is the SQL type; types.Type.Phys says which Go type implements it.
	Type() types.Type
	// Len is the number of physical rows.
	Len() int
	// IsNull tells whether row i is NULL. Not for hot loops: use Nulls.
	IsNull(i int) bool
	// Nulls is the bitmap of NULL rows, nil if there are none. For a Const it
	// is nil; ask IsNull(0).
	Nulls() Bitmap
	// Resize makes the vector n rows long, none NULL, values undefined,
	// reusing memory: the way an owner starts to fill it again.
	Resize(n int)
	// SetNull marks row i NULL, making the bitmap if there is none.
	SetNull(i int)
}

// Elem lists the Go types of flat vectors, see types.Phys.
type Elem interface {
	bool | int8 | int16 | int32 | int64 | float32 | float64 | types.Dec | string | types.TS
}

// Flat holds one Go value a row. The value of a NULL row is undefined but
// safe to read.
type Flat[T Elem] struct {
	Typ  types.Type
	Vals []T
	Null Bitmap
	// Arena owns the bytes of strings this vector's filler makes itself.
	// Strings may as well point to other memory that lives as long.
	Arena Arena
	nulls Bitmap // spare memory of Null
}

// Type implements Vector.
func (v *Flat[T]) Type() types.Type { return v.Typ }

// Len implements Vector.
func (v *Flat[T]) Len() int { return len(v.Vals) }

// IsNull implements Vector.
func (v *Flat[T]) IsNull(i int) bool { return v.Null.Get(i) }

// Nulls implements Vector.
func (v *Flat[T]) Nulls() Bitmap { return v.Null }

// Resize implements Vector. Strings of the arena are forgotten.
func (v *Flat[T]) Resize(n int) {
	if cap(v.Vals) < n {
		v.Vals = make([]T, n)
	}
	v.Vals = v.Vals[:n]
	if v.Null != nil {
		v.nulls = v.Null
	}
	v.Null = nil
	v.Arena.Reset()
}

// SetNull implements Vector.
func (v *Flat[T]) SetNull(i int) {
	if v.Null == nil {
		v.nulls = resizeBitmap(v.nulls, len(v.Vals))
		v.Null = v.nulls
	}
	v.Null.Set(i)
}

// MutableNulls returns the bitmap for writing, made if there is none.
func (v *Flat[T]) MutableNulls() Bitmap {
	if v.Null == nil {
		v.nulls = resizeBitmap(v.nulls, len(v.Vals))
		v.Null = v.nulls
	}
	return v.Null
}

// nested is what List, Map and Row share.
type nested struct {
	Typ   types.Type
	Null  Bitmap
	nulls Bitmap
	n     int
}

func (v *nested) Type() types.Type  { return v.Typ }
func (v *nested) Len() int          { return v.n }
func (v *nested) IsNull(i int) bool { return v.Null.Get(i) }
func (v *nested) Nulls() Bitmap     { return v.Null }
func (v *nested) resize(n int) {
	v.n = n
	if v.Null != nil {
		v.nulls = v.Null
	}
	v.Null = nil
}

// SetNull implements Vector.
func (v *nested) SetNull(i int) {
	if v.Null == nil {
		v.nulls = resizeBitmap(v.nulls, v.n)
		v.Null = v.nulls
	}
	v.Null.Set(i)
}

// List holds arrays: row i is Child rows [Off[i], Off[i]+Count[i]).
type List struct {
	nested
	Off, Count []int32
	Child      Vector
}

// Resize implements Vector; the child becomes empty.
func (v *List) Resize(n int) {
	v.resize(n)
	v.Off, v.Count = resize(v.Off, n), resize(v.Count, n)
	v.Child.Resize(0)
}

// Map holds maps and multisets: row i is entries [Off[i], Off[i]+Count[i]) of
// Keys and Vals; a multiset's Vals are INT counts.
type Map struct {
	nested
	Off, Count []int32
	Keys, Vals Vector
}

// Resize implements Vector; keys and values become empty.
func (v *Map) Resize(n int) {
	v.resize(n)
	v.Off, v.Count = resize(v.Off, n), resize(v.Count, n)
	v.Keys.Resize(0)
	v.Vals.Resize(0)
}

// Row holds rows: field f of row i is Cols[f] at i. Where the row is NULL its
// fields are NULL too, so that field access needs only the field's vector.
type Row struct {
	nested
	Cols []Vector
}

// Resize implements Vector.
func (v *Row) Resize(n int) {
	v.resize(n)
	for _, c := range v.Cols {
		c.Resize(n)
	}
}

// Const is N rows of one value, held in row 0 of Of.
type Const struct {
	Of Vector
	N  int
}

// Type implements Vector.
func (v *Const) Type() types.Type { return v.Of.Type() }

// Len implements Vector.
func (v *Const) Len() int { return v.N }

// IsNull implements Vector.
func (v *Const) IsNull(int) bool { return v.Of.IsNull(0) }

// Nulls implements Vector: a Const has no bitmap of its own.
func (v *Const) Nulls() Bitmap { return nil }

// Resize implements Vector; the value stays.
func (v *Const) Resize(n int) { v.N = n }

// SetNull implements Vector: a constant is NULL as a whole.
func (v *Const) SetNull(int) { v.Of.SetNull(0) }

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// New returns an empty flat vector of type t with room for n rows.
func New(t types.Type, n int) Vector {
	switch t.Phys() {
	case types.PhysBool:
		return newFlat[bool](t, n)
	case types.PhysI8:
		return newFlat[int8](t, n)
	case types.PhysI16:
		return newFlat[int16](t, n)
	case types.PhysI32:
		return newFlat[int32](t, n)
	case types.PhysI64:
		return newFlat[int64](t, n)
	case types.PhysF32:
		return newFlat[float32](t, n)
	case types.PhysF64:
		return newFlat[float64](t, n)
	case types.PhysDec:
		return newFlat[types.Dec](t, n)
	case types.PhysStr:
		return newFlat[string](t, n)
	case types.PhysTs:
		return newFlat[types.TS](t, n)
	case types.PhysList:
		return &List{nested: nested{Typ: t}, Child: New(*t.Elem, 0)}
	case types.PhysMap:
		key, val := t.Key, t.Elem
		if t.Kind == types.Multiset {
			count := types.Of(types.Int).NotNull()
			key, val = t.Elem, &count
		}
		return &Map{nested: nested{Typ: t}, Keys: New(*key, 0), Vals: New(*val, 0)}
	case types.PhysRow:
		r := &Row{nested: nested{Typ: t}, Cols: make([]Vector, len(t.Fields))}
		for i, f := range t.Fields {
			r.Cols[i] = New(f.Type, n)
		}
		return r
	}
	return newFlat[bool](t, n) // PhysNone does not occur: every kind has a physical one
}

func newFlat[T Elem](t types.Type, n int) *Flat[T] {
	return &Flat[T]{Typ: t, Vals: make([]T, 0, n)}
}

// NewConst returns n rows of value, whose Go type follows types.Value.
func NewConst(t types.Type, value types.Value, n int) *Const {
	of := New(t, 1)
	Append(of, value)
	return &Const{Of: of, N: n}
}

// Retype returns v seen as type t, which must have the same physical kind:
// a cast that moves no bytes. The result shares v's memory.
func Retype(v Vector, t types.Type) Vector {
	switch v := v.(type) {
	case *Flat[bool]:
		return retype(v, t)
	case *Flat[int8]:
		return retype(v, t)
	case *Flat[int16]:
		return retype(v, t)
	case *Flat[int32]:
		return retype(v, t)
	case *Flat[int64]:
		return retype(v, t)
	case *Flat[float32]:
		return retype(v, t)
	case *Flat[float64]:
		return retype(v, t)
	case *Flat[types.Dec]:
		return retype(v, t)
	case *Flat[string]:
		return retype(v, t)
	case *Flat[types.TS]:
		return retype(v, t)
	case *List:
		c := *v
		c.Typ = t
		return &c
	case *Map:
		c := *v
		c.Typ = t
		return &c
	case *Row:
		c := *v
		c.Typ = t
		return &c
	case *Const:
		return &Const{Of: Retype(v.Of, t), N: v.N}
	}
	return v
}

func retype[T Elem](v *Flat[T], t types.Type) Vector {
	return &Flat[T]{Typ: t, Vals: v.Vals, Null: v.Null}
}

// Values returns the values of v, one a row.
func (v *Flat[T]) Values() []T { return v.Vals }
