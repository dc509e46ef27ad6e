package compile

import "slices"

// Names are the names of the current database that a statement may use: tables,
// views, and the columns that are declared with a name. For completion.
func (s *Session) Names() []string {
	var out []string
	for _, o := range s.Catalog.Objects(s.Catalog.Current()) {
		out = append(out, o.Path.Name)
		if o.Table == nil {
			continue
		}
		for _, c := range o.Table.Columns {
			out = append(out, c.Name.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
