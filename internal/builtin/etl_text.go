package builtin

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// etlTextFuncs read texts of pairs and texts in other encodings.
var etlTextFuncs = []function.Def{
	{
		Name: "KEYVALUE", Aliases: []string{"KV"}, Group: "string", Sig: "(STRING, STRING) -> STRING? | (STRING, STRING, STRING, STRING) -> STRING?",
		Doc:    "KEYVALUE(text, c1, c2, key): the value of a key in a text of pairs, which any of the characters of c1 ends and any of c2 parts into key and value; ; and : if not given, blanks if NULL. NULL if there is no such key.",
		Scalar: function.Bound(bindKeyValue), Nulls: function.Called,
		Eg: []function.Example{eg("KEYVALUE('k1=v1,k2=v2', ',', '=', 'k2')", "v2"), eg("KEYVALUE('a:1;b:2', 'a')", "1")},
	},
	{
		Name: "STRTOMAP", Aliases: []string{"STR2JSON", "JSONCREATE"}, Group: "string", Sig: "(STRING) -> STRING | (STRING, STRING, STRING) -> STRING",
		Doc: "A text of pairs as a JSON object, its values being texts; the second argument parts pairs, the third key and value, ',' and '=' if not given. A pair without the latter is left out.",
		Scalar: function.Arity(1,
			function.Append1(func(dst []byte, s string) []byte { return appendPairs(dst, s, ",", "=") }),
			nil,
			function.Append3(appendPairs)),
		Eg: []function.Example{eg("STRTOMAP('a=1,b=2')", `{"a":"1","b":"2"}`)},
	},
	{
		Name: "ISENCODING", Aliases: []string{"IS_ENCODING"}, Group: "string", Sig: "(STRING, STRING, STRING) -> BOOLEAN",
		Doc:    "Whether the text stays the same if its bytes in one character set are read in another.",
		Scalar: function.Bound(bindIsEncoding), Eg: []function.Example{eg("ISENCODING('abc', 'UTF-8', 'GBK')", "TRUE"), eg("ISENCODING('中', 'UTF-8', 'GBK')", "FALSE")},
	},
	{
		Name: "URLENCODE", Group: "url", Sig: "(STRING, [STRING]) -> STRING?",
		Doc:    "The text in the form of a query string, its bytes being those of a character set, UTF-8 if not given.",
		Scalar: urlCharset(true), Eg: []function.Example{eg("URLENCODE('a b')", "a+b"), eg("URLENCODE('中', 'GBK')", "%D6%D0")},
	},
	{
		Name: "URLDECODE", Group: "url", Sig: "(STRING, [STRING]) -> STRING?",
		Doc:    "The text that was URL-encoded in a character set, UTF-8 if not given; NULL if an escape is broken.",
		Scalar: urlCharset(false), Eg: []function.Example{eg("URLDECODE('%D6%D0', 'GBK')", "中")},
	},
	{
		Name: "FROMBASE64", Group: "string", Sig: "(STRING) -> BYTES", Doc: "The bytes written in base 64. Other characters are an error.",
		Scalar: function.AppendErr1(appendBase64Bytes), Eg: []function.Example{eg("FROMBASE64('QUI=')", "x'4142'")},
	},
	{
		Name: "DECODE16", Group: "string", Sig: "(STRING) -> STRING?",
		Doc: "The text whose bytes, in UTF-8, are written as pairs of hexadecimal digits; NULL if the text is no such.",
		Scalar: function.AppendOk1(func(dst []byte, s string) ([]byte, bool) {
			at := len(dst)
			dst, ok := appendUnhex(dst, s)
			if ok && !utf8.Valid(dst[at:]) {
				dst = types.AppendUTF8(dst[:at], string(dst[at:]))
			}
			return dst, ok
		}),
		Eg: []function.Example{eg("DECODE16('4142')", "AB")},
	},
}

