package sql

import "github.com/runnelio/runnel/internal/sql/ast"

func (w *printer) ddl(s ast.Statement) {
	switch s := s.(type) {
	case *ast.CreateTable:
		w.createTable(s)
	case *ast.AlterTable:
		w.put("ALTER TABLE ")
		w.word(s.IfExists, "IF EXISTS")
		w.name(s.Name)
		w.put(" ")
		w.alterAction(s.Action)
	case *ast.CreateView:
		w.createView(s)
	case *ast.AlterView:
		w.put("ALTER VIEW ")
		w.word(s.IfExists, "IF EXISTS")
		w.name(s.Name)
		if s.Rename != nil {
			w.put(" RENAME TO ")
			w.name(s.Rename)
			return
		}
		w.put(" AS")
		w.line()
		w.query(s.As)
	case *ast.CreateDatabase:
		w.put("CREATE DATABASE ")
		w.word(s.IfNotExists, "IF NOT EXISTS")
		w.name(s.Name)
		w.comment(s.Comment)
		w.options(s.Options)
	case *ast.AlterDatabase:
		w.put("ALTER DATABASE ")
		w.name(s.Name)
		w.put(" SET ")
		block(w, s.Options, w.option)
	case *ast.CreateCatalog:
		w.put("CREATE CATALOG ")
		w.word(s.IfNotExists, "IF NOT EXISTS")
		w.ident(s.Name)
		w.comment(s.Comment)
		w.options(s.Options)
	case *ast.AlterCatalog:
		w.alterCatalog(s)
	case *ast.CreateFunction:
		w.createFunction(s)
	case *ast.AlterFunction:
		w.put("ALTER ")
		w.word(s.Temporary, "TEMPORARY")
		w.word(s.System, "SYSTEM")
		w.put("FUNCTION ")
		w.word(s.IfExists, "IF EXISTS")
		w.name(s.Name)
		w.put(" AS ")
		w.str(s.Class)
		w.language(s.Language)
	case *ast.Drop:
		w.put("DROP ")
		w.word(s.Temporary, "TEMPORARY")
		w.word(s.System, "SYSTEM")
		w.put(s.Kind, " ")
		w.word(s.IfExists, "IF EXISTS")
		w.name(s.Name)
		w.put(map[bool]string{true: " CASCADE"}[s.Cascade])
	}
}

// options writes WITH ( … ) on a line of its own, if there are options.
func (w *printer) options(list []*ast.Option) {
	if list != nil {
		w.put(" WITH ")
		block(w, list, w.option)
	}
}

func (w *printer) language(name string) {
	if name != "" {
		w.put(" LANGUAGE ", name)
	}
}

func (w *printer) createTable(s *ast.CreateTable) {
	if s.MustExist {
		w.put("REPLACE ")
	} else {
		w.put("CREATE ")
		w.word(s.OrReplace, "OR REPLACE")
	}
	w.word(s.Temporary, "TEMPORARY")
	w.put("TABLE ")
	w.word(s.IfNotExists, "IF NOT EXISTS")
	w.name(s.Name)
	if s.ColumnNames != nil {
		w.put(" ")
		w.idents(s.ColumnNames)
	} else if parts := elements(&s.TableElements); parts != nil {
		w.put(" ")
		block(w, parts, w.element)
	}
	w.comment(s.Comment)
	if s.Distribution != nil {
		w.put(" DISTRIBUTED")
		w.distribution(s.Distribution)
	}
	if s.PartitionedBy != nil {
		w.put(" PARTITIONED BY ")
		w.idents(s.PartitionedBy)
	}
	w.options(s.Options)
	if l := s.Like; l != nil {
		w.put(" LIKE ")
		w.name(l.Name)
		if l.Rules != nil {
			w.put(" (")
			for i, r := range l.Rules {
				w.word(i > 0, "")
				w.put(r.Action, " ", r.Feature)
			}
			w.put(")")
		}
	}
	if s.As != nil {
		w.put(" AS")
		w.line()
		w.query(s.As)
	}
}

// elements are the parts of a table in the order they are written.
func elements(e *ast.TableElements) []ast.Node {
	var out []ast.Node
	for _, c := range e.Columns {
		out = append(out, c)
	}
	for _, x := range e.Watermarks {
		out = append(out, x)
	}
	for _, c := range e.Constraints {
		out = append(out, c)
	}
	if e.Period != nil {
		out = append(out, e.Period)
	}
	return out
}

func (w *printer) element(n ast.Node) {
	switch n := n.(type) {
	case *ast.Column:
		w.column(n)
	case *ast.Watermark:
		w.watermark(n)
	case *ast.Constraint:
		w.constraint(n)
	case *ast.PeriodFor:
		w.put("PERIOD FOR SYSTEM_TIME")
	}
}

func (w *printer) column(c *ast.Column) {
	w.ident(c.Name)
	w.put(" ")
	if c.Kind == ast.ComputedColumn {
		w.put("AS ")
		w.expr(c.X, 0)
	} else {
		w.dataType(c.Type)
	}
	switch c.Kind {
	case ast.MetadataColumn:
		w.put(" METADATA")
		if c.From != nil {
			w.put(" FROM ")
			w.str(c.From)
		}
		w.put(map[bool]string{true: " VIRTUAL"}[c.Virtual])
	case ast.HeaderColumn:
		w.put(" HEADER")
	}
	if c.Constraint != nil {
		w.put(" ")
		w.constraint(c.Constraint)
	}
	w.comment(c.Comment)
	if p := c.Position; p != nil {
		if p.First {
			w.put(" FIRST")
		} else {
			w.put(" AFTER ")
			w.ident(p.After)
		}
	}
}

