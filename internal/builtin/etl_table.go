package builtin

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Table functions: they make rows of a text. NULL makes none.

var etlTableFuncs = []function.Def{
	grokFunc,
	{
		Name: "STRING_SPLIT", Group: "table", Sig: "(STRING, STRING) -> STRING!",
		Doc:   "A row for every part of the text between separators; an empty separator splits into characters.",
		Table: rowsOf(splitRows),
	},
	{
		Name: "SPLIT_ARRAY", Aliases: []string{"SPLITARRAY"}, Group: "table", Sig: "(STRING) -> STRING?",
		Doc: "A row for every element of a JSON array: scalars as they read, others as JSON.",
		Table: rowsOf(func(out vector.Vector, args []vector.Vector, i int) int {
			s := textAt(args[0], i)
			v, ok := jsonOf(s, "[")
			if !ok {
				return 0
			}
			elems := jsonElements(nil, s, v.start)
			for _, e := range elems {
				if s[e.start] == 'n' {
					vector.Append(out, nil)
				} else {
					vector.Append(out, string(appendLoose(nil, s, e)))
				}
			}
			return len(elems)
		}),
	},
	{
		Name: "JSON_TUPLE", Group: "table", Sig: "(STRING, STRING...) -> STRING?",
		Doc: "A row for every path or member name: what it leads to in the JSON text, NULL if that is nothing.",
		Table: &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) {
			paths := map[string]*jsonPath{}
			return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
				if anyNull(args, i) {
					return 0, nil
				}
				s := textAt(args[0], i)
				for _, a := range args[1:] {
					tuplePath(paths, textAt(a, i)).addTo(out[0], s)
				}
				return len(args) - 1, nil
			}, nil
		}},
	},
	{
		Name: "GENERATE_SERIES", Group: "table", Sig: "(BIGINT, BIGINT) -> BIGINT!",
		Doc: "A row for every whole number from the first on, below the second.",
		Table: &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) {
			return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
				if anyNull(args, i) {
					return 0, nil
				}
				from, to := vector.Get(args[0], i).(int64), vector.Get(args[1], i).(int64)
				if from < to && to-from > maxSeries || to-from < 0 && from < to {
					return 0, fmt.Errorf("GENERATE_SERIES: more than %d rows", maxSeries)
				}
				n := 0
				for v := from; v < to; v++ {
					vector.Append(out[0], v)
					n++
				}
				return n, nil
			}, nil
		}},
	},
	{
		Name: "FOR_TIME", Aliases: []string{"TIMEINTERVAL"}, Group: "table", Sig: "(STRING, STRING, STRING, BIGINT) -> STRING!",
		Doc:   "A row for every step from the first time up to the second, a number of units apart.",
		Table: &function.Table{Bind: bindForTime},
	},
	namedTable("PASERBYREGEX", []string{"PARSE_BY_REGEX"}, 2,
		"A row of the groups of a regular expression under the names that follow, if it is found in the text; no row otherwise.", bindParseRegex),
	namedTable("PASERBYSPLIT", []string{"PARSE_BY_SPLIT"}, 2,
		"A row of the parts of a log line between separators, under the names that follow. Parts in brackets, quotes or braces stay together.", bindParseSplit),
	namedTable("PASERBYSIGN", []string{"PARSE_BY_SIGN"}, 2,
		"A row of the parts of the text between separators, under the names that follow.",
		func(args []function.Arg) (lineSplitter, error) { return signSplitter(args, 1) }),
	namedTable("PASERBYASCIISPLIT", nil, 2, "PASERBYSIGN with the separator given by its character code.",
		func(args []function.Arg) (lineSplitter, error) {
			n, ok := intValue(args[1].Value)
			if !ok || n < 0 || n > 0x10FFFF {
				return nil, errors.New("the character code must be a number literal")
			}
			return func(_ []string, s string) ([]string, bool, error) {
				return strings.Split(s, string(rune(n))), true, nil
			}, nil
		}),
	namedTable("PASERBYCOMMA", []string{"CSV_SPLIT"}, 1, "A row of the fields of a line of comma-separated values, under the names that follow.",
		func([]function.Arg) (lineSplitter, error) { return splitCSV, nil }),
	namedTable("MULTI_KEYVALUE", nil, 3, "A row of the values of the keys that follow, in a text of pairs: the separator of pairs and that of key and value come first.",
		bindKeyValues),
	{
		Name: "PARSE_EXPRESS", Aliases: []string{"EXPRESS"}, Group: "table", Sig: "(STRING, STRING) -> ROW<`k` STRING, `v` STRING>!",
		Doc: "A row of key and value for every part k=v between separators.",
		Table: &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) {
			return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
				if anyNull(args, i) {
					return 0, nil
				}
				n := 0
				for _, part := range splitText(textAt(args[0], i), textAt(args[1], i)) {
					if k, v, ok := strings.Cut(part, "="); ok {
						vector.Append(out[0], strings.TrimSpace(k))
						vector.Append(out[1], strings.TrimSpace(v))
						n++
					}
				}
				return n, nil
			}, nil
		}},
	},
	{
		Name: "SPREAD_JSON", Aliases: []string{"AUTOJSON"}, Group: "table", Sig: "(STRING) -> ROW<`path` STRING, `value` STRING>!",
		Doc: "A row of path and value for every scalar in a JSON text: names with points between them, elements by their number from 0.",
		Table: &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) {
			return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
				if anyNull(args, i) {
					return 0, nil
				}
				s := textAt(args[0], i)
				start, end := jsonDocument(s)
				if end < 0 {
					return 0, nil
				}
				return spread(out, s, jsonSpan{start, end}, ""), nil
			}, nil
		}},
	},
}

