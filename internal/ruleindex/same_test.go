package ruleindex

import "testing"

// Comparisons of two fields and expressions over all fields, on events.
func TestSameAndAnyFieldRegex(t *testing.T) {
	f := func(c *Cond, want bool, kv ...string) {
		t.Helper()
		s := NewSet(Options{})
		if err := s.Add(Rule{ID: "r", Cond: c}); err != nil {
			t.Fatal(err)
		}
		ix := s.Index()
		var e Event
		for i := 0; i < len(kv); i += 2 {
			input := -1
			for k, in := range ix.Inputs() {
				if in.Name == kv[i] {
					input = k
				}
			}
			if input < 0 {
				e.AddOther(RawText, kv[i+1])
			} else {
				e.Add(int32(input), RawText, kv[i+1])
			}
		}
		got, decode := ix.NewTask().Event(&e, nil)
		if decode || (len(got) == 1) != want {
			t.Errorf("%+v over %q: %v, %v", c, kv, got, decode)
		}
	}
	same := func(m SameMode) *Cond { return &Cond{Op: CondSame, Field: "a", Value: "b", Same: m} }
	f(same(SameWhole), true, "a", "Xy", "b", "xY")
	f(same(SameWhole), false, "a", "Xyz", "b", "xY")
	f(same(SameWhole), false, "a", "Xyz")
	f(same(SamePrefix), true, "a", "Xyz", "b", "xY")
	f(same(SameSuffix), true, "a", "zXy", "b", "xY")
	f(same(SameContain), true, "a", "1Xy2", "b", "xY")
	f(same(SameContain), false, "a", "1X2", "b", "xY")
	f(&Cond{Op: CondSame, Field: "a", Value: "b", Cased: true}, false, "a", "X", "b", "x")
	f(&Cond{Op: CondNot, Subs: []*Cond{same(SameWhole)}}, true, "b", "x")
	f(&Cond{Op: CondRegex, Value: "a+b"}, true, "any", "xxaab")
	f(&Cond{Op: CondRegex, Value: "a+b"}, false, "any", "xxb", "other", "a")
}
