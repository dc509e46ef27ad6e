package regex

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustCompile(t testing.TB, pattern string, f Flags) *Regexp {
	t.Helper()
	re, err := Compile(pattern, f)
	if err != nil {
		t.Fatal(err)
	}
	return re
}

// TestAgainstStandardLibrary compares random patterns of the syntax and meaning
// that both have.
func TestAgainstStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	var alt func(d int) string
	atom := func(d int) string {
		if d > 0 && r.IntN(3) == 0 {
			return pick("(", "(?:", "(") + alt(d-1) + ")"
		}
		return pick("a", "b", "c", "ab", "[ab]", "[^a]", "[a-c]", `\d`, `\w`, ".", "é", "日", `\.`, "^", `\z`, `[^\w]`, `\x{1F600}`)
	}
	alt = func(d int) string {
		var b strings.Builder
		for range 1 + r.IntN(4) {
			b.WriteString(atom(d))
			if r.IntN(3) == 0 {
				b.WriteString(pick("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{2,}"))
			}
		}
		if r.IntN(4) == 0 {
			return b.String() + "|" + alt(d)
		}
		return b.String()
	}
	for range 4000 {
		pattern := alt(2)
		std, err := regexp.Compile(pattern)
		if err != nil {
			continue // a quantifier on a quantifier
		}
		re, err := Compile(pattern, 0)
		if err != nil {
			t.Fatalf("%q: %v", pattern, err)
		}
		m := re.Matcher()
		for range 6 {
			var b strings.Builder
			for range r.IntN(12) {
				b.WriteString(pick("a", "b", "c", "ab", "1", "_", ".", "é", "日", "😀", " "))
			}
			s := b.String()
			want := std.FindStringSubmatchIndex(s)
			ok, err := m.Find(s, 0)
			if err != nil || ok != (want != nil) {
				t.Fatalf("%q on %q: %v %v, want %v", pattern, s, ok, err, want)
			}
			// Where a repeated part can be empty Java's order of steps is another.
			if got := m.Groups(); ok && re.steps == nil && !slices.Equal(got, want) {
				t.Fatalf("%q on %q: groups %v, want %v", pattern, s, got, want)
			}
			if ok2, _ := m.Match(s); ok2 != ok {
				t.Fatalf("%q on %q: Match %v, Find %v", pattern, s, ok2, ok)
			}
		}
	}
}

// TestSmallTable makes the automaton forget its states all the time.
func TestSmallTable(t *testing.T) {
	re := mustCompile(t, `(?:a|b)*a(?:a|b){6}c$|\bé\b`, 0)
	m := re.Matcher()
	d := m.automaton(modeFind)
	d.full = stFirst + 4
	std := regexp.MustCompile(`(?:a|b)*a(?:a|b){6}c$`)
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		b := make([]byte, 12)
		for i := range b {
			b[i] = "abc"[r.IntN(3)]
		}
		b[11] = 'c'
		if got, _ := m.Match(string(b)); got != std.Match(b) {
			t.Fatalf("%q: %v", b, got)
		}
	}
	if d.resets == 0 {
		t.Error("the table never was full")
	}
}

func TestStepLimit(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, pattern := range []string{`(x+x+)+(?!x)y`, `(?=(x*x*x*x*x*)*y)`, `(x*)*\1y`, `((?:x|x)+)+y(?=z)`} {
		m := mustCompile(t, pattern, 0).Matcher()
		if _, err := m.Match(long + "y!"); err != nil && !errors.Is(err, ErrSteps) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	m := mustCompile(t, `(x+x+)+(?!\d)y(?=z)`, 0).Matcher()
	if _, err := m.Match(long + "y yz"); !errors.Is(err, ErrSteps) {
		t.Errorf("no limit: %v", err)
	}
	// The regular ones are linear.
	m = mustCompile(t, `((x+x+)+)+y`, 0).Matcher()
	if ok, err := m.Find(long, 0); ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	if ok, err := m.Find(strings.Repeat("x", 300_000)+"y", 0); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
	m = mustCompile(t, `((x*)*)*y`, 0).Matcher()
	if ok, err := m.Find(long+"y", 0); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
}

// TestStepsSuffice: patterns of the square of the text are answered on some
// thousand characters.
func TestStepsSuffice(t *testing.T) {
	words := func(n int) string { // none comes twice, nor a part of three letters
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteRune(rune(0x4e00 + i))
			if i%4 == 3 {
				b.WriteByte(' ')
			}
		}
		return b.String()
	}
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`(?=(x*x*x*x*x*)*y)z`, strings.Repeat("x", 2100) + "yz", false},
		{`(?=(x*x*x*x*x*)*y).*z`, strings.Repeat("x", 2100) + "yz", true},
		{`(\pL{3}).*\1`, words(6000), false},
		{`(\pL{3}).*\1`, words(6000) + words(12), true},
		{`(?U)\b(\w+)\b.*\b\1\b`, words(4000), false},
		{`(?s)(?<=a{1,100}b).*c`, strings.Repeat("c", 10_000), false},
		{`^(?!.*(?:error|fatal)).*$`, strings.Repeat("all is well, ", 20_000), true},
	} {
		m := mustCompile(t, c.pattern, 0).Matcher()
		start := time.Now()
		if ok, err := m.Find(c.text, 0); ok != c.want || err != nil {
			t.Errorf("%s on %d bytes: %v %v", c.pattern, len(c.text), ok, err)
		}
		t.Logf("%-28s %6d bytes: %d of %d steps, %v", c.pattern, len(c.text), stepBudget+stepPerByte*len(c.text)-m.vm.steps, stepBudget+stepPerByte*len(c.text), time.Since(start))
	}
}

