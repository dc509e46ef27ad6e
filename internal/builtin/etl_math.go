package builtin

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// etlMathFuncs are the functions of numbers that RocketMQ-Streams has besides.
var etlMathFuncs = []function.Def{
	unary("CBRT", "The cube root.", math.Cbrt, eg("CBRT(27)", "3.0")),
	{
		Name: "BROUND", Group: "math", Sig: "(DOUBLE, [INT]) -> DOUBLE",
		Doc: "The number rounded half to the even neighbour, to so many digits behind the point, 1 if not given.",
		Scalar: function.Arity(1,
			function.Map1(func(x float64) float64 { return roundFloat(x, 1, halfEven) }),
			function.Map2(func(x float64, n int32) float64 { return roundFloat(x, int(n), halfEven) })),
		Eg: []function.Example{eg("BROUND(2.5, 0)", "2.0"), eg("BROUND(1.25)", "1.2")},
	},
	{
		Name: "TRUNC", Group: "math", Sig: "(DOUBLE, [INT]) -> DOUBLE",
		Doc: "The largest number with so many digits behind the point that is not greater: negative numbers grow.",
		Scalar: function.Arity(1,
			function.Map1(func(x float64) float64 { return math.Floor(x) + 0 }),
			function.Map2(func(x float64, n int32) float64 { return roundFloat(x, int(n), downward) })),
		Eg: []function.Example{eg("TRUNC(1.29, 1)", "1.2"), eg("TRUNC(-1.21, 1)", "-1.3")},
	},
	{
		Name: "FACTORIAL", Group: "math", Sig: "(BIGINT) -> BIGINT?",
		Doc: "n!, NULL for n below 0 or above 20.",
		Scalar: function.MapOk1(func(n int64) (int64, bool) {
			if n < 0 || n > 20 {
				return 0, false
			}
			f := int64(1)
			for i := int64(2); i <= n; i++ {
				f *= i
			}
			return f, true
		}),
		Eg: []function.Example{eg("FACTORIAL(5)", "120")},
	},
	{
		Name: "CONV", Group: "math", Sig: "(STRING, INT, INT) -> STRING? | (BIGINT, INT, INT) -> STRING?",
		Doc: "The integer written in the first base, in the second; bases from 2 to 36. NULL if it is not written so.",
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.IsChar() {
				return function.CallAppendOk3(appendConv), nil
			}
			return function.CallAppendOk3(func(dst []byte, n int64, from, to int32) ([]byte, bool) {
				return appendConv(dst, strconv.FormatInt(n, 10), from, to)
			}), nil
		}),
		Eg: []function.Example{eg("CONV('ff', 16, 10)", "255"), eg("CONV(10, 10, 2)", "1010")},
	},
	bitDef("BITAND", "The bits that both have.", func(a, b int64) int64 { return a & b }, eg("BITAND(5, 3)", "1")),
	bitDef("BITOR", "The bits that one of both has.", func(a, b int64) int64 { return a | b }, eg("BITOR(5, 3)", "7")),
	bitDef("BITXOR", "The bits that just one of both has.", func(a, b int64) int64 { return a ^ b }, eg("BITXOR(5, 3)", "6")),
	{
		Name: "BITNOT", Group: "math", Sig: "(INT) -> INT | (BIGINT) -> BIGINT", Doc: "All bits turned over.",
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.Kind == types.BigInt {
				return function.CallMap1(func(a int64) int64 { return ^a }), nil
			}
			return function.CallMap1(func(a int32) int32 { return ^a }), nil
		}),
		Eg: []function.Example{eg("BITNOT(5)", "-6")},
	},
	shiftDef("SHIFTLEFT", "The bits moved to the left.",
		func(a, n int32) int32 { return a << (n & 31) }, func(a int64, n int32) int64 { return a << (n & 63) }, eg("SHIFTLEFT(1, 4)", "16")),
	shiftDef("SHIFTRIGHT", "The bits moved to the right, keeping the sign.",
		func(a, n int32) int32 { return a >> (n & 31) }, func(a int64, n int32) int64 { return a >> (n & 63) }, eg("SHIFTRIGHT(-8, 1)", "-4")),
	shiftDef("SHIFTRIGHTUNSIGNED", "The bits moved to the right, zeros following.",
		func(a, n int32) int32 { return int32(uint32(a) >> (n & 31)) }, func(a int64, n int32) int64 { return int64(uint64(a) >> (n & 63)) }, eg("SHIFTRIGHTUNSIGNED(-1, 28)", "15")),
	doubleOp("ADDITION", "The sum.", func(a, b float64) (float64, bool) { return a + b, true }, eg("ADDITION(1, 2.5)", "3.5")),
	doubleOp("SUBTRACTION", "The difference.", func(a, b float64) (float64, bool) { return a - b, true }, eg("SUBTRACTION(1, 2.5)", "-1.5")),
	doubleOp("MULTIPLICATION", "The product.", func(a, b float64) (float64, bool) { return a * b, true }, eg("MULTIPLICATION(2, 2.5)", "5.0")),
	doubleOp("DIVISION", "The quotient rounded to 3 digits behind the point, NULL if the divisor is 0.", func(a, b float64) (float64, bool) {
		return roundFloat(a/b, 3, halfUp), b != 0
	}, eg("DIVISION(2, 3)", "0.667")),
	longOp("ADD", "The sum.", func(a, b int64) (int64, bool) { return a + b, true }, eg("ADD(2, 3)", "5")),
	longOp("MINUS", "The difference.", func(a, b int64) (int64, bool) { return a - b, true }),
	longOp("MULTIPLY", "The product.", func(a, b int64) (int64, bool) { return a * b, true }, eg("MULTIPLY(2, 3)", "6")),
	longOp("DIVIDE", "The quotient, cut to an integer; NULL if the divisor is 0.", divideLong, eg("DIVIDE(7, 2)", "3")),
	{
		Name: "MATH", Group: "math", Sig: "(STRING, NUMERIC, NUMERIC) -> NUMERIC?",
		Doc:   "Calculates with +, -, *, / or %, chosen by the first argument, in the type of the second. NULL for a divisor of 0 or another operator.",
		Infer: inferMath, Scalar: function.Bound(bindMath), Eg: []function.Example{eg("MATH('+', 1, 2)", "3"), eg("MATH('/', 1e0, 4)", "0.25")},
	},
	mathOp("MATHD", "DOUBLE", "Calculates with DOUBLEs, the operator being the first argument.", eg("MATHD('/', 1, 4)", "0.25")),
	mathOp("MATHI", "INT", "Calculates with INTs, the operator being the first argument.", eg("MATHI('*', 3, 4)", "12")),
	mathOp("MATHL", "BIGINT", "Calculates with BIGINTs, the operator being the first argument.", eg("MATHL('%', 7, 4)", "3")),
	{
		Name: "RANDOM", Aliases: []string{"CREATERANDOM"}, Group: "math", Sig: "(INT) -> STRING", Volatile: true,
		Doc: "A random text of so many digits and small letters.",
		Scalar: function.AppendErr1(func(dst []byte, n int32) ([]byte, error) {
			if n > function.MaxText {
				return dst, function.ErrTooLong
			}
			for range n {
				dst = append(dst, "0123456789abcdefghijklmnopqrstuvwxyz"[rand.IntN(36)])
			}
			return dst, nil
		}),
	},
}

