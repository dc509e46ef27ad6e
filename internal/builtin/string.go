package builtin

import (
	"slices"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// stringFuncs are the functions of texts. Positions and lengths count code
// points, from 1.
var stringFuncs = slices.Concat(stringBasicFuncs, stringPartFuncs, stringSearchFuncs, stringSplitFuncs, stringClassFuncs, stringFormatFuncs, stringCodeFuncs, likeFuncs)

var stringBasicFuncs = []function.Def{
	{
		Name: "CHAR_LENGTH", Aliases: []string{"CHARACTER_LENGTH"}, Group: "string", Sig: "(STRING) -> INT",
		Doc:    "The number of characters.",
		Scalar: function.Map1(func(s string) int32 { return int32(utf8.RuneCountInString(s)) }),
		Eg:     []function.Example{eg("CHAR_LENGTH('中文')", "2")},
	},
	{
		Name: "UPPER", Group: "string", Sig: "(CHARACTER) -> CHARACTER",
		Doc:    "The text in upper case. A CHAR keeps its length.",
		Scalar: function.Bound(bindCase(appendUpper)), Eg: []function.Example{eg("UPPER('abc')", "ABC")},
	},
	{
		Name: "LOWER", Group: "string", Sig: "(CHARACTER) -> CHARACTER",
		Doc:    "The text in lower case. A CHAR keeps its length.",
		Scalar: function.Bound(bindCase(appendLower)), Eg: []function.Example{eg("LOWER('ABC')", "abc")},
	},
	{
		Name: "INITCAP", Group: "string", Sig: "(CHARACTER) -> CHARACTER",
		Doc:    "The text with each word starting in upper case and going on in lower case. Words are made of the letters A to Z and digits.",
		Scalar: function.Append1(appendInitcap), Eg: []function.Example{eg("INITCAP('hello wORLD')", "Hello World")},
	},
	{
		Name: "REVERSE", Group: "string", Sig: "(STRING) -> STRING?",
		Doc:    "The characters in reverse order.",
		Scalar: function.Append1(appendReverse), Eg: []function.Example{eg("REVERSE('abc')", "cba")},
	},
	{
		Name: "ASCII", Group: "string", Sig: "(STRING) -> INT",
		Doc: "The first byte of the text in UTF-8 as a signed number, 0 if it is empty.",
		Scalar: function.Map1(func(s string) int32 {
			if s == "" {
				return 0
			}
			return int32(int8(s[0]))
		}),
		Eg: []function.Example{eg("ASCII('A')", "65"), eg("ASCII('')", "0")},
	},
	{
		Name: "CHR", Group: "string", Sig: "(BIGINT) -> STRING?",
		Doc: "The character with the number modulo 256; the empty text of a negative number.",
		Scalar: function.Append1(func(dst []byte, n int64) []byte {
			if n < 0 {
				return dst
			}
			return utf8.AppendRune(dst, rune(n&255))
		}),
		Eg: []function.Example{eg("CHR(97)", "a")},
	},
	{
		Name: "CONCAT", Group: "string", Sig: "(STRING, STRING...) -> STRING",
		Doc:    "The texts one after the other; NULL if one is.",
		Scalar: function.Bound(bindConcat), Eg: []function.Example{eg("CONCAT('a', 'b', 'c')", "abc")},
	},
	{
		Name: "CONCAT_WS", Group: "string", Sig: "(STRING, STRING...) -> STRING",
		Doc:    "The texts that are not NULL one after the other with the first argument between them; NULL if that is.",
		Scalar: function.Bound(bindConcatWS), Nulls: function.Called,
		Eg: []function.Example{eg("CONCAT_WS('-', 'a', CAST(NULL AS STRING), 'b')", "a-b")},
	},
	{
		Name: "||", Group: "string", Sig: "(CHARACTER, CHARACTER) -> CHARACTER+ | (BINARY, BINARY) -> BYTES",
		Doc:    "a || b: both texts, or byte strings, one after the other.",
		Scalar: function.Append2(func(dst []byte, a, b string) []byte { return append(append(dst, a...), b...) }),
		Eg:     []function.Example{eg("'a' || 'b'", "ab")},
	},
	{
		Name: "REPEAT", Group: "string", Sig: "(STRING, INT) -> STRING",
		Doc:    "The text n times; the empty text if n is not positive.",
		Scalar: function.AppendErr2(appendRepeat),
		Eg:     []function.Example{eg("REPEAT('ab', 3)", "ababab"), eg("REPEAT('ab', -1)", "")},
	},
}

// appendRepeat keeps results within function.MaxText.
func appendRepeat(dst []byte, s string, n int32) ([]byte, error) {
	if n <= 0 || s == "" {
		return dst, nil
	}
	if len(s)*int(n) > function.MaxText {
		return dst, function.ErrTooLong
	}
	dst = slices.Grow(dst, len(s)*int(n))
	for range n {
		dst = append(dst, s...)
	}
	return dst, nil
}

func appendReverse(dst []byte, s string) []byte {
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		dst = append(dst, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return dst
}

func appendInitcap(dst []byte, s string) []byte {
	inWord := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			if !inWord {
				c -= 'a' - 'A'
			}
			inWord = true
		case c >= 'A' && c <= 'Z':
			if inWord {
				c += 'a' - 'A'
			}
			inWord = true
		default:
			inWord = c >= '0' && c <= '9'
		}
		dst = append(dst, c)
	}
	return dst
}