func bindKeyValue(_ *function.Context, known []function.Arg, _ types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		o := out.(*flat[string])
		last := len(cols) - 1
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			if cols[0].null(i) || cols[last].null(i) {
				o.SetNull(int(i))
				continue
			}
			c1, c2 := ";", ":"
			if len(cols) == 4 {
				c1, c2 = " ", " "
				if !cols[1].null(i) {
					c1 = cols[1].at(i)
				}
				if !cols[2].null(i) {
					c2 = cols[2].at(i)
				}
			}
			v, ok := keyValue(cols[0].at(i), c1, c2, cols[last].at(i))
			if !ok {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Clone(v)
		}
		return nil
	}, nil
}

// keyValue finds the value of a key. If both sets have a character in common,
// as blanks are, keys and values take turns.
func keyValue(s, pairs, parts, key string) (string, bool) {
	for s != "" {
		end := strings.IndexAny(s, parts)
		if end < 0 {
			return "", false
		}
		_, w := utf8.DecodeRuneInString(s[end:])
		if stop := strings.IndexAny(s[:end], pairs); stop >= 0 { // a pair without value
			_, w := utf8.DecodeRuneInString(s[stop:])
			s = s[stop+w:]
			continue
		}
		k, rest := s[:end], s[end+w:]
		v := rest
		if stop := strings.IndexAny(rest, pairs); stop >= 0 {
			_, w := utf8.DecodeRuneInString(rest[stop:])
			v, s = rest[:stop], rest[stop+w:]
		} else {
			s = ""
		}
		if k == key {
			return v, true
		}
	}
	return "", false
}

func appendPairs(dst []byte, s, pairSep, kvSep string) []byte {
	dst = append(dst, '{')
	var keys []string
	pairs := []string{s}
	if pairSep != "" {
		pairs = strings.Split(s, pairSep)
	}
	for i, pair := range pairs {
		k, _, ok := strings.Cut(pair, kvSep)
		if !ok || kvSep == "" || slices.Contains(keys, k) {
			continue
		}
		v := ""
		for _, later := range pairs[i:] { // the last of equal keys counts
			if lk, lv, ok := strings.Cut(later, kvSep); ok && lk == k {
				v = lv
			}
		}
		if len(keys) > 0 {
			dst = append(dst, ',')
		}
		keys = append(keys, k)
		dst = appendJSONQuoted(dst, k)
		dst = append(dst, ':')
		dst = appendJSONQuoted(dst, v)
	}
	return append(dst, '}')
}

func bindIsEncoding(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	var from, to charsetCode
	return function.CallMapErr3(func(s, a, b string) (bool, error) {
		if err := from.use(a); err != nil {
			return false, err
		}
		if err := to.use(b); err != nil {
			return false, err
		}
		raw, err := from.encode(nil, s)
		if err != nil {
			return false, err
		}
		text, err := to.decode(nil, string(raw))
		return string(text) == s, err
	}), nil
}

func urlCharset(encode bool) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
		var c charsetCode
		cols, all := textColumns{}, []int32(nil)
		return func(args []vectorOf, sel []int32, out vectorOf) error {
			cols.set(args)
			o := out.(*flat[string])
			for _, i := range function.Rows(sel, len(o.Vals), &all) {
				name := "UTF-8"
				if len(cols) == 2 {
					name = cols[1].at(i)
				}
				b, ok, err := appendURLIn(o.Arena.Grow(256), cols[0].at(i), name, &c, encode)
				switch {
				case err != nil:
					return &function.RowError{Row: int(i), Err: err}
				case !ok:
					o.SetNull(int(i))
				default:
					o.Vals[i] = o.Arena.Take(b)
				}
			}
			return nil
		}, nil
	})
}

func appendURLIn(dst []byte, s, name string, c *charsetCode, encode bool) ([]byte, bool, error) {
	if err := c.use(name); err != nil {
		return dst, false, err
	}
	if encode {
		raw, err := c.encode(nil, s)
		return appendURLEncoded(dst, string(raw)), true, err
	}
	raw, ok := appendURLBytes(nil, s)
	if !ok {
		return dst, false, nil
	}
	dst, err := c.decode(dst, string(raw))
	return dst, true, err
}
