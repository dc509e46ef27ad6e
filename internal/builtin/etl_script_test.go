package builtin

import (
	"slices"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// evalNamed calls a function of a set by name: scripts have names that SQL can
// not write.
func evalNamed(t *testing.T, set *function.Set, name string, values ...types.Value) types.Value {
	t.Helper()
	args := make([]function.Arg, len(values))
	values = slices.Clone(values)
	for i, v := range values {
		switch v := v.(type) {
		case types.Type: // NULL of that type
			args[i].Type, values[i] = v, nil
		case string:
			args[i].Type = types.String()
		case int32:
			args[i].Type = types.Of(types.Int)
		case float64:
			args[i].Type = types.Of(types.Double)
		case bool:
			args[i].Type = types.Of(types.Boolean)
		default:
			args[i].Type = types.String() // NULL
		}
	}
	d, sig, err := set.Resolve(name, args)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	cols := make([]vector.Vector, len(values))
	for i, v := range values {
		v, err := types.CastValue(v, args[i].Type, sig.Args[i], nil, false)
		if err != nil {
			t.Fatal(err)
		}
		cols[i] = vector.New(sig.Args[i], 1)
		vector.Append(cols[i], v)
		args[i].Type = sig.Args[i]
	}
	call, err := d.Scalar.Bind(testContext(), args, sig.Result)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return nil
	}
	out, err := runScalar(d, call, cols, sig.Result, 1)
	if err != nil {
		return err
	}
	return vector.Get(out, 0)
}

func TestScriptFunctions(t *testing.T) {
	t.Parallel()
	set, null := Script(), types.Of(types.Boolean)
	f := func(want types.Value, name string, args ...types.Value) {
		t.Helper()
		if got := evalNamed(t, set, name, args...); got != want {
			t.Errorf("%s(%v): %v, want %v", name, args, got, want)
		}
	}
	f("ell", "substr", "hello", int32(1), int32(4))
	f("lo", "substring", "hello", int32(3))
	f("", "substr", "hello", int32(9))
	f("héllo", "substr", "héllo", int32(-3), int32(99))
	f(int32(1), "instr", "hello", "e")
	f(int32(-1), "indexOf", "hello", "x")
	f(int32(3), "indexof", "hello", "l", int32(3))
	f(int32(3), "indexof", "hello", "l", int32(0), int32(2))
	f(int32(-1), "instr", nil, "x")
	f(int32(2), "blink_instr", "hello", "e")
	f("ell", "blink_substr", "hello", int32(2), int32(3))

	f(true, "and", true, true)
	f(false, "&", true, null)
	f(true, "or", null, true)
	f(false, "|", false, false)
	f(true, "!", null)
	f(false, "if", null)
	f(true, "case", true)

	f(true, "equal", 1.0, 1.0005)
	f(true, "==", "1", "1.0")
	f(false, "equals", 1.0, 1.0005)
	f(true, "equals", "a", "a")
	f(true, "!equals", "a", "b")
	f(true, "great", "10", "9")   // numbers
	f(false, "great", "10", "9x") // texts
	f(true, ">=", int32(3), "3")
	f(true, "lt", int32(3), 3.5)
	f(false, "lesseq", nil, "1")
	f(true, "between", "5", int32(1), int32(9))
	f(true, "between_not", int32(10), int32(1), int32(9))
	f(true, "in", "b", "a", "b")
	f(false, "contain", "1", "a", "b")
	f(true, "!contain", int32(4), int32(1), int32(2))
	f(true, "isFieldEmpty", "")
	f(true, "null", nil)
	f(true, "isNotNull", "x")
	f(true, "inByRegex", "abc", "^x", "c$")
	f(true, "!=", "a", "b")
	f(true, "operator", "2", ">", "10x")
	f(true, "operator", int32(2), "<", int32(10))

	f(true, "~in", "B", "a, b,c")
	f(false, "!in", "b", "a,b")
	f(true, "~contains", "Hello", "LL")
	f(true, "notContains", nil, "x")
	f(false, "~contains", nil, "x")
	f(true, "~regex", "ABC", "b")
	f(true, "notRegex", "ABC", "b")
	f(false, "~!regex", "ABC", "b")
	f(true, "!regex", nil, "b")
	f(true, "!like", "abc", "b%")
	f(true, "ipContains", "10.1.2.3", "10.0.0.0/8")
}

func TestRsqldbVariants(t *testing.T) {
	t.Parallel()
	flink, rsqldb := All(), Rsqldb()
	f := func(name string, inFlink, inRsqldb types.Value, args ...types.Value) {
		t.Helper()
		if got := evalNamed(t, flink, name, args...); got != inFlink {
			t.Errorf("Flink: %s(%v): %v, want %v", name, args, got, inFlink)
		}
		if got := evalNamed(t, rsqldb, name, args...); got != inRsqldb {
			t.Errorf("rsqldb: %s(%v): %v, want %v", name, args, got, inRsqldb)
		}
	}
	f("CONCAT", nil, "ab", "a", nil, "b")
	f("CONCAT_WS", nil, "ab", nil, "a", "b")
	f("HASH_CODE", int32(217287203), int32(217287203), "hello world!")
	f("REGEXP", nil, false, nil, "x")
	f("SUBSTRING", "lo", "lo", "hello", int32(-2))
	f("HEX", "FF", "ff", int32(255))
	f("HEX", "323535", "ff", "255")
	f("HEX", "FFFFFFFFFFFFFFFF", "ffffffff", int32(-1))
	f("UNHEX", "abc", "abc", "616263") // BYTES and STRING
	f("SIGN", int32(-1), -1.0, int32(-3))
	f("RADIANS", 3.141592653589793, "3.141592653589793", int32(180))
	both := func(want types.Value, name string, args ...types.Value) {
		t.Helper()
		f(name, want, want, args...)
	}
	both(3.0, "cbrt", int32(27))
	both(int32(4), "bitAnd", int32(5), int32(6))
	both(int64(5), "length", "hello")
	both("v", "keyvalue", "k:v;a:b", "k")
	both(true, "gt", "b", "a")
	both(true, "equals", "a", "a")
	both(true, "!contain", "a", "b")
	both(false, "isNull", "a")
	both(true, "inByRegex", "abc", "c$")
	both(true, "and", true, true) // syntax in Flink SQL, and free as the name of a function
	both(true, "between", "5", int32(1), int32(9))
	both(int64(2), "minus", int32(5), int32(3))
	both("ab", "concat_sign", nil, "a", "b")
	if rsqldb.Has("CBRT") != flink.Has("CBRT") || len(flink.Lookup("TO_DATE")) != 1 || len(rsqldb.Lookup("TO_DATE")) < 2 {
		t.Error("overloads of rsqldb under a name of Flink's")
	}
}
