// Package print is a sink that prints rows with their kind, as +I[1, ann].
package print

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/vector"
)

// Connector is the connector.
var Connector = connector.Define("print", "Prints rows with their kind, as +I[1, ann].", connector.Spec[options]{
	Sink:          newSink,
	SinkChangelog: connector.Retract,
})

type options struct {
	Identifier string `opt:"print-identifier" doc:"Stands in front of each row, with > behind it."`
	Stderr     bool   `opt:"standard-error" default:"false" doc:"Print to the standard error instead of the standard output."`
}

// sink prints the rows of a batch by one write.
type sink struct {
	out    interface{ Write([]byte) (int, error) }
	prefix string
	line   []byte
}

func newSink(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
	if cx.IO == nil {
		return nil, errors.New("print: there is no terminal to print to")
	}
	s := &sink{out: cx.IO.Out}
	if o.Stderr {
		s.out = cx.IO.Err
	}
	// As in Flink: identifier:subtask> where there are several subtasks.
	switch {
	case o.Identifier != "" && t.Parallel > 1:
		s.prefix = o.Identifier + ":" + strconv.Itoa(t.Subtask+1) + "> "
	case o.Identifier != "":
		s.prefix = o.Identifier + "> "
	case t.Parallel > 1:
		s.prefix = strconv.Itoa(t.Subtask+1) + "> "
	}
	return s, nil
}

// Write implements connector.Sink.
func (s *sink) Write(_ context.Context, b *vector.Batch) error {
	s.line = s.line[:0]
	b.Rows(func(i int) {
		s.line = append(s.line, s.prefix...)
		s.line = append(s.line, b.Kind(i).String()...)
		s.line = append(s.line, '[')
		for c, v := range b.Cols {
			if c > 0 {
				s.line = append(s.line, ", "...)
			}
			s.line = appendCell(s.line, v, b.Schema.Fields[c].Type, i)
		}
		s.line = append(s.line, ']', '\n')
	})
	if _, err := s.out.Write(s.line); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// Close implements connector.Sink.
func (s *sink) Close(context.Context) error { return nil }
