// Package catalog holds what SQL gives names to: catalogs, databases, tables,
// views and functions, and temporary ones above them. Definitions are kept as
// syntax trees, so that they can be printed and read again; the binder gives
// them meaning when a query uses them.
//
// catalog.go has the objects and names, table.go CREATE and ALTER TABLE with
// LIKE, view.go views, functions, databases and DROP.
package catalog

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// The names of the catalog and database a session starts in.
const (
	DefaultCatalog  = "default_catalog"
	DefaultDatabase = "default_database"
)

// Path is the full name of an object.
type Path struct{ Catalog, Database, Name string }

// String returns catalog.database.name.
func (p Path) String() string { return p.Catalog + "." + p.Database + "." + p.Name }

// Object is a table or a view: exactly one of Table and View is set. It is
// never changed: ALTER puts another in its place.
type Object struct {
	Path      Path
	Temporary bool
	// Table is complete: LIKE is merged in.
	Table *ast.CreateTable
	View  *ast.CreateView
	// Catalog and Database were current when the view was made: its names are
	// looked up in them.
	Catalog, Database string
	// Text is what the definition was read from, "" if nobody knows: the places of
	// its nodes are in it.
	Text string
}

// Kind returns TABLE or VIEW.
func (o *Object) Kind() string {
	if o.View != nil {
		return "VIEW"
	}
	return "TABLE"
}

// Database is a named group of objects.
type Database struct {
	Name      string
	Comment   string
	Options   map[string]string
	objects   map[string]*Object
	functions map[string]*ast.CreateFunction
}

// Catalog is a named group of databases.
type Catalog struct {
	Name      string
	Comment   string
	Options   map[string]string
	databases map[string]*Database
}

// Root is all catalogs of a session, and where it is in them. It belongs to one
// goroutine.
type Root struct {
	catalogs map[string]*Catalog
	// Temporary objects and functions hide those of the catalogs.
	temporary     map[Path]*Object
	tempFunctions map[Path]*ast.CreateFunction
	system        map[string]*ast.CreateFunction // TEMPORARY SYSTEM FUNCTION
	current       string
	database      string
}

// New returns a root with the default catalog and database.
func New() *Root {
	r := &Root{catalogs: map[string]*Catalog{}, temporary: map[Path]*Object{}, tempFunctions: map[Path]*ast.CreateFunction{},
		system: map[string]*ast.CreateFunction{}, current: DefaultCatalog, database: DefaultDatabase}
	r.catalogs[DefaultCatalog] = newCatalog(DefaultCatalog)
	r.catalogs[DefaultCatalog].databases[DefaultDatabase] = newDatabase(DefaultDatabase)
	return r
}

func newCatalog(name string) *Catalog {
	return &Catalog{Name: name, Options: map[string]string{}, databases: map[string]*Database{}}
}

func newDatabase(name string) *Database {
	return &Database{Name: name, Options: map[string]string{}, objects: map[string]*Object{}, functions: map[string]*ast.CreateFunction{}}
}

// Current returns the current catalog and database.
func (r *Root) Current() (catalog, database string) { return r.current, r.database }

// In returns a view of r with another current catalog and database. What is
// changed through it is changed in r.
func (r *Root) In(catalog, database string) *Root {
	c := *r
	c.current, c.database = catalog, database
	return &c
}

// Path completes a name of an object.
func (r *Root) Path(n *ast.Name) (Path, error) {
	p := n.Strings()
	switch len(p) {
	case 1:
		return Path{r.current, r.database, p[0]}, nil
	case 2:
		return Path{r.current, p[0], p[1]}, nil
	case 3:
		return Path{p[0], p[1], p[2]}, nil
	}
	return Path{}, diag.At(n.Pos(), diag.UnknownName, "%s has more parts than catalog.database.name", n)
}

func (r *Root) catalogAt(name string, span diag.Span) (*Catalog, error) {
	if c := r.catalogs[name]; c != nil {
		return c, nil
	}
	return nil, diag.At(span, diag.UnknownName, "no catalog %s", name).DidYouMean(name, r.Catalogs())
}

func (r *Root) databaseAt(catalog, name string, span diag.Span) (*Database, error) {
	c, err := r.catalogAt(catalog, span)
	if err != nil {
		return nil, err
	}
	if d := c.databases[name]; d != nil {
		return d, nil
	}
	return nil, diag.At(span, diag.UnknownName, "no database %s in catalog %s", name, catalog).DidYouMean(name, keys(c.databases))
}

// Find returns the object at p, temporary ones first, or nil.
func (r *Root) Find(p Path) *Object {
	if o := r.temporary[p]; o != nil {
		return o
	}
	if c := r.catalogs[p.Catalog]; c != nil {
		if d := c.databases[p.Database]; d != nil {
			return d.objects[p.Name]
		}
	}
	return nil
}