const maxSeries = 10_000_000

func anyNull(args []vector.Vector, i int) bool {
	return slices.ContainsFunc(args, func(a vector.Vector) bool { return a.IsNull(i) })
}

// rowsOf makes a table of a function that appends the rows of one column.
func rowsOf(f func(out vector.Vector, args []vector.Vector, i int) int) *function.Table {
	return &function.Table{Bind: func(*function.Context, []function.Arg, types.Type) (function.TableCall, error) {
		return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
			if anyNull(args, i) {
				return 0, nil
			}
			return f(out[0], args, i), nil
		}, nil
	}}
}

// tuplePath compiles a path once for all rows that have it.
func tuplePath(paths map[string]*jsonPath, text string) *jsonPath {
	p, ok := paths[text]
	if !ok {
		if len(paths) >= maxPatterns {
			clear(paths)
		}
		text = strings.Clone(text)
		p = compilePath(text)
		paths[text] = p
	}
	return p
}

// addTo appends what the path leads to in s: scalars as they read, others as
// JSON, NULL for nothing.
func (p *jsonPath) addTo(out vector.Vector, s string) {
	r, status := p.eval(s)
	switch {
	case status != pathFound:
		addText(out, absent)
	case r.many:
		addText(out, string(r.append(nil)))
	default:
		addText(out, string(appendLoose(nil, r.text, r.value)))
	}
}

func splitText(s, sep string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, sep)
}

func splitRows(out vector.Vector, args []vector.Vector, i int) int {
	parts := splitText(textAt(args[0], i), textAt(args[1], i))
	for _, p := range parts {
		addText(out, p)
	}
	return len(parts)
}

func spread(out []vector.Vector, s string, v jsonSpan, path string) int {
	under := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	n := 0
	switch s[v.start] {
	case '{':
		for _, m := range jsonMembers(nil, s, v.start) {
			n += spread(out, s, jsonSpan{m.start, m.end}, under(m.key))
		}
		return n
	case '[':
		for k, e := range jsonElements(nil, s, v.start) {
			n += spread(out, s, e, under(fmt.Sprint(k)))
		}
		return n
	}
	vector.Append(out[0], path)
	if s[v.start] == 'n' {
		vector.Append(out[1], nil)
	} else {
		vector.Append(out[1], string(appendJSONScalar(nil, s, v)))
	}
	return 1
}

// absent is a part that there is not: NULL. No text of SQL has these bytes.
const absent = "\xff\xfe"

// addText appends a text without making a types.Value of it.
func addText(v vector.Vector, s string) {
	o := v.(*vector.Flat[string])
	at := vector.Extend(o, 1)
	if s == absent {
		o.SetNull(at)
		return
	}
	o.Vals[at] = o.Arena.Clone(s)
}

// lineSplitter takes a text apart; buf may be reused for the parts. Without a
// result there is no row.
type lineSplitter func(buf []string, s string) (parts []string, ok bool, err error)

// namedTable makes a function with one row whose columns are named by the
// literals behind the first args arguments.
func namedTable(name string, aliases []string, args int, doc string, bind func([]function.Arg) (lineSplitter, error)) function.Def {
	return function.Def{
		Name: name, Aliases: aliases, Group: "table", Sig: "(STRING, …, name, …) -> ROW", Doc: doc,
		Infer: func(given []function.Arg) (function.Signature, error) {
			s := function.Signature{Args: argTypes(given)}
			if len(given) <= args || !given[0].Type.IsChar() {
				return s, fmt.Errorf("%s takes a text, %d more arguments and the names of the columns", name, args-1)
			}
			if _, err := bind(given); err != nil {
				return s, fmt.Errorf("%s: %w", name, err)
			}
			var fields []types.Field
			for i := args; i < len(given); i++ {
				column, ok := constText(given, i)
				if !ok {
					return s, fmt.Errorf("%s: the names of columns are text literals", name)
				}
				fields = append(fields, types.Field{Name: column, Type: types.String()})
			}
			s.Result = types.RowOf(fields...).NotNull()
			return s, nil
		},
		Table: &function.Table{Bind: func(_ *function.Context, given []function.Arg, _ types.Type) (function.TableCall, error) {
			split, err := bind(given)
			if err != nil {
				return nil, err
			}
			var buf []string
			return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
				if args[0].IsNull(i) {
					return 0, nil
				}
				parts, ok, err := split(buf[:0], textAt(args[0], i))
				if err != nil || !ok {
					return 0, err
				}
				buf = parts
				for k, o := range out {
					if k < len(parts) {
						addText(o, parts[k])
					} else {
						addText(o, absent)
					}
				}
				return 1, nil
			}, nil
		}},
	}
}

