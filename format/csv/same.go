package csv

import "github.com/runnelio/runnel/format"

// Same implements format.Comparer: options of writing do not matter.
func (f *csvFormat) Same(o format.Format) bool {
	x, ok := o.(*csvFormat)
	return ok && x.delim == f.delim && x.quote == f.quote && x.escape == f.escape && x.conversion() == f.conversion() &&
		x.Comments == f.Comments && x.IgnoreErrors == f.IgnoreErrors
}

// ByName implements format.Comparer: a column is the field at its place.
func (f *csvFormat) ByName() bool { return false }

var _ format.Comparer = (*csvFormat)(nil)
