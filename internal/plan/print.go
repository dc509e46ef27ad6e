package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/types"
)

// Format returns the tree of plans, one node a line, inputs indented below. A
// node that several consumers share is printed once and referred to after.
func Format(roots ...Node) string {
	f := formatter{count: map[Node]int{}, ids: map[Node]int{}}
	for _, r := range roots {
		f.visit(r)
	}
	for _, r := range roots {
		f.write(r, 0)
	}
	return f.b.String()
}

type formatter struct {
	b     strings.Builder
	count map[Node]int
	ids   map[Node]int
}

func (f *formatter) visit(n Node) {
	f.count[n]++
	if f.count[n] > 1 {
		return
	}
	for _, in := range n.Inputs() {
		f.visit(in)
	}
	for _, s := range subqueries(n) {
		f.visit(s.Plan)
	}
}

func (f *formatter) write(n Node, depth int) {
	f.b.WriteString(strings.Repeat("  ", depth))
	if f.count[n] > 1 {
		if id, ok := f.ids[n]; ok {
			fmt.Fprintf(&f.b, "Reuse(#%d)\n", id)
			return
		}
		f.ids[n] = len(f.ids) + 1
		fmt.Fprintf(&f.b, "#%d ", f.ids[n])
	}
	f.b.WriteString(Describe(n) + "\n")
	for _, in := range n.Inputs() {
		f.write(in, depth+1)
	}
	for _, s := range subqueries(n) {
		f.b.WriteString(strings.Repeat("  ", depth+1) + "[query]\n")
		f.write(s.Plan, depth+2)
	}
}

// subqueries returns the sub-query expressions of n itself.
func subqueries(n Node) []*Subquery {
	var out []*Subquery
	look := func(es ...Expr) {
		for _, e := range es {
			if e == nil {
				continue
			}
			Walk(e, func(x Expr) bool {
				if s, ok := x.(*Subquery); ok {
					out = append(out, s)
				}
				return true
			})
		}
	}
	switch x := n.(type) {
	case *Filter:
		look(x.Cond)
	case *Project:
		look(x.Exprs...)
	case *Join:
		look(x.Cond)
	}
	return out
}

