package multimatch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// model says what Match must report.
func model(ps []Pattern, v string) []int32 {
	var out []int32
	lower := func(s string) string { return strings.Map(unicode.ToLower, s) }
	for i, p := range ps {
		text, val := p.Text, v
		if p.Fold {
			text, val = lower(text), lower(val)
		}
		var ok bool
		switch p.Kind {
		case Equal:
			ok = val == text
		case Prefix:
			ok = strings.HasPrefix(val, text)
		case Suffix:
			ok = strings.HasSuffix(val, text)
		case Contains:
			ok = strings.Contains(val, text)
		}
		if ok {
			out = append(out, int32(i))
		}
	}
	return out
}

func randomText(r *rand.Rand, alphabet []string, most int) string {
	var b strings.Builder
	for range r.IntN(most + 1) {
		b.WriteString(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func TestAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	small := []string{"a", "b", "A"}
	wide := []string{"a", "A", "b", "B", "k", "K", "\u212a", "é", "É", "ſ", "s", "S", "\\", ".exe", "日", "ß", "İ", "i"}
	var x Scratch
	for round := range 600 {
		alphabet := wide
		if round%2 == 0 {
			alphabet = small
		}
		ps := make([]Pattern, 1+r.IntN(40))
		for i := range ps {
			ps[i] = Pattern{Kind(r.IntN(4)), randomText(r, alphabet, 1+r.IntN(9)), r.IntN(2) == 0}
			if round%5 == 0 {
				ps[i].Fold = false
			}
		}
		s := New(ps)
		for range 40 {
			v := randomText(r, alphabet, 14)
			if r.IntN(3) == 0 {
				v += ps[r.IntN(len(ps))].Text + randomText(r, alphabet, 2)
			}
			got := s.Match(nil, v, &x)
			slices.Sort(got)
			if want := model(ps, v); !slices.Equal(got, want) {
				t.Fatalf("round %d: %q: %v, want %v of %+v", round, v, got, want, ps)
			}
		}
	}
}

func TestManyPatterns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	letters := strings.Split(`abcdefghijklmnopqrstuvwxyzABCDEF0123456789\/-._ `, "")
	ps := make([]Pattern, 20_000)
	total := 0
	for i := range ps {
		ps[i] = Pattern{Contains, `\` + randomText(r, letters, 20) + "xyz", true}
		total += len(ps[i].Text)
	}
	s := New(ps)
	t.Logf("%d patterns of %d bytes: %d bytes", len(ps), total, s.Bytes())
	if s.Bytes() > 200*len(ps) {
		t.Errorf("%d bytes a pattern", s.Bytes()/len(ps))
	}
	var x Scratch
	for range 30 {
		v := randomText(r, letters, 100) + ps[r.IntN(len(ps))].Text + randomText(r, letters, 10)
		got := s.Match(nil, v, &x)
		slices.Sort(got)
		if want := model(ps, v); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", v, got, want)
		}
	}
}

// TestOverlap: patterns that all overlap, on a long value, in bounded time.
func TestOverlap(t *testing.T) {
	var ps []Pattern
	for i := 1; i <= 2000; i++ {
		ps = append(ps, Pattern{Contains, strings.Repeat("a", i), i%2 == 0})
	}
	ps = append(ps, Pattern{Contains, strings.Repeat("a", 1000) + "b", true})
	s := New(ps)
	var x Scratch
	if n := len(s.Match(nil, strings.Repeat("aA", 500_000), &x)); n != 1001 {
		t.Errorf("%d patterns", n)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("foo\nBar\né", "xfoobarÉ", uint16(0xABCD))
	f.Fuzz(func(t *testing.T, patterns, v string, bits uint16) {
		if strings.ToValidUTF8(patterns, "?") != patterns || strings.ToValidUTF8(v, "?") != v {
			return
		}
		var ps []Pattern
		for i, text := range strings.Split(patterns, "\n") {
			ps = append(ps, Pattern{Kind(bits >> (i % 16) & 3), text, bits>>(i%13)&4 != 0})
		}
		got := New(ps).Match(nil, v, new(Scratch))
		slices.Sort(got)
		if want := model(ps, v); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v of %+v", v, got, want, ps)
		}
	})
}

func BenchmarkContains(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	letters := strings.Split(`abcdefghijklmnopqrstuvwxyz0123456789\/-._ `, "")
	v := `C:\Windows\System32\svchost.exe -k netsvcs -p -s Schedule --type=renderer /quiet`
	for _, n := range []int{1, 10, 100, 1000, 10_000, 100_000} {
		ps := make([]Pattern, n)
		for i := range ps {
			ps[i] = Pattern{Contains, randomText(r, letters, 12) + "xyz", true}
		}
		s := New(ps)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var x Scratch
			var dst []int32
			b.ReportAllocs()
			b.SetBytes(int64(len(v)))
			for b.Loop() {
				dst = s.Match(dst[:0], v, &x)
			}
			b.ReportMetric(float64(s.Bytes())/1e6, "MB")
		})
	}
}
