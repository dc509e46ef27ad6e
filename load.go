package runnel

import (
	"fmt"
	"reflect"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// reader makes values of T of the rows of batches. The way from columns to
// fields is found once: each field has a loader that writes through a pointer
// into one scratch value, which is then copied; no row is reflected on.
//
// Texts are copied once a batch, into memory of their own, so that a value may
// be kept; it keeps the texts of its batch alive.
type reader[T any] struct {
	scratch *T
	loaders []loader
	from    []int // column of each loader
	kind    *Kind // where the row's kind goes, nil if T has no such field
	row     *rowReader
	kinds   *vector.Batch
}

// loader fills one place of the scratch value.
type loader interface {
	// bind looks at a column; rows are those that will be asked for, nil for all.
	bind(v vector.Vector, rows []int32)
	load(i int)
}

// newReader returns a reader of batches of schema in, whose columns fit T's
// (see fit).
func newReader[T any](in *types.Schema) (*reader[T], error) {
	r := &reader[T]{scratch: new(T)}
	if p, ok := any(r.scratch).(*Row); ok {
		r.row = &rowReader{to: p, schema: in}
		return r, nil
	}
	ms, err := membersOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		at := reflect.ValueOf(r.scratch).Elem()
		if m.index >= 0 {
			at = at.Field(m.index)
		}
		if m.kind {
			r.kind = at.Addr().Interface().(*Kind)
			continue
		}
		c := columnOf(in, m.name)
		if m.index < 0 && len(in.Fields) == 1 {
			c = 0
		}
		if c < 0 {
			return nil, fmt.Errorf("no column %s for %s", m.name, reflect.TypeFor[T]())
		}
		l, err := newLoader(at, m)
		if err != nil {
			return nil, err
		}
		r.loaders, r.from = append(r.loaders, l), append(r.from, c)
	}
	return r, nil
}

// bind turns to a batch.
func (r *reader[T]) bind(b *vector.Batch) {
	r.kinds = b
	if r.row != nil {
		r.row.bind(b)
		return
	}
	for k, l := range r.loaders {
		l.bind(b.Cols[r.from[k]], b.Sel)
	}
}

// release says that the batch is gone: what Row tells of its origin is known no more.
func (r *reader[T]) release() {
	if r.row != nil {
		r.row.release()
	}
}

// bindColumns turns to columns in the order of T's fields, as the arguments of
// a function.
func (r *reader[T]) bindColumns(cols []vector.Vector, rows []int32) {
	for k, l := range r.loaders {
		l.bind(cols[k], rows)
	}
}

// at returns the value of physical row i, which must be live.
func (r *reader[T]) at(i int) T {
	if r.row != nil {
		r.row.load(i)
		return *r.scratch
	}
	for _, l := range r.loaders {
		l.load(i)
	}
	if r.kind != nil {
		*r.kind = r.kinds.Kind(i)
	}
	return *r.scratch
}

// place returns a pointer to v as one to its underlying type E.
func place[E any](v reflect.Value) *E {
	return v.Addr().Convert(reflect.TypeFor[*E]()).Interface().(*E)
}

// newLoader returns the loader of a member at v.
func newLoader(v reflect.Value, m member) (loader, error) {
	t := m.goType
	switch t {
	case timeType:
		return &converter[types.TS, time.Time]{to: place[time.Time](v), conv: types.TS.Time}, nil
	case durationType:
		return &converter[int64, time.Duration]{to: place[time.Duration](v), conv: fromMillis}, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return &direct[bool]{to: place[bool](v)}, nil
	case reflect.Int8:
		return &direct[int8]{to: place[int8](v)}, nil
	case reflect.Int16:
		return &direct[int16]{to: place[int16](v)}, nil
	case reflect.Int32:
		return &direct[int32]{to: place[int32](v)}, nil
	case reflect.Int64:
		return &direct[int64]{to: place[int64](v)}, nil
	case reflect.Int:
		return &converter[int64, int]{to: place[int](v), conv: func(x int64) int { return int(x) }}, nil
	case reflect.Float32:
		return &direct[float32]{to: place[float32](v)}, nil
	case reflect.Float64:
		return &direct[float64]{to: place[float64](v)}, nil
	case reflect.String:
		return &text{to: place[string](v)}, nil
	case reflect.Pointer:
		return newPointer(v, t)
	case reflect.Map:
		return &textMap{to: place[map[string]string](v)}, nil
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.Uint8:
			return &binaryText{to: place[[]byte](v)}, nil
		case reflect.Bool:
			return &list[bool]{to: place[[]bool](v)}, nil
		case reflect.Int32:
			return &list[int32]{to: place[[]int32](v)}, nil
		case reflect.Int64:
			return &list[int64]{to: place[[]int64](v)}, nil
		case reflect.Float64:
			return &list[float64]{to: place[[]float64](v)}, nil
		case reflect.String:
			return &textList{to: place[[]string](v)}, nil
		}
	case reflect.Struct:
		n := &nestedStruct{}
		for _, s := range m.sub {
			if s.kind {
				continue
			}
			l, err := newLoader(v.Field(s.index), s)
			if err != nil {
				return nil, err
			}
			n.loaders = append(n.loaders, l)
		}
		return n, nil
	}
	return nil, fmt.Errorf("%s cannot be a column", t)
}

