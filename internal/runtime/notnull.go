package runtime

import (
	"fmt"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// nullCheck refuses or drops rows with NULL in a NOT NULL column of the table.
type nullCheck struct {
	sink *plan.Sink
	sel  []int32
}

func newNullCheck(s *plan.Sink) *nullCheck {
	if len(s.NotNull) == 0 {
		return nil
	}
	return &nullCheck{sink: s}
}

// check returns an error for the first row with a NULL, or takes such rows out of b.
func (c *nullCheck) check(b *vector.Batch) error {
	for _, col := range c.sink.NotNull {
		v := b.Cols[col]
		if _, isConst := v.(*vector.Const); !isConst && v.Nulls() == nil {
			continue
		}
		// Deletions of sources that know the key alone have NULL for the rest.
		promised := !c.sink.Input.Schema().Fields[col].Type.Nullable
		is := func(i int) bool { return v.IsNull(i) && !(promised && b.Kind(i) == types.Delete) }
		found := false
		b.Rows(func(i int) { found = found || is(i) })
		if !found {
			continue
		}
		f := c.sink.Table.Physical.Fields[col]
		if !c.sink.DropNulls {
			return fmt.Errorf("column %s of table %s is NOT NULL, but a row has NULL (SET 'table.exec.sink.not-null-enforcer' = 'drop' leaves such rows out)", f.Name, c.sink.Table.Path)
		}
		c.sel = c.sel[:0]
		b.Rows(func(i int) {
			if !is(i) {
				c.sel = append(c.sel, int32(i))
			}
		})
		b.Sel = append(b.Sel[:0:0], c.sel...)
	}
	return nil
}
