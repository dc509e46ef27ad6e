package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/types"
)

// String returns e in the spelling of EXPLAIN: near to SQL, with every
// conversion shown.
func String(e Expr) string {
	var b strings.Builder
	writeExpr(&b, e)
	return b.String()
}

// Strings is String for a list, joined with commas.
func Strings(es []Expr) string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = String(e)
	}
	return strings.Join(parts, ", ")
}

var opNames = map[Op]string{
	Add: "+", Sub: "-", Mul: "*", Div: "/", Mod: "%", Neg: "-", Eq: "=", Ne: "<>", Lt: "<", Le: "<=", Gt: ">", Ge: ">=",
	Distinct: "IS DISTINCT FROM", NotDistinct: "IS NOT DISTINCT FROM", And: "AND", Or: "OR", Not: "NOT",
	IsNull: "IS NULL", IsNotNull: "IS NOT NULL", IsTrue: "IS TRUE", IsNotTrue: "IS NOT TRUE", IsFalse: "IS FALSE", IsNotFalse: "IS NOT FALSE",
	Case: "CASE", Coalesce: "COALESCE", In: "IN", Field: ".", MakeRow: "ROW", MakeArray: "ARRAY", MakeMap: "MAP",
}

// String returns the operator as in SQL.
func (o Op) String() string { return opNames[o] }

func writeExpr(b *strings.Builder, e Expr) {
	switch x := e.(type) {
	case *Column:
		writeName(b, x.Name, x.Index)
	case *Outer:
		b.WriteString(strings.Repeat("outer.", x.Depth))
		writeName(b, x.Name, x.Index)
	case *Literal:
		writeLiteral(b, x)
	case *OpExpr:
		writeOp(b, x)
	case *Call:
		b.WriteString(x.Fn.Name)
		writeList(b, "(", x.Args, ")")
	case *Cast:
		if x.Try {
			b.WriteString("TRY_")
		}
		b.WriteString("CAST(")
		writeExpr(b, x.X)
		b.WriteString(" AS " + x.T.OrNull().Plain().String() + ")")
	case *Subquery:
		if x.Not {
			b.WriteString("NOT ")
		}
		switch x.Kind {
		case ExistsSubquery:
			b.WriteString("EXISTS(")
		case InSubquery:
			writeList(b, "(", x.Args, ") IN (")
		case QuantifiedSubquery:
			b.WriteString("(")
			writeExpr(b, x.Args[0])
			b.WriteString(") " + x.Op.String() + map[bool]string{true: " ALL(", false: " ANY("}[x.All])
		default:
			b.WriteString("SCALAR(")
		}
		b.WriteString("query)")
	case nil:
		b.WriteString("nil")
	default:
		fmt.Fprintf(b, "%T", e)
	}
}

func writeName(b *strings.Builder, name string, index int) {
	if name == "" {
		name = "$" + strconv.Itoa(index)
	}
	b.WriteString(name)
}

func writeList(b *strings.Builder, open string, es []Expr, end string) {
	b.WriteString(open)
	for i, e := range es {
		if i > 0 {
			b.WriteString(", ")
		}
		writeExpr(b, e)
	}
	b.WriteString(end)
}

func writeLiteral(b *strings.Builder, l *Literal) {
	if l.Value == nil {
		b.WriteString("NULL")
		if l.T.Kind != types.Null {
			b.WriteString(":" + l.T.OrNull().Plain().String())
		}
		return
	}
	text := string(types.AppendValue(nil, l.Value, l.T, time.UTC))
	switch k := l.T.Kind; {
	case l.T.IsChar():
		b.WriteString("'" + strings.ReplaceAll(text, "'", "''") + "'")
	case k == types.Boolean, l.T.IsNumeric(), k == types.Binary, k == types.VarBinary, k == types.Symbol:
		b.WriteString(text)
	default:
		b.WriteString(text + ":" + l.T.OrNull().Plain().String())
	}
}

