package runnel

import (
	"context"
	"fmt"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/vector"
)

// Each is a sink that calls a function with every row, as T: a struct, Row, or
// the type of the only column. It takes only inserts. After a crash rows since
// the last checkpoint come again.
func Each[T any](f func(ctx context.Context, row T) error) Sink {
	return eachSink[T]{"each", func(ctx context.Context, _ Kind, row T) error { return f(ctx, row) }, connector.AppendOnly}
}

// EachChange is Each for streams whose rows are updated: kind says what a row
// does.
func EachChange[T any](f func(ctx context.Context, kind Kind, row T) error) Sink {
	return eachSink[T]{"each change", f, connector.Retract}
}

type eachSink[T any] struct {
	name string
	f    func(ctx context.Context, kind Kind, row T) error
	mode connector.Changelog
}

func (e eachSink[T]) root(j *Job, n plan.Node) (plan.Node, error) {
	n, err := fit[T](j, n)
	if err != nil {
		return nil, err
	}
	r, err := newReader[T](n.Schema())
	if err != nil {
		return nil, err
	}
	return &plan.Sink{Input: n, Name: e.name, Collect: &funcSink[T]{eachSink: e, reader: r}}, nil
}

// funcSink calls a function with the rows it is given. It has one task.
type funcSink[T any] struct {
	eachSink[T]
	reader *reader[T]
}

// Changelog implements connector.Upserter.
func (s *funcSink[T]) Changelog() connector.Changelog { return s.mode }

// Write implements connector.Sink.
func (s *funcSink[T]) Write(ctx context.Context, b *vector.Batch) error {
	s.reader.bind(b)
	defer s.reader.release()
	for k := range b.Live() {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		if err := s.f(ctx, b.Kind(i), s.reader.at(i)); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// Close implements connector.Sink.
func (s *funcSink[T]) Close(context.Context) error { return nil }
