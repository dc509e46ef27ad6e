package types

import (
	"strconv"
	"strings"
)

// String returns the summary string of t as Flink prints it, such as
// DECIMAL(10, 2) NOT NULL, ROW<`a` INT, `b` STRING> or
// TIMESTAMP(3) *ROWTIME*. ParseType is its inverse, interval units aside.
func (t Type) String() string { return string(t.AppendString(nil)) }

// AppendString appends String to dst.
func (t Type) AppendString(dst []byte) []byte {
	dst = t.appendRoot(dst)
	if !t.Nullable && t.Kind != Null {
		dst = append(dst, " NOT NULL"...)
	}
	switch t.Attr {
	case Rowtime:
		dst = append(dst, " *ROWTIME*"...)
	case Proctime:
		dst = append(dst, " *PROCTIME*"...)
	}
	return dst
}

var kindNames = [...]string{
	Null: "NULL", Boolean: "BOOLEAN", TinyInt: "TINYINT", SmallInt: "SMALLINT", Int: "INT", BigInt: "BIGINT",
	Float: "FLOAT", Double: "DOUBLE", Decimal: "DECIMAL", Char: "CHAR", VarChar: "VARCHAR", Binary: "BINARY",
	VarBinary: "VARBINARY", Date: "DATE", Time: "TIME", Timestamp: "TIMESTAMP", TimestampLTZ: "TIMESTAMP_LTZ",
	IntervalYM: "INTERVAL MONTH", IntervalDS: "INTERVAL SECOND(3)", Array: "ARRAY", Multiset: "MULTISET",
	Map: "MAP", Row: "ROW", Variant: "VARIANT", Bitmap: "BITMAP", Raw: "RAW", Symbol: "SYMBOL", Descriptor: "DESCRIPTOR",
}

// String returns the SQL name of the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "KIND(" + strconv.Itoa(int(k)) + ")"
}

// Serializable returns t in full, as Flink's asSerializableString does: long forms
// instead of STRING, BYTES and TIMESTAMP_LTZ.
func (t Type) Serializable() string {
	null := ""
	if !t.Nullable && t.Kind != Null {
		null = " NOT NULL"
	}
	prec := "(" + strconv.Itoa(t.Prec) + ")"
	switch t.Kind {
	case VarChar, VarBinary:
		return t.Kind.String() + prec + null
	case TimestampLTZ:
		return "TIMESTAMP" + prec + " WITH LOCAL TIME ZONE" + null
	case Array, Multiset:
		if t.Elem != nil {
			return t.Kind.String() + "<" + t.Elem.Serializable() + ">" + null
		}
	case Map:
		if t.Elem != nil && t.Key != nil {
			return "MAP<" + t.Key.Serializable() + ", " + t.Elem.Serializable() + ">" + null
		}
	case Row:
		if t.Class == "" {
			fields := make([]string, len(t.Fields))
			for i, f := range t.Fields {
				fields[i] = "`" + strings.ReplaceAll(f.Name, "`", "``") + "` " + f.Type.Serializable()
			}
			return "ROW<" + strings.Join(fields, ", ") + ">" + null
		}
	}
	t.Attr = NoTime
	return t.String()
}

func (t Type) appendRoot(dst []byte) []byte {
	switch t.Kind {
	case VarChar:
		if t.Prec == MaxLength {
			return append(dst, "STRING"...)
		}
	case VarBinary:
		if t.Prec == MaxLength {
			return append(dst, "BYTES"...)
		}
	case Row:
		return t.appendRow(dst)
	case Raw:
		return append(append(append(dst, "RAW('"...), t.Class...), "', ?)"...)
	}
	dst = append(dst, t.Kind.String()...)
	switch t.Kind {
	case Char, VarChar, Binary, VarBinary, Time, Timestamp, TimestampLTZ:
		dst = append(dst, '(')
		dst = strconv.AppendInt(dst, int64(t.Prec), 10)
		dst = append(dst, ')')
	case Decimal:
		dst = append(dst, '(')
		dst = strconv.AppendInt(dst, int64(t.Prec), 10)
		dst = append(dst, ", "...)
		dst = strconv.AppendInt(dst, int64(t.Scale), 10)
		dst = append(dst, ')')
	case Array, Multiset, Map:
		dst = append(dst, '<')
		if t.Kind == Map && t.Key != nil {
			dst = append(t.Key.AppendString(dst), ", "...)
		}
		if t.Elem != nil {
			dst = t.Elem.AppendString(dst)
		}
		dst = append(dst, '>')
	}
	return dst
}

func (t Type) appendRow(dst []byte) []byte {
	if t.Class != "" {
		dst = append(append(append(dst, "STRUCTURED<'"...), t.Class...), '\'')
	} else {
		dst = append(dst, "ROW<"...)
	}
	for i, f := range t.Fields {
		if i > 0 || t.Class != "" {
			dst = append(dst, ", "...)
		}
		dst = append(dst, '`')
		dst = append(dst, strings.ReplaceAll(f.Name, "`", "``")...)
		dst = append(dst, "` "...)
		dst = f.Type.AppendString(dst)
		if f.Comment != "" {
			dst = append(dst, " '"...)
			dst = append(dst, strings.ReplaceAll(f.Comment, "'", "''")...)
			dst = append(dst, '\'')
		}
	}
	return append(dst, '>')
}
