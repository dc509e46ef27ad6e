package regex

import (
	"errors"
	"unicode"
	"unicode/utf8"
)

// ErrSteps tells that a match was given up because the pattern needed too many
// steps on this text. It is an error of the row.
var ErrSteps = errors.New("regular expression: too many steps on this text; simplify nested repeats, or avoid look-around and back-references")

const (
	// Steps of the backtracker on one text: a budget, and some for each byte. A step
	// takes 4 to 10 ns, so a text of a few kilobytes is given up after some 40 ms.
	stepBudget  = 5_000_000
	stepPerByte = 40
	// Bits of the set of visited states; longer texts take the parallel simulation.
	maxVisited = 1 << 21
)

// frame is an alternative to come back to, or (pc < 0) the old value of a
// register: group slots first, then counters.
type frame struct {
	pc  int32
	pos int
}

// vm is a backtracker over one program, with its scratch memory.
type vm struct {
	p        *prog
	s        string
	last     int   // of \G
	whole    bool  // a match must reach the end of s
	regs     []int // slots, then counters
	stack    []frame
	visited  []uint64 // (place, instruction); only for regular programs
	dirty    int      // words of it that may not be zero
	from     int
	width    int // instructions, if visited is in use
	steps    int
	deadline bool // steps ran out
}

// find looks for the leftmost match that begins at from or later, at from only
// if anchored. The registers hold the groups then. visit must be set for
// regular programs and only for them.
func (v *vm) find(s string, from, last int, anchored, whole, visit bool, re *Regexp) (bool, error) {
	p := v.p
	v.s, v.last, v.whole, v.from = s, last, whole, from
	if n := p.slots + p.counters; len(v.regs) < n {
		v.regs = make([]int, n)
	}
	v.deadline = false
	v.steps = stepBudget + stepPerByte*(len(s)-from)
	v.width = 0
	if visit {
		v.width = len(p.insts)
		clear(v.visited[:v.dirty])
		v.dirty = 0
		if words := (v.width*(len(s)-from+1) + 63) / 64; len(v.visited) < words {
			v.visited = make([]uint64, words)
		}
	}
	anchored = anchored || whole
	if p.anchored {
		if from > 0 && !anchored {
			return false, nil
		}
		anchored = true
	}
	for i := range p.slots {
		v.regs[i] = -1
	}
	for at := from; ; {
		if !anchored {
			if at = re.candidate(s, at); at < 0 {
				return false, nil
			}
		}
		v.stack = v.stack[:0]
		if _, ok := v.run(p.start, at, -1); ok {
			return true, nil
		}
		if v.deadline {
			return false, ErrSteps
		}
		if anchored || at >= len(s) {
			return false, nil
		}
		_, w := utf8.DecodeRuneInString(s[at:])
		at += w
	}
}

func (v *vm) set(reg int32, val int) {
	v.stack = append(v.stack, frame{^reg, v.regs[reg]})
	v.regs[reg] = val
}

// run executes from pc at pos. A part of a program (see iSubEnd) must end at
// target unless that is negative. It returns where the match ends; alternatives
// are left on the stack above its height at the call.
func (v *vm) run(pc int32, pos, target int) (int, bool) {
	p, s := v.p, v.s
	base := len(v.stack)
	slots := int32(p.slots)
	for {
		if v.steps--; v.steps < 0 {
			v.deadline = true
			v.undo(base)
			return 0, false
		}
		in := &p.insts[pc]
		ok := false
		switch in.op {
		case iRune:
			if pos < len(s) {
				if c := s[pos]; c < utf8.RuneSelf {
					if ok = rune(c) == in.arg; ok {
						pos++
					}
				} else if r, w := utf8.DecodeRuneInString(s[pos:]); r == in.arg {
					ok = true
					pos += w
				}
			}
		case iSet:
			if pos < len(s) {
				r, w := rune(s[pos]), 1
				if r >= utf8.RuneSelf {
					r, w = utf8.DecodeRuneInString(s[pos:])
				}
				if ok = p.sets[in.arg].has(r); ok {
					pos += w
				}
			}
		case iSplit:
			if in.run {
				if pos, ok = v.consume(in, pc, pos); ok {
					pc = in.y
					continue
				}
				break
			}
			if v.width > 0 {
				bit := (pos-v.from)*v.width + int(pc)
				w := bit >> 6
				if v.visited[w]&(1<<(uint(bit)&63)) != 0 {
					break
				}
				v.visited[w] |= 1 << (uint(bit) & 63)
				v.dirty = max(v.dirty, w+1)
			}
			v.stack = append(v.stack, frame{in.y, pos})
			ok = true
		case iSave:
			v.set(in.arg, pos)
			ok = true
		case iAssert:
			ok = holds(assertKind(in.arg), s, pos, v.last)
		case iMatch:
			if !v.whole || pos == len(s) {
				return pos, true
			}
		case iSubEnd:
			if target < 0 || pos == target {
				return pos, true
			}
		case iBackref:
			pos, ok = v.backref(in, pos)
		case iLook:
			if ok = v.look(in, pos); ok {
				pc = in.y
				continue
			}
		case iAtomic:
			height := len(v.stack)
			var end int
			if end, ok = v.run(in.x, pos, -1); ok {
				v.commit(height)
				pc, pos = in.y, end
				continue
			}
		case iCountZero:
			v.set(slots+in.arg, 0)
			ok = true
		case iMark:
			v.set(slots+in.arg, pos)
			ok = true
		case iClose:
			v.set(in.min, v.regs[slots+in.arg])
			v.set(in.min+1, pos)
			ok = true
		case iProgress:
			if v.regs[slots+in.arg] == pos {
				pc = in.y
				continue
			}
			ok = true
		case iCount:
			n := v.regs[slots+in.arg]
			switch {
			case n < int(in.min):
			case in.max >= 0 && n >= int(in.max):
				pc = in.y
				continue
			case in.lazy:
				// Coming back, the counter must be one more: step through a zero
				// width detour, the frame holds the body and the register is set then.
				v.stack = append(v.stack, frame{pc | lazyEntry, pos})
				pc = in.y
				continue
			default:
				v.stack = append(v.stack, frame{in.y, pos})
			}
			v.set(slots+in.arg, n+1)
			ok = true
		}
		if ok {
			pc = in.x
			continue
		}
		if v.deadline {
			v.undo(base)
			return 0, false
		}
		if pc, pos, ok = v.back(base); !ok {
			return 0, false
		}
		if pc&lazyEntry != 0 {
			in = &p.insts[pc&^lazyEntry]
			v.set(slots+in.arg, v.regs[slots+in.arg]+1)
			pc = in.x
		}
	}
}

