package bind

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// table binds a name of FROM: a query of WITH, a table of the host, a table or
// view of the catalog.
func (b *binder) table(name *ast.Name, hints []*ast.Hint, frame *scope) (plan.Node, error) {
	if len(name.Parts) == 1 {
		for c := frame.ctes; c != nil; c = c.outer {
			if c.name == name.Last() {
				return c.bind()
			}
		}
		if n, ok := b.Tables[name.Last()]; ok {
			return n, nil
		}
	}
	obj, err := b.Catalog.Lookup(name)
	if err != nil {
		var e *diag.Error
		if errors.As(err, &e) && e.Code == diag.UnknownTable && e.Tip == "" {
			var names []string
			for c := frame.ctes; c != nil; c = c.outer {
				names = append(names, c.name)
			}
			return nil, e.DidYouMean(name.Last(), append(names, slices.Collect(maps.Keys(b.Tables))...))
		}
		return nil, err
	}
	var options map[string]string
	for _, h := range hints {
		if err := b.hint(h); err != nil {
			return nil, err
		}
		if h.Name == "OPTIONS" {
			if obj.View != nil {
				return nil, diag.At(h.Pos(), diag.NotAllowed, "%s is a view: OPTIONS is for tables", name)
			}
			options = ast.Options(h.Options)
		}
	}
	return b.object(obj, b.place(name.Pos()), options, b.checking)
}

// object binds a table or view; what is used twice is one node.
func (b *binder) object(obj *catalog.Object, span diag.Span, hints map[string]string, checking bool) (plan.Node, error) {
	key := obj.Path.String() + optionsKey(hints)
	if n, ok := b.nodes[key]; ok {
		return n, nil
	}
	var n plan.Node
	var err error
	if obj.View != nil {
		n, err = b.view(obj, span)
	} else {
		n, err = b.define(obj.Path, obj.Table, span, hints, checking)
	}
	if err != nil {
		return nil, err
	}
	b.nodes[key] = n
	return n, nil
}

func optionsKey(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	var list []string
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	sort.Strings(list)
	return "?" + strings.Join(list, "&")
}

// view binds the query of a view. Its text is not that of the statement: errors
// are reported where the view is used.
func (b *binder) view(obj *catalog.Object, span diag.Span) (plan.Node, error) {
	path := obj.Path.String()
	if slices.Contains(b.opening, path) {
		return nil, diag.At(span, diag.NotAllowed, "view %s uses itself", obj.Path.Name)
	}
	o := *b.Options
	o.Catalog = b.Catalog.In(obj.Catalog, obj.Database)
	inner := &binder{Options: &o, nodes: b.nodes, sinks: b.sinks, lates: b.lates, home: b.home, opening: append(slices.Clone(b.opening), path), spans: map[plan.Expr]diag.Span{}, constants: map[plan.Expr]constant{}, checking: b.checking}
	if inner.used = b.used; inner.used.IsZero() && !b.known(obj) {
		inner.used = span
	}
	n, err := inner.queryNode(obj.View.As, nil)
	err = inner.finish(err)
	if err == nil && obj.View.Columns != nil {
		idents := make([]*ast.Ident, len(obj.View.Columns))
		for i, c := range obj.View.Columns {
			idents[i] = c.Name
		}
		n, err = rename(n, idents, span)
	}
	if err != nil {
		if b.known(obj) {
			return nil, err // its own place says more
		}
		return nil, relocate(err, span, "view "+obj.Path.Name)
	}
	return n, nil
}

// known tells whether the definition of obj stands in the text of the statement.
func (b *binder) known(obj *catalog.Object) bool {
	return b.Text != "" && obj.Text == b.Text
}

// relocate turns errors of another text into one at span.
func relocate(err error, span diag.Span, where string) error {
	var l diag.List
	if errors.As(err, &l) && len(l) > 0 {
		err = l[0]
	}
	var e *diag.Error
	if !errors.As(err, &e) {
		return diag.At(span, diag.Internal, "%s: %w", where, err)
	}
	n := *e
	n.Span, n.Source = span, ""
	n.Message = where + ": " + e.Message
	return &n
}

// declared is a table definition taken apart.
type declared struct {
	table *plan.Table
	// place[i] is where declared column i is in table.Physical, -1 if it is computed.
	place []int
	// persisted tells that INSERT writes it.
	persisted []bool
	// as are the declared types of columns of table.Physical that are read as others.
	as map[int]*types.Type
}

