package sigma

import (
	"embed"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Pipeline maps rules to the events at hand: names of fields, log sources, values
// of placeholders. Its format is that of pySigma.
type Pipeline struct {
	Name     string
	Priority int
	Vars     map[string][]string

	file  string
	steps []*step
}

// step is a transformation with the conditions under which it is done.
type step struct {
	id    string
	line  int
	rule  gate[*Rule]
	item  gate[*item]
	field gate[string]
	maps  bool // it selects the events of a log source
	apply func(*pipelineRun, *step, *Rule) error
}

// pipelineRun is the state of pipelines for one rule.
type pipelineRun struct {
	applied []string
	state   map[string]string
	vars    map[string][]string
	mapped  bool // a step has said which events the log source means
}

//go:embed builtin/*.yml
var builtins embed.FS

// Builtin are the names of the pipelines that come along.
func Builtin() []string {
	var out []string
	entries, err := builtins.ReadDir("builtin")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		out = append(out, strings.TrimSuffix(e.Name(), ".yml"))
	}
	return out
}

// LoadPipeline reads a pipeline: the name of a built-in one, or a file.
func LoadPipeline(name string) (*Pipeline, error) {
	if slices.Contains(Builtin(), name) {
		text, err := builtins.ReadFile("builtin/" + name + ".yml")
		if err != nil {
			return nil, err
		}
		return ParsePipeline(name, text)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("pipeline: %w; built in are %s", err, strings.Join(Builtin(), ", "))
	}
	return ParsePipeline(name, text)
}

// ParsePipeline reads a pipeline; file is for messages.
func ParsePipeline(file string, text []byte) (*Pipeline, error) {
	p, err := parsePipeline(text)
	if err != nil {
		return nil, inFile(err, file)
	}
	p.file = file
	return p, nil
}

func parsePipeline(text []byte) (*Pipeline, error) {
	docs, err := parseYAML(text)
	if err != nil {
		return nil, err
	}
	if len(docs) != 1 || docs[0].kind != mapNode {
		return nil, &Error{Line: 1, Why: "a pipeline is one document, a map"}
	}
	p := &Pipeline{Vars: map[string][]string{}}
	for i, k := range docs[0].keys {
		v := docs[0].vals[i]
		switch k.text {
		case "name":
			p.Name, err = scalar(k, v)
		case "priority":
			if p.Priority, err = strconv.Atoi(v.text); err != nil {
				err = v.errorf("priority is a whole number")
			}
		case "vars":
			err = p.parseVars(v)
		case "transformations":
			if v.kind != listNode {
				return nil, v.errorf("transformations is a list, not %s", v.kind)
			}
			for _, t := range v.vals {
				s, err := parseStep(t)
				if err != nil {
					return nil, err
				}
				p.steps = append(p.steps, s)
			}
		case "allowed_backends", "description", "author": // tell nothing about rules
		case "postprocessing", "finalizers":
			err = k.errorf("%s changes the text of queries, of which there is none here", k.text)
		default:
			err = k.errorf("%s is no part of a pipeline", k.text)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Pipeline) parseVars(v *node) error {
	if v.kind != mapNode {
		return v.errorf("vars is a map, not %s", v.kind)
	}
	for i, k := range v.keys {
		list, err := texts(k, v.vals[i])
		if err != nil {
			return err
		}
		p.Vars[k.text] = list
	}
	return nil
}

// applyPipelines changes r by pipelines in the order of their priority.
func applyPipelines(ps []*Pipeline, r *Rule) (*pipelineRun, error) {
	run := &pipelineRun{state: map[string]string{}, vars: map[string][]string{}}
	for _, p := range ps {
		for k, v := range p.Vars {
			run.vars[k] = v
		}
	}
	for _, p := range ps {
		for _, s := range p.steps {
			if !s.rule.open(r, run, nil) {
				continue
			}
			if err := s.apply(run, s, r); err != nil {
				return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
			}
			if s.id != "" {
				run.applied = append(run.applied, s.id)
			}
			run.mapped = run.mapped || s.maps
		}
	}
	return run, nil
}

// byPriority sorts pipelines: lower priorities are applied first.
func byPriority(ps []*Pipeline) []*Pipeline {
	out := slices.Clone(ps)
	slices.SortStableFunc(out, func(a, b *Pipeline) int { return a.Priority - b.Priority })
	return out
}
