package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// group is a group whose fields stay in the order of the table.
type group struct {
	pq.Group
	names []string
}

// Fields implements parquet.Node.
func (g group) Fields() []pq.Field {
	byName := map[string]pq.Field{}
	for _, f := range g.Group.Fields() {
		byName[f.Name()] = f
	}
	out := make([]pq.Field, len(g.names))
	for i, n := range g.names {
		out[i] = byName[n]
	}
	return out
}

func (o *options) groupOf(fields []types.Field) (pq.Node, error) {
	g := group{Group: pq.Group{}}
	for _, f := range fields {
		n, err := o.nodeOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		if _, ok := g.Group[f.Name]; ok || f.Name == "" {
			return nil, fmt.Errorf("column %q: the name is there twice, or empty", f.Name)
		}
		g.Group[f.Name], g.names = n, append(g.names, f.Name)
	}
	if len(fields) == 0 {
		return nil, errors.New("there is no Parquet group without fields")
	}
	return g, nil
}

// perMilliOf is how many units in which timestamps of so many digits are
// written make a millisecond.
func (o *options) perMilliOf(prec int) int64 {
	switch {
	case o.Unit == "millis" || o.Unit == "" && prec <= 3:
		return 1
	case o.Unit == "micros" || o.Unit == "" && prec <= 6:
		return 1000
	}
	return 1_000_000
}

// texts is how texts and bytes are encoded: every reader knows both ways.
func (o *options) texts(n pq.Node) pq.Node {
	if o.Dictionary {
		return pq.Encoded(n, &pq.RLEDictionary)
	}
	return pq.Encoded(n, &pq.Plain)
}

func (o *options) nodeOf(t types.Type) (n pq.Node, err error) {
	switch t.Kind {
	case types.Boolean:
		n = pq.Leaf(pq.BooleanType)
	case types.TinyInt:
		n = pq.Int(8)
	case types.SmallInt:
		n = pq.Int(16)
	case types.Int:
		n = pq.Int(32)
	case types.BigInt:
		n = pq.Int(64)
	case types.Float:
		n = pq.Leaf(pq.FloatType)
	case types.Double:
		n = pq.Leaf(pq.DoubleType)
	case types.Char, types.VarChar:
		n = o.texts(pq.String())
	case types.Binary, types.VarBinary:
		n = o.texts(pq.Leaf(pq.ByteArrayType))
	case types.Date:
		n = pq.Date()
	case types.Time:
		n = pq.TimeAdjusted(pq.Millisecond, false)
	case types.Timestamp, types.TimestampLTZ:
		if !o.Int64 {
			n = pq.Leaf(pq.Int96Type)
			break
		}
		unit := map[int64]pq.TimeUnit{1: pq.Millisecond, 1000: pq.Microsecond, 1_000_000: pq.Nanosecond}[o.perMilliOf(t.Prec)]
		n = pq.TimestampAdjusted(unit, t.Kind == types.TimestampLTZ)
	case types.Decimal:
		switch {
		case t.Prec <= 9:
			n = pq.Decimal(t.Scale, t.Prec, pq.Int32Type)
		case t.Prec <= 18:
			n = pq.Decimal(t.Scale, t.Prec, pq.Int64Type)
		default:
			n = pq.Decimal(t.Scale, t.Prec, pq.FixedLenByteArrayType(16))
		}
	case types.Array:
		if n, err = o.nodeOf(*t.Elem); err == nil {
			n = pq.List(n)
		}
	case types.Map, types.Multiset:
		key, val := *t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = *t.Key, *t.Elem
		}
		var k, v pq.Node
		if k, err = o.nodeOf(key.NotNull()); err == nil {
			if v, err = o.nodeOf(val); err == nil {
				n = pq.Map(k, v)
			}
		}
	case types.Row:
		n, err = o.groupOf(t.Fields)
	default:
		err = fmt.Errorf("the format has no values of type %s", t.OrNull())
	}
	if err != nil {
		return nil, err
	}
	if t.Nullable {
		return pq.Optional(n), nil
	}
	return n, nil
}

