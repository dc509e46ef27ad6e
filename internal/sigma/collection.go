package sigma

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/ruleindex"
)

// State is what becomes of a rule.
type State uint8

// The states of rules.
const (
	OK          State = iota // it is run
	NotRun                   // it could be, but there are no events for it
	NotImported              // it is wrong, or asks for what is not there yet
)

func (s State) String() string { return [...]string{"ok", "not run", "not imported"}[s] }

// Entry is a rule of a collection with what became of it.
type Entry struct {
	Rule  *Rule // after pipelines; nil if it could not be read
	File  string
	Line  int
	State State
	Why   string // empty if it is run
	Muted bool   // its hits only go into correlations

	cond *ruleindex.Cond
	refs []*Entry // of a correlation
}

// Options say how rules are loaded.
type Options struct {
	Pipelines     []*Pipeline
	NoBuiltin     bool // without the pipeline for Windows and Sysmon
	AllLogSources bool // run rules whose log source no pipeline maps, on all events
}

// Collection is the rules of files and folders.
type Collection struct {
	Entries []*Entry
}

// Load reads rules from files, and from the files that end in .yml or .yaml in
// folders. What is wrong with a rule is in its entry; the error is of a path
// that cannot be read.
func Load(paths []string, opt Options) (*Collection, error) {
	var files []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := strings.ToLower(filepath.Ext(path)); !d.IsDir() && (ext == ".yml" || ext == ".yaml") {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	l, err := NewLoader(opt)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		l.Add(f, text)
	}
	return l.Collection(), nil
}

// Count is the number of entries in a state.
func (c *Collection) Count(s State) int {
	n := 0
	for _, e := range c.Entries {
		if e.State == s {
			n++
		}
	}
	return n
}

// Key is what an entry is called by.
func (e *Entry) Key() string {
	if e.Rule == nil {
		return e.File
	}
	return e.Rule.Key()
}

// Loader gathers rules from texts.
type Loader struct {
	opt       Options
	pipelines []*Pipeline
	builtin   []*Pipeline // all of them, with the one for Windows
	entries   []*Entry
	raw       map[*Entry]*Rule
	byName    map[string]*Entry
}

// NewLoader returns an empty loader.
func NewLoader(opt Options) (*Loader, error) {
	l := &Loader{opt: opt, pipelines: byPriority(opt.Pipelines), raw: map[*Entry]*Rule{}, byName: map[string]*Entry{}}
	if !opt.NoBuiltin {
		p, err := LoadPipeline("windows")
		if err != nil {
			return nil, err
		}
		l.builtin = byPriority(append(slices.Clone(opt.Pipelines), p))
	}
	return l, nil
}

// Add reads the rules of a text; file is for messages.
func (l *Loader) Add(file string, text []byte) {
	rules, errs := ParseRules(file, text)
	for _, r := range rules {
		e := &Entry{Rule: r, File: file, Line: r.Line}
		l.entries = append(l.entries, e)
		l.raw[e] = r
		if other := l.byName[r.Key()]; other != nil && r.Filter == nil {
			e.refuse(NotImported, fmt.Errorf("%s is the name of another rule, at %s:%d", r.Key(), other.File, other.Line))
			continue
		}
		for _, n := range []string{r.ID, r.Name} {
			if n != "" && r.Filter == nil {
				l.byName[n] = e
			}
		}
		if r.ID == "" && r.Name == "" {
			l.byName[r.Title] = e
		}
	}
	for _, err := range errs {
		e := &Entry{File: file}
		var at *Error
		if errors.As(err, &at) {
			e.Line = at.Line
		}
		e.refuse(NotImported, err)
		l.entries = append(l.entries, e)
	}
}

func (e *Entry) refuse(s State, err error) {
	e.State, e.Why = s, err.Error()
	var at *Error
	if errors.As(err, &at) {
		e.Why = at.Why
		if at.Line > 0 {
			e.Line = at.Line
		}
	}
}

