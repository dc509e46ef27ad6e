// Package multimatch finds which of many texts equal, begin, end or occur in a
// value, in one pass over the value whatever their number.
//
// Equality is a hash table, prefixes and suffixes are tries walked from the
// front and from the end, occurrences an Aho-Corasick automaton. Tries and
// automaton are double arrays (trie.go, automaton.go): 16 bytes a state, and a
// pattern needs states only as far as it shares them with another; the rest of
// it is compared at the hit. The states nearest to the root have full rows,
// because most bytes of a value are seen there.
//
// Patterns may ignore case: letters are then compared after Unicode lower-casing
// of each code point. They have tries of their own; ASCII letters are folded by
// the map from bytes to classes, and only values with bytes of 0x80 and above are
// lowered into a copy.
//
// A Set is immutable and shared; a Scratch belongs to one goroutine.
package multimatch