// leaves counts the leaf columns of t.
func leaves(t types.Type) int {
	switch t.Kind {
	case types.Array:
		return leaves(*t.Elem)
	case types.Map:
		return leaves(*t.Key) + leaves(*t.Elem)
	case types.Multiset:
		return leaves(*t.Elem) + 1
	case types.Row:
		n := 0
		for _, f := range t.Fields {
			n += leaves(f.Type)
		}
		return n
	}
	return 1
}

// writer shreds rows into the leaves' values and hands them to the library.
type writer struct {
	w      *pq.GenericWriter[any] // written to by rows of values alone
	out    *counter
	fields []types.Field
	leaf   [][]pq.Value // of the row in work, by leaf
	row    pq.Row
	o      *options
	zone   *time.Location
	held   int64 // about the bytes of the row group in work
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func createFile(w io.Writer, e format.Encoding, o *options) (f *writer, err error) {
	defer recovered(&err)
	root, err := o.groupOf(e.Schema.Fields)
	if err != nil {
		return nil, err
	}
	f = &writer{out: &counter{w: w}, fields: e.Schema.Fields, o: o, zone: e.Zone}
	n := 0
	for _, c := range e.Schema.Fields {
		n += leaves(c.Type)
	}
	f.leaf = make([][]pq.Value, n)
	f.w = pq.NewGenericWriter[any](f.out, pq.NewSchema("flink_schema", root), pq.Compression(codecs[o.Compression]),
		pq.CreatedBy("runnel", "1", ""), pq.DataPageStatistics(true), pq.PageBufferSize(int(o.PageSize)), pq.DictionaryMaxBytes(1<<20))
	return f, nil
}

// Write implements format.FileWriter.
func (f *writer) Write(b *vector.Batch) (err error) {
	defer recovered(&err)
	b.Rows(func(i int) {
		if err == nil {
			err = f.add(b, i)
		}
	})
	return err
}

func (f *writer) add(b *vector.Batch, i int) error {
	for l := range f.leaf {
		f.leaf[l] = f.leaf[l][:0]
	}
	at := 0
	for c, t := range f.fields {
		next, err := f.shred(b.Cols[c], t.Type, i, at, 0, 0, 0)
		if err != nil {
			return fmt.Errorf("column %s: %w", t.Name, err)
		}
		at = next
	}
	f.row = f.row[:0]
	for l, vals := range f.leaf {
		for _, v := range vals {
			v.SetColumnIndex(l)
			f.row = append(f.row, v)
			f.held += 16
			if v.Kind() == pq.ByteArray || v.Kind() == pq.FixedLenByteArray {
				f.held += int64(len(v.ByteArray()))
			}
		}
	}
	if _, err := f.w.WriteRows([]pq.Row{f.row}); err != nil {
		return err
	}
	if f.held >= int64(f.o.BlockSize) {
		f.held = 0
		return f.w.Flush()
	}
	return nil
}

func (f *writer) put(leaf int, v pq.Value, rep, def int) {
	f.leaf[leaf] = append(f.leaf[leaf], v.Level(rep, def, leaf))
}

// shred adds the values of row i of v to the leaves from at on, and returns the
// leaf behind them. rep is the repetition level of the value's place, def the
// level reached, depth the number of lists around.
func (f *writer) shred(v vector.Vector, t types.Type, i, at, rep, def, depth int) (int, error) {
	if c, ok := v.(*vector.Const); ok {
		v, i = c.Of, 0
	}
	end := at + leaves(t)
	if v.IsNull(i) {
		if !t.Nullable {
			return at, errNull
		}
		for l := at; l < end; l++ {
			f.put(l, pq.NullValue(), rep, def)
		}
		return end, nil
	}
	if t.Nullable {
		def++
	}
	switch v := v.(type) {
	case *vector.Row:
		for c := range t.Fields {
			var err error
			if at, err = f.shred(v.Cols[c], t.Fields[c].Type, i, at, rep, def, depth); err != nil {
				return at, fmt.Errorf("%s: %w", t.Fields[c].Name, err)
			}
		}
		return end, nil
	case *vector.List:
		for j := range v.Count[i] {
			if j > 0 {
				rep = depth + 1
			}
			if _, err := f.shred(v.Child, *t.Elem, int(v.Off[i]+j), at, rep, def+1, depth+1); err != nil {
				return at, err
			}
		}
		if v.Count[i] > 0 {
			return end, nil
		}
	case *vector.Map:
		key, val := t.Elem.NotNull(), types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = t.Key.NotNull(), *t.Elem
		}
		for j := range v.Count[i] {
			if j > 0 {
				rep = depth + 1
			}
			next, err := f.shred(v.Keys, key, int(v.Off[i]+j), at, rep, def+1, depth+1)
			if err == nil {
				_, err = f.shred(v.Vals, val, int(v.Off[i]+j), next, rep, def+1, depth+1)
			}
			if err != nil {
				return at, err
			}
		}
		if v.Count[i] > 0 {
			return end, nil
		}
	default:
		x, err := f.valueOf(v, t, i)
		if err == nil {
			f.put(at, x, rep, def)
		}
		return end, err
	}
	for l := at; l < end; l++ { // an empty list or map
		f.put(l, pq.NullValue(), rep, def)
	}
	return end, nil
}

