package rocketmq

import (
	"fmt"

	"github.com/runnelio/runnel/connector"
)

// Data implements connector.Sharer: the topics, where they are, and what is seen
// of them. The group and the starting point are each job's own. An end that is
// asked for when reading begins is another for everyone who asks.
func (s *source) Data() string {
	o := s.o
	if s.span.until == "latest" {
		return ""
	}
	return fmt.Sprintf("%q %q %q %q %q %q %t %q %q %t %q %q %q %d %q %d %t %t %t %q", o.Topic, o.NameServer, o.Namespace, o.AccessKey, o.SecretKey, o.SecurityToken,
		o.TLS, o.TLSCA, o.TLSName, o.TLSNoVerify, o.Tag, o.SQL, s.span.until, s.span.untilAt.UnixMilli(), o.EndOffsets, o.MaxRecord, o.Dedupe, o.JSONData, o.JSONArray, o.Delimiter)
}

// Start implements connector.Sharer. What is not given begins at the group's offset.
func (s *source) Start() string {
	o := s.o
	var ms, at int64 = -1, -1
	if o.StartMs != nil {
		ms = *o.StartMs
	}
	if o.StartAt != nil {
		at = *o.StartAt
	}
	return fmt.Sprintf("%q %q %d %q %d %q %q %q", o.Startup, o.Reset, ms, o.StartTime, at, o.Specific, o.Zone, o.Group)
}

var _ connector.Sharer = (*source)(nil)
