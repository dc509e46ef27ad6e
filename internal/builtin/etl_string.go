package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// etlStringFuncs are the functions of texts that RocketMQ-Streams has besides:
// other names, then its own.
var etlStringFuncs = []function.Def{
	again(stringBasicFuncs, "CHAR_LENGTH", "LEN"),
	again(stringBasicFuncs, "CHR", "CHAR"),
	again(stringBasicFuncs, "LOWER", "LOW", "TOLOWER"),
	again(stringBasicFuncs, "UPPER", "TOUPPER"),
	again(stringClassFuncs, "IS_DIGIT", "IS_NUMBER"),
	again(stringSearchFuncs, "INSTR", "BLINK_INSTR", "BLINK_INDEXOF"),
	again(stringPartFuncs, "SUBSTRING", "BLINK_SUBSTR", "BLINK_SUBSTRING"),
	again(stringSplitFuncs, "SPLIT_INDEX", "SPLITINDEX"),
	again(stringCodeFuncs, "TO_BASE64", "TOBASE64"),
	again(stringCodeFuncs, "DECODE", "BYTE2STRING"),
	again(stringCodeFuncs, "INET_ATON", "IP2LONG"),
	again(urlFuncs, "PARSE_URL", "URL"),
	{
		Name: "LENGTH", Group: "string", Sig: "(STRING) -> BIGINT", Doc: "The number of characters.",
		Scalar: function.Map1(func(s string) int64 { return int64(chars(s)) }), Eg: []function.Example{eg("LENGTH('中文')", "2")},
	},
	{
		Name: "LENGTHB", Aliases: []string{"LENB"}, Group: "string", Sig: "(STRING) -> BIGINT", Doc: "The number of bytes in UTF-8.",
		Scalar: function.Map1(func(s string) int64 { return int64(len(s)) }), Eg: []function.Example{eg("LENGTHB('中文')", "6")},
	},
	{
		Name: "CHARMATCHCOUNT", Aliases: []string{"CHAR_MATCHCOUNT"}, Group: "string", Sig: "(STRING, STRING) -> INT",
		Doc:    "How many different characters of the second text occur in the first.",
		Scalar: function.Map2(charMatchCount), Eg: []function.Example{eg("CHARMATCHCOUNT('abd', 'aabc')", "2")},
	},
	{
		Name: "CONTAINS", Group: "string", Sig: "(STRING, STRING) -> BOOLEAN", Doc: "Whether the second text occurs in the first.",
		Scalar: function.Map2(strings.Contains),
	},
	{
		Name: "SPACE", Group: "string", Sig: "(INT) -> STRING", Doc: "So many blanks.",
		Scalar: function.AppendErr1(func(dst []byte, n int32) ([]byte, error) { return appendRepeat(dst, " ", n) }),
		Eg:     []function.Example{eg("SPACE(3)", "   ")},
	},
	{
		Name: "SOUNDX", Group: "string", Sig: "(STRING) -> STRING",
		Doc:    "The sound of a word as four digits: the groups of consonants of Soundex, of the first letter too; 0000 if there are none.",
		Scalar: function.Append1(appendSoundx), Eg: []function.Example{eg("SOUNDX('Robert')", "6163")},
	},
	{
		Name: "SUBSTRINGINDEX", Aliases: []string{"SUBSTR_INDEX", "SUBSTRING_INDEX"}, Group: "string", Sig: "(STRING, STRING, INT) -> STRING",
		Doc:    "What stands before the n-th separator, or for a negative n behind the n-th from the right; the whole text if there are fewer.",
		Scalar: function.Text3(substringIndex), Eg: []function.Example{eg("SUBSTRINGINDEX('a.b.c', '.', 2)", "a.b"), eg("SUBSTRINGINDEX('a.b.c', '.', -1)", "c")},
	},
	{
		Name: "SPLITPART", Aliases: []string{"SPLIT_PART"}, Group: "string", Sig: "(STRING, STRING, INT, [INT]) -> STRING",
		Doc: "The parts of a split text from one number to another, from 1, one after the other without separator; only the first if no other is given.",
		Scalar: function.Arity(3,
			function.Append3(func(dst []byte, s, sep string, n int32) []byte { return appendSplitPart(dst, s, sep, n, n) }),
			function.Append4(appendSplitPart)),
		Eg: []function.Example{eg("SPLITPART('a,b,c', ',', 2)", "b"), eg("SPLITPART('a,b,c', ',', 1, 2)", "ab")},
	},
	{
		Name: "TOSTRING", Aliases: []string{"TOCHAR"}, Group: "string", Sig: "(ANY) -> STRING", Doc: "The value as a text.",
		Scalar: function.Bound(bindToString), Eg: []function.Example{eg("TOSTRING(1.50)", "1.50")},
	},
	{
		Name: "CONVERTBOOLEN", Aliases: []string{"CONVERT_BOOLEN"}, Group: "type", Sig: "(ANY) -> INT",
		Doc:   "1 if the value is TRUE or FALSE, or a text that says so in any case, else 0.",
		Infer: inferFlag("CONVERTBOOLEN"),
		Scalar: function.Map1(func(s string) int32 {
			if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
				return 1
			}
			return 0
		}),
		Eg: []function.Example{eg("CONVERTBOOLEN('True')", "1"), eg("CONVERTBOOLEN(TRUE)", "1"), eg("CONVERTBOOLEN('x')", "0")},
	},
}

func charMatchCount(s, set string) int32 {
	n := int32(0)
	for i, r := range set {
		w := utf8.RuneLen(r)
		if r == utf8.RuneError || strings.ContainsRune(set[:i], r) {
			continue
		}
		if strings.Contains(s, set[i:i+w]) {
			n++
		}
	}
	return n
}

