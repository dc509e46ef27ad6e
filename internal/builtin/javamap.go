package builtin

import (
	"cmp"
	"slices"
)

// mapEntry is an entry of a map of texts; valid is false for the value NULL.
type mapEntry struct {
	bucket   uint32
	key, val string
	valid    bool
}

// hashMapOrder brings entries into the order in which Java's HashMap, to which they
// were added in this order, gives them: by the bucket of the key's hash code in a table
// of at least 16 buckets that doubles when it is three quarters full, the older first in
// a bucket. (A bucket of nine and more, which Java makes a tree, keeps that order here.)
func hashMapOrder(entries []mapEntry) {
	size := uint32(16)
	for uint64(len(entries)) > uint64(size)*3/4 {
		size *= 2
	}
	for i := range entries {
		h := uint32(hashText(entries[i].key))
		entries[i].bucket = (h ^ h>>16) & (size - 1)
	}
	slices.SortStableFunc(entries, func(a, b mapEntry) int { return cmp.Compare(a.bucket, b.bucket) })
}
