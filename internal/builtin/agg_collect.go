package builtin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// aggCollectFuncs keep the values of a group.
var aggCollectFuncs = []function.Def{
	{
		Name: "LISTAGG", Group: "aggregate", Sig: "(STRING, [LITERAL STRING]) -> STRING",
		Doc:       "The texts joined by the separator (default a comma), NULLs left out.",
		Infer:     inferListagg,
		Aggregate: &function.Aggregate{Retracts: true, Ordered: true, New: newListagg},
	},
	{
		Name: "ARRAY_AGG", Group: "aggregate", Sig: "(ANY) -> ARRAY", Doc: "The values as an array, NULLs kept. NULL over no rows.",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 {
				return function.Signature{}, errors.New("ARRAY_AGG takes one argument")
			}
			t := args[0].Type.Plain()
			return function.Signature{Args: []types.Type{t}, Result: types.ArrayOf(t).WithNull(t.Nullable)}, nil
		},
		Aggregate: &function.Aggregate{Retracts: true, Ordered: true, KeepsNulls: true,
			New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
				return &listAcc{elem: c.Args[0].Type, finish: finishArray}, nil
			}},
	},
	{
		Name: "COLLECT", Group: "aggregate", Sig: "(ANY) -> MULTISET!", Doc: "The values as a multiset, NULLs left out.",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 {
				return function.Signature{}, errors.New("COLLECT takes one argument")
			}
			t := args[0].Type.Plain()
			return function.Signature{Args: []types.Type{t}, Result: types.MultisetOf(t).NotNull()}, nil
		},
		Aggregate: &function.Aggregate{Retracts: true,
			New: func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
				return &listAcc{elem: c.Args[0].Type, finish: finishMultiset}, nil
			}},
	},
	{
		Name: "PERCENTILE", Group: "aggregate", Sig: "(NUMERIC, LITERAL DOUBLE | ARRAY<DOUBLE>, [INTEGER]) -> DOUBLE",
		Doc:       "The exact percentile (0 to 1), interpolated linearly; with an array of percentages an array; the third argument is how often a value counts.",
		Infer:     inferPercentile,
		Aggregate: &function.Aggregate{Retracts: true, EmptyIsNull: true, New: newPercentile},
	},
}

func inferListagg(args []function.Arg) (function.Signature, error) {
	if len(args) < 1 || len(args) > 2 {
		return function.Signature{}, errors.New("LISTAGG takes a text and an optional separator")
	}
	for _, a := range args {
		if !a.Type.IsChar() {
			return function.Signature{}, fmt.Errorf("LISTAGG takes texts, not %s", a.Type)
		}
	}
	s := function.Signature{Args: []types.Type{args[0].Type}, Result: types.String().WithNull(args[0].Type.Nullable)}
	if len(args) == 2 {
		if !args[1].Const {
			return s, errors.New("the separator of LISTAGG must be a literal")
		}
		s.Args = append(s.Args, args[1].Type)
	}
	return s, nil
}

func newListagg(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	sep := ","
	if len(c.Args) == 2 {
		s, ok := c.Args[1].Value.(string)
		if !ok {
			return nil, errors.New("the separator of LISTAGG must be a text literal")
		}
		sep = s
	}
	if !c.Retracts {
		return &joinAcc{sep: sep}, nil
	}
	return &listAcc{elem: c.Args[0].Type, finish: func(l *vectorList, out vector.Vector) error {
		var b []byte
		vals := l.vals.(*vector.Flat[string])
		for i, at := range l.rows {
			if i > 0 {
				b = append(b, sep...)
			}
			b = append(b, vals.Vals[at]...)
		}
		if len(l.rows) == 0 {
			vector.Append(out, nil)
			return nil
		}
		vector.Append(out, string(b))
		return nil
	}}, nil
}

// joinAcc is LISTAGG without retraction: the text itself is the state.
type joinAcc struct {
	sep  string
	text [][]byte
	has  []bool
}

func (a *joinAcc) Resize(n int) { a.text, a.has = grow(a.text, n), grow(a.has, n) }

func (a *joinAcc) add(s int32, text string) {
	if a.has[s] {
		a.text[s] = append(a.text[s], a.sep...)
	}
	a.has[s] = true
	a.text[s] = append(a.text[s], text...)
}

func (a *joinAcc) Update(slots []int32, args []vector.Vector, rows []int32, _ []int8) error {
	vals, one := cell[string](args[0])
	for i, s := range slots {
		r := rows[i]
		if one {
			r = 0
		}
		a.add(s, vals[r])
	}
	return nil
}