func appendConv(dst []byte, s string, from, to int32) ([]byte, bool) {
	if from < 2 || from > 36 || to < 2 || to > 36 {
		return dst, false
	}
	s = strings.TrimSpace(s)
	n, err := strconv.ParseInt(s, int(from), 64)
	if err == nil {
		return strconv.AppendInt(dst, n, int(to)), true
	}
	u, err := strconv.ParseUint(s, int(from), 64) // 64 bits without sign
	if err != nil {
		return dst, false
	}
	return strconv.AppendUint(dst, u, int(to)), true
}

func bitDef(name, doc string, f func(a, b int64) int64, e function.Example) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: "(INT, INT) -> INT | (BIGINT, BIGINT) -> BIGINT", Doc: doc, Eg: []function.Example{e},
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.Kind == types.BigInt {
				return function.CallMap2(f), nil
			}
			return function.CallMap2(func(a, b int32) int32 { return int32(f(int64(a), int64(b))) }), nil
		}),
	}
}

func shiftDef(name, doc string, narrow func(a, n int32) int32, wide func(a int64, n int32) int64, e function.Example) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: "(INT, INT) -> INT | (BIGINT, INT) -> BIGINT", Doc: doc, Eg: []function.Example{e},
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.Kind == types.BigInt {
				return function.CallMap2(wide), nil
			}
			return function.CallMap2(narrow), nil
		}),
	}
}

func doubleOp(name, doc string, f func(a, b float64) (float64, bool), e function.Example) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: "(DOUBLE, DOUBLE) -> DOUBLE?", Doc: doc,
		Scalar: function.MapOk2(f), Eg: []function.Example{e},
	}
}

func longOp(name, doc string, f func(a, b int64) (int64, bool), egs ...function.Example) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: "(BIGINT, BIGINT) -> BIGINT?", Doc: doc,
		Scalar: function.MapOk2(f), Eg: egs,
	}
}

func mathOp(name, typ, doc string, e function.Example) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: fmt.Sprintf("(STRING, %s, %[1]s) -> %[1]s?", typ), Doc: doc,
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			switch name {
			case "MATHD":
				return function.CallMapOk3(calculateDouble), nil
			case "MATHI":
				return function.CallMapOk3(calculateInt), nil
			}
			return function.CallMapOk3(calculateLong), nil
		}),
		Eg: []function.Example{e},
	}
}

func divideLong(a, b int64) (int64, bool) {
	switch b {
	case 0:
		return 0, false
	case -1:
		return -a, true
	}
	return a / b, true
}

func calculateLong(op string, a, b int64) (int64, bool) {
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/":
		return divideLong(a, b)
	case "%":
		if b == 0 || b == -1 {
			return 0, b != 0
		}
		return a % b, true
	}
	return 0, false
}

func calculateInt(op string, a, b int32) (int32, bool) {
	n, ok := calculateLong(op, int64(a), int64(b))
	return int32(n), ok
}

func calculateDouble(op string, a, b float64) (float64, bool) {
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "/":
		return a / b, b != 0
	case "%":
		return math.Mod(a, b), b != 0
	}
	return 0, false
}

// inferMath: integers are calculated as BIGINT, all else as DOUBLE, by the
// first of both operands.
func inferMath(args []function.Arg) (function.Signature, error) {
	var sig function.Signature
	if len(args) != 3 {
		return sig, errors.New("MATH takes an operator and 2 numbers")
	}
	if !args[0].Type.IsChar() || !args[1].Type.IsNumeric() || !args[2].Type.IsNumeric() {
		return sig, errors.New("MATH takes an operator as a text and 2 numbers")
	}
	t := types.Of(types.Double)
	if args[1].Type.IsInteger() {
		t = types.Of(types.BigInt)
	}
	sig.Args = []types.Type{args[0].Type, t.WithNull(args[1].Type.Nullable), t.WithNull(args[2].Type.Nullable)}
	sig.Result = t
	return sig, nil
}

func bindMath(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	if result.Kind == types.BigInt {
		return function.CallMapOk3(calculateLong), nil
	}
	return function.CallMapOk3(calculateDouble), nil
}
