// Package all lists the formats of the binary.
package all

import (
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/arrow"
	"github.com/runnelio/runnel/format/avro"
	"github.com/runnelio/runnel/format/changelog"
	"github.com/runnelio/runnel/format/csv"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/format/logfmt"
	"github.com/runnelio/runnel/format/parquet"
	"github.com/runnelio/runnel/format/protobuf"
	"github.com/runnelio/runnel/format/raw"
)

// Formats returns all formats, one line each.
func Formats() format.Set {
	return format.Set{
		arrow.Format,
		avro.Confluent,
		avro.Debezium,
		avro.Format,
		changelog.Canal,
		changelog.Debezium,
		changelog.Maxwell,
		changelog.Ogg,
		csv.Format,
		json.Format,
		logfmt.Format,
		parquet.Format,
		protobuf.Format,
		raw.Format,
	}
}
