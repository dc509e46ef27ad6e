package catalog

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// CreateView adds a view. Whoever calls it has bound the query.
func (r *Root) CreateView(v *ast.CreateView) error {
	p, err := r.Path(v.Name)
	if err != nil {
		return err
	}
	return r.put(&Object{Path: p, Temporary: v.Temporary, View: v, Catalog: r.current, Database: r.database}, v.Name, v.IfNotExists, v.OrReplace)
}

// AlterView renames a view or gives it another query.
func (r *Root) AlterView(v *ast.AlterView) error {
	o, err := r.Lookup(v.Name)
	if err != nil {
		if v.IfExists {
			return nil
		}
		return err
	}
	if o.View == nil {
		return diag.At(v.Name.Pos(), diag.NotAllowed, "%s is a table", v.Name).Hint("use ALTER TABLE")
	}
	n := *o
	def := *o.View
	n.View = &def
	if v.Rename != nil {
		return r.rename(o, &n, v.Rename)
	}
	def.As, def.Columns = v.As, nil
	n.Catalog, n.Database = r.current, r.database
	r.replace(&n)
	return nil
}

// rename stores n, a copy of old, under another name.
func (r *Root) rename(old, n *Object, name *ast.Name) error {
	p := Path{old.Path.Catalog, old.Path.Database, name.Last()}
	if len(name.Parts) > 1 {
		var err error
		if p, err = r.Path(name); err != nil {
			return err
		}
	}
	if p.Catalog != old.Path.Catalog || p.Database != old.Path.Database {
		return diag.At(name.Pos(), diag.NotAllowed, "RENAME TO cannot move to another database")
	}
	if o := r.Find(p); o != nil {
		return exists(o, name)
	}
	full := &ast.Name{Place: name.Place}
	for _, s := range []string{p.Catalog, p.Database, p.Name} {
		full.Parts = append(full.Parts, &ast.Ident{Place: name.Place, Name: s})
	}
	if n.View != nil {
		n.View.Name = full
	} else {
		n.Table.Name = full
	}
	n.Path = p
	r.remove(old)
	r.replace(n)
	return nil
}

func (r *Root) replace(o *Object) {
	if o.Temporary {
		r.temporary[o.Path] = o
		return
	}
	r.catalogs[o.Path.Catalog].databases[o.Path.Database].objects[o.Path.Name] = o
}

func (r *Root) remove(o *Object) {
	if o.Temporary {
		delete(r.temporary, o.Path)
		return
	}
	delete(r.catalogs[o.Path.Catalog].databases[o.Path.Database].objects, o.Path.Name)
}

// Drop removes an object, function, database or catalog.
func (r *Root) Drop(d *ast.Drop) error {
	switch d.Kind {
	case "TABLE", "VIEW":
		return r.dropObject(d)
	case "FUNCTION":
		return r.dropFunction(d)
	case "DATABASE":
		return r.dropDatabase(d)
	}
	name := d.Name.Last()
	c, err := r.catalogAt(name, d.Name.Pos())
	if err != nil {
		if d.IfExists {
			return nil
		}
		return err
	}
	if c.Name == r.current {
		return diag.At(d.Name.Pos(), diag.NotAllowed, "catalog %s is the current one", name).Hint("USE CATALOG another first")
	}
	delete(r.catalogs, name)
	return nil
}

func (r *Root) dropObject(d *ast.Drop) error {
	p, err := r.Path(d.Name)
	if err != nil {
		return err
	}
	o := r.Find(p)
	if o != nil && o.Temporary != d.Temporary {
		if d.Temporary {
			o = nil
		} else {
			return diag.At(d.Name.Pos(), diag.NotAllowed, "%s is temporary", d.Name).Hint("say DROP TEMPORARY %s", d.Kind)
		}
	}
	if o == nil || o.Kind() != d.Kind {
		if d.IfExists {
			return nil
		}
		what := strings.ToLower(d.Kind)
		if d.Temporary {
			what = "temporary " + what
		}
		e := diag.At(d.Name.Pos(), diag.UnknownTable, "no %s %s", what, d.Name)
		if o != nil {
			return e.Hint("it is a %s: DROP %s", strings.ToLower(o.Kind()), o.Kind())
		}
		return e.DidYouMean(p.Name, r.objectNames(p.Catalog, p.Database))
	}
	r.remove(o)
	return nil
}