var errFar = errors.New("the time is too far away to be written")

func (f *writer) valueOf(v vector.Vector, t types.Type, i int) (pq.Value, error) {
	switch v := v.(type) {
	case *vector.Flat[bool]:
		return pq.BooleanValue(v.Vals[i]), nil
	case *vector.Flat[int8]:
		return pq.Int32Value(int32(v.Vals[i])), nil
	case *vector.Flat[int16]:
		return pq.Int32Value(int32(v.Vals[i])), nil
	case *vector.Flat[int32]:
		return pq.Int32Value(v.Vals[i]), nil
	case *vector.Flat[int64]:
		return pq.Int64Value(v.Vals[i]), nil
	case *vector.Flat[float32]:
		return pq.FloatValue(v.Vals[i]), nil
	case *vector.Flat[float64]:
		return pq.DoubleValue(v.Vals[i]), nil
	case *vector.Flat[string]:
		return pq.ByteArrayValue([]byte(v.Vals[i])), nil
	case *vector.Flat[types.Dec]:
		d := v.Vals[i]
		switch {
		case t.Prec <= 9:
			return pq.Int32Value(int32(d.Lo)), nil
		case t.Prec <= 18:
			return pq.Int64Value(int64(d.Lo)), nil
		}
		b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(d.Hi))
		return pq.FixedLenByteArrayValue(binary.BigEndian.AppendUint64(b, d.Lo)), nil
	case *vector.Flat[types.TS]:
		if !f.o.Int64 {
			return f.int96(v.Vals[i], t)
		}
		per := f.o.perMilliOf(t.Prec)
		x := v.Vals[i]
		if x.Ms > math.MaxInt64/per-1 || x.Ms < math.MinInt64/per+1 {
			return pq.Value{}, errFar
		}
		return pq.Int64Value(x.Ms*per + int64(x.Ns)/(1_000_000/per)), nil
	}
	return pq.Value{}, fmt.Errorf("the format has no values of type %s", t.OrNull())
}

// int96 is a time as Hive 2 wrote it: nanoseconds of a day, and the Julian day.
func (f *writer) int96(x types.TS, t types.Type) (pq.Value, error) {
	if t.Kind == types.Timestamp && !f.o.UTC && f.zone != nil {
		x = types.ToUTC(x, f.zone)
	}
	day := types.FloorDiv(x.Ms, 86_400_000)
	if day > math.MaxInt32-julian1970 || day < math.MinInt32 {
		return pq.Value{}, errFar
	}
	nanos := uint64((x.Ms-day*86_400_000)*1_000_000 + int64(x.Ns))
	return pq.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), uint32(int32(day + julian1970))}), nil
}

// Size implements format.FileWriter.
func (f *writer) Size() int64 { return f.out.n + f.held/2 }

// Close implements format.FileWriter.
func (f *writer) Close() (err error) {
	defer recovered(&err)
	return f.w.Close()
}

var _ format.FileWriter = (*writer)(nil)
