package parquet

// What the manual says of the formats.
const (
	notes = `
Files only.

| type | read from | written as |
| - | - | - |
| BOOLEAN | BOOLEAN | BOOLEAN |
| TINYINT, SMALLINT, INT, BIGINT | INT32 and INT64 that fit, signed or not | INT32 and INT64 with their width |
| FLOAT, DOUBLE | FLOAT, DOUBLE, INT32, INT64 | FLOAT, DOUBLE |
| DECIMAL(p, s) | DECIMAL of INT32, INT64, BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY, whole numbers; rounded to the scale, NULL if it does not fit | INT32 to p = 9, INT64 to 18, FIXED_LEN_BYTE_ARRAY(16) |
| CHAR, VARCHAR, STRING, BINARY, VARBINARY, BYTES | BYTE_ARRAY, FIXED_LEN_BYTE_ARRAY | BYTE_ARRAY |
| DATE | DATE | DATE |
| TIME | TIME of any unit | TIME in milliseconds |
| TIMESTAMP, TIMESTAMP_LTZ | TIMESTAMP of any unit, INT96 | TIMESTAMP, or INT96 |
| ARRAY, MAP, MULTISET, ROW | LIST (also its old forms), MAP, groups; nested in any way | LIST, MAP, groups |

- Columns are found by name, whatever its case if there is no equal one; a nullable one that is missing is NULL.
- What is left out: columns and fields of rows that a query does not read. Row groups whose statistics say that no row can keep a condition column op constant, with
  = < <= > >= BETWEEN, or to be in the range of an IN's constants, on a column that is not nested, of the types TINYINT to BIGINT, DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ, DECIMAL held in INT32 or INT64, and texts
  and bytes; and row groups where such a column is NULL only. In the row groups that stay, pages are left out in the same way where the file has a page index
  (written files have), but for columns in LZ4_RAW. FLOAT and DOUBLE leave out nothing, because NaN is in no statistics; neither do bloom filters and dictionaries.
- Encrypted files and the codecs LZO and LZ4 (without RAW) are refused.
`
)
