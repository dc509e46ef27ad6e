package regex

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// Regexp is a compiled pattern. It is immutable and may be shared; matching is
// done by a Matcher.
type Regexp struct {
	pattern string
	flags   Flags
	names   []string        // of groups, by number
	prog    *prog           // for the backtracker, or for everything if exact
	filter  *prog           // regular: the same as prog if exact; nil if there is none
	classes func() *classes // of filter; made when they are first needed
	exact   bool            // the automaton's yes is a yes
	steps   *prog           // if exact: finds groups in Java's order where prog would not; or nil
	plain   string          // the pattern is this text
	isPlain bool
	prefix  string // every match begins with it
	leaks   bool   // attempts that fail leave groups: none may be skipped
	must    string // every match contains it, case as given
	lits    []Lit
	first   *charTest // what matches begin with; nil: they may be empty
}

// Compile compiles a pattern. An error is a *SyntaxError: Java would refuse the
// pattern as well, or its Limit is set:
// it uses one of \X, \N{…}, \b{g} and (?c), or is too large or nested too deep.
func Compile(pattern string, flags Flags) (*Regexp, error) {
	tree, names, err := parse(pattern, flags)
	if err != nil {
		return nil, err
	}
	re := &Regexp{pattern: pattern, flags: flags, names: names}
	re.plain, re.isPlain = tree.plain()
	if re.isPlain && re.plain == "" {
		re.isPlain = false
	}
	re.lits = tree.literals().best()
	if len(re.lits) == 1 && !re.lits[0].Fold {
		re.must = re.lits[0].Text
	}
	re.prefix = tree.prefix()
	re.leaks = tree.leaks(false)
	if f, ok := tree.first(); ok {
		t := &charTest{set: f}
		for r := range rune(128) {
			if f.has(r) {
				t.ascii[r>>6] |= 1 << (uint(r) & 63)
			}
		}
		re.first = t
	}
	if tree.regular() {
		if re.prog = compile(tree, len(names), true); re.prog != nil {
			re.setFilter(re.prog)
			re.exact = true
			if tree.emptyLoop() {
				re.steps = compile(tree, len(names), false)
			}
			return re, nil
		}
	}
	if re.prog = compile(tree, len(names), false); re.prog == nil {
		return nil, &SyntaxError{pattern, 0, "the expression is too large", true}
	}
	if f := compile(tree.approx(), 1, true); f != nil {
		re.setFilter(f)
	}
	return re, nil
}

func (re *Regexp) setFilter(p *prog) {
	re.filter = p
	re.classes = sync.OnceValue(func() *classes { return newClasses(p) })
}

// String returns the pattern.
func (re *Regexp) String() string { return re.pattern }

// NumGroups is the number of capturing groups, the whole match not counted.
func (re *Regexp) NumGroups() int { return len(re.names) - 1 }

// GroupNames returns the names of groups by number; "" for those without.
func (re *Regexp) GroupNames() []string { return re.names }

// GroupIndex returns the number of a named group, -1 if there is none.
func (re *Regexp) GroupIndex(name string) int {
	if name == "" {
		return -1
	}
	return slices.Index(re.names, name)
}

// RequiredLiterals returns texts, each of two bytes at least, of which one
// occurs in every text that Match is true for; nil if none are known. There are
// 64 at most.
func (re *Regexp) RequiredLiterals() []Lit { return re.lits }

// Linear tells whether matching takes time proportional to the text whatever
// it is. Patterns that are not may end in ErrSteps.
func (re *Regexp) Linear() bool { return re.exact }

// candidate is the first place at or behind at where a match may begin; -1 if none.
func (re *Regexp) candidate(s string, at int) int {
	if re.leaks {
		return at
	}
	if re.prefix != "" {
		n := strings.Index(s[at:], re.prefix)
		if n < 0 {
			return -1
		}
		return at + n
	}
	if re.first == nil {
		return at
	}
	for at < len(s) {
		r, w := rune(s[at]), 1
		if r >= utf8.RuneSelf {
			r, w = utf8.DecodeRuneInString(s[at:])
		}
		if re.first.has(r) {
			return at
		}
		at += w
	}
	return -1
}

// Matcher runs a Regexp. It belongs to one goroutine.
type Matcher struct {
	re     *Regexp
	dfas   [dfaModes]*dfa
	vm     vm
	pike   pike
	groups []int // of the last match
	// Of the iteration by Reset and Next.
	text  string
	last  int // where the last match ended; -1: there was none
	start int // where the next search begins
}

// Matcher returns a new matcher.
func (re *Regexp) Matcher() *Matcher {
	m := &Matcher{re: re}
	m.vm.p, m.pike.p = re.prog, re.prog
	if re.steps != nil {
		m.vm.p = re.steps
	}
	return m
}

// Regexp returns what m matches.
func (m *Matcher) Regexp() *Regexp { return m.re }

func (m *Matcher) automaton(mode dfaMode) *dfa {
	d := m.dfas[mode]
	if d == nil {
		d = newDFA(m.re.filter, m.re.classes(), mode)
		m.dfas[mode] = d
	}
	return d
}