func (w *printer) watermark(x *ast.Watermark) {
	w.put("WATERMARK ")
	if x.Label != nil {
		w.ident(x.Label)
		w.put(" ")
	}
	w.put("FOR ")
	w.name(x.Column)
	w.put(" AS ")
	w.expr(x.X, 0)
}

func (w *printer) constraint(c *ast.Constraint) {
	if c.Name != nil {
		w.put("CONSTRAINT ")
		w.ident(c.Name)
		w.put(" ")
	}
	w.put(map[bool]string{true: "UNIQUE", false: "PRIMARY KEY"}[c.Unique])
	if c.Columns != nil {
		w.put(" ")
		w.idents(c.Columns)
	}
	w.put(map[bool]string{true: " NOT ENFORCED"}[c.NotEnforced], map[bool]string{true: " ENFORCED"}[c.Enforced])
}

func (w *printer) distribution(d *ast.Distribution) {
	if d.Columns != nil {
		w.put(" BY ")
		w.put(d.Kind)
		w.idents(d.Columns)
	}
	if d.Buckets != nil {
		w.put(" INTO ", d.Buckets.Text, " BUCKETS")
	}
}

func (w *printer) createView(s *ast.CreateView) {
	w.put("CREATE ")
	w.word(s.OrReplace, "OR REPLACE")
	w.word(s.Temporary, "TEMPORARY")
	w.put("VIEW ")
	w.word(s.IfNotExists, "IF NOT EXISTS")
	w.name(s.Name)
	if s.Columns != nil {
		w.put(" (")
		items(w, s.Columns, func(c *ast.ViewColumn) {
			w.ident(c.Name)
			w.comment(c.Comment)
		})
		w.put(")")
	}
	w.comment(s.Comment)
	w.put(" AS")
	w.line()
	w.query(s.As)
}

func (w *printer) createFunction(s *ast.CreateFunction) {
	w.put("CREATE ")
	w.word(s.OrReplace, "OR REPLACE")
	w.word(s.Temporary, "TEMPORARY")
	w.word(s.System, "SYSTEM")
	w.put("FUNCTION ")
	w.word(s.IfNotExists, "IF NOT EXISTS")
	w.name(s.Name)
	w.put(" AS ")
	w.str(s.Class)
	w.language(s.Language)
	for i, j := range s.Jars {
		w.put(map[bool]string{true: " USING JAR ", false: ", JAR "}[i == 0])
		w.str(j)
	}
	w.options(s.Options)
}

func (w *printer) keys(list []*ast.StringLit) {
	w.put("(")
	items(w, list, w.str)
	w.put(")")
}

func (w *printer) alterCatalog(s *ast.AlterCatalog) {
	w.put("ALTER CATALOG ")
	w.ident(s.Name)
	switch {
	case s.Set != nil:
		w.put(" SET ")
		block(w, s.Set, w.option)
	case s.Reset != nil:
		w.put(" RESET ")
		w.keys(s.Reset)
	default:
		w.comment(s.Comment)
	}
}

func (w *printer) alterAction(a ast.AlterAction) {
	switch a := a.(type) {
	case *ast.RenameTo:
		w.put("RENAME TO ")
		w.name(a.Name)
	case *ast.SetOptions:
		w.put("SET ")
		block(w, a.Options, w.option)
	case *ast.ResetOptions:
		w.put("RESET ")
		w.keys(a.Keys)
	case *ast.AlterElements:
		w.put(map[bool]string{true: "MODIFY ", false: "ADD "}[a.Modify])
		if a.Distribution != nil {
			w.put("DISTRIBUTION")
			w.distribution(a.Distribution)
			return
		}
		block(w, elements(&a.TableElements), w.element)
	case *ast.RenameColumn:
		w.put("RENAME ")
		w.name(a.From)
		w.put(" TO ")
		w.ident(a.To)
	case *ast.DropElements:
		w.dropElements(a)
	case *ast.AlterPartitions:
		w.put(map[bool]string{true: "DROP ", false: "ADD "}[a.Drop])
		if a.IfExists {
			w.put(map[bool]string{true: "IF EXISTS ", false: "IF NOT EXISTS "}[a.Drop])
		}
		for i, p := range a.Partitions {
			w.word(i > 0 && a.Drop, ",")
			w.word(i > 0 && !a.Drop, "")
			w.partition(p.Spec)
			w.options(p.Options)
		}
	}
}

func (w *printer) dropElements(d *ast.DropElements) {
	w.put("DROP ")
	switch {
	case d.Constraint != nil:
		w.put("CONSTRAINT ")
		w.ident(d.Constraint)
	case d.PrimaryKey:
		w.put("PRIMARY KEY")
	case d.Watermark:
		w.put("WATERMARK")
	case d.Distribution:
		w.put("DISTRIBUTION")
	default:
		w.put("(")
		items(w, d.Columns, w.name)
		w.put(")")
	}
}
