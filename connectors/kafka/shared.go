package kafka

import (
	"fmt"
	"maps"

	"github.com/runnelio/runnel/connector"
)

// Data implements connector.Sharer: the topics, where they are, and what is seen
// of them. The group and the starting point are each job's own. An end that is
// asked for when reading begins is another for everyone who asks.
func (s *source) Data() string {
	o := s.o
	if o.Bounded == "latest-offset" || o.Bounded == "group-offsets" {
		return ""
	}
	properties := maps.Clone(o.Properties)
	delete(properties, "group.id")
	delete(properties, "client.id")
	var until int64
	if o.EndMs != nil {
		until = *o.EndMs
	}
	return fmt.Sprintf("%q %q %q %v %q %q %q %q %d %q %d", o.Topic, o.Pattern, o.Servers, properties, o.KeyFields, o.KeyPrefix, o.FieldsInclude,
		o.Bounded, until, o.EndOffsets, o.MaxRecord) // fmt prints maps sorted by key
}

// Start implements connector.Sharer.
func (s *source) Start() string {
	o := s.o
	var from int64
	if o.StartMs != nil {
		from = *o.StartMs
	}
	if o.Startup == "group-offsets" || o.Startup == "specific-offsets" { // what is not given begins at the group's
		return fmt.Sprintf("%q %q %q %q", o.Startup, o.Specific, o.group(), o.Properties["auto.offset.reset"])
	}
	return fmt.Sprintf("%q %d", o.Startup, from)
}

var _ connector.Sharer = (*source)(nil)