// Match tells whether the pattern matches somewhere in s: Java's find().
func (m *Matcher) Match(s string) (bool, error) {
	re := m.re
	if re.isPlain {
		return strings.Contains(s, re.plain), nil
	}
	if !m.may(s, 0, modeFind) {
		return false, nil
	}
	if re.exact {
		return true, nil
	}
	return m.vm.find(s, 0, 0, false, false, false, re)
}

// MatchWhole tells whether the pattern matches all of s: Java's matches().
func (m *Matcher) MatchWhole(s string) (bool, error) { return m.test(s, modeWhole) }

// LookingAt tells whether a match begins at the beginning of s: Java's lookingAt().
func (m *Matcher) LookingAt(s string) (bool, error) { return m.test(s, modeFront) }

func (m *Matcher) test(s string, mode dfaMode) (bool, error) {
	re := m.re
	if re.isPlain {
		return strings.HasPrefix(s, re.plain) && (mode == modeFront || len(s) == len(re.plain)), nil
	}
	if !m.may(s, 0, mode) {
		return false, nil
	}
	if re.exact {
		return true, nil
	}
	return m.vm.find(s, 0, 0, true, mode == modeWhole, false, re)
}

// may is false only if there is no match; for exact patterns true only if there is one.
func (m *Matcher) may(s string, from int, mode dfaMode) bool {
	re := m.re
	if re.must != "" && !strings.Contains(s[from:], re.must) {
		return false
	}
	if re.filter == nil {
		return true
	}
	return m.automaton(mode).match(s, from, re.prefix)
}

// Find looks for the first match that begins at from or later and keeps its
// groups; from must be at most len(s). Conditions see the text in front of from.
func (m *Matcher) Find(s string, from int) (bool, error) {
	return m.find(s, from, from, modeFind)
}

// FindWhole is MatchWhole, and keeps the groups.
func (m *Matcher) FindWhole(s string) (bool, error) { return m.find(s, 0, 0, modeWhole) }

func (m *Matcher) find(s string, from, last int, mode dfaMode) (bool, error) {
	re := m.re
	m.groups = m.groups[:0]
	if re.isPlain {
		n := -1
		if mode == modeFind {
			n = strings.Index(s[from:], re.plain)
		} else if s == re.plain {
			n = 0
		}
		if n >= 0 {
			m.groups = append(m.groups, from+n, from+n+len(re.plain))
		}
		return n >= 0, nil
	}
	if !m.may(s, from, mode) {
		return false, nil
	}
	anchored, whole := mode != modeFind, mode == modeWhole
	visit := re.exact && re.steps == nil
	ok, err := false, ErrSteps
	if !visit || len(re.prog.insts)*(len(s)-from+1) <= maxVisited {
		ok, err = m.vm.find(s, from, last, anchored, whole, visit, re)
	}
	if err != nil && re.exact {
		if !m.pike.find(s, from, anchored, whole) {
			return false, nil
		}
		m.groups = append(m.groups, m.pike.match[:re.prog.slots]...)
		return true, nil
	}
	if ok {
		m.groups = append(m.groups, m.vm.regs[:re.prog.slots]...)
	}
	return ok, err
}

// Group returns where group i of the last match begins and ends in bytes; 0 is
// the whole match. Both are -1 if the group took no part, or without a match.
func (m *Matcher) Group(i int) (start, end int) {
	if i < 0 || 2*i+1 >= len(m.groups) || m.groups[2*i+1] < 0 {
		return -1, -1
	}
	return m.groups[2*i], m.groups[2*i+1]
}

// Groups returns the starts and ends of all groups of the last match, two a
// group; valid until the next search.
func (m *Matcher) Groups() []int { return m.groups }

// FindIndex returns where the first match at or behind from begins and ends.
func (m *Matcher) FindIndex(s string, from int) (start, end int, ok bool, err error) {
	ok, err = m.Find(s, from)
	start, end = m.Group(0)
	return start, end, ok, err
}

// Reset begins an iteration over the matches of s; see Next.
func (m *Matcher) Reset(s string) {
	m.text, m.last, m.start = s, -1, 0
	m.groups = m.groups[:0]
}

// Next finds the next match of the iteration: behind the one before, which an
// empty match moves on by a code point. \G is where the one before ended.
func (m *Matcher) Next() (bool, error) {
	if m.start > len(m.text) {
		m.groups = m.groups[:0]
		return false, nil
	}
	last := m.last
	if last < 0 {
		last = m.start
	}
	ok, err := m.find(m.text, m.start, last, modeFind)
	if !ok || err != nil {
		m.start = len(m.text) + 1
		return false, err
	}
	start, end := m.Group(0)
	m.last, m.start = end, end
	if start == end {
		if end < len(m.text) {
			_, w := utf8.DecodeRuneInString(m.text[end:])
			m.start += w
		} else {
			m.start++
		}
	}
	return true, nil
}
