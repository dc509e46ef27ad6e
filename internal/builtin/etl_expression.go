package builtin

import (
	"errors"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
)

// etlExpressionFuncs are the conditions of RocketMQ-Streams' expressions
// (field, condition, value) as functions. A NULL field meets none of them, and
// all that begin with NOT or !; a ~ ignores case.
var etlExpressionFuncs = []function.Def{
	condition("NOTCONTAINS", "Whether the second text does not occur in the first.", false, func(s, v string) bool { return !strings.Contains(s, v) }),
	condition("~CONTAINS", "Whether the second text occurs in the first, ignoring case.", true, containsFold, "CONTAINSCASEINSENSITIVEFUNCTION"),
	condition("~NOTCONTAINS", "Whether the second text does not occur in the first, ignoring case.", false,
		func(s, v string) bool { return !containsFold(s, v) }, "NOTCONTAINSCASEINSENSITIVEFUNCTION"),
	condition("!IN", "Whether the text is not in a list with commas.", false, func(s, v string) bool { return !commaList(s, v, false) }),
	condition("~IN", "Whether the text is in a list with commas, ignoring case.", true, func(s, v string) bool { return commaList(s, v, true) }),
	condition("~!IN", "Whether the text is not in a list with commas, ignoring case.", false, func(s, v string) bool { return !commaList(s, v, true) }),
	search("NOTREGEX", "Whether the regular expression is not found in the text.", 0, true),
	search("~REGEX", "Whether the regular expression is found in the text, ignoring case.", regex.CaseInsensitive, false, "REGEXCASEINSENSITIVE"),
	search("~!REGEX", "Whether the regular expression is not found in the text, ignoring case.", regex.CaseInsensitive, true, "NOTREGEXCASEINSENSITIVE"),
	{
		Name: "NOTLIKE", Aliases: []string{"!LIKE"}, Group: "comparison", Sig: "(STRING, STRING) -> BOOLEAN",
		Doc: "Whether the text does not match the pattern of LIKE.",
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return callPattern(make([]function.Arg, 2), func(pattern, escape string) (func(string) (bool, error), error) {
				m, err := compileLike(pattern, escape)
				return func(s string) (bool, error) { return !m(s), nil }, err
			}), nil
		}),
	},
	loose("!=", "Whether both are different texts or numbers.", 2, 2, func(v []operand) bool { return !equalOperands(v) }, "<>"),
	loose("NOTNULL", "Whether the value is not NULL.", 1, 1, func(v []operand) bool { return !v[0].null }),
	{
		Name: "OPERATOR", Group: "comparison", Sig: "(ANY, STRING, ANY) -> BOOLEAN!",
		Doc:   "Compares the first with the third, the second being =, ==, !=, <>, >, >=, < or <=. Another operator is an error.",
		Nulls: function.Called, Infer: inferOperator, Scalar: function.Bound(bindOperator),
		Eg: []function.Example{eg("OPERATOR(2, '>=', 1)", "TRUE")},
	},
}

// condition makes a function of a text and a value that is ofNull for a NULL
// text if it is negative.
func condition(name, doc string, positive bool, f func(s, v string) bool, aliases ...string) function.Def {
	return function.Def{
		Name: name, Aliases: aliases, Group: "comparison", Sig: "(STRING, STRING) -> BOOLEAN!", Doc: doc, Nulls: function.Called,
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			var all []int32
			return func(args []vectorOf, sel []int32, out vectorOf) error {
				s, v := openText(args[0]), openText(args[1])
				dst := out.(*flat[bool]).Vals
				for _, i := range function.Rows(sel, len(dst), &all) {
					if s.null(i) || v.null(i) {
						dst[i] = !positive
						continue
					}
					dst[i] = f(s.at(i), v.at(i))
				}
				return nil
			}, nil
		}),
	}
}

func containsFold(s, v string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(v))
}

// commaList tells whether s is an item of a list with commas; blanks around items
// do not count.
func commaList(s, list string, fold bool) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == s || fold && strings.EqualFold(item, s) {
			return true
		}
	}
	return false
}

// search is bindRegexSearch with flags.
func search(name, doc string, flags regex.Flags, not bool, aliases ...string) function.Def {
	return function.Def{
		Name: name, Aliases: aliases, Group: "regexp", Sig: "(STRING, STRING) -> BOOLEAN!", Doc: doc, Nulls: function.Called,
		Scalar: function.Bound(bindRegexFlags(flags, not)),
	}
}

func inferOperator(args []function.Arg) (function.Signature, error) {
	if len(args) != 3 || !args[1].Type.IsChar() {
		return function.Signature{}, errors.New("OPERATOR takes a value, an operator as a text, and a value")
	}
	sig, err := inferLoose("OPERATOR", 2, 2)([]function.Arg{args[0], args[2]})
	if err == nil {
		sig.Args = slices.Insert(sig.Args, 1, args[1].Type)
	}
	return sig, err
}

func bindOperator(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		a, op, b := openOperand(args[0]), openText(args[1]), openOperand(args[2])
		dst := out.(*flat[bool]).Vals
		for _, i := range function.Rows(sel, len(dst), &all) {
			v := []operand{a(i), b(i)}
			switch {
			case op.null(i):
				return &function.RowError{Row: int(i), Err: errors.New("OPERATOR without operator")}
			case op.at(i) == "=" || op.at(i) == "==":
				dst[i] = equalOperands(v)
			case op.at(i) == "!=" || op.at(i) == "<>":
				dst[i] = !equalOperands(v)
			case op.at(i) == ">":
				dst[i] = ordered(v, func(c int) bool { return c > 0 })
			case op.at(i) == ">=":
				dst[i] = ordered(v, func(c int) bool { return c >= 0 })
			case op.at(i) == "<":
				dst[i] = ordered(v, func(c int) bool { return c < 0 })
			case op.at(i) == "<=":
				dst[i] = ordered(v, func(c int) bool { return c <= 0 })
			default:
				return &function.RowError{Row: int(i), Err: errors.New("OPERATOR takes =, ==, !=, <>, >, >=, < and <=, not " + strings.Clone(op.at(i)))}
			}
		}
		return nil
	}, nil
}
