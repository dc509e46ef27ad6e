package file

import (
	"fmt"
	"path/filepath"

	"github.com/runnelio/runnel/connector"
)

// Data implements connector.Sharer: the files and how they are cut.
func (s *source) Data() string {
	path, err := filepath.Abs(s.path)
	if err != nil {
		return ""
	}
	o := s.o
	return fmt.Sprintf("%q %q %v %d %d %q %q %d %d", path, o.Pattern, o.interval(), o.MaxRecord, o.SplitSize, o.Compression, o.NullName, s.framing.Framing, s.framing.Quote)
}

// Start implements connector.Sharer: files are read from their beginning.
func (s *source) Start() string { return "" }

var _ connector.Sharer = (*source)(nil)
