package builtin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// maxJSONAgg is the length Flink declares for the results. It is not enforced.
const maxJSONAgg = 2000

var aggJSONFuncs = []function.Def{
	{
		Name: "JSON_OBJECTAGG", Group: "aggregate", Sig: "([KEY] key VALUE value [NULL | ABSENT ON NULL]) -> VARCHAR(2000)!",
		Doc:       "A JSON object of the keys and values of the group, sorted by key; a key that comes twice is an error. NULL becomes null unless ABSENT ON NULL.",
		Infer:     inferJSONObjectAgg,
		Aggregate: &function.Aggregate{Retracts: true, KeepsNulls: true, New: newJSONObjectAgg},
	},
	{
		Name: "JSON_ARRAYAGG", Group: "aggregate", Sig: "(value [NULL | ABSENT ON NULL]) -> VARCHAR(2000)!",
		Doc:       "A JSON array of the values of the group. NULLs are left out unless NULL ON NULL.",
		Infer:     inferJSONArrayAgg,
		Aggregate: &function.Aggregate{Retracts: true, Ordered: true, KeepsNulls: true, New: newJSONArrayAgg},
	},
}

func jsonAggType() types.Type {
	t := types.VarCharOf(maxJSONAgg).NotNull()
	t.Unit = jsonText
	return t
}

// jsonAggWriter is jsonWriter, but for FLOAT: the aggregates widen it, as Flink does.
func jsonAggWriter(t types.Type) (jsonWrite, error) {
	write, err := jsonWriter(t)
	if err != nil || t.Kind != types.Float {
		return write, err
	}
	return func(dst []byte, v vector.Vector, i int) []byte {
		if v.IsNull(i) {
			return append(dst, "null"...)
		}
		vals, one := cell[float32](v)
		if one {
			i = 0
		}
		return appendJSONDouble(dst, float64(vals[i]))
	}, nil
}

func inferJSONObjectAgg(args []function.Arg) (function.Signature, error) {
	first, _ := nullClause(args, false)
	s := function.Signature{Args: argTypes(args), Result: jsonAggType()}
	if len(args)-first != 2 {
		return s, errors.New("JSON_OBJECTAGG takes a key and a value")
	}
	if !args[first].Type.IsChar() {
		return s, fmt.Errorf("the key of JSON_OBJECTAGG is a text, not %s", args[first].Type.OrNull())
	}
	_, err := jsonWriter(args[first+1].Type)
	keepUnits(&s, args)
	return s, err
}

func inferJSONArrayAgg(args []function.Arg) (function.Signature, error) {
	first, _ := nullClause(args, true)
	s := function.Signature{Args: argTypes(args), Result: jsonAggType()}
	if len(args)-first != 1 {
		return s, errors.New("JSON_ARRAYAGG takes one value")
	}
	_, err := jsonWriter(args[first].Type)
	keepUnits(&s, args)
	return s, err
}

func newJSONArrayAgg(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	first, absent := nullClause(c.Args, true)
	if first >= len(c.Args) {
		return nil, errors.New("JSON_ARRAYAGG takes one value")
	}
	write, err := jsonAggWriter(c.Args[first].Type)
	if err != nil {
		return nil, err
	}
	return &jsonArrayAcc{arg: first, absent: absent, listAcc: listAcc{elem: c.Args[first].Type, finish: func(l *vectorList, out vector.Vector) error {
		o := out.(*vector.Flat[string])
		b := append(o.Arena.Grow(2+16*len(l.rows)), '[')
		for i, at := range l.rows {
			if i > 0 {
				b = append(b, ',')
			}
			b = write(b, l.vals, int(at))
		}
		i := vector.Extend(out, 1)
		o.Vals[i] = o.Arena.Take(append(b, ']'))
		return nil
	}}}, nil
}

// jsonArrayAcc is JSON_ARRAYAGG: the values of a group in order.
type jsonArrayAcc struct {
	listAcc
	arg    int
	absent bool
}

// Update implements function.Accumulators.
func (a *jsonArrayAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	v := args[a.arg]
	for i, s := range slots {
		r := int(rows[i])
		if a.absent && v.IsNull(r) {
			continue
		}
		if signs == nil || signs[i] > 0 {
			a.groups[s].add(a.elem, v, r)
		} else if a.groups[s].vals != nil {
			a.groups[s].remove(a.elem, v, r)
		}
	}
	return nil
}

// Merge implements function.Accumulators.
func (a *jsonArrayAcc) Merge(to int32, other function.Accumulators, from int32) error {
	return a.listAcc.Merge(to, &other.(*jsonArrayAcc).listAcc, from)
}

func newJSONObjectAgg(_ *function.Context, c function.AggregateCall) (function.Accumulators, error) {
	first, absent := nullClause(c.Args, false)
	if len(c.Args)-first != 2 {
		return nil, errors.New("JSON_OBJECTAGG takes a key and a value")
	}
	write, err := jsonAggWriter(c.Args[first+1].Type)
	if err != nil {
		return nil, err
	}
	return &jsonObjectAcc{arg: first, absent: absent, write: write}, nil
}

