package builtin

import "testing"

// TestHashMapOrder is about the order that Flink's STR_TO_MAP gives.
func TestHashMapOrder(t *testing.T) {
	for _, c := range []struct{ in, want []string }{
		{[]string{"b", "a", "c"}, []string{"a", "b", "c"}},
		{[]string{"z", "y", "x", "w", "aa", "bb", "key10", "key9"}, []string{"aa", "bb", "w", "x", "key9", "y", "z", "key10"}},
		{[]string{"q", "a"}, []string{"q", "a"}}, // in one bucket of 16
		{[]string{"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, []string{"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}},
		{[]string{"q", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}, []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "q"}}, // in one of 32
		{nil, nil},
	} {
		var es []mapEntry
		for _, k := range c.in {
			es = append(es, mapEntry{key: k})
		}
		hashMapOrder(es)
		for i, e := range es {
			if e.key != c.want[i] {
				t.Errorf("%q: %q is entry %d, want %q", c.in, e.key, i, c.want)
			}
		}
	}
}
