// Package sqltest runs SQL in tests: the recorded answers of testdata/oracle,
// and scripts in other worlds, where the result must be the same.
//
// oracle.go reads the recorded cases, run.go runs statements to the end and
// collects what comes out.
package sqltest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Case is a recorded query: definitions, input files, and what Flink gave.
type Case struct {
	Name        string              `json:"name"`
	DDL         []string            `json:"ddl"`
	Inputs      map[string]Input    `json:"inputs"`
	Query       string              `json:"query"`
	Config      map[string]string   `json:"config"`
	Schema      []Column            `json:"schema"`
	Changes     [][]*string         `json:"changelog"`
	Final       [][]*string         `json:"final"`
	Sinks       []string            `json:"sinks"`
	Rows        map[string][]string `json:"sink_rows"`
	Error       string              `json:"error"`
	Stable      *bool               `json:"changelog_stable"`
	FinalStable *bool               `json:"final_stable"`
}

// Input is the lines of an input file.
type Input struct {
	Format string   `json:"format"`
	Lines  []string `json:"lines"`
}

// Column is a column of the recorded schema.
type Column struct{ Name, Type string }

// Load reads all cases of a folder in order of name.
func Load(dir string) ([]*Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*Case
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		c := &Case{}
		if err := json.Unmarshal(raw, c); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Files writes the inputs below dir and returns what ${name} stands for.
func (c *Case) Files(dir string) (map[string]string, error) {
	vars := map[string]string{}
	for name, in := range c.Inputs {
		path := filepath.Join(dir, name+".in")
		text := strings.Join(in.Lines, "\n")
		if len(in.Lines) > 0 {
			text += "\n"
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
		vars[name] = path
	}
	for _, s := range c.Sinks {
		vars[s] = filepath.Join(dir, "sink-"+s)
	}
	return vars, nil
}

// Expand puts paths in place of ${name}.
func Expand(text string, vars map[string]string) string {
	for k, v := range vars {
		text = strings.ReplaceAll(text, "${"+k+"}", v)
	}
	return text
}

// Fold applies a changelog to a multiset and returns its rows, sorted.
func Fold(changes [][]string) []string {
	count := map[string]int{}
	for _, r := range changes {
		row := strings.Join(r[1:], "\x1f")
		if r[0] == "+I" || r[0] == "+U" {
			count[row]++
		} else {
			count[row]--
		}
	}
	var out []string
	for row, n := range count {
		for range n {
			out = append(out, row)
		}
		for range -n {
			out = append(out, "NEGATIVE "+row)
		}
	}
	slices.Sort(out)
	return out
}

// Plain turns a recorded row into text; NULL is "<NULL>".
func Plain(rows [][]*string) [][]string {
	out := make([][]string, len(rows))
	for i, r := range rows {
		for _, c := range r {
			if c == nil {
				out[i] = append(out[i], "<NULL>")
			} else {
				out[i] = append(out[i], *c)
			}
		}
	}
	return out
}

// ReadSink returns the lines of all visible files below a folder, sorted.
func ReadSink(dir string) ([]string, error) {
	var lines []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, l := range strings.Split(strings.TrimRight(string(raw), "\n"), "\n") {
			if l != "" {
				lines = append(lines, l)
			}
		}
		return nil
	})
	slices.Sort(lines)
	return lines, err
}
