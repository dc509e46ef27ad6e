package runnel

import (
	"fmt"
	"iter"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The operators of Go functions. Each task has one of its own, and a function is
// called by one goroutine for each task. Row kinds pass: a function that is not
// deterministic over an updated stream takes back other rows than it added.

// opaque adds a Go operator to the plan.
func (j *Job) opaque(call string, n plan.Node, out *types.Schema, name string, make func() (exec.Operator, error)) plan.Node {
	if name == "" {
		file, line := caller()
		name = fmt.Sprintf("%s at %s:%d", call, base(file), line)
	}
	return &plan.Opaque{Input: []plan.Node{n}, Name: name, Out: out, New: func(int) (any, error) { return make() }}
}

// rows calls f for each live row until it fails.
func rows(b *vector.Batch, f func(i int) error) error {
	if b.Sel == nil {
		for i := range b.N {
			if err := f(i); err != nil {
				return err
			}
		}
		return nil
	}
	for _, i := range b.Sel {
		if err := f(int(i)); err != nil {
			return err
		}
	}
	return nil
}

// filterOp keeps the rows for which a function holds.
type filterOp[T any] struct {
	exec.Stateless
	reader *reader[T]
	pred   func(T) bool
	sel    []int32
}

// Process implements exec.Operator.
func (f *filterOp[T]) Process(_ int, b *vector.Batch, out exec.Output) error {
	f.reader.bind(b)
	defer f.reader.release()
	f.sel = f.sel[:0]
	if b.Sel == nil {
		for i := range b.N {
			if f.pred(f.reader.at(i)) {
				f.sel = append(f.sel, int32(i))
			}
		}
	} else {
		for _, i := range b.Sel {
			if f.pred(f.reader.at(int(i))) {
				f.sel = append(f.sel, i)
			}
		}
	}
	if len(f.sel) == 0 {
		return nil
	}
	if len(f.sel) < b.N {
		b.Sel = f.sel
	}
	return out.Emit(b)
}

// forEachOp calls a function with each row and passes the rows.
type forEachOp[T any] struct {
	exec.Stateless
	reader *reader[T]
	f      func(T) error
}

// Process implements exec.Operator.
func (o *forEachOp[T]) Process(_ int, b *vector.Batch, out exec.Output) error {
	o.reader.bind(b)
	defer o.reader.release()
	if err := rows(b, func(i int) error { return o.f(o.reader.at(i)) }); err != nil {
		return err
	}
	return out.Emit(b)
}

// mapOp makes of each row another.
type mapOp[T, U any] struct {
	exec.Stateless
	reader *reader[T]
	writer *writer[U]
	f      func(T) (U, error)
	out    *vector.Batch
}

// Process implements exec.Operator.
func (o *mapOp[T, U]) Process(_ int, b *vector.Batch, out exec.Output) error {
	o.reader.bind(b)
	defer o.reader.release()
	o.out.Reset()
	o.out.Origin = b.Origin
	err := rows(b, func(i int) error {
		u, err := o.f(o.reader.at(i))
		if err == nil {
			err = o.writer.put(u, o.out.Cols)
		}
		if err == nil {
			o.out.AppendKind(b.Kind(i))
		}
		return err
	})
	if err != nil || o.out.N == 0 {
		return err
	}
	return out.Emit(o.out)
}

// flatMapOp makes of each row any number of others.
type flatMapOp[T, U any] struct {
	exec.Stateless
	reader *reader[T]
	writer *writer[U]
	f      func(T) iter.Seq[U]
	out    *vector.Batch
	size   int
}

// Open implements exec.Operator.
func (o *flatMapOp[T, U]) Open(cx *exec.Context) error {
	o.size = max(1, cx.BatchSize)
	return nil
}

// Process implements exec.Operator.
func (o *flatMapOp[T, U]) Process(_ int, b *vector.Batch, out exec.Output) error {
	o.reader.bind(b)
	defer o.reader.release()
	o.out.Reset()
	err := rows(b, func(i int) error {
		kind := b.Kind(i)
		for u := range o.f(o.reader.at(i)) {
			if err := o.writer.put(u, o.out.Cols); err != nil {
				return err
			}
			o.out.AppendKind(kind)
			if o.out.N >= o.size {
				if err := out.Emit(o.out); err != nil {
					return err
				}
				o.out.Reset()
			}
		}
		return nil
	})
	if err != nil || o.out.N == 0 {
		return err
	}
	o.out.Origin = b.Origin
	return out.Emit(o.out)
}

// keyOp adds a column computed by a function; the others pass untouched.
type keyOp[T, K any] struct {
	exec.Stateless
	reader *reader[T]
	store  storer
	key    *K
	f      func(T) K
	col    vector.Vector
	b      vector.Batch
	schema *types.Schema
}

// Process implements exec.Operator.
func (o *keyOp[T, K]) Process(_ int, b *vector.Batch, out exec.Output) error {
	o.reader.bind(b)
	defer o.reader.release()
	o.col.Resize(b.N)
	_ = rows(b, func(i int) error {
		*o.key = o.f(o.reader.at(i))
		o.store(o.col, i)
		return nil
	})
	o.b = vector.Batch{Schema: o.schema, Cols: append(append(o.b.Cols[:0], b.Cols...), o.col), N: b.N, Sel: b.Sel, Kinds: b.Kinds, Origin: b.Origin, From: b.From}
	return out.Emit(&o.b)
}

// Operator is an operator of one's own over columns, for Operate. Process is
// given batches and emits batches of the operator's schema; a batch is the
// receiver's until emit returns, its vectors are read-only.
type Operator interface {
	Process(b *vector.Batch, emit func(*vector.Batch) error) error
}

// operateOp runs an Operator.
type operateOp struct {
	exec.Stateless
	op  Operator
	out *types.Schema
}

// Process implements exec.Operator.
func (o *operateOp) Process(_ int, b *vector.Batch, out exec.Output) error {
	return o.op.Process(b, func(b *vector.Batch) error {
		if len(b.Cols) != len(o.out.Fields) {
			return fmt.Errorf("a batch of %d columns was emitted, not %d", len(b.Cols), len(o.out.Fields))
		}
		if b.Live() == 0 {
			return nil
		}
		b.Schema = o.out
		return out.Emit(b)
	})
}

var (
	_ exec.Operator = (*filterOp[int])(nil)
	_ exec.Operator = (*forEachOp[int])(nil)
	_ exec.Operator = (*mapOp[int, int])(nil)
	_ exec.Operator = (*flatMapOp[int, int])(nil)
	_ exec.Operator = (*keyOp[int, int])(nil)
	_ exec.Operator = (*operateOp)(nil)
)
