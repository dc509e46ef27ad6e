package json

// What the manual says of the formats.
const (
	notes = `
Types: all but VARIANT, BITMAP and RAW; the keys of maps are texts. Bytes are base64. A record is an object, or an array of objects.

- A field that is missing is NULL, unknown ones are passed over, of duplicate ones the last counts. A number in quotes is a number; what is no text is its JSON in a STRING column.
- The whole record must be JSON: what does not end, and anything behind the object, make it bad. Escapes in keys are read.
- Bytes that are no UTF-8 are as 'invalid-utf8' says. NaN and Infinity stand in quotes.
- Values are converted when they are read: what a query does not read, or reads only of rows that passed a filter, is not checked further.
- Records that are empty or blank hold no row.
`
)
