package arrow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// column joins a field of the data with a type of the table.
type column struct {
	f      *field
	t      types.Type
	inside bool // of another
	values bool // holds the values of a dictionary
	// children are by child of f, nil where not wanted; to is where they go in a row.
	children []*column
	to       []int
	missing  []int // fields of a row that are not in the data
	// fill stores values [from, from+n) of a, none of which is NULL, in out from
	// first on. With an error comes the first value that has it.
	fill func(a *array, from, n int, out vector.Vector, first int) (int, error)
	// dict are the values of the dictionary, in the column's type.
	dict vector.Vector
	nums []int64
}

func (c *column) child(i int) *column {
	if i < len(c.children) {
		return c.children[i]
	}
	return nil
}

// match joins f with t.
func match(f *field, t types.Type, inside, values bool, depth int) (*column, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	c := &column{f: f, t: t, inside: inside, values: values}
	no := fmt.Errorf("an Arrow %s cannot be read as %s", f, t.OrNull())
	switch f.kind {
	case kUnion, kRunEnd, kListView, kLargeView:
		return nil, fmt.Errorf("values of the Arrow type %s are not supported", f)
	case kNull:
		if !t.Nullable {
			return nil, errNull
		}
		return c, nil
	}
	if f.dictionary && !values {
		if len(f.children) > 0 {
			return nil, errors.New("dictionaries of nested values are not supported")
		}
		c.fill = c.gather
		_, err := match(f, t, inside, true, depth+1)
		return c, err
	}
	switch t.Kind {
	case types.Array:
		if f.kind != kList && f.kind != kLargeList && f.kind != kFixedList {
			return nil, no
		}
		elem, err := match(f.children[0], *t.Elem, true, false, depth+1)
		c.children, c.fill = []*column{elem}, c.lists
		return c, err
	case types.Map, types.Multiset:
		if f.kind != kMap {
			return nil, no
		}
		key, val := *t.Elem, types.Of(types.Int).NotNull()
		if t.Kind == types.Map {
			key, val = *t.Key, *t.Elem
		}
		entries := &column{f: f.children[0], inside: true}
		for i, of := range []types.Type{key, val} {
			x, err := match(entries.f.children[i], of, true, false, depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", []string{"key", "value"}[i], err)
			}
			entries.children = append(entries.children, x)
		}
		c.children, c.fill = []*column{entries}, c.maps
		return c, nil
	case types.Row:
		if f.kind != kStruct {
			return nil, no
		}
		return c, c.row(depth)
	}
	if c.fill = c.scalar(); c.fill == nil {
		return nil, no
	}
	return c, nil
}

// row joins the fields of a Struct with those of a row.
func (c *column) row(depth int) error {
	c.fill = c.rows
	c.children, c.to = make([]*column, len(c.f.children)), make([]int, len(c.f.children))
	for i, t := range c.t.Fields {
		k := find(c.f.children, t.Name)
		if k < 0 {
			if !t.Type.Nullable {
				return fmt.Errorf("field %s is NOT NULL, but the data do not have it", t.Name)
			}
			c.missing = append(c.missing, i)
			continue
		}
		x, err := match(c.f.children[k], t.Type, true, false, depth+1)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		if c.children[k] != nil {
			return fmt.Errorf("field %s is asked for twice", t.Name)
		}
		c.children[k], c.to[k] = x, i
	}
	return nil
}

// find returns the field of that name, or of one that differs in case only.
func find(fields []*field, name string) int {
	at := -1
	for i, f := range fields {
		if f.name == name {
			return i
		}
		if at < 0 && strings.EqualFold(f.name, name) {
			at = i
		}
	}
	return at
}

// scalar returns the fill of a value that is not nested, nil if the types do
// not go together.
func (c *column) scalar() func(a *array, from, n int, out vector.Vector, first int) (int, error) {
	f, t := c.f, c.t
	texts := f.kind == kUtf8 || f.kind == kLargeUtf8 || f.kind == kUtf8View
	raws := f.kind == kBinary || f.kind == kLargeBinary || f.kind == kBinaryView || f.kind == kFixedBinary
	switch {
	case t.Kind == types.Boolean && f.kind == kBool:
		return c.booleans
	case t.IsInteger() && f.kind == kInt:
		return c.integers
	case (t.Kind == types.IntervalYM && f.kind == kInterval && f.unit == 0) || t.Kind == types.Date && f.kind == kDate, t.Kind == types.Time && f.kind == kTime,
		t.Kind == types.IntervalDS && f.kind == kDuration:
		return c.integers
	case t.IsTimestamp() && f.kind == kTimestamp:
		return c.timestamps
	case t.IsApprox() && (f.kind == kFloat || f.kind == kInt):
		return c.floats
	case t.Kind == types.Decimal && (f.kind == kDecimal || f.kind == kInt):
		return c.decimals
	case (t.IsChar() || t.IsBinary()) && (texts || raws):
		return c.strings
	}
	return nil
}

// dictionaries returns the columns at and below c whose dictionary has that id.
func (c *column) dictionaries(id int64, add func(*column)) {
	if c.f.dictionary && c.f.id == id {
		add(c)
	}
	for _, x := range c.children {
		if x != nil {
			x.dictionaries(id, add)
		}
	}
}

// weightless tells whether what is wanted of the values takes no bytes.
func (c *column) weightless() bool {
	switch {
	case c.f.dictionary && !c.values:
		return false
	case c.f.kind == kNull:
		return true
	case c.f.kind == kFixedBinary:
		return c.f.width == 0
	case c.f.kind == kFixedList:
		return c.f.width == 0 || c.children[0].weightless()
	case c.f.kind == kStruct:
		for _, x := range c.children {
			if x != nil && !x.weightless() {
				return false
			}
		}
		return true
	}
	return false
}
