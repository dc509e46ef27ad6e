// Package types is the vocabulary of values: the logical types of Flink SQL,
// schemas, row kinds, and the Go values that stand for SQL values outside of
// vectors (literals, printing, collections).
//
// type.go has the types and their physical kinds, schema.go schemas and row
// kinds, decimal.go the 128-bit decimal, timestamp.go points in time,
// format.go and parse.go the text form of values, cast.go and derive.go
// which conversions exist and which type several types have in common.
package types

// Kind is the root of a logical type.
type Kind uint8

// The kinds. Null is the type of a bare NULL, before a context gives it one.
const (
	Null Kind = iota
	Boolean
	TinyInt
	SmallInt
	Int
	BigInt
	Float
	Double
	Decimal
	Char
	VarChar // STRING is VARCHAR(MaxLength)
	Binary
	VarBinary // BYTES is VARBINARY(MaxLength)
	Date
	Time
	Timestamp
	TimestampLTZ
	IntervalYM // INTERVAL YEAR TO MONTH family, months
	IntervalDS // INTERVAL DAY TO SECOND family, milliseconds
	Array
	Multiset
	Map
	Row
	Variant
	Bitmap
	Raw
	Symbol     // TIMEPOINT units, JSON options: compile time only
	Descriptor // DESCRIPTOR(col): compile time only
)

// MaxLength is the length of STRING and BYTES.
const MaxLength = 1<<31 - 1

// MaxDecimalPrecision is the largest number of decimal digits.
const MaxDecimalPrecision = 38

// TimeAttr says whether a timestamp column carries time for the engine.
type TimeAttr uint8

// The time attributes.
const (
	NoTime   TimeAttr = iota
	Rowtime           // event time: a watermark is declared on it
	Proctime          // processing time: read from the clock
)

// Type is a logical SQL type. It is a value: copy it freely, never change one
// that was handed on. The zero Type is the type of NULL, not nullable.
type Type struct {
	Kind     Kind
	Nullable bool
	Attr     TimeAttr
	// Prec is the length of CHAR, VARCHAR, BINARY, VARBINARY, the number of
	// digits of DECIMAL, the fraction digits (0 to 9) of TIME, TIMESTAMP,
	// TIMESTAMP_LTZ and INTERVAL SECOND, the leading digits of INTERVAL YEAR.
	Prec   int
	Scale  int     // of DECIMAL
	Unit   string  // of intervals: as declared, such as "DAY TO SECOND"; informative
	Elem   *Type   // of ARRAY and MULTISET; the value of MAP
	Key    *Type   // of MAP
	Fields []Field // of ROW
	Class  string  // of RAW and structured types
}

// Field is a named column of a row or schema.
type Field struct {
	Name    string
	Type    Type
	Comment string
}

// Phys is how values of a type are held in vectors.
type Phys uint8

// The physical kinds with their Go element type.
const (
	PhysNone Phys = iota
	PhysBool      // bool
	PhysI8        // int8
	PhysI16       // int16
	PhysI32       // int32: INT, DATE (days since 1970), TIME (ms of day), INTERVAL YEAR..MONTH (months)
	PhysI64       // int64: BIGINT, INTERVAL DAY..SECOND (ms)
	PhysF32       // float32
	PhysF64       // float64
	PhysDec       // Dec: DECIMAL, the scale is in the type
	PhysStr       // string: character and binary strings, VARIANT, BITMAP, RAW (encoded)
	PhysTs        // TS: TIMESTAMP (as if UTC) and TIMESTAMP_LTZ (UTC)
	PhysList      // *vector.List: ARRAY
	PhysMap       // *vector.Map: MAP, MULTISET (element to INT count)
	PhysRow       // *vector.Row: ROW
)

var physOf = [...]Phys{
	Null: PhysBool, Boolean: PhysBool, TinyInt: PhysI8, SmallInt: PhysI16, Int: PhysI32, BigInt: PhysI64,
	Float: PhysF32, Double: PhysF64, Decimal: PhysDec, Char: PhysStr, VarChar: PhysStr, Binary: PhysStr,
	VarBinary: PhysStr, Date: PhysI32, Time: PhysI32, Timestamp: PhysTs, TimestampLTZ: PhysTs,
	IntervalYM: PhysI32, IntervalDS: PhysI64, Array: PhysList, Multiset: PhysMap, Map: PhysMap, Row: PhysRow,
	Variant: PhysStr, Bitmap: PhysStr, Raw: PhysStr, Symbol: PhysStr, Descriptor: PhysStr,
}

// Phys returns how values of t are held in vectors.
func (t Type) Phys() Phys { return physOf[t.Kind] }

// Null returns t with nullability set to nullable.
func (t Type) WithNull(nullable bool) Type { t.Nullable = nullable; return t }

// NotNull returns t as NOT NULL.
func (t Type) NotNull() Type { t.Nullable = false; return t }

// OrNull returns t as nullable.
func (t Type) OrNull() Type { t.Nullable = true; return t }

