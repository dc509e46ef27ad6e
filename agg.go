package runnel

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Agg is an aggregate function in Go: In is what is aggregated, a plain value or
// a struct whose fields are the arguments in their order; Acc is what is kept of
// a group, Out the result. The functions must not use anything that changes:
// several tasks call them at once.
//
// State is saved by encoding.BinaryMarshaler if Acc or *Acc implements it (and
// *Acc BinaryUnmarshaler), as it is for int64, float64, string and bool, else by
// encoding/gob, which takes exported fields only.
type Agg[In, Acc, Out any] struct {
	// Init makes the accumulator of an empty group; nil: its zero value.
	Init func() Acc
	// Add adds a value. Of plain values NULL is left out.
	Add func(acc *Acc, x In)
	// Retract takes a value back that was added. Without it streams that are
	// updated cannot be aggregated.
	Retract func(acc *Acc, x In)
	// Merge adds b to a; windows that are made of parts (Hop, Cumulate, Session)
	// need it.
	Merge func(a, b *Acc)
	// Result is the value of a group.
	Result func(acc *Acc) Out
}

// RegisterAgg adds an aggregate function to the environment, for SQL and the
// methods of streams.
func RegisterAgg[In, Acc, Out any](e *Env, name string, agg Agg[In, Acc, Out]) error {
	d, err := agg.def(name)
	if err != nil {
		return fmt.Errorf("function %s: %w", name, err)
	}
	return e.register(d)
}

// def returns the function's definition.
func (a Agg[In, Acc, Out]) def(name string) (function.Def, error) {
	if a.Add == nil || a.Result == nil {
		return function.Def{}, errors.New("an Agg needs Add and Result")
	}
	in, err := membersOf(reflect.TypeFor[In]())
	if err != nil {
		return function.Def{}, err
	}
	outs, err := membersOf(reflect.TypeFor[Out]())
	if err != nil {
		return function.Def{}, err
	}
	args, plain := fieldsOf(in), in[0].index < 0
	fields := fieldsOf(outs)
	for i := range fields {
		fields[i].Type = fields[i].Type.Plain() // a result is no event time
	}
	out := types.RowOf(fields...).NotNull()
	if outs[0].index < 0 {
		out = fields[0].Type
	}
	nullable := plain && reflect.TypeFor[In]().Kind() == reflect.Pointer
	return function.Def{
		Name: name, Group: "go", Sig: signatureText(args, out), Doc: "A function in Go.",
		Infer: func(given []function.Arg) (function.Signature, error) {
			if len(given) != len(args) {
				return function.Signature{}, fmt.Errorf("it takes %d arguments, not %d", len(args), len(given))
			}
			s := function.Signature{Result: out, Args: make([]types.Type, len(args))}
			for i, g := range given {
				s.Args[i] = args[i].Type.Plain().WithNull(g.Type.Nullable)
				if readable(g.Type, args[i].Type) {
					s.Args[i] = g.Type
				} else if ok, _ := types.Castable(g.Type.Plain(), args[i].Type.Plain()); !ok && g.Type.Kind != types.Null {
					return s, fmt.Errorf("argument %d is %s, not %s", i+1, g.Type, args[i].Type)
				}
			}
			return s, nil
		},
		Aggregate: &function.Aggregate{
			Retracts: a.Retract != nil, Ordered: true, KeepsNulls: !plain || nullable,
			New: func(_ *function.Context, call function.AggregateCall) (function.Accumulators, error) {
				return newAccumulators(a, call)
			},
		},
	}, nil
}

// signatureText is for people.
func signatureText(args []types.Field, out types.Type) string {
	s := "("
	for i, a := range args {
		if i > 0 {
			s += ", "
		}
		s += a.Type.OrNull().String()
	}
	return s + ") -> " + out.OrNull().String()
}

// accumulators implements function.Accumulators by an Agg.
type accumulators[In, Acc, Out any] struct {
	agg    Agg[In, Acc, Out]
	slots  []Acc
	reader *reader[In]
	writer *writer[Out]
	err    error // of saving: reported by the next call that can fail
}