// Describe returns one node as EXPLAIN prints it: Name(property=[value], …).
func Describe(n Node) string {
	p := props{}
	in := func(i int) *types.Schema { return n.Inputs()[i].Schema() }
	switch x := n.(type) {
	case *Scan:
		p.name = "Scan"
		p.add("table", x.Table.Path)
		p.add("fields", strings.Join(x.Out.Names(), ", "))
		if x.Filter != nil {
			p.add("filter", String(x.Filter))
		}
		if x.Limit > 0 {
			p.add("limit", strconv.FormatInt(x.Limit, 10))
		}
	case *GoSource:
		p.name = "Source"
		p.add("name", x.Name)
		p.add("fields", strings.Join(x.Out.Names(), ", "))
	case *Values:
		p.name = "Values"
		p.add("fields", strings.Join(x.Out.Names(), ", "))
		p.add("rows", strconv.Itoa(len(x.Rows)))
	case *Filter:
		p.name = "Filter"
		p.add("condition", String(x.Cond))
	case *LiveRules:
		p.name = "LiveRules"
		p.add("folder", x.Dir)
	case *Rules:
		p.name = "Rules"
		p.add("rules", strconv.Itoa(len(x.Rules)))
		for i, r := range x.Rules {
			if i == 3 {
				p.add("…", "")
				break
			}
			p.add("rule", String(r.Cond))
		}
	case *Project:
		p.name = "Project"
		p.add("select", Select(x.Exprs, x.Out))
	case *Watermark:
		p.name = "WatermarkAssigner"
		p.add("rowtime", x.Out.Fields[x.Column].Name)
		if x.Expr != nil {
			p.add("watermark", String(x.Expr))
		} else {
			p.add("watermark", "SOURCE_WATERMARK()")
		}
	case *Aggregate:
		p.name = "Aggregate"
		if len(x.Keys) > 0 {
			p.add("groupBy", NamesOf(in(0), x.Keys))
		}
		p.add("calls", CallsText(x.Calls, in(0)))
		if x.TTL != 0 {
			p.add("ttl", TTLText(x.TTL))
		}
	case *Expand:
		p.name = "Expand"
		for i, s := range x.Sets {
			p.add("set"+strconv.Itoa(i), Strings(s))
		}
	case *Join:
		p.name = "Join"
		p.add("type", x.Kind.String())
		if len(x.LeftKeys) > 0 {
			p.add("on", KeysText(x.Left.Schema(), x.LeftKeys, x.Right.Schema(), x.RightKeys, x.NullSafe))
		}
		if x.Cond != nil {
			p.add("where", String(x.Cond))
		}
		if x.Single {
			p.add("single", "true")
		}
		for i, name := range []string{"leftTTL", "rightTTL"} {
			if x.TTL[i] != 0 {
				p.add(name, TTLText(x.TTL[i]))
			}
		}
	case *Temporal:
		p.name = "TemporalJoin"
		if x.Proctime {
			p.name = "LookupJoin"
		}
		p.add("type", x.Kind.String())
		p.add("on", KeysText(x.Left.Schema(), x.LeftKeys, x.Right.Schema(), x.RightKeys, nil))
		p.add("time", x.Left.Schema().Fields[x.Time].Name)
		if x.Cond != nil {
			p.add("where", String(x.Cond))
		}
	case *Lateral:
		p.name = "Lateral"
		p.add("type", x.Kind.String())
	case *Correlate:
		p.name = "Correlate"
		fn := "UNNEST"
		if x.Fn != nil {
			fn = x.Fn.Name
		}
		p.add("call", fn+"("+Strings(x.Args)+")")
		if x.Ordinality {
			p.add("ordinality", "true")
		}
		if x.Outer {
			p.add("type", "LEFT")
		}
		if x.Cond != nil {
			p.add("where", String(x.Cond))
		}
	case *SetOp:
		p.name = [...]string{"Union", "Intersect", "Except"}[x.Op]
		p.add("all", strconv.FormatBool(x.All || x.Op == Union))
	case *Sort:
		p.name = "Sort"
		if len(x.Keys) > 0 {
			p.add("orderBy", OrderText(in(0), x.Keys))
		}
		if x.Limit >= 0 {
			p.add("limit", strconv.FormatInt(x.Limit, 10))
		}
		if x.Offset > 0 {
			p.add("offset", strconv.FormatInt(x.Offset, 10))
		}
	case *Window:
		p.name = "Window"
		p.add("window", x.Text())
		if len(x.Partition) > 0 {
			p.add("partitionBy", NamesOf(in(0), x.Partition))
		}
	case *Over:
		p.name = "Over"
		if len(x.Partition) > 0 {
			p.add("partitionBy", NamesOf(in(0), x.Partition))
		}
		p.add("orderBy", OrderText(in(0), x.Order))
		p.add("frame", x.Frame.String())
		p.add("calls", CallsText(x.Calls, in(0)))
	case *Rank:
		p.name = "Rank"
		if len(x.Partition) > 0 {
			p.add("partitionBy", NamesOf(in(0), x.Partition))
		}
		p.add("orderBy", OrderText(in(0), x.Order))
		p.add("rows", fmt.Sprintf("%d..%d", x.Offset+1, x.Offset+x.Limit))
		p.add("number", strconv.FormatBool(x.Number))
	case *Match:
		p.name = "Match"
		if len(x.Partition) > 0 {
			p.add("partitionBy", NamesOf(in(0), x.Partition))
		}
		p.add("orderBy", OrderText(in(0), x.Order))
		p.add("pattern", x.Pattern.String())
		p.add("measures", strings.Join(x.Out.Names()[len(x.Partition):], ", "))
	case *Sink:
		p.name = "Sink"
		if x.Table != nil {
			p.add("table", x.Table.Path)
		} else {
			p.add("table", "*collect*")
		}
		p.add("fields", strings.Join(x.Input.Schema().Names(), ", "))
		if x.Overwrite {
			p.add("overwrite", "true")
		}
		if len(x.Static) > 0 {
			keys := slices.Sorted(maps.Keys(x.Static))
			for i, k := range keys {
				keys[i] = k + "=" + x.Static[k]
			}
			p.add("partition", strings.Join(keys, ", "))
		}
	case *Opaque:
		p.name = "Operator"
		p.add("name", x.Name)
	default:
		p.name = fmt.Sprintf("%T", n)
	}
	return p.String()
}

