package bind

import (
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// unitMs is the length of the units of the day-time family in milliseconds;
// unitMonths that of the year-month family in months.
var (
	unitMs     = map[string]int64{"WEEK": 7 * 86400000, "DAY": 86400000, "HOUR": 3600000, "MINUTE": 60000, "SECOND": 1000}
	unitMonths = map[string]int64{"YEAR": 12, "QUARTER": 3, "MONTH": 1}
)

// Interval returns the length of a constant interval in milliseconds.
func Interval(o *Options, x *ast.Interval) (int64, error) {
	b := newBinder(o)
	ms, err := b.duration(x, &scope{}, "the delay")
	return ms, b.finish(err)
}

// interval is INTERVAL '…' unit, or INTERVAL expression unit.
func (b *binder) interval(x *ast.Interval, s *scope) (plan.Expr, error) {
	u := x.Unit
	months, isYM := unitMonths[u.From]
	t := types.Type{Kind: types.IntervalDS, Prec: 3}
	if isYM {
		t = types.Type{Kind: types.IntervalYM, Prec: 2}
	}
	t.Unit = u.From
	if u.To != "" {
		t.Unit += " TO " + u.To
	}
	lit, ok := x.Value.(*ast.StringLit)
	if !ok {
		v, err := b.expr(x.Value, s)
		if err != nil {
			return nil, err
		}
		if u.To != "" || !v.Type().IsInteger() {
			return nil, diag.At(x.Pos(), diag.TypeMismatch, "INTERVAL takes a text or an integer with one unit, not %s", typeText(v.Type()))
		}
		if x.Negative {
			if v, err = negate(v, x.Pos()); err != nil {
				return nil, err
			}
		}
		one := &plan.Literal{Value: unitMs[u.From], T: t}
		if isYM {
			one.Value = int32(months)
		}
		return arithmetic(plan.Mul, one, v, x.Pos())
	}
	value, ok := parseInterval(strings.TrimSpace(lit.Value), u)
	if !ok {
		return nil, diag.At(lit.Pos(), diag.BadValue, "'%s' is no INTERVAL %s", lit.Value, t.Unit)
	}
	if x.Negative {
		value = -value
	}
	if isYM {
		if int64(int32(value)) != value {
			return nil, diag.At(lit.Pos(), diag.BadValue, "INTERVAL '%s' %s is out of range", lit.Value, t.Unit)
		}
		return &plan.Literal{Value: int32(value), T: t}, nil
	}
	return &plan.Literal{Value: value, T: t}, nil
}

// parseInterval reads the text of an interval literal: months or milliseconds.
func parseInterval(s string, u *ast.IntervalUnit) (int64, bool) {
	sign := int64(1)
	if r, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = r, -1
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	if u.To == "" {
		if m, ok := unitMonths[u.From]; ok {
			n, ok := digits(s)
			return sign * n * m, ok && n < 1<<40
		}
		whole, frac, point := strings.Cut(s, ".")
		n, ok := digits(whole)
		if !ok || n > 1<<52/unitMs[u.From] || point && u.From != "SECOND" {
			return 0, false
		}
		f := int64(0)
		if point {
			if f, ok = fraction(frac); !ok {
				return 0, false
			}
		}
		return sign * (n*unitMs[u.From] + f), true
	}
	if u.From == "YEAR" {
		y, m, ok := strings.Cut(s, "-")
		years, ok1 := digits(y)
		months, ok2 := digits(m)
		return sign * (years*12 + months), ok && ok1 && ok2 && months < 12 && years < 1<<40
	}
	units := []string{"DAY", "HOUR", "MINUTE", "SECOND"}
	seps := map[string]string{"HOUR": " ", "MINUTE": ":", "SECOND": ":"}
	limit := map[string]int64{"HOUR": 24, "MINUTE": 60, "SECOND": 60}
	total, started := int64(0), false
	for _, unit := range units {
		if unit == u.From {
			started = true
		}
		if !started {
			continue
		}
		last := unit == u.To
		part, rest := s, ""
		if !last {
			next := seps[units[indexOf(units, unit)+1]]
			var ok bool
			if part, rest, ok = strings.Cut(s, next); !ok {
				return 0, false
			}
		}
		frac := ""
		if unit == "SECOND" {
			var point bool
			if part, frac, point = strings.Cut(part, "."); point {
				f, ok := fraction(frac)
				if !ok {
					return 0, false
				}
				total += f
			}
		}
		n, ok := digits(part)
		if !ok || n > 1<<52/unitMs[unit] || unit != u.From && n >= limit[unit] {
			return 0, false
		}
		total += n * unitMs[unit]
		s = rest
		if last {
			return sign * total, true
		}
	}
	return 0, false
}

func indexOf(list []string, s string) int {
	for i, x := range list {
		if x == s {
			return i
		}
	}
	return -1
}

func digits(s string) (int64, bool) {
	if s == "" || len(s) > 18 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// fraction reads the digits behind the point of seconds as milliseconds.
func fraction(s string) (int64, bool) {
	if s == "" || len(s) > 9 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	return digits((s + "00")[:3])
}
