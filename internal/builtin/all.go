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

// All returns the functions of the default dialect, in a set of its own: those of
// Flink SQL, and those of RocketMQ-Streams under the names that Flink does not have.
func All() *function.Set {
	return fill(fill(base(), etlFamilies, rsqldbVariants), scriptVariants)
}

// base is the set of Flink SQL's functions.
func base() *function.Set {
	set := function.MustSet()
	for _, defs := range families {
		if err := set.Add(exampled(defs)...); err != nil {
			panic(err) // a definition of the program itself is wrong
		}
	}
	return set
}
