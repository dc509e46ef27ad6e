package metrics

import (
	"math"
	"strconv"
	"strings"
)

// Text writes metrics in Prometheus's text exposition format, version 0.0.4:
// families in the order they were begun, each with all of its samples.
type Text struct{ b strings.Builder }

// ContentType is the media type of what Text writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// The types of families.
const (
	Counter = "counter"
	Gauge   = "gauge"
	Summary = "summary"
)

// Family begins a family: its samples follow. Nothing is written for a family
// without samples but its head, which readers ignore.
func (t *Text) Family(name, kind, help string) {
	t.b.WriteString("# HELP " + name + " " + helpEscaper.Replace(help) + "\n# TYPE " + name + " " + kind + "\n")
}

var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// Sample writes one value. labels are names and values in turn.
func (t *Text) Sample(name string, value float64, labels ...string) {
	t.b.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		if i == 0 {
			t.b.WriteByte('{')
		} else {
			t.b.WriteByte(',')
		}
		t.b.WriteString(labels[i])
		t.b.WriteString(`="`)
		t.b.WriteString(labelEscaper.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")))
		t.b.WriteByte('"')
	}
	if len(labels) > 1 {
		t.b.WriteByte('}')
	}
	t.b.WriteByte(' ')
	switch {
	case math.IsNaN(value):
		t.b.WriteString("NaN")
	case math.IsInf(value, 1):
		t.b.WriteString("+Inf")
	case math.IsInf(value, -1):
		t.b.WriteString("-Inf")
	case value == math.Trunc(value) && math.Abs(value) < 1<<53:
		t.b.WriteString(strconv.FormatInt(int64(value), 10))
	default:
		t.b.WriteString(strconv.FormatFloat(value, 'g', -1, 64))
	}
	t.b.WriteByte('\n')
}

// String is everything written so far.
func (t *Text) String() string { return t.b.String() }