func (r *Root) dropDatabase(d *ast.Drop) error {
	c, name, err := r.databaseName(d.Name)
	if err != nil {
		return err
	}
	db, err := r.databaseAt(c, name, d.Name.Pos())
	if err != nil {
		if d.IfExists {
			return nil
		}
		return err
	}
	if c == r.current && name == r.database {
		return diag.At(d.Name.Pos(), diag.NotAllowed, "database %s is the current one", name).Hint("USE another first")
	}
	if len(db.objects) > 0 && !d.Cascade {
		return diag.At(d.Name.Pos(), diag.NotAllowed, "database %s is not empty: it has %s", name, strings.Join(keys(db.objects), ", ")).Hint("say CASCADE to drop them too")
	}
	delete(r.catalogs[c].databases, name)
	return nil
}

// CreateDatabase adds a database.
func (r *Root) CreateDatabase(d *ast.CreateDatabase) error {
	c, name, err := r.databaseName(d.Name)
	if err != nil {
		return err
	}
	cat, err := r.catalogAt(c, d.Name.Pos())
	if err != nil {
		return err
	}
	if cat.databases[name] != nil {
		if d.IfNotExists {
			return nil
		}
		return diag.At(d.Name.Pos(), diag.Exists, "there is already a database %s", d.Name)
	}
	db := newDatabase(name)
	db.Options = ast.Options(d.Options)
	if d.Comment != nil {
		db.Comment = d.Comment.Value
	}
	cat.databases[name] = db
	return nil
}

// AlterDatabase sets options of a database.
func (r *Root) AlterDatabase(d *ast.AlterDatabase) error {
	db, err := r.DatabaseOf(d.Name)
	if err != nil {
		return err
	}
	for _, o := range d.Options {
		db.Options[o.Key.Value] = o.Value.Value
	}
	return nil
}

// CreateCatalog adds a catalog; the only type is generic_in_memory.
func (r *Root) CreateCatalog(c *ast.CreateCatalog) error {
	if r.catalogs[c.Name.Name] != nil {
		if c.IfNotExists {
			return nil
		}
		return diag.At(c.Name.Pos(), diag.Exists, "there is already a catalog %s", c.Name.Name)
	}
	n := newCatalog(c.Name.Name)
	n.Options = ast.Options(c.Options)
	if c.Comment != nil {
		n.Comment = c.Comment.Value
	}
	base := DefaultDatabase
	for _, o := range c.Options {
		switch o.Key.Value {
		case "type":
			if o.Value.Value != "generic_in_memory" {
				return diag.At(o.Value.Pos(), diag.BadOption, "no catalog type '%s'", o.Value.Value).Hint("known: generic_in_memory")
			}
		case "default-database":
			base = o.Value.Value
		default:
			return diag.At(o.Key.Pos(), diag.UnknownOption, "no catalog option '%s'", o.Key.Value).DidYouMean(o.Key.Value, []string{"type", "default-database"})
		}
	}
	if n.Options["type"] == "" {
		return diag.At(c.Pos(), diag.BadOption, "a catalog needs 'type'").Hint("known: generic_in_memory")
	}
	n.databases[base] = newDatabase(base)
	r.catalogs[n.Name] = n
	return nil
}

// AlterCatalog changes the options or the comment of a catalog.
func (r *Root) AlterCatalog(a *ast.AlterCatalog) error {
	c, err := r.catalogAt(a.Name.Name, a.Name.Pos())
	if err != nil {
		return err
	}
	for _, o := range a.Set {
		if o.Key.Value == "type" {
			return diag.At(o.Pos(), diag.NotAllowed, "the type of a catalog cannot be changed")
		}
		c.Options[o.Key.Value] = o.Value.Value
	}
	for _, k := range a.Reset {
		if k.Value == "type" {
			return diag.At(k.Pos(), diag.NotAllowed, "the type of a catalog cannot be changed")
		}
		delete(c.Options, k.Value)
	}
	if a.Comment != nil {
		c.Comment = a.Comment.Value
	}
	return nil
}