// TestStepsAreBounded: giving up comes soon, whatever the steps are.
func TestStepsAreBounded(t *testing.T) {
	x := strings.Repeat("x", 8000)
	for _, c := range [][2]string{
		{`(x+x+)+(?!\d)y(?=z)`, x + "y yz"},
		{`(?=(x*x*x*x*x*)*y)z`, x + "yz"},
		{`(?=(.*.*.*)\1!)z`, x + "!z"},
		{`(?i)(?=(é*é*é*)*\1y)z`, strings.Repeat("é", 4000) + "yz"},
		{`(?<=x{1,100}b)y`, strings.Repeat("xxxxxy", 4000)},
	} {
		m := mustCompile(t, c[0], 0).Matcher()
		best := time.Hour
		var err error
		for range 3 {
			start := time.Now()
			_, err = m.Find(c[1], 0)
			best = min(best, time.Since(start))
		}
		t.Logf("%-28s %v %v", c[0], best, err)
		// Ten times what it takes on a machine that does nothing else.
		if best > 500*time.Millisecond || m.vm.steps < -len(c[1]) {
			t.Errorf("%s: %v, %d steps left", c[0], best, m.vm.steps)
		}
	}
}

// TestLargePatterns: counted repeats cost memory and time within bounds.
func TestLargePatterns(t *testing.T) {
	text := strings.Repeat("ab", 5000)
	for _, pattern := range []string{`(?:a|b)*a(?:a|b){1000}c`, `(?:(?:a|b){60}){60}c`, `(?:a{1,50}b{1,50}){1,50}c`, `[ab]{1,5000}c`, `(?:\w{1,63}\.){1,127}c`} {
		start := time.Now()
		m := mustCompile(t, pattern, 0).Matcher()
		ok, err := m.Match(text)
		if ok || err != nil && !errors.Is(err, ErrSteps) {
			t.Errorf("%s: %v %v", pattern, ok, err)
		}
		for mode, d := range m.dfas {
			if d != nil && (d.bytes > dfaKeys+100_000 || len(d.trans) > 2*dfaCells) {
				t.Errorf("%s: mode %d holds %d cells, %d bytes of keys", pattern, mode, len(d.trans), d.bytes)
			}
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s took %v", pattern, d)
		}
	}
}