func newAccumulators[In, Acc, Out any](a Agg[In, Acc, Out], call function.AggregateCall) (function.Accumulators, error) {
	in, err := membersOf(reflect.TypeFor[In]())
	if err != nil {
		return nil, err
	}
	r, err := newReader[In](types.NewSchema(fieldsOf(in)...))
	if err != nil {
		return nil, err
	}
	w, err := newWriter[Out](nil)
	if err != nil {
		return nil, err
	}
	x := &accumulators[In, Acc, Out]{agg: a, reader: r, writer: w}
	// What cannot be saved is told before there is anything to lose.
	acc := x.empty()
	if _, err := appendState(nil, &acc); err != nil {
		return nil, err
	}
	return x, nil
}

func (a *accumulators[In, Acc, Out]) empty() Acc {
	if a.agg.Init != nil {
		return a.agg.Init()
	}
	var zero Acc
	return zero
}

// Resize implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Resize(n int) {
	for len(a.slots) < n {
		a.slots = append(a.slots, a.empty())
	}
}

// Update implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	a.reader.bindColumns(args, rows)
	for k, i := range rows {
		x := a.reader.at(int(i))
		acc := &a.slots[slots[k]]
		if signs == nil || signs[k] > 0 {
			a.agg.Add(acc, x)
			continue
		}
		if a.agg.Retract == nil {
			return errors.New("a row is taken back, but the Agg has no Retract")
		}
		a.agg.Retract(acc, x)
	}
	return a.err
}

// Merge implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Merge(to int32, other function.Accumulators, from int32) error {
	if a.agg.Merge == nil {
		return errors.New("these windows are made of parts: the Agg needs Merge")
	}
	a.agg.Merge(&a.slots[to], &other.(*accumulators[In, Acc, Out]).slots[from])
	return nil
}

// Result implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		*a.writer.scratch = a.agg.Result(&a.slots[s])
		at := vector.Extend(out, 1)
		row, nested := out.(*vector.Row)
		for k, st := range a.writer.storers {
			to := out
			if nested {
				to = row.Cols[k]
			}
			st(to, at)
		}
	}
	return a.err
}

// Clear implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Clear(slot int32) { a.slots[slot] = a.empty() }

// Save implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Save(dst []byte, slot int32) []byte {
	out, err := appendState(dst, &a.slots[slot])
	if err != nil {
		a.err = fmt.Errorf("saving the state of an Agg: %w", err)
		return dst
	}
	return out
}

// Load implements function.Accumulators.
func (a *accumulators[In, Acc, Out]) Load(slot int32, src []byte) ([]byte, error) {
	a.slots[slot] = a.empty()
	return loadState(&a.slots[slot], src)
}

// Bytes implements function.Accumulators: what accumulators point to is not counted.
func (a *accumulators[In, Acc, Out]) Bytes() int64 {
	return int64(cap(a.slots)) * int64(reflect.TypeFor[Acc]().Size())
}

// appendState appends an accumulator: its length, then its bytes.
func appendState[Acc any](dst []byte, acc *Acc) ([]byte, error) {
	var b []byte
	switch x := any(acc).(type) {
	case *int64:
		b = binary.AppendVarint(nil, *x)
	case *float64:
		b = binary.BigEndian.AppendUint64(nil, math.Float64bits(*x))
	case *string:
		b = []byte(*x)
	case *bool:
		if *x {
			b = []byte{1}
		}
	case encoding.BinaryMarshaler:
		var err error
		if b, err = x.MarshalBinary(); err != nil {
			return dst, err
		}
	default:
		var buf bytes.Buffer
		if err := gob.NewEncoder(&buf).Encode(acc); err != nil {
			return dst, err
		}
		b = buf.Bytes()
	}
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...), nil
}

func loadState[Acc any](acc *Acc, src []byte) ([]byte, error) {
	n, size := binary.Uvarint(src)
	if size <= 0 || uint64(len(src)-size) < n {
		return nil, vector.ErrCorrupt
	}
	b, rest := src[size:size+int(n)], src[size+int(n):]
	switch x := any(acc).(type) {
	case *int64:
		v, k := binary.Varint(b)
		if k <= 0 {
			return nil, vector.ErrCorrupt
		}
		*x = v
	case *float64:
		if len(b) != 8 {
			return nil, vector.ErrCorrupt
		}
		*x = math.Float64frombits(binary.BigEndian.Uint64(b))
	case *string:
		*x = string(b)
	case *bool:
		*x = len(b) == 1
	case encoding.BinaryUnmarshaler:
		return rest, x.UnmarshalBinary(b)
	default:
		return rest, gob.NewDecoder(bytes.NewReader(b)).Decode(acc)
	}
	return rest, nil
}
