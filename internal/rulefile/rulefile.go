// Package rulefile reads rules that people write: YAML or JSON files with one
// rule or a list of them in each document.
//
//	id: failed-logons
//	condition: EventID = 4625 AND LogonType = '3'
//	attributes: {level: high, owner: soc}
//	key: [TargetUserName]   # with a window: count by these columns
//	window: 10 min
//	threshold: 5
package rulefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/option"
)

// written is a rule in a file: durations are texts there.
type written struct {
	plan.RuleDef `yaml:",inline"`
	Window       string `yaml:"window"`
	Enabled      *bool  `yaml:"enabled"`
}

// Load reads the rules of all files below a folder, or of one file, in the order
// of their names. Two rules of one id are an error.
func Load(path string) ([]plan.RuleDef, error) {
	var files []string
	err := filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p != path && strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(p) {
		case ".yml", ".yaml", ".json":
			if !strings.HasPrefix(d.Name(), ".") {
				files = append(files, p)
			}
		default:
			if p == path {
				files = append(files, p)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []plan.RuleDef
	from := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		rules, err := Parse(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		for _, r := range rules {
			if other, ok := from[r.ID]; ok {
				return nil, fmt.Errorf("%s: rule %s is in %s already", f, r.ID, other)
			}
			from[r.ID] = f
			out = append(out, r)
		}
	}
	return out, nil
}

// Parse reads the rules of a text: documents with a rule or a list of rules.
func Parse(text []byte) ([]plan.RuleDef, error) {
	var out []plan.RuleDef
	dec := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	for n := 1; ; n++ {
		var list []written
		var one written
		var doc yamlNode
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		if doc.empty() {
			continue
		}
		if doc.list {
			if err := yaml.UnmarshalWithOptions(doc.text, &list, yaml.Strict()); err != nil {
				return nil, fmt.Errorf("document %d: %w", n, err)
			}
		} else {
			if err := yaml.UnmarshalWithOptions(doc.text, &one, yaml.Strict()); err != nil {
				return nil, fmt.Errorf("document %d: %w", n, err)
			}
			list = []written{one}
		}
		for _, w := range list {
			if w.Enabled != nil && !*w.Enabled {
				continue
			}
			r := w.RuleDef
			if w.Window != "" {
				d, ok := option.ParseDuration(w.Window)
				if !ok {
					return nil, fmt.Errorf("rule %s: %q is no duration such as 10 min", r.ID, w.Window)
				}
				r.Window = d
			}
			if err := r.Check(); err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
}

// yamlNode keeps a document's text and whether it is a list.
type yamlNode struct {
	text []byte
	list bool
}

// UnmarshalYAML implements yaml.BytesUnmarshaler.
func (y *yamlNode) UnmarshalYAML(b []byte) error {
	y.text = append([]byte(nil), b...)
	trimmed := bytes.TrimSpace(b)
	y.list = bytes.HasPrefix(trimmed, []byte("- ")) || bytes.HasPrefix(trimmed, []byte("["))
	return nil
}

func (y *yamlNode) empty() bool {
	t := bytes.TrimSpace(y.text)
	return len(t) == 0 || string(t) == "null"
}
