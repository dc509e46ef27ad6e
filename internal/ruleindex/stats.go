package ruleindex

import (
	"cmp"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/metrics"
)

// Stats counts what a task did.
type Stats struct {
	Rows            int64
	MemoHits        int64 // values whose atoms were known
	MemoMisses      int64
	SignatureHits   int64 // rows whose rules were known from their values' atoms
	SignatureMisses int64
	Candidates      int64 // rules that were evaluated for a row
	Plans           int64 // values of the discriminator that were planned for
	Choices         int64 // times that access predicates were chosen anew
	Forgotten       int64 // times that memos and caches were full and cleared
	RegexGivenUp    int64 // values on which an expression took too many steps: no match
	DeriveFailed    int64 // values of which a computed text could not be had: NULL
	Bytes           int64 // memory of memos and caches
}

func (x *segTask) addTo(s *Stats) {
	for i := range x.fields {
		s.MemoHits += x.fields[i].memo.hits
		s.MemoMisses += x.fields[i].memo.misses
	}
	s.SignatureHits += x.sigs.hits
	s.SignatureMisses += x.sigs.misses
	s.Candidates += x.stats.Candidates
	s.Plans += x.stats.Plans
	s.Choices += x.stats.Choices
	s.Forgotten += x.stats.Forgotten
	s.RegexGivenUp += x.stats.RegexGivenUp
	s.DeriveFailed += x.stats.DeriveFailed
}

// Stats returns the counts since the task began.
func (t *Task) Stats() Stats {
	s := t.gone
	s.Rows = t.rows
	for _, x := range t.segs {
		x.addTo(&s)
		s.Bytes += int64(x.bytes())
	}
	return s
}

// Publish sets the counters that anybody may read.
func (t *Task) Publish(m *metrics.Op) {
	s := t.Stats()
	m.Rules.MemoHits.Store(s.MemoHits)
	m.Rules.MemoMisses.Store(s.MemoMisses)
	m.Rules.SignatureHits.Store(s.SignatureHits)
	m.Rules.SignatureMisses.Store(s.SignatureMisses)
	m.Rules.Candidates.Store(s.Candidates)
}

// RuleStats counts what happened to a rule.
type RuleStats struct {
	Hits       int64
	LastHit    int64 // as SetNow gave it; 0: never
	Candidates int64 // times it was evaluated
}

// RuleStats returns the counts of a rule by its number.
func (t *Task) RuleStats(num int32) RuleStats {
	if num < 0 || int(num) >= len(t.hits) {
		return RuleStats{}
	}
	s := RuleStats{t.hits[num], t.last[num], t.checked[num]}
	for _, x := range t.segs {
		if i, ok := x.seg.place(num); ok {
			s.Candidates += x.perRule[i].candidates
		}
	}
	return s
}

// RuleInfo says how a rule is indexed.
type RuleInfo struct {
	ID string
	// Unindexed: nothing has to be there for the rule to hold, so that it is
	// evaluated for every new combination of values.
	Unindexed bool
	// Confirmed: the index decides in part; the whole condition is evaluated for
	// the rows that are left.
	Confirmed bool
	Condition string // of SQL, shortened
}

// Rules describes the rules in the order they were added.
func (ix *Index) Rules() []RuleInfo {
	info := make([]*RuleInfo, len(ix.rules))
	for _, g := range ix.segs {
		for _, r := range g.rules {
			k := ix.rules[r.num]
			if k == nil {
				continue
			}
			i := &RuleInfo{ID: k.ID, Confirmed: r.verify}
			if k.Expr != nil {
				i.Condition = sqlName(k.Expr)
			}
			info[r.num] = i
		}
		for _, r := range g.wake.always {
			if i := info[g.rules[r].num]; i != nil {
				i.Unindexed = true
			}
		}
	}
	var out []RuleInfo
	for _, i := range info {
		if i != nil {
			out = append(out, *i)
		}
	}
	return out
}

// Unindexed names the rules that nothing has to be there for: they are evaluated
// for every new combination of values.
func (ix *Index) Unindexed() []string {
	var out []string
	for _, g := range ix.segs {
		for _, r := range g.wake.always {
			if k := ix.rules[g.rules[r].num]; k != nil {
				out = append(out, k.ID)
			}
		}
	}
	return out
}

// Summary counts how the rules are indexed.
type Summary struct {
	Rules, Unindexed, Confirmed int
	Atoms                       int     // different tests of a value
	Uses                        int     // of atoms by rules: more than Atoms where rules share them
	Fields                      []Field // by how many rules look at them
}

// Field is a value that rules look at.
type Field struct {
	Name  string
	Rules int
	Atoms int
}

// Summary describes the index as a whole.
func (ix *Index) Summary() Summary {
	var s Summary
	byName := map[string]*Field{}
	for _, g := range ix.segs {
		name := func(f int32) string {
			if in := g.fields[f].input; in >= 0 {
				return ix.inputs[in].Name
			}
			return "any field"
		}
		s.Atoms += len(g.fieldOf)
		for _, f := range g.fieldOf {
			n := name(f)
			if byName[n] == nil {
				byName[n] = &Field{Name: n}
			}
			byName[n].Atoms++
		}
		for _, r := range g.rules {
			if ix.rules[r.num] == nil {
				continue
			}
			s.Rules++
			if r.verify {
				s.Confirmed++
			}
			atoms := map[int32]bool{}
			g.forms.atoms(r.form, atoms)
			s.Uses += len(atoms)
			names := map[string]bool{}
			for a := range atoms {
				names[name(g.fieldOf[a])] = true
			}
			for n := range names {
				byName[n].Rules++
			}
		}
	}
	s.Unindexed = len(ix.Unindexed())
	for _, f := range byName {
		s.Fields = append(s.Fields, *f)
	}
	slices.SortFunc(s.Fields, func(a, b Field) int {
		return cmp.Or(cmp.Compare(b.Rules, a.Rules), strings.Compare(a.Name, b.Name))
	})
	return s
}

// Discriminators names the inputs by whose values rows are first divided.
func (ix *Index) Discriminators() []string {
	var out []string
	for _, g := range ix.segs {
		for _, f := range g.disc {
			out = append(out, ix.inputs[g.fields[f].input].Name)
		}
	}
	return out
}
