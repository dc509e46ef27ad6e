package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// maxTypeDepth bounds the nesting of data types.
const maxTypeDepth = 64

// dataType reads a data type with its nullability.
func (p *parser) dataType() *ast.DataType { return p.typeAt(0) }

func (p *parser) typeAt(depth int) *ast.DataType {
	start := p.tok.Span
	if depth > maxTypeDepth {
		p.failWith(diag.At(start, diag.Limit, "a data type nested more than %d levels deep", maxTypeDepth))
		return &ast.DataType{}
	}
	t := &ast.DataType{Type: p.typeRoot(depth)}
	t.Type.Nullable = true
	for !p.failed {
		switch {
		case p.accept("NOT", "NULL"):
			t.NotNull, t.Null, t.Type.Nullable = true, false, false
		case p.at("NULL") && !t.Null && !t.NotNull && p.peek(1).Keyword != "ON": // not that of NULL ON EMPTY
			p.advance()
			t.Null = true
		case p.at("ARRAY") || p.at("MULTISET"):
			if depth++; depth > maxTypeDepth {
				p.failWith(diag.At(start, diag.Limit, "a data type nested more than %d levels deep", maxTypeDepth))
				break
			}
			elem := t.Type
			if p.accept("ARRAY") {
				t.Type = types.ArrayOf(elem)
			} else {
				p.advance()
				t.Type = types.MultisetOf(elem)
			}
			t.Null, t.NotNull = false, false
		default:
			t.Place = p.place(start)
			return t
		}
	}
	return t
}

// simpleTypes are the types without arguments.
var simpleTypes = map[string]types.Type{
	"BOOLEAN": types.Of(types.Boolean), "TINYINT": types.Of(types.TinyInt), "SMALLINT": types.Of(types.SmallInt),
	"INT": types.Of(types.Int), "INTEGER": types.Of(types.Int), "BIGINT": types.Of(types.BigInt),
	"FLOAT": types.Of(types.Float), "DATE": types.Of(types.Date), "STRING": types.String(), "BYTES": types.Bytes(),
	"VARIANT": types.Of(types.Variant), "BITMAP": types.Of(types.Bitmap), "NULL": types.Of(types.Null),
}

// typeNames are the names that a type may start with, for hints.
var typeNames = []string{
	"BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "DEC", "NUMERIC", "CHAR", "CHARACTER",
	"VARCHAR", "STRING", "BINARY", "VARBINARY", "BYTES", "DATE", "TIME", "TIMESTAMP", "TIMESTAMP_LTZ", "INTERVAL", "ARRAY", "MULTISET",
	"MAP", "ROW", "RAW", "STRUCTURED", "VARIANT", "BITMAP",
}

func (p *parser) typeRoot(depth int) types.Type {
	t := p.tok
	if t.Kind != Word {
		p.fail("a data type")
		return types.Type{}
	}
	word := t.Keyword
	if simple, ok := simpleTypes[word]; ok {
		p.advance()
		return simple
	}
	switch word {
	case "DOUBLE":
		p.advance()
		p.accept("PRECISION")
		return types.Of(types.Double)
	case "DECIMAL", "DEC", "NUMERIC":
		p.advance()
		return p.decimalType(t)
	case "CHAR", "CHARACTER", "VARCHAR", "BINARY", "VARBINARY":
		p.advance()
		return p.stringType(word)
	case "TIME", "TIMESTAMP", "TIMESTAMP_LTZ":
		p.advance()
		return p.timeType(t)
	case "INTERVAL":
		p.advance()
		return p.intervalType()
	case "ARRAY", "MULTISET", "MAP":
		p.advance()
		return p.collectionType(word, depth)
	case "ROW":
		p.advance()
		return p.rowType(depth)
	case "STRUCTURED":
		p.advance()
		return p.structuredType(depth)
	case "RAW":
		p.advance()
		return p.rawType()
	}
	err := diag.At(t.Span, diag.UnknownName, "there is no data type %s", t.Text).DidYouMean(strings.ToUpper(t.Text), typeNames)
	switch strings.ToUpper(t.Text) {
	case "TEXT", "LONGVARCHAR", "CLOB", "NVARCHAR":
		err.Hint("text of any length is STRING")
	case "BLOB", "BYTEA":
		err.Hint("bytes of any length are BYTES")
	case "DATETIME":
		err.Hint("a date and time is TIMESTAMP(3)")
	case "REAL":
		err.Hint("a 4-byte number is FLOAT")
	case "LONG":
		err.Hint("an 8-byte integer is BIGINT")
	}
	p.failWith(err)
	return types.Type{}
}

// size reads (n), or returns def. The number is at least least and at most most.
func (p *parser) size(name string, def, least, most int) int {
	if !p.acceptOp("(") {
		return def
	}
	at := p.tok.Span
	n := p.smallInt("a number")
	p.expectOp(")")
	if (n < least || n > most) && !p.failed {
		p.failWith(diag.At(at, diag.BadValue, "%s takes a number between %d and %d", name, least, most))
	}
	return n
}

