package builtin

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/function"
)

// etlFamilies are functions of RocketMQ-Streams that Flink SQL does not have.
var etlFamilies = [][]function.Def{etlMathFuncs, etlStringFuncs, etlTextFuncs, etlRegexFuncs, etlAggregateFuncs, etlTimeFuncs, etlJSONFuncs, etlMapFuncs}

// rsqldbVariants are functions of Flink's names that mean something else in
// the rsqldb dialect.
var rsqldbVariants = [][]function.Def{etlVariants, etlNumberVariants, etlTimeVariants, etlJSONVariants}

// scriptVariants are functions that mean something else in scripts than in
// rsqldb's SQL, or that SQL has syntax for.
var scriptVariants = [][]function.Def{etlLogicFuncs, etlCompareFuncs, etlExpressionFuncs, etlScriptTextFuncs}

// Rsqldb returns the functions of the rsqldb dialect, in a set of its own:
// those of Flink SQL, those that rsqldb has besides, its own variants of some
// of Flink's, and those of scripts under the names that are still free.
func Rsqldb() *function.Set { return fill(rsqldb(), scriptVariants) }

func rsqldb() *function.Set {
	return layered(base(), etlFamilies, rsqldbVariants)
}

// Script returns the functions of the script language of RocketMQ-Streams: the
// rsqldb dialect's, logic and comparisons as functions, and positions from 0.
func Script() *function.Set { return layered(rsqldb(), nil, scriptVariants) }

// fill adds definitions under those of their names that set has no function of
// yet. Syntax (AND, BETWEEN, =) is no function: the names of operators get one
// that is called with the name in backquotes.
func fill(set *function.Set, families ...[][]function.Def) *function.Set {
	was := set.Clone()
	free := func(name string) bool {
		return !slices.ContainsFunc(was.Lookup(name), func(d *function.Def) bool { return !d.Special })
	}
	for _, defs := range slices.Concat(families...) {
		for _, d := range exampled(defs) {
			var names []string
			for _, n := range append([]string{d.Name}, d.Aliases...) {
				if free(n) {
					names = append(names, n)
				}
			}
			if len(names) == 0 {
				continue
			}
			if names[0] != d.Name {
				d.Doc, d.Eg = "As "+d.Name+" of RocketMQ-Streams. "+d.Doc, renamed(d.Eg, d.Name, names[0])
			}
			d.Name, d.Aliases = names[0], names[1:]
			if err := set.Add(d); err != nil {
				panic(err)
			}
		}
	}
	return set
}

// layered adds functions to a set and replaces others. The definitions are part
// of the program: a wrong one panics.
func layered(set *function.Set, add, replace [][]function.Def) *function.Set {
	for _, defs := range add {
		if err := set.Add(exampled(defs)...); err != nil {
			panic(err)
		}
	}
	for _, defs := range replace {
		if err := set.Replace(exampled(defs)...); err != nil {
			panic(err)
		}
	}
	return set
}

// again returns a definition of defs under other names.
func again(defs []function.Def, of, name string, aliases ...string) function.Def {
	i := slices.IndexFunc(defs, func(d function.Def) bool { return d.Name == of })
	d := exampled(defs[i : i+1])[0]
	d.Name, d.Aliases, d.Eg = name, aliases, renamed(d.Eg, of, name)
	if !strings.HasPrefix(d.Doc, "As ") {
		d.Doc = "As " + of + ". " + d.Doc
	}
	return d
}
