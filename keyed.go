package runnel

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Key is what streams can be keyed by.
type Key interface {
	~bool | ~int8 | ~int16 | ~int32 | ~int64 | ~int | ~string
}

// Grouped is a stream with a key, in windows or not.
type Grouped[T any, K Key] interface{ group() *group[T, K] }

type group[T any, K Key] struct {
	stream *Stream[T]
	node   plan.Node // the stream's columns, then keyColumn
	window *WindowInfo
}

const keyColumn = "$key"

// KeyedStream is a stream with a key.
type KeyedStream[T any, K Key] struct{ g group[T, K] }

//nolint:unused // Grouped asks for it
func (k *KeyedStream[T, K]) group() *group[T, K] { return &k.g }

// WindowedStream is a stream with a key, in windows.
type WindowedStream[T any, K Key] struct{ g group[T, K] }

//nolint:unused // Grouped asks for it
func (w *WindowedStream[T, K]) group() *group[T, K] { return &w.g }

// KeyBy gives the values of a stream a key.
func KeyBy[T any, K Key](s *Stream[T], key func(T) K) *KeyedStream[T, K] {
	k := &KeyedStream[T, K]{group[T, K]{stream: s, node: s.node}}
	if s.job.err != nil {
		return k
	}
	in := s.node.Schema()
	typ, _, err := typeOf(reflect.TypeFor[K]())
	if err != nil {
		s.job.fail("KeyBy", err)
		return k
	}
	out := types.NewSchema(append(slices.Clone(in.Fields), types.Field{Name: keyColumn, Type: typ})...)
	k.g.node = s.job.opaque("KeyBy", s.node, out, "", func() (exec.Operator, error) {
		r, err := newReader[T](in)
		if err != nil {
			return nil, err
		}
		p := new(K)
		st, err := newStorer(reflect.ValueOf(p).Elem(), member{typ: typ, goType: reflect.TypeFor[K]()})
		if err != nil {
			return nil, err
		}
		return &keyOp[T, K]{reader: r, store: st, key: p, f: key, col: vector.New(typ, 0), schema: out}, nil
	})
	return k
}

// Window puts the values of each key into windows, by the stream's event time
// or, if it has none, by the clock.
func (k *KeyedStream[T, K]) Window(w WindowInfo) *WindowedStream[T, K] {
	if err := w.check(); err != nil {
		k.g.stream.job.fail("Window", err)
	}
	g := k.g
	g.window = &w
	return &WindowedStream[T, K]{g}
}

// Result is what Aggregate gives for a key and window. Start and End are the
// zero time where there are no windows.
type Result[K Key, O any] struct {
	Key   K         `runnel:"key"`
	Start time.Time `runnel:"window_start"`
	End   time.Time `runnel:"window_end"`
	Value O         `runnel:"value"`
}

// Aggregate folds the values of each key, and window, into one. Without windows
// the result is updated as values come.
func Aggregate[T any, K Key, A, O any](g Grouped[T, K], agg Agg[T, A, O]) *Stream[Result[K, O]] {
	gr := g.group()
	j := gr.stream.job
	if j.err != nil {
		return broken[Result[K, O]](j)
	}
	n, err := aggregate(j, gr, agg)
	if err != nil {
		j.fail("Aggregate", err)
		return broken[Result[K, O]](j)
	}
	return &Stream[Result[K, O]]{j, n}
}

func aggregate[T any, K Key, A, O any](j *Job, g *group[T, K], agg Agg[T, A, O]) (plan.Node, error) {
	if reflect.TypeFor[T]() == rowGoType {
		return nil, fmt.Errorf("aggregates of Row are not supported: use a struct, or the methods of GroupBy")
	}
	if g.window != nil && g.window.merges() && agg.Merge == nil {
		return nil, fmt.Errorf("%s windows need Agg.Merge", strings.ToLower(g.window.kind))
	}
	name := fmt.Sprintf("GO_AGG_%d", j.number())
	def, err := agg.def(name)
	if err != nil {
		return nil, err
	}
	ms, err := membersOf(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	in := g.node
	args := make([]string, 0, len(ms))
	for _, m := range ms {
		if !m.kind {
			args = append(args, m.name)
		}
	}
	call := fmt.Sprintf("%s(%s) AS `value`", name, quoted(args))
	text := "SELECT `$key` AS `key`, CAST(NULL AS TIMESTAMP(3)) AS `window_start`, CAST(NULL AS TIMESTAMP(3)) AS `window_end`, " + call + " FROM `$in` GROUP BY `$key`"
	if w := g.window; w != nil {
		w.settings(j)
		var at string
		if in, at, err = j.eventTime(in, w.field, 0, false); err != nil {
			return nil, err
		}
		text = "SELECT `$key` AS `key`, window_start, window_end, " + call + " FROM " + w.from("`$in`", at, []string{"`$key`"}) + " GROUP BY `$key`, window_start, window_end"
	}
	q, err := sql.ParseQuery(text, sql.Options{})
	if err != nil {
		return nil, err
	}
	j.env.mu.Lock()
	defer j.env.mu.Unlock()
	s, err := j.env.fork(j.settings)
	if err != nil {
		return nil, err
	}
	s.Functions = s.Functions.Clone()
	if err := s.Functions.Add(def); err != nil {
		return nil, err
	}
	o, err := bindOptions(s, map[string]plan.Node{"$in": in}, nil)
	if err != nil {
		return nil, err
	}
	return bindQuery(o, q)
}

// Reduced is the accumulator of Reduce.
type Reduced[T any] struct {
	Any   bool
	Value T
}

// Reduce folds the values of each key, and window, by a function of two.
func Reduce[T any, K Key](g Grouped[T, K], f func(a, b T) T) *Stream[Result[K, T]] {
	add := func(acc *Reduced[T], x T) {
		if !acc.Any {
			acc.Any, acc.Value = true, x
			return
		}
		acc.Value = f(acc.Value, x)
	}
	return Aggregate(g, Agg[T, Reduced[T], T]{
		Add: add,
		Merge: func(a, b *Reduced[T]) {
			if b.Any {
				add(a, b.Value)
			}
		},
		Result: func(acc *Reduced[T]) T { return acc.Value },
	})
}
