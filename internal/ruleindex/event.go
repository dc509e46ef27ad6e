package ruleindex

import (
	"slices"
	"unicode/utf8"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// RawKind says what the bytes of a value in an event are.
type RawKind uint8

// The kinds of raw values.
const (
	RawText    RawKind = iota // a text as it is: what stood between quotes, without a backslash
	RawEscaped                // a JSON string between its quotes, with backslashes
	RawNumber                 // a number as it is written
	RawBool                   // true or false
	RawNull                   // null: counts as absent
)

// Event is a record whose values have not been decoded: the bytes of the fields
// that rules look at. It belongs to one goroutine. The bytes given to Add must
// stay until the event was evaluated.
type Event struct {
	vals  []rawValue
	first []int32 // by input: value+1
	dirty []int32 // inputs that have one
}

type rawValue struct {
	raw   string
	kind  RawKind
	input int32 // -1: a field no rule names
	next  int32 // value+1 of the same input
}

// Reset empties the event.
func (e *Event) Reset() {
	for _, i := range e.dirty {
		e.first[i] = 0
	}
	e.vals, e.dirty = e.vals[:0], e.dirty[:0]
}

// Add gives a value of an input, by its index in Index.Inputs. Several values
// of one input are the members of an array; where the last of duplicate keys
// counts, it is the caller who leaves the others out.
func (e *Event) Add(input int32, kind RawKind, raw string) {
	if kind == RawNull {
		return
	}
	for int(input) >= len(e.first) {
		e.first = append(e.first, 0)
	}
	at := &e.first[input]
	if *at == 0 {
		e.dirty = append(e.dirty, input)
	}
	e.vals = append(e.vals, rawValue{raw, kind, input, *at})
	*at = int32(len(e.vals))
}

// AddOther gives a value of a field that is no input. Only indexes with
// NeedsAll ask for it. Fields that are not to be searched are left out.
func (e *Event) AddOther(kind RawKind, raw string) {
	if kind != RawNull {
		e.vals = append(e.vals, rawValue{raw, kind, -1, 0})
	}
}

// Event appends the numbers of the rules that hold for e, in order. decode
// tells that the record has to be decoded and given to Batch instead, because a
// value is not of its column's type, or a condition that the index cannot decide
// might hold; rules is of no use then.
func (t *Task) Event(e *Event, rules []int32) (_ []int32, decode bool) {
	from := len(rules)
	t.rows++
	for _, x := range t.segs {
		x.tidy()
		p := x.all
		x.rowSets = x.rowSets[:0]
		var lo, hi uint64
		if len(x.seg.disc) > 0 && !x.noDisc {
			var key [maxDisc]int32
			for i, f := range x.seg.disc {
				set, ok := t.eventSet(x, f, e)
				if !ok {
					return rules[:from], true
				}
				key[i] = set
			}
			if p = x.planOf(key); p != x.all {
				for _, set := range key {
					if set != 0 {
						w := &x.sets.words[set]
						lo ^= w[0]
						hi ^= w[1]
						x.rowSets = append(x.rowSets, set)
					}
				}
			}
		}
		for _, f := range p.fields {
			set, ok := t.eventSet(x, f, e)
			if !ok {
				return rules[:from], true
			}
			if set != 0 {
				w := &x.sets.words[set]
				lo ^= w[0]
				hi ^= w[1]
				x.rowSets = append(x.rowSets, set)
			}
		}
		list := x.sigs.get(lo, hi)
		if list < 0 {
			list = x.resolve(x.rowSets, lo, hi)
		}
		if x.waiting--; x.waiting <= 0 {
			x.waiting = sampleEvery
			x.sample(x.rowSets)
		}
		if list == 0 {
			continue
		}
		for _, r := range x.lists.get(list) {
			sr := &x.seg.rules[r]
			if t.ix.dead(sr.num) {
				continue
			}
			if sr.verify {
				if sr.cond == nil {
					return rules[:from], true
				}
				if !sr.cond.Holds(eventValues{e, t.ix}) {
					continue
				}
			}
			rules = append(rules, sr.num)
		}
	}
	if len(rules) > from {
		slices.Sort(rules[from:])
		for _, r := range rules[from:] {
			t.hit(r)
		}
	}
	return rules, false
}

// eventSet is the set of field f; false if a value is not of the field's type.
func (t *Task) eventSet(x *segTask, f int32, e *Event) (int32, bool) {
	fd := x.seg.fields[f]
	if fd.class == anyField {
		var u union
		for i := range e.vals {
			v := &e.vals[i]
			if v.input >= 0 && t.ix.skip[v.input] {
				continue
			}
			u.add(x, x.textSet(f, v.raw, v.kind == RawEscaped))
		}
		return u.set, true
	}
	at := int32(0)
	if int(fd.input) < len(e.first) {
		at = e.first[fd.input]
	}
	if at == 0 {
		return x.nullSet(f), true
	}
	v := &e.vals[at-1]
	if fd.class == orderField {
		k, ok := rawKey(v, fd.typ)
		if !ok || v.next != 0 {
			return 0, false
		}
		return x.orderSet(f, k), true
	}
	if fd.sql && !sameText(v, t.ix.inputs[fd.input].Type) {
		return 0, false
	}
	set := x.textSet(f, v.raw, v.kind == RawEscaped)
	if v.next == 0 {
		return set, true
	}
	u := union{set}
	for v.next != 0 {
		v = &e.vals[v.next-1]
		u.add(x, x.textSet(f, v.raw, v.kind == RawEscaped))
	}
	return u.set, true
}

// sameText tells whether a column of the type certainly holds the value as it is
// written. Columns of a length may cut or fill it, numbers may be written otherwise.
func sameText(v *rawValue, t types.Type) bool {
	if v.next != 0 || t.Kind != types.VarChar || t.Prec != types.MaxLength {
		return false
	}
	if v.kind != RawNumber {
		return true
	}
	n, ok := plainInt(v.raw)
	return ok && (v.raw[0] != '-' || n != 0) && (v.raw[0] != '0' || len(v.raw) == 1)
}

// rawKey is the key of a value as a column of the type has it; false for what
// only the format knows to read.
func rawKey(v *rawValue, t types.Type) (orderKey, bool) {
	switch t.Kind {
	case types.TinyInt, types.SmallInt, types.Int, types.BigInt:
		if v.kind != RawNumber {
			return orderKey{}, false
		}
		spare := [...]uint{56, 48, 32, 0}[t.Kind-types.TinyInt] // bits that only repeat the sign
		n, ok := plainInt(v.raw)
		if !ok || n != n<<spare>>spare {
			return orderKey{}, false
		}
		return intKey(n), true
	case types.Double:
		if f, ok := types.ParseDouble(v.raw); ok && v.kind == RawNumber && f == f {
			return floatKey(f), true
		}
	case types.Boolean:
		if v.kind == RawBool {
			return intKey(int64(len("false") - len(v.raw))), true
		}
	}
	return orderKey{}, false
}

// plainInt reads a number of at most 18 digits.
func plainInt(s string) (int64, bool) {
	digits := s
	if s != "" && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < len(digits); i++ {
		c := digits[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if len(digits) < len(s) {
		n = -n
	}
	return n, true
}

// appendUnescaped decodes the escapes of a JSON string; what is broken stays.
func appendUnescaped(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' || i+1 == len(s) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = s[i]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				dst = append(dst, '\\', 'u')
				continue
			}
			i += 4
			if r >= 0xD800 && r < 0xDC00 && i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
				if low, ok := hex4(s[i+3:]); ok && low >= 0xDC00 && low < 0xE000 {
					r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
					i += 6
				}
			}
			dst = utf8.AppendRune(dst, r) // half a pair becomes U+FFFD
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func hex4(s string) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	r := rune(0)
	for i := range 4 {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// eventValues are the values of an event for Cond.Holds.
type eventValues struct {
	e  *Event
	ix *Index
}

// Values implements Values.
func (v eventValues) Values(field string, f func(text string) bool) {
	input := int32(-1)
	if field != "" {
		var ok bool
		if input, ok = v.ix.byName[field]; !ok {
			return
		}
	}
	for i := range v.e.vals {
		val := &v.e.vals[i]
		if field != "" && val.input != input || field == "" && val.input >= 0 && v.ix.skip[val.input] {
			continue
		}
		text := val.raw
		if val.kind == RawEscaped {
			text = vector.View(appendUnescaped(nil, text))
		}
		if !f(text) {
			return
		}
	}
}
