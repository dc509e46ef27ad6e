package runnel

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/types"
)

// goValue returns a SQL value as Row shows it; texts are copied.
func goValue(v types.Value, t types.Type) any {
	if v == nil {
		return nil
	}
	switch t.Kind {
	case types.Char, types.VarChar, types.Variant, types.Bitmap, types.Raw:
		return strings.Clone(v.(string))
	case types.Binary, types.VarBinary:
		return []byte(v.(string))
	case types.Decimal:
		return string(types.AppendCast(nil, v, t, time.UTC))
	case types.Date:
		return types.TSFromMs(int64(v.(int32)) * types.MsPerDay).Time()
	case types.Timestamp, types.TimestampLTZ:
		return v.(types.TS).Time()
	case types.Time:
		return time.Duration(v.(int32)) * time.Millisecond
	case types.IntervalDS:
		return fromMillis(v.(int64))
	case types.Array:
		list := v.([]types.Value)
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = goValue(x, *t.Elem)
		}
		return out
	case types.Row:
		list := v.([]types.Value)
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = goValue(x, t.Fields[i].Type)
		}
		return out
	case types.Map, types.Multiset:
		m := v.(*types.MapValue)
		key, val := t.Elem, types.Of(types.Int)
		if t.Kind == types.Map {
			key, val = t.Key, *t.Elem
		}
		out := make(map[any]any, len(m.Keys))
		for i := range m.Keys {
			k := goValue(m.Keys[i], *key)
			if k != nil && !reflect.TypeOf(k).Comparable() {
				k = fmt.Sprint(k)
			}
			out[k] = goValue(m.Vals[i], val)
		}
		return out
	}
	return v
}

// sqlValue returns a Go value as a SQL value of type t. It converts integers and
// floats where nothing is lost, and what goValue makes back.
func sqlValue(v any, t types.Type) (types.Value, error) {
	if v == nil {
		if !t.Nullable {
			return nil, fmt.Errorf("NULL in a %s", t)
		}
		return nil, nil
	}
	rv := reflect.ValueOf(v)
	switch t.Kind {
	case types.Boolean:
		if rv.Kind() == reflect.Bool {
			return rv.Bool(), nil
		}
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.IntervalYM:
		if n, ok := integer(rv); ok {
			switch {
			case t.Kind == types.BigInt:
				return n, nil
			case t.Kind == types.TinyInt && n == int64(int8(n)):
				return int8(n), nil
			case t.Kind == types.SmallInt && n == int64(int16(n)):
				return int16(n), nil
			case (t.Kind == types.Int || t.Kind == types.IntervalYM) && n == int64(int32(n)):
				return int32(n), nil
			}
			return nil, fmt.Errorf("%v does not fit %s", v, t)
		}
	case types.Float, types.Double:
		f, ok := 0.0, rv.CanFloat()
		if ok {
			f = rv.Float()
		} else if n, isInt := integer(rv); isInt {
			f, ok = float64(n), true
		}
		if ok && t.Kind == types.Double {
			return f, nil
		}
		if ok {
			return float32(f), nil
		}
	case types.Char, types.VarChar, types.Binary, types.VarBinary, types.Variant, types.Bitmap, types.Raw:
		switch x := v.(type) {
		case []byte:
			return string(x), nil
		case string:
			return x, nil
		}
		if rv.Kind() == reflect.String {
			return rv.String(), nil
		}
	case types.Decimal:
		text := fmt.Sprint(v)
		if d, ok := types.ParseDec(text, t.Prec, t.Scale); ok {
			return d, nil
		}
		return nil, fmt.Errorf("%s does not fit %s", text, t)
	case types.Date:
		if x, ok := v.(time.Time); ok {
			return int32(types.TSFromTime(x).Date()), nil
		}
	case types.Timestamp, types.TimestampLTZ:
		if x, ok := v.(time.Time); ok {
			return types.TSFromTime(x).Truncate(t.Prec), nil
		}
	case types.Time:
		if x, ok := v.(time.Duration); ok {
			return int32(x.Milliseconds()), nil
		}
	case types.IntervalDS:
		if x, ok := v.(time.Duration); ok {
			return x.Milliseconds(), nil
		}
	case types.Array, types.Row:
		if rv.Kind() == reflect.Slice && (t.Kind == types.Array || rv.Len() == len(t.Fields)) {
			out := make([]types.Value, rv.Len())
			for i := range out {
				et := t.Elem
				if t.Kind == types.Row {
					et = &t.Fields[i].Type
				}
				x, err := sqlValue(rv.Index(i).Interface(), *et)
				if err != nil {
					return nil, err
				}
				out[i] = x
			}
			return out, nil
		}
	case types.Map:
		if rv.Kind() == reflect.Map {
			m := &types.MapValue{}
			for _, k := range rv.MapKeys() {
				key, err := sqlValue(k.Interface(), *t.Key)
				if err != nil {
					return nil, err
				}
				val, err := sqlValue(rv.MapIndex(k).Interface(), *t.Elem)
				if err != nil {
					return nil, err
				}
				m.Keys, m.Vals = append(m.Keys, key), append(m.Vals, val)
			}
			return m, nil
		}
	}
	return nil, fmt.Errorf("a %T does not fit %s", v, t)
}

func integer(v reflect.Value) (int64, bool) {
	switch {
	case v.Type() == durationType:
		return 0, false
	case v.CanInt():
		return v.Int(), true
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), true
	}
	return 0, false
}

// inferred returns the SQL type of a Go value: a parameter, an element of FromArray.
func inferred(v any) (types.Type, error) {
	switch v.(type) {
	case nil:
		return types.Of(types.Null), nil
	case uint, uint8, uint16, uint32, uint64:
		return types.Of(types.BigInt), nil
	}
	t, ok, err := typeOf(reflect.TypeOf(v))
	if err != nil {
		return t, err
	}
	if !ok || reflect.TypeOf(v).Kind() == reflect.Pointer {
		return t, fmt.Errorf("a %T is no SQL value", v)
	}
	return t, nil
}

// params returns the values of the parameters ? of an expression.
func params(args []any) ([]bind.Param, error) {
	out := make([]bind.Param, len(args))
	for i, a := range args {
		t, err := inferred(a)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		if t.Kind == types.VarChar { // as a literal of that length would be
			t = types.VarCharOf(max(1, len(reflect.ValueOf(a).String())))
		}
		v, err := sqlValue(a, t)
		if err != nil {
			return nil, fmt.Errorf("parameter %d: %w", i+1, err)
		}
		out[i] = bind.Param{Value: v, Type: t}
	}
	return out, nil
}

// names quotes column names, with commas between them.
func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quote(n)
	}
	return strings.Join(out, ", ")
}

// quote returns an identifier in SQL.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// literal returns a text literal in SQL.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// interval returns a duration in SQL; it must be whole milliseconds.
func interval(d time.Duration) string {
	return fmt.Sprintf("INTERVAL '%d.%03d' SECOND(10, 3)", d/time.Second, d%time.Second/time.Millisecond)
}

// missing returns the names that s has not.
func missing(s *types.Schema, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return s.Index(n) >= 0 })
}