// CreateFunction adds a function by the name of what implements it.
func (r *Root) CreateFunction(f *ast.CreateFunction) error {
	set, key, d, err := r.functionPlace(f.Name, f.Temporary, f.System)
	if err != nil {
		return err
	}
	if set[key] != nil && !f.OrReplace {
		if f.IfNotExists {
			return nil
		}
		return diag.At(f.Name.Pos(), diag.Exists, "there is already a function %s", f.Name)
	}
	set[key] = f
	r.keep(f.Name, f.Temporary, f.System, set, d)
	return nil
}

// functionPlace returns the functions among which n belongs.
func (r *Root) functionPlace(n *ast.Name, temporary, system bool) (map[string]*ast.CreateFunction, string, *Database, error) {
	key := strings.ToUpper(n.Last())
	if system {
		return r.system, key, nil, nil
	}
	p, err := r.Path(n)
	if err != nil {
		return nil, "", nil, err
	}
	if temporary {
		one := map[string]*ast.CreateFunction{}
		p.Name = key
		if f := r.tempFunctions[p]; f != nil {
			one[key] = f
		}
		return one, key, nil, nil
	}
	d, err := r.databaseAt(p.Catalog, p.Database, n.Pos())
	if err != nil {
		return nil, "", nil, err
	}
	return d.functions, key, d, nil
}

// keep stores what was changed in the copy that functionPlace made of temporary functions.
func (r *Root) keep(n *ast.Name, temporary, system bool, set map[string]*ast.CreateFunction, d *Database) {
	if !temporary || system || d != nil {
		return
	}
	p, _ := r.Path(n)
	p.Name = strings.ToUpper(p.Name)
	if f := set[p.Name]; f != nil {
		r.tempFunctions[p] = f
	} else {
		delete(r.tempFunctions, p)
	}
}

// AlterFunction gives a function another class.
func (r *Root) AlterFunction(f *ast.AlterFunction) error {
	set, key, d, err := r.functionPlace(f.Name, f.Temporary, f.System)
	if err != nil {
		return err
	}
	old := set[key]
	if old == nil {
		if f.IfExists {
			return nil
		}
		return diag.At(f.Name.Pos(), diag.UnknownFunction, "no function %s in the catalog", f.Name).DidYouMean(f.Name.Last(), r.Functions())
	}
	n := *old
	n.Class, n.Language = f.Class, f.Language
	set[key] = &n
	r.keep(f.Name, f.Temporary, f.System, set, d)
	return nil
}

func (r *Root) dropFunction(d *ast.Drop) error {
	set, key, db, err := r.functionPlace(d.Name, d.Temporary, d.System)
	if err != nil {
		return err
	}
	if set[key] == nil {
		if d.IfExists {
			return nil
		}
		return diag.At(d.Name.Pos(), diag.UnknownFunction, "no function %s in the catalog", d.Name).DidYouMean(d.Name.Last(), r.Functions())
	}
	delete(set, key)
	r.keep(d.Name, d.Temporary, d.System, set, db)
	return nil
}

// Functions returns the names of the user's functions in sight, in order.
func (r *Root) Functions() []string {
	names := map[string]bool{}
	for k := range r.system {
		names[k] = true
	}
	for p := range r.tempFunctions {
		if p.Catalog == r.current && p.Database == r.database {
			names[p.Name] = true
		}
	}
	if d, err := r.databaseAt(r.current, r.database, diag.Span{}); err == nil {
		for k := range d.functions {
			names[k] = true
		}
	}
	return keys(names)
}

// HasFunction tells whether name is a user's function in sight.
func (r *Root) HasFunction(name string) bool {
	name = strings.ToUpper(name)
	for _, n := range r.Functions() {
		if n == name {
			return true
		}
	}
	return false
}

// Function returns the definition of a user's function in sight, nil if there is none.
func (r *Root) Function(name string) *ast.CreateFunction {
	name = strings.ToUpper(name)
	if f := r.system[name]; f != nil {
		return f
	}
	if f := r.tempFunctions[Path{r.current, r.database, name}]; f != nil {
		return f
	}
	if d, err := r.databaseAt(r.current, r.database, diag.Span{}); err == nil {
		return d.functions[name]
	}
	return nil
}
