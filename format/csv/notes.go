package csv

// What the manual says of the formats.
const (
	notes = `
Types: all but MAP, MULTISET, VARIANT, BITMAP and RAW; ARRAY and ROW of values that are not nested. Bytes are base64, times as in SQL.

- Blank lines hold no row, and with 'allow-comments' neither do lines that start with #.
- A record with more or fewer fields than columns is bad; with 'ignore-parse-errors' missing fields are NULL, and a record with too many holds no row.
- An empty field is the empty text in a STRING column and bad in others, unless the empty text is the 'null-literal'.
- A quote in the middle of a field that does not start with one is a quote. One that is not closed makes the record bad, to the end of the file or the longest record.
- Bytes that are no UTF-8 in a text that is read make the record bad.
`
)
