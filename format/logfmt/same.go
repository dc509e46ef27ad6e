package logfmt

import "github.com/runnelio/runnel/format"

// Same implements format.Comparer.
func (f *logfmt) Same(o format.Format) bool {
	x, ok := o.(*logfmt)
	return ok && *x.options == *f.options
}

// ByName implements format.Comparer.
func (f *logfmt) ByName() bool { return true }

var _ format.Comparer = (*logfmt)(nil)
