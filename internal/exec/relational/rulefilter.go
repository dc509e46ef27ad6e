package relational

import (
	"strconv"
	"sync"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/ruleindex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// RuleSet is the rules of one Rules node, indexed once for all its tasks.
type RuleSet struct {
	rules   []plan.Rule
	in, out *types.Schema
	once    sync.Once
	set     *ruleindex.Set
	consts  []vector.Vector // by constant column: one row a rule
	most    int
	err     error
}

// NewRuleSet returns the set for rules over rows of the schema in. It fails to
// open with more than maxUnindexed rules that no index helps; 0: any number.
func NewRuleSet(rules []plan.Rule, in, out *types.Schema, maxUnindexed int) *RuleSet {
	return &RuleSet{rules: rules, in: in, out: out, most: maxUnindexed}
}

// open indexes the rules.
func (s *RuleSet) open(cx *function.Context) error {
	s.once.Do(func() {
		s.set = ruleindex.NewSet(ruleindex.Options{Schema: s.in, Context: cx, MaxUnindexed: s.most})
		rules := make([]ruleindex.Rule, len(s.rules))
		for i, r := range s.rules {
			rules[i] = ruleindex.Rule{ID: strconv.Itoa(i), Expr: r.Cond}
		}
		if s.err = s.set.Add(rules...); s.err != nil {
			return
		}
		width := len(s.in.Fields)
		for c, f := range s.out.Fields[width:] {
			v := vector.New(f.Type, len(s.rules))
			for _, r := range s.rules {
				vector.Append(v, r.Consts[c])
			}
			s.consts = append(s.consts, v)
		}
	})
	return s.err
}

// RuleFilter emits each row once for every rule that holds for it, with the
// rule's constants. Where it stands right behind a source, the source asks it for
// the rows that any rule holds for (Select) before it decodes what no rule reads.
type RuleFilter struct {
	exec.Stateless
	set  *RuleSet
	cx   *exec.Context
	task *ruleindex.Task
	num  []int32 // a rule's number in the index -> its place in the set
	hits ruleindex.Hits
	// asked tells that hits are those of the batch to come.
	asked bool
	b     *vector.Batch
}

// NewRuleFilter returns the operator.
func NewRuleFilter(s *RuleSet) *RuleFilter { return &RuleFilter{set: s} }

// Open implements exec.Operator.
func (r *RuleFilter) Open(cx *exec.Context) error {
	r.cx, r.b = cx, vector.NewBatch(r.set.out, cx.BatchSize)
	return r.prepare(cx.Func)
}

// prepare makes the task; a source may need it before Open.
func (r *RuleFilter) prepare(cx *function.Context) error {
	if r.task != nil {
		return nil
	}
	if err := r.set.open(cx); err != nil {
		return err
	}
	ix := r.set.set.Index()
	for n := range r.set.rules {
		rule, ok := ix.Rule(int32(n))
		if !ok {
			continue
		}
		i, err := strconv.Atoi(rule.ID)
		if err != nil {
			return err
		}
		r.num = append(r.num, int32(i))
	}
	r.task = ix.NewTask()
	return nil
}

// Reads are the columns of the input that rules look at.
func (r *RuleFilter) Reads(cx *function.Context) (map[int]bool, error) {
	if err := r.prepare(cx); err != nil {
		return nil, err
	}
	reads := map[int]bool{}
	for _, x := range r.set.rules {
		plan.Columns(x.Cond, reads)
	}
	return reads, nil
}

// Version is constant: the rules of a plan do not change.
func (r *RuleFilter) Version() uint64 { return 0 }

// Select appends the rows of sel (all if nil) that some rule holds for to dst and
// keeps what holds for them until Process gets the batch.
func (r *RuleFilter) Select(b *vector.Batch, sel, dst []int32) ([]int32, error) {
	head := *b
	head.Sel = sel
	if err := r.evaluate(&head); err != nil {
		return dst, err
	}
	r.asked = true
	last := int32(-1)
	for _, row := range r.hits.Rows {
		if row != last {
			dst = append(dst, row)
			last = row
		}
	}
	if dst == nil {
		dst = []int32{}
	}
	return dst, nil
}

// Set is the rules.
func (r *RuleFilter) Set() *RuleSet { return r.set }

// Unask forgets what Select has found: other rows come next.
func (r *RuleFilter) Unask() { r.asked = false }

func (r *RuleFilter) evaluate(b *vector.Batch) error {
	r.hits.Reset()
	r.task.SetNow(r.cx.Now())
	if err := r.task.Batch(b, &r.hits); err != nil {
		return err
	}
	if len(r.hits.Errs) > 0 { // as the filter of that rule alone would fail
		return &function.RowError{Row: int(r.hits.Errs[0].Row), Err: r.hits.Errs[0].Err}
	}
	return nil
}

// Process implements exec.Operator.
func (r *RuleFilter) Process(_ int, b *vector.Batch, out exec.Output) error {
	if !r.asked {
		if err := r.evaluate(b); err != nil {
			return err
		}
	}
	r.asked = false
	width := len(r.set.in.Fields)
	r.b.Origin = b.Origin
	at := 0 // with a selection, rows that the source dropped since (records that do not decode) are passed over
	for k, row := range r.hits.Rows {
		if b.Sel != nil {
			for at < len(b.Sel) && b.Sel[at] < row {
				at++
			}
			if at == len(b.Sel) || b.Sel[at] != row {
				continue
			}
		}
		rule := int(r.num[r.hits.Rules[k]])
		for c := range width {
			vector.CopyRow(r.b.Cols[c], b.Cols[c], int(row))
		}
		for c, v := range r.set.consts {
			vector.CopyRow(r.b.Cols[width+c], v, rule)
		}
		r.b.AppendKind(b.Kind(int(row)))
		if r.b.N >= r.cx.BatchSize {
			if err := r.emit(out); err != nil {
				return err
			}
		}
	}
	return r.emit(out)
}

func (r *RuleFilter) emit(out exec.Output) error {
	if r.b.N == 0 {
		return nil
	}
	err := out.Emit(r.b)
	origin := r.b.Origin
	r.b.Reset()
	r.b.Origin = origin
	return err
}

// Control implements exec.Operator.
func (r *RuleFilter) Control(in int, ev exec.Event, out exec.Output) error {
	if ev.Kind == exec.Tick || ev.Kind == exec.End {
		r.task.Publish(r.cx.Metrics)
	}
	return r.Stateless.Control(in, ev, out)
}

var _ exec.Operator = (*RuleFilter)(nil)
