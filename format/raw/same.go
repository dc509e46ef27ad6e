package raw

import "github.com/runnelio/runnel/format"

// Same implements format.Comparer. Charsets other than UTF-8 are not compared.
func (f *rawFormat) Same(o format.Format) bool {
	x, ok := o.(*rawFormat)
	return ok && x.order == f.order && x.charset == nil && f.charset == nil
}

// ByName implements format.Comparer.
func (f *rawFormat) ByName() bool { return false }

var _ format.Comparer = (*rawFormat)(nil)
