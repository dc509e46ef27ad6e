package protobuf

// What the manual says of the formats.
const (
	notes = `
| type | fields |
| - | - |
| BOOLEAN | bool |
| TINYINT, SMALLINT, INT | int32, uint32, sint32, fixed32, sfixed32, as Java has them; enum by number (INT) |
| BIGINT | these, and int64, uint64, sint64, fixed64, sfixed64; what is above 2^63 is negative, as in Java |
| FLOAT, DOUBLE | float, double |
| CHAR, VARCHAR, STRING | string; enum by name, its number if it has none |
| BINARY, VARBINARY, BYTES | bytes |
| ARRAY | repeated, packed or not |
| MAP | map |
| ROW | message, group |
| TIMESTAMP, TIMESTAMP_LTZ | google.protobuf.Timestamp |

- Columns are fields by name, all of which the message must have; fields without a column are passed over. Fields of a oneof are columns like others: those that are not
  there are NULL.
- Presence: fields of proto2, optional fields of proto3, those of a oneof and messages are NULL where they are not there, or have their default with 'read-default-values'.
  Plain fields of proto3 have their default. A required field that is not there makes the message bad, and cannot be written as NULL.
- Written are all columns that are not NULL. In arrays and maps NULL becomes 'write-null-string-literal', 0, FALSE or the empty message.
- The descriptor set is read when the table is used; files of editions are refused.
`
)
