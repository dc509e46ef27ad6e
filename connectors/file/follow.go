package file

// followSource is one split of all files.
type followSource struct{ *source }

// Bounded implements connector.Source.
func (s *followSource) Bounded() bool { return false }
