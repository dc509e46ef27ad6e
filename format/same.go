package format

// Comparer is a Format that can tell whether another one reads records as it
// does, so that jobs can share what one of them has decoded.
type Comparer interface {
	// Same tells whether o makes the same of every record.
	Same(o Format) bool
	// ByName tells that columns are found by their names: what a column becomes
	// does not depend on the other columns of the schema.
	ByName() bool
}
