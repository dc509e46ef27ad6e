package regex

import "unicode/utf8"

// pike runs all alternatives of a regular program side by side, the preferred
// first: time is the text times the program, memory only the program.
type pike struct {
	p        *prog
	cur, nxt threads
	stack    []pikeFrame
	caps     []int // of the thread that is being added
	match    []int
}

// threads is an ordered set of instructions, each with its own group slots.
type threads struct {
	dense  []int32
	sparse []int32
	caps   []int
}

type pikeFrame struct {
	pc   int32 // < 0: restore slot ^pc
	slot int
}

func (t *threads) init(insts, slots int) {
	if len(t.sparse) < insts {
		t.sparse = make([]int32, insts)
		t.caps = make([]int, insts*slots)
	}
	t.dense = t.dense[:0]
}

func (t *threads) has(pc int32) bool {
	i := t.sparse[pc]
	return int(i) < len(t.dense) && t.dense[i] == pc
}

// find is vm.find for regular programs; the groups are in k.match.
func (k *pike) find(s string, from int, anchored, whole bool) bool {
	p := k.p
	k.cur.init(len(p.insts), p.slots)
	k.nxt.init(len(p.insts), p.slots)
	if len(k.caps) < p.slots {
		k.caps, k.match = make([]int, p.slots), make([]int, p.slots)
	}
	anchored = anchored || whole || p.anchored
	if p.anchored && from > 0 {
		return false
	}
	found := false
	for pos := from; ; {
		if !found && (!anchored || pos == from) {
			for i := range k.caps {
				k.caps[i] = -1
			}
			k.add(&k.cur, p.start, s, pos)
		}
		if len(k.cur.dense) == 0 {
			break
		}
		r, w := rune(-1), 1
		if pos < len(s) {
			r, w = utf8.DecodeRuneInString(s[pos:])
		}
		k.nxt.dense = k.nxt.dense[:0]
	step:
		for i, pc := range k.cur.dense {
			in := &p.insts[pc]
			ok := false
			switch in.op {
			case iRune:
				ok = r == in.arg
			case iSet:
				ok = r >= 0 && p.sets[in.arg].has(r)
			case iMatch:
				if whole && pos != len(s) {
					continue
				}
				copy(k.match, k.cur.caps[i*p.slots:(i+1)*p.slots])
				found = true
				break step // the rest is less preferred
			}
			if ok {
				copy(k.caps, k.cur.caps[i*p.slots:(i+1)*p.slots])
				k.add(&k.nxt, in.x, s, pos+w)
			}
		}
		k.cur, k.nxt = k.nxt, k.cur
		if pos >= len(s) {
			break
		}
		pos += w
	}
	return found
}

// add puts pc and all it reaches without consuming into t.
func (k *pike) add(t *threads, pc int32, s string, pos int) {
	p := k.p
	k.stack = append(k.stack[:0], pikeFrame{pc: pc})
	for len(k.stack) > 0 {
		f := k.stack[len(k.stack)-1]
		k.stack = k.stack[:len(k.stack)-1]
		if f.pc < 0 {
			k.caps[^f.pc] = f.slot
			continue
		}
		for pc := f.pc; !t.has(pc); {
			at := len(t.dense)
			t.sparse[pc] = int32(at)
			t.dense = append(t.dense, pc)
			in := &p.insts[pc]
			switch in.op {
			case iSplit:
				k.stack = append(k.stack, pikeFrame{pc: in.y})
			case iSave:
				k.stack = append(k.stack, pikeFrame{^in.arg, k.caps[in.arg]})
				k.caps[in.arg] = pos
			case iAssert:
				if !holds(assertKind(in.arg), s, pos, -1) {
					goto done
				}
			default:
				copy(t.caps[at*p.slots:(at+1)*p.slots], k.caps)
				goto done
			}
			pc = in.x
		}
	done:
	}
}
