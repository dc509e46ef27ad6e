package builtin

import (
	"math"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// etlCompareFuncs are the comparisons of scripts. They compare numbers if all
// operands are numbers or read as such, else texts, and never give NULL.
var etlCompareFuncs = []function.Def{
	loose("EQUAL", "Whether both are equal; numbers may differ by 0.001.", 2, 2, func(v []operand) bool {
		if n, ok := numbers(v); ok {
			return math.Abs(n[0]-n[1]) < 1e-3
		}
		return sameText(v)
	}, "=="),
	loose("EQUALS", "Whether both are the same text or number.", 2, 2, equalOperands),
	loose("!EQUALS", "Whether both are different texts or numbers.", 2, 2, func(v []operand) bool { return !equalOperands(v) }),
	loose("GREAT", "Whether the first is greater.", 2, 2, func(v []operand) bool { return ordered(v, func(c int) bool { return c > 0 }) }, ">", "GT"),
	loose("GREATEEQ", "Whether the first is greater or equal.", 2, 2, func(v []operand) bool { return ordered(v, func(c int) bool { return c >= 0 }) }, ">=", "GE"),
	loose("LESS", "Whether the first is less.", 2, 2, func(v []operand) bool { return ordered(v, func(c int) bool { return c < 0 }) }, "<", "LT"),
	loose("LESSEQ", "Whether the first is less or equal.", 2, 2, func(v []operand) bool { return ordered(v, func(c int) bool { return c <= 0 }) }, "<=", "LE"),
	loose("BETWEEN", "Whether the first is not less than the second and not greater than the third.", 3, 3, between),
	loose("BETWEEN_NOT", "Whether the first is less than the second or greater than the third.", 3, 3, func(v []operand) bool { return !between(v) }, "BETWEENNOT"),
	loose("IN", "Whether the first is the same as one of the others.", 1, -1, contained, "CONTAIN"),
	loose("!CONTAIN", "Whether the first is the same as none of the others.", 1, -1, func(v []operand) bool { return !contained(v) }),
	loose("ISFIELDEMPTY", "Whether the value is NULL or the empty text.", 1, 2, func(v []operand) bool { return v[0].null || v[0].text == "" && !v[0].isNum }),
	loose("NULL", "Whether the value is NULL.", 1, 1, func(v []operand) bool { return v[0].null }, "ISNULL"),
	loose("!NULL", "Whether the value is not NULL.", 1, 1, func(v []operand) bool { return !v[0].null }, "ISNOTNULL", "!ISNULL"),
	{
		Name: "INBYREGEX", Group: "comparison", Sig: "(STRING, STRING...) -> BOOLEAN!",
		Doc:    "Whether one of the regular expressions is found in the text.",
		Scalar: function.Bound(bindInByRegex), Nulls: function.Called,
	},
}

// operand is a value of one row.
type operand struct {
	null  bool
	isNum bool
	num   float64
	text  string
}

// loose makes a comparison of operands.
func loose(name, doc string, least, most int, f func([]operand) bool, aliases ...string) function.Def {
	sig := "(ANY, ANY) -> BOOLEAN!"
	switch {
	case most < 0:
		sig = "(ANY, ANY...) -> BOOLEAN!"
	case most == 3:
		sig = "(ANY, ANY, ANY) -> BOOLEAN!"
	case least == 1 && most == 1:
		sig = "(ANY) -> BOOLEAN!"
	}
	return function.Def{
		Name: name, Aliases: aliases, Group: "comparison", Sig: sig, Doc: doc, Nulls: function.Called, Infer: inferLoose(name, least, most),
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			var all []int32
			row := make([]operand, len(args))
			open := make([]func(i int32) operand, len(args))
			return func(args []vectorOf, sel []int32, out vectorOf) error {
				for j, a := range args {
					open[j] = openOperand(a)
				}
				dst := out.(*flat[bool]).Vals
				for _, i := range function.Rows(sel, len(dst), &all) {
					for j := range row {
						row[j] = open[j](i)
					}
					dst[i] = f(row)
				}
				return nil
			}, nil
		}),
	}
}

