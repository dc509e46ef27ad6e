package physical

import (
	"fmt"
	"slices"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
)

// Normalize makes a whole changelog of a source's changes by key: upserts, or
// changes that can come twice.
type Normalize struct {
	Key          []int
	UpdateBefore bool
}

// Materialize turns a changelog by another key into upserts by a sink's.
type Materialize struct{ Key []int }

// Kind names the operators in EXPLAIN and metrics.
func (Normalize) Kind() string   { return "ChangelogNormalize" }
func (Materialize) Kind() string { return "SinkMaterialize" }

// Materializing says when sinks get a Materialize (table.exec.sink.upsert-materialize).
type Materializing uint8

// When sinks that take upserts get a Materialize.
const (
	MaterializeAuto  Materializing = iota // where the changelog's key is not the sink's
	MaterializeNone                       // never
	MaterializeForce                      // always
)

// scan plans a table's source, made whole where its changes are not.
func (b *builder) scan(n *plan.Scan) (*Op, error) {
	if n.Table.Connector.Source == nil {
		return nil, diag.At(n.Table.Span, diag.NotAllowed, "table %s: connector %s cannot be read from", n.Table.Path, n.Table.Connector.Name)
	}
	src, err := b.add(n, Source{n})
	if err != nil || !n.Table.Normalize {
		return src, err
	}
	key := sourceKey(n)
	if key == nil {
		return nil, diag.Bug("the primary key of %s is not read", n.Table.Path)
	}
	delete(b.ops, n)
	o, err := b.add(n, Normalize{Key: key})
	if err != nil {
		return nil, err
	}
	o.Inputs = []Edge{{From: src}}
	src.outs = append(src.outs, o)
	return o, nil
}

// materializes tells whether a sink's input must be brought to its key.
func (p *Plan) materializes(o *Op) bool {
	s, ok := o.Spec.(Sink)
	if !ok || s.Sink.Table == nil || s.Sink.Table.Connector.SinkChangelog != connector.Upsert || len(s.Sink.Table.PrimaryKey) == 0 {
		return false
	}
	in := o.Inputs[0].From
	switch p.Options.Materialize {
	case MaterializeNone:
		return false
	case MaterializeForce:
		return true
	}
	return in.Changelog != Append && (in.Key == nil || !sameSet(in.Key, s.Sink.Table.PrimaryKey))
}

// materialize puts a Materialize in front of sink o.
func (p *Plan) materialize(o *Op) *Op {
	in := o.Inputs[0].From
	n := 1
	for _, other := range p.Ops {
		if other == o {
			break
		}
		if _, ok := other.Spec.(Sink); ok {
			n++
		}
	}
	spec := Materialize{Key: o.Spec.(Sink).Sink.Table.PrimaryKey}
	m := &Op{ID: fmt.Sprintf("%s-%d", spec.Kind(), n), Spec: spec, Inputs: []Edge{{From: in}}, Out: in.Out, Parallel: p.Options.Parallelism, outs: []*Op{o}}
	in.outs[slices.Index(in.outs, o)] = m
	o.Inputs[0].From = m
	return m
}
