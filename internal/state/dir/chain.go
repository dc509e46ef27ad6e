package dir

import (
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"
)

// chain is the files of a commit, open for reading, oldest first. What they
// leave is gone through operator by operator and some units at a time, newest
// file first, so that memory holds no more than the keys of those units.
type chain struct {
	files []*reader
	seen  keySet
	at    []int // offsets of the records of a block
}

// groupSize is about how many compressed bytes of files are gone through at a time.
const groupSize = 8 << 20

func openChain(dir string, files []fileRef) (*chain, error) {
	c := &chain{}
	for _, ref := range files {
		r, err := openFile(dir, ref)
		if err != nil {
			c.close()
			return nil, err
		}
		c.files = append(c.files, r)
	}
	return c, nil
}

func (c *chain) close() {
	for _, r := range c.files {
		r.f.Close()
	}
}

// operators returns the operators that have records, sorted.
func (c *chain) operators() []string {
	var ops []string
	seen := map[string]bool{}
	for _, r := range c.files {
		for _, b := range r.index {
			if !seen[b.op] {
				seen[b.op] = true
				ops = append(ops, b.op)
			}
		}
	}
	slices.Sort(ops)
	return ops
}

// each calls f for the entries of an operator in units from lo to hi. After each
// group of units it calls done, if that is not nil.
func (c *chain) each(op string, lo, hi uint16, f func(unit uint16, key, value []byte) error, done func() error) error {
	var size int64
	top := lo
	for _, r := range c.files {
		for _, b := range r.index {
			if b.op == op && b.hi >= lo && b.lo <= hi {
				size += int64(b.size)
				top = max(top, min(b.hi, hi))
			}
		}
	}
	if size == 0 {
		return nil
	}
	width := max(1, int64(int(top)-int(lo)+1)*groupSize/(size+groupSize))
	for from := int64(lo); from <= int64(top); from += width {
		if err := c.group(op, uint16(from), uint16(min(from+width-1, int64(top))), f); err != nil {
			return err
		}
		if done != nil {
			if err := done(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chain) group(op string, lo, hi uint16, f func(unit uint16, key, value []byte) error) error {
	c.seen.reset()
	for i := len(c.files) - 1; i >= 0; i-- {
		r := c.files[i]
		last := i == 0 && r.full // it has each key once, and nothing is older
		for _, ref := range slices.Backward(r.index) {
			if ref.op != op || ref.hi < lo || ref.lo > hi {
				continue
			}
			rs, err := r.block(ref)
			if err != nil {
				return err
			}
			if err := c.block(rs, lo, hi, last, f); err != nil {
				return fmt.Errorf("%s: %w", r.f.Name(), err)
			}
		}
	}
	return nil
}

// block goes through the records of a block, last one first.
func (c *chain) block(rs []byte, lo, hi uint16, last bool, f func(unit uint16, key, value []byte) error) error {
	c.at = c.at[:0]
	for b := rs; len(b) > 0; {
		unit, _, _, _, rest, err := record(b)
		if err != nil {
			return err
		}
		if unit >= lo && unit <= hi {
			c.at = append(c.at, len(rs)-len(b))
		}
		b = rest
	}
	for _, at := range slices.Backward(c.at) {
		unit, key, value, deleted, _, _ := record(rs[at:])
		if !last || c.seen.n > 0 {
			id := identity(unit, key)
			if last && c.seen.has(id) || !last && !c.seen.add(id) {
				continue
			}
		}
		if deleted {
			continue
		}
		if err := f(unit, key, value); err != nil {
			return err
		}
	}
	return nil
}

// identity stands for a key: two keys share one with a chance of n²/2^129.
func identity(unit uint16, key []byte) xxh3.Uint128 {
	id := xxh3.Hash128Seed(key, uint64(unit)*0x9e3779b97f4a7c15)
	if id.Hi == 0 && id.Lo == 0 {
		id.Lo = 1 // zero marks a free place of a keySet
	}
	return id
}

// keySet is a set of identities, by open addressing.
type keySet struct {
	slots []xxh3.Uint128
	n     int
}

func (s *keySet) reset() {
	clear(s.slots)
	s.n = 0
}

func (s *keySet) place(id xxh3.Uint128) int {
	mask := len(s.slots) - 1
	i := int(id.Lo) & mask
	for s.slots[i] != id && s.slots[i] != (xxh3.Uint128{}) {
		i = (i + 1) & mask
	}
	return i
}

func (s *keySet) has(id xxh3.Uint128) bool { return s.n > 0 && s.slots[s.place(id)] == id }

// add returns false if id was there.
func (s *keySet) add(id xxh3.Uint128) bool {
	if s.n*2 >= len(s.slots) {
		old := s.slots
		s.slots = make([]xxh3.Uint128, max(1024, len(old)*2))
		for _, o := range old {
			if o != (xxh3.Uint128{}) {
				s.slots[s.place(o)] = o
			}
		}
	}
	i := s.place(id)
	if s.slots[i] == id {
		return false
	}
	s.slots[i] = id
	s.n++
	return true
}
