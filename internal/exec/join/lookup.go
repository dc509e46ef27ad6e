package join

import (
	"slices"
	"time"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// LookupSpec says how to look rows up.
type LookupSpec struct {
	Keys []int // of the input
	// Exactly one of Dimension and Asked is set.
	Dimension *Dimension
	Asked     *AskedSpec
	// Pairs are columns of input and table that are equal too.
	Pairs [][2]int
	// Retries is how often keys without rows are looked up again, RetryAfter later.
	Retries    int
	RetryAfter time.Duration
	Cond       plan.Expr // over input ++ table; nil for none
	Pad        bool      // rows that find nothing come out padded with NULL, else not at all
	In, Table  *types.Schema
	Out        *types.Schema
}

// Lookup joins each row, as it comes, with the rows of its key in a table. Row kinds pass.
type Lookup struct {
	exec.Stateless
	LookupSpec
	cx    *exec.Context
	rows  *dimensionRows // of the batch at hand
	asked *asked
	pred  *eval.Predicate
	cand  *vector.Batch
	b     *vector.Batch
	owner []int32 // by candidate: its input row
	todo  []int32 // input rows of the candidates, each once
	key   []byte
	sel   []int32
	// opened tells that the dimension is to be closed.
	opened bool
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
	if j.LookupSpec.Asked != nil {
		j.asked = &asked{AskedSpec: *j.LookupSpec.Asked}
		return j.asked.open(cx)
	}
	j.opened = true
	return j.Dimension.open(cx.Context)
}

// Process implements exec.Operator.
func (j *Lookup) Process(_ int, b *vector.Batch, out exec.Output) error {
	if err := j.prepare(b); err != nil {
		return err
	}
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

// prepare gets what the rows of b look up: all of them see the table as it is now.
func (j *Lookup) prepare(b *vector.Batch) error {
	if j.asked == nil {
		j.rows = j.Dimension.now.Load()
		for try := 0; try < j.Retries && j.misses(b); try++ {
			if err := pause(j.cx.Context, j.RetryAfter); err != nil {
				return err
			}
			j.rows = j.Dimension.now.Load()
		}
		return nil
	}
	if err := j.asked.prepare(b); err != nil {
		return err
	}
	missing := j.Retries > 0 && j.asked.missing()
	for try := 0; try < j.Retries && missing; try++ {
		err := pause(j.cx.Context, j.RetryAfter)
		if err == nil {
			missing, err = j.asked.again(b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// misses tells whether a key of b has no row.
func (j *Lookup) misses(b *vector.Batch) bool {
	found := true
	b.Rows(func(i int) {
		if found && j.keyOf(b, i) && j.rows.keys.Find(vector.HashKey(j.key), j.key) < 0 {
			found = false
		}
	})
	return !found
}

// keyOf puts the key of row i into j.key; ok is false if it has a NULL.
func (j *Lookup) keyOf(b *vector.Batch, i int) (ok bool) {
	j.key = j.key[:0]
	for _, c := range j.Keys {
		if b.Cols[c].IsNull(i) {
			return false
		}
		j.key = vector.AppendKey(j.key, b.Cols[c], i)
	}
	return true
}

func (j *Lookup) begin() {
	j.cand.Reset()
	j.owner, j.todo = j.owner[:0], j.todo[:0]
}

// candidates adds row i with the rows of its key.
func (j *Lookup) candidates(b *vector.Batch, i int) error {
	j.todo = append(j.todo, int32(i))
	if j.asked != nil {
		if !j.asked.keyOf(b, i) {
			return nil
		}
		for _, r := range j.asked.now[string(j.asked.key)].rows {
			if err := j.candidate(b, i, []byte(r)); err != nil {
				return err
			}
		}
		return nil
	}
	if !j.keyOf(b, i) {
		return nil
	}
	id := j.rows.keys.Find(vector.HashKey(j.key), j.key)
	if id < 0 {
		return nil
	}
	for _, r := range j.rows.of[id] {
		if err := j.candidate(b, i, j.rows.rows.Get(r)); err != nil {
			return err
		}
	}
	return nil
}

// candidate adds row i with an encoded row of the table.
func (j *Lookup) candidate(b *vector.Batch, i int, row []byte) error {
	nl := len(j.In.Fields)
	for c, v := range b.Cols[:nl] {
		vector.CopyRow(j.cand.Cols[c], v, i)
	}
	if err := vector.ReadRowOf(j.cand.Cols[nl:], row); err != nil {
		return err
	}
	j.cand.AppendKind(b.Kind(i))
	j.owner = append(j.owner, int32(i))
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
	if len(j.Pairs) > 0 {
		j.sel = slices.DeleteFunc(j.sel, func(k int32) bool {
			return slices.ContainsFunc(j.Pairs, func(p [2]int) bool {
				l, r := j.cand.Cols[p[0]], j.cand.Cols[nl+p[1]]
				return l.IsNull(int(k)) || r.IsNull(int(k)) || !vector.EqualRow(l, int(k), r, int(k))
			})
		})
	}
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
	return exec.Flush(out, j.b)
}

// Control implements exec.Operator.
func (j *Lookup) Control(_ int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Barrier || ev.Kind == exec.End {
		if j.asked != nil {
			j.cx.Metrics.StateRows.Store(int64(len(j.asked.cache)))
			j.cx.Metrics.StateBytes.Store(j.asked.bytes)
		} else if t := j.Dimension.now.Load(); t != nil {
			j.cx.Metrics.StateRows.Store(int64(t.keys.Len()))
			j.cx.Metrics.StateBytes.Store(t.bytes())
		}
	}
	return out.Forward(ev)
}

// Close implements exec.Operator.
func (j *Lookup) Close() error {
	if j.opened {
		j.opened = false
		j.Dimension.close()
	}
	if j.asked != nil {
		return j.asked.close()
	}
	return nil
}

var _ exec.Operator = (*Lookup)(nil)