func writeOp(b *strings.Builder, x *OpExpr) {
	name := x.Op.String()
	switch x.Op {
	case Neg:
		b.WriteString("-")
		writeExpr(b, x.Args[0])
	case Not:
		b.WriteString("NOT ")
		writeExpr(b, x.Args[0])
	case IsNull, IsNotNull, IsTrue, IsNotTrue, IsFalse, IsNotFalse:
		writeExpr(b, x.Args[0])
		b.WriteString(" " + name)
	case Case:
		b.WriteString("CASE")
		n := len(x.Args)
		for i := 0; i+1 < n; i += 2 {
			b.WriteString(" WHEN ")
			writeExpr(b, x.Args[i])
			b.WriteString(" THEN ")
			writeExpr(b, x.Args[i+1])
		}
		b.WriteString(" ELSE ")
		writeExpr(b, x.Args[n-1])
		b.WriteString(" END")
	case Coalesce, MakeRow:
		b.WriteString(name)
		writeList(b, "(", x.Args, ")")
	case MakeArray, MakeMap:
		b.WriteString(name)
		writeList(b, "[", x.Args, "]")
	case In:
		writeExpr(b, x.Args[0])
		writeList(b, " IN (", x.Args[1:], ")")
	case Field:
		writeExpr(b, x.Args[0])
		t := x.Args[0].Type()
		if x.Index < len(t.Fields) {
			b.WriteString("." + t.Fields[x.Index].Name)
		}
	default:
		b.WriteString("(")
		for i, a := range x.Args {
			if i > 0 {
				b.WriteString(" " + name + " ")
			}
			writeExpr(b, a)
		}
		b.WriteString(")")
	}
}

func (p *props) String() string { return p.name + "(" + strings.Join(p.items, ", ") + ")" }

// String names the join as SQL does.
func (k JoinKind) String() string {
	return [...]string{"INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"}[k]
}

// String names the window as SQL does.
func (k WindowKind) String() string { return [...]string{"TUMBLE", "HOP", "CUMULATE", "SESSION"}[k] }

// String returns the frame as SQL.
func (f Frame) String() string {
	bound := func(v int64, dir string) string {
		switch {
		case v < 0:
			return "UNBOUNDED " + dir
		case v == 0:
			return "CURRENT ROW"
		case f.Rows:
			return strconv.FormatInt(v, 10) + " " + dir
		}
		return (time.Duration(v) * time.Millisecond).String() + " " + dir
	}
	kind := "RANGE"
	if f.Rows {
		kind = "ROWS"
	}
	return kind + " BETWEEN " + bound(f.Lower, "PRECEDING") + " AND " + bound(f.Upper, "FOLLOWING")
}

// String returns the pattern as SQL.
func (p *Pattern) String() string {
	parts := make([]string, len(p.Terms))
	for i, t := range p.Terms {
		s := p.Vars[t.Var]
		switch {
		case t.Min == 1 && t.Max == 1:
		case t.Min == 0 && t.Max == -1:
			s += "*"
		case t.Min == 1 && t.Max == -1:
			s += "+"
		case t.Min == 0 && t.Max == 1:
			s += "?"
		case t.Max == -1:
			s += fmt.Sprintf("{%d,}", t.Min)
		case t.Min == t.Max:
			s += fmt.Sprintf("{%d}", t.Min)
		default:
			s += fmt.Sprintf("{%d,%d}", t.Min, t.Max)
		}
		if t.Reluctant {
			s += "?"
		}
		parts[i] = s
	}
	text := "(" + strings.Join(parts, " ") + ")"
	text += [...]string{" SKIP PAST LAST ROW", " SKIP TO NEXT ROW", " SKIP TO FIRST ", " SKIP TO LAST "}[p.Skip]
	if p.Skip == SkipToFirst || p.Skip == SkipToLast {
		text += p.Vars[p.SkipVar]
	}
	if p.Within > 0 {
		text += " WITHIN " + (time.Duration(p.Within) * time.Millisecond).String()
	}
	names := slices.Clone(p.Vars)
	for i, d := range p.Define {
		if d != nil {
			text += ", " + names[i] + " AS " + String(d.Expr)
		}
	}
	return text
}
