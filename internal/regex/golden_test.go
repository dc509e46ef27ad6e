package regex

import (
	"bufio"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

type goldenCase struct {
	In    string  `json:"i"`
	All   [][]int `json:"m"`
	Whole []int   `json:"w"`
	Front bool    `json:"l"`
}

type goldenPattern struct {
	Pattern string       `json:"p"`
	Flags   int          `json:"f"`
	Refused bool         `json:"e"`
	Cases   []goldenCase `json:"c"`
}

// javaFlags turns the flags of java.util.regex.Pattern into ours.
func javaFlags(f int) Flags {
	var out Flags
	for bit, to := range map[int]Flags{1: UnixLines, 2: CaseInsensitive, 4: Comments, 8: Multiline, 16: Literal, 32: DotAll, 64: UnicodeCase, 256: UnicodeClass} {
		if f&bit != 0 {
			out |= to
		}
	}
	return out
}

// unsupported lists what Java accepts and we refuse, with a clear error.
var unsupported = []string{`\X+`, `\b{g}`}

// TestJavaAnswers compares with recorded answers of java.util.regex, made by
// testdata/Golden.java.
func TestJavaAnswers(t *testing.T) {
	f, err := os.Open("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	patterns, cases, bad := 0, 0, 0
	miss := func(format string, args ...any) {
		if bad++; bad <= 40 {
			t.Errorf(format, args...)
		}
	}
	for sc.Scan() {
		var g goldenPattern
		if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(unsupported, g.Pattern) && !g.Refused {
			continue
		}
		patterns++
		re, err := Compile(g.Pattern, javaFlags(g.Flags))
		if (err != nil) != g.Refused {
			miss("%q flags %d: refused by Java: %v; here: %v", g.Pattern, g.Flags, g.Refused, err)
			continue
		}
		if err != nil {
			continue
		}
		m := re.Matcher()
		before := bad
		for _, c := range g.Cases {
			cases++
			if bad == before { // one difference a pattern is enough to read
				checkCase(m, g, c, miss)
			}
		}
	}
	t.Logf("%d patterns, %d texts, %d differences", patterns, cases, bad)
	if patterns < 3000 {
		t.Errorf("only %d patterns", patterns)
	}
}

func checkCase(m *Matcher, g goldenPattern, c goldenCase, miss func(string, ...any)) {
	if len(c.All) > 0 && !containsOne(c.In, m.re.RequiredLiterals()) {
		miss("%q flags %d on %q: none of %v occurs", g.Pattern, g.Flags, c.In, m.re.RequiredLiterals())
	}
	if ok, err := m.Match(c.In); err != nil || ok != (len(c.All) > 0) {
		miss("%q flags %d on %q: Match %v, %v", g.Pattern, g.Flags, c.In, ok, err)
	}
	if ok, err := m.LookingAt(c.In); err != nil || ok != c.Front {
		miss("%q flags %d on %q: LookingAt %v, %v", g.Pattern, g.Flags, c.In, ok, err)
	}
	if ok, err := m.MatchWhole(c.In); err != nil || ok != (c.Whole != nil) {
		miss("%q flags %d on %q: MatchWhole %v, %v", g.Pattern, g.Flags, c.In, ok, err)
	}
	var all [][]int
	m.Reset(c.In)
	for {
		ok, err := m.Next()
		if err != nil {
			miss("%q flags %d on %q: %v", g.Pattern, g.Flags, c.In, err)
		}
		if !ok {
			break
		}
		all = append(all, slices.Clone(m.Groups()))
	}
	if !slices.EqualFunc(all, c.All, slices.Equal) {
		miss("%q flags %d on %q: all %v, want %v", g.Pattern, g.Flags, c.In, all, c.All)
	}
	if m.re.exact && m.re.steps == nil { // the simulation for long texts gives the same groups
		var got [][]int
		last := 0
		for from := 0; from <= len(c.In) && m.pike.find(c.In, from, false, false); {
			got = append(got, slices.Clone(m.pike.match[:m.re.prog.slots]))
			last = m.pike.match[1]
			from = last
			if m.pike.match[0] == last {
				from++
				for from < len(c.In) && c.In[from]&0xC0 == 0x80 {
					from++
				}
			}
		}
		if !slices.EqualFunc(got, all, slices.Equal) {
			miss("%q flags %d on %q: simulated %v, want %v", g.Pattern, g.Flags, c.In, got, all)
		}
	}
	ok, err := m.FindWhole(c.In)
	if err != nil || ok != (c.Whole != nil) || ok && !slices.Equal(m.Groups(), c.Whole) {
		miss("%q flags %d on %q: whole %v %v, want %v", g.Pattern, g.Flags, c.In, ok, m.Groups(), c.Whole)
	}
}

func containsOne(s string, lits []Lit) bool {
	for _, l := range lits {
		if strings.Contains(s, l.Text) || l.Fold && strings.Contains(lowerASCII(s), l.Text) {
			return true
		}
	}
	return lits == nil
}
