package types

// This file derives types from types: the least restrictive type of several,
// and the results of arithmetic and aggregates.

// Common returns the type that values of all of ts can be given without loss
// of meaning, as CASE, COALESCE, IN, UNION and constructors need it, and false
// if there is none ("illegal mixing"). It is nullable if one of ts is; a type
// of NULL takes part with its nullability alone. Common of NULLs is NULL.
func Common(ts ...Type) (Type, bool) { return common(ts, true) }

// CommonOperand is Common as CASE, IF, IN, ARRAY and MAP know it, which treat
// FLOAT beside other kinds and the two kinds of TIMESTAMP differently.
func CommonOperand(ts ...Type) (Type, bool) { return common(ts, false) }

func common(ts []Type, merge bool) (Type, bool) {
	if len(ts) == 0 {
		return Type{}, false
	}
	res, known, nullable := Type{}, false, false
	for _, t := range ts {
		if t.Kind == Null {
			nullable = true
			continue
		}
		nullable = nullable || t.Nullable
		if !known {
			res, known = t, true
			continue
		}
		var ok bool
		if res, ok = common2(res, t, merge); !ok {
			return Type{}, false
		}
	}
	return res.WithNull(nullable), true
}

// common2 is Common of two types but for the outer nullability.
func common2(a, b Type, merge bool) (Type, bool) {
	if a.Same(b) {
		if a.Attr != b.Attr {
			a.Attr = NoTime
		}
		return a, true
	}
	switch {
	case a.IsNumeric() && b.IsNumeric():
		return commonNumeric(a, b, merge), true
	case a.IsChar() && b.IsChar():
		return commonLength(a, b, VarChar), true
	case a.IsBinary() && b.IsBinary():
		return commonLength(a, b, VarBinary), true
	case a.IsTimestamp() && b.IsTimestamp():
		k := a.Kind
		if a.Kind != b.Kind {
			if k = TimestampLTZ; !merge && a.Prec == b.Prec {
				k = a.Kind
			} else if !merge {
				k = b.Kind
			}
		}
		return Type{Kind: k, Prec: max(a.Prec, b.Prec)}, true
	}
	if a.Kind != b.Kind {
		return Type{}, false
	}
	switch a.Kind {
	case Time:
		return Type{Kind: Time, Prec: max(a.Prec, b.Prec)}, true
	case IntervalDS, IntervalYM:
		a.Prec = max(a.Prec, b.Prec)
		if a.Unit != b.Unit {
			a.Unit = ""
		}
		return a, true
	case Array, Multiset, Map:
		elem, ok := common([]Type{*a.Elem, *b.Elem}, merge)
		if !ok {
			return Type{}, false
		}
		res := Type{Kind: a.Kind, Elem: &elem}
		if a.Kind == Map {
			key, ok := common([]Type{*a.Key, *b.Key}, merge)
			if !ok {
				return Type{}, false
			}
			res.Key = &key
		}
		return res, true
	case Row:
		return commonRow(a, b, merge)
	}
	return Type{}, false
}

// commonRow joins rows field by field; the names are those of a.
func commonRow(a, b Type, merge bool) (Type, bool) {
	if len(a.Fields) != len(b.Fields) || a.Class != b.Class {
		return Type{}, false
	}
	fields := make([]Field, len(a.Fields))
	for i := range fields {
		t, ok := common([]Type{a.Fields[i].Type, b.Fields[i].Type}, merge)
		if !ok {
			return Type{}, false
		}
		fields[i] = Field{Name: a.Fields[i].Name, Type: t, Comment: a.Fields[i].Comment}
	}
	return Type{Kind: Row, Fields: fields, Class: a.Class}, true
}

// commonLength joins strings: the fixed kind stays only for equal lengths.
func commonLength(a, b Type, varying Kind) Type {
	if a.Kind == b.Kind && a.Prec == b.Prec {
		return a
	}
	return Type{Kind: varying, Prec: max(a.Prec, b.Prec)}
}

// commonNumeric joins numbers. Flink has two rules: that of its functions (merge)
// makes FLOAT of a DECIMAL before a FLOAT, that of the operators (CASE, ARRAY,
// IN) keeps the FLOAT before a DOUBLE.
func commonNumeric(a, b Type, merge bool) Type {
	switch {
	case !merge && a.Kind == Float && b.Kind == Double:
		return Type{Kind: Float}
	case a.Kind == Double || b.Kind == Double:
		return Type{Kind: Double}
	case a.Kind == Float || b.Kind == Float:
		if b.Kind == Decimal || a.Kind == Decimal && !merge {
			return Type{Kind: Double}
		}
		return Type{Kind: Float}
	case a.Kind == Decimal || b.Kind == Decimal:
		pa, sa := a.decimalSize()
		pb, sb := b.decimalSize()
		whole := min(max(pa-sa, pb-sb), MaxDecimalPrecision)
		scale := min(max(sa, sb), MaxDecimalPrecision-whole)
		return Type{Kind: Decimal, Prec: whole + scale, Scale: scale}
	}
	return Type{Kind: max(a.Kind, b.Kind)}
}

