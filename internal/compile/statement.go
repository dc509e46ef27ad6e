package compile

import (
	"context"
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/catalog"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// statement carries out a statement that is no query.
func (s *Session) statement(ctx context.Context, stmt ast.Statement) (*Result, error) {
	ok := &Result{}
	switch x := stmt.(type) {
	case *ast.CreateTable:
		return ok, s.createTable(x)
	case *ast.AlterTable:
		if p, is := x.Action.(*ast.AlterPartitions); is {
			return ok, s.alterPartitions(ctx, x, p)
		}
		return ok, s.alterTable(x)
	case *ast.CreateView:
		return ok, s.createView(x)
	case *ast.AlterView:
		if x.As != nil {
			if _, err := bind.ViewSchema(s.Bind(), x.As); err != nil {
				return nil, err
			}
		}
		return ok, s.Catalog.AlterView(x)
	case *ast.CreateDatabase:
		return ok, s.Catalog.CreateDatabase(x)
	case *ast.AlterDatabase:
		return ok, s.Catalog.AlterDatabase(x)
	case *ast.CreateCatalog:
		return ok, s.Catalog.CreateCatalog(x)
	case *ast.AlterCatalog:
		return ok, s.Catalog.AlterCatalog(x)
	case *ast.CreateFunction:
		return ok, s.createFunction(x)
	case *ast.AlterFunction:
		return ok, s.Catalog.AlterFunction(x)
	case *ast.Drop:
		return ok, s.Catalog.Drop(x)
	case *ast.Use:
		return s.use(x)
	case *ast.Set:
		return s.set(x)
	case *ast.Reset:
		return s.reset(x)
	case *ast.Show:
		return s.show(ctx, x)
	case *ast.Describe:
		return s.describe(x)
	case *ast.Explain:
		return s.explainStatement(x)
	case *ast.LoadModule:
		return nil, diag.At(x.Name.Pos(), diag.UnknownName, "no module %s", x.Name.Name).Hint("the only module is core, and it is loaded")
	case *ast.UnloadModule:
		return nil, diag.At(x.Name.Pos(), diag.NotAllowed, "module %s cannot be unloaded", x.Name.Name)
	case *ast.Jar:
		return nil, diag.At(x.Pos(), diag.Unsupported, "jars cannot be loaded").Hint("this program runs no Java; its functions are built in or written in Go, WASM, JavaScript or Python")
	case *ast.Analyze:
		ok.Warnings = append(ok.Warnings, "ANALYZE TABLE has no effect here: plans need no statistics")
		_, err := s.Catalog.Lookup(x.Name)
		return ok, err
	case *ast.Truncate, *ast.Update, *ast.Delete:
		return nil, diag.At(stmt.Pos(), diag.Unsupported, "rows of a table cannot be changed in place").Hint("a query with INSERT INTO a table with a primary key updates it")
	case *ast.CallProcedure:
		return nil, diag.At(x.Pos(), diag.Unsupported, "there are no procedures")
	case *ast.StopJob:
		return nil, diag.At(x.Pos(), diag.Unsupported, "STOP JOB needs a server")
	case *ast.Command:
		return nil, diag.At(x.Pos(), diag.Unsupported, "%s is a command of the shell", x.Word)
	}
	return nil, diag.At(stmt.Pos(), diag.Unsupported, "this statement is not supported")
}

func (s *Session) createTable(x *ast.CreateTable) error {
	if s.rsqldb() {
		var err error
		if x, err = fromRsqldb(x); err != nil {
			return err
		}
	}
	if x.MustExist {
		if _, err := s.Catalog.Lookup(x.Name); err != nil {
			return err
		}
	}
	t, err := s.Catalog.Complete(x)
	if err != nil {
		return err
	}
	p, err := s.Catalog.Path(t.Name)
	if err != nil {
		return err
	}
	if err := bind.CheckTable(s.Bind(), p, t); err != nil {
		return err
	}
	if err := s.Catalog.CreateTable(t); err != nil {
		return err
	}
	s.remember(t.Name, t)
	return nil
}

func (s *Session) alterTable(x *ast.AlterTable) error {
	o, store, err := s.Catalog.AlterTable(x)
	if err != nil || o == nil {
		return err
	}
	if err := bind.CheckTable(s.Bind(), o.Path, o.Table); err != nil {
		return err
	}
	return store()
}

func (s *Session) createView(x *ast.CreateView) error {
	schema, err := bind.ViewSchema(s.Bind(), x.As)
	if err != nil {
		return err
	}
	if n := len(schema.Fields); x.Columns != nil && len(x.Columns) != n {
		return diag.At(x.Columns[0].Pos(), diag.TypeMismatch, "%d names for %d columns", len(x.Columns), n)
	}
	if err := s.Catalog.CreateView(x); err != nil {
		return err
	}
	s.remember(x.Name, x)
	return nil
}

// remember keeps the text of a definition that the catalog took.
func (s *Session) remember(name *ast.Name, def ast.Statement) {
	p, err := s.Catalog.Path(name)
	if err != nil {
		return
	}
	if o := s.Catalog.Find(p); o != nil && (def == ast.Statement(o.Table) || def == ast.Statement(o.View)) {
		o.Text = s.Text
	}
}

// createFunction adds a function to the catalog and, if there is somebody who
// loads it, to those of the session.
func (s *Session) createFunction(x *ast.CreateFunction) error {
	defs, err := s.implementation(x)
	if err != nil {
		return err
	}
	if defs == nil {
		return s.Catalog.CreateFunction(x)
	}
	if err := s.Catalog.CreateFunction(x); err != nil {
		return err
	}
	set := s.Functions.Clone()
	if err := set.Replace(defs...); err != nil {
		return diag.At(x.Class.Pos(), diag.BadArgument, "function %s: %w", x.Name, err)
	}
	s.Functions = set
	return nil
}

// createAs is CREATE TABLE … AS query: the table gets the query's columns, and
// the job fills it. Nothing is left behind by a statement that fails.
func (s *Session) createAs(x *ast.CreateTable, collect connector.Sink) (*Result, error) {
	insert, undo, err := s.prepareAs(x)
	if err != nil {
		return nil, err
	}
	if insert == nil {
		return &Result{}, nil
	}
	roots, err := s.Logical(insert, collect)
	if err == nil {
		var r *Result
		if r, err = s.job(roots, s.Settings.physical()); err == nil {
			return r, nil
		}
	}
	if e := undo(); e != nil {
		return nil, e
	}
	return nil, err
}

// prepareAs makes the table of CREATE TABLE … AS and returns the INSERT that
// fills it, nil if there is nothing to do, and what takes the table away again.
func (s *Session) prepareAs(x *ast.CreateTable) (insert *ast.Insert, undo func() error, err error) {
	o := s.Bind()
	schema, err := bind.ViewSchema(o, x.As)
	if err != nil {
		return nil, nil, err
	}
	t := *x
	t.As, t.ColumnNames = nil, nil
	var from []*ast.Column
	for _, f := range schema.Fields {
		ft := f.Type.Plain()
		if ft.Kind == types.Char {
			ft = types.VarCharOf(max(1, ft.Prec)).WithNull(ft.Nullable)
		}
		from = append(from, &ast.Column{Place: x.Place, Name: &ast.Ident{Place: x.Name.Place, Name: f.Name}, Type: &ast.DataType{Place: x.Place, Type: ft, NotNull: !ft.Nullable}})
	}
	if x.ColumnNames != nil { // another order, or some
		byName := map[string]*ast.Column{}
		for _, c := range from {
			byName[c.Name.Name] = c
		}
		from = nil
		for _, n := range x.ColumnNames {
			c := byName[n.Name]
			if c == nil || len(x.ColumnNames) != len(schema.Fields) {
				return nil, nil, diag.At(n.Pos(), diag.UnknownColumn, "the columns of CREATE TABLE … AS must be those of the query, in any order").DidYouMean(n.Name, schema.Names())
			}
			from = append(from, c)
		}
	}
	// Columns of the definition alone stand first; one that the query has too gives its type.
	t.Columns = nil
	for _, c := range x.Columns {
		i := slices.IndexFunc(from, func(f *ast.Column) bool { return f.Name.Name == c.Name.Name })
		switch {
		case i < 0:
			t.Columns = append(t.Columns, c)
		case c.Kind == ast.ComputedColumn || c.Kind == ast.MetadataColumn && c.Virtual:
			return nil, nil, diag.At(c.Pos(), diag.Exists, "column %s is one of the query's: it cannot be computed", c.Name.Name)
		default:
			from[i] = c
		}
	}
	t.Columns = append(t.Columns, from...)
	insert = &ast.Insert{Place: x.Place, Table: x.Name, Query: x.As}
	for _, f := range schema.Fields {
		insert.Columns = append(insert.Columns, &ast.Ident{Place: x.Name.Place, Name: f.Name})
	}
	p, err := s.Catalog.Path(x.Name)
	if err != nil {
		return nil, nil, err
	}
	if x.IfNotExists && s.Catalog.Find(p) != nil {
		return nil, nil, nil
	}
	var before *catalog.Object // comes back if the statement fails
	if x.OrReplace {
		before = s.Catalog.Find(p)
	}
	if err := s.createTable(&t); err != nil {
		return nil, nil, err
	}
	return insert, func() error {
		if before != nil {
			s.Catalog.Restore(before)
			return nil
		}
		return s.Catalog.Drop(&ast.Drop{Place: x.Place, Kind: "TABLE", Temporary: x.Temporary, IfExists: true, Name: x.Name})
	}, nil
}

func (s *Session) use(x *ast.Use) (*Result, error) {
	if x.Kind == "MODULES" {
		for _, n := range x.Names {
			if !strings.EqualFold(n.Last(), "core") {
				return nil, diag.At(n.Pos(), diag.UnknownName, "no module %s", n).Hint("the only module is core")
			}
		}
		return &Result{}, nil
	}
	return &Result{}, s.Catalog.Use(x)
}

func (s *Session) set(x *ast.Set) (*Result, error) {
	if x.Key == nil {
		r := table("key", "value")
		for _, k := range known {
			if v, ok := s.Settings[k.Key]; ok {
				r.Rows = append(r.Rows, []types.Value{k.Key, v})
			}
		}
		return r, nil
	}
	w, err := s.Settings.Set(x.Key.Value, x.Value.Value, x.Key.Pos())
	if diag.CodeOf(err) == diag.BadValue {
		_, err = s.Settings.Set(x.Key.Value, x.Value.Value, x.Value.Pos())
	}
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if w != "" {
		r.Warnings = []string{w}
	}
	return r, nil
}

func (s *Session) reset(x *ast.Reset) (*Result, error) {
	if x.Key == nil {
		clear(s.Settings)
		for k, v := range s.opts.Settings {
			s.Settings[k] = v
		}
		return &Result{}, nil
	}
	if setting(x.Key.Value) == nil {
		return nil, diag.At(x.Key.Pos(), diag.UnknownOption, "no option '%s'", x.Key.Value).DidYouMean(x.Key.Value, settingNames())
	}
	delete(s.Settings, x.Key.Value)
	if v, ok := s.opts.Settings[x.Key.Value]; ok {
		s.Settings[x.Key.Value] = v
	}
	return &Result{}, nil
}

// table is a result of text columns.
func table(names ...string) *Result {
	r := &Result{}
	fields := make([]types.Field, len(names))
	for i, n := range names {
		fields[i] = types.Field{Name: n, Type: types.String()}
	}
	r.Schema = types.NewSchema(fields...)
	r.Rows = [][]types.Value{}
	return r
}

// text is a result of one text.
func text(name, value string) *Result {
	r := table(name)
	r.Text = true
	r.Rows = append(r.Rows, []types.Value{value})
	return r
}
