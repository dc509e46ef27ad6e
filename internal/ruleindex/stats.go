package ruleindex

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
		for i, r := range x.seg.rules {
			if r.num == num {
				s.Candidates += x.perRule[i].candidates
			}
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
