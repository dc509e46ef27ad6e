// Package kernel has the typed loops that all computing ends in: one loop for
// one operation, generic over types and never over operations.
//
// Loops take slices of equal length and a selection sel: the ascending numbers
// of the rows to compute, nil for all rows. Rows outside of sel are neither read
// nor written. NULL rows are computed with the others where that can do no harm;
// loops that fail or give NULL say that they must be called without NULL rows
// (see NotNull). A loop named ...Const takes a scalar as its second operand,
// Const... as its first.
//
// null.go has bitmaps and selections, arith.go, decimal.go and temporal.go
// arithmetic, compare.go comparisons into booleans, choose.go comparisons into
// selections, sign.go three-way comparisons of what has no Go operator, logic.go
// booleans, set.go membership, assign.go copying rows between vectors of any
// type, cast*.go conversions.
package kernel

// Integer lists the Go types of exact numbers, dates, times and intervals.
type Integer interface {
	int8 | int16 | int32 | int64
}

// Float lists the Go types of approximate numbers.
type Float interface {
	float32 | float64
}

// Number lists the Go types with arithmetic operators.
type Number interface {
	Integer | Float
}