// jsonObjectAcc is JSON_OBJECTAGG: the values of each key, as JSON. A key with
// several values, which is an error of the result, may get back to one by
// retraction.
type jsonObjectAcc struct {
	arg    int
	absent bool
	write  jsonWrite
	groups []map[string][]string
	text   []byte
	bytes  int64
}

var errNullKey = errors.New("a key of JSON_OBJECTAGG is NULL")

// Resize implements function.Accumulators.
func (a *jsonObjectAcc) Resize(n int) { a.groups = grow(a.groups, n) }

// Update implements function.Accumulators.
func (a *jsonObjectAcc) Update(slots []int32, args []vector.Vector, rows []int32, signs []int8) error {
	keys, one := cell[string](args[a.arg])
	vals := args[a.arg+1]
	for i, s := range slots {
		r := int(rows[i])
		if args[a.arg].IsNull(r) {
			return &function.RowError{Row: r, Err: errNullKey}
		}
		if a.absent && vals.IsNull(r) {
			continue
		}
		a.text = a.write(a.text[:0], vals, r)
		if one {
			r = 0
		}
		if signs == nil || signs[i] > 0 {
			a.add(s, strings.Clone(keys[r]), string(a.text))
		} else {
			a.remove(s, keys[r])
		}
	}
	return nil
}

func (a *jsonObjectAcc) add(s int32, key, value string) {
	if a.groups[s] == nil {
		a.groups[s] = map[string][]string{}
	}
	a.groups[s][key] = append(a.groups[s][key], value)
	a.bytes += int64(len(key)+len(value)) + 64
}

// remove takes back the value in a.text.
func (a *jsonObjectAcc) remove(s int32, key string) {
	vals := a.groups[s][key]
	k := slices.Index(vals, vector.View(a.text))
	if k < 0 {
		return
	}
	a.bytes -= int64(len(key)+len(vals[k])) + 64
	if len(vals) == 1 {
		delete(a.groups[s], key)
		return
	}
	a.groups[s][key] = slices.Delete(vals, k, k+1)
}

// Merge implements function.Accumulators.
func (a *jsonObjectAcc) Merge(to int32, other function.Accumulators, from int32) error {
	for key, vals := range other.(*jsonObjectAcc).groups[from] {
		for _, v := range vals {
			a.add(to, key, v)
		}
	}
	return nil
}

func (a *jsonObjectAcc) keys(slot int32) []string {
	keys := make([]string, 0, len(a.groups[slot]))
	for k := range a.groups[slot] {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareUTF16)
	return keys
}

// Result implements function.Accumulators.
func (a *jsonObjectAcc) Result(slots []int32, out vector.Vector) error {
	o := out.(*vector.Flat[string])
	for _, s := range slots {
		b := append(o.Arena.Grow(2+32*len(a.groups[s])), '{')
		for i, k := range a.keys(s) {
			vals := a.groups[s][k]
			if len(vals) > 1 {
				return fmt.Errorf("key '%s' comes more than once, which JSON_OBJECTAGG does not allow", k)
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(appendJSONQuoted(b, k), ':'), vals[0]...)
		}
		i := vector.Extend(out, 1)
		o.Vals[i] = o.Arena.Take(append(b, '}'))
	}
	return nil
}

// Clear implements function.Accumulators.
func (a *jsonObjectAcc) Clear(slot int32) {
	for k, vals := range a.groups[slot] {
		for _, v := range vals {
			a.bytes -= int64(len(k)+len(v)) + 64
		}
	}
	a.groups[slot] = nil
}

// Save implements function.Accumulators: the number of pairs, then keys and values.
func (a *jsonObjectAcc) Save(dst []byte, slot int32) []byte {
	n := 0
	for _, vals := range a.groups[slot] {
		n += len(vals)
	}
	dst = binary.AppendUvarint(dst, uint64(n))
	for _, k := range a.keys(slot) {
		for _, v := range a.groups[slot][k] {
			dst = append(binary.AppendUvarint(dst, uint64(len(k))), k...)
			dst = append(binary.AppendUvarint(dst, uint64(len(v))), v...)
		}
	}
	return dst
}

// Load implements function.Accumulators.
func (a *jsonObjectAcc) Load(slot int32, b []byte) ([]byte, error) {
	text := func() (string, bool) {
		n, w := binary.Uvarint(b)
		if w <= 0 || uint64(len(b)-w) < n {
			return "", false
		}
		s := string(b[w : w+int(n)])
		b = b[w+int(n):]
		return s, true
	}
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)) {
		return nil, vector.ErrCorrupt
	}
	b = b[w:]
	for range n {
		k, ok := text()
		v, ok2 := text()
		if !ok || !ok2 {
			return nil, vector.ErrCorrupt
		}
		a.add(slot, k, v)
	}
	return b, nil
}

// Bytes implements function.Accumulators.
func (a *jsonObjectAcc) Bytes() int64 { return a.bytes + int64(len(a.groups))*8 }

var (
	_ function.Accumulators = (*jsonArrayAcc)(nil)
	_ function.Accumulators = (*jsonObjectAcc)(nil)
)
