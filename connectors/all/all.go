// Package all lists the connectors of the binary.
package all

import "github.com/runnelio/runnel/connector"

// Connectors returns all connectors, one line each.
func Connectors() connector.Set {
	return connector.Set{}
}
