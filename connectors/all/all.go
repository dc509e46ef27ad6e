// Package all lists the connectors of the binary.
package all

import (
	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/file"
)

// Connectors returns all connectors, one line each.
func Connectors() connector.Set {
	return connector.Set{
		file.Connector,
	}
}