func bindParseRegex(args []function.Arg) (lineSplitter, error) {
	pattern, ok := constText(args, 1)
	if !ok {
		return nil, errors.New("the regular expression must be a literal")
	}
	re, err := regex.Compile(pattern, 0)
	if err != nil {
		return nil, err
	}
	m := re.Matcher()
	return func(buf []string, s string) ([]string, bool, error) {
		found, err := m.Find(s, 0)
		if err != nil || !found {
			return nil, false, err
		}
		for g := 1; g <= re.NumGroups(); g++ {
			start, end := m.Group(g)
			if start < 0 {
				buf = append(buf, absent)
				continue
			}
			buf = append(buf, s[start:end])
		}
		return buf, true, nil
	}, nil
}

func signSplitter(args []function.Arg, i int) (lineSplitter, error) {
	sep, ok := constText(args, i)
	if !ok || sep == "" {
		return nil, errors.New("the separator must be a text literal")
	}
	return func(_ []string, s string) ([]string, bool, error) { return strings.Split(s, sep), true, nil }, nil
}

func bindParseSplit(args []function.Arg) (lineSplitter, error) {
	sep, ok := constText(args, 1)
	if !ok || sep == "" {
		return nil, errors.New("the separator must be a text literal")
	}
	return func(buf []string, s string) ([]string, bool, error) { return splitLine(buf, s, sep), true, nil }, nil
}

// closing is what ends a group that starts with a character.
var closing = map[byte]byte{'[': ']', '(': ')', '{': '}', '"': '"', '\'': '\''}

// splitLine splits at sep but not inside of a part that starts with a bracket
// or quote and ends with its counterpart, which are cut off.
func splitLine(dst []string, s, sep string) []string {
	for {
		if s != "" && closing[s[0]] != 0 {
			end := groupEnd(s)
			if rest := s[end:]; end > 1 && (rest == "" || strings.HasPrefix(rest, sep)) {
				dst = append(dst, s[1:end-1])
				if rest == "" {
					return dst
				}
				s = rest[len(sep):]
				continue
			}
		}
		part, rest, more := strings.Cut(s, sep)
		dst = append(dst, part)
		if !more {
			return dst
		}
		s = rest
	}
}

// groupEnd is the index behind the counterpart of the bracket or quote that s
// starts with, 0 if there is none.
func groupEnd(s string) int {
	open, end, depth := s[0], closing[s[0]], 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && (open == '"' || open == '\''):
			i++
		case s[i] == end && (i > 0 || open != end):
			if depth--; depth <= 0 {
				return i + 1
			}
		case s[i] == open:
			depth++
		}
	}
	return 0
}

func splitCSV(_ []string, s string) ([]string, bool, error) {
	r := csv.NewReader(strings.NewReader(s))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	parts, err := r.Read()
	return parts, err == nil, nil
}

func bindKeyValues(args []function.Arg) (lineSplitter, error) {
	pair, ok1 := constText(args, 1)
	kv, ok2 := constText(args, 2)
	if !ok1 || !ok2 || pair == "" || kv == "" {
		return nil, errors.New("the separators must be text literals")
	}
	var keys []string
	for i := 3; i < len(args); i++ {
		k, _ := constText(args, i)
		keys = append(keys, k)
	}
	return func(buf []string, s string) ([]string, bool, error) {
		for range keys {
			buf = append(buf, absent)
		}
		for _, part := range strings.Split(s, pair) {
			k, v, ok := strings.Cut(part, kv)
			if at := slices.Index(keys, strings.TrimSpace(k)); ok && at >= 0 {
				buf[at] = v
			}
		}
		return buf, true, nil
	}, nil
}

func bindForTime(cx *function.Context, _ []function.Arg, _ types.Type) (function.TableCall, error) {
	r := newEtlReader(cx)
	return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
		if anyNull(args, i) {
			return 0, nil
		}
		t, p, ok1 := r.parse(textAt(args[0], i), "")
		until, _, ok2 := r.parse(textAt(args[1], i), "")
		span, step := etlUnit(textAt(args[2], i)), vector.Get(args[3], i).(int64)
		if !ok1 || !ok2 || span == 0 || step <= 0 {
			return 0, nil
		}
		n := 0
		for at := t; at.Ms <= until.Ms; n++ {
			if n == maxSeries {
				return 0, fmt.Errorf("FOR_TIME: more than %d rows", maxSeries)
			}
			text, ok := r.write(nil, at, p)
			if !ok {
				break
			}
			vector.Append(out[0], string(text))
			at = move(t, span, step*int64(n+1))
		}
		return n, nil
	}, nil
}