// define binds a table as a source: scan, computed columns, watermark.
func (b *binder) define(path catalog.Path, t *ast.CreateTable, span diag.Span, hints map[string]string, checking bool) (plan.Node, error) {
	d, err := b.declare(path, t, span, hints, checking, false)
	if err != nil {
		return nil, err
	}
	scan := &plan.Scan{Table: d.table, Out: d.table.Physical}
	for i, f := range d.table.Physical.Fields {
		scan.Wants = append(scan.Wants, format.Want{Column: i, Type: f.Type})
	}
	at := func(e ast.Node) diag.Span {
		if checking {
			return e.Pos()
		}
		return span
	}
	if d.table.Marks.Group != "" && len(t.Watermarks) == 0 && !checking {
		return nil, diag.At(span, diag.NotAllowed, "table %s: 'scan.watermark.alignment.group' needs a WATERMARK", path.Name)
	}
	var n plan.Node = scan
	computed := slices.Contains(d.place, -1)
	ordered := !computed
	for i, p := range d.place {
		ordered = ordered && p == i && (d.as == nil || d.as[p] == nil)
	}
	if !ordered {
		s := &scope{}
		s.add(path.Name, scan.Out, 0)
		exprs, names := make([]plan.Expr, len(t.Columns)), make([]string, len(t.Columns))
		for i, c := range t.Columns {
			names[i] = c.Name.Name
			if d.place[i] >= 0 {
				exprs[i] = column(scan, d.place[i])
				if as := d.as[d.place[i]]; as != nil {
					exprs[i] = &plan.Cast{X: exprs[i], T: as.OrNull(), Span: at(c)}
				}
				continue
			}
			e, err := b.expr(c.X, s)
			if err == nil && isNull(e) {
				err = illegalNull(c.X.Pos())
			}
			if err != nil {
				if checking {
					return nil, err
				}
				return nil, relocate(err, at(c), "table "+path.Name+", column "+c.Name.Name)
			}
			exprs[i] = e
		}
		n = project(scan, exprs, names)
	}
	if len(t.Watermarks) == 0 {
		return n, nil
	}
	return b.watermark(n, path, t.Watermarks[0], at, checking)
}

func (b *binder) watermark(n plan.Node, path catalog.Path, w *ast.Watermark, at func(ast.Node) diag.Span, checking bool) (plan.Node, error) {
	if len(w.Column.Parts) > 1 {
		return nil, diag.At(at(w.Column), diag.Unsupported, "a watermark on a field of a row is not supported").Hint("declare a computed column: t AS %s", w.Column)
	}
	k := n.Schema().Index(w.Column.Last())
	if k < 0 {
		return nil, diag.At(at(w.Column), diag.UnknownColumn, "WATERMARK: no column %s", w.Column.Last())
	}
	ct := n.Schema().Fields[k].Type
	if !ct.IsTimestamp() {
		return nil, diag.At(at(w.Column), diag.TypeMismatch, "a watermark needs a TIMESTAMP or TIMESTAMP_LTZ column, %s is %s", w.Column.Last(), typeText(ct))
	}
	if ct.Prec > 3 {
		return nil, diag.At(at(w.Column), diag.TypeMismatch, "a watermark needs a column of at most 3 fraction digits, %s is %s", w.Column.Last(), typeText(ct)).
			Hint("declare a computed column: CAST(%s AS TIMESTAMP(3))", w.Column.Last())
	}
	out := &plan.Watermark{Input: n, Column: k}
	if c, ok := w.X.(*ast.Call); !ok || c.Func != "SOURCE_WATERMARK" {
		s := &scope{}
		s.add(path.Name, n.Schema(), 0)
		e, err := b.expr(w.X, s)
		if err == nil && (isNull(e) || e.Type().Kind != ct.Kind) {
			err = diag.At(w.X.Pos(), diag.TypeMismatch, "the watermark of %s must be a %s, not %s", w.Column.Last(), typeText(ct), typeText(e.Type()))
		}
		if err != nil {
			if checking {
				return nil, err
			}
			return nil, relocate(err, at(w), "table "+path.Name+", watermark")
		}
		out.Expr = e
	} else if scan, ok := sourceOf(n); ok {
		// No source of a connector gives watermarks: time would stand still until the end.
		err := diag.At(w.X.Pos(), diag.Unsupported, "connector %s gives no watermarks of its own, so SOURCE_WATERMARK() cannot be used", scan.Table.Connector.Name).
			Hint("WATERMARK FOR %s AS %s - INTERVAL '5' SECOND", w.Column.Last(), w.Column.Last())
		if checking {
			return nil, err
		}
		return nil, relocate(err, at(w), "table "+path.Name+", watermark")
	}
	fields := slices.Clone(n.Schema().Fields)
	for i := range fields {
		if fields[i].Type.Attr == types.Rowtime {
			fields[i].Type = fields[i].Type.Plain()
		}
	}
	fields[k].Type.Attr = types.Rowtime
	out.Out = types.NewSchema(fields...)
	return out, nil
}