// consume runs the loop in at pc as far as it goes. The states on the way are
// visited with it: leaving the loop earlier cannot lead to a match.
func (v *vm) consume(in *inst, pc int32, pos int) (int, bool) {
	body := &v.p.insts[in.x]
	var test *charTest
	if body.op == iSet {
		test = &v.p.sets[body.arg]
	}
	s := v.s
	for from := pos; ; {
		if v.width > 0 {
			bit := (pos-v.from)*v.width + int(pc)
			w := bit >> 6
			if v.visited[w]&(1<<(uint(bit)&63)) != 0 {
				return pos, false
			}
			v.visited[w] |= 1 << (uint(bit) & 63)
			v.dirty = max(v.dirty, w+1)
		}
		if pos < len(s) {
			r, w := rune(s[pos]), 1
			if r >= utf8.RuneSelf {
				r, w = utf8.DecodeRuneInString(s[pos:])
			}
			if test != nil && test.has(r) || test == nil && r == body.arg {
				pos += w
				continue
			}
		}
		v.steps -= pos - from
		return pos, true
	}
}

// lazyEntry marks the frame of a lazy counted loop.
const lazyEntry int32 = 1 << 30

// back takes the youngest alternative above base off the stack.
func (v *vm) back(base int) (pc int32, pos int, ok bool) {
	for len(v.stack) > base {
		f := v.stack[len(v.stack)-1]
		v.stack = v.stack[:len(v.stack)-1]
		if f.pc >= 0 {
			return f.pc, f.pos, true
		}
		v.regs[^f.pc] = f.pos
	}
	return 0, 0, false
}

// undo restores the registers and drops everything above base.
func (v *vm) undo(base int) {
	for len(v.stack) > base {
		f := v.stack[len(v.stack)-1]
		v.stack = v.stack[:len(v.stack)-1]
		if f.pc < 0 {
			v.regs[^f.pc] = f.pos
		}
	}
}

// commit drops all that is above base: alternatives, and the old values of
// registers as well. Java too keeps the groups of a look-around or an atomic
// part that matched when what follows fails, even for the next attempt.
func (v *vm) commit(base int) { v.stack = v.stack[:base] }

func (v *vm) look(in *inst, pos int) bool {
	height := len(v.stack)
	found := false
	if !in.behind {
		_, found = v.run(in.x, pos, -1)
	} else {
		at := pos
		for back := int32(0); back <= in.max && back >= 0 && !found && !v.deadline; back++ {
			if back >= in.min {
				_, found = v.run(in.x, at, pos)
			}
			if at == 0 {
				break
			}
			_, w := utf8.DecodeLastRuneInString(v.s[:at])
			at -= w
			v.steps--
		}
	}
	if v.deadline {
		return false
	}
	v.commit(height)
	return found != in.neg
}

// backref consumes what group in.arg holds; a group without a match fails.
func (v *vm) backref(in *inst, pos int) (int, bool) {
	if int(2*in.arg+1) >= v.p.slots {
		return pos, false
	}
	from, to := v.regs[2*in.arg], v.regs[2*in.arg+1]
	if from < 0 || to < from {
		return pos, false
	}
	text := v.s[from:to]
	if in.fold&CaseInsensitive == 0 {
		if len(v.s)-pos < len(text) || v.s[pos:pos+len(text)] != text {
			return pos, false
		}
		v.steps -= len(text) / 16 // what is compared in the time of a step
		return pos + len(text), true
	}
	for i := 0; i < len(text); {
		a, w := utf8.DecodeRuneInString(text[i:])
		i += w
		v.steps--
		if pos >= len(v.s) {
			return pos, false
		}
		b, w := utf8.DecodeRuneInString(v.s[pos:])
		pos += w
		if !sameFolded(a, b, in.fold) {
			return pos, false
		}
	}
	return pos, true
}

func sameFolded(a, b rune, f Flags) bool {
	switch {
	case a == b:
		return true
	case f&UnicodeCase != 0:
		a, b = unicode.ToUpper(a), unicode.ToUpper(b)
		return a == b || unicode.ToLower(a) == unicode.ToLower(b)
	}
	return isASCIILetter(a) && isASCIILetter(b) && a|0x20 == b|0x20
}
