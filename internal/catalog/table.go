package catalog

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// Complete returns t with LIKE merged in and its structure checked: names that
// exist twice, keys and partitions without column.
func (r *Root) Complete(t *ast.CreateTable) (*ast.CreateTable, error) {
	if t.Like != nil {
		src, err := r.Lookup(t.Like.Name)
		if err != nil {
			return nil, err
		}
		if src.Table == nil {
			return nil, diag.At(t.Like.Name.Pos(), diag.NotAllowed, "%s is a view", t.Like.Name).Hint("LIKE takes a table")
		}
		if t, err = merge(t, src.Table); err != nil {
			return nil, err
		}
	}
	return t, check(t)
}

// CreateTable adds a table that Complete returned.
func (r *Root) CreateTable(t *ast.CreateTable) error {
	p, err := r.Path(t.Name)
	if err != nil {
		return err
	}
	return r.put(&Object{Path: p, Temporary: t.Temporary, Table: t, Catalog: r.current, Database: r.database}, t.Name, t.IfNotExists, t.OrReplace)
}

// Restore puts an object back that another one replaced.
func (r *Root) Restore(o *Object) { r.replace(o) }

// check looks at what names in a definition refer to.
func check(t *ast.CreateTable) error {
	var errs diag.List
	names := columnNames(t)
	seen := map[string]bool{}
	for _, c := range t.Columns {
		if seen[c.Name.Name] {
			errs.Add(diag.At(c.Name.Pos(), diag.Exists, "column %s is declared twice", c.Name.Name))
		}
		seen[c.Name.Name] = true
	}
	known := func(i *ast.Ident, what string) {
		if !seen[i.Name] {
			errs.Add(diag.At(i.Pos(), diag.UnknownColumn, "%s: no column %s", what, i.Name).DidYouMean(i.Name, names))
		}
	}
	keys := 0
	for _, c := range t.Constraints {
		for _, i := range c.Columns {
			known(i, constraintWords(c))
		}
		if !c.Unique {
			keys++
		}
		enforced(c, &errs)
	}
	for _, c := range t.Columns {
		if c.Constraint != nil {
			if !c.Constraint.Unique {
				keys++
			}
			enforced(c.Constraint, &errs)
		}
	}
	if keys > 1 {
		errs.Add(diag.At(t.Name.Pos(), diag.NotAllowed, "table %s has more than one PRIMARY KEY", t.Name))
	}
	for _, i := range t.PartitionedBy {
		known(i, "PARTITIONED BY")
	}
	if t.Distribution != nil {
		for _, i := range t.Distribution.Columns {
			known(i, "DISTRIBUTED BY")
		}
	}
	if len(t.Watermarks) > 1 {
		errs.Add(diag.At(t.Watermarks[1].Pos(), diag.NotAllowed, "a table has one WATERMARK"))
	}
	for _, w := range t.Watermarks {
		known(w.Column.Parts[0], "WATERMARK")
	}
	options := map[string]bool{}
	for _, o := range t.Options {
		if options[o.Key.Value] {
			errs.Add(diag.At(o.Key.Pos(), diag.Exists, "option '%s' is given twice", o.Key.Value))
		}
		options[o.Key.Value] = true
	}
	return errs.Err()
}

func constraintWords(c *ast.Constraint) string {
	if c.Unique {
		return "UNIQUE"
	}
	return "PRIMARY KEY"
}

func enforced(c *ast.Constraint, errs *diag.List) {
	if c.Unique {
		errs.Add(diag.At(c.Pos(), diag.Unsupported, "UNIQUE is not supported").Hint("use PRIMARY KEY … NOT ENFORCED"))
	} else if !c.NotEnforced {
		errs.Add(diag.At(c.Pos(), diag.Unsupported, "PRIMARY KEY is not checked: it must be NOT ENFORCED").Hint("write PRIMARY KEY … NOT ENFORCED"))
	}
}

func columnNames(t *ast.CreateTable) []string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, c.Name.Name)
	}
	return names
}

// PrimaryKey returns the columns of the primary key in order, nil if there is none.
func PrimaryKey(t *ast.CreateTable) []string {
	var key []string
	for _, c := range t.Columns {
		if c.Constraint != nil && !c.Constraint.Unique {
			key = append(key, c.Name.Name)
		}
	}
	for _, c := range t.Constraints {
		if !c.Unique {
			for _, i := range c.Columns {
				key = append(key, i.Name)
			}
		}
	}
	return key
}

