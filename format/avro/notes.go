package avro

// What the manual says of the formats.
const (
	notes = `
In files the object container file, whose schema is resolved against the columns; in messages the bare datum.

| type | read from | written as |
| - | - | - |
| BOOLEAN | boolean | boolean |
| TINYINT, SMALLINT, INT | int, long that fit | int |
| BIGINT | int, long | long |
| FLOAT, DOUBLE | float, double, int, long | float, double |
| DECIMAL | bytes and fixed with decimal, int, long; rounded to the scale, NULL if it does not fit | bytes with decimal |
| CHAR, VARCHAR, STRING | string, bytes, enum | string |
| BINARY, VARBINARY, BYTES | bytes, string, fixed | bytes |
| DATE | int, long (date) | int (date) |
| TIME | time-millis, time-micros | time-millis; TIME(4) and more is refused |
| TIMESTAMP, TIMESTAMP_LTZ | timestamp-millis, -micros, -nanos, local-timestamp-*, long in milliseconds | timestamp-millis to 3 digits, -micros to 6, -nanos to 9 |
| ARRAY | array | array |
| MAP, MULTISET with texts as keys | map | map |
| ROW | record | record |

- A nullable type is a union with null. Of other unions the branch that the writer chose is read if it fits the column, and is an error of the record if not.
- Evolution: fields are found by name, whatever its case if there is no equal one. Columns that were not written are NULL (an error when they are NOT NULL), fields without a
  column are passed over, numbers may be wider in the table. Defaults and aliases of a schema are not looked at.
- With 'schema' rows are written by it: enum, fixed, the order of its fields, unions (the first branch that takes the column's type), fields without a column as null. A value that
  does not fit is an error.
- Under 'encoding' = 'json' values of unions but null stand in an object with the name of the branch, bytes are texts with a character for each byte.
`
	confluentNotes = `
Types as for avro. A message is 0, four bytes with the id of a schema, and a datum.

- Each message is read by its own schema, so that a topic may have many. A schema is asked for once; that there is none of that id, or no Avro schema, is kept for
  ten seconds. References to schemas of other subjects are followed.
- A message that begins otherwise, or whose schema does not fit the columns, is bad: as on-error says. A registry that does not answer is asked five times.
- The schema of written messages is registered under the subject with the first row.
`
	debeziumNotes = `
The envelope has before, after and op; of op c and r are +I, u is -U and +U, d is -D. Types and registry as for avro-confluent. Written are +I and +U as c, -U and -D
as d. A change without the row it needs is bad, and so is any other op. Records without a value hold no row. METADATA columns are of ts_ms and source of the writer's schema, NULL if
it has no such fields; source.properties has the fields of simple types.
`
)
