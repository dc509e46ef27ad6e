package bind

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// number is an unsigned numeric literal.
func number(s string, span diag.Span) (plan.Expr, error) {
	if strings.ContainsAny(s, "eE") {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, diag.At(span, diag.BadValue, "number %s is out of range", s)
		}
		return &plan.Literal{Value: f, T: types.Of(types.Double).NotNull()}, nil
	}
	whole, frac, _ := strings.Cut(s, ".")
	if frac == "" { // "1." too
		s = whole
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, diag.At(span, diag.BadValue, "number %s is out of range", s).Hint("CAST('%s' AS DECIMAL(38, 0)) holds 38 digits", s)
		}
		if v <= 1<<31-1 {
			return &plan.Literal{Value: int32(v), T: types.Of(types.Int).NotNull()}, nil
		}
		return &plan.Literal{Value: v, T: types.Of(types.BigInt).NotNull()}, nil
	}
	whole = strings.TrimLeft(whole, "0")
	p, sc := max(1, len(whole))+len(frac), len(frac)
	if p > types.MaxDecimalPrecision {
		return nil, diag.At(span, diag.BadValue, "number %s has more than %d digits", s, types.MaxDecimalPrecision)
	}
	d, ok := types.ParseDec(s, p, sc)
	if !ok {
		return nil, diag.At(span, diag.BadValue, "%s is no number", s)
	}
	if !d.IsInt64() { // as in Flink the digits must fit a BIGINT
		return nil, diag.At(span, diag.BadValue, "number %s is out of range", s).Hint("CAST('%s' AS DECIMAL(%d, %d)) holds it", s, p, sc)
	}
	return &plan.Literal{Value: d, T: types.DecimalOf(p, sc).NotNull()}, nil
}

// text is a character literal; its length counts UTF-16 units, as Flink's does.
func text(s string) *plan.Literal {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
		if utf16.RuneLen(r) < 0 {
			n += 2 // cannot be, but for a broken rune
		}
	}
	return &plan.Literal{Value: s, T: types.CharOf(n).NotNull()}
}

func temporal(x *ast.TemporalLit) (plan.Expr, error) {
	bad := func(form string) error {
		return diag.At(x.Pos(), diag.BadValue, "'%s' is no %s", x.Text, x.Kind).Hint("write it as %s", form)
	}
	prec := 0
	if _, frac, ok := strings.Cut(x.Text, "."); ok {
		prec = min(len(strings.TrimRight(frac, " ")), 9)
	}
	switch x.Kind {
	case "DATE":
		d, ok := types.ParseDate(x.Text)
		if y, m, day := types.CivilFromDays(int64(d)); !ok || !strings.Contains(x.Text, "-") || types.DaysFromCivil(y, m, day) != int64(d) {
			return nil, bad("yyyy-MM-dd")
		}
		return &plan.Literal{Value: d, T: types.Of(types.Date).NotNull()}, nil
	case "TIME":
		t, ok := types.ParseTime(x.Text, min(prec, 3))
		if !ok {
			return nil, bad("HH:mm:ss[.SSS]")
		}
		return &plan.Literal{Value: t, T: types.TimeOf(min(prec, 3)).NotNull()}, nil
	}
	t, ok := types.ParseTimestamp(x.Text, prec)
	if !ok {
		return nil, bad("yyyy-MM-dd HH:mm:ss[.SSS]")
	}
	return &plan.Literal{Value: t, T: types.TimestampOf(prec).NotNull()}, nil
}