func TestRequiredLiterals(t *testing.T) {
	for pattern, want := range map[string]string{
		"foo":                    "[{foo false}]",
		"(?i)foo":                "[{foo true}]",
		"foo.*barbaz":            "[{barbaz false}]",
		"(?:foo|bar)+x":          "[{foo false} {bar false}]",
		"a*":                     "[]",
		"x.y":                    "[]",
		"ab[cd]":                 "[{abc false} {abd false}]",
		`\bpowershell(?:\.exe)?`: "[{powershell false}]",
		"(?=foo)bar":             "[{bar false}]",
		"(foo)?bar":              "[{bar false}]",
		"a{3}":                   "[{aaa false}]",
		"(?iu)ask":               "[{ask true} {as\u212a true} {a\u017fk true} {a\u017f\u212a true}]",
		"(?:foo|.*)":             "[]",
	} {
		if got := fmt.Sprint(mustCompile(t, pattern, 0).RequiredLiterals()); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

func TestReplace(t *testing.T) {
	for _, c := range []struct{ pattern, in, repl, want string }{
		{"a", "banana", "o", "bonono"},
		{"(a)(n)", "banana", "$2$1", "bnanaa"},
		{"(?<x>a)n", "banana", "<${x}>", "b<a><a>a"},
		{"a*", "baac", "-", "-b--c-"},
		{"", "ab", ".", ".a.b."},
		{"a", "a", `\$1\\`, `$1\`},
		{"(a)", "a", "$12", "a2"},
		{"(a)|(b)", "ab", "[$2]", "[][b]"},
		{"a", "x", "$9", "x"}, // a mistake that is never reached
		{"a", "a", "$9", "error: no group 9"},
		{"a", "a", "$", "error: illegal group reference: group index is missing"},
		{"a", "a", "$x", "error: illegal group reference"},
		{"a", "a", "${n}", "error: no group with name {n}"},
		{"a", "a", `\`, "error: character to be escaped is missing"},
		{`\G\d`, "12a3", "-", "--a3"},
	} {
		re := mustCompile(t, c.pattern, 0)
		got, err := re.Matcher().AppendReplaced(nil, c.in, re.Replacement(c.repl), true)
		if err != nil {
			got = []byte("error: " + err.Error())
		}
		if string(got) != c.want {
			t.Errorf("%q in %q by %q: %q, want %q", c.pattern, c.in, c.repl, got, c.want)
		}
	}
	re := mustCompile(t, "a", 0)
	if got, _ := re.Matcher().AppendReplaced(nil, "banana", re.Replacement("o"), false); string(got) != "bonana" {
		t.Errorf("first: %q", got)
	}
}

// TestManyMatches: replacing many matches in a long text takes time in proportion.
func TestManyMatches(t *testing.T) {
	re := mustCompile(t, `(\w+)=(\d+)`, 0)
	m := re.Matcher()
	in, want := strings.Repeat("key=42 ", 20_000), strings.Repeat("42=key ", 20_000)
	start := time.Now()
	got, err := m.AppendReplaced(nil, in, re.Replacement("$2=$1"), true)
	if err != nil || string(got) != want {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestNoAllocation(t *testing.T) {
	text := strings.Repeat("some text in front ", 3) + "error code=42 end"
	for _, pattern := range []string{"error", "(?i)ERROR", `code=(\d+)`, `\berror\b.*$`, `(?<=code=)\d+`} {
		m := mustCompile(t, pattern, 0).Matcher()
		if n := testing.AllocsPerRun(100, func() {
			m.Match(text)
			m.Find(text, 0)
		}); n != 0 {
			t.Errorf("%s: %v allocations", pattern, n)
		}
	}
}

// FuzzCompile: no pattern panics or hangs, and all ways to match agree.
func FuzzCompile(f *testing.F) {
	f.Add(`(a|b)*c{2,3}(?=x)[^a&&[b-z]]\1`, 0, "abcc")
	f.Add(`\p{L}+(?i)\Qab\E$`, 8, "abAB\r\n")
	f.Fuzz(func(t *testing.T, pattern string, flags int, s string) {
		if len(pattern) > 200 || len(s) > 200 {
			return
		}
		re, err := Compile(pattern, Flags(flags)&(Literal<<1-1))
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("%T", err)
			}
			return
		}
		m := re.Matcher()
		ok, err := m.Match(s)
		found, err2 := m.Find(s, 0)
		if err == nil && err2 == nil && ok != found {
			t.Fatalf("%q on %q: Match %v, Find %v", pattern, s, ok, found)
		}
		if ok && err == nil && !containsOne(s, re.RequiredLiterals()) {
			t.Fatalf("%q on %q: none of %v", pattern, s, re.RequiredLiterals())
		}
		whole, err := m.MatchWhole(s)
		if found, err2 := m.FindWhole(s); err == nil && err2 == nil && whole != found {
			t.Fatalf("%q on %q: MatchWhole %v, FindWhole %v", pattern, s, whole, found)
		}
	})
}

var benchText = `2026-03-02 08:00:01 WS01 powershell.exe -NoP -Enc SQBFAFgAIAAoAE4AZQB3AC0A user=x1`

func BenchmarkCompile(b *testing.B) {
	for _, pattern := range []string{"foo", `(?i)\bpowershell\.exe\b.*-enc`, `[^/]+/\w{1,30}`, `\p{L}+\s\p{IsGreek}`} {
		b.Run(pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, pattern, 0)
			}
		})
		b.Run(pattern+"/first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustCompile(b, pattern, 0).Matcher().Match(benchText)
			}
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, c := range []struct{ name, pattern string }{
		{"plain", "powershell"}, {"literal-hit", `powershell.*-Enc\s+\w`}, {"literal-miss", `cmd\.exe\s+/c`}, {"fold", `(?i)POWERSHELL\.exe\s`},
		{"end", `x\d+$`}, {"no-literal", `\d{4}-\d\d-\d\d`}, {"word", `\b[a-z]+=\w+\b`}, {"behind", `(?<=user=)\w+`}, {"dots", `.*powershell.*`},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := mustCompile(b, c.pattern, 0).Matcher()
			b.ReportAllocs()
			for b.Loop() {
				m.Match(benchText)
			}
		})
	}
	b.Run("groups", func(b *testing.B) {
		m := mustCompile(b, `(\w+)\.exe.*user=(\w+)`, 0).Matcher()
		b.ReportAllocs()
		for b.Loop() {
			m.Find(benchText, 0)
		}
	})
	b.Run("groups-stdlib", func(b *testing.B) {
		m := regexp.MustCompile(`(\w+)\.exe.*user=(\w+)`)
		for b.Loop() {
			m.FindStringSubmatchIndex(benchText)
		}
	})
}
