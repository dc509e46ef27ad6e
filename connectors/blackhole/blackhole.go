// Package blackhole is a sink that takes all rows and keeps none.
package blackhole

import (
	"context"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/vector"
)

// Connector is the connector.
var Connector = connector.Define("blackhole", "Takes all rows and keeps none, for measuring.", connector.Spec[struct{}]{
	Sink: func(*connector.Context, *connector.Table, *struct{}) (connector.Sink, error) {
		return sink{}, nil
	},
	SinkChangelog: connector.Retract,
})

type sink struct{}

func (sink) Write(context.Context, *vector.Batch) error { return nil }
func (sink) Close(context.Context) error                { return nil }
