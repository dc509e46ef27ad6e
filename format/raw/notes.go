package raw

// What the manual says of the formats.
const (
	notes = `
One column: CHAR, VARCHAR, STRING, BINARY, VARBINARY, BYTES, BOOLEAN (a byte), TINYINT to BIGINT, FLOAT or DOUBLE in binary, of their length. A record of another length is bad;
one without a value is NULL. In files and on standard streams a record is a line.
`
)
