package runnel

import (
	"fmt"
	"reflect"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// writer appends values of T to batches, the other way of reader: a value is
// copied into one scratch value, whose fields are stored through pointers.
type writer[T any] struct {
	scratch *T
	storers []storer
	members []member
	schema  *types.Schema
	row     *rowWriter
}

// storer puts one place of the scratch value into row at of a column, its last one.
type storer func(v vector.Vector, at int)

// newWriter returns a writer of T. For Row the schema must be given, for other
// types it follows from them.
func newWriter[T any](schema *types.Schema) (*writer[T], error) {
	w := &writer[T]{scratch: new(T), schema: schema}
	if _, ok := any(w.scratch).(*Row); ok {
		if schema == nil {
			return nil, fmt.Errorf("rows without columns: use a struct")
		}
		w.row = &rowWriter{schema: schema}
		return w, nil
	}
	ms, err := membersOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	w.members = ms
	w.schema = types.NewSchema(fieldsOf(ms)...)
	v := reflect.ValueOf(w.scratch).Elem()
	for _, m := range ms {
		if m.kind {
			continue
		}
		at := v
		if m.index >= 0 {
			at = v.Field(m.index)
		}
		s, err := newStorer(at, m)
		if err != nil {
			return nil, err
		}
		w.storers = append(w.storers, s)
	}
	return w, nil
}

// put appends x to the columns.
func (w *writer[T]) put(x T, cols []vector.Vector) error {
	if w.row != nil {
		r := any(x).(Row)
		return w.row.put(r, cols)
	}
	*w.scratch = x
	for k, s := range w.storers {
		s(cols[k], vector.Extend(cols[k], 1))
	}
	return nil
}

func newStorer(v reflect.Value, m member) (storer, error) {
	t := m.goType
	switch t {
	case timeType:
		prec := m.typ.Prec
		return storeAs(place[time.Time](v), func(x time.Time) types.TS { return types.TSFromTime(x).Truncate(prec) }), nil
	case durationType:
		return storeAs(place[time.Duration](v), time.Duration.Milliseconds), nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return store(place[bool](v)), nil
	case reflect.Int8:
		return store(place[int8](v)), nil
	case reflect.Int16:
		return store(place[int16](v)), nil
	case reflect.Int32:
		return store(place[int32](v)), nil
	case reflect.Int64:
		return store(place[int64](v)), nil
	case reflect.Int:
		return storeAs(place[int](v), func(x int) int64 { return int64(x) }), nil
	case reflect.Float32:
		return store(place[float32](v)), nil
	case reflect.Float64:
		return store(place[float64](v)), nil
	case reflect.String:
		return store(place[string](v)), nil
	case reflect.Pointer:
		return newPointerStorer(v, t)
	case reflect.Map:
		return storeMap(place[map[string]string](v)), nil
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.Uint8:
			p := place[[]byte](v)
			return func(v vector.Vector, at int) {
				f := v.(*vector.Flat[string])
				f.Vals[at] = f.Arena.Take(append(f.Arena.Grow(len(*p)), *p...))
			}, nil
		case reflect.Bool:
			return storeList(place[[]bool](v)), nil
		case reflect.Int32:
			return storeList(place[[]int32](v)), nil
		case reflect.Int64:
			return storeList(place[[]int64](v)), nil
		case reflect.Float64:
			return storeList(place[[]float64](v)), nil
		case reflect.String:
			return storeList(place[[]string](v)), nil
		}
	case reflect.Struct:
		var subs []storer
		for _, s := range m.sub {
			if s.kind {
				continue
			}
			st, err := newStorer(v.Field(s.index), s)
			if err != nil {
				return nil, err
			}
			subs = append(subs, st)
		}
		return func(v vector.Vector, at int) {
			for k, s := range subs {
				s(v.(*vector.Row).Cols[k], at)
			}
		}, nil
	}
	return nil, fmt.Errorf("%s cannot be a column", t)
}

func newPointerStorer(v reflect.Value, t reflect.Type) (storer, error) {
	switch p := v.Addr().Interface().(type) {
	case **bool:
		return storePointer(p), nil
	case **int8:
		return storePointer(p), nil
	case **int16:
		return storePointer(p), nil
	case **int32:
		return storePointer(p), nil
	case **int64:
		return storePointer(p), nil
	case **float32:
		return storePointer(p), nil
	case **float64:
		return storePointer(p), nil
	case **string:
		return storePointer(p), nil
	case **int:
		return storePointerAs(p, func(x int) int64 { return int64(x) }), nil
	case **time.Time:
		return storePointerAs(p, types.TSFromTime), nil
	case **time.Duration:
		return storePointerAs(p, time.Duration.Milliseconds), nil
	}
	return nil, fmt.Errorf("%s cannot be a column", t)
}

// The vectors point to the texts of values: they live until the batch is filled anew.

func store[E vector.Elem](p *E) storer {
	return func(v vector.Vector, at int) {
		v.(*vector.Flat[E]).Vals[at] = *p
	}
}

func storeAs[G any, E vector.Elem](p *G, conv func(G) E) storer {
	return func(v vector.Vector, at int) {
		v.(*vector.Flat[E]).Vals[at] = conv(*p)
	}
}

func storePointer[E vector.Elem](p **E) storer {
	return storePointerAs(p, func(x E) E { return x })
}

func storePointerAs[G any, E vector.Elem](p **G, conv func(G) E) storer {
	return func(v vector.Vector, at int) {
		if *p == nil {
			v.SetNull(at)
			return
		}
		v.(*vector.Flat[E]).Vals[at] = conv(**p)
	}
}

// storeList stores a nil slice as an empty array: the column is NOT NULL.
func storeList[E vector.Elem](p *[]E) storer {
	return func(v vector.Vector, at int) {
		l := v.(*vector.List)
		off := vector.Extend(l.Child, len(*p))
		copy(l.Child.(*vector.Flat[E]).Vals[off:], *p)
		l.Off[at], l.Count[at] = int32(off), int32(len(*p))
	}
}

func storeMap(p *map[string]string) storer {
	return func(v vector.Vector, at int) {
		m := v.(*vector.Map)
		off := vector.Extend(m.Keys, len(*p))
		vector.Extend(m.Vals, len(*p))
		keys, vals := m.Keys.(*vector.Flat[string]).Vals[off:], m.Vals.(*vector.Flat[string]).Vals[off:]
		i := 0
		for k, x := range *p {
			keys[i], vals[i] = k, x
			i++
		}
		m.Off[at], m.Count[at] = int32(off), int32(len(*p))
	}
}
