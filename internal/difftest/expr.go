package difftest

import (
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// expr is an expression over a row: its SQL, and what it means. Column names in
// the SQL have the prefix that the generator was given.
type expr struct {
	sql  string
	typ  typ
	eval func(row []value) value
}

// column is a column of a relation.
type column struct {
	name string
	typ  typ
}

// exprs makes expressions over columns.
type exprs struct {
	*gen
	cols []column
	// name gives the SQL of a column.
	name func(i int) string
}

func (g *gen) over(cols []column) *exprs {
	return &exprs{g, cols, func(i int) string { return cols[i].name }}
}

func (x *exprs) column(i int) expr {
	return expr{x.name(i), x.cols[i].typ, func(row []value) value { return row[i] }}
}

// pick returns a column that fits, false if there is none.
func (x *exprs) pick(fits func(typ) bool) (expr, bool) {
	var fit []int
	for i, c := range x.cols {
		if fits(c.typ) {
			fit = append(fit, i)
		}
	}
	if len(fit) == 0 {
		return expr{}, false
	}
	return x.column(fit[x.r.IntN(len(fit))]), true
}

func is(t typ) func(typ) bool { return func(u typ) bool { return u == t } }

// literal is a constant of a type.
func (x *exprs) literal(t typ) expr {
	v := x.value(t, 0)
	return expr{literalText(v, t), t, func([]value) value { return v }}
}

func literalText(v value, t typ) string {
	switch v := v.(type) {
	case int64:
		if t.kind == bigKind {
			return fmt.Sprintf("CAST(%d AS BIGINT)", v)
		}
		return fmt.Sprint(v)
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case *big.Int:
		return fmt.Sprintf("CAST(%s AS %s)", point(v, t.scale), t.sql())
	case stamp:
		return "TIMESTAMP '" + v.String() + "'"
	case bool:
		return strings.ToUpper(fmt.Sprint(v))
	}
	return "CAST(NULL AS " + t.sql() + ")"
}

// typed is an expression of a type, of columns where there are such.
func (x *exprs) typed(t typ, depth int) expr {
	if depth > 0 && x.chance(0.5) {
		if e, ok := x.compound(t, depth-1); ok {
			return e
		}
	}
	if c, ok := x.pick(is(t)); ok && !x.chance(0.1) {
		return c
	}
	if t.kind == boolKind {
		p := x.predicate(depth)
		return expr{"(" + p.sql + ")", boolType, p.eval}
	}
	return x.literal(t)
}

// compound is an expression with an operator or a function at its top.
func (x *exprs) compound(t typ, depth int) (expr, bool) {
	switch x.r.IntN(6) {
	case 0: // CASE
		p, a, b := x.predicate(depth), x.typed(t, depth), x.typed(t, depth)
		return expr{fmt.Sprintf("CASE WHEN %s THEN %s ELSE %s END", p.sql, a.sql, b.sql), t, func(row []value) value {
			if p.eval(row) == true {
				return a.eval(row)
			}
			return b.eval(row)
		}}, true
	case 1:
		a, b := x.typed(t, depth), x.typed(t, depth)
		return expr{fmt.Sprintf("COALESCE(%s, %s)", a.sql, b.sql), t, func(row []value) value {
			if v := a.eval(row); v != nil {
				return v
			}
			return b.eval(row)
		}}, true
	case 2: // NULLIF by CASE
		a, b := x.typed(t, depth), x.typed(t, 0)
		return expr{fmt.Sprintf("CASE WHEN %s = %s THEN NULL ELSE %s END", a.sql, b.sql, a.sql), t, func(row []value) value {
			if v, w := a.eval(row), b.eval(row); v == nil || w == nil || compare(v, w) != 0 {
				return v
			}
			return nil
		}}, true
	}
	switch t.kind {
	case intKind, bigKind:
		return x.integer(t, depth), true
	case strKind:
		return x.text(depth), true
	}
	return expr{}, false
}

// wrap cuts an integer to its type as two's complement does.
func wrap(v int64, t typ) int64 {
	if t.kind == intKind {
		return int64(int32(v))
	}
	return v
}

func (x *exprs) integer(t typ, depth int) expr {
	if t.kind == intKind && x.chance(0.25) {
		s := x.typed(strType, depth)
		return expr{"CHAR_LENGTH(" + s.sql + ")", t, func(row []value) value {
			if v, ok := s.eval(row).(string); ok {
				return int64(utf8.RuneCountInString(v))
			}
			return nil
		}}
	}
	if t.kind == bigKind && x.chance(0.25) {
		a := x.typed(intType, depth)
		return expr{"CAST(" + a.sql + " AS BIGINT)", t, a.eval}
	}
	a, b := x.typed(t, depth), x.typed(t, depth)
	if x.chance(0.2) {
		n := int64(2 + x.r.IntN(5))
		return expr{fmt.Sprintf("MOD(%s, %s)", a.sql, literalText(n, t)), t, func(row []value) value {
			if v, ok := a.eval(row).(int64); ok {
				return v % n
			}
			return nil
		}}
	}
	op := []string{"+", "-", "*"}[x.r.IntN(3)]
	return expr{fmt.Sprintf("(%s %s %s)", a.sql, op, b.sql), t, func(row []value) value {
		v, ok := a.eval(row).(int64)
		w, ok2 := b.eval(row).(int64)
		if !ok || !ok2 {
			return nil
		}
		switch op {
		case "+":
			v += w
		case "-":
			v -= w
		default:
			v *= w
		}
		return wrap(v, t)
	}}
}

func (x *exprs) text(depth int) expr {
	a := x.typed(strType, depth)
	apply := func(sql string, f func(string) value) expr {
		return expr{sql, strType, func(row []value) value {
			if v, ok := a.eval(row).(string); ok {
				return f(v)
			}
			return nil
		}}
	}
	switch x.r.IntN(4) {
	case 0:
		return apply("UPPER("+a.sql+")", func(s string) value { return strings.ToUpper(s) })
	case 1:
		return apply("SUBSTRING("+a.sql+", 1, 2)", func(s string) value {
			r := []rune(s)
			return string(r[:min(2, len(r))])
		})
	case 2:
		n := x.typed(intType, depth)
		return expr{"CAST(" + n.sql + " AS STRING)", strType, func(row []value) value {
			if v := n.eval(row); v != nil {
				return show(v, intType)
			}
			return nil
		}}
	}
	b := x.typed(strType, depth)
	return expr{"(" + a.sql + " || " + b.sql + ")", strType, func(row []value) value {
		v, ok := a.eval(row).(string)
		w, ok2 := b.eval(row).(string)
		if !ok || !ok2 || len(v)+len(w) > 60 {
			if ok && ok2 {
				panic(errTooLarge)
			}
			return nil
		}
		return v + w
	}}
}

// predicate is a condition in three-valued logic: nil is unknown.
func (x *exprs) predicate(depth int) expr {
	if depth > 0 {
		switch x.r.IntN(5) {
		case 0:
			return and(x.predicate(depth-1), x.predicate(depth-1))
		case 1:
			a, b := x.predicate(depth-1), x.predicate(depth-1)
			return expr{"(" + a.sql + " OR " + b.sql + ")", boolType, func(row []value) value {
				v, w := a.eval(row), b.eval(row)
				if v == true || w == true {
					return true
				}
				if v == nil || w == nil {
					return nil
				}
				return false
			}}
		case 2:
			a := x.predicate(depth - 1)
			return expr{"NOT (" + a.sql + ")", boolType, func(row []value) value {
				if v, ok := a.eval(row).(bool); ok {
					return !v
				}
				return nil
			}}
		}
	}
	c, ok := x.pick(func(t typ) bool { return t.kind != boolKind })
	if !ok {
		return expr{"TRUE", boolType, func([]value) value { return true }}
	}
	switch x.r.IntN(6) {
	case 0:
		return expr{c.sql + " IS NULL", boolType, func(row []value) value { return c.eval(row) == nil }}
	case 1:
		return expr{c.sql + " IS NOT NULL", boolType, func(row []value) value { return c.eval(row) != nil }}
	case 2:
		a, b := x.literal(c.typ), x.literal(c.typ)
		return expr{fmt.Sprintf("%s IN (%s, %s)", c.sql, a.sql, b.sql), boolType, func(row []value) value {
			v := c.eval(row)
			if v == nil {
				return nil
			}
			return compare(v, a.eval(nil)) == 0 || compare(v, b.eval(nil)) == 0
		}}
	}
	return comparison(c, []string{"=", "<>", "<", "<=", ">", ">="}[x.r.IntN(6)], x.typed(c.typ, min(depth, 1)))
}

func comparison(a expr, op string, b expr) expr {
	return expr{a.sql + " " + op + " " + b.sql, boolType, func(row []value) value {
		v, w := a.eval(row), b.eval(row)
		if v == nil || w == nil {
			return nil
		}
		c := compare(v, w)
		switch op {
		case "=":
			return c == 0
		case "<>":
			return c != 0
		case "<":
			return c < 0
		case "<=":
			return c <= 0
		case ">":
			return c > 0
		}
		return c >= 0
	}}
}

func and(a, b expr) expr {
	return expr{"(" + a.sql + " AND " + b.sql + ")", boolType, func(row []value) value {
		v, w := a.eval(row), b.eval(row)
		if v == false || w == false {
			return false
		}
		if v == nil || w == nil {
			return nil
		}
		return true
	}}
}

// value makes a value up: of few that come often. nulls is how likely NULL is.
func (g *gen) value(t typ, nulls float64) value {
	if g.chance(nulls) {
		return nil
	}
	switch t.kind {
	case intKind:
		if g.chance(0.02) {
			return []int64{2147483647, -2147483648, 65536}[g.r.IntN(3)]
		}
		return int64(g.r.IntN(12) - 3)
	case bigKind:
		if g.chance(0.02) {
			return []int64{9007199254740993, -4294967296, 9223372036854775807}[g.r.IntN(3)]
		}
		return int64(g.r.IntN(30) - 8)
	case strKind:
		return []string{"a", "b", "c", "A", "ab", "", "x y", "é", "中文", "zz", "10", "9"}[g.r.IntN(12)]
	case decKind:
		return big.NewInt(int64(g.r.IntN(2000) - 500))
	case tsKind:
		return stamp(epoch + int64(g.r.IntN(60))*500)
	}
	return g.chance(0.5)
}
