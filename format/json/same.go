package json

import "github.com/runnelio/runnel/format"

// Same implements format.Comparer: options of writing do not matter.
func (f *jsonFormat) Same(o format.Format) bool {
	x, ok := o.(*jsonFormat)
	return ok && *x.o.conversion() == *f.o.conversion()
}

// ByName implements format.Comparer.
func (f *jsonFormat) ByName() bool { return true }

var _ format.Comparer = (*jsonFormat)(nil)
