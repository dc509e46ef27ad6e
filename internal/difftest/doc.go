// Package difftest compares the engine with a slow obvious model on random
// queries over random streams.
//
// A case is a few tables (table.go: keys with NULLs, times out of order and too
// late, changelogs) and a query built of named steps (query.go, relational.go,
// join.go, timed.go). Every step has two sides that are written apart from each
// other: its SQL, and what it means, computed row by row over maps and lists
// (expr.go, aggregate.go). The model knows no operators: a relation is the list of
// its final rows, and for streams with a time attribute the watermark that each
// row met.
//
// world.go runs the SQL in several worlds, which must all end with the model's
// rows: batches of 1, 3 and 1024 rows, one task and four, killed after commits
// and restarted, optimiser rules off. A changelog must never take back a row
// that is not there. shrink.go makes a case that differs small and prints it as
// a script.
//
// A case follows from its seed alone. RUNNEL_DIFF=n runs n cases, SEED=s begins
// with the seed s.
package difftest
