package builtin

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// A grok expression is a regular expression with %{NAME}, %{NAME:field} and
// %{NAME:field:type} in it, which stand for expressions of a library, and named
// groups (?<field>…). It becomes one regular expression; the fields, in order
// of first appearance, become columns.

// grokField is a column: the first of its groups that took part has the value.
type grokField struct {
	name   string
	typ    types.Type
	groups []int
}

// grok is a compiled expression. It belongs to one goroutine.
type grok struct {
	matcher *regex.Matcher
	fields  []grokField
}

const (
	maxGrokDepth = 50
	maxGrokSize  = 1 << 20 // of the expanded expression
)

// compileGrok compiles an expression. Names are looked up in the libraries in
// order.
func compileGrok(expr string, libs ...map[string]string) (*grok, error) {
	g := grokCompiler{libs: libs}
	if err := g.expand(expr, 0); err != nil {
		return nil, err
	}
	// As in the grok of Logstash a point matches line ends, and ^ and $ hold at each line.
	re, err := regex.Compile(g.out.String(), regex.DotAll|regex.Multiline)
	if err != nil {
		return nil, fmt.Errorf("grok expression: %w", err)
	}
	for i := range g.fields {
		for k, name := range g.fields[i].names {
			n := re.GroupIndex(name)
			if n < 0 {
				return nil, fmt.Errorf("grok expression: group %s of %s is lost", g.fields[i].names[k], g.fields[i].name)
			}
			g.fields[i].groups = append(g.fields[i].groups, n)
		}
	}
	out := &grok{matcher: re.Matcher()}
	for _, f := range g.fields {
		out.fields = append(out.fields, f.grokField)
	}
	return out, nil
}

type grokCompiler struct {
	libs   []map[string]string
	out    strings.Builder
	fields []grokNames
	groups int
}

type grokNames struct {
	grokField
	names []string // of its groups in the regular expression
}

// group starts a group for a field and returns its name in the expression.
func (g *grokCompiler) group(field, typ string) (string, error) {
	t := types.String()
	switch typ {
	case "", "string":
	case "int", "integer", "long":
		t = types.Of(types.BigInt)
	case "float", "double":
		t = types.Of(types.Double)
	case "boolean":
		t = types.Of(types.Boolean)
	default:
		return "", fmt.Errorf("grok field %s: no type %s; there are string, int, float and boolean", field, typ)
	}
	g.groups++
	name := "g" + strconv.Itoa(g.groups)
	for i := range g.fields {
		if f := &g.fields[i]; f.name == field {
			f.names = append(f.names, name)
			if typ != "" {
				f.typ = t
			}
			return name, nil
		}
	}
	g.fields = append(g.fields, grokNames{grokField{name: field, typ: t}, []string{name}})
	return name, nil
}

func (g *grokCompiler) expand(expr string, depth int) error {
	if depth > maxGrokDepth {
		return errors.New("grok patterns refer to one another in a circle")
	}
	class := 0 // how many [ are open
	for i := 0; i < len(expr); i++ {
		if g.out.Len() > maxGrokSize {
			return errors.New("the grok expression is too large")
		}
		rest := expr[i:]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			g.out.WriteString(rest[:2])
			i++
		case class > 0 && strings.HasPrefix(rest, "[:"):
			name, length := posixClass(rest)
			g.out.WriteString(name)
			i += length - 1
		case rest[0] == '[':
			class++
			g.out.WriteByte('[')
			// A ] at the front of a class is a character of it.
			if strings.HasPrefix(rest, "[]") || strings.HasPrefix(rest, "[^]") {
				n := strings.IndexByte(rest, ']')
				g.out.WriteString(rest[1:n] + `\]`)
				i += n
			}
		case rest[0] == ']' && class > 0:
			class--
			g.out.WriteByte(']')
		case strings.HasPrefix(rest, "%{") && class == 0:
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return fmt.Errorf("grok expression: %.30q is not closed", rest)
			}
			if err := g.reference(rest[2:end], depth); err != nil {
				return err
			}
			i += end
		case strings.HasPrefix(rest, "(?<") && class == 0 && len(rest) > 3 && rest[3] != '=' && rest[3] != '!':
			end := strings.IndexByte(rest, '>')
			if end < 0 {
				return fmt.Errorf("grok expression: %.30q is not closed", rest)
			}
			name, err := g.group(fieldName(rest[3:end]), "")
			if err != nil {
				return err
			}
			g.out.WriteString("(?<" + name + ">")
			i += end
		default:
			g.out.WriteByte(rest[0])
		}
	}
	return nil
}