func bindConcat(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	switch len(args) {
	case 1:
		return function.CallAppend1(func(dst []byte, a string) []byte { return append(dst, a...) }), nil
	case 2:
		return function.CallAppend2(func(dst []byte, a, b string) []byte { return append(append(dst, a...), b...) }), nil
	}
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			n := 0
			for j := range cols {
				n += len(cols[j].at(i))
			}
			dst := o.Arena.Grow(n)
			for j := range cols {
				dst = append(dst, cols[j].at(i)...)
			}
			o.Vals[i] = o.Arena.Take(dst)
		}
		return nil
	}, nil
}

func bindConcatWS(_ *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			if cols[0].null(i) {
				o.SetNull(int(i))
				continue
			}
			sep, first := cols[0].at(i), true
			dst := o.Arena.Grow(256)
			for j := 1; j < len(cols); j++ {
				if cols[j].null(i) {
					continue
				}
				if !first {
					dst = append(dst, sep...)
				}
				dst, first = append(dst, cols[j].at(i)...), false
			}
			o.Vals[i] = o.Arena.Take(dst)
		}
		return nil
	}, nil
}

// textColumn is an argument of texts, opened for a loop over rows.
type textColumn struct {
	vals    []string
	mask    int32
	nulls   []uint64 // of a flat column
	allNull bool     // of a constant
}

type textColumns []textColumn

// set opens the arguments, reusing memory.
func (c *textColumns) set(args []vectorOf) {
	*c = (*c)[:0]
	for _, a := range args {
		*c = append(*c, openText(a))
	}
}

func openText(v vectorOf) textColumn {
	vals, mask := function.Column[string](v)
	t := textColumn{vals: vals, mask: mask}
	if mask == 0 {
		t.allNull = v.IsNull(0)
	} else {
		t.nulls = v.Nulls()
	}
	return t
}

func (c *textColumn) at(i int32) string { return c.vals[i&c.mask] }

func (c *textColumn) null(i int32) bool {
	return c.allNull || c.nulls != nil && c.nulls[i>>6]&(1<<(uint(i)&63)) != 0
}

// offset returns where character n of s begins, n from 0, and len(s) if there
// are no more than n.
func offset(s string, n int) int {
	if n <= 0 {
		return 0
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, w := utf8.DecodeRuneInString(s[i:])
		i += w
	}
	return i
}

// cut returns the first n characters of s.
func cut(s string, n int) string {
	if n >= len(s) {
		return s
	}
	return s[:offset(s, n)]
}

// lastChars returns the last n characters of s.
func lastChars(s string, n int) string {
	i := len(s)
	for ; n > 0 && i > 0; n-- {
		_, w := utf8.DecodeLastRuneInString(s[:i])
		i -= w
	}
	return s[i:]
}

// chars returns the number of characters of s.
func chars(s string) int { return utf8.RuneCountInString(s) }
