package json

import "testing"

// Records that differ in their blanks only hold the same, whichever of them was
// met first.
func TestBlanksVary(t *testing.T) {
	records := []string{`{"a":1}`, `{"a": 1}`, `{"a": "x"}`, `{"a":"x"}`, `{ "a" :1}`, `{"b":1,"a":2}`, `{"b" :1,"a" :2}`, `{"b": 1,"a": 2 }`, `{"a":	[1] , "b": {}}`}
	for i := range records {
		p := NewProjector([][]string{{"a"}})
		for k := range records {
			s := records[(i+k)%len(records)]
			buf := make([]byte, len(s)+Slack)
			copy(buf, s)
			p.Index(buf, 0, len(s))
			out := make([]Value, 1)
			if p.Object(buf, 0, len(s), out) < 0 {
				t.Fatalf("%s: %v", s, p.Err(0))
			}
			if got := string(out[0].Bytes(buf)); got != "1" && got != `"x"` && got != "2" && got != "[1]" {
				t.Errorf("%s: a is %q", s, got)
			}
		}
	}
}