// posixClass translates [:name:] at the front of s to Java's \p{Name}, and
// returns how long it is; a [ that begins no such class is a character.
func posixClass(s string) (string, int) {
	end := strings.Index(s, ":]")
	if end < 0 {
		return `\[`, 1
	}
	letter := "p"
	name := s[2:end]
	if strings.HasPrefix(name, "^") {
		letter, name = "P", name[1:]
	}
	switch name {
	case "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper":
		name = strings.ToUpper(name[:1]) + name[1:]
	case "xdigit":
		name = "XDigit"
	case "word":
		return map[string]string{"p": `\w`, "P": `\W`}[letter], end + 2
	default:
		return `\[`, 1
	}
	if name == "Ascii" {
		name = "ASCII"
	}
	return `\` + letter + "{" + name + "}", end + 2
}

// fieldName is the name of a column: [a][b] is a.b.
func fieldName(s string) string {
	s = strings.TrimSuffix(s, "?")
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		return strings.ReplaceAll(s[1:len(s)-1], "][", ".")
	}
	return s
}

// reference expands what stands between %{ and }.
func (g *grokCompiler) reference(ref string, depth int) error {
	name, field, _ := strings.Cut(ref, ":")
	field, typ, _ := strings.Cut(field, ":")
	pattern, ok := "", false
	for _, lib := range g.libs {
		if pattern, ok = lib[name]; ok {
			break
		}
	}
	if !ok {
		return fmt.Errorf("no grok pattern %s", name)
	}
	if field == "" {
		g.out.WriteString("(?:")
	} else {
		group, err := g.group(fieldName(field), typ)
		if err != nil {
			return err
		}
		g.out.WriteString("(?<" + group + ">")
	}
	if err := g.expand(pattern, depth+1); err != nil {
		return err
	}
	g.out.WriteByte(')')
	return nil
}

// parseGrokLibrary reads definitions: a name, blanks and an expression a line;
// lines that are empty or start with # are left out.
func parseGrokLibrary(text string) (map[string]string, error) {
	lib := map[string]string{}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end <= 0 {
			return nil, fmt.Errorf("grok patterns, line %d: want a name and an expression", n+1)
		}
		lib[line[:end]] = strings.TrimLeft(line[end:], " \t")
	}
	return lib, nil
}

var grokFunc = function.Def{
	Name: "GROK", Group: "table", Sig: "(STRING, pattern, [patterns]) -> ROW",
	Doc: "A row of the fields of a grok expression, which is a literal, if it is found in the text; no row otherwise. Further patterns, a name and an expression a line, may be given. " +
		"Fields are STRING, or BIGINT, DOUBLE, BOOLEAN by a type int, float, boolean.",
	Infer: func(args []function.Arg) (function.Signature, error) {
		g, err := grokOf(args)
		if err != nil {
			return function.Signature{}, err
		}
		if len(g.fields) == 0 {
			return function.Signature{}, errors.New("the grok expression has no fields: name them as in %{WORD:name}")
		}
		fields := make([]types.Field, len(g.fields))
		for i, f := range g.fields {
			fields[i] = types.Field{Name: f.name, Type: f.typ}
		}
		return function.Signature{Args: argTypes(args), Result: types.RowOf(fields...).NotNull()}, nil
	},
	Table: &function.Table{Bind: func(_ *function.Context, args []function.Arg, _ types.Type) (function.TableCall, error) {
		g, err := grokOf(args)
		if err != nil {
			return nil, err
		}
		return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
			if args[0].IsNull(i) {
				return 0, nil
			}
			s := textAt(args[0], i)
			found, err := g.matcher.Find(s, 0)
			if err != nil || !found {
				return 0, err
			}
			for k, f := range g.fields {
				f.put(out[k], s, g.matcher)
			}
			return 1, nil
		}, nil
	}},
}

func grokOf(args []function.Arg) (*grok, error) {
	if len(args) < 2 || len(args) > 3 || !args[0].Type.IsChar() {
		return nil, errors.New("GROK takes a text, an expression and further patterns")
	}
	expr, ok := constText(args, 1)
	if !ok {
		return nil, errors.New("the expression of GROK must be a literal")
	}
	own := map[string]string{}
	if len(args) == 3 {
		text, ok := constText(args, 2)
		if !ok {
			return nil, errors.New("the patterns of GROK must be a literal")
		}
		var err error
		if own, err = parseGrokLibrary(text); err != nil {
			return nil, err
		}
	}
	standard, err := parseGrokLibrary(grokPatterns)
	if err != nil {
		return nil, err
	}
	return compileGrok(expr, own, standard)
}

// put appends the field's value, NULL if no group of it took part or the text
// does not fit its type.
func (f *grokField) put(out vector.Vector, s string, m *regex.Matcher) {
	text, found := "", false
	for _, n := range f.groups {
		if start, end := m.Group(n); start >= 0 {
			text, found = s[start:end], true
			break
		}
	}
	var v types.Value
	if found {
		switch f.typ.Kind {
		case types.BigInt:
			if n, ok := types.ParseInt(text, 64); ok {
				v = n
			}
		case types.Double:
			if x, ok := types.ParseDouble(text); ok {
				v = x
			}
		case types.Boolean:
			if b, ok := types.ParseBool(text); ok {
				v = b
			}
		default:
			addText(out, text)
			return
		}
	}
	vector.Append(out, v)
}
