package metrics

import (
	"math"
	"testing"
)

func TestTextEscapesAndPrintsNumbers(t *testing.T) {
	var x Text
	x.Family("a_total", Counter, "Lines\nand \\ of it.")
	x.Sample("a_total", 1e12, "job", "a\"b\\c\nd", "op", "\xff")
	x.Sample("a_total", 0.25)
	x.Sample("a_total", math.Inf(1), "k", "v")
	x.Sample("a_total", math.NaN())
	want := "# HELP a_total Lines\\nand \\\\ of it.\n# TYPE a_total counter\n" +
		"a_total{job=\"a\\\"b\\\\c\\nd\",op=\"\uFFFD\"} 1000000000000\na_total 0.25\na_total{k=\"v\"} +Inf\na_total NaN\n"
	if got := x.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSplitsComeAndGo(t *testing.T) {
	var o Op
	o.AddSplit("b").Rows.Add(2)
	o.AddSplit("a")
	o.RemoveSplit("a")
	s := o.Splits()
	if len(s) != 1 || s[0].ID != "b" || s[0].Rows.Load() != 2 || s[0].Lag.Load() != -1 {
		t.Errorf("%+v", s)
	}
}
