package types

// Castable tells whether CAST from one type to another exists, and whether
// INSERT does it unasked (implicit implies explicit). Nullability is left
// aside.
func Castable(from, to Type) (explicit, implicit bool) {
	if from.Kind == Null {
		return true, true
	}
	if from.IsNested() || to.IsNested() {
		return castableNested(from, to)
	}
	if from.Kind == to.Kind {
		same := from.Class == to.Class
		return same, same
	}
	implicit = widens(from, to)
	return implicit || converts(from, to), implicit
}

// widens tells whether from becomes to without being asked.
func widens(from, to Type) bool {
	switch to.Kind {
	case VarChar:
		return from.Kind == Char
	case VarBinary:
		return from.Kind == Binary
	case SmallInt, Int, BigInt:
		return from.IsInteger() && from.Kind < to.Kind
	case Decimal, Double:
		return from.IsNumeric()
	case Float:
		return from.IsExact()
	case Date, Time:
		return from.Kind == Timestamp
	case Timestamp, TimestampLTZ:
		return from.IsTimestamp()
	}
	return false
}

// converts tells whether CAST takes from to to, beyond widens.
func converts(from, to Type) bool {
	switch to.Kind {
	case Char, VarChar:
		return from.Kind <= IntervalDS || from.Kind == Raw || from.Kind == Bitmap
	case Boolean:
		return from.IsChar() || from.IsNumeric()
	case Binary, VarBinary:
		return from.IsChar() || from.IsBinary() || from.Kind == Raw
	case TinyInt, SmallInt, Int, BigInt, Decimal, Float, Double:
		return from.IsChar() || from.IsNumeric() || from.Kind == Boolean
	case Date:
		return from.IsChar() || from.IsTimestamp()
	case Time:
		return from.IsChar() || from.IsTimestamp()
	case Timestamp, TimestampLTZ:
		return from.IsChar() || from.IsTemporal()
	case IntervalYM, IntervalDS:
		return from.IsExact()
	}
	return false
}

// castableNested is Castable where one side is a collection or row: to text,
// or member by member to the same kind.
func castableNested(from, to Type) (explicit, implicit bool) {
	if to.IsChar() {
		return true, false
	}
	if from.Kind != to.Kind || len(from.Fields) != len(to.Fields) {
		return false, false
	}
	explicit, implicit = true, true
	both := func(f, t Type) {
		e, i := Castable(f, t)
		explicit, implicit = explicit && e, implicit && i
	}
	for i := range from.Fields {
		both(from.Fields[i].Type, to.Fields[i].Type)
	}
	if from.Elem != nil && to.Elem != nil {
		both(*from.Elem, *to.Elem)
	}
	if from.Key != nil && to.Key != nil {
		both(*from.Key, *to.Key)
	}
	return explicit, implicit
}