func openOperand(v vectorOf) func(i int32) operand {
	if v.Type().Kind == types.Double {
		vals, mask := function.Column[float64](v)
		return func(i int32) operand { return operand{null: v.IsNull(int(i)), isNum: true, num: vals[i&mask]} }
	}
	col := openText(v)
	return func(i int32) operand { return operand{null: col.null(i), text: col.at(i)} }
}

// numbers returns the operands as numbers if all are or read as such.
func numbers(v []operand) (n [3]float64, ok bool) {
	if len(v) > 3 {
		return n, false
	}
	for i, o := range v {
		switch {
		case o.null:
			return n, false
		case o.isNum:
			n[i] = o.num
		default:
			if n[i], ok = types.ParseDouble(o.text); !ok {
				return n, false
			}
		}
	}
	return n, true
}

func sameText(v []operand) bool {
	return v[0].null && v[1].null || !v[0].null && !v[1].null && v[0].text == v[1].text
}

func equalOperands(v []operand) bool {
	if n, ok := numbers(v); ok {
		return n[0] == n[1]
	}
	return sameText(v)
}

func ordered(v []operand, holds func(int) bool) bool {
	if v[0].null || v[1].null {
		return false
	}
	if n, ok := numbers(v); ok {
		return holds(types.CompareFloat(n[0], n[1]))
	}
	return holds(strings.Compare(v[0].text, v[1].text))
}

func between(v []operand) bool {
	if n, ok := numbers(v); ok {
		return n[0] >= n[1] && n[0] <= n[2]
	}
	return !v[0].null && !v[1].null && !v[2].null && v[0].text >= v[1].text && v[0].text <= v[2].text
}

func contained(v []operand) bool {
	for _, o := range v[1:] {
		if v[0].isNum && o.isNum && !v[0].null && !o.null && v[0].num == o.num || !v[0].isNum && sameText([]operand{v[0], o}) {
			return true
		}
	}
	return false
}

func bindInByRegex(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	patterns := make([]patternCall, len(args)-1)
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		dst := out.(*flat[bool]).Vals
		for _, i := range function.Rows(sel, len(dst), &all) {
			found := false
			for j := 1; j < len(cols) && !found && !cols[0].null(i); j++ {
				if cols[j].null(i) {
					continue
				}
				re, err := patterns[j-1].get(cols[j].at(i))
				if re != nil {
					found, err = re.Match(cols[0].at(i))
				}
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
			}
			dst[i] = found
		}
		return nil
	}, nil
}

// etlScriptTextFuncs count positions from 0.
var etlScriptTextFuncs = []function.Def{
	{
		Name: "SUBSTR", Aliases: []string{"SUBSTRING"}, Group: "string", Sig: "(STRING, INT, [INT]) -> STRING",
		Doc: "The characters from one position to another, from 0, the latter not included; to the end if it is not given.",
		Scalar: function.Arity(2,
			function.Text2(func(s string, from int32) string { return sliceChars(s, from, math.MaxInt32) }),
			function.Text3(sliceChars)),
	},
	{
		Name: "INSTR", Aliases: []string{"INDEXOF"}, Group: "string", Sig: "(STRING, STRING, [INT], [INT]) -> INT!",
		Doc:   "Where the second text is found in the first for the n-th time, from 0, the search beginning at a position; -1 if nowhere or if one is NULL.",
		Nulls: function.Called, Scalar: function.Bound(bindIndexOf),
	},
}

func sliceChars(s string, from, to int32) string {
	from = max(from, 0)
	if to <= from {
		return ""
	}
	return cut(s[offset(s, int(from)):], int(to-from))
}

func bindIndexOf(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args[:2])
		n := intArgs(args, 2, 0, 1)
		dst := out.(*flat[int32]).Vals
		for _, i := range function.Rows(sel, len(dst), &all) {
			dst[i] = -1
			null := cols[0].null(i) || cols[1].null(i)
			for _, a := range args[2:] {
				null = null || a.IsNull(int(i))
			}
			if !null {
				dst[i] = instr(cols[0].at(i), cols[1].at(i), int64(max(n(i, 0), 0))+1, int64(n(i, 1))) - 1
			}
		}
		return nil
	}, nil
}
