package bind

import (
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// lateKey names the option of tables, and the setting, that says where late rows go.
const lateKey = "late-rows.sink"

// late binds the sink of the late rows of table path: the one its options name,
// from where the table is, else the one the session names. A table takes none of its own.
func (b *binder) late(path catalog.Path, option string, span diag.Span) (*plan.Late, error) {
	name, from := option, b.Catalog.In(path.Catalog, path.Database)
	if name == "" {
		name, from = b.LateSink, b.home
	}
	if name == "" {
		return nil, nil
	}
	n := &ast.Name{}
	for _, p := range strings.Split(name, ".") {
		n.Parts = append(n.Parts, &ast.Ident{Name: strings.Trim(strings.TrimSpace(p), "`")})
	}
	obj, err := from.Lookup(n)
	if err != nil {
		return nil, relocate(err, span, "'"+lateKey+"'")
	}
	switch {
	case obj.Path == path:
		return nil, nil
	case obj.Table == nil:
		return nil, diag.At(span, diag.NotAllowed, "'%s' names a view, %s: late rows need a table", lateKey, name)
	}
	if l := b.lates[obj]; l != nil {
		return l, nil
	}
	d, err := b.declare(obj.Path, obj.Table, span, nil, false, true)
	if err != nil {
		return nil, relocate(err, span, "'"+lateKey+"'")
	}
	if d.table.Connector.Sink == nil {
		return nil, diag.At(span, diag.NotAllowed, "'%s': table %s cannot be written: connector %s has no sink", lateKey, name, d.table.Connector.Name)
	}
	fields := make([]types.Field, len(d.table.Physical.Fields))
	s := &plan.Sink{Table: d.table, Name: obj.Path.Name, DropNulls: b.DropNulls}
	for i, f := range d.table.Physical.Fields {
		fields[i] = types.Field{Name: f.Name, Type: f.Type.OrNull()}
		if !f.Type.Nullable {
			s.NotNull = append(s.NotNull, i)
		}
	}
	l := &plan.Late{From: &plan.GoSource{Name: "late rows", Out: types.NewSchema(fields...)}, Sink: s}
	s.Input = l.From
	b.lates[obj] = l
	return l, nil
}

// marks are the options of a table about the watermarks of its splits.
func marks(e *connector.EngineOptions) plan.Marks {
	m := plan.Marks{Idle: e.IdleTimeout, Group: e.AlignGroup}
	if e.EmitStrategy == "on-event" {
		m.Gap = e.EmitGap
	}
	if m.Group != "" {
		m.MaxDrift, m.Update = *e.AlignMaxDrift, e.AlignUpdate
	}
	return m
}
