package regex

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"
)

// dfaMode is the question an automaton answers.
type dfaMode uint8

const (
	modeFind  dfaMode = iota // is there a match anywhere
	modeFront                // … that begins where the search does
	modeWhole                // … and ends at the end of the text
	dfaModes
)

// Special states; the table has empty rows for them.
const (
	stUnknown = iota
	stDead
	stMatch
	stFirst
)

// dfa is a deterministic automaton over the classes of a regular program whose
// states are made when they are first reached. A state is a set of instructions
// to go on from, with the context in front of the place: what conditions there
// are at the place is decided when the next code point is known. The table is
// bounded: when it is full, all states are forgotten.
type dfa struct {
	p     *prog
	c     *classes
	mode  dfaMode
	trans []int32 // [state*stride + class] -> state*stride
	index map[string]int32
	keys  []string // of the states, from stFirst on
	start [contexts]int32
	idle  int32 // the state of "nothing found so far", if conditions play no role
	full  int   // states before the table is full
	bytes int   // of keys

	// Scratch of step.
	stack []int32
	seen  []uint32
	gen   uint32
	next  []int32
	key   []byte
	// Resets counts how often the table was full.
	resets int
}

const (
	dfaCells  = 1 << 18 // of the table: 1 MB
	dfaKeys   = 2 << 20 // bytes of all keys
	minStates = 32
	maxStates = 10_000
)

func newDFA(p *prog, c *classes, mode dfaMode) *dfa {
	if p.anchored && mode == modeFind {
		mode = modeFront
	}
	d := &dfa{p: p, c: c, mode: mode, seen: make([]uint32, len(p.insts))}
	d.full = stFirst + min(max(dfaCells/c.stride, minStates), maxStates)
	d.reset()
	return d
}

func (d *dfa) reset() {
	d.trans = append(d.trans[:0], make([]int32, stFirst*d.c.stride)...)
	d.keys = d.keys[:0]
	d.bytes = 0
	d.index = map[string]int32{}
	d.start = [contexts]int32{}
	d.idle = -1
	if d.mode == modeFind && d.p.asserts == 0 {
		d.idle = d.state(nil, 0)
	}
}

// state returns the row of the state, making it if need be.
func (d *dfa) state(pcs []int32, ctx context) int32 {
	d.key = append(d.key[:0], byte(ctx))
	for _, pc := range pcs {
		d.key = binary.AppendUvarint(d.key, uint64(pc))
	}
	if at, ok := d.index[string(d.key)]; ok {
		return at
	}
	at := int32(len(d.trans))
	for range d.c.stride {
		d.trans = append(d.trans, stUnknown)
	}
	key := string(d.key)
	d.index[key] = at
	d.keys = append(d.keys, key)
	d.bytes += len(key)
	return at
}

func (d *dfa) startState(ctx context) int32 {
	if at := d.start[ctx]; at != 0 {
		return at
	}
	var pcs []int32
	if d.mode != modeFind {
		pcs = []int32{d.p.start}
	}
	at := d.state(pcs, ctx)
	d.start[ctx] = at
	return at
}

// match runs the automaton over s from place from on. prefix is what every
// match begins with, or empty.
func (d *dfa) match(s string, from int, prefix string) bool {
	if d.p.anchored && from > 0 {
		return false
	}
	skip := d.mode == modeFind && prefix != ""
	if skip {
		n := strings.Index(s[from:], prefix)
		if n < 0 {
			return false
		}
		from += n
	}
	stride := int32(d.c.stride)
	special := stMatch * stride
	st := d.startState(contextAt(s, from, d.p.asserts))
	end := len(s)
	if d.p.asserts&tailAsserts != 0 {
		end = finalLine(s, from)
	}
	trans, ascii := d.trans, &d.c.ascii
	for i := from; i < end; {
		var cls uint32
		w := 1
		if b := s[i]; b < utf8.RuneSelf {
			cls = ascii[b]
		} else {
			var r rune
			r, w = utf8.DecodeRuneInString(s[i:])
			cls = d.c.find(r)
		}
		n := trans[st+int32(cls)]
		if n <= special {
			if n == stUnknown {
				n = d.step(st, int32(cls))
				trans = d.trans
			}
			if n == stMatch*stride {
				return true
			}
			if n == stDead*stride {
				return false
			}
		}
		st = n
		i += w
		if skip && st == d.idle && i < end {
			j := strings.Index(s[i:], prefix)
			if j < 0 {
				return false
			}
			i += j
		}
	}
	for i := end; i < len(s); {
		r, w := utf8.DecodeRuneInString(s[i:])
		n := d.take(st, int32(d.c.n+tailClass(s, i, r)))
		switch n {
		case stMatch * stride:
			return true
		case stDead * stride:
			return false
		}
		st = n
		i += w
	}
	return d.take(st, int32(d.c.n+tailEnd)) == stMatch*stride
}

func (d *dfa) take(st, cls int32) int32 {
	if n := d.trans[st+cls]; n != stUnknown {
		return n
	}
	return d.step(st, cls)
}

// finalLine is where the line end begins that ends s, or the end.
func finalLine(s string, from int) int {
	n := len(s)
	at := n
	switch {
	case n == 0:
	case s[n-1] == '\n':
		at = n - 1
		if n > 1 && s[n-2] == '\r' {
			at--
		}
	case s[n-1] == '\r':
		at = n - 1
	case n > 1 && s[n-2] == 0xC2 && s[n-1] == 0x85:
		at = n - 2
	case n > 2 && lineEndAt(s, n-3) == 3:
		at = n - 3
	}
	return max(at, from)
}

