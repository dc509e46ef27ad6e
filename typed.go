package runnel

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Stream is a stream of Go values: structs, whose exported fields are columns,
// Row, or plain values, a stream of one column. The tag `runnel:"name,rowtime,
// delay=5s"` names a field's column and makes it the event time; "-" leaves the
// field out. A field of type Kind receives the row's kind.
//
// The methods keep the type; Map, FlatMap and Aggregate, which change it, are
// functions. Functions given to them run in as many goroutines as the job has
// tasks. NULL is nil for a pointer and the zero value for others.
type Stream[T any] struct {
	job  *Job
	node plan.Node
}

// From begins a stream of values. A source without columns has those of T.
func From[T any](j *Job, src Source) *Stream[T] {
	if j.err != nil {
		return broken[T](j)
	}
	var want []member
	if reflect.TypeFor[T]() != rowGoType {
		var err error
		if want, err = membersOf(reflect.TypeFor[T]()); err != nil {
			j.fail("From", err)
			return broken[T](j)
		}
	}
	n, err := src.node(j, want)
	if err == nil {
		n, err = fit[T](j, n)
	}
	if err != nil {
		j.fail("From", err)
		return broken[T](j)
	}
	return &Stream[T]{j, n}
}

// As is a stream of rows as one of values: columns are found by name, and
// converted where that is possible.
func As[T any](d *DataStream) *Stream[T] {
	if d.job.err != nil {
		return broken[T](d.job)
	}
	n, err := fit[T](d.job, d.node)
	if err != nil {
		d.job.fail("As", err)
		return broken[T](d.job)
	}
	return &Stream[T]{d.job, n}
}

func broken[T any](j *Job) *Stream[T] { return &Stream[T]{j, j.broken().node} }

