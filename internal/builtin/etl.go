package builtin

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
)

// etlFamilies are functions of RocketMQ-Streams that Flink SQL does not have.
var etlFamilies = [][]function.Def{etlMathFuncs, etlStringFuncs, etlTextFuncs, etlRegexFuncs, etlAggregateFuncs, etlTimeFuncs, etlJSONFuncs}

// rsqldbVariants are functions of Flink's names that mean something else in
// the rsqldb dialect.
var rsqldbVariants = [][]function.Def{etlVariants, etlTimeVariants, etlJSONVariants}

// scriptVariants are functions that mean something else in scripts than in
// rsqldb's SQL, or that SQL has syntax for.
var scriptVariants = [][]function.Def{etlLogicFuncs, etlCompareFuncs, etlExpressionFuncs, etlScriptTextFuncs}

// Rsqldb returns the functions of the rsqldb dialect, in a set of its own:
// those of Flink SQL, those that rsqldb has besides, and its own variants of
// some of Flink's.
func Rsqldb() *function.Set { return layered(All(), etlFamilies, rsqldbVariants) }

// Script returns the functions of the script language of RocketMQ-Streams: the
// rsqldb dialect's, logic and comparisons as functions, and positions from 0.
func Script() *function.Set { return layered(Rsqldb(), nil, scriptVariants) }

// layered adds functions to a set and replaces others. The definitions are part
// of the program: a wrong one panics.
func layered(set *function.Set, add, replace [][]function.Def) *function.Set {
	for _, defs := range add {
		if err := set.Add(defs...); err != nil {
			panic(err)
		}
	}
	for _, defs := range replace {
		if err := set.Replace(defs...); err != nil {
			panic(err)
		}
	}
	return set
}

// again returns a definition of defs under other names.
func again(defs []function.Def, of, name string, aliases ...string) function.Def {
	i := slices.IndexFunc(defs, func(d function.Def) bool { return d.Name == of })
	d := defs[i]
	d.Name, d.Aliases, d.Eg = name, aliases, nil
	if !strings.HasPrefix(d.Doc, "As ") {
		d.Doc = "As " + of + ". " + d.Doc
	}
	return d
}