// Lookup returns the table or view that a name means.
func (r *Root) Lookup(n *ast.Name) (*Object, error) {
	p, err := r.Path(n)
	if err != nil {
		return nil, err
	}
	if o := r.Find(p); o != nil {
		return o, nil
	}
	if _, err := r.databaseAt(p.Catalog, p.Database, n.Pos()); err != nil && len(n.Parts) > 1 {
		return nil, err
	}
	return nil, diag.At(n.Pos(), diag.UnknownTable, "no table or view %s", n).DidYouMean(n.Last(), r.objectNames(p.Catalog, p.Database))
}

func (r *Root) objectNames(catalog, database string) []string {
	var names []string
	for _, o := range r.Objects(catalog, database) {
		names = append(names, o.Path.Name)
	}
	return names
}

// Objects returns the tables and views of a database in order of name,
// temporary ones in place of those they hide.
func (r *Root) Objects(catalog, database string) []*Object {
	byName := map[string]*Object{}
	if c := r.catalogs[catalog]; c != nil {
		if d := c.databases[database]; d != nil {
			for n, o := range d.objects {
				byName[n] = o
			}
		}
	}
	for p, o := range r.temporary {
		if p.Catalog == catalog && p.Database == database {
			byName[p.Name] = o
		}
	}
	out := make([]*Object, 0, len(byName))
	for _, n := range keys(byName) {
		out = append(out, byName[n])
	}
	return out
}

// Catalogs returns the names of the catalogs in order.
func (r *Root) Catalogs() []string { return keys(r.catalogs) }

// Databases returns the names of a catalog's databases in order.
func (r *Root) Databases(catalog string, span diag.Span) ([]string, error) {
	c, err := r.catalogAt(catalog, span)
	if err != nil {
		return nil, err
	}
	return keys(c.databases), nil
}

// CatalogOf returns a catalog's data.
func (r *Root) CatalogOf(name string, span diag.Span) (*Catalog, error) {
	return r.catalogAt(name, span)
}

// DatabaseOf returns a database's data.
func (r *Root) DatabaseOf(n *ast.Name) (*Database, error) {
	c, d, err := r.databaseName(n)
	if err != nil {
		return nil, err
	}
	return r.databaseAt(c, d, n.Pos())
}

// databaseName completes the name of a database.
func (r *Root) databaseName(n *ast.Name) (catalog, database string, err error) {
	p := n.Strings()
	switch len(p) {
	case 1:
		return r.current, p[0], nil
	case 2:
		return p[0], p[1], nil
	}
	return "", "", diag.At(n.Pos(), diag.UnknownName, "%s has more parts than catalog.database", n)
}

// DatabasePath completes a name that stands behind FROM or IN of SHOW.
func (r *Root) DatabasePath(n *ast.Name) (catalog, database string, err error) {
	if n == nil {
		return r.current, r.database, nil
	}
	c, d, err := r.databaseName(n)
	if err != nil {
		return "", "", err
	}
	_, err = r.databaseAt(c, d, n.Pos())
	return c, d, err
}

// Use makes a catalog or database the current one.
func (r *Root) Use(u *ast.Use) error {
	n := u.Names[0]
	if u.Kind == "CATALOG" {
		c, err := r.catalogAt(n.Last(), n.Pos())
		if err != nil {
			return err
		}
		r.current, r.database = c.Name, DefaultDatabase
		if c.databases[DefaultDatabase] == nil {
			if all := keys(c.databases); len(all) > 0 {
				r.database = all[0]
			}
		}
		return nil
	}
	c, d, err := r.databaseName(n)
	if err != nil {
		return err
	}
	if _, err := r.databaseAt(c, d, n.Pos()); err != nil {
		return err
	}
	r.current, r.database = c, d
	return nil
}

// put stores a new object, or says what stands in its way.
func (r *Root) put(o *Object, name *ast.Name, ifNotExists, orReplace bool) error {
	if o.Temporary {
		if old := r.temporary[o.Path]; old != nil && !orReplace {
			if ifNotExists {
				return nil
			}
			return exists(old, name)
		}
		r.temporary[o.Path] = o
		return nil
	}
	d, err := r.databaseAt(o.Path.Catalog, o.Path.Database, name.Pos())
	if err != nil {
		return err
	}
	if old := d.objects[o.Path.Name]; old != nil {
		if ifNotExists {
			return nil
		}
		if !orReplace || old.Kind() != o.Kind() {
			return exists(old, name)
		}
	}
	d.objects[o.Path.Name] = o
	return nil
}

func exists(old *Object, name *ast.Name) error {
	what := strings.ToLower(old.Kind())
	if old.Temporary {
		what = "temporary " + what
	}
	return diag.At(name.Pos(), diag.Exists, "there is already a %s %s", what, name).Hint("drop it first, or say IF NOT EXISTS")
}

func keys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