// fit returns n with the columns of T, in T's order and types that its reader takes.
func fit[T any](j *Job, n plan.Node) (plan.Node, error) {
	if reflect.TypeFor[T]() == rowGoType {
		return n, nil
	}
	ms, err := membersOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	s := n.Schema()
	if len(ms) == 1 && ms[0].index < 0 { // a plain value: the only column, whatever its name
		if len(s.Fields) != 1 {
			return nil, fmt.Errorf("a stream of %s has one column, this one has %s", reflect.TypeFor[T](), strings.Join(s.Names(), ", "))
		}
		ms[0].name = s.Fields[0].Name
	}
	ms = slices.DeleteFunc(slices.Clone(ms), func(m member) bool { return m.kind })
	list, same := make([]string, len(ms)), len(ms) == len(s.Fields)
	single := len(ms) == 1 && ms[0].index < 0
	var errs diag.List
	for i, m := range ms {
		c := columnOf(s, m.name)
		if c < 0 {
			errs.Add(diag.At(diag.Span{}, diag.UnknownColumn, "no column %s for %s", m.name, reflect.TypeFor[T]()).DidYouMean(m.name, s.Names()))
			continue
		}
		as := m.name
		if single {
			as = valueColumn
		}
		f := s.Fields[c]
		list[i] = quote(f.Name)
		if f.Name != as {
			list[i] += " AS " + quote(as)
		}
		same = same && c == i && f.Name == as
		if readable(f.Type, m.typ) {
			continue
		}
		same = false
		explicit, _ := types.Castable(f.Type.Plain(), m.typ.Plain())
		if !explicit || f.Type.IsNested() {
			errs.Add(diag.At(diag.Span{}, diag.TypeMismatch, "column %s is %s, which %s cannot hold", f.Name, f.Type, m.goType))
			continue
		}
		list[i] = fmt.Sprintf("CAST(%s AS %s) AS %s", quote(f.Name), m.typ.Plain().OrNull(), quote(as))
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	if !same {
		if n, err = j.query("SELECT "+strings.Join(list, ", ")+" FROM `$in`", map[string]plan.Node{"$in": n}, nil); err != nil {
			return nil, err
		}
	}
	for _, m := range ms {
		if m.typ.Attr == types.Rowtime && n.Schema().Fields[n.Schema().Index(m.name)].Type.Attr != types.Rowtime {
			return j.watermark(n, m.name, m.delay)
		}
	}
	return n, nil
}

// Job returns the stream's job.
func (s *Stream[T]) Job() *Job { return s.job }

// Data is the stream as one of rows.
func (s *Stream[T]) Data() *DataStream { return &DataStream{s.job, s.node} }

// operate adds an operator of T to U.
func operate[T, U any](s *Stream[T], call string, out *types.Schema, newOp func(*reader[T], *writer[U]) exec.Operator) *Stream[U] {
	if s.job.err != nil {
		return broken[U](s.job)
	}
	in := s.node.Schema()
	if _, err := newReader[T](in); err != nil {
		s.job.fail(call, err)
		return broken[U](s.job)
	}
	return &Stream[U]{s.job, s.job.opaque(call, s.node, out, "", func() (exec.Operator, error) {
		r, err := newReader[T](in)
		if err != nil {
			return nil, err
		}
		w, err := newWriter[U](out)
		if err != nil {
			return nil, err
		}
		return newOp(r, w), nil
	})}
}

// passing is operate for operators that keep the columns.
func passing[T any](s *Stream[T], call string, newOp func(*reader[T]) exec.Operator) *Stream[T] {
	if s.job.err != nil {
		return s
	}
	in := s.node.Schema()
	return &Stream[T]{s.job, s.job.opaque(call, s.node, in, "", func() (exec.Operator, error) {
		r, err := newReader[T](in)
		if err != nil {
			return nil, err
		}
		return newOp(r), nil
	})}
}

// Filter keeps the values for which keep is true.
func (s *Stream[T]) Filter(keep func(T) bool) *Stream[T] {
	return passing(s, "Filter", func(r *reader[T]) exec.Operator { return &filterOp[T]{reader: r, pred: keep} })
}

// ForEach calls f with each value, which then goes on.
func (s *Stream[T]) ForEach(f func(T)) *Stream[T] {
	return s.TryForEach(func(x T) error {
		f(x)
		return nil
	})
}

// TryForEach is ForEach for a function that may fail, and the job with it.
func (s *Stream[T]) TryForEach(f func(T) error) *Stream[T] {
	return passing(s, "ForEach", func(r *reader[T]) exec.Operator { return &forEachOp[T]{reader: r, f: f} })
}

// Map replaces each value by what f makes of it.
func (s *Stream[T]) Map(f func(T) T) *Stream[T] { return Map(s, f) }

// Union is the values of both streams, and of others.
func (s *Stream[T]) Union(others ...*Stream[T]) *Stream[T] {
	data := make([]*DataStream, len(others))
	for i, o := range others {
		data[i] = o.Data()
	}
	return As[T](s.Data().Union(data...))
}

// Named names the Go function that made the stream, in plans and errors;
// otherwise it is called by the place of the call.
func (s *Stream[T]) Named(name string) *Stream[T] {
	o, ok := s.node.(*plan.Opaque)
	if !ok {
		if s.job.err == nil {
			s.job.fail("Named", fmt.Errorf("%s: no Go function made this stream", name))
		}
		return s
	}
	named := *o
	named.Name = name
	return &Stream[T]{s.job, &named}
}

// To ends the stream in a sink.
func (s *Stream[T]) To(sink Sink, strategies ...Strategy) *DataStreamAction {
	return s.Data().to("To", sink, strategies...)
}

// ToPrint ends the stream in Print.
func (s *Stream[T]) ToPrint() *DataStreamAction { return s.Data().to("ToPrint", Print()) }

// Each ends the stream in a function.
func (s *Stream[T]) Each(f func(ctx context.Context, x T) error) *DataStreamAction {
	return s.Data().to("Each", Each(f))
}

// Map makes a stream of what f makes of each value.
func Map[T, U any](s *Stream[T], f func(T) U) *Stream[U] {
	return TryMap(s, func(x T) (U, error) { return f(x), nil })
}

// TryMap is Map for a function that may fail, and the job with it.
func TryMap[T, U any](s *Stream[T], f func(T) (U, error)) *Stream[U] {
	out, ok := outOf[T, U](s, "Map")
	if !ok {
		return broken[U](s.job)
	}
	return timed(operate(s, "Map", out, func(r *reader[T], w *writer[U]) exec.Operator {
		return &mapOp[T, U]{reader: r, writer: w, f: f, out: vector.NewBatch(out, vector.DefaultSize)}
	}))
}

// FlatMap makes a stream of all values that f makes of each.
func FlatMap[T, U any](s *Stream[T], f func(T) iter.Seq[U]) *Stream[U] {
	out, ok := outOf[T, U](s, "FlatMap")
	if !ok {
		return broken[U](s.job)
	}
	return timed(operate(s, "FlatMap", out, func(r *reader[T], w *writer[U]) exec.Operator {
		return &flatMapOp[T, U]{reader: r, writer: w, f: f, out: vector.NewBatch(out, vector.DefaultSize)}
	}))
}

// outOf returns the columns that values of U make. A rowtime that T's stream has
// by the same name, and for which U's tag asks no delay, stays: the watermarks
// pass.
func outOf[T, U any](s *Stream[T], call string) (*types.Schema, bool) {
	if s.job.err != nil {
		return nil, false
	}
	in := s.node.Schema()
	if reflect.TypeFor[U]() == rowGoType {
		if reflect.TypeFor[T]() != rowGoType {
			s.job.fail(call, fmt.Errorf("the columns of Row are not known: make a struct"))
			return nil, false
		}
		return in, true
	}
	ms, err := membersOf(reflect.TypeFor[U]())
	if err != nil {
		s.job.fail(call, err)
		return nil, false
	}
	fields := fieldsOf(ms)
	for i, f := range fields {
		if f.Type.Attr != types.Rowtime {
			continue
		}
		at := in.Index(f.Name)
		delayed := slices.ContainsFunc(ms, func(m member) bool { return m.name == f.Name && m.delayed })
		if delayed || at < 0 || in.Fields[at].Type.Attr != types.Rowtime {
			fields[i].Type.Attr = types.NoTime
		}
	}
	return types.NewSchema(fields...), true
}

// timed gives a stream the event time that U's tags ask for, if it has it not.
func timed[U any](s *Stream[U]) *Stream[U] {
	if s.job.err != nil || reflect.TypeFor[U]() == rowGoType {
		return s
	}
	ms, err := membersOf(reflect.TypeFor[U]())
	if err != nil || s.node.Schema().Rowtime >= 0 {
		return s
	}
	n, err := s.job.timed(s.node, ms)
	if err != nil {
		s.job.fail("Map", err)
		return broken[U](s.job)
	}
	return &Stream[U]{s.job, n}
}

// Map replaces each row by what f makes of it, with the same columns: change
// copies with Row.Set.
func (d *DataStream) Map(f func(Row) Row) *DataStream { return Map(As[Row](d), f).Data() }

// FlatMap replaces each row by those that f makes of it, with the same columns.
func (d *DataStream) FlatMap(f func(Row) iter.Seq[Row]) *DataStream {
	return FlatMap(As[Row](d), f).Data()
}

// FilterFunc keeps the rows for which keep is true.
func (d *DataStream) FilterFunc(keep func(Row) bool) *DataStream {
	return As[Row](d).Filter(keep).Data()
}

// ForEach calls f with each row, which then goes on.
func (d *DataStream) ForEach(f func(Row)) *DataStream { return As[Row](d).ForEach(f).Data() }

// Operate runs operators of one's own, one a task, that emit batches with the
// columns given as in CREATE TABLE. They keep no state over a restart.
func (d *DataStream) Operate(name, columns string, newOperator func() Operator) *DataStream {
	if d.job.err != nil {
		return d
	}
	n, err := d.job.hidden(fmt.Sprintf("operator_%d", d.job.number()), columns, map[string]string{"connector": "memory"})
	if err != nil {
		d.job.fail("Operate", err)
		return d.job.broken()
	}
	out := plainSchema(n.Schema())
	return &DataStream{d.job, d.job.opaque("Operate", d.node, out, name, func() (exec.Operator, error) {
		return &operateOp{op: newOperator(), out: out}, nil
	})}
}

func base(file string) string { return filepath.Base(file) }
