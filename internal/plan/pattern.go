package plan

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// Pattern is the bound pattern of a Match: variables in strict contiguity, each
// with a quantifier, and what is computed of the rows mapped to them.
type Pattern struct {
	Vars  []string // pattern variables, in the order of their first use
	Terms []PatternTerm
	// Define has a condition for each variable; nil: every row fits.
	Define []*MatchExpr
	// Measures are computed when a match is complete, in the order of the output
	// behind the partition columns.
	Measures []MatchExpr
	Skip     SkipKind
	SkipVar  int   // of SkipToFirst and SkipToLast
	Within   int64 // ms between the first and the last row of a match, exclusive; 0: unlimited
}

// PatternTerm is a variable with its quantifier: Min to Max rows (-1: any
// number), as many as possible or, if Reluctant, as few.
type PatternTerm struct {
	Var       int
	Min, Max  int
	Reluctant bool
}

// SkipKind says where the search goes on after a match.
type SkipKind uint8

// The skip strategies.
const (
	SkipPastLast SkipKind = iota // behind the last row of the match
	SkipToNext                   // at the row behind the first of the match
	SkipToFirst                  // at the first row of SkipVar
	SkipToLast                   // at the last row of SkipVar
)

// MatchExpr is an expression over the rows of a match. Slots are computed first;
// Expr reads them as its columns.
type MatchExpr struct {
	Slots []MatchSlot
	Expr  Expr
}

// SlotKind says what a slot of a MatchExpr holds.
type SlotKind uint8

// The slots.
const (
	SlotLast     SlotKind = iota // Args[0] of the last row of Var but Offset (LAST(x, n); a plain A.x is LAST(A.x, 0))
	SlotFirst                    // Args[0] of the first row of Var but Offset
	SlotAgg                      // Fn over all rows of Var
	SlotRowtime                  // MATCH_ROWTIME(): the rowtime of the last row
	SlotProctime                 // MATCH_PROCTIME()
)

// MatchSlot is a value taken from the rows of a match. In the condition of a
// variable the row that is tried counts as one of the variable's, the last.
// SlotLast and SlotFirst are NULL where there is no such row.
type MatchSlot struct {
	Kind   SlotKind
	Var    int // index in Pattern.Vars; -1: rows of any variable
	Offset int
	Args   []Expr // over the input's columns; none for COUNT(*)
	// Fn, Consts and Distinct are of SlotAgg; Consts as in AggCall.
	Fn       *function.Def
	Consts   map[int]types.Value
	Distinct bool
	T        types.Type
}