// declare resolves columns, keys, and the WITH options of a table.
func (b *binder) declare(path catalog.Path, t *ast.CreateTable, span diag.Span, hints map[string]string, checking, sink bool) (*declared, error) {
	at := func(e ast.Node) diag.Span {
		if checking {
			return e.Pos()
		}
		return span
	}
	key := catalog.PrimaryKey(t)
	p := &plan.Table{Path: path.String(), Span: span}
	d := &declared{table: p, place: make([]int, len(t.Columns)), persisted: make([]bool, len(t.Columns))}
	var fields []types.Field
	add := func(i int, c *ast.Column) {
		ft := c.Type.Type
		if slices.Contains(key, c.Name.Name) {
			ft = ft.NotNull()
		}
		f := types.Field{Name: c.Name.Name, Type: ft}
		if c.Comment != nil {
			f.Comment = c.Comment.Value
		}
		d.place[i] = len(fields)
		d.persisted[i] = true
		fields = append(fields, f)
	}
	for i, c := range t.Columns {
		switch c.Kind {
		case ast.PhysicalColumn:
			add(i, c)
		case ast.HeaderColumn:
			return nil, diag.At(at(c), diag.Unsupported, "header columns are not supported").Hint("use METADATA FROM 'headers'")
		default:
			d.place[i] = -1
		}
	}
	for i, c := range t.Columns {
		if c.Kind != ast.MetadataColumn || sink && c.Virtual {
			continue
		}
		k := c.Name.Name
		if c.From != nil {
			k = c.From.Value
		}
		p.Metadata = append(p.Metadata, connector.Metadata{Column: len(fields), Key: k})
		add(i, c)
		d.persisted[i] = !c.Virtual
	}
	p.Physical = types.NewSchema(fields...)
	for _, k := range key {
		i := p.Physical.Index(k)
		if i < 0 {
			return nil, diag.At(at(t), diag.NotAllowed, "PRIMARY KEY: %s is a computed column", k)
		}
		p.PrimaryKey = append(p.PrimaryKey, i)
	}
	for _, i := range t.PartitionedBy {
		if p.Physical.Index(i.Name) < 0 {
			return nil, diag.At(at(i), diag.NotAllowed, "PARTITIONED BY: %s is a computed column", i.Name)
		}
		p.Partitions = append(p.Partitions, i.Name)
	}
	options := ast.Options(t.Options)
	maps.Copy(options, hints)
	if checking && b.Connectors.Find(options["connector"]) == nil {
		return d, nil // it may never be used; whoever does is told
	}
	bound, err := connector.Bind(options, b.Connectors, b.Formats)
	if err != nil {
		return nil, b.optionError(err, t, path, span, checking)
	}
	p.Connector, p.Options, p.FormatName, p.Format = bound.Connector, bound.Options, bound.FormatName, bound.Format
	if err := b.told(p, d, t, at, sink); err != nil {
		return nil, err
	}
	if check := p.Connector.CheckTable; check != nil {
		err := check(&connector.Table{Name: p.Path, Schema: p.Physical, PrimaryKey: p.PrimaryKey, Partitions: p.Partitions, Metadata: p.Metadata, Options: p.Options, Format: p.Format})
		if err != nil {
			return nil, b.optionError(err, t, path, span, checking)
		}
	}
	p.Sink, p.Lookup = bound.Engine.SinkOptions, bound.Engine.LookupOptions
	p.Fire = plan.Fire{Mode: bound.Engine.FireMode, Interval: bound.Engine.FireInterval, Lateness: bound.Engine.AllowLateness}
	if !sink && !checking {
		if p.Late, err = b.late(path, bound.Engine.LateSink, span); err != nil {
			return nil, err
		}
	}
	p.Marks = marks(&bound.Engine)
	p.OnError = plan.ErrorPolicy{Action: bound.Engine.OnError, DeadLetter: bound.Engine.DeadLetter}
	if n := bound.Engine.ScanParallelism; n != nil {
		p.ScanParallelism = *n
	}
	if n := bound.Engine.SinkParallelism; n != nil {
		p.SinkParallelism = *n
	}
	for name := range strings.FieldsFuncSeq(bound.Engine.SplitKey, func(r rune) bool { return r == ';' }) {
		i := p.Physical.Index(strings.TrimSpace(name))
		if i < 0 {
			return nil, b.optionError(option.Errorf("scan.split-key", "there is no column '%s' that is read from the source", strings.TrimSpace(name)), t, path, span, checking)
		}
		p.SplitKey = append(p.SplitKey, i)
	}
	if p.SplitVerify = bound.Engine.SplitVerify; p.SplitVerify && p.SplitKey == nil {
		return nil, b.optionError(option.Errorf("scan.split-key.verify", "needs 'scan.split-key'"), t, path, span, checking)
	}
	if k, ok := p.Format.(format.Keyer); ok {
		var names []string
		for _, i := range p.PrimaryKey {
			names = append(names, p.Physical.Fields[i].Name)
		}
		if p.Format, err = k.WithKey(names); err != nil {
			return nil, diag.At(span, diag.NotAllowed, "table %s: %w", path.Name, err)
		}
	}
	p.Changelog = p.Format != nil && p.Format.Changelog()
	if p.Changelog {
		u, ok := p.Format.(format.Upserter)
		if b.Duplicates && len(p.PrimaryKey) == 0 && !checking {
			return nil, diag.At(span, diag.NotAllowed, "table %s: 'table.exec.source.cdc-events-duplicate' needs a PRIMARY KEY, by which changes that come twice are told apart", path.Name)
		}
		p.Normalize = ok && u.Upserts() || b.Duplicates && len(p.PrimaryKey) > 0
	}
	for _, m := range p.Metadata {
		i := slices.IndexFunc(p.Connector.MetadataKeys, func(f types.Field) bool { return f.Name == m.Key })
		if i < 0 {
			var names []string
			for _, f := range p.Connector.MetadataKeys {
				names = append(names, f.Name)
			}
			for _, f := range toldBy(p.Format) {
				names = append(names, format.MetadataPrefix+f.Name)
			}
			e := diag.At(at(t.Columns[slices.Index(d.place, m.Column)]), diag.UnknownName, "connector %s has no metadata '%s'", p.Connector.Name, m.Key)
			if len(names) > 0 {
				e.Hint("it has %s", strings.Join(names, ", "))
			}
			return nil, e.DidYouMean(m.Key, names)
		}
		want, have := p.Physical.Fields[m.Column].Type, p.Connector.MetadataKeys[i].Type
		if explicit, _ := types.Castable(have, want); !explicit {
			return nil, diag.At(at(t.Columns[slices.Index(d.place, m.Column)]), diag.TypeMismatch, "metadata '%s' is %s, not %s", m.Key, typeText(have), typeText(want))
		}
	}
	return d, nil
}