func newPointer(v reflect.Value, t reflect.Type) (loader, error) {
	p := v.Addr().Interface()
	switch to := p.(type) {
	case **bool:
		return pointerTo(to), nil
	case **int8:
		return pointerTo(to), nil
	case **int16:
		return pointerTo(to), nil
	case **int32:
		return pointerTo(to), nil
	case **int64:
		return pointerTo(to), nil
	case **float32:
		return pointerTo(to), nil
	case **float64:
		return pointerTo(to), nil
	case **int:
		return &pointer[int64, int]{to: to, conv: func(x int64) int { return int(x) }}, nil
	case **time.Time:
		return &pointer[types.TS, time.Time]{to: to, conv: types.TS.Time}, nil
	case **time.Duration:
		return &pointer[int64, time.Duration]{to: to, conv: fromMillis}, nil
	case **string:
		return &textPointer{to: to}, nil
	}
	return nil, fmt.Errorf("%s cannot be a column", t)
}

func fromMillis(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// flat is a column of E, constant or not.
type flat[E vector.Elem] struct {
	vals []E
	mask int
	null vector.Bitmap
	none bool // constant NULL
}

func (f *flat[E]) bind(v vector.Vector, _ []int32) {
	f.mask, f.none = -1, false
	if c, ok := v.(*vector.Const); ok {
		f.none = c.IsNull(0)
		f.mask, v = 0, c.Of
	}
	x := v.(*vector.Flat[E])
	f.vals, f.null = x.Vals, x.Null
}

func (f *flat[E]) isNull(i int) bool { return f.none || f.null.Get(i&f.mask) }

type direct[E vector.Elem] struct {
	flat[E]
	to *E
}

func (d *direct[E]) load(i int) {
	if d.isNull(i) {
		var zero E
		*d.to = zero
		return
	}
	*d.to = d.vals[i&d.mask]
}

type converter[E vector.Elem, G any] struct {
	flat[E]
	to   *G
	conv func(E) G
}

func (c *converter[E, G]) load(i int) {
	if c.isNull(i) {
		var zero G
		*c.to = zero
		return
	}
	*c.to = c.conv(c.vals[i&c.mask])
}

type pointer[E vector.Elem, G any] struct {
	flat[E]
	to   **G
	conv func(E) G
}

func pointerTo[E vector.Elem](to **E) loader {
	return &pointer[E, E]{to: to, conv: func(x E) E { return x }}
}

func (p *pointer[E, G]) load(i int) {
	if p.isNull(i) {
		*p.to = nil
		return
	}
	x := p.conv(p.vals[i&p.mask])
	*p.to = &x
}

// texts is a column of texts, copied.
type texts struct {
	flat[string]
	buf []byte
}

func (t *texts) bind(v vector.Vector, rows []int32) {
	t.flat.bind(v, rows)
	t.vals = ownTexts(t.vals, t.mask, rows, &t.buf)
}

// ownTexts copies texts into one new piece of memory: those of rows, or all.
// buf is scratch memory.
func ownTexts(vals []string, mask int, rows []int32, buf *[]byte) []string {
	b := (*buf)[:0]
	own := make([]string, len(vals))
	if mask == 0 {
		rows = nil
	}
	each(rows, len(vals), func(i int) { b = append(b, vals[i]...) })
	*buf = b
	all, at := string(b), 0
	each(rows, len(vals), func(i int) {
		own[i] = all[at : at+len(vals[i])]
		at += len(vals[i])
	})
	return own
}

func each(rows []int32, n int, f func(i int)) {
	if rows == nil {
		for i := range n {
			f(i)
		}
		return
	}
	for _, i := range rows {
		f(int(i))
	}
}

type text struct {
	texts
	to *string
}

func (t *text) load(i int) {
	if t.isNull(i) {
		*t.to = ""
		return
	}
	*t.to = t.vals[i&t.mask]
}

type textPointer struct {
	texts
	to **string
}

func (t *textPointer) load(i int) {
	if t.isNull(i) {
		*t.to = nil
		return
	}
	*t.to = &t.vals[i&t.mask]
}

type binaryText struct {
	flat[string]
	to  *[]byte
	own []byte
}

func (t *binaryText) bind(v vector.Vector, rows []int32) {
	t.flat.bind(v, rows)
	n := 0
	for _, s := range t.vals {
		n += len(s)
	}
	t.own = make([]byte, 0, n)
}

func (t *binaryText) load(i int) {
	if t.isNull(i) {
		*t.to = nil
		return
	}
	at := len(t.own)
	t.own = append(t.own, t.vals[i&t.mask]...)
	*t.to = t.own[at:len(t.own):len(t.own)]
}

// listOf is a column of lists.
type listOf struct {
	of   *vector.List
	mask int
}

func (l *listOf) bind(v vector.Vector, _ []int32) {
	l.mask = -1
	if c, ok := v.(*vector.Const); ok {
		l.mask, v = 0, c.Of
	}
	l.of = v.(*vector.List)
}

type list[E vector.Elem] struct {
	listOf
	to *[]E
}

func (l *list[E]) load(i int) {
	if i &= l.mask; l.of.IsNull(i) {
		*l.to = nil
		return
	}
	off, n := l.of.Off[i], l.of.Count[i]
	child := l.of.Child.(*vector.Flat[E])
	out := make([]E, n)
	for k := range out {
		if at := int(off) + k; !child.IsNull(at) {
			out[k] = child.Vals[at]
		}
	}
	*l.to = out
}

type textList struct {
	listOf
	to *[]string
}

func (l *textList) load(i int) {
	if i &= l.mask; l.of.IsNull(i) {
		*l.to = nil
		return
	}
	off, n := l.of.Off[i], l.of.Count[i]
	*l.to = textsOf(l.of.Child, int(off), int(n))
}

// textsOf copies n texts of v; NULL becomes the empty text.
func textsOf(v vector.Vector, off, n int) []string {
	f := v.(*vector.Flat[string])
	var buf []byte
	out := ownTexts(f.Vals[off:off+n], -1, nil, &buf)
	for k := range out {
		if f.IsNull(off + k) {
			out[k] = ""
		}
	}
	return out
}

type textMap struct {
	of   *vector.Map
	mask int
	to   *map[string]string
}

func (m *textMap) bind(v vector.Vector, _ []int32) {
	m.mask = -1
	if c, ok := v.(*vector.Const); ok {
		m.mask, v = 0, c.Of
	}
	m.of = v.(*vector.Map)
}

func (m *textMap) load(i int) {
	if i &= m.mask; m.of.IsNull(i) {
		*m.to = nil
		return
	}
	off, n := m.of.Off[i], m.of.Count[i]
	keys, vals := textsOf(m.of.Keys, int(off), int(n)), textsOf(m.of.Vals, int(off), int(n))
	out := make(map[string]string, n)
	for k := range keys {
		out[keys[k]] = vals[k]
	}
	*m.to = out
}

// nestedStruct is a ROW. Where it is NULL its fields are, so it becomes the zero struct.
type nestedStruct struct{ loaders []loader }

func (n *nestedStruct) bind(v vector.Vector, rows []int32) {
	if c, ok := v.(*vector.Const); ok {
		for k, l := range n.loaders {
			l.bind(&vector.Const{Of: c.Of.(*vector.Row).Cols[k], N: c.N}, rows)
		}
		return
	}
	for k, l := range n.loaders {
		l.bind(v.(*vector.Row).Cols[k], rows)
	}
}

func (n *nestedStruct) load(i int) {
	for _, l := range n.loaders {
		l.load(i)
	}
}
