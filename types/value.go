package types

// A Value is a SQL value outside of a vector: a literal, an element of a
// collection, a cell to print. Its dynamic Go type follows from the SQL type:
//
//	NULL of any type                     nil
//	BOOLEAN                              bool
//	TINYINT, SMALLINT, INT, BIGINT       int8, int16, int32, int64
//	FLOAT, DOUBLE                        float32, float64
//	DECIMAL(p, s)                        Dec (unscaled; s is in the type)
//	CHAR, VARCHAR, BINARY, VARBINARY     string
//	DATE                                 int32, days since 1970-01-01
//	TIME                                 int32, milliseconds of the day
//	TIMESTAMP, TIMESTAMP_LTZ             TS
//	INTERVAL YEAR..MONTH                 int32, months
//	INTERVAL DAY..SECOND                 int64, milliseconds
//	ARRAY, ROW                           []Value
//	MAP, MULTISET                        *MapValue (a multiset maps to int32 counts)
//	VARIANT, BITMAP, RAW                 string (encoded; see package builtin)
//
// Values are for places where rows are few. Operators and kernels work on
// vectors.
type Value = any

// MapValue is a map in the order of insertion. Keys are unique by SQL
// equality; whoever builds one sees to it (Set does).
type MapValue struct {
	Keys, Vals []Value
}

// TS is a point in time: milliseconds since 1970-01-01T00:00:00 and the
// nanoseconds within that millisecond, 0 to 999,999. It spans all years that
// Flink's timestamps do, which 64 bits of nanoseconds would not.
type TS struct {
	Ms int64
	Ns int32
}

// Compare returns -1, 0 or +1 as t is before, at or after u.
func (t TS) Compare(u TS) int {
	switch {
	case t.Ms < u.Ms:
		return -1
	case t.Ms > u.Ms:
		return 1
	case t.Ns < u.Ns:
		return -1
	case t.Ns > u.Ns:
		return 1
	}
	return 0
}

// Dec is the unscaled value of a DECIMAL: a signed 128-bit integer in two's
// complement, Hi above Lo. The scale belongs to the type.
type Dec struct {
	Hi int64
	Lo uint64
}
