// Package all lists the connectors of the binary.
package all

import (
	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/blackhole"
	"github.com/runnelio/runnel/connectors/datagen"
	"github.com/runnelio/runnel/connectors/file"
	"github.com/runnelio/runnel/connectors/kafka"
	"github.com/runnelio/runnel/connectors/print"
	"github.com/runnelio/runnel/connectors/rocketmq"
	"github.com/runnelio/runnel/connectors/stdio"
)

// Connectors returns all connectors, one line each. Those of package memory are
// made by a store, so they are not among them.
func Connectors() connector.Set {
	return connector.Set{
		blackhole.Connector,
		datagen.Connector,
		file.Connector,
		kafka.Connector,
		kafka.Upsert,
		print.Connector,
		rocketmq.Connector,
		stdio.Stdin,
		stdio.Stdout,
	}
}
