package join

import (
	"context"
	"slices"
	"sync"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Dimension is a table held in memory to be looked up by key. The tasks of an
// operator share one; the first that needs it loads it.
type Dimension struct {
	Keys []int // of the table's rows
	// Load hands on all rows of the table.
	Load func(ctx context.Context, row func(b *vector.Batch) error) error

	once sync.Once
	err  error
	keys *state.Table // key -> rows
	of   [][]int32
	rows state.Values
}

// open loads the table, once. Behind it the table never changes.
func (d *Dimension) open(ctx context.Context) error {
	d.once.Do(func() {
		d.keys = state.NewTable()
		var key, buf []byte
		d.err = d.Load(ctx, func(b *vector.Batch) error {
			b.Rows(func(i int) {
				key = key[:0]
				for _, c := range d.Keys {
					if b.Cols[c].IsNull(i) {
						return // no = finds it
					}
					key = vector.AppendKey(key, b.Cols[c], i)
				}
				id, added := d.keys.FindOrAdd(vector.HashKey(key), key)
				if added {
					d.of = append(d.of, nil)
				}
				buf = vector.AppendRowOf(buf[:0], b.Cols, i)
				d.of[id] = append(d.of[id], d.rows.Add(buf))
			})
			return nil
		})
	})
	return d.err
}

func (d *Dimension) bytes() int64 { return d.keys.Bytes() + d.rows.Bytes() + int64(cap(d.of))*28 }

// LookupSpec says how to look rows up.
type LookupSpec struct {
	Keys      []int // of the input
	Dimension *Dimension
	Cond      plan.Expr // over input ++ table; nil for none
	Pad       bool      // rows that find nothing come out padded with NULL, else not at all
	In, Table *types.Schema
	Out       *types.Schema
}

// Lookup joins each row, as it comes, with the rows of its key in a table. Row kinds pass.
type Lookup struct {
	exec.Stateless
	LookupSpec
	cx    *exec.Context
	pred  *eval.Predicate
	cand  *vector.Batch
	b     *vector.Batch
	owner []int32 // by candidate: its input row
	todo  []int32 // input rows of the candidates, each once
	key   []byte
	sel   []int32
}

// NewLookup returns the operator.
func NewLookup(s LookupSpec) *Lookup { return &Lookup{LookupSpec: s} }

// Open implements exec.Operator.
func (j *Lookup) Open(cx *exec.Context) (err error) {
	j.cx = cx
	pair := types.NewSchema(append(slices.Clone(j.In.Fields), j.Table.Fields...)...)
	j.cand, j.b = vector.NewBatch(pair, cx.BatchSize), vector.NewBatch(j.Out, cx.BatchSize)
	if j.Cond != nil {
		if j.pred, err = eval.CompilePredicate(j.Cond, pair, cx.Func); err != nil {
			return err
		}
	}
	return j.Dimension.open(cx.Context)
}

// Process implements exec.Operator.
func (j *Lookup) Process(_ int, b *vector.Batch, out exec.Output) error {
	j.b.Origin = b.Origin
	j.begin()
	live := b.Live()
	for k := range live {
		i := k
		if b.Sel != nil {
			i = int(b.Sel[k])
		}
		if err := j.candidates(b, i); err != nil {
			return err
		}
		if j.cand.N >= j.cx.BatchSize {
			if err := j.finish(b, out); err != nil {
				return err
			}
		}
	}
	return j.finish(b, out)
}

func (j *Lookup) begin() {
	j.cand.Reset()
	j.owner, j.todo = j.owner[:0], j.todo[:0]
}

// candidates adds row i with the rows of its key.
func (j *Lookup) candidates(b *vector.Batch, i int) error {
	j.todo = append(j.todo, int32(i))
	j.key = j.key[:0]
	for _, c := range j.Keys {
		if b.Cols[c].IsNull(i) {
			return nil
		}
		j.key = vector.AppendKey(j.key, b.Cols[c], i)
	}
	id := j.Dimension.keys.Find(vector.HashKey(j.key), j.key)
	if id < 0 {
		return nil
	}
	nl := len(j.In.Fields)
	for _, r := range j.Dimension.of[id] {
		for c, v := range b.Cols[:nl] {
			vector.CopyRow(j.cand.Cols[c], v, i)
		}
		if err := decode(j.cand.Cols[nl:], j.Dimension.rows.Get(r)); err != nil {
			return err
		}
		j.cand.AppendKind(b.Kind(i))
		j.owner = append(j.owner, int32(i))
	}
	return nil
}

// finish emits the candidates that fulfil the condition, and rows that found none.
func (j *Lookup) finish(b *vector.Batch, out exec.Output) error {
	j.sel = j.sel[:0]
	if j.pred == nil {
		for k := range j.cand.N {
			j.sel = append(j.sel, int32(k))
		}
	} else if j.cand.N > 0 {
		var err error
		if j.sel, err = j.pred.Select(j.cand, nil, j.sel); err != nil {
			return err
		}
	}
	nl := len(j.In.Fields)
	at := 0
	for _, i := range j.todo {
		found := false
		for ; at < len(j.sel) && j.owner[j.sel[at]] == i; at++ {
			found = true
			for c, v := range j.cand.Cols {
				vector.CopyRow(j.b.Cols[c], v, int(j.sel[at]))
			}
			j.b.AppendKind(b.Kind(int(i)))
		}
		if !found && j.Pad {
			for c, v := range b.Cols[:nl] {
				vector.CopyRow(j.b.Cols[c], v, int(i))
			}
			appendNulls(j.b.Cols[nl:])
			j.b.AppendKind(b.Kind(int(i)))
		}
		if j.b.N >= j.cx.BatchSize {
			if err := j.emit(out); err != nil {
				return err
			}
		}
	}
	j.begin()
	return j.emit(out)
}

func (j *Lookup) emit(out exec.Output) error {
	if j.b.N == 0 {
		return nil
	}
	err := out.Emit(j.b)
	j.b.Reset()
	return err
}

// Control implements exec.Operator.
func (j *Lookup) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		j.cx.Metrics.StateRows.Store(int64(j.Dimension.keys.Len()))
		j.cx.Metrics.StateBytes.Store(j.Dimension.bytes())
	}
	return out.Forward(ev)
}

var _ exec.Operator = (*Lookup)(nil)
