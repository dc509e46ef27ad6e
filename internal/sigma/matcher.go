package sigma

import (
	"errors"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/ruleindex"
)

// Matcher evaluates the detection rules of a collection together.
type Matcher struct {
	set     *ruleindex.Set
	entries []*Entry // by the number of the rule in the index
	hidden  []string
}

// NewMatcher indexes the rules of c that are run. Keywords are not searched in
// the fields unsearched. Rules that the index refuses become NotImported.
func NewMatcher(c *Collection, unsearched ...string) (*Matcher, error) {
	m := &Matcher{hidden: unsearched}
	skip := append([]string(nil), unsearched...)
	var rules []ruleindex.Rule
	for _, e := range c.Entries {
		if e.State != OK || e.cond == nil {
			continue
		}
		rules = append(rules, ruleindex.Rule{ID: strconv.Itoa(len(m.entries)), Cond: e.cond})
		m.entries = append(m.entries, e)
		skip = append(skip, computedFields(e.cond, nil)...)
	}
	m.set = ruleindex.NewSet(ruleindex.Options{Unsearched: skip})
	if err := m.set.Add(rules...); err == nil {
		return m, nil
	}
	// One of them is refused: the others must still go.
	m.set = ruleindex.NewSet(ruleindex.Options{Unsearched: skip})
	var good []ruleindex.Rule
	var entries []*Entry
	for i, r := range rules {
		if err := ruleindex.NewSet(ruleindex.Options{}).Add(r); err != nil {
			m.entries[i].refuse(NotImported, err)
			continue
		}
		r.ID = strconv.Itoa(len(entries))
		good = append(good, r)
		entries = append(entries, m.entries[i])
	}
	m.entries = entries
	if err := m.set.Add(good...); err != nil {
		return nil, err
	}
	return m, nil
}

// computedFields are the fields of c that the scanner computes.
func computedFields(c *ruleindex.Cond, out []string) []string {
	if strings.Contains(c.Field, "|") {
		out = append(out, c.Field)
	}
	for _, s := range c.Subs {
		out = computedFields(s, out)
	}
	return out
}

// Len is the number of rules.
func (m *Matcher) Len() int { return len(m.entries) }

// Bytes is about how much memory the index holds.
func (m *Matcher) Bytes() int { return m.set.Index().Bytes() }

// Unindexed names the rules that nearly every event has to be tried for.
func (m *Matcher) Unindexed() []string {
	var out []string
	for i, r := range m.set.Index().Rules() {
		if r.Unindexed {
			out = append(out, m.entries[i].Key())
		}
	}
	return out
}

// Task evaluates events. It belongs to one goroutine; tasks of a matcher share
// its index.
type Task struct {
	m     *Matcher
	scan  *scanner
	event ruleindex.Event
	task  *ruleindex.Task
	nums  []int32 // index number -> entry
	hits  []int32
	out   []*Entry
}

// NewTask returns a task.
func (m *Matcher) NewTask() (*Task, error) {
	ix := m.set.Index()
	names := make([]string, len(ix.Inputs()))
	for i, in := range ix.Inputs() {
		names[i] = in.Name
	}
	t := &Task{m: m, scan: newScanner(names, m.hidden, ix.NeedsAll()), task: ix.NewTask()}
	for num := range int32(len(m.entries)) {
		r, ok := ix.Rule(num)
		if !ok {
			return nil, errors.New("sigma: the index lost a rule")
		}
		i, err := strconv.Atoi(r.ID)
		if err != nil {
			return nil, err
		}
		t.nums = append(t.nums, int32(i))
	}
	return t, nil
}

// Match returns the rules that hold for the JSON object at buf[from:end], in the
// order of the collection. Behind end json.Slack bytes must be readable. The
// slice is valid until the next call. An error is of the event alone.
func (t *Task) Match(buf []byte, from, end int) ([]*Entry, error) {
	if err := t.scan.scan(buf, from, end); err != nil {
		return nil, err
	}
	t.scan.feed(buf, &t.event)
	var decode bool
	if t.hits, decode = t.task.Event(&t.event, t.hits[:0]); decode {
		return nil, errors.New("sigma: a condition cannot be decided on events") // of SQL only
	}
	t.out = t.out[:0]
	for _, n := range t.hits {
		t.out = append(t.out, t.m.entries[t.nums[n]])
	}
	return t.out, nil
}

// MatchText is Match for a text of its own.
func (t *Task) MatchText(text string) ([]*Entry, error) {
	buf := make([]byte, len(text)+json.Slack)
	copy(buf, text)
	return t.Match(buf, 0, len(text))
}

// Stats counts what the task's index did.
func (t *Task) Stats() ruleindex.Stats { return t.task.Stats() }
