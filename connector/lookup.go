package connector

import (
	"context"

	"github.com/runnelio/runnel/vector"
)

// Lookup finds rows of a table by key: what a join FOR SYSTEM_TIME AS OF
// processing time asks of a system that can answer, instead of reading all of the
// table. It belongs to one goroutine.
type Lookup interface {
	// Find appends to into, whose schema is the table's, the rows whose key columns
	// equal row i of keys, for every row i of it, and i to of for each of them; it
	// returns of. Rows of keys are different and have no NULL. What fails may be
	// tried again with an empty into.
	Find(ctx context.Context, keys, into *vector.Batch, of []int32) ([]int32, error)
	Close() error
}
