package exec

import "github.com/runnelio/runnel/vector"

// Flush emits b if it has rows, and empties it.
func Flush(out Output, b *vector.Batch) error {
	if b.N == 0 {
		return nil
	}
	err := out.Emit(b)
	b.Reset()
	return err
}
