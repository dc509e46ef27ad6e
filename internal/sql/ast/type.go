package ast

import "github.com/runnelio/runnel/types"

// DataType is a data type as written in a column declaration, a CAST or a
// RETURNING clause. The type is resolved already: there are no user-defined
// type names. It is nullable unless NOT NULL was written.
type DataType struct {
	Place
	Type types.Type
	// NotNull tells that NOT NULL was written, Null that NULL was. (Type.Nullable
	// is the meaning of both.)
	NotNull, Null bool
}

// IntervalUnit is the qualifier of an interval: a unit, or a range of units.
// Precisions are -1 when not given.
type IntervalUnit struct {
	Place
	From     string // YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND; upper case, singular
	Prec     int    // digits of From
	To       string // "" for a single unit
	FracPrec int    // fraction digits of SECOND
}
