// Package join has joins of two streams that keep both sides: inner, outer,
// semi and anti, by equal keys and any further condition.
package join

import (
	"errors"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Spec says what to join and how.
type Spec struct {
	Join                        *plan.Join
	LeftRetracts, RightRetracts bool
	Left, Right                 *types.Schema
}

// ErrSingle tells that a scalar sub-query gave more than one row.
var ErrSingle = errors.New("a scalar sub-query returned more than one row")

// Join is a two-stream join. Its changelog is Flink's: a row without a match
// comes out padded with NULL where its side is outer, is taken back (-D) when its
// first match comes, and comes out padded again when its last match goes. Only
// inner and semi joins pass the input's row kind on.
//
// In batch mode rows are only kept, and the end of input emits the result.
type Join struct {
	Spec
	cx     *exec.Context
	sides  [2]*side
	outer  [2]bool // unmatched rows of the side come out
	counts [2]bool // matches are counted on the side
	pred   *eval.Predicate
	out    *vector.Batch
	cand   *vector.Batch // candidate pairs, for the condition
	pairs  []int32       // entries of the candidates
	sel    []int32
	key    []byte
	ttl    [2]time.Duration // of each side, 0 for ever
	swept  [2]state.Sweep
	done   bool
}

// New returns the operator.
func New(s Spec) (*Join, error) {
	j := &Join{Spec: s}
	k := s.Join.Kind
	j.outer = [2]bool{k == plan.Left || k == plan.Full, k == plan.Right || k == plan.Full}
	j.counts = [2]bool{j.outer[0] || k == plan.Semi || k == plan.Anti, j.outer[1]}
	return j, nil
}

// semi tells whether only left rows come out.
func (j *Join) semi() bool { return j.Join.Kind == plan.Semi || j.Join.Kind == plan.Anti }

// Open implements exec.Operator.
func (j *Join) Open(cx *exec.Context) error {
	j.cx = cx
	j.sides = [2]*side{newSide(), newSide()}
	for in := range j.ttl {
		switch t := j.Join.TTL[in]; {
		case t == 0:
			j.ttl[in] = cx.TTL
		case t > 0:
			j.ttl[in] = t
		}
	}
	j.out = vector.NewBatch(j.Join.Out, cx.BatchSize)
	pair := types.NewSchema(append(append([]types.Field(nil), j.Left.Fields...), j.Right.Fields...)...)
	j.cand = vector.NewBatch(pair, 64)
	if j.Join.Cond != nil {
		var err error
		if j.pred, err = eval.CompilePredicate(j.Join.Cond, pair, cx.Func); err != nil {
			return err
		}
	}
	if cx.State == nil {
		return nil
	}
	return cx.State.Restore(func(_ uint16, key, value []byte) error {
		if len(key) == 0 || key[0] > 1 {
			return vector.ErrCorrupt
		}
		return j.sides[key[0]].load(key[1:], value, cx.Now())
	})
}

// Process implements exec.Operator.
func (j *Join) Process(in int, b *vector.Batch, out exec.Output) error {
	j.expire()
	j.out.Reset()
	keys := j.Join.LeftKeys
	if in == 1 {
		keys = j.Join.RightKeys
	}
	n := b.Live()
	for l := range n {
		i := l
		if b.Sel != nil {
			i = int(b.Sel[l])
		}
		matchable := true
		j.key = j.key[:0]
		for k, c := range keys {
			if b.Cols[c].IsNull(i) && !(len(j.Join.NullSafe) > k && j.Join.NullSafe[k]) {
				matchable = false
			}
			j.key = vector.AppendKey(j.key, b.Cols[c], i)
		}
		if err := j.row(in, b, i, matchable); err != nil {
			return err
		}
		if j.out.N >= j.cx.BatchSize {
			if err := j.emit(out); err != nil {
				return err
			}
		}
	}
	return j.emit(out)
}

func (j *Join) emit(out exec.Output) error {
	if j.out.N == 0 {
		return nil
	}
	err := out.Emit(j.out)
	j.out.Reset()
	return err
}

// row joins row i of b, of input in, with the other side and keeps or forgets it.
func (j *Join) row(in int, b *vector.Batch, i int, matchable bool) error {
	own, kind := j.sides[in], b.Kind(i)
	add := kind.Sign() > 0
	if j.cx.Batch {
		e := own.add(j.key, b, i, 0)
		j.touch(in, own.group[e])
		return j.single(in, own, e)
	}
	if !add {
		if _, ok := own.retract(j.key, b, i); !ok {
			j.cx.Metrics.Expired.Add(1)
			return nil
		}
	}
	var matched []int32
	if matchable {
		var err error
		if matched, err = j.match(in, b, i); err != nil {
			return err
		}
	}
	total := int64(0)
	other := j.sides[1-in]
	for _, e := range matched {
		total += other.count[e]
	}
	if add {
		e := own.add(j.key, b, i, total)
		j.touch(in, own.group[e])
		if err := j.single(in, own, e); err != nil {
			return err
		}
	}
	if j.semi() {
		return j.semiRow(in, b, i, kind, matched, total)
	}
	switch {
	case total == 0:
		if !j.outer[in] {
			return nil
		}
		out := types.Insert
		if !add {
			out = types.Delete
		}
		return j.padded(in, b, i, out)
	case add:
		return j.added(in, b, i, kind, matched)
	}
	return j.removed(in, b, i, kind, matched)
}

// single refuses a second row a key where the right side must be single.
func (j *Join) single(in int, own *side, e int32) error {
	if in == 1 && j.Join.Single && (own.count[e] > 1 || len(own.rows[own.group[e]]) > 1) {
		if j.Join.Span.IsZero() {
			return ErrSingle
		}
		return diag.At(j.Join.Span, diag.BadValue, "%w", ErrSingle)
	}
	return nil
}

// touch keeps a group of a side for another time to live.
func (j *Join) touch(in int, g int32) {
	if j.ttl[in] > 0 {
		j.sides[in].touched[g] = j.cx.Now()
	}
}

// added emits the pairs of a new row.
func (j *Join) added(in int, b *vector.Batch, i int, kind types.RowKind, matched []int32) error {
	other := j.sides[1-in]
	if j.outer[in] || j.outer[1-in] {
		kind = types.Insert
	}
	for _, e := range matched {
		for range other.count[e] {
			if j.outer[1-in] && other.matches[e] == 0 {
				if err := j.paddedEntry(1-in, e, types.Delete); err != nil {
					return err
				}
			}
			if err := j.pair(in, b, i, e, kind); err != nil {
				return err
			}
		}
		j.count(1-in, e, 1)
	}
	return nil
}

// removed takes back the pairs of a row that went.
func (j *Join) removed(in int, b *vector.Batch, i int, kind types.RowKind, matched []int32) error {
	other := j.sides[1-in]
	if j.outer[in] || j.outer[1-in] {
		kind = types.Delete
	}
	for _, e := range matched {
		for range other.count[e] {
			if err := j.pair(in, b, i, e, kind); err != nil {
				return err
			}
			if j.outer[1-in] && other.matches[e] == 1 {
				if err := j.paddedEntry(1-in, e, types.Insert); err != nil {
					return err
				}
			}
		}
		j.count(1-in, e, -1)
	}
	return nil
}

// count changes the number of matches of an entry where it is kept.
func (j *Join) count(in int, e int32, by int64) {
	if j.counts[in] {
		j.sides[in].matches[e] += by
		j.sides[in].entries.MarkDirty(e)
	}
}

// semiRow emits for a semi or anti join.
func (j *Join) semiRow(in int, b *vector.Batch, i int, kind types.RowKind, matched []int32, total int64) error {
	anti := j.Join.Kind == plan.Anti
	if in == 0 {
		if (total > 0) != anti {
			j.out.AppendRow(b, i, kind)
		}
		return nil
	}
	left := j.sides[0]
	by := int64(kind.Sign())
	for _, e := range matched {
		turns := by > 0 && left.matches[e] == 0 || by < 0 && left.matches[e] == 1
		j.count(0, e, by)
		if !turns {
			continue
		}
		out := kind
		if anti {
			out = types.Delete
			if by < 0 {
				out = types.Insert
			}
		}
		for range left.count[e] {
			if err := left.read(e, j.out.Cols); err != nil {
				return err
			}
			j.out.AppendKind(out)
		}
	}
	return nil
}

// match returns the entries of the other side that row i of b matches.
func (j *Join) match(in int, b *vector.Batch, i int) ([]int32, error) {
	other := j.sides[1-in]
	g := other.find(j.key)
	if g < 0 {
		return nil, nil
	}
	j.touch(1-in, g)
	if j.pred == nil {
		// A copy: emitting padded rows may not, but removal could reorder the group.
		j.pairs = append(j.pairs[:0], other.rows[g]...)
		return j.pairs, nil
	}
	return j.filter(in, func(cols []vector.Vector) {
		for c := range cols {
			vector.CopyRow(cols[c], b.Cols[c], i)
		}
	}, other, other.rows[g])
}

// filter returns those of candidates, entries of the side other, that fulfil the
// condition together with a row that own appends to the columns of its side in.
func (j *Join) filter(in int, own func([]vector.Vector), other *side, candidates []int32) ([]int32, error) {
	nl := len(j.Left.Fields)
	mine, theirs := j.cand.Cols[:nl], j.cand.Cols[nl:]
	if in == 1 {
		mine, theirs = theirs, mine
	}
	j.pairs = j.pairs[:0]
	for from := 0; from < len(candidates); from += 1024 {
		chunk := candidates[from:min(from+1024, len(candidates))]
		j.cand.Reset()
		for _, e := range chunk {
			own(mine)
			if err := other.read(e, theirs); err != nil {
				return nil, err
			}
			j.cand.N++
		}
		sel, err := j.pred.Select(j.cand, nil, j.sel[:0])
		if err != nil {
			return nil, err
		}
		j.sel = sel
		for _, s := range sel {
			j.pairs = append(j.pairs, chunk[s])
		}
	}
	return j.pairs, nil
}

// pair appends the joined row of row i of b (input in) and an entry of the other side.
func (j *Join) pair(in int, b *vector.Batch, i int, e int32, kind types.RowKind) error {
	nl := len(j.Left.Fields)
	mine, theirs := j.out.Cols[:nl], j.out.Cols[nl:]
	if in == 1 {
		mine, theirs = theirs, mine
	}
	for c := range mine {
		vector.CopyRow(mine[c], b.Cols[c], i)
	}
	if err := j.sides[1-in].read(e, theirs); err != nil {
		return err
	}
	j.out.AppendKind(kind)
	return nil
}

// padded appends row i of b with NULLs for the other side.
func (j *Join) padded(in int, b *vector.Batch, i int, kind types.RowKind) error {
	nl := len(j.Left.Fields)
	mine, theirs := j.out.Cols[:nl], j.out.Cols[nl:]
	if in == 1 {
		mine, theirs = theirs, mine
	}
	for c := range mine {
		vector.CopyRow(mine[c], b.Cols[c], i)
	}
	appendNulls(theirs)
	j.out.AppendKind(kind)
	return nil
}

// paddedEntry is padded for a row of the state.
func (j *Join) paddedEntry(in int, e int32, kind types.RowKind) error {
	nl := len(j.Left.Fields)
	mine, theirs := j.out.Cols[:nl], j.out.Cols[nl:]
	if in == 1 {
		mine, theirs = theirs, mine
	}
	if err := j.sides[in].read(e, mine); err != nil {
		return err
	}
	appendNulls(theirs)
	j.out.AppendKind(kind)
	return nil
}

func appendNulls(cols []vector.Vector) {
	for _, c := range cols {
		vector.SetNullDeep(c, vector.Extend(c, 1))
	}
}

// Control implements exec.Operator.
func (j *Join) Control(_ int, ev exec.Event, out exec.Output) error {
	switch ev.Kind {
	case exec.Barrier:
		if j.cx.State != nil {
			for in, s := range j.sides {
				if err := s.entries.Snapshot(tagged{j.cx.State, byte(in)}, s.save); err != nil {
					return err
				}
			}
		}
		j.measure()
	case exec.End:
		if j.cx.Batch && !j.done && !ev.Stopped {
			j.done = true
			if err := j.batchResult(out); err != nil {
				return err
			}
		}
		j.measure()
	}
	return out.Forward(ev)
}

func (j *Join) measure() {
	j.cx.Metrics.StateRows.Store(int64(j.sides[0].entries.Len() + j.sides[1].entries.Len()))
	j.cx.Metrics.StateBytes.Store(j.sides[0].bytes() + j.sides[1].bytes())
}

// expire sweeps the sides, each at most four times its TTL.
func (j *Join) expire() {
	for in, ttl := range j.ttl {
		if ttl == 0 {
			continue
		}
		if now := j.cx.Now(); j.swept[in].Due(now, ttl) {
			j.sides[in].expire(now - ttl.Milliseconds())
		}
	}
}

// Close implements exec.Operator.
func (j *Join) Close() error { return nil }

// tagged puts the number of a side in front of keys.
type tagged struct {
	state.Backend
	side byte
}

func (t tagged) Put(unit uint16, key, value []byte) error {
	return t.Backend.Put(unit, append([]byte{t.side}, key...), value)
}

func (t tagged) Delete(unit uint16, key []byte) error {
	return t.Backend.Delete(unit, append([]byte{t.side}, key...))
}

var _ exec.Operator = (*Join)(nil)
