package difftest

import (
	"cmp"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// kind is a type without its parameters.
type kind uint8

const (
	intKind kind = iota
	bigKind
	strKind
	decKind
	tsKind
	boolKind
)

// typ is the type of a column: INT, BIGINT, STRING, DECIMAL(prec, scale),
// TIMESTAMP(3) or BOOLEAN.
type typ struct {
	kind        kind
	prec, scale int
}

var (
	intType  = typ{kind: intKind}
	bigType  = typ{kind: bigKind}
	strType  = typ{kind: strKind}
	tsType   = typ{kind: tsKind}
	boolType = typ{kind: boolKind}
	decType  = typ{decKind, 10, 2}
)

func (t typ) sql() string {
	switch t.kind {
	case intKind:
		return "INT"
	case bigKind:
		return "BIGINT"
	case strKind:
		return "STRING"
	case decKind:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.prec, t.scale)
	case tsKind:
		return "TIMESTAMP(3)"
	}
	return "BOOLEAN"
}

// number tells whether t can be added up.
func (t typ) number() bool { return t.kind == intKind || t.kind == bigKind || t.kind == decKind }

// value is nil for NULL, else an int64 (INT, BIGINT), a string, a *big.Int (a
// DECIMAL without its point), a stamp or a bool.
type value any

// stamp is a TIMESTAMP(3): milliseconds since 1970.
type stamp int64

const stampLayout = "2006-01-02 15:04:05.000"

func (s stamp) String() string { return time.UnixMilli(int64(s)).UTC().Format(stampLayout) }

// show is the text that the engine prints for v.
func show(v value, t typ) string {
	switch v := v.(type) {
	case nil:
		return "<NULL>"
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return v
	case *big.Int:
		return point(v, t.scale)
	case stamp:
		return v.String()
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	}
	panic(fmt.Sprintf("difftest: value %T", v))
}

// point writes an integer as a decimal with so many digits behind the point.
func point(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		for len(s) <= scale {
			s = "0" + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// compare orders two values of one type, neither of them NULL.
func compare(a, b value) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case *big.Int:
		return a.Cmp(b.(*big.Int))
	case stamp:
		return cmp.Compare(a, b.(stamp))
	case bool:
		if a == b.(bool) {
			return 0
		}
		if !a {
			return -1
		}
		return 1
	}
	panic(fmt.Sprintf("difftest: value %T", a))
}

// order is compare with NULL below everything.
func order(a, b value) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return compare(a, b)
}

// same tells whether two values are equal or both NULL.
func same(a, b value) bool { return order(a, b) == 0 }

// keyOf is a text that is equal for equal rows only.
func keyOf(values ...value) string {
	var b strings.Builder
	for _, v := range values {
		if v == nil {
			b.WriteString("~")
		} else {
			fmt.Fprintf(&b, "%T%v", v, v)
		}
		b.WriteByte(0)
	}
	return b.String()
}

// pow10 is 10 to the n.
func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rescale brings a decimal to another scale that is not smaller.
func rescale(v *big.Int, from, to int) *big.Int { return new(big.Int).Mul(v, pow10(to-from)) }

// halfUp divides and rounds halves away from zero.
func halfUp(num, den *big.Int) *big.Int {
	n, d := new(big.Int).Abs(num), new(big.Int).Abs(den)
	n.Mul(n, big.NewInt(2)).Add(n, d)
	n.Quo(n, d.Mul(d, big.NewInt(2)))
	if num.Sign()*den.Sign() < 0 {
		n.Neg(n)
	}
	return n
}