// Collection applies filters and pipelines to the rules, compiles them and
// resolves what they refer to. It is called once.
func (l *Loader) Collection() *Collection {
	for _, e := range l.entries {
		if e.State == OK && l.raw[e] != nil && l.raw[e].Filter != nil {
			l.filter(e)
		}
	}
	for _, e := range l.entries {
		if e.State == OK && e.Rule.Filter == nil {
			if err := l.compile(e); err != nil {
				e.refuse(NotImported, err)
			}
		}
	}
	l.correlations()
	return &Collection{Entries: l.entries}
}

// filter adds a filter's condition to the rules it names.
func (l *Loader) filter(f *Entry) {
	src := l.raw[f]
	named := 0
	for _, e := range l.entries {
		r := l.raw[e]
		if e.State != OK || r == nil || r.Filter != nil || r.Correlation != nil || !src.LogSource.within(r.LogSource) {
			continue
		}
		if !src.Filter.Any && !slices.ContainsFunc(src.Filter.Rules, func(n string) bool { return n == r.ID || n == r.Name || n == r.Title }) {
			continue
		}
		set, err := src.clone().parseConditions()
		if err != nil {
			f.refuse(NotImported, err)
			return
		}
		named++
		if e.Rule == r {
			e.Rule = r.clone()
			l.raw[e] = e.Rule
		}
		e.Rule.added = append(e.Rule.added, addedCondition{set: set})
	}
	if named == 0 {
		f.refuse(NotRun, errors.New("the filter fits none of the rules"))
	}
}

// fresh is a copy of a rule for pipelines to change.
func fresh(r *Rule) *Rule {
	out := r.clone()
	for i, a := range out.added {
		if a.set != nil {
			set := &conditions{trees: a.set.trees}
			for _, d := range a.set.dets {
				set.dets = append(set.dets, named{d.name, d.det.clone()})
			}
			out.added[i].set = set
		}
	}
	return out
}

// compile applies the pipelines to a rule, and makes its condition.
func (l *Loader) compile(e *Entry) error {
	orig := l.raw[e]
	r := fresh(orig)
	run, err := applyPipelines(l.pipelines, r)
	if err != nil {
		return err
	}
	if !run.mapped && l.builtin != nil {
		r = fresh(orig)
		if run, err = applyPipelines(l.builtin, r); err != nil {
			return err
		}
	}
	e.Rule = r
	if r.Correlation != nil {
		return nil
	}
	k := &compiler{vars: run.vars}
	if e.cond, err = k.rule(r); err != nil {
		return err
	}
	if !run.mapped && !l.opt.AllLogSources {
		e.refuse(NotRun, fmt.Errorf("no pipeline maps the log source (%s)", orig.LogSource))
	}
	return nil
}

// correlations resolves the rules that correlations name.
func (l *Loader) correlations() {
	var all []*Entry
	for _, e := range l.entries {
		if e.State != OK || e.Rule.Correlation == nil {
			continue
		}
		c := e.Rule.Correlation
		for _, name := range c.Rules {
			ref := l.byName[name]
			if ref == nil {
				e.refuse(NotImported, &Error{Line: c.line, Why: fmt.Sprintf("there is no rule %s", name)})
				break
			}
			e.refs = append(e.refs, ref)
		}
		all = append(all, e)
	}
	for _, e := range all {
		if e.State == OK && refersTo(e, e, map[*Entry]bool{}) {
			e.refuse(NotImported, &Error{Line: e.Rule.Correlation.line, Why: "the correlation refers to itself"})
		}
	}
	for range all { // what refers to a rule that is not run is not run
		for _, e := range all {
			for _, ref := range e.refs {
				if e.State == OK && ref.State != OK {
					e.refuse(NotRun, fmt.Errorf("it refers to %s, which is %s: %s", ref.Key(), ref.State, ref.Why))
				}
			}
		}
	}
	shown := map[*Entry]bool{}
	for _, e := range all {
		if e.State == OK {
			for _, ref := range e.refs {
				ref.Muted = true
				shown[ref] = shown[ref] || e.Rule.Correlation.Generate
			}
		}
	}
	for e := range shown {
		e.Muted = !shown[e]
	}
}

func refersTo(e, target *Entry, seen map[*Entry]bool) bool {
	for _, r := range e.refs {
		if r == target {
			return true
		}
		if !seen[r] {
			seen[r] = true
			if refersTo(r, target, seen) {
				return true
			}
		}
	}
	return false
}
