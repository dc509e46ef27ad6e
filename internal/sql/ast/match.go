package ast

// MatchRecognize is Input MATCH_RECOGNIZE (…) AS Alias.
type MatchRecognize struct {
	Place
	Input       TableRef
	PartitionBy []Expr
	OrderBy     []*SortItem
	Measures    []*Measure
	// RowsPerMatch is "ONE ROW", "ALL ROWS", with what follows PER MATCH
	// as in "ALL ROWS SHOW EMPTY MATCHES", or "" if not written (ONE ROW).
	RowsPerMatch string
	After        *AfterMatch // nil if not written
	Pattern      Pattern
	StartAnchor  bool // ^
	EndAnchor    bool // $
	Within       Expr // an Interval, nil if none
	Subsets      []*Subset
	Defines      []*Define
	Alias        *Alias
}

// Measure is X AS Alias.
type Measure struct {
	Place
	Semantics string // "RUNNING", "FINAL" or "" before the whole expression
	X         Expr
	Alias     *Ident
}

// AfterMatch is AFTER MATCH SKIP ….
type AfterMatch struct {
	Place
	Kind     SkipKind
	Variable *Ident // of SkipToFirst and SkipToLast
}

// SkipKind says where matching goes on after a match.
type SkipKind uint8

// The kinds of skips. TO variable is SkipToLast.
const (
	SkipPastLastRow SkipKind = iota
	SkipToNextRow
	SkipToFirst
	SkipToLast
)

// Subset is Name = (Variables).
type Subset struct {
	Place
	Name      *Ident
	Variables []*Ident
}

// Define is Variable AS Cond.
type Define struct {
	Place
	Variable *Ident
	Cond     Expr
}

// Pattern is a row pattern: PatternVar, PatternSeq, PatternAlt, PatternRepeat,
// PatternPermute, PatternExclude.
type Pattern interface {
	Node
	pattern()
}

// PatternVar is a pattern variable.
type PatternVar struct {
	Place
	Name *Ident
}

// PatternSeq is a sequence of two or more patterns.
type PatternSeq struct {
	Place
	Items []Pattern
}

// PatternAlt is an alternation a | b of two or more patterns.
type PatternAlt struct {
	Place
	Items []Pattern
}

// PatternRepeat is a quantified pattern: ? is {0,1}, * {0,}, + {1,}.
type PatternRepeat struct {
	Place
	X         Pattern
	Min       int
	Max       int // -1: no limit
	Reluctant bool
}

// PatternPermute is PERMUTE(a, b, …).
type PatternPermute struct {
	Place
	Items []Pattern
}

// PatternExclude is {- a -}.
type PatternExclude struct {
	Place
	X Pattern
}

func (*PatternVar) pattern()     {}
func (*PatternSeq) pattern()     {}
func (*PatternAlt) pattern()     {}
func (*PatternRepeat) pattern()  {}
func (*PatternPermute) pattern() {}
func (*PatternExclude) pattern() {}
