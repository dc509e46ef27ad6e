package compile

import (
	"context"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// show answers SHOW.
func (s *Session) show(ctx context.Context, x *ast.Show) (*Result, error) {
	list := func(name string, values []string) *Result {
		r := table(name)
		for _, v := range values {
			if s.matches(x, v) {
				r.Rows = append(r.Rows, []types.Value{v})
			}
		}
		return r
	}
	objects := func(kind string) ([]string, error) {
		c, d, err := s.Catalog.DatabasePath(x.Name)
		if err != nil {
			return nil, err
		}
		var names []string
		for _, o := range s.Catalog.Objects(c, d) {
			if kind == "" || o.Kind() == kind {
				names = append(names, o.Path.Name)
			}
		}
		return names, nil
	}
	switch x.What {
	case "TABLES": // views are listed too, as in Flink
		names, err := objects("")
		if err != nil {
			return nil, err
		}
		return list("table name", names), nil
	case "VIEWS":
		names, err := objects("VIEW")
		if err != nil {
			return nil, err
		}
		return list("view name", names), nil
	case "CATALOGS":
		return list("catalog name", s.Catalog.Catalogs()), nil
	case "DATABASES":
		c, _ := s.Catalog.Current()
		span := x.Pos()
		if x.Name != nil {
			c, span = x.Name.Last(), x.Name.Pos()
		}
		names, err := s.Catalog.Databases(c, span)
		if err != nil {
			return nil, err
		}
		return list("database name", names), nil
	case "CURRENT CATALOG":
		c, _ := s.Catalog.Current()
		return list("current catalog name", []string{c}), nil
	case "CURRENT DATABASE":
		_, d := s.Catalog.Current()
		return list("current database name", []string{d}), nil
	case "FUNCTIONS":
		names := s.Catalog.Functions()
		for _, d := range s.functions().Defs() {
			for _, n := range append([]string{d.Name}, d.Aliases...) {
				if n[0] >= 'A' && n[0] <= 'Z' {
					names = append(names, n)
				}
			}
		}
		slices.Sort(names)
		return list("function name", slices.Compact(names)), nil
	case "USER FUNCTIONS":
		return list("function name", s.Catalog.Functions()), nil
	case "MODULES":
		return list("module name", s.modules), nil
	case "FULL MODULES":
		r := table("module name")
		r.Schema = types.NewSchema(types.Field{Name: "module name", Type: types.String()}, types.Field{Name: "used", Type: types.Of(types.Boolean)})
		for _, m := range s.modules {
			r.Rows = append(r.Rows, []types.Value{m, true})
		}
		return r, nil
	case "PROCEDURES":
		return list("procedure name", nil), nil
	case "JARS":
		return list("jars", nil), nil
	case "MODELS":
		return list("model name", nil), nil
	case "MATERIALIZED TABLES":
		return list("table name", nil), nil
	case "JOBS":
		return nil, diag.At(x.Pos(), diag.Unsupported, "SHOW JOBS needs a server")
	case "CREATE TABLE", "CREATE VIEW":
		o, err := s.Catalog.Lookup(x.Name)
		if err != nil {
			return nil, err
		}
		if want := strings.TrimPrefix(x.What, "CREATE "); o.Kind() != want {
			return nil, diag.At(x.Name.Pos(), diag.NotAllowed, "%s is a %s", x.Name, strings.ToLower(o.Kind())).Hint("SHOW CREATE %s", o.Kind())
		}
		return text("result", s.createText(o)), nil
	case "CREATE CATALOG":
		c, err := s.Catalog.CatalogOf(x.Name.Last(), x.Name.Pos())
		if err != nil {
			return nil, err
		}
		def := &ast.CreateCatalog{Name: &ast.Ident{Name: c.Name}, Options: options(c.Options)}
		if c.Options["type"] == "" {
			def.Options = options(map[string]string{"type": "generic_in_memory"})
		}
		if c.Comment != "" {
			def.Comment = &ast.StringLit{Value: c.Comment}
		}
		return text("result", sql.Format(def)), nil
	case "COLUMNS":
		o, err := s.Catalog.Lookup(x.Name)
		if err != nil {
			return nil, err
		}
		r, err := s.columns(o)
		if err != nil {
			return nil, err
		}
		rows := r.Rows
		r.Rows = [][]types.Value{}
		for _, row := range rows {
			if s.matches(x, row[0].(string)) {
				r.Rows = append(r.Rows, row)
			}
		}
		return r, nil
	case "PARTITIONS":
		return s.showPartitions(ctx, x)
	}
	return nil, diag.At(x.Pos(), diag.Unsupported, "SHOW %s is not supported", x.What)
}

// matches applies LIKE and ILIKE of SHOW.
func (s *Session) matches(x *ast.Show, value string) bool {
	if x.Pattern == nil {
		return true
	}
	p := x.Pattern.Value
	if x.Like == "ILIKE" {
		p, value = strings.ToLower(p), strings.ToLower(value)
	}
	return like([]rune(value), []rune(p)) != x.Not
}

// like matches % and _.
func like(s, p []rune) bool {
	star, from := -1, 0
	i, k := 0, 0
	for i < len(s) {
		switch {
		case k < len(p) && p[k] == '%':
			star, from = k, i
			k++
		case k < len(p) && (p[k] == '_' || p[k] == s[i]):
			i, k = i+1, k+1
		case star >= 0:
			from++
			i, k = from, star+1
		default:
			return false
		}
	}
	for k < len(p) && p[k] == '%' {
		k++
	}
	return k == len(p)
}

// createText is the CREATE statement of an object, which can be read again.
func (s *Session) createText(o *catalog.Object) string {
	full := &ast.Name{}
	for _, p := range []string{o.Path.Catalog, o.Path.Database, o.Path.Name} {
		full.Parts = append(full.Parts, &ast.Ident{Name: p, Quoted: true})
	}
	if o.View != nil {
		v := *o.View
		v.Name, v.IfNotExists, v.OrReplace = full, false, false
		return sql.Format(&v)
	}
	t := *o.Table
	t.Name, t.IfNotExists, t.OrReplace = full, false, false
	return sql.Format(&t)
}

func options(m map[string]string) []*ast.Option {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var out []*ast.Option
	for _, k := range keys {
		out = append(out, &ast.Option{Key: &ast.StringLit{Value: k}, Value: &ast.StringLit{Value: m[k]}})
	}
	return out
}

// describe answers DESCRIBE.
func (s *Session) describe(x *ast.Describe) (*Result, error) {
	switch x.Kind {
	case "TABLE":
		o, err := s.Catalog.Lookup(x.Name)
		if err != nil {
			return nil, err
		}
		return s.columns(o)
	case "CATALOG":
		c, err := s.Catalog.CatalogOf(x.Name.Last(), x.Name.Pos())
		if err != nil {
			return nil, err
		}
		r := table("info name", "info value")
		r.Rows = append(r.Rows, []types.Value{"name", c.Name}, []types.Value{"type", "generic_in_memory"}, []types.Value{"comment", nullText(c.Comment)})
		if x.Extended {
			for _, o := range options(c.Options) {
				r.Rows = append(r.Rows, []types.Value{"option:" + o.Key.Value, o.Value.Value})
			}
		}
		return r, nil
	case "DATABASE":
		d, err := s.Catalog.DatabaseOf(x.Name)
		if err != nil {
			return nil, err
		}
		r := table("info name", "info value")
		r.Rows = append(r.Rows, []types.Value{"name", d.Name}, []types.Value{"comment", nullText(d.Comment)})
		if x.Extended {
			for _, o := range options(d.Options) {
				r.Rows = append(r.Rows, []types.Value{"option:" + o.Key.Value, o.Value.Value})
			}
		}
		return r, nil
	case "FUNCTION":
		name := strings.ToUpper(x.Name.Last())
		r := table("info name", "info value")
		if f := s.Catalog.Function(name); f != nil {
			r.Rows = append(r.Rows, []types.Value{"class", f.Class.Value}, []types.Value{"language", f.Language})
			return r, nil
		}
		defs := s.functions().Lookup(name)
		if len(defs) == 0 {
			return nil, diag.At(x.Name.Pos(), diag.UnknownFunction, "no function %s", x.Name).DidYouMean(name, s.functions().Names())
		}
		for _, d := range defs {
			kind := "scalar"
			if d.Aggregate != nil {
				kind = "aggregate"
			} else if d.Table != nil {
				kind = "table"
			}
			r.Rows = append(r.Rows, []types.Value{"kind", kind}, []types.Value{"signature", d.Name + d.Sig}, []types.Value{"description", d.Doc})
			for _, e := range d.Eg {
				r.Rows = append(r.Rows, []types.Value{"example", e.Expr + " = " + e.Result})
			}
		}
		return r, nil
	}
	return nil, diag.At(x.Pos(), diag.Unsupported, "DESCRIBE JOB needs a server")
}

func nullText(s string) types.Value {
	if s == "" {
		return nil
	}
	return s
}

// columns describes the columns of a table or view.
func (s *Session) columns(o *catalog.Object) (*Result, error) {
	schema, err := bind.TableSchema(s.Bind(), o)
	if err != nil {
		return nil, err
	}
	r := table("name", "type", "null", "key", "extras", "watermark")
	r.Schema.Fields[2].Type = types.Of(types.Boolean)
	var key []string
	if o.Table != nil {
		key = catalog.PrimaryKey(o.Table)
	}
	for i, f := range schema.Fields {
		row := []types.Value{f.Name, f.Type.OrNull().String(), f.Type.Nullable, nil, nil, nil}
		if slices.Contains(key, f.Name) {
			row[3] = "PRI(" + strings.Join(key, ", ") + ")"
		}
		if o.Table != nil {
			c := o.Table.Columns[i]
			switch c.Kind {
			case ast.ComputedColumn:
				row[4] = "AS " + sql.Format(c.X)
			case ast.MetadataColumn:
				extra := "METADATA"
				if c.From != nil {
					extra += " FROM '" + c.From.Value + "'"
				}
				if c.Virtual {
					extra += " VIRTUAL"
				}
				row[4] = extra
			}
			for _, w := range o.Table.Watermarks {
				if w.Column.Last() == f.Name {
					row[5] = sql.Format(w.X)
				}
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}