// AlterTable applies an action to a table and returns the new definition with
// the function that stores it, so that the caller can check it first. Both are
// nil if IF EXISTS finds nothing.
func (r *Root) AlterTable(a *ast.AlterTable) (*Object, func() error, error) {
	o, err := r.Lookup(a.Name)
	if err != nil {
		if a.IfExists {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	if o.Table == nil {
		return nil, nil, diag.At(a.Name.Pos(), diag.NotAllowed, "%s is a view", a.Name).Hint("use ALTER VIEW")
	}
	n := *o
	t := *o.Table
	t.Columns, t.Options = slices.Clone(t.Columns), slices.Clone(t.Options)
	t.Constraints, t.Watermarks, t.PartitionedBy = slices.Clone(t.Constraints), slices.Clone(t.Watermarks), slices.Clone(t.PartitionedBy)
	n.Table = &t
	switch x := a.Action.(type) {
	case *ast.RenameTo:
		return &n, func() error { return r.rename(o, &n, x.Name) }, nil
	case *ast.SetOptions:
		for _, opt := range x.Options {
			if opt.Key.Value == "connector" {
				return nil, nil, diag.At(opt.Pos(), diag.NotAllowed, "the connector of a table cannot be changed")
			}
			t.Options = slices.DeleteFunc(t.Options, func(p *ast.Option) bool { return p.Key.Value == opt.Key.Value })
			t.Options = append(t.Options, opt)
		}
	case *ast.ResetOptions:
		for _, k := range x.Keys {
			if k.Value == "connector" {
				return nil, nil, diag.At(k.Pos(), diag.NotAllowed, "the connector of a table cannot be changed")
			}
			before := len(t.Options)
			t.Options = slices.DeleteFunc(t.Options, func(p *ast.Option) bool { return p.Key.Value == k.Value })
			if len(t.Options) == before {
				var names []string
				for _, p := range t.Options {
					names = append(names, p.Key.Value)
				}
				return nil, nil, diag.At(k.Pos(), diag.UnknownOption, "table %s has no option '%s'", a.Name, k.Value).DidYouMean(k.Value, names)
			}
		}
	case *ast.AlterElements:
		err = alterElements(&t, x)
	case *ast.RenameColumn:
		err = renameColumn(&t, x)
	case *ast.DropElements:
		err = dropElements(&t, x)
	default:
		err = diag.At(a.Action.Pos(), diag.Unsupported, "partitions of a table cannot be altered here: they are the folders of the table's path")
	}
	if err != nil {
		return nil, nil, err
	}
	if err := check(&t); err != nil {
		return nil, nil, err
	}
	return &n, func() error { r.replace(&n); return nil }, nil
}

func findColumn(t *ast.CreateTable, name *ast.Ident) (int, error) {
	i := slices.IndexFunc(t.Columns, func(c *ast.Column) bool { return c.Name.Name == name.Name })
	if i < 0 {
		return 0, diag.At(name.Pos(), diag.UnknownColumn, "no column %s in %s", name.Name, t.Name).DidYouMean(name.Name, columnNames(t))
	}
	return i, nil
}

func alterElements(t *ast.CreateTable, x *ast.AlterElements) error {
	for _, c := range x.Columns {
		i := slices.IndexFunc(t.Columns, func(o *ast.Column) bool { return o.Name.Name == c.Name.Name })
		if x.Modify {
			if i < 0 {
				_, err := findColumn(t, c.Name)
				return err
			}
			t.Columns[i] = c
			if c.Position == nil {
				continue
			}
			t.Columns = slices.Delete(t.Columns, i, i+1)
		} else if i >= 0 {
			return diag.At(c.Name.Pos(), diag.Exists, "there is already a column %s", c.Name.Name).Hint("use MODIFY")
		}
		at := len(t.Columns)
		if p := c.Position; p != nil {
			at = 0
			if !p.First {
				k, err := findColumn(t, p.After)
				if err != nil {
					return err
				}
				at = k + 1
			}
			plain := *c
			plain.Position = nil
			c = &plain
		}
		t.Columns = slices.Insert(t.Columns, at, c)
	}
	if len(x.Constraints) > 0 {
		if has := len(PrimaryKey(t)) > 0; has && !x.Modify {
			return diag.At(x.Constraints[0].Pos(), diag.Exists, "table %s has a primary key", t.Name).Hint("use MODIFY")
		} else if !has && x.Modify {
			return diag.At(x.Constraints[0].Pos(), diag.UnknownName, "table %s has no primary key", t.Name).Hint("use ADD")
		}
		dropKey(t)
		t.Constraints = append(t.Constraints, x.Constraints...)
	}
	if len(x.Watermarks) > 0 {
		if has := len(t.Watermarks) > 0; has && !x.Modify {
			return diag.At(x.Watermarks[0].Pos(), diag.Exists, "table %s has a watermark", t.Name).Hint("use MODIFY")
		} else if !has && x.Modify {
			return diag.At(x.Watermarks[0].Pos(), diag.UnknownName, "table %s has no watermark", t.Name).Hint("use ADD")
		}
		t.Watermarks = x.Watermarks
	}
	if x.Distribution != nil {
		t.Distribution = x.Distribution
	}
	return nil
}

func dropKey(t *ast.CreateTable) {
	t.Constraints = slices.DeleteFunc(t.Constraints, func(c *ast.Constraint) bool { return !c.Unique })
	for i, c := range t.Columns {
		if c.Constraint != nil && !c.Constraint.Unique {
			plain := *c
			plain.Constraint = nil
			t.Columns[i] = &plain
		}
	}
}

func renameColumn(t *ast.CreateTable, x *ast.RenameColumn) error {
	from := x.From.Parts[0]
	i, err := findColumn(t, from)
	if err != nil {
		return err
	}
	if slices.Contains(columnNames(t), x.To.Name) {
		return diag.At(x.To.Pos(), diag.Exists, "there is already a column %s", x.To.Name)
	}
	if user := usedBy(t, from.Name); user != "" {
		return diag.At(from.Pos(), diag.NotAllowed, "column %s is used by %s", from.Name, user)
	}
	c := *t.Columns[i]
	c.Name = x.To
	t.Columns[i] = &c
	for k, p := range t.PartitionedBy {
		if p.Name == from.Name {
			t.PartitionedBy[k] = x.To
		}
	}
	for k, con := range t.Constraints {
		n := *con
		n.Columns = slices.Clone(con.Columns)
		for m, p := range n.Columns {
			if p.Name == from.Name {
				n.Columns[m] = x.To
			}
		}
		t.Constraints[k] = &n
	}
	return nil
}

// usedBy names the computed column or watermark that refers to a column.
func usedBy(t *ast.CreateTable, name string) string {
	refers := func(e ast.Expr) bool {
		found := false
		ast.Walk(e, func(n ast.Node) bool {
			if r, ok := n.(*ast.Ref); ok && slices.ContainsFunc(r.Parts, func(p *ast.Ident) bool { return p.Name == name }) {
				found = true
			}
			return !found
		})
		return found
	}
	for _, c := range t.Columns {
		if c.Kind == ast.ComputedColumn && refers(c.X) {
			return "the computed column " + c.Name.Name
		}
	}
	for _, w := range t.Watermarks {
		if w.Column.Parts[0].Name == name || refers(w.X) {
			return "the watermark"
		}
	}
	return ""
}

func dropElements(t *ast.CreateTable, x *ast.DropElements) error {
	for _, n := range x.Columns {
		name := n.Parts[0]
		i, err := findColumn(t, name)
		if err != nil {
			return err
		}
		if user := usedBy(t, name.Name); user != "" {
			return diag.At(name.Pos(), diag.NotAllowed, "column %s is used by %s", name.Name, user)
		}
		if slices.Contains(PrimaryKey(t), name.Name) {
			return diag.At(name.Pos(), diag.NotAllowed, "column %s belongs to the primary key", name.Name)
		}
		t.Columns = slices.Delete(t.Columns, i, i+1)
	}
	switch {
	case x.PrimaryKey, x.Constraint != nil:
		if len(PrimaryKey(t)) == 0 {
			return diag.At(x.Pos(), diag.UnknownName, "table %s has no primary key", t.Name)
		}
		if x.Constraint != nil {
			var names []string
			for _, c := range t.Constraints {
				if c.Name != nil {
					names = append(names, c.Name.Name)
				}
			}
			if !slices.Contains(names, x.Constraint.Name) {
				return diag.At(x.Constraint.Pos(), diag.UnknownName, "no constraint %s", x.Constraint.Name).DidYouMean(x.Constraint.Name, names)
			}
		}
		dropKey(t)
	case x.Watermark:
		if len(t.Watermarks) == 0 {
			return diag.At(x.Pos(), diag.UnknownName, "table %s has no watermark", t.Name)
		}
		t.Watermarks = nil
	case x.Distribution:
		if t.Distribution == nil {
			return diag.At(x.Pos(), diag.UnknownName, "table %s has no distribution", t.Name)
		}
		t.Distribution = nil
	}
	return nil
}

// merge is CREATE TABLE t (…) LIKE src (rules).
func merge(t, src *ast.CreateTable) (*ast.CreateTable, error) {
	rule := func(feature string) string { return likeAction(t.Like, feature) }
	out := *t
	out.Like = nil
	// Columns: those of the source first.
	var columns []*ast.Column
	at := map[string]int{}
	feature := map[ast.ColumnKind]string{ast.ComputedColumn: "GENERATED", ast.MetadataColumn: "METADATA"}
	for _, c := range src.Columns {
		if f := feature[c.Kind]; f != "" && rule(f) == "EXCLUDING" {
			continue
		}
		if c.Constraint != nil && rule("CONSTRAINTS") == "EXCLUDING" {
			plain := *c
			plain.Constraint = nil
			c = &plain
		}
		at[c.Name.Name] = len(columns)
		columns = append(columns, c)
	}
	for _, c := range t.Columns {
		i, twice := at[c.Name.Name]
		if !twice {
			columns = append(columns, c)
			continue
		}
		f := feature[c.Kind]
		if f == "" || f != feature[columns[i].Kind] || rule(f) != "OVERWRITING" {
			return nil, diag.At(c.Name.Pos(), diag.Exists, "table %s has a column %s already", t.Like.Name, c.Name.Name)
		}
		columns[i] = c
	}
	out.Columns = columns
	if rule("CONSTRAINTS") != "EXCLUDING" {
		if len(PrimaryKey(t)) > 0 && len(PrimaryKey(src)) > 0 {
			return nil, diag.At(t.Name.Pos(), diag.Exists, "table %s has a primary key already", t.Like.Name).Hint("LIKE … (EXCLUDING CONSTRAINTS)")
		}
		out.Constraints = append(slices.Clone(src.Constraints), t.Constraints...)
	}
	if rule("PARTITIONS") != "EXCLUDING" && len(src.PartitionedBy) > 0 {
		if len(t.PartitionedBy) > 0 {
			return nil, diag.At(t.PartitionedBy[0].Pos(), diag.Exists, "table %s is partitioned already", t.Like.Name).Hint("LIKE … (EXCLUDING PARTITIONS)")
		}
		out.PartitionedBy = src.PartitionedBy
	}
	if rule("DISTRIBUTION") != "EXCLUDING" && src.Distribution != nil && t.Distribution == nil {
		out.Distribution = src.Distribution
	}
	if a := rule("WATERMARKS"); a != "EXCLUDING" && len(src.Watermarks) > 0 {
		if len(t.Watermarks) > 0 && a != "OVERWRITING" {
			return nil, diag.At(t.Watermarks[0].Pos(), diag.Exists, "table %s has a watermark already", t.Like.Name).Hint("LIKE … (OVERWRITING WATERMARKS)")
		}
		if len(t.Watermarks) == 0 {
			out.Watermarks = src.Watermarks
		}
	}
	if a := rule("OPTIONS"); a != "EXCLUDING" {
		var options []*ast.Option
		for _, o := range src.Options {
			i := slices.IndexFunc(t.Options, func(p *ast.Option) bool { return p.Key.Value == o.Key.Value })
			if i < 0 {
				options = append(options, o)
			} else if a == "INCLUDING" {
				return nil, diag.At(t.Options[i].Pos(), diag.Exists, "table %s has an option '%s' already", t.Like.Name, o.Key.Value).Hint("LIKE … (OVERWRITING OPTIONS)")
			}
		}
		out.Options = append(options, t.Options...)
	}
	return &out, nil
}

// likeAction returns what happens to a feature: the rule for it, the rule for
// ALL, or the default.
func likeAction(l *ast.LikeTable, feature string) string {
	action := "INCLUDING"
	if feature == "OPTIONS" {
		action = "OVERWRITING"
	}
	for _, r := range l.Rules {
		if r.Feature == "ALL" {
			if action = r.Action; action == "INCLUDING" && feature == "OPTIONS" {
				action = "OVERWRITING"
			}
		}
	}
	for _, r := range l.Rules {
		if strings.EqualFold(r.Feature, feature) {
			action = r.Action
		}
	}
	return action
}
