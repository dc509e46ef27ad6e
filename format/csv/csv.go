// Package csv is the CSV format: a record is a line with one field for each
// column, in their order. Line ends inside quotes belong to the field.
//
// What is not quite as it should be is treated thus:
//
//   - Blank lines hold no row, and with 'allow-comments' neither do lines that
//     start with #.
//   - A record with more or fewer fields than columns is bad; with
//     'ignore-parse-errors' missing fields are NULL, and a record with too many
//     holds no row.
//   - An empty field is the empty text in a STRING column and bad in a column of
//     another type, unless the empty text is the 'null-literal'.
//   - A quote in the middle of a field that does not start with one is a quote.
//     Behind the closing quote there may be blanks only.
//   - A quote that is not closed makes the record bad, and it reaches to the end of
//     the file or to the length that is the most for a record.
//   - Bytes that are no UTF-8 in a text that is asked for make the record bad.
package csv

import (
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/convert"
	"github.com/runnelio/runnel/option"
)

// Format is the format.
var Format = format.Define("csv", "Lines of fields with commas between them.", newFormat).Noted(notes)

type options struct {
	Delimiter    option.Char  `opt:"field-delimiter" default:"," doc:"Stands between fields; one character, such as \\t."`
	NoQuotes     bool         `opt:"disable-quote-character" default:"false" doc:"Quotes are characters like others."`
	Quote        *option.Char `opt:"quote-character" doc:"Stands around fields; \" if not given."`
	Comments     bool         `opt:"allow-comments" default:"false" doc:"Lines that start with # are left out."`
	IgnoreErrors bool         `opt:"ignore-parse-errors" default:"false" doc:"A field that does not convert is NULL, and a record that is no CSV is left out; otherwise the record is bad."`
	Elements     string       `opt:"array-element-delimiter" default:";" doc:"Stands between the elements of arrays and the fields of rows."`
	Escape       option.Char  `opt:"escape-character" doc:"Takes the next character as it is. Not set: none."`
	Null         *string      `opt:"null-literal" doc:"The text that means NULL. Not set: NULL is written as an empty field and not read."`
	Scientific   bool         `opt:"write-bigdecimal-in-scientific-notation" default:"true" doc:"Decimals are written with an exponent where Java does: 100000 is 1E+5."`
}

type csvFormat struct {
	*options
	delim  string
	quote  byte // 0: none
	escape byte // 0: none
}

func newFormat(o *options) (format.Format, error) {
	f := &csvFormat{options: o, delim: string(rune(o.Delimiter)), quote: '"'}
	if o.Delimiter == 0 || o.Delimiter == '\n' || o.Delimiter == '\r' {
		return nil, option.Errorf("field-delimiter", "is not possible")
	}
	if o.Quote != nil {
		if o.NoQuotes {
			return nil, option.Errorf("quote-character", "cannot be set together with 'disable-quote-character'")
		}
		if *o.Quote <= 0 || *o.Quote > 0x7F || *o.Quote == '\n' {
			return nil, option.Errorf("quote-character", "is no ASCII character")
		}
		f.quote = byte(*o.Quote)
	}
	if o.NoQuotes {
		f.quote = 0
	}
	if o.Escape > 0x7F {
		return nil, option.Errorf("escape-character", "is no ASCII character")
	}
	f.escape = byte(o.Escape)
	if o.Delimiter < 0x80 && (byte(o.Delimiter) == f.quote || byte(o.Delimiter) == f.escape) {
		return nil, option.Errorf("field-delimiter", "is the quote or escape character too")
	}
	if o.Elements == "" {
		return nil, option.Errorf("array-element-delimiter", "may not be empty")
	}
	return f, nil
}

func (f *csvFormat) conversion() convert.Options {
	o := convert.Options{Elements: f.Elements}
	if f.Null != nil {
		o.NullLiteral, o.HasNull = *f.Null, true
	}
	return o
}

// Framing implements format.Format.
func (f *csvFormat) Framing() format.Framing {
	if f.quote == 0 {
		return format.Lines
	}
	return format.Quoted
}

// QuoteChar implements format.Quoter.
func (f *csvFormat) QuoteChar() byte { return f.quote }

// Changelog implements format.Format.
func (f *csvFormat) Changelog() bool { return false }

// NewDecoder implements format.Format.
func (f *csvFormat) NewDecoder(d format.Decoding) (format.Decoder, error) { return newDecoder(f, d) }

// NewEncoder implements format.Format.
func (f *csvFormat) NewEncoder(e format.Encoding) (format.Encoder, error) { return newEncoder(f, e) }