func (a *joinAcc) Merge(to int32, other function.Accumulators, from int32) error {
	if o := other.(*joinAcc); o.has[from] {
		a.add(to, string(o.text[from]))
	}
	return nil
}

func (a *joinAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		if a.has[s] {
			vector.Append(out, string(a.text[s]))
		} else {
			vector.Append(out, nil)
		}
	}
	return nil
}

func (a *joinAcc) Clear(slot int32) { a.text[slot], a.has[slot] = nil, false }

func (a *joinAcc) Save(dst []byte, slot int32) []byte {
	if !a.has[slot] {
		return append(dst, 0)
	}
	dst = binary.AppendUvarint(append(dst, 1), uint64(len(a.text[slot])))
	return append(dst, a.text[slot]...)
}

func (a *joinAcc) Load(slot int32, b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, vector.ErrCorrupt
	}
	if b[0] == 0 {
		return b[1:], nil
	}
	n, w := binary.Uvarint(b[1:])
	if w <= 0 || uint64(len(b)-1-w) < n {
		return nil, vector.ErrCorrupt
	}
	b = b[1+w:]
	a.has[slot], a.text[slot] = true, slices.Clone(b[:n])
	return b[n:], nil
}

func (a *joinAcc) Bytes() int64 {
	var n int64
	for _, t := range a.text {
		n += int64(cap(t)) + 24
	}
	return n
}

// vectorList is the values of one group, in order: rows of a vector.
type vectorList struct {
	vals vector.Vector
	rows []int32
}

func (l *vectorList) add(elem types.Type, v vector.Vector, i int) {
	if l.vals == nil {
		l.vals = vector.New(elem, 4)
	}
	l.rows = append(l.rows, int32(l.vals.Len()))
	vector.CopyRow(l.vals, v, i)
}

// remove takes the first equal value out. Retractions mostly come in the order
// of the additions, so it is near the front.
func (l *vectorList) remove(elem types.Type, v vector.Vector, i int) {
	for k, at := range l.rows {
		if vector.SameKey(l.vals, int(at), v, i) {
			l.rows = slices.Delete(l.rows, k, k+1)
			break
		}
	}
	if n := l.vals; n != nil && n.Len() > 64 && n.Len() > 2*len(l.rows) {
		fresh := vector.New(elem, len(l.rows))
		for k, at := range l.rows {
			vector.CopyRow(fresh, l.vals, int(at))
			l.rows[k] = int32(k)
		}
		l.vals = fresh
	}
}

// listAcc keeps all values of a group; finish makes the result of them.
type listAcc struct {
	elem   types.Type
	groups []vectorList
	finish func(l *vectorList, out vector.Vector) error
}

func (a *listAcc) Resize(n int) { a.groups = grow(a.groups, n) }

func (a *listAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	for i, s := range slots {
		if signs == nil || signs[i] > 0 {
			a.groups[s].add(a.elem, args[0], int(rows[i]))
		} else if a.groups[s].vals != nil {
			a.groups[s].remove(a.elem, args[0], int(rows[i]))
		}
	}
	return nil
}

func (a *listAcc) Merge(to int32, other function.Accumulators, from int32) error {
	l := &other.(*listAcc).groups[from]
	for _, at := range l.rows {
		a.groups[to].add(a.elem, l.vals, int(at))
	}
	return nil
}

func (a *listAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		if a.groups[s].vals == nil {
			a.groups[s].vals = vector.New(a.elem, 0)
		}
		if err := a.finish(&a.groups[s], out); err != nil {
			return err
		}
	}
	return nil
}

func (a *listAcc) Clear(slot int32) { a.groups[slot] = vectorList{} }

func (a *listAcc) Save(dst []byte, slot int32) []byte {
	l := &a.groups[slot]
	dst = binary.AppendUvarint(dst, uint64(len(l.rows)))
	for _, at := range l.rows {
		dst = vector.AppendRow(dst, l.vals, int(at))
	}
	return dst
}

func (a *listAcc) Load(slot int32, b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	l := &a.groups[slot]
	l.vals = vector.New(a.elem, int(n))
	for i := range n {
		var err error
		if b, err = vector.ReadRow(l.vals, b); err != nil {
			return nil, err
		}
		l.rows = append(l.rows, int32(i))
	}
	return b, nil
}

func (a *listAcc) Bytes() int64 {
	var n int64
	for i := range a.groups {
		n += 56 + int64(len(a.groups[i].rows))*28
	}
	return n
}