// soundDigits are the groups of Soundex for A to Z; vowels have 0, H and W,
// which do not part equal groups, '-'.
const soundDigits = "0123012-02245501262301-202"

func appendSoundx(dst []byte, s string) []byte {
	n, last := 0, byte('0')
	for i := 0; i < len(s) && n < 4; i++ {
		c := s[i] &^ 0x20
		if c < 'A' || c > 'Z' {
			continue
		}
		d := soundDigits[c-'A']
		switch {
		case d == '-':
			continue
		case d != '0' && d != last:
			dst = append(dst, d)
			n++
		}
		last = d
	}
	for ; n < 4; n++ {
		dst = append(dst, '0')
	}
	return dst
}

func substringIndex(s, sep string, n int32) string {
	if sep == "" || n == 0 {
		return s
	}
	at := 0
	if n > 0 {
		for ; ; n-- {
			i := strings.Index(s[at:], sep)
			if i < 0 {
				return s
			}
			if n == 1 {
				return s[:at+i]
			}
			at += i + len(sep)
		}
	}
	end := len(s)
	for ; ; n++ {
		i := strings.LastIndex(s[:end], sep)
		if i < 0 {
			return s
		}
		if n == -1 {
			return s[i+len(sep):]
		}
		end = i
	}
}

func appendSplitPart(dst []byte, s, sep string, from, to int32) []byte {
	if sep == "" {
		if from <= 1 && to >= 1 {
			return append(dst, s...)
		}
		return dst
	}
	for n := int32(1); n <= to; n++ {
		i := strings.Index(s, sep)
		part := s
		if i >= 0 {
			part = s[:i]
		}
		if n >= from {
			dst = append(dst, part...)
		}
		if i < 0 {
			break
		}
		s = s[i+len(sep):]
	}
	return dst
}

func bindToString(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	t := args[0].Type
	if t.IsChar() {
		return function.CallAppend1(func(dst []byte, s string) []byte { return append(dst, s...) }), nil
	}
	var all []int32
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			o.Vals[i] = o.Arena.Take(types.AppendCast(o.Arena.Grow(64), vector.Get(args[0], int(i)), t, nil))
		}
		return nil
	}, nil
}

// inferFlag: any value, taken as a text, to an INT.
func inferFlag(name string) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		forms, err := function.ParseSignature("(ANY) -> INT")
		if err != nil {
			return function.Signature{}, err
		}
		sig, _, err := forms[0].Match(args)
		if err != nil {
			return sig, err
		}
		sig.Args = []types.Type{textType(args[0].Type)}
		return sig, nil
	}
}

// textType is t if it is a text, else STRING with t's nullability.
func textType(t types.Type) types.Type {
	if t.IsChar() {
		return t
	}
	return types.String().WithNull(t.Nullable)
}

// etlVariants mean in the rsqldb dialect something else than in Flink SQL.
var etlVariants = []function.Def{
	{
		Name: "CONCAT", Group: "string", Sig: "([STRING...]) -> STRING!",
		Doc:    "The texts that are not NULL one after the other.",
		Scalar: function.Bound(bindConcatSkip(false)), Nulls: function.Called,
		Eg: []function.Example{eg("CONCAT('a', CAST(NULL AS STRING), 'b')", "ab")},
	},
	{
		Name: "CONCAT_WS", Aliases: []string{"CONCAT_SIGN"}, Group: "string", Sig: "(STRING, STRING...) -> STRING!",
		Doc:    "The texts that are not NULL with the first argument between them; a NULL as that is the empty text.",
		Scalar: function.Bound(bindConcatSkip(true)), Nulls: function.Called,
		Eg: []function.Example{eg("CONCAT_WS(CAST(NULL AS STRING), 'a', 'b')", "ab"), eg("CONCAT_WS('-', 'a', CAST(NULL AS STRING), 'b')", "a-b")},
	},
	{
		Name: "HASH_CODE", Aliases: []string{"HASHCODE"}, Group: "hash", Sig: "(STRING) -> INT",
		Doc: "The absolute value of the hash code that Java gives the text.",
		Scalar: function.Map1(func(s string) int32 {
			h := hashText(s)
			if h < 0 {
				h = -h
			}
			return h
		}),
		Eg: []function.Example{eg("HASH_CODE('hello world!')", "217287203")},
	},
	{
		Name: "LOG", Group: "math", Sig: "(DOUBLE, DOUBLE) -> DOUBLE",
		Doc:    "The logarithm of the second number to the base of the first.",
		Scalar: function.Map2(func(b, x float64) float64 { return ln(x)/ln(b) + 0 }), Eg: []function.Example{eg("LOG(2, 8)", "3.0")},
	},
	{
		Name: "REGEXP", Group: "regexp", Sig: "(STRING, STRING) -> BOOLEAN!",
		Doc:    "Whether the regular expression is found in the text; FALSE if one is NULL or it is broken.",
		Scalar: function.Bound(bindRegexSearch(false)), Nulls: function.Called, Eg: []function.Example{eg("REGEXP('foobar', 'o+')", "TRUE")},
	},
}

func bindConcatSkip(separated bool) func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	return func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		cols, all := textColumns{}, []int32(nil)
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			cols.set(args)
			o := out.(*flat[string])
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				sep, parts := "", cols
				if separated {
					if !cols[0].null(i) {
						sep = cols[0].at(i)
					}
					parts = cols[1:]
				}
				dst, first := o.Arena.Grow(256), true
				for j := range parts {
					if parts[j].null(i) {
						continue
					}
					if !first {
						dst = append(dst, sep...)
					}
					dst, first = append(dst, parts[j].at(i)...), false
				}
				o.Vals[i] = o.Arena.Take(dst)
			}
			return nil
		}, nil
	}
}
