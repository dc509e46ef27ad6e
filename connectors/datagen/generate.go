package datagen

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// generator makes the value of a row.
type generator interface {
	// put stores the value of the row with this number in row i of out.
	put(out vector.Vector, i int, number int64) error
}

// mix makes all bits of the result depend on all bits of x (splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashName(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func (b *builder) field(path string, t types.Type, seed uint64) (generator, error) {
	b.paths = append(b.paths, path)
	b.types[path] = t
	kind, _ := b.get(path, "kind")
	switch kind {
	case "sequence":
		return b.sequence(path, t)
	case "", "random":
	default:
		e := b.bad(path, "kind", "'%s' is neither random nor sequence", kind)
		if near := diag.Nearest(kind, []string{"random", "sequence"}); near != "" {
			e.Hint = "did you mean '" + near + "'?"
		}
		return nil, e
	}
	g, err := b.random(path, t, seed)
	if err != nil {
		return nil, err
	}
	rate, err := b.number(path, "null-rate", 0, 0, 1)
	if err != nil || rate == 0 {
		return g, err
	}
	return &nulls{g, seed ^ 0x6e756c6c, rate}, nil
}

// nulls makes a share of the values NULL.
type nulls struct {
	generator
	seed uint64
	rate float64
}

func (g *nulls) put(out vector.Vector, i int, number int64) error {
	if unit(mix(g.seed^uint64(number))) < g.rate {
		vector.SetNullDeep(out, i)
		return nil
	}
	return g.generator.put(out, i, number)
}

// unit maps random bits to [0, 1).
func unit(r uint64) float64 { return float64(r>>11) / (1 << 53) }

func (b *builder) sequence(path string, t types.Type) (generator, error) {
	start, ok1 := b.get(path, "start")
	end, ok2 := b.get(path, "end")
	if !ok1 || !ok2 {
		return nil, b.bad(path, "kind", "a sequence needs 'start' and 'end'")
	}
	from, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return nil, b.bad(path, "start", "'%s' is no whole number", start)
	}
	to, err := strconv.ParseInt(end, 10, 64)
	if err != nil || to < from {
		return nil, b.bad(path, "end", "'%s' is no whole number from %d on", end, from)
	}
	if !t.IsNumeric() && !t.IsChar() {
		return nil, b.bad(path, "kind", "there is no sequence of %s", t)
	}
	if lo, hi := integerRange(t); from < lo || to > hi {
		return nil, b.bad(path, "end", "%d to %d is more than %s holds", from, to, t)
	}
	if n := to - from + 1; n > 0 && (b.end < 0 || n < b.end) {
		b.end = n
	}
	return &sequence{from, t}, nil
}

