package json

// Marks finds the ends of strings in a record, for packages that walk over
// objects themselves. It belongs to one goroutine.
type Marks struct{ q quotes }

// Index prepares for buf[from:end]. At least Slack bytes behind end must be readable.
func (m *Marks) Index(buf []byte, from, end int) { m.q.index(buf, from, end) }

// StringEnd returns the place of the quote that ends the string whose first
// byte, behind its opening quote, is buf[at]; end or more if there is none. The
// place must be within what Index was called for.
func (m *Marks) StringEnd(buf []byte, at, end int) int {
	start := at
	for {
		if at = m.q.next(at, end); at >= end {
			return end
		}
		if buf[at-1] != '\\' || !oddSlashes(buf[start:at]) {
			return at
		}
		at++
	}
}