type props struct {
	name  string
	items []string
}

func (p *props) add(key, value string) { p.items = append(p.items, key+"=["+value+"]") }

// Select returns a projection as "expr AS name, …", names left out where they
// are the column's own.
func Select(exprs []Expr, out *types.Schema) string {
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = String(e)
		if name := out.Fields[i].Name; name != parts[i] {
			parts[i] += " AS " + name
		}
	}
	return strings.Join(parts, ", ")
}

// NamesOf returns the names of some columns.
func NamesOf(s *types.Schema, cols []int) string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = s.Fields[c].Name
	}
	return strings.Join(names, ", ")
}

// OrderText returns sort keys as SQL.
func OrderText(s *types.Schema, keys []SortKey) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = s.Fields[k.Column].Name
		if k.Desc {
			parts[i] += " DESC"
		} else {
			parts[i] += " ASC"
		}
		if k.NullsFirst == k.Desc { // not the default
			parts[i] += map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[k.NullsFirst]
		}
	}
	return strings.Join(parts, ", ")
}

// CallsText returns aggregate calls as SQL.
func CallsText(calls []AggCall, in *types.Schema) string {
	parts := make([]string, len(calls))
	for i, c := range calls {
		var b strings.Builder
		b.WriteString(c.Fn.Name + "(")
		if c.Distinct {
			b.WriteString("DISTINCT ")
		}
		if len(c.Args) == 0 && c.Fn.Name == "COUNT" {
			b.WriteString("*")
		}
		b.WriteString(NamesOf(in, c.Args) + ")")
		if c.Filter >= 0 {
			b.WriteString(" FILTER (WHERE " + in.Fields[c.Filter].Name + ")")
		}
		if c.Name != "" {
			b.WriteString(" AS " + c.Name)
		}
		parts[i] = b.String()
	}
	return strings.Join(parts, ", ")
}

// KeysText returns the key equalities of a join.
func KeysText(left *types.Schema, lk []int, right *types.Schema, rk []int, nullSafe []bool) string {
	parts := make([]string, len(lk))
	for i := range lk {
		op := " = "
		if i < len(nullSafe) && nullSafe[i] {
			op = " IS NOT DISTINCT FROM "
		}
		parts[i] = left.Fields[lk[i]].Name + op + right.Fields[rk[i]].Name
	}
	return strings.Join(parts, " AND ")
}

// Text returns the window as a call.
func (n *Window) Text() string {
	ms := func(v int64) string { return (time.Duration(v) * time.Millisecond).String() }
	s := n.Kind.String() + "(" + n.Input.Schema().Fields[n.Time].Name
	if n.Kind == Hop || n.Kind == Cumulate {
		s += ", " + ms(n.Slide)
	}
	s += ", " + ms(n.Size)
	if n.Offset != 0 {
		s += ", offset " + ms(n.Offset)
	}
	return s + ")"
}

// TTLText is the text of a time to live that is set.
func TTLText(d time.Duration) string {
	if d < 0 {
		return "none"
	}
	return d.String()
}