// optionError gives an error about an option its place in CREATE TABLE, or, if
// the definition is another text, that of the table's use.
func (b *binder) optionError(err error, t *ast.CreateTable, path catalog.Path, span diag.Span, checking bool) error {
	var o *option.Error
	if !errors.As(err, &o) {
		return diag.At(span, diag.BadOption, "table %s: %w", path.Name, err)
	}
	code := diag.BadOption
	switch {
	case o.Key == "connector" && o.Value != "":
		code = diag.UnknownConnector
	case strings.HasSuffix(o.Key, "format") && o.Value != "" && strings.HasPrefix(o.Why, "there is no"):
		code = diag.UnknownFormat
	case strings.Contains(o.Why, "unknown"):
		code = diag.UnknownOption
	}
	e := diag.At(span, code, "table %s: option '%s': %s", path.Name, o.Key, o.Why)
	if checking {
		e.Message = fmt.Sprintf("option '%s': %s", o.Key, o.Why)
		e.Span = optionSpan(t, o, code, span)
	} else if obj := b.home.Find(path); obj != nil && obj.Table == t && b.known(obj) {
		// A place of this text is one only if the option was not set by another statement since.
		if at := optionSpan(t, o, code, span); at != span && strings.HasPrefix(b.Text[min(int(at.Start), len(b.Text)):], "'") {
			e.Span = at
		}
	}
	if o.Hint != "" {
		e.Hint("%s", o.Hint)
	}
	return e
}

// optionSpan is where a definition gives the option of an error: its key if that
// is wrong, else its value; span if it does not give it.
func optionSpan(t *ast.CreateTable, o *option.Error, code diag.Code, span diag.Span) diag.Span {
	for _, opt := range t.Options {
		if opt.Key.Value == o.Key {
			if o.Value != "" && code != diag.UnknownOption {
				return opt.Value.Pos()
			}
			return opt.Key.Pos()
		}
	}
	return span
}

// sourceOf returns the scan that n computes columns of.
func sourceOf(n plan.Node) (*plan.Scan, bool) {
	for {
		switch x := n.(type) {
		case *plan.Scan:
			return x, true
		case *plan.Project:
			n = x.Input
		case *plan.Filter:
			n = x.Input
		default:
			return nil, false
		}
	}
}
