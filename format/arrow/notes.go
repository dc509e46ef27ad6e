package arrow

// What the manual says of the formats.
const (
	notes = `
Read and written on files, on stdin and stdout (as one stream) and in messages. A message is a stream or file of its own: of any number of rows when it
is read, of one row when it is written, with its schema each time.

| type | read from | written as |
| - | - | - |
| BOOLEAN | Bool | Bool |
| TINYINT, SMALLINT, INT, BIGINT | Int and UInt of 8 to 64 bits that fit | Int8, Int16, Int32, Int64 |
| FLOAT, DOUBLE | FloatingPoint of 16, 32 and 64 bits, Int, UInt | Float32, Float64 |
| DECIMAL | Decimal of 32 to 256 bits, Int, UInt; rounded to the scale, NULL if it does not fit | Decimal128 |
| CHAR, VARCHAR, STRING, BINARY, VARBINARY, BYTES | Utf8, Binary, their Large and View forms, FixedSizeBinary; texts must be UTF-8 | Utf8, Binary |
| DATE | Date32, Date64 | Date32 |
| TIME(p) | Time32, Time64 | seconds for p = 0, milliseconds to 3, microseconds to 6, nanoseconds to 9 |
| TIMESTAMP(p), TIMESTAMP_LTZ(p) | Timestamp of any unit; the instant in UTC, whatever zone is named | the same units; TIMESTAMP_LTZ with the zone UTC |
| INTERVAL | Interval of months; Duration | the same |
| ARRAY | List, LargeList, FixedSizeList | List |
| MAP, MULTISET | Map; a multiset has counts as values | Map |
| ROW | Struct | Struct |

- Any of them may be NULL by a bitmap, or all by the type Null. Dictionaries are read (also those that grow or are replaced), but for those of nested values;
  written are none. Buffers compressed by LZ4 and ZSTD are read. Not supported, and refused with the name of the column: Union, RunEndEncoded, ListView,
  big-endian data, and VARIANT, BITMAP and RAW.
- Columns are found by name, whatever its case if there is no equal one; a nullable one that is missing is NULL. Only the buffers of the wanted columns are
  read, and of a row those of its wanted fields. There are no statistics, so that conditions leave out nothing.
- A file is read by its footer, a stream by its messages. One that is cut off is an error; a message that is bad is treated as on-error says.
`
)
