// Package vector holds rows in columns: vectors of one SQL type, and batches
// of vectors with a selection, row kinds and an origin.
//
// A vector is flat (Flat, List, Map, Row: one entry a row) or constant (Const).
// Kernels see only these two; package eval peels everything else. Strings are
// Go strings whose bytes belong to an arena: they are views, valid until the
// batch goes back to its owner, and must be cloned to be kept (Arena.Clone,
// Batch.CopyTo). A string column is thus a Flat[string], and the generic
// kernels for ordered types serve it as they serve int64; the price, one
// pointer a value in pooled memory, is paid only while the collector marks.
//
// vector.go has the forms, bitmap.go the null bitmap, arena.go the memory of
// strings, batch.go batches, copy.go moving rows between vectors, boxed.go the
// slow way in and out through types.Value, key.go keys and the row codec of state.
package vector
