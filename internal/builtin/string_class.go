package builtin

import (
	"unicode"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// stringClassFuncs tell what a text, or the text of a number, is made of.
var stringClassFuncs = []function.Def{
	classDef("IS_ALPHA", "Whether the text has letters only, at least one; FALSE for NULL.", isAlpha, eg("IS_ALPHA('abc')", "TRUE"), eg("IS_ALPHA('')", "FALSE")),
	classDef("IS_DIGIT", "Whether the text has digits only, at least one; FALSE for NULL.", isDigit, eg("IS_DIGIT('123')", "TRUE"), eg("IS_DIGIT('-1')", "FALSE")),
	classDef("IS_DECIMAL", "Whether the text is a number; FALSE for NULL.", isDecimal, eg("IS_DECIMAL('-1.5')", "TRUE"), eg("IS_DECIMAL('abc')", "FALSE")),
}

func classDef(name, doc string, f func(string) bool, egs ...function.Example) function.Def {
	return function.Def{
		Name: name, Group: "string", Sig: "(CHARACTER) -> BOOLEAN! | (NUMERIC) -> BOOLEAN!", Doc: doc, Nulls: function.Called, Eg: egs,
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			t, all, buf := args[0].Type, []int32(nil), []byte(nil)
			return func(args []vectorOf, sel []int32, out vectorOf) error {
				dst := out.(*flat[bool]).Vals
				if !t.IsChar() { // rare: by way of the text of the number
					for _, i := range function.Rows(sel, len(dst), &all) {
						v := vector.Get(args[0], int(i))
						buf = types.AppendCast(buf[:0], v, t, nil)
						dst[i] = v != nil && f(vector.View(buf))
					}
					return nil
				}
				col := openText(args[0])
				for _, i := range function.Rows(sel, len(dst), &all) {
					dst[i] = !col.null(i) && f(col.at(i))
				}
				return nil
			}, nil
		}),
	}
}

func allRunes(s string, f func(rune) bool) bool {
	for _, r := range s {
		if !f(r) {
			return false
		}
	}
	return s != ""
}

func isAlpha(s string) bool { return allRunes(s, unicode.IsLetter) && utf8.ValidString(s) }

func isDigit(s string) bool { return allRunes(s, unicode.IsDigit) }

func isDecimal(s string) bool {
	_, ok := types.ParseDouble(s)
	return ok
}