func (p *parser) decimalType(t Token) types.Type {
	prec, scale := 10, 0
	if p.acceptOp("(") {
		prec = p.smallInt("the number of digits")
		if p.acceptOp(",") {
			scale = p.smallInt("the number of digits behind the point")
		}
		p.expectOp(")")
	}
	if !p.failed && (prec < 1 || prec > types.MaxDecimalPrecision || scale > prec) {
		p.failWith(diag.At(t.Span.To(p.prev), diag.BadValue, "%s has 1 to %d digits, of which at most all are behind the point", t.Keyword, types.MaxDecimalPrecision))
	}
	return types.DecimalOf(prec, scale)
}

// stringType reads the rest of a type of texts or bytes. Without a length one
// character is meant, but in rsqldb any length.
func (p *parser) stringType(word string) types.Type {
	if word == "CHARACTER" {
		word = "CHAR"
	}
	if (word == "CHAR" || word == "BINARY") && p.accept("VARYING") {
		word = "VAR" + word
	}
	def := 1
	if p.rsqldb && strings.HasPrefix(word, "VAR") {
		def = types.MaxLength
	}
	n := p.size(word, def, 1, types.MaxLength)
	switch word {
	case "CHAR":
		return types.CharOf(n)
	case "VARCHAR":
		return types.VarCharOf(n)
	case "BINARY":
		return types.BinaryOf(n)
	}
	return types.VarBinaryOf(n)
}

// timeType reads the rest of TIME, TIMESTAMP and TIMESTAMP_LTZ. rsqldb's
// TIMESTAMP is one of milliseconds.
func (p *parser) timeType(t Token) types.Type {
	def := map[string]int{"TIME": 0, "TIMESTAMP": 6, "TIMESTAMP_LTZ": 6}[t.Keyword]
	if p.rsqldb && def > 0 {
		def = 3
	}
	n := p.size(t.Keyword, def, 0, 9)
	switch {
	case p.accept("WITHOUT"):
		p.expect("TIME", "ZONE")
	case p.accept("WITH"):
		if t.Keyword == "TIMESTAMP" && p.accept("LOCAL") {
			p.expect("TIME", "ZONE")
			return types.TimestampLTZOf(n)
		}
		p.refuse(t.Span, "%s WITH TIME ZONE is not supported", t.Keyword).Hint("a point in time is TIMESTAMP_LTZ(3)")
	}
	switch t.Keyword {
	case "TIME":
		return types.TimeOf(n)
	case "TIMESTAMP_LTZ":
		return types.TimestampLTZOf(n)
	}
	return types.TimestampOf(n)
}

// intervalType reads the unit of INTERVAL; all intervals of months are one
// type, and so are all of seconds. The unit is kept as information.
func (p *parser) intervalType() types.Type {
	u := p.intervalUnit()
	t := types.Type{Kind: types.IntervalDS, Prec: 3, Unit: u.From}
	if u.To != "" {
		t.Unit += " TO " + u.To
	}
	switch u.From {
	case "YEAR", "QUARTER", "MONTH":
		t.Kind, t.Prec = types.IntervalYM, 0
	}
	return t
}

func (p *parser) collectionType(word string, depth int) types.Type {
	p.expectOp("<")
	elem := p.typeAt(depth + 1).Type
	switch word {
	case "MULTISET":
		p.expectOp(">")
		return types.MultisetOf(elem)
	case "MAP":
		p.expectOp(",")
		value := p.typeAt(depth + 1).Type
		p.expectOp(">")
		return types.MapOf(elem, value)
	}
	p.expectOp(">")
	return types.ArrayOf(elem)
}

// rowType reads <a INT, …> or (a INT, …); an empty ROW<> comes as the operator <>.
func (p *parser) rowType(depth int) types.Type {
	switch {
	case p.acceptOp("<>"):
		return types.RowOf()
	case p.acceptOp("("):
		fields := p.typeFields(")", depth)
		p.expectOp(")")
		return types.RowOf(fields...)
	}
	p.expectOp("<")
	fields := p.typeFields(">", depth)
	p.expectOp(">")
	return types.RowOf(fields...)
}

func (p *parser) typeFields(end string, depth int) []types.Field {
	if p.atOp(end) {
		return nil
	}
	return list(p, func() types.Field {
		f := types.Field{Name: p.ident("the name of a field").Name}
		f.Type = p.typeAt(depth + 1).Type
		if p.tok.Kind == String {
			f.Comment = p.stringLit().Value
		}
		return f
	})
}

// structuredType reads <'class', a INT, …>.
func (p *parser) structuredType(depth int) types.Type {
	p.expectOp("<")
	t := types.RowOf()
	t.Class = p.str("the name of a class in quotes").Value
	if p.acceptOp(",") {
		t.Fields = p.typeFields(">", depth)
	}
	p.expectOp(">")
	return t
}

// rawType reads ('class', 'serialized serializer').
func (p *parser) rawType() types.Type {
	p.expectOp("(")
	t := types.Of(types.Raw)
	t.Class = p.str("the name of a class in quotes").Value
	p.expectOp(",")
	p.str("the serializer in quotes")
	p.expectOp(")")
	return t
}
