package cli

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
)

type functionsCmd struct {
	Name     string `arg:"" optional:"" help:"The function to show."`
	Markdown bool   `help:"Print the whole reference as Markdown: docs/functions.md."`
	Dialect  string `help:"Functions of this dialect." enum:"flink,rsqldb" default:"flink"`
}

func (c *functionsCmd) Run(a *app) (err error) {
	set := builtin.All()
	if c.Dialect == "rsqldb" {
		set = builtin.Rsqldb()
	}
	out := bufio.NewWriter(a.IO.Out)
	defer flush(out, &err)
	if c.Markdown {
		functionsMarkdown(out, set)
		return nil
	}
	if c.Name != "" {
		defs := set.Lookup(c.Name)
		if len(defs) == 0 {
			if showForm(out, c.Name) {
				return nil
			}
			return rejected{diag.At(diag.Span{}, diag.UnknownFunction, "no function %s", c.Name).DidYouMean(strings.ToUpper(c.Name), append(set.Names(), formNames()...))}
		}
		for i, d := range defs {
			if i > 0 {
				fmt.Fprintln(out)
			}
			showFunction(out, d)
		}
		return nil
	}
	byGroup := map[string][]string{}
	var groups []string
	for _, n := range set.Names() {
		d := set.Lookup(n)[0]
		if byGroup[d.Group] == nil {
			groups = append(groups, d.Group)
		}
		byGroup[d.Group] = append(byGroup[d.Group], n)
	}
	slices.Sort(groups)
	for _, g := range groups {
		slices.Sort(byGroup[g])
		fmt.Fprintf(out, "%s (%d)\n", g, len(byGroup[g]))
		line := " "
		for _, n := range byGroup[g] {
			if len(line)+len(n)+1 > 100 {
				fmt.Fprintln(out, line)
				line = " "
			}
			line += " " + n
		}
		fmt.Fprintln(out, line)
	}
	return nil
}

func showFunction(out io.Writer, d *function.Def) {
	fmt.Fprintf(out, "%s%s\n  %s\n", d.Name, signature(d), d.Doc)
	if len(d.Aliases) > 0 {
		fmt.Fprintf(out, "  Also called %s.\n", strings.Join(d.Aliases, ", "))
	}
	for _, e := range d.Eg {
		fmt.Fprintf(out, "  %s\n    %s\n", e.Expr, e.Result)
	}
}

func signature(d *function.Def) string {
	if d.Sig == "" {
		return ""
	}
	if strings.HasPrefix(d.Sig, "(") {
		return d.Sig
	}
	return " " + d.Sig
}

func functionsMarkdown(out io.Writer, set *function.Set) {
	fmt.Fprint(out, "# Functions\n\nWritten by `make docs` from the definitions themselves; the examples are tests.\n")
	byGroup := map[string][]string{}
	for _, n := range set.Names() {
		g := set.Lookup(n)[0].Group
		byGroup[g] = append(byGroup[g], n)
	}
	var groups []string
	for g := range byGroup {
		groups = append(groups, g)
	}
	slices.Sort(groups)
	for _, g := range groups {
		fmt.Fprintf(out, "\n## %s\n", g)
		slices.Sort(byGroup[g])
		for _, n := range byGroup[g] {
			for _, d := range set.Lookup(n) {
				fmt.Fprintf(out, "\n### %s\n\n", d.Name)
				if d.Sig != "" {
					fmt.Fprintf(out, "`%s%s`\n\n", d.Name, signature(d))
				}
				fmt.Fprintln(out, d.Doc)
				if len(d.Aliases) > 0 {
					fmt.Fprintf(out, "\nAlso called %s.\n", strings.Join(d.Aliases, ", "))
				}
				if len(d.Eg) > 0 {
					fmt.Fprint(out, "\n```sql\n")
					for _, e := range d.Eg {
						fmt.Fprintf(out, "%s  -- %s\n", e.Expr, e.Result)
					}
					fmt.Fprint(out, "```\n")
				}
			}
		}
	}
}

type connectorsCmd struct {
	Name     string `arg:"" optional:"" help:"The connector or format to show."`
	Markdown bool   `help:"Print the whole reference as Markdown: docs/connectors.md."`
}

