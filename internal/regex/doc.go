// Package regex runs regular expressions of Java's syntax and meaning over Go
// strings, in time that is bounded whatever the expression.
//
// A pattern is parsed as java.util.regex.Pattern parses it (parse*.go) into a
// tree in which flags are resolved: every character is a set of code points.
// Patterns without look-around, back-references, atomic and possessive parts
// are regular: a lazily built automaton (dfa.go) answers yes or no in one pass,
// and groups are found on texts that match only, by a backtracker that visits
// no state twice (vm.go) or, on long texts, by a parallel simulation (pike.go).
// The others run on the backtracker with a budget of steps, behind an automaton
// of a regular pattern that matches more (approx.go) and behind the literals
// that every match contains (literals.go). A text that exhausts the budget gives
// ErrSteps: an error of its row, never a job that hangs.
//
// A Regexp is immutable and shared; a Matcher holds the scratch memory and the
// automaton's states and belongs to one goroutine.
package regex
