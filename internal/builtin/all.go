// Package builtin holds the functions every session has: Flink SQL's, a family
// a file, and those of the RocketMQ-Streams dialect in files etl_*.go.
package builtin

import "github.com/runnelio/runnel/function"

// families are the functions of Flink SQL.
var families = [][]function.Def{
	operatorFuncs, compareFuncs, mathFuncs, stringFuncs, regexpFuncs, hashFuncs, urlFuncs, systemFuncs,
	timeFuncs, jsonFuncs, collectionFuncs, variantFuncs, bitmapFuncs,
	aggFuncs, aggFireFuncs, etlTableFuncs, etlIPFuncs,
}

// All returns the functions of Flink SQL, in a set of its own.
func All() *function.Set { return function.MustSet(families...) }
