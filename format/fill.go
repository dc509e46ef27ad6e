package format

import (
	"iter"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Selected are the rows that sel names, all if it is nil: those that a Fill makes.
func Selected(rows int, sel []int32) iter.Seq[int] {
	return func(yield func(int) bool) {
		if sel == nil {
			for i := range rows {
				if !yield(i) {
					return
				}
			}
			return
		}
		for _, i := range sel {
			if !yield(int(i)) {
				return
			}
		}
	}
}

// Inner makes a want with a path for decoders that make columns in whole: they
// fill Whole and take the field out of it. It belongs to one decoder.
type Inner struct {
	Whole vector.Vector
	at    []int
}

// NewInner returns the Inner of a want, nil if it has no path.
func NewInner(s *types.Schema, w Want) *Inner {
	if len(w.Path) == 0 {
		return nil
	}
	t := s.Fields[w.Column].Type.OrNull()
	n := &Inner{Whole: vector.New(t, 0)}
	for _, name := range w.Path {
		for i, f := range t.Fields {
			if f.Name == name {
				n.at, t = append(n.at, i), f.Type
				break
			}
		}
	}
	return n
}

// Begin resizes out to the number of rows, and the column in whole likewise, and
// returns which of them is to be filled.
func (n *Inner) Begin(out vector.Vector, rows int) vector.Vector {
	out.Resize(rows)
	if n == nil {
		return out
	}
	n.Whole.Resize(rows)
	return n.Whole
}

// Take stores the field of row i in out, once the row is filled.
func (n *Inner) Take(out vector.Vector, i int) {
	if n == nil {
		return
	}
	v := n.Whole
	for _, f := range n.at {
		v = v.(*vector.Row).Cols[f]
	}
	vector.Put(out, i, vector.Get(v, i))
}
