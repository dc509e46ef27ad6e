package logfmt

// What the manual says of the formats.
const (
	notes = `
Types: all that are not nested, but VARIANT, BITMAP and RAW. Bytes are base64, times as in SQL.

- A key alone has the text true: TRUE in a BOOLEAN column. Of equal keys the last counts; unknown ones are passed over; one that is missing is NULL.
- Values in quotes have the escapes of JSON. A quote that is not closed, or something behind it, and a = without a key make the record bad.
- NULL is not written. Column names with blanks, = or quotes cannot be written.
`
)
