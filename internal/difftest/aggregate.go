package difftest

import (
	"fmt"
	"math/big"
	"strings"
)

// call is an aggregate: its SQL, and what it makes of the rows of a group in
// the order they came.
type call struct {
	sql  string
	typ  typ
	eval func(rows [][]value) value
}

// aggregate makes a call up. With ordered also those whose result depends on
// the order of rows.
func (x *exprs) aggregate(ordered bool) call {
	if x.chance(0.15) {
		return x.filtered(call{"COUNT(*)", bigType, func(rows [][]value) value { return int64(len(rows)) }})
	}
	names := []string{"COUNT", "SUM", "AVG", "MIN", "MAX", "SUM", "MIN", "MAX"}
	if ordered {
		names = append(names, "FIRST_VALUE", "LAST_VALUE", "LISTAGG", "FIRST_VALUE", "LAST_VALUE")
	}
	name := names[x.r.IntN(len(names))]
	fits := func(t typ) bool { return t.kind != boolKind }
	switch name {
	case "SUM", "AVG":
		fits = typ.number
	case "LISTAGG":
		fits = is(strType)
	}
	arg, ok := x.pick(fits)
	if !ok {
		return call{"COUNT(*)", bigType, func(rows [][]value) value { return int64(len(rows)) }}
	}
	if arg.typ.kind != decKind && x.chance(0.2) {
		arg = x.typed(arg.typ, 1)
	}
	distinct := ""
	if (name == "COUNT" || name == "SUM" || name == "AVG") && x.chance(0.35) {
		distinct = "DISTINCT "
	}
	result := arg.typ
	switch {
	case name == "COUNT":
		result = bigType
	case name == "SUM" && arg.typ.kind == decKind:
		result = typ{decKind, 38, arg.typ.scale}
	case name == "AVG" && arg.typ.kind == decKind:
		result = typ{decKind, 38, max(6, arg.typ.scale)}
	}
	c := call{name + "(" + distinct + arg.sql + ")", result, func(rows [][]value) value {
		var values []value
		seen := map[string]bool{}
		for _, r := range rows {
			v := arg.eval(r)
			if v == nil || distinct != "" && seen[keyOf(v)] {
				continue
			}
			seen[keyOf(v)] = true
			values = append(values, v)
		}
		return summary(name, values, arg.typ, result)
	}}
	return x.filtered(c)
}

// filtered puts a FILTER behind a call, now and then.
func (x *exprs) filtered(c call) call {
	if !x.chance(0.15) {
		return c
	}
	p := x.predicate(1)
	return call{c.sql + " FILTER (WHERE " + p.sql + ")", c.typ, func(rows [][]value) value {
		var some [][]value
		for _, r := range rows {
			if p.eval(r) == true {
				some = append(some, r)
			}
		}
		return c.eval(some)
	}}
}

// summary is an aggregate of values none of which is NULL.
func summary(name string, values []value, arg, result typ) value {
	if name == "COUNT" {
		return int64(len(values))
	}
	if len(values) == 0 {
		return nil
	}
	switch name {
	case "FIRST_VALUE":
		return values[0]
	case "LAST_VALUE":
		return values[len(values)-1]
	case "LISTAGG":
		var parts []string
		for _, v := range values {
			parts = append(parts, v.(string))
		}
		return strings.Join(parts, ",")
	case "MIN", "MAX":
		best := values[0]
		for _, v := range values {
			if c := compare(v, best); name == "MIN" && c < 0 || name == "MAX" && c > 0 {
				best = v
			}
		}
		return best
	}
	if arg.kind == decKind {
		sum := new(big.Int)
		for _, v := range values {
			sum.Add(sum, v.(*big.Int))
		}
		if name == "SUM" {
			return sum
		}
		return halfUp(rescale(sum, arg.scale, result.scale), big.NewInt(int64(len(values))))
	}
	sum := int64(0)
	for _, v := range values {
		sum += v.(int64)
	}
	if name == "SUM" {
		return wrap(sum, result)
	}
	return wrap(sum/int64(len(values)), result)
}

// aggregates makes a few calls up, as columns.
func (x *exprs) aggregates(n int, ordered bool) (calls []call, list string) {
	var parts []string
	for i := range n {
		c := x.aggregate(ordered)
		calls = append(calls, c)
		parts = append(parts, fmt.Sprintf("%s AS a%d", c.sql, i))
	}
	return calls, strings.Join(parts, ", ")
}
