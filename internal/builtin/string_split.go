package builtin

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// stringSplitFuncs take texts apart at separators.
var stringSplitFuncs = []function.Def{
	{
		Name: "SPLIT_INDEX", Group: "string", Sig: "(STRING, STRING, INT) -> STRING? | (STRING, INT, INT) -> STRING?",
		Doc: "The part with the given number, from 0, of the text split at a separator, a text or the code of a character; NULL if there is none. The empty text has no parts.",
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[1].Type.IsChar() {
				return function.CallAppendOk3(func(dst []byte, s, sep string, n int32) ([]byte, bool) {
					part, ok := splitIndex(s, sep, n)
					return append(dst, part...), ok
				}), nil
			}
			return function.CallAppendOk3(func(dst []byte, s string, code, n int32) ([]byte, bool) {
				if code < 1 || code > 255 {
					return dst, false
				}
				var buf [2]byte
				part, ok := splitIndex(s, string(utf8.AppendRune(buf[:0], rune(code))), n)
				return append(dst, part...), ok
			}), nil
		}),
		Eg: []function.Example{eg("SPLIT_INDEX('a,b,c', ',', 1)", "b"), eg("SPLIT_INDEX('a,b,c', 44, 2)", "c")},
	},
	{
		Name: "SPLIT", Group: "string", Sig: "(STRING, STRING) -> ARRAY<STRING>",
		Doc:    "The parts of the text split at a separator; the characters if the separator is empty. The empty text has no parts.",
		Scalar: function.Bound(bindSplit), Eg: []function.Example{eg("SPLIT('a,b', ',')", "[a, b]"), eg("SPLIT('ab', '')", "[a, b]")},
	},
	{
		Name: "STR_TO_MAP", Group: "string", Sig: "(STRING) -> MAP<STRING, STRING>? | (STRING, STRING, STRING) -> MAP<STRING, STRING>?",
		Doc:    "The map written in the text: entries split at the second argument, keys and values at the third, both regular expressions, ',' and '=' if not given. An entry without the latter has the value NULL; the last of equal keys counts. The order is that of Java's HashMap.",
		Scalar: function.Bound(bindStrToMap), Eg: []function.Example{eg("STR_TO_MAP('k1=v1,k2=v2')", "{k1=v1, k2=v2}"), eg("STR_TO_MAP('z:1;a:2', ';', ':')", "{a=2, z=1}")},
	},
	{
		Name: "ELT", Group: "string", Sig: "(INTEGER, CHARACTER, CHARACTER...) -> CHARACTER? | (INTEGER, BINARY, BINARY...) -> BINARY?",
		Doc:   "The argument with the given number behind the first, from 1; NULL if there is none.",
		Infer: inferElt, Scalar: function.Bound(bindElt), Nulls: function.Called,
		Eg: []function.Example{eg("ELT(2, 'a', 'b')", "b")},
	},
}

// splitIndex returns part n of s; an empty separator splits at white space.
func splitIndex(s, sep string, n int32) (string, bool) {
	if s == "" || n < 0 {
		return "", false
	}
	for {
		i, w := strings.Index(s, sep), len(sep)
		if sep == "" {
			if i = strings.IndexFunc(s, isJavaSpace); i >= 0 {
				w = len(cut(s[i:], 1))
			}
		}
		if i < 0 {
			return s, n == 0
		}
		if n == 0 {
			return s[:i], true
		}
		s, n = s[i+w:], n-1
	}
}

// isJavaSpace is Character.isWhitespace for what occurs in practice: no
// non-breaking blanks.
func isJavaSpace(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0x1c, 0x1d, 0x1e, 0x1f, 0x1680, 0x2028, 0x2029, 0x205f, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200a && r != 0x2007
}

// textLists writes rows of an ARRAY of texts.
type textLists struct {
	list  *vector.List
	child *flat[string]
}

func openLists(out vectorOf) textLists {
	l := out.(*vector.List)
	return textLists{l, l.Child.(*flat[string])}
}

func (l textLists) begin(i int32) { l.list.Off[i], l.list.Count[i] = int32(l.child.Len()), 0 }

func (l textLists) add(i int32, s string) {
	at := vector.Extend(l.child, 1)
	l.child.Vals[at] = l.child.Arena.Clone(s)
	l.list.Count[i]++
}

func (l textLists) addNull(i int32) {
	l.child.SetNull(vector.Extend(l.child, 1))
	l.list.Count[i]++
}

func bindSplit(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		o := openLists(out)
		for _, i := range function.Rows(sel, out.Len(), &all) {
			s, sep := cols[0].at(i), cols[1].at(i)
			o.begin(i)
			switch {
			case s == "":
			case sep == "":
				for s != "" {
					c := cut(s, 1)
					o.add(i, c)
					s = s[len(c):]
				}
			default:
				for {
					j := strings.Index(s, sep)
					if j < 0 {
						o.add(i, s)
						break
					}
					o.add(i, s[:j])
					s = s[j+len(sep):]
				}
			}
		}
		return nil
	}, nil
}