// tailClass is the class of the code point r at i of the line end that ends s.
func tailClass(s string, i int, r rune) int {
	switch r {
	case '\n':
		if i > 0 && s[i-1] == '\r' {
			return tailLast
		}
		return tailLF
	case '\r':
		if i+1 < len(s) {
			return tailCRLF
		}
		return tailCR
	case 0x85:
		return tailNEL
	case 0x2028:
		return tailLS
	}
	return tailPS
}

var tailRunes = [tailEnd]rune{'\n', '\r', 0x85, 0x2028, 0x2029, '\r', '\n'}

// step computes and stores where the state st goes with class cls.
func (d *dfa) step(st, cls int32) int32 {
	stride := int32(d.c.stride)
	key := d.keys[st/stride-stFirst]
	ctx := context(key[0])
	tail := -1
	under := cls // the class of the code point itself
	if int(cls) >= d.c.n {
		tail = int(cls) - d.c.n
		under = -1
		if tail != tailEnd {
			under = int32(d.c.find(tailRunes[tail]))
		}
	}
	d.gen++
	if d.gen == 0 {
		clear(d.seen)
		d.gen = 1
	}
	d.next = d.next[:0]
	matched := false
	for rest := key[1:]; len(rest) > 0 && !matched; {
		pc, w := uvarint(rest)
		rest = rest[w:]
		matched = d.follow(int32(pc), ctx, tail, under)
	}
	if !matched && d.mode == modeFind {
		matched = d.follow(d.p.start, ctx, tail, under)
	}
	var to int32
	switch {
	case matched:
		to = stMatch * stride
	case tail == tailEnd, len(d.next) == 0 && d.mode != modeFind:
		to = stDead * stride
	default:
		slices.Sort(d.next)
		d.next = slices.Compact(d.next)
		kind := d.c.kind[under]
		if kind&wordMask == wordMark && ctx&wordMask != wordBase && ctx&wordMask != wordMark {
			kind = kind&^wordMask | wordLone
		}
		if len(d.keys)+stFirst >= d.full || d.bytes > dfaKeys {
			d.resets++
			d.reset()
			return d.state(d.next, kind) // st is gone: nothing to store it in
		}
		to = d.state(d.next, kind)
	}
	d.trans[st+cls] = to
	return to
}

func uvarint(s string) (uint64, int) {
	v, shift := uint64(0), 0
	for i := 0; i < len(s); i++ {
		v |= uint64(s[i]&0x7F) << shift
		if s[i] < 0x80 {
			return v, i + 1
		}
		shift += 7
	}
	return v, len(s)
}

// follow adds what pc leads to with class under to next; true if it leads to a match.
func (d *dfa) follow(pc int32, ctx context, tail int, under int32) bool {
	d.stack = append(d.stack[:0], pc)
	for len(d.stack) > 0 {
		pc := d.stack[len(d.stack)-1]
		d.stack = d.stack[:len(d.stack)-1]
		for d.seen[pc] != d.gen {
			d.seen[pc] = d.gen
			in := &d.p.insts[pc]
			switch in.op {
			case iSplit:
				d.stack = append(d.stack, in.y)
			case iSave:
			case iAssert:
				if !d.holds(assertKind(in.arg), ctx, tail, under) {
					goto done
				}
			case iMatch:
				if d.mode != modeWhole || tail == tailEnd {
					return true
				}
				goto done
			case iRune:
				if under >= 0 && d.c.rune[under] == in.arg {
					d.next = append(d.next, in.x)
				}
				goto done
			case iSet:
				if under >= 0 && d.c.in[in.arg][under] {
					d.next = append(d.next, in.x)
				}
				goto done
			default:
				goto done
			}
			pc = in.x
		}
	done:
	}
	return false
}

// holds tells whether condition k holds between ctx and what follows.
func (d *dfa) holds(k assertKind, ctx context, tail int, under int32) bool {
	end := tail == tailEnd
	next := context(0)
	if under >= 0 {
		next = d.c.kind[under]
	}
	line := next & lineMask
	switch k {
	case atBegin:
		return ctx&ctxStart != 0
	case atEnd:
		return end
	case atDollar:
		return tail >= 0 && tail != tailLast
	case atUnixDollar:
		return end || tail == tailLF || tail == tailLast
	case atLineEnd:
		return end || line == lineLF && ctx&lineMask != lineCR || line == lineCR || line == lineRest
	case atUnixLineEnd:
		return end || line == lineLF
	case atLineStart:
		before := ctx & lineMask
		return !end && (ctx&ctxStart != 0 || before == lineLF || before == lineRest || before == lineCR && line != lineLF)
	case atUnixLineStart:
		return !end && (ctx&ctxStart != 0 || ctx&lineMask == lineLF)
	case atWord, atNotWord:
		before, after := ctx&wordMask, next&wordMask
		base := before == wordBase || before == wordMark
		left := base || before == wordUnder
		right := after == wordUnder || after == wordBase || after == wordMark && base
		return (left != right) == (k == atWord)
	case atUWord, atNotUWord:
		return (ctx&wordMask != 0 != (next&wordMask != 0)) == (k == atUWord)
	}
	return false
}
