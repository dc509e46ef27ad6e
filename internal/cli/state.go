package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/runnelio/runnel/internal/state/dir"
)

type stateCmd struct {
	Ls        stateLsCmd   `cmd:"" help:"List the jobs and commits of a state directory."`
	Cat       stateCatCmd  `cmd:"" help:"Show what a commit holds."`
	Savepoint savepointCmd `cmd:"" help:"Copy a commit of a job into a folder: a savepoint."`
}

type stateLsCmd struct {
	Dir string `arg:"" help:"State directory, of one job or of all." type:"existingdir"`
}

func (c *stateLsCmd) Run(a *app) error {
	dirs, err := jobDirs(c.Dir)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		infos, err := dir.List(d)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(c.Dir, d)
		for _, i := range infos {
			end := ""
			if i.Meta["ended"] == "true" {
				end = ", the job has ended"
			}
			fmt.Fprintf(a.IO.Out, "%s\tepoch %d\t%d files\t%s%s%s\n", rel, i.Epoch, i.Files, size(i.Bytes, true), positions(i.Positions), end)
		}
	}
	if len(dirs) == 0 {
		fmt.Fprintf(a.IO.Out, "%s holds no commit\n", c.Dir)
	}
	return nil
}

// jobDirs finds the folders with commits at and below path.
func jobDirs(path string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		infos, err := dir.List(p)
		if err == nil && len(infos) > 0 {
			out = append(out, p)
		}
		return err
	})
	return out, err
}

type stateCatCmd struct {
	Dir      string `arg:"" help:"State directory of a job, or a savepoint." type:"existingdir"`
	Epoch    int64  `help:"The commit to show; the last one if 0."`
	Operator string `help:"Print the entries of this operator, keys and values in hexadecimal." placeholder:"ID"`
}

func (c *stateCatCmd) Run(a *app) error {
	type sum struct{ entries, bytes int64 }
	sums := map[string]*sum{}
	err := dir.Entries(c.Dir, c.Epoch, func(op string, unit uint16, key, value []byte) error {
		s := sums[op]
		if s == nil {
			s = &sum{}
			sums[op] = s
		}
		s.entries++
		s.bytes += int64(len(key) + len(value))
		if op == c.Operator {
			fmt.Fprintf(a.IO.Out, "%d\t%x\t%x\n", unit, key, value)
		}
		return nil
	})
	if err != nil || c.Operator != "" {
		return err
	}
	infos, err := dir.List(c.Dir)
	if err != nil {
		return err
	}
	for _, i := range infos {
		if c.Epoch == 0 && i.Epoch == infos[len(infos)-1].Epoch || i.Epoch == c.Epoch {
			fmt.Fprintf(a.IO.Out, "epoch %d, parent %d, %d files, %s%s\n", i.Epoch, i.Parent, i.Files, size(i.Bytes, true), positions(i.Positions))
			var keys []string
			for k := range i.Meta {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			for _, k := range keys {
				fmt.Fprintf(a.IO.Out, "%s = %s\n", k, i.Meta[k])
			}
		}
	}
	var ops []string
	for op := range sums {
		ops = append(ops, op)
	}
	slices.Sort(ops)
	for _, op := range ops {
		fmt.Fprintf(a.IO.Out, "%s\t%s entries\t%s\n", op, count(sums[op].entries), size(sums[op].bytes, true))
	}
	return nil
}

type savepointCmd struct {
	Dir   string `arg:"" help:"State directory of a job." type:"existingdir"`
	To    string `arg:"" help:"Folder to make." type:"path"`
	Epoch int64  `help:"The commit to copy; the last one if 0."`
}

func (c *savepointCmd) Run(a *app) error {
	if err := dir.Export(c.Dir, c.Epoch, c.To); err != nil {
		return err
	}
	infos, err := dir.List(c.To)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.IO.Out, "epoch %d, %s, in %s\n", infos[0].Epoch, size(infos[0].Bytes, true), c.To)
	return nil
}

// writeFile replaces a file by rename, keeping its mode.
func writeFile(path, text string) error {
	mode := os.FileMode(0o644)
	if i, err := os.Stat(path); err == nil {
		mode = i.Mode()
	}
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), mode); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