func bindStrToMap(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	entries, pairs := newSplitter(","), newSplitter("=")
	if len(args) == 3 {
		for i, s := range []*splitter{entries, pairs} {
			if text, ok := args[i+1].Value.(string); ok && args[i+1].Const {
				if err := s.use(text); err != nil {
					return nil, err
				}
			}
		}
	}
	cols, all, parts := textColumns{}, []int32(nil), []string(nil)
	made, index := []mapEntry(nil), map[string]int{} // of a row
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args)
		m := out.(*vector.Map)
		keys, vals := m.Keys.(*flat[string]), m.Vals.(*flat[string])
		for _, i := range function.Rows(sel, out.Len(), &all) {
			if len(cols) == 3 {
				if err := errors.Join(entries.use(cols[1].at(i)), pairs.use(cols[2].at(i))); err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
			}
			start := keys.Len()
			m.Off[i], m.Count[i] = int32(start), 0
			s := cols[0].at(i)
			if s == "" {
				continue
			}
			var err error
			if parts, err = entries.split(parts[:0], s, 0); err != nil {
				return &function.RowError{Row: int(i), Err: err}
			}
			made = made[:0]
			clear(index)
			for _, entry := range parts {
				var kv [2]string
				two, err := pairs.split(kv[:0], entry, 2)
				if err != nil {
					return &function.RowError{Row: int(i), Err: err}
				}
				e := mapEntry{key: kv[0], val: kv[1], valid: len(two) == 2}
				if at, ok := index[e.key]; ok {
					made[at] = e
					continue
				}
				index[e.key] = len(made)
				made = append(made, e)
			}
			hashMapOrder(made)
			for _, e := range made {
				at := vector.Extend(keys, 1)
				keys.Vals[at] = keys.Arena.Clone(e.key)
				if vector.Extend(vals, 1); e.valid {
					vals.Vals[at] = vals.Arena.Clone(e.val)
				} else {
					vals.SetNull(at)
				}
			}
			m.Count[i] = int32(len(made))
		}
		return nil
	}, nil
}

// splitter is String.split of Java: at a regular expression, or at the text it
// stands for if it has no special characters.
type splitter struct {
	src     string
	literal string
	re      *regex.Matcher
}

func newSplitter(literal string) *splitter { return &splitter{src: literal, literal: literal} }

// use sets the pattern, keeping the compiled one if it is the same.
func (p *splitter) use(src string) error {
	if src == p.src {
		return nil
	}
	if src != "" && !strings.ContainsAny(src, `\^$.|?*+()[]{}`) {
		*p = splitter{src: strings.Clone(src), literal: strings.Clone(src)}
		return nil
	}
	re, err := regex.Compile(src, 0)
	if err != nil {
		return err
	}
	*p = splitter{src: strings.Clone(src), re: re.Matcher()}
	return nil
}

// split appends the parts of s, at most limit if that is not 0; else empty
// parts at the end are left out.
func (p *splitter) split(parts []string, s string, limit int) ([]string, error) {
	base, last := len(parts), 0
	if p.re == nil {
		for limit == 0 || len(parts)-base < limit-1 {
			i := strings.Index(s[last:], p.literal)
			if i < 0 {
				break
			}
			parts = append(parts, s[last:last+i])
			last += i + len(p.literal)
		}
	} else {
		p.re.Reset(s)
		for limit == 0 || len(parts)-base < limit-1 {
			ok, err := p.re.Next()
			if err != nil {
				return parts, err
			}
			if !ok {
				break
			}
			start, end := p.re.Group(0)
			if end == 0 { // no empty part in front
				continue
			}
			parts = append(parts, s[last:start])
			last = end
		}
	}
	parts = append(parts, s[last:])
	if limit == 0 && last > 0 {
		for len(parts) > base && parts[len(parts)-1] == "" {
			parts = parts[:len(parts)-1]
		}
	}
	return parts, nil
}

func inferElt(args []function.Arg) (function.Signature, error) {
	var sig function.Signature
	if len(args) < 2 {
		return sig, errors.New("ELT takes an index and one text or more")
	}
	if !args[0].Type.IsInteger() {
		return sig, fmt.Errorf("ELT takes an integer first, not %s", args[0].Type.OrNull())
	}
	if n, ok := constInt(args[0]); ok && n < 0 {
		return sig, fmt.Errorf("ELT takes an index from 0 on, not %d", n)
	}
	sig.Args = []types.Type{types.Of(types.BigInt).WithNull(args[0].Type.Nullable)}
	var ts []types.Type
	for _, a := range args[1:] {
		if !a.Type.IsChar() && !a.Type.IsBinary() {
			return sig, fmt.Errorf("ELT takes texts or byte strings, not %s", a.Type.OrNull())
		}
		ts = append(ts, a.Type)
		sig.Args = append(sig.Args, a.Type)
	}
	res, ok := types.Common(ts...)
	if !ok {
		return sig, errors.New("ELT takes texts or byte strings, not both")
	}
	sig.Result = res.OrNull()
	return sig, nil
}

// constInt is the value of a constant integer argument.
func constInt(a function.Arg) (int64, bool) {
	if !a.Const {
		return 0, false
	}
	switch n := a.Value.(type) {
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	}
	return 0, false
}

func bindElt(*function.Context, []function.Arg, types.Type) (function.Call, error) {
	cols, all := textColumns{}, []int32(nil)
	return func(args []vectorOf, sel []int32, out vectorOf) error {
		cols.set(args[1:])
		ns, mask := function.Column[int64](args[0])
		o := out.(*flat[string])
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			n := ns[i&mask]
			if args[0].IsNull(int(i)) || n < 1 || n > int64(len(cols)) || cols[n-1].null(i) {
				o.SetNull(int(i))
				continue
			}
			o.Vals[i] = o.Arena.Clone(cols[n-1].at(i))
		}
		return nil
	}, nil
}
