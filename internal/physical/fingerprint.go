package physical

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Fingerprint says what the state of an operator is made of: two operators of
// equal fingerprints can go on with each other's state. It is empty for operators
// that keep none. What only changes the rows that come in, or what is made of the
// rows that go out, is not part of it.
func (o *Op) Fingerprint() string {
	var b strings.Builder
	switch s := o.Spec.(type) {
	case Source, GoSource, Values, Calc, Watermark, Union, Expand, Correlate, LateRows, Sink:
		return ""
	case Aggregate:
		fmt.Fprintf(&b, "GroupAggregate(%s; %s; retracts %v)", typedNames(o.Inputs[0].From.Out, s.Keys), callTypes(s.Calls, o.Inputs[0].From.Out), s.Retracts)
		return b.String()
	case WindowAggregate:
		in := o.Inputs[0].From.Out
		fmt.Fprintf(&b, "WindowAggregate(%s; %s; %s; %s; retracts %v)", typedNames(in, s.Keys), assignText(s.Assign, in), callTypes(s.Calls, in), emitText(s.Emit), s.Retracts)
		return b.String()
	}
	b.WriteString(describe(o))
	if t, ok := o.Spec.(TopN); ok && t.First() && !t.Retracts {
		b.WriteString(" once")
	}
	for _, e := range o.Inputs {
		b.WriteString(" <- " + e.From.Changelog.String() + " ")
		for i, f := range e.From.Out.Fields {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(f.Type.String())
		}
	}
	return b.String()
}

// Table is the path of the table a source reads or a sink writes; VALUES are a
// table named by their content; else "".
func (o *Op) Table() string {
	switch s := o.Spec.(type) {
	case Source:
		return s.Scan.Table.Path
	case GoSource:
		return s.Source.Name
	case Values:
		h := sha256.New()
		for _, row := range s.Rows {
			for _, e := range row {
				fmt.Fprintf(h, "%s %s\n", plan.String(e), e.Type())
			}
			h.Write([]byte("\n"))
		}
		return fmt.Sprintf("VALUES of %d rows (%x)", len(s.Rows), h.Sum(nil)[:8])
	case Sink:
		if s.Sink.Table != nil {
			return s.Sink.Table.Path
		}
	}
	return ""
}

func typedNames(s *types.Schema, cols []int) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = s.Fields[c].Name + " " + s.Fields[c].Type.String()
	}
	return strings.Join(parts, ", ")
}

// callTypes names calls with what they aggregate, but not their results.
func callTypes(calls []plan.AggCall, in *types.Schema) string {
	parts := make([]string, len(calls))
	for i, c := range calls {
		parts[i] = c.Fn.Name + "(" + typedNames(in, c.Args) + ") " + c.T.String()
		if c.Distinct {
			parts[i] += " distinct"
		}
		if c.Filter >= 0 {
			parts[i] += " filter " + in.Fields[c.Filter].Name
		}
	}
	return strings.Join(parts, ", ")
}