// decimalSize returns precision and scale of an exact number, integers as the
// DECIMAL that holds them.
func (t Type) decimalSize() (precision, scale int) {
	switch t.Kind {
	case TinyInt:
		return 3, 0
	case SmallInt:
		return 5, 0
	case Int:
		return 10, 0
	case BigInt:
		return 19, 0
	}
	return t.Prec, t.Scale
}

// AsDecimal returns the DECIMAL that holds all values of an exact number type.
func (t Type) AsDecimal() Type {
	p, s := t.decimalSize()
	return Type{Kind: Decimal, Nullable: t.Nullable, Prec: p, Scale: s}
}

// sized is DECIMAL(p, s) cut to the most digits a DECIMAL may have: the scale
// gives way, down to 6 digits.
func sized(p, s int) Type {
	if p > MaxDecimalPrecision {
		whole := p - s
		s = max(MaxDecimalPrecision-whole, min(s, 6))
		p = MaxDecimalPrecision
	}
	return Type{Kind: Decimal, Prec: p, Scale: s}
}

// arithmetic gives the result for all but two exact numbers of which one is
// DECIMAL, for which dec says it. False if one is no number.
func arithmetic(a, b Type, dec func(p1, s1, p2, s2 int) Type) (Type, bool) {
	if !a.IsNumeric() || !b.IsNumeric() {
		return Type{}, false
	}
	var t Type
	switch {
	case a.IsApprox() && b.IsApprox():
		t = Type{Kind: a.Kind} // as in Flink the first wins: FLOAT + DOUBLE is FLOAT
	case a.Kind != Decimal && b.Kind != Decimal, a.IsApprox(), b.IsApprox():
		t = commonNumeric(a, b, false)
	default:
		p1, s1 := a.decimalSize()
		p2, s2 := b.decimalSize()
		t = dec(p1, s1, p2, s2)
	}
	return t.WithNull(a.Nullable || b.Nullable), true
}

// AddType returns the type of a+b and a-b for numbers, false for others.
func AddType(a, b Type) (Type, bool) {
	return arithmetic(a, b, func(p1, s1, p2, s2 int) Type {
		s := max(s1, s2)
		return sized(max(p1-s1, p2-s2)+s+1, s)
	})
}

// MulType returns the type of a*b for numbers, false for others.
func MulType(a, b Type) (Type, bool) {
	return arithmetic(a, b, func(p1, s1, p2, s2 int) Type { return sized(p1+p2+1, s1+s2) })
}

// DivType returns the type of a/b for numbers, false for others.
func DivType(a, b Type) (Type, bool) {
	return arithmetic(a, b, func(p1, s1, p2, s2 int) Type {
		s := max(6, s1+p2+1)
		return sized(p1-s1+s2+s, s)
	})
}

// ModType returns the type of a%b for exact numbers, false for others. Without
// digits behind the point it is the type of b: the remainder fits in it.
func ModType(a, b Type) (Type, bool) {
	if !a.IsExact() || !b.IsExact() {
		return Type{}, false
	}
	if a.Scale == 0 && b.Scale == 0 { // integers have no scale
		return b.WithNull(a.Nullable || b.Nullable), true
	}
	return arithmetic(a, b, func(p1, s1, p2, s2 int) Type {
		s := max(s1, s2)
		return sized(min(p1-s1, p2-s2)+s, s)
	})
}

// SumType returns the type of SUM over t, false if t is no number. It is
// nullable; callers with at least one row in each group narrow it.
func SumType(t Type) (Type, bool) {
	if !t.IsNumeric() {
		return Type{}, false
	}
	if t.Kind == Decimal {
		return DecimalOf(MaxDecimalPrecision, t.Scale), true
	}
	return Of(t.Kind), true
}

// AvgType returns the type of AVG over t, false if t is no number.
func AvgType(t Type) (Type, bool) {
	if !t.IsNumeric() {
		return Type{}, false
	}
	if t.Kind == Decimal {
		return DecimalOf(MaxDecimalPrecision, max(6, t.Scale)), true
	}
	return Of(t.Kind), true
}