func (c *connectorsCmd) Run(a *app) (err error) {
	out := bufio.NewWriter(a.IO.Out)
	defer flush(out, &err)
	if c.Markdown {
		fmt.Fprint(out, "# Connectors and formats\n\nWritten by `make docs` from the definitions themselves.\n\n## Connectors\n")
		for _, x := range a.Connectors {
			connectorMarkdown(out, x)
		}
		fmt.Fprint(out, "\n## Formats\n")
		for _, x := range a.Formats {
			formatMarkdown(out, x)
		}
		return nil
	}
	if c.Name == "" {
		for _, x := range a.Connectors {
			fmt.Fprintf(out, "%-14s %-12s %s\n", x.Name, powers(x), firstSentence(x.Doc))
		}
		for _, x := range a.Formats {
			fmt.Fprintf(out, "%-14s %-12s %s\n", x.Name, "format", firstSentence(x.Doc))
		}
		return nil
	}
	found := false
	var names []string
	for _, x := range a.Connectors {
		names = append(names, x.Name)
		if x.Name == c.Name {
			found = true
			fmt.Fprintf(out, "%s (%s)\n  %s\n", x.Name, powers(x), x.Doc)
			for _, o := range x.Options {
				showOption(out, o.Key, o.Type, o.Default, o.Doc, o.Enum, o.Required)
			}
			for _, m := range x.MetadataKeys {
				fmt.Fprintf(out, "  METADATA %s %s\n", m.Name, m.Type)
			}
		}
	}
	for _, x := range a.Formats {
		names = append(names, x.Name)
		if x.Name == c.Name {
			found = true
			fmt.Fprintf(out, "%s (format)\n  %s\n", x.Name, x.Doc)
			for _, o := range x.Options {
				showOption(out, x.Name+"."+o.Key, o.Type, o.Default, o.Doc, o.Enum, false)
			}
			for _, m := range x.Metadata {
				fmt.Fprintf(out, "  METADATA %s%s %s\n", format.MetadataPrefix, m.Name, m.Type)
			}
			if x.Notes != "" {
				fmt.Fprintf(out, "\n%s\n", x.Notes)
			}
		}
	}
	if !found {
		return rejected{diag.At(diag.Span{}, diag.UnknownConnector, "no connector or format %s", c.Name).DidYouMean(c.Name, names)}
	}
	return nil
}

// flush writes out what is buffered. That it cannot be written counts before
// what else *err says: without its output a command has not done its work.
func flush(out *bufio.Writer, err *error) {
	if ferr := out.Flush(); ferr != nil {
		*err = ferr
	}
}

func showOption(out io.Writer, key, typ, def, doc string, enum []string, required bool) {
	what := typ
	if len(enum) > 0 {
		what = strings.Join(enum, "|")
	}
	switch {
	case required:
		what += ", required"
	case def != "":
		what += ", default " + def
	}
	fmt.Fprintf(out, "  '%s' (%s)\n    %s\n", key, what, doc)
}

func powers(c *connector.Connector) string {
	switch {
	case c.Source != nil && c.Sink != nil:
		return "source, sink"
	case c.Source != nil:
		return "source"
	}
	return "sink"
}

func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i >= 0 {
		return s[:i+1]
	}
	return s
}

func optionRow(out io.Writer, key, typ, def, doc string, enum []string, required bool) {
	if len(enum) > 0 {
		typ = strings.Join(enum, ", ")
	}
	if required {
		def = "required"
	}
	fmt.Fprintf(out, "| `%s` | %s | %s | %s |\n", key, typ, def, strings.ReplaceAll(doc, "|", `\|`))
}

func connectorMarkdown(out io.Writer, c *connector.Connector) {
	fmt.Fprintf(out, "\n### %s (%s)\n\n%s\n", c.Name, powers(c), c.Doc)
	if len(c.Options) > 0 {
		fmt.Fprint(out, "\n| option | type | default | |\n| - | - | - | - |\n")
		for _, o := range c.Options {
			optionRow(out, o.Key, o.Type, o.Default, o.Doc, o.Enum, o.Required)
		}
	}
	metadataMarkdown(out, "", c.MetadataKeys)
}

func metadataMarkdown(out io.Writer, prefix string, keys []types.Field) {
	if len(keys) == 0 {
		return
	}
	fmt.Fprint(out, "\n| METADATA | type |\n| - | - |\n")
	for _, m := range keys {
		fmt.Fprintf(out, "| `%s%s` | %s |\n", prefix, m.Name, m.Type)
	}
}

func formatMarkdown(out io.Writer, f *format.Spec) {
	fmt.Fprintf(out, "\n### %s\n\n%s\n", f.Name, f.Doc)
	if len(f.Options) > 0 {
		fmt.Fprint(out, "\n| option | type | default | |\n| - | - | - | - |\n")
		for _, o := range f.Options {
			optionRow(out, f.Name+"."+o.Key, o.Type, o.Default, o.Doc, o.Enum, false)
		}
	}
	metadataMarkdown(out, format.MetadataPrefix, f.Metadata)
	if f.Notes != "" {
		fmt.Fprintf(out, "\n%s\n", f.Notes)
	}
}
