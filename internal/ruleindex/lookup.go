package ruleindex

import (
	"slices"

	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// fieldTask is what a task keeps of a field.
type fieldTask struct {
	memo     cache
	direct   bool    // the memo is off: values hardly repeat
	interval []int32 // set+1 of each interval of an order; 0: not known yet
	null     int32   // set+1 of "no value"; 0: not known yet
	matchers []*regex.Matcher
	derive   *eval.Program
	in       *vector.Batch // of derive
}

const (
	memoStart = 256
	memoMost  = 4096
	// A value longer than this is looked up each time.
	memoValue = 64 << 10
	// After so many lookups a memo that hits less than half the time is switched
	// off if the lookup itself is cheap.
	memoTrial = 20_000
)

// nullSet is the set of a field without a value.
func (x *segTask) nullSet(f int32) int32 {
	ft := &x.fields[f]
	if ft.null == 0 {
		if a := x.seg.fields[f].null; a >= 0 {
			x.buf = append(x.buf[:0], a)
			ft.null = x.sets.intern(x.buf) + 1
		} else {
			ft.null = 1
		}
	}
	return ft.null - 1
}

// orderSet is the set of a key.
func (x *segTask) orderSet(f int32, k orderKey) int32 {
	o := x.seg.fields[f].orders
	ft := &x.fields[f]
	at := o.find(k)
	if s := ft.interval[at]; s != 0 {
		return s - 1
	}
	x.buf = o.atoms(x.buf[:0], at)
	s := x.internSorted(x.buf)
	ft.interval[at] = s + 1
	return s
}

// textSet is the set of a text, which is escaped if it stands in JSON with
// backslashes.
func (x *segTask) textSet(f int32, s string, escaped bool) int32 {
	ft := &x.fields[f]
	if ft.direct || len(s) > memoValue {
		return x.missText(f, s, escaped)
	}
	lo, hi := x.seeds.hash(s, escaped)
	if set := ft.memo.get(lo, hi); set >= 0 {
		return set
	}
	set := x.missText(f, s, escaped)
	ft.memo.put(lo, hi, set)
	if n := ft.memo.hits + ft.memo.misses; n%memoTrial == 0 && ft.memo.misses*2 > n && x.seg.fields[f].equalOnly {
		ft.direct = true
	}
	return set
}

func (x *segTask) missText(f int32, s string, escaped bool) int32 {
	if escaped {
		x.unescaped = appendUnescaped(x.unescaped[:0], s)
		s = vector.View(x.unescaped)
	}
	fd := x.seg.fields[f]
	if fd.derive != nil {
		d, ok := x.derived(f, fd.derive, s)
		if !ok {
			return x.nullSet(f)
		}
		s = d
	}
	x.buf = x.fire(f, x.buf[:0], s)
	return x.internSorted(x.buf)
}

func (x *segTask) internSorted(atoms []int32) int32 {
	if len(atoms) > 1 {
		slices.Sort(atoms)
		atoms = slices.Compact(atoms)
	}
	return x.sets.intern(atoms)
}

// fire appends the atoms of a field that fire for a text.
func (x *segTask) fire(f int32, dst []int32, s string) []int32 {
	fd := x.seg.fields[f]
	x.ids = fd.set.Match(x.ids[:0], s, &x.scratch)
	x.checks = append(x.checks[:0], fd.always...)
	for _, id := range x.ids {
		if t := fd.target[id]; t >= 0 {
			dst = append(dst, t)
		} else {
			x.checks = append(x.checks, ^t)
		}
	}
	if len(x.checks) > 0 {
		slices.Sort(x.checks)
		lowered := false
		for _, c := range slices.Compact(x.checks) {
			k := &fd.checks[c]
			ok := false
			switch {
			case k.re != nil:
				ok = x.matchRegex(f, c, k.re, s)
			case k.like.fold:
				if !lowered {
					x.lower = multimatch.Lower(s)
					lowered = true
				}
				ok = k.like.match(x.lower)
			default:
				ok = k.like.match(s)
			}
			if ok {
				dst = append(dst, k.atom)
			}
		}
	}
	if fd.texts != nil {
		dst = fd.texts.atoms(dst, fd.texts.find(s))
	}
	if fd.numbers != nil {
		if n, ok := types.ParseDouble(s); ok && n == n {
			dst = fd.numbers.atoms(dst, fd.numbers.find(n))
		}
	}
	if fd.nets != nil {
		dst = fd.nets.match(dst, s)
	}
	return dst
}

func (x *segTask) matchRegex(f, c int32, re *regex.Regexp, s string) bool {
	ft := &x.fields[f]
	if ft.matchers == nil {
		ft.matchers = make([]*regex.Matcher, len(x.seg.fields[f].checks))
	}
	m := ft.matchers[c]
	if m == nil {
		m = re.Matcher()
		ft.matchers[c] = m
	}
	ok, err := m.Match(s)
	if err != nil {
		x.stats.RegexGivenUp++
	}
	return ok && err == nil
}

// derived computes a field's text from the input's; false if it is NULL.
func (x *segTask) derived(f int32, e plan.Expr, s string) (string, bool) {
	ft := &x.fields[f]
	if ft.derive == nil {
		in := types.NewSchema(types.Field{Name: "x", Type: columnType(e)})
		p, err := eval.Compile([]plan.Expr{e}, in, x.seg.cx)
		if err != nil {
			x.stats.DeriveFailed++
			return "", false
		}
		ft.derive, ft.in = p, vector.NewBatch(in, 1)
	}
	ft.in.Reset()
	ft.in.AppendValues(types.Insert, s)
	out, err := ft.derive.Eval(ft.in, nil)
	if err != nil {
		x.stats.DeriveFailed++
		return "", false
	}
	v, ok := vector.Get(out[0], 0).(string)
	return v, ok
}

// columnType is the type of the only column of e.
func columnType(e plan.Expr) (t types.Type) {
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Column); ok {
			t = c.T
		}
		return true
	})
	return t
}
