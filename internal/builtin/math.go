package builtin

import (
	"math"
	"slices"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// mathFuncs are the functions of numbers.
var mathFuncs = slices.Concat(mathDoubleFuncs, mathKindFuncs, mathRandomFuncs, mathTextFuncs)

func unary(name, doc string, f func(float64) float64, eg ...function.Example) function.Def {
	return function.Def{Name: name, Group: "math", Sig: "(DOUBLE) -> DOUBLE", Doc: doc, Scalar: function.Map1(f), Eg: eg}
}

// mathDoubleFuncs compute in DOUBLE; other numbers are converted.
var mathDoubleFuncs = []function.Def{
	unary("SQRT", "The square root; NaN of a negative number.", math.Sqrt, eg("SQRT(2)", "1.4142135623730951"), eg("SQRT(-1)", "NaN")),
	unary("EXP", "e to the power of the number.", exp, eg("EXP(0)", "1.0")),
	unary("LN", "The natural logarithm; -Infinity of 0, NaN of a negative number.", ln, eg("LN(1)", "0.0")),
	unary("LOG10", "The logarithm to base 10.", log10, eg("LOG10(1000)", "3.0")),
	unary("LOG2", "The logarithm to base 2.", func(x float64) float64 { return ln(x) / math.Ln2 }, eg("LOG2(8)", "3.0")),
	unary("SIN", "The sine of an angle in radians.", sin, eg("SIN(0)", "0.0")),
	unary("COS", "The cosine of an angle in radians.", cos, eg("COS(0)", "1.0")),
	unary("TAN", "The tangent of an angle in radians.", tan, eg("TAN(0)", "0.0")),
	unary("COT", "The cotangent of an angle in radians; Infinity of 0.", func(x float64) float64 { return 1 / tan(x) }, eg("COT(1)", "0.6420926159343306")),
	unary("ASIN", "The arc sine in radians; NaN outside of -1 to 1.", asin, eg("ASIN(0)", "0.0")),
	unary("ACOS", "The arc cosine in radians; NaN outside of -1 to 1.", acos, eg("ACOS(1)", "0.0")),
	unary("ATAN", "The arc tangent in radians.", atan, eg("ATAN(0)", "0.0")),
	unary("SINH", "The hyperbolic sine.", sinh, eg("SINH(0)", "0.0")),
	unary("COSH", "The hyperbolic cosine.", cosh, eg("COSH(0)", "1.0")),
	unary("TANH", "The hyperbolic tangent.", tanh, eg("TANH(0)", "0.0")),
	unary("DEGREES", "Radians as degrees.", func(x float64) float64 { return x * (180 / math.Pi) }, eg("DEGREES(0)", "0.0")),
	unary("RADIANS", "Degrees as radians.", func(x float64) float64 { return x * (math.Pi / 180) }, eg("RADIANS(180)", "3.141592653589793")),
	{
		Name: "LOG", Group: "math", Sig: "(DOUBLE, [DOUBLE]) -> DOUBLE",
		Doc: "LOG(x) is the natural logarithm, LOG(b, x) the logarithm of x to base b.",
		Scalar: function.Arity(1, function.Map1(ln), function.Map2(func(b, x float64) float64 {
			return ln(x)/ln(b) + 0 // no negative zero
		})),
		Eg: []function.Example{eg("LOG(1)", "0.0"), eg("LOG(2, 8)", "3.0")},
	},
	{
		Name: "POWER", Group: "math", Sig: "(DOUBLE, DOUBLE) -> DOUBLE",
		Doc:    "The first number to the power of the second.",
		Scalar: function.Map2(pow), Eg: []function.Example{eg("POWER(2, 10)", "1024.0")},
	},
	{
		Name: "ATAN2", Group: "math", Sig: "(DOUBLE, DOUBLE) -> DOUBLE",
		Doc:    "The angle of the point (second, first) in radians.",
		Scalar: function.Map2(atan2), Eg: []function.Example{eg("ATAN2(0, -1)", "3.141592653589793")},
	},
	constant("PI", "The number pi.", math.Pi, "3.141592653589793"),
	constant("E", "The number e, base of the natural logarithm.", math.E, "2.718281828459045"),
}

func eg(expr, result string) function.Example { return function.Example{Expr: expr, Result: result} }

func constant(name, doc string, value float64, text string) function.Def {
	return function.Def{
		Name: name, Group: "math", Sig: "() -> DOUBLE!", Doc: doc,
		Scalar: perBatch(func() float64 { return value }),
		Eg:     []function.Example{eg(name+"()", text)},
	}
}

// mathKindFuncs keep the type of their argument: an implementation a kind.
var mathKindFuncs = []function.Def{
	{
		Name: "ABS", Group: "math", Sig: "(NUMERIC) -> NUMERIC | (INTERVAL) -> INTERVAL",
		Doc:    "The absolute value, of the argument's type. That of the smallest integer is itself.",
		Scalar: function.Bound(bindAbs), Eg: []function.Example{eg("ABS(-2.5)", "2.5")},
	},
	{
		Name: "SIGN", Group: "math", Sig: "(NUMERIC) -> NUMERIC",
		Doc:    "-1, 0 or 1 as the number is negative, zero or positive, of the argument's type.",
		Scalar: function.Bound(bindSign), Eg: []function.Example{eg("SIGN(-7)", "-1")},
	},
	{
		Name: "CEIL", Aliases: []string{"CEILING"}, Group: "math", Sig: "(NUMERIC) -> NUMERIC",
		Doc:   "The smallest integer that is not less than the number; of DECIMAL(p, s) DECIMAL(p, 0), else of the argument's type.",
		Infer: inferWhole("CEIL"), Scalar: function.Bound(bindCeil), Eg: []function.Example{eg("CEIL(-2.5)", "-2")},
	},
	{
		Name: "FLOOR", Group: "math", Sig: "(NUMERIC) -> NUMERIC",
		Doc:   "The largest integer that is not greater than the number; of DECIMAL(p, s) DECIMAL(p, 0), else of the argument's type.",
		Infer: inferWhole("FLOOR"), Scalar: function.Bound(bindFloor), Eg: []function.Example{eg("FLOOR(-2.5)", "-3")},
	},
	{
		Name: "ROUND", Group: "math", Sig: "(NUMERIC, [INT]) -> NUMERIC",
		Doc:   "The number rounded half away from zero to so many digits behind the point, 0 if not given; a negative number of digits rounds before it.",
		Infer: inferRound("ROUND"), Scalar: roundScalar(false),
		Eg: []function.Example{eg("ROUND(2.5)", "3"), eg("ROUND(1250, -2)", "1300"), eg("ROUND(1.005, 2)", "1.01")},
	},
	{
		Name: "TRUNCATE", Group: "math", Sig: "(NUMERIC, [INT]) -> NUMERIC",
		Doc:   "The number cut to so many digits behind the point, 0 if not given.",
		Infer: inferRound("TRUNCATE"), Scalar: roundScalar(true),
		Eg: []function.Example{eg("TRUNCATE(42.345, 2)", "42.34"), eg("TRUNCATE(42.345, -1)", "40")},
	},
}

// perBatch makes a scalar without arguments of a function called for every row.
func perBatch(f func() float64) *function.Scalar {
	return function.Vec(func(_ []vectorOf, sel []int32, out vectorOf) error {
		dst := out.(*flat[float64]).Vals
		if sel == nil {
			for i := range dst {
				dst[i] = f()
			}
			return nil
		}
		for _, i := range sel {
			dst[i] = f()
		}
		return nil
	})
}

// nullable tells whether one of the arguments is.
func nullable(args []function.Arg) bool {
	for _, a := range args {
		if a.Type.Nullable || a.Type.Kind == types.Null {
			return true
		}
	}
	return false
}
