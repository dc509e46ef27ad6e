// Package all lists the formats of the binary.
package all

import (
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
)

// Formats returns all formats, one line each.
func Formats() format.Set {
	return format.Set{
		json.Format,
	}
}