func finishArray(l *vectorList, out vector.Vector) error {
	v := out.(*vector.List)
	at := vector.Extend(out, 1)
	if len(l.rows) == 0 {
		v.SetNull(at)
		return nil
	}
	v.Off[at], v.Count[at] = int32(v.Child.Len()), int32(len(l.rows))
	for _, r := range l.rows {
		vector.CopyRow(v.Child, l.vals, int(r))
	}
	return nil
}

func finishMultiset(l *vectorList, out vector.Vector) error {
	v := out.(*vector.Map)
	at := vector.Extend(out, 1)
	v.Off[at] = int32(v.Keys.Len())
	index := map[string]int{}
	var counts []int32
	var first []int32
	var key []byte
	for _, r := range l.rows {
		key = vector.AppendKey(key[:0], l.vals, int(r))
		i, ok := index[string(key)]
		if !ok {
			i = len(counts)
			index[string(key)] = i
			counts, first = append(counts, 0), append(first, r)
		}
		counts[i]++
	}
	for i, r := range first {
		vector.CopyRow(v.Keys, l.vals, int(r))
		vector.Append(v.Vals, counts[i])
	}
	v.Count[at] = int32(len(first))
	return nil
}

var errSeveral = errors.New("SINGLE_VALUE received more than one value")

func finishSingle(l *vectorList, out vector.Vector) error {
	switch len(l.rows) {
	case 0:
		vector.SetNullDeep(out, vector.Extend(out, 1))
		return nil
	case 1:
		vector.CopyRow(out, l.vals, int(l.rows[0]))
		return nil
	}
	return errSeveral
}

// newPosition makes FIRST_VALUE and LAST_VALUE: with retraction all values are
// kept in order, without only the one.
func newPosition(first bool) func(*function.Context, function.AggregateCall) (function.Accumulators, error) {
	return func(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
		if !c.Retracts {
			return &positionAcc{kept: newSlotRow(c.Result), first: first}, nil
		}
		return &listAcc{elem: c.Args[0].Type, finish: func(l *vectorList, out vector.Vector) error {
			if len(l.rows) == 0 {
				vector.SetNullDeep(out, vector.Extend(out, 1))
				return nil
			}
			at := l.rows[0]
			if !first {
				at = l.rows[len(l.rows)-1]
			}
			vector.CopyRow(out, l.vals, int(at))
			return nil
		}}, nil
	}
}

type positionAcc struct {
	kept  slotRow
	first bool
}

func (a *positionAcc) Resize(n int) { a.kept.resize(n) }

func (a *positionAcc) Update(slots []int32, args []vector.Vector, rows []int32, _ []int8) error {
	for i, s := range slots {
		if a.first && a.kept.at[s] >= 0 {
			continue
		}
		a.kept.set(s, args[0], int(rows[i]))
	}
	return nil
}

func (a *positionAcc) Merge(to int32, other function.Accumulators, from int32) error {
	o := other.(*positionAcc)
	if at := o.kept.at[from]; at >= 0 && !(a.first && a.kept.at[to] >= 0) {
		a.kept.set(to, o.kept.vals, int(at))
	}
	return nil
}

func (a *positionAcc) Result(slots []int32, out vector.Vector) error {
	a.kept.result(slots, out)
	return nil
}
func (a *positionAcc) Clear(slot int32)                          { a.kept.clear(slot) }
func (a *positionAcc) Save(dst []byte, slot int32) []byte        { return a.kept.save(dst, slot) }
func (a *positionAcc) Load(slot int32, b []byte) ([]byte, error) { return a.kept.load(slot, b) }
func (a *positionAcc) Bytes() int64                              { return a.kept.bytes() }

func inferPercentile(args []function.Arg) (function.Signature, error) {
	var s function.Signature
	if len(args) < 2 || len(args) > 3 {
		return s, errors.New("PERCENTILE takes a number, a percentage and an optional frequency")
	}
	if !args[0].Type.IsNumeric() {
		return s, fmt.Errorf("PERCENTILE takes a number, not %s", args[0].Type)
	}
	double := types.Of(types.Double)
	result, want := double, double.NotNull()
	if args[1].Type.Kind == types.Array {
		result, want = types.ArrayOf(double), types.ArrayOf(double.NotNull()).NotNull()
	} else if !args[1].Type.IsNumeric() {
		return s, fmt.Errorf("the percentage must be a number or an array of numbers, not %s", args[1].Type)
	}
	if args[1].Const {
		for _, p := range percentages(args[1]) {
			if !(p >= 0 && p <= 1) {
				return s, errors.New("the percentage must be between 0 and 1")
			}
		}
	}
	s = function.Signature{Args: []types.Type{double.WithNull(args[0].Type.Nullable), want}, Result: result.OrNull()}
	if len(args) == 3 {
		if !args[2].Type.IsInteger() {
			return s, fmt.Errorf("the frequency must be an integer, not %s", args[2].Type)
		}
		s.Args = append(s.Args, types.Of(types.BigInt).WithNull(args[2].Type.Nullable))
	}
	return s, nil
}

