package parquet

import (
	"errors"
	"fmt"
	"strings"
	"time"

	pq "github.com/parquet-go/parquet-go"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// node is a node of the file's schema, joined with a type of the table.
type node struct {
	nullable bool
	def      int // the definition level from which the value is not NULL
	rep      int // of lists and maps: the repetition level of their items
	items    int // of lists and maps: the definition level from which there are items
	children []*node
	under    []*leaf // all leaves that are read below
	presence *leaf   // of a row none of whose fields are in the file: says whether it is NULL
	leaf     *leaf
	store    func(v pq.Value, out vector.Vector, i int) error
}

// matcher joins schemas and collects the leaves.
type matcher struct {
	zone   *time.Location
	utc    bool
	leaves []*leaf
}

var errDeep = errors.New("types too deep in one another")

// match joins c with t. def and rep are the levels of what c stands in; levels
// of c's own are added here.
func (m *matcher) match(c *pq.Column, t types.Type, def, rep, depth int) (*node, error) {
	if depth > 64 {
		return nil, errDeep
	}
	n := &node{nullable: t.Nullable, def: def}
	if c.Repeated() { // the old form of lists: repeated without a group around
		if t.Kind != types.Array {
			return nil, fmt.Errorf("repeated values cannot be read as %s", t.OrNull())
		}
		return m.list(n, c, t, def, rep, depth, true)
	}
	if c.Optional() {
		n.def++
	}
	if c.Leaf() {
		return n, m.value(n, c, t)
	}
	no := fmt.Errorf("a group cannot be read as %s", t.OrNull())
	switch t.Kind {
	case types.Row:
		return n, m.row(n, c, t, rep, depth)
	case types.Array:
		inner := c.Columns()
		if len(inner) != 1 || !inner[0].Repeated() {
			return nil, no
		}
		return m.list(n, inner[0], t, n.def, rep, depth, false)
	case types.Map, types.Multiset:
		inner := c.Columns()
		if len(inner) != 1 || !inner[0].Repeated() || inner[0].Leaf() || len(inner[0].Columns()) != 2 {
			return nil, no
		}
		key, val := *t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = *t.Key, *t.Elem
		}
		n.rep, n.items = rep+1, n.def+1
		for i, of := range []types.Type{key, val} {
			x, err := m.match(inner[0].Columns()[i], of, n.items, n.rep, depth+1)
			if err != nil {
				return nil, err
			}
			n.children, n.under = append(n.children, x), append(n.under, x.under...)
		}
		return n, nil
	}
	return nil, no
}

func (m *matcher) row(n *node, c *pq.Column, t types.Type, rep, depth int) error {
	for _, f := range t.Fields {
		var x *node
		for _, exact := range []bool{true, false} {
			for _, of := range c.Columns() {
				if x == nil && (of.Name() == f.Name || !exact && strings.EqualFold(of.Name(), f.Name)) {
					var err error
					if x, err = m.match(of, f.Type, n.def, rep, depth+1); err != nil {
						return fmt.Errorf("%s: %w", f.Name, err)
					}
				}
			}
		}
		if x == nil && !f.Type.Nullable {
			return fmt.Errorf("field %s is NOT NULL, but the file does not have it", f.Name)
		}
		n.children = append(n.children, x)
		if x != nil {
			n.under = append(n.under, x.under...)
		}
	}
	if n.under != nil {
		return nil
	}
	first := c
	for !first.Leaf() {
		if first.Repeated() || len(first.Columns()) == 0 {
			return errors.New("none of the fields is in the file")
		}
		first = first.Columns()[0]
	}
	if first.Repeated() {
		return errors.New("none of the fields is in the file")
	}
	n.presence = m.add(first)
	n.under = []*leaf{n.presence}
	return nil
}

// list joins the repeated node r with the elements of t. It is the element
// itself (bare), or holds it, unless it has several fields or an old writer's name.
func (m *matcher) list(n *node, r *pq.Column, t types.Type, def, rep, depth int, bare bool) (*node, error) {
	n.rep, n.items = rep+1, def+1
	elem := r
	if !r.Leaf() && len(r.Columns()) == 1 && !bare && r.Name() != "array" && !strings.HasSuffix(r.Name(), "_tuple") {
		elem = r.Columns()[0]
	}
	var x *node
	var err error
	if elem == r {
		x = &node{nullable: t.Elem.Nullable, def: n.items}
		switch {
		case r.Leaf():
			err = m.value(x, r, *t.Elem)
		case t.Elem.Kind == types.Row:
			err = m.row(x, r, *t.Elem, n.rep, depth+1)
		default:
			err = fmt.Errorf("a group cannot be read as %s", t.Elem.OrNull())
		}
	} else {
		x, err = m.match(elem, *t.Elem, n.items, n.rep, depth+1)
	}
	if err != nil {
		return nil, err
	}
	n.children, n.under = []*node{x}, x.under
	return n, nil
}

func (m *matcher) add(c *pq.Column) *leaf {
	l := &leaf{column: c.Index(), kind: c.Type().Kind()}
	m.leaves = append(m.leaves, l)
	return l
}

func (m *matcher) value(n *node, c *pq.Column, t types.Type) error {
	store, err := m.converter(c, t)
	if err != nil {
		return err
	}
	n.leaf, n.store = m.add(c), store
	n.under = []*leaf{n.leaf}
	return nil
}

// bounded tells whether the statistics of the leaf can be compared with values of t.
func (l *leaf) bounded(t types.Type) bool {
	switch t.Kind {
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Date, types.Time, types.Timestamp, types.TimestampLTZ, types.Decimal:
		return l.kind == pq.Int32 || l.kind == pq.Int64
	case types.Char, types.VarChar, types.Binary, types.VarBinary:
		return l.kind == pq.ByteArray
	}
	return false // with NaN the statistics of floats say nothing
}
