package kernel

import "github.com/runnelio/runnel/types"

// The loops on dates and times take the interval as the second operand and its
// sign: +1 adds, -1 takes away. Interval operands of length 1 serve all rows.

// at returns the element of row i of an operand that may be a constant.
func at[T any](s []T, mask int, i int) T { return s[i&mask] }

// broadcast is the mask for at: all bits, or none if s has one element for n rows.
func broadcast[T any](s []T, n int) int {
	if len(s) == 1 && n != 1 {
		return 0
	}
	return -1
}

// DateAddMonths stores days + months; the day of the month is clamped.
func DateAddMonths(dst, days, months []int32, sign int64, sel []int32) {
	dm, mm := broadcast(days, len(dst)), broadcast(months, len(dst))
	each(len(dst), sel, func(i int) {
		dst[i] = int32(types.AddMonthsToDays(int64(at(days, dm, i)), sign*int64(at(months, mm, i))))
	})
}

// DateAddMs stores days + the whole days of an interval in milliseconds.
func DateAddMs(dst, days []int32, ms []int64, sign int64, sel []int32) {
	dm, mm := broadcast(days, len(dst)), broadcast(ms, len(dst))
	each(len(dst), sel, func(i int) {
		dst[i] = int32(int64(at(days, dm, i)) + sign*(at(ms, mm, i)/types.MsPerDay))
	})
}

// TimeAddMs stores a time of day + an interval, which wraps around midnight.
func TimeAddMs(dst, time []int32, ms []int64, sign int64, sel []int32) {
	tm, mm := broadcast(time, len(dst)), broadcast(ms, len(dst))
	each(len(dst), sel, func(i int) {
		dst[i] = int32(types.FloorMod(int64(at(time, tm, i))+sign*(at(ms, mm, i)%types.MsPerDay), types.MsPerDay))
	})
}

// TSAddMs stores a timestamp + an interval in milliseconds.
func TSAddMs(dst, ts []types.TS, ms []int64, sign int64, sel []int32) {
	tm := broadcast(ts, len(dst))
	if len(ms) == 1 && tm != 0 {
		c := sign * ms[0]
		if sel == nil {
			ts = ts[:len(dst)]
			for i := range dst {
				dst[i] = types.TS{Ms: ts[i].Ms + c, Ns: ts[i].Ns}
			}
			return
		}
		for _, i := range sel {
			dst[i] = types.TS{Ms: ts[i].Ms + c, Ns: ts[i].Ns}
		}
		return
	}
	each(len(dst), sel, func(i int) { dst[i] = at(ts, tm, i).AddMs(sign * ms[i]) })
}

// TSAddMonths stores a timestamp + months; the day of the month is clamped.
func TSAddMonths(dst, ts []types.TS, months []int32, sign int64, sel []int32) {
	tm, mm := broadcast(ts, len(dst)), broadcast(months, len(dst))
	each(len(dst), sel, func(i int) { dst[i] = at(ts, tm, i).AddMonths(sign * int64(at(months, mm, i))) })
}

// Truncate cuts timestamps to prec digits of the second, in place or not.
func Truncate(dst, ts []types.TS, prec int, sel []int32) {
	if sel == nil {
		ts = ts[:len(dst)]
		for i := range dst {
			dst[i] = ts[i].Truncate(prec)
		}
		return
	}
	for _, i := range sel {
		dst[i] = ts[i].Truncate(prec)
	}
}

// TSDiff stores a-b in milliseconds.
func TSDiff(dst []int64, a, b []types.TS, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	each(len(dst), sel, func(i int) { dst[i] = at(a, am, i).Ms - at(b, bm, i).Ms })
}

// IntDiff stores (a-b)*unit: two dates with milliseconds of a day, or two times.
func IntDiff(dst []int64, a, b []int32, unit int64, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	each(len(dst), sel, func(i int) { dst[i] = (int64(at(a, am, i)) - int64(at(b, bm, i))) * unit })
}

// TSMonths stores the whole months from b to a, cut towards zero.
func TSMonths(dst []int32, a, b []types.TS, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	each(len(dst), sel, func(i int) { dst[i] = int32(months(at(a, am, i), at(b, bm, i))) })
}

// DateMonths is TSMonths for dates.
func DateMonths(dst, a, b []int32, sel []int32) {
	am, bm := broadcast(a, len(dst)), broadcast(b, len(dst))
	each(len(dst), sel, func(i int) {
		x, y := int64(at(a, am, i))*types.MsPerDay, int64(at(b, bm, i))*types.MsPerDay
		dst[i] = int32(months(types.TS{Ms: x}, types.TS{Ms: y}))
	})
}

func months(a, b types.TS) int64 {
	if a.Compare(b) < 0 {
		return -months(b, a)
	}
	ya, ma, _ := types.CivilFromDays(a.Date())
	yb, mb, _ := types.CivilFromDays(b.Date())
	m := int64(ya-yb)*12 + int64(ma-mb)
	if b.AddMonths(m).Compare(a) > 0 {
		m--
	}
	return m
}

// Scale stores a*n of an interval and a number; intervals wrap.
func Scale[T, N Integer](dst, a []T, n []N, sel []int32) {
	am, nm := broadcast(a, len(dst)), broadcast(n, len(dst))
	each(len(dst), sel, func(i int) { dst[i] = T(int64(at(a, am, i)) * int64(at(n, nm, i))) })
}

// Shrink stores a/n of an interval and a number, cut towards zero, and returns
// the first row where n is 0, or -1. Rows behind it are not computed.
func Shrink[T, N Integer](dst, a []T, n []N, sel []int32) int {
	am, nm := broadcast(a, len(dst)), broadcast(n, len(dst))
	return eachChecked(len(dst), sel, func(i int) bool {
		d := int64(at(n, nm, i))
		if d == 0 {
			return false
		}
		dst[i] = T(int64(at(a, am, i)) / d)
		return true
	})
}