// Plain returns t without a time attribute.
func (t Type) Plain() Type { t.Attr = NoTime; return t }

// The constructors give nullable types, as a column declaration does.
func Of(k Kind) Type { return Type{Kind: k, Nullable: true} }

// String type constructors.
func String() Type           { return Type{Kind: VarChar, Nullable: true, Prec: MaxLength} }
func Bytes() Type            { return Type{Kind: VarBinary, Nullable: true, Prec: MaxLength} }
func VarCharOf(n int) Type   { return Type{Kind: VarChar, Nullable: true, Prec: n} }
func CharOf(n int) Type      { return Type{Kind: Char, Nullable: true, Prec: n} }
func VarBinaryOf(n int) Type { return Type{Kind: VarBinary, Nullable: true, Prec: n} }
func BinaryOf(n int) Type    { return Type{Kind: Binary, Nullable: true, Prec: n} }

// DecimalOf returns DECIMAL(p, s).
func DecimalOf(p, s int) Type { return Type{Kind: Decimal, Nullable: true, Prec: p, Scale: s} }

// TimestampOf returns TIMESTAMP(p).
func TimestampOf(p int) Type { return Type{Kind: Timestamp, Nullable: true, Prec: p} }

// TimestampLTZOf returns TIMESTAMP_LTZ(p).
func TimestampLTZOf(p int) Type { return Type{Kind: TimestampLTZ, Nullable: true, Prec: p} }

// TimeOf returns TIME(p).
func TimeOf(p int) Type { return Type{Kind: Time, Nullable: true, Prec: p} }

// ArrayOf returns ARRAY<elem>.
func ArrayOf(elem Type) Type { return Type{Kind: Array, Nullable: true, Elem: &elem} }

// MultisetOf returns MULTISET<elem>.
func MultisetOf(elem Type) Type { return Type{Kind: Multiset, Nullable: true, Elem: &elem} }

// MapOf returns MAP<key, value>.
func MapOf(key, value Type) Type { return Type{Kind: Map, Nullable: true, Key: &key, Elem: &value} }

// RowOf returns ROW<fields>.
func RowOf(fields ...Field) Type { return Type{Kind: Row, Nullable: true, Fields: fields} }

// Equal tells whether t and u are the same type, nullability, precisions and
// field names included; comments, time attributes and interval units aside.
func (t Type) Equal(u Type) bool { return t.Nullable == u.Nullable && t.Same(u) }

// Same is Equal without the nullability of the outermost type.
func (t Type) Same(u Type) bool {
	if t.Kind != u.Kind || t.Prec != u.Prec || t.Scale != u.Scale || t.Class != u.Class || len(t.Fields) != len(u.Fields) {
		return false
	}
	if (t.Elem == nil) != (u.Elem == nil) || (t.Key == nil) != (u.Key == nil) {
		return false
	}
	if t.Elem != nil && !t.Elem.Equal(*u.Elem) || t.Key != nil && !t.Key.Equal(*u.Key) {
		return false
	}
	for i := range t.Fields {
		if t.Fields[i].Name != u.Fields[i].Name || !t.Fields[i].Type.Equal(u.Fields[i].Type) {
			return false
		}
	}
	return true
}

// IsInteger tells whether t is TINYINT, SMALLINT, INT or BIGINT.
func (t Type) IsInteger() bool { return t.Kind >= TinyInt && t.Kind <= BigInt }

// IsExact tells whether t is an integer or DECIMAL.
func (t Type) IsExact() bool { return t.IsInteger() || t.Kind == Decimal }

// IsApprox tells whether t is FLOAT or DOUBLE.
func (t Type) IsApprox() bool { return t.Kind == Float || t.Kind == Double }

// IsNumeric tells whether t is a number.
func (t Type) IsNumeric() bool { return t.Kind >= TinyInt && t.Kind <= Decimal }

// IsChar tells whether t is CHAR, VARCHAR or STRING.
func (t Type) IsChar() bool { return t.Kind == Char || t.Kind == VarChar }

// IsBinary tells whether t is BINARY, VARBINARY or BYTES.
func (t Type) IsBinary() bool { return t.Kind == Binary || t.Kind == VarBinary }

// IsTimestamp tells whether t is TIMESTAMP or TIMESTAMP_LTZ.
func (t Type) IsTimestamp() bool { return t.Kind == Timestamp || t.Kind == TimestampLTZ }

// IsTemporal tells whether t is a date, time or timestamp.
func (t Type) IsTemporal() bool { return t.Kind >= Date && t.Kind <= TimestampLTZ }

// IsInterval tells whether t is an interval.
func (t Type) IsInterval() bool { return t.Kind == IntervalYM || t.Kind == IntervalDS }

// IsCollection tells whether t is an array, multiset or map.
func (t Type) IsCollection() bool { return t.Kind >= Array && t.Kind <= Map }

// IsNested tells whether t is a collection or a row.
func (t Type) IsNested() bool { return t.Kind >= Array && t.Kind <= Row }