// percentages are the constant percentages of an argument of any numeric type.
func percentages(a function.Arg) []float64 {
	one := func(v types.Value, t types.Type) float64 {
		f, err := types.CastValue(v, t, types.Of(types.Double), nil, true)
		if x, ok := f.(float64); ok && err == nil {
			return x
		}
		return math.NaN()
	}
	if a.Type.Kind != types.Array {
		return []float64{one(a.Value, a.Type)}
	}
	var out []float64
	list, _ := a.Value.([]types.Value)
	for _, v := range list {
		out = append(out, one(v, *a.Type.Elem))
	}
	return out
}

// percentileAcc keeps the values of a group with their frequencies.
type percentileAcc struct {
	groups []map[float64]int64
	want   []float64 // constant percentages
	array  bool
	freq   bool
}

func newPercentile(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	if !c.Args[1].Const {
		return nil, errors.New("the percentage must be a literal")
	}
	return &percentileAcc{want: percentages(c.Args[1]), array: c.Args[1].Type.Kind == types.Array, freq: len(c.Args) == 3}, nil
}

func (a *percentileAcc) Resize(n int) { a.groups = grow(a.groups, n) }

func (a *percentileAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	vals, one := cell[float64](args[0])
	for i, s := range slots {
		r := rows[i]
		n := signOf(signs, i)
		if a.freq {
			f := vector.Get(args[2], int(r))
			if f == nil {
				continue
			}
			n *= f.(int64)
		}
		if one {
			r = 0
		}
		if a.groups[s] == nil {
			a.groups[s] = map[float64]int64{}
		}
		g := a.groups[s]
		if g[vals[r]] += n; g[vals[r]] == 0 {
			delete(g, vals[r])
		}
	}
	return nil
}

func (a *percentileAcc) Merge(to int32, other function.Accumulators, from int32) error {
	if a.groups[to] == nil {
		a.groups[to] = map[float64]int64{}
	}
	for v, n := range other.(*percentileAcc).groups[from] {
		a.groups[to][v] += n
	}
	return nil
}

func (a *percentileAcc) Result(slots []int32, out vector.Vector) error {
	for _, s := range slots {
		g := a.groups[s]
		var total int64
		keys := make([]float64, 0, len(g))
		for v, n := range g {
			if n > 0 {
				keys = append(keys, v)
				total += n
			}
		}
		if total == 0 {
			vector.Append(out, nil)
			continue
		}
		slices.Sort(keys)
		var results []types.Value
		for _, p := range a.want {
			results = append(results, interpolate(keys, g, 1+p*float64(total-1)))
		}
		if a.array {
			vector.Append(out, results)
		} else {
			vector.Append(out, results[0])
		}
	}
	return nil
}

// interpolate returns the value at position pos of the sorted multiset. Positions
// count from 1, as Flink's do: its last digits come from that.
func interpolate(keys []float64, n map[float64]int64, pos float64) float64 {
	low, high := int64(math.Floor(pos)), int64(math.Ceil(pos))
	var seen int64
	var a float64
	found := false
	for _, k := range keys {
		seen += n[k]
		if !found && seen >= low {
			a, found = k, true
		}
		if seen >= high {
			if low == high || a == k {
				return a
			}
			return (float64(high)-pos)*a + (pos-float64(low))*k
		}
	}
	return a
}

func (a *percentileAcc) Clear(slot int32) { a.groups[slot] = nil }

func (a *percentileAcc) Save(dst []byte, slot int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(a.groups[slot])))
	for v, n := range a.groups[slot] {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

func (a *percentileAcc) Load(slot int32, b []byte) ([]byte, error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	a.groups[slot] = map[float64]int64{}
	for range n {
		if len(b) < 8 {
			return nil, vector.ErrCorrupt
		}
		v := math.Float64frombits(binary.LittleEndian.Uint64(b))
		var c int64
		var err error
		if b, err = loadVarint(b[8:], &c); err != nil {
			return nil, err
		}
		a.groups[slot][v] = c
	}
	return b, nil
}

func (a *percentileAcc) Bytes() int64 {
	var n int64
	for _, g := range a.groups {
		n += 48 + int64(len(g))*24
	}
	return n
}
