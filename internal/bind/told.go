package bind

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// toldBy is the metadata of a format.
func toldBy(f format.Format) []types.Field {
	if a, ok := f.(format.Annotated); ok {
		return a.Metadata()
	}
	return nil
}

// told moves the metadata columns that the format of p tells from p.Metadata to
// p.Told. They are read in the format's type and made the declared one behind the
// scan. As in Flink the format comes before the connector, and cannot be told what
// to write.
func (b *binder) told(p *plan.Table, d *declared, t *ast.CreateTable, at func(ast.Node) diag.Span, sink bool) error {
	offered := toldBy(p.Format)
	if len(offered) == 0 {
		return nil
	}
	fields := slices.Clone(p.Physical.Fields)
	var rest []connector.Metadata
	for _, m := range p.Metadata {
		name, ok := strings.CutPrefix(m.Key, format.MetadataPrefix)
		i := slices.IndexFunc(offered, func(f types.Field) bool { return f.Name == name })
		if !ok || i < 0 {
			rest = append(rest, m)
			continue
		}
		span := at(t.Columns[slices.Index(d.place, m.Column)])
		if sink {
			return diag.At(span, diag.NotAllowed, "metadata '%s' cannot be written", m.Key).Hint("declare the column VIRTUAL")
		}
		want, have := fields[m.Column].Type, offered[i].Type
		if explicit, _ := types.Castable(have, want); !explicit {
			return diag.At(span, diag.TypeMismatch, "metadata '%s' is %s, not %s", m.Key, typeText(have), typeText(want))
		}
		if !alike(have, want) {
			if d.as == nil {
				d.as = map[int]*types.Type{}
			}
			d.as[m.Column] = &want
		}
		fields[m.Column].Type = have
		p.Told = append(p.Told, connector.Metadata{Column: m.Column, Key: name})
	}
	if len(p.Told) > 0 {
		p.Metadata, p.Physical = rest, types.NewSchema(fields...)
	}
	return nil
}
