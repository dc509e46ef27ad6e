package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/runnelio/runnel/internal/builtin"
)

// merged is the values of both lists, each once.
func merged(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Run prints a completion script, made from the commands and flags themselves.
func (c *completionCmd) Run(a *app) error {
	type entry struct {
		path  string // "state ls"
		help  string
		flags []string
		subs  []string
		args  []string // what its argument may be, where that is known
	}
	values := map[string][]string{} // of flags
	var entries []entry
	var walk func(n *kong.Node, path string)
	walk = func(n *kong.Node, path string) {
		e := entry{path: path, help: n.Help}
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				e.flags = append(e.flags, "--"+f.Name)
				if f.Enum != "" {
					values["--"+f.Name] = merged(values["--"+f.Name], f.EnumSlice())
				}
			}
		}
		for _, child := range n.Children {
			if child.Type != kong.CommandNode {
				continue
			}
			e.subs = append(e.subs, child.Name)
		}
		switch path {
		case "functions":
			e.args = builtin.All().Names()
		case "connectors":
			for _, c := range a.Connectors {
				e.args = append(e.args, c.Name)
			}
			for _, f := range a.Formats {
				e.args = append(e.args, f.Name)
			}
		case "completion":
			e.args = n.Positional[0].EnumSlice()
		}
		entries = append(entries, e)
		for _, child := range n.Children {
			if child.Type == kong.CommandNode {
				walk(child, strings.TrimSpace(path+" "+child.Name))
			}
		}
	}
	walk(a.kong.Model.Node, "")
	out := a.IO.Out
	if c.Shell == "fish" {
		for _, e := range entries {
			under := "__fish_use_subcommand"
			if e.path != "" {
				under = "'__fish_seen_subcommand_from " + e.path[strings.LastIndexByte(e.path, ' ')+1:] + "'"
			}
			for _, s := range e.subs {
				fmt.Fprintf(out, "complete -c runnel -f -n %s -a %s\n", under, s)
			}
			for _, f := range e.flags {
				may := ""
				if v := values[f]; v != nil {
					may = " -x -a '" + strings.Join(v, " ") + "'"
				}
				fmt.Fprintf(out, "complete -c runnel -n %s -l %s%s\n", under, strings.TrimPrefix(f, "--"), may)
			}
			if e.args != nil {
				fmt.Fprintf(out, "complete -c runnel -f -n %s -a '%s'\n", under, strings.Join(e.args, " "))
			}
		}
		return nil
	}
	if c.Shell == "zsh" {
		fmt.Fprintln(out, "autoload -U +X bashcompinit && bashcompinit")
	}
	fmt.Fprintln(out, "_runnel() {\n  local cur=${COMP_WORDS[COMP_CWORD]} path=\"\" w\n  for w in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case $w in -*) ;; *) case \"$path $w\" in")
	for _, e := range entries {
		if e.path != "" {
			fmt.Fprintf(out, "      \" %s\"|\"%s\") path=\"%s\" ;;\n", e.path, e.path, e.path)
		}
	}
	fmt.Fprintln(out, "    esac ;; esac\n  done\n  local words=\"\"\n  case \"$path\" in")
	for _, e := range entries {
		fmt.Fprintf(out, "    \"%s\") words=\"%s\" ;;\n", e.path, strings.Join(slices.Concat(e.subs, e.args, e.flags), " "))
	}
	fmt.Fprintln(out, "  esac\n  case \"${COMP_WORDS[COMP_CWORD-1]}\" in")
	for _, f := range slices.Sorted(maps.Keys(values)) {
		fmt.Fprintf(out, "    %s) words=\"%s\" ;;\n", f, strings.Join(values[f], " "))
	}
	fmt.Fprintln(out, "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F _runnel runnel")
	return nil
}
