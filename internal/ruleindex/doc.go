// Package ruleindex finds, in one pass, which of many conditions hold for each
// row, at a cost that hardly depends on their number.
//
// A condition becomes AND and OR over atoms (term.go): tests of one field, such
// as "ends with \cmd.exe". Atoms are shared by all rules. For each field there is
// one index that gives the atoms that fire for a value (build.go, ordered.go,
// cidr.go), and a memo of values (memo.go), so that a value seen before costs a
// hash. The sets of fired atoms of a row's fields are summed to a signature; which
// rules hold is a function of it and kept in a cache. Only for a new signature are
// rules evaluated (segtask.go), and only those whose access predicate fired: atoms
// of which one must fire, chosen by how often they do. The fields that most rules
// want a certain value of, the discriminators, are looked up first: they say which
// rules can hold at all and so which other fields are looked at.
//
// # Meaning
//
// SQL conditions (sqlterm.go) have three values: two terms are built, where a
// condition is TRUE and where it is FALSE. What the index cannot decide, and what
// can fail, is left open: the rule's whole condition is then evaluated, by package
// eval, for the rows for which the rest of it allows TRUE, or for which SQL, going
// from left to right, would reach what can fail. So answers and errors are those
// of the condition alone. Conditions of two values (cond.go) are for rules over
// events, such as Sigma's.
//
// # Change
//
// A Set is changed by adding segments and marking rules as removed; merging makes
// one segment of all. Each state is an immutable Index. A Task, one for each
// goroutine, evaluates it over batches of columns (task.go, columns.go) or over
// events whose fields are still undecoded bytes (event.go).
package ruleindex