func integerRange(t types.Type) (lo, hi int64) {
	switch t.Kind {
	case types.TinyInt:
		return math.MinInt8, math.MaxInt8
	case types.SmallInt:
		return math.MinInt16, math.MaxInt16
	case types.Int:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

type sequence struct {
	from int64
	t    types.Type
}

func (g *sequence) put(out vector.Vector, i int, number int64) error {
	return putNumber(out, i, g.t, g.from+number)
}

func putNumber(out vector.Vector, i int, t types.Type, n int64) error {
	switch v := out.(type) {
	case *vector.Flat[int8]:
		v.Vals[i] = int8(n)
	case *vector.Flat[int16]:
		v.Vals[i] = int16(n)
	case *vector.Flat[int32]:
		v.Vals[i] = int32(n)
	case *vector.Flat[int64]:
		v.Vals[i] = n
	case *vector.Flat[float32]:
		v.Vals[i] = float32(n)
	case *vector.Flat[float64]:
		v.Vals[i] = float64(n)
	case *vector.Flat[string]:
		v.Vals[i] = v.Arena.Take(strconv.AppendInt(v.Arena.Grow(20), n, 10))
	case *vector.Flat[types.Dec]:
		d, ok := types.DecFromInt64(n).Rescale(0, t.Scale)
		if !ok || !d.FitsPrecision(t.Prec) {
			return fmt.Errorf("%d is more than %s holds", n, t)
		}
		v.Vals[i] = d
	}
	return nil
}

func (b *builder) random(path string, t types.Type, seed uint64) (generator, error) {
	switch t.Kind {
	case types.Boolean:
		return &booleans{seed}, nil
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.IntervalYM, types.IntervalDS:
		lo, hi := integerRange(t)
		if t.Kind == types.IntervalYM {
			lo, hi = 0, 120000
		} else if t.Kind == types.IntervalDS {
			lo, hi = 0, math.MaxInt64>>20
		}
		from, err := b.integer(path, "min", lo, lo, hi)
		if err != nil {
			return nil, err
		}
		to, err := b.integer(path, "max", hi, lo, hi)
		if err == nil && to < from {
			err = b.bad(path, "max", "%d is less than the minimum %d", to, from)
		}
		return &integers{seed, from, to, t}, err
	case types.Float, types.Double, types.Decimal:
		most := math.MaxFloat64
		lo, hi := -most, most
		if t.Kind == types.Float {
			most = math.MaxFloat32
			lo, hi = -most, most
		} else if t.Kind == types.Decimal {
			most = math.Pow10(t.Prec-t.Scale) - math.Pow10(-t.Scale)
			lo, hi = -most, most
		}
		from, err := b.number(path, "min", lo, -most, most)
		if err != nil {
			return nil, err
		}
		to, err := b.number(path, "max", hi, -most, most)
		if err == nil && to < from {
			err = b.bad(path, "max", "%v is less than the minimum %v", to, from)
		}
		return &floats{seed, from, to, t}, err
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
		return b.texts(path, t, seed)
	case types.Date, types.Time, types.Timestamp, types.TimestampLTZ:
		g := &times{seed: seed, cx: b.cx, t: t}
		if text, ok := b.get(path, "max-past"); ok {
			d, valid := option.ParseDuration(text)
			if !valid || t.Kind == types.Time {
				return nil, b.bad(path, "max-past", "'%s' is no duration such as 5 min", text)
			}
			g.past = d
		}
		return g, nil
	case types.Array, types.Multiset, types.Map:
		return b.collection(path, t, seed)
	case types.Row:
		g := &rows{}
		for _, f := range t.Fields {
			part, err := b.field(path+"."+f.Name, f.Type, mix(seed^hashName(f.Name)))
			if err != nil {
				return nil, err
			}
			g.parts = append(g.parts, part)
		}
		return g, nil
	}
	return nil, fmt.Errorf("datagen: column %s: values of %s cannot be made up", path, t)
}

type booleans struct{ seed uint64 }

func (g *booleans) put(out vector.Vector, i int, number int64) error {
	out.(*vector.Flat[bool]).Vals[i] = mix(g.seed^uint64(number))&1 == 1
	return nil
}

type integers struct {
	seed     uint64
	from, to int64
	t        types.Type
}

func (g *integers) put(out vector.Vector, i int, number int64) error {
	r := mix(g.seed ^ uint64(number))
	if span := uint64(g.to-g.from) + 1; span != 0 {
		r, _ = bits.Mul64(r, span)
	}
	return putNumber(out, i, g.t, g.from+int64(r))
}

type floats struct {
	seed     uint64
	from, to float64
	t        types.Type
}

func (g *floats) put(out vector.Vector, i int, number int64) error {
	u := unit(mix(g.seed ^ uint64(number)))
	f := g.from*(1-u) + g.to*u
	switch v := out.(type) {
	case *vector.Flat[float32]:
		v.Vals[i] = float32(f)
	case *vector.Flat[float64]:
		v.Vals[i] = f
	case *vector.Flat[types.Dec]:
		d, ok := types.DecFromFloat64(f, g.t.Prec, g.t.Scale)
		if !ok {
			return fmt.Errorf("%v is more than %s holds", f, g.t)
		}
		v.Vals[i] = d
	}
	return nil
}

// texts makes hexadecimal digits, or bytes.
type texts struct {
	seed    uint64
	length  int
	varying bool // 1 to length
	binary  bool
}

func (b *builder) texts(path string, t types.Type, seed uint64) (generator, error) {
	most := int64(t.Prec)
	def := int64(100)
	if t.Kind == types.Char || t.Kind == types.Binary {
		def = most
	}
	n, err := b.integer(path, "length", min(def, most), 1, min(most, 1<<24))
	if err != nil {
		return nil, err
	}
	g := &texts{seed: seed, length: int(n), binary: t.IsBinary()}
	if text, ok := b.get(path, "var-len"); ok {
		if g.varying, err = strconv.ParseBool(text); err != nil || g.varying && (t.Kind == types.Char || t.Kind == types.Binary) {
			return nil, b.bad(path, "var-len", "'%s' is not possible for %s", text, t)
		}
	}
	return g, nil
}

func (g *texts) put(out vector.Vector, i int, number int64) error {
	v := out.(*vector.Flat[string])
	r := mix(g.seed ^ uint64(number))
	n := g.length
	if g.varying {
		n = 1 + int(mix(r)%uint64(g.length))
	}
	dst := v.Arena.Grow(n)[:n]
	for k := range dst {
		if k&7 == 0 && k > 0 {
			r = mix(r + uint64(k))
		}
		c := byte(r >> (8 * uint(k&7)))
		if !g.binary {
			c = "0123456789abcdef"[c&15]
		}
		dst[k] = c
	}
	v.Vals[i] = v.Arena.Take(dst)
	return nil
}

// times makes the present, or a time at most past before it.
type times struct {
	seed uint64
	cx   *connector.Context
	past time.Duration
	t    types.Type
}

func (g *times) put(out vector.Vector, i int, number int64) error {
	now := g.cx.Now()
	if g.past > 0 {
		back, _ := bits.Mul64(mix(g.seed^uint64(number)), uint64(g.past)+1)
		now = now.Add(-time.Duration(back))
	}
	ts := types.TSFromTime(now)
	if g.t.Kind != types.TimestampLTZ {
		ts = types.ToLocal(ts, g.cx.Zone)
	}
	switch v := out.(type) {
	case *vector.Flat[types.TS]:
		v.Vals[i] = ts.Truncate(g.t.Prec)
	case *vector.Flat[int32]:
		if g.t.Kind == types.Date {
			v.Vals[i] = int32(ts.Date())
		} else {
			v.Vals[i] = types.TruncateTime(ts.TimeOfDay(), g.t.Prec)
		}
	}
	return nil
}

type rows struct{ parts []generator }

func (g *rows) put(out vector.Vector, i int, number int64) error {
	for f, p := range g.parts {
		if err := p.put(out.(*vector.Row).Cols[f], i, number); err != nil {
			return err
		}
	}
	return nil
}

// collection makes arrays of length elements; maps and multisets of at most as
// many, because equal keys are one.
type collection struct {
	length int64
	parts  []generator
}

func (b *builder) collection(path string, t types.Type, seed uint64) (generator, error) {
	n, err := b.integer(path, "length", 3, 0, 1<<20)
	if err != nil {
		return nil, err
	}
	g := &collection{length: n}
	sub := []string{"element"}
	of := []types.Type{*t.Elem}
	if t.Kind == types.Map {
		sub, of = []string{"key", "value"}, []types.Type{*t.Key, *t.Elem}
	}
	for i, s := range sub {
		part, err := b.field(path+"."+s, of[i], mix(seed^hashName(s)))
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, part)
	}
	return g, nil
}

func (g *collection) put(out vector.Vector, i int, number int64) error {
	switch v := out.(type) {
	case *vector.List:
		at := vector.Extend(v.Child, int(g.length))
		v.Off[i], v.Count[i] = int32(at), int32(g.length)
		for k := range g.length {
			if err := g.parts[0].put(v.Child, at+int(k), number*g.length+k); err != nil {
				return err
			}
		}
	case *vector.Map:
		start := vector.Extend(v.Keys, 0)
		v.Off[i], v.Count[i] = int32(start), 0
		seen := map[types.Value]bool{}
		for k := range g.length {
			at := vector.Extend(v.Keys, 1)
			vector.Extend(v.Vals, 1)
			if err := g.parts[0].put(v.Keys, at, number*g.length+k); err != nil {
				return err
			}
			key := vector.Get(v.Keys, at)
			if !v.Keys.Type().IsNested() {
				if seen[key] {
					return nil // entries stand together: a key that repeats ends the map
				}
				seen[key] = true
			}
			if len(g.parts) == 1 {
				vector.Put(v.Vals, at, int32(1))
			} else if err := g.parts[1].put(v.Vals, at, number*g.length+k); err != nil {
				return err
			}
			v.Count[i] = int32(at - start + 1)
		}
	}
	return nil
}
