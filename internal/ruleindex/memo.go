package ruleindex

import "hash/maphash"

// cache maps 128-bit keys to numbers, with room for a fixed number of entries
// that fight for it four at a time. Keys are hashes under a seed of the process
// or sums of random words, so that nobody can make two of them equal.
type cache struct {
	entries []cacheEntry // a power of two, at least 4
	mask    uint64
	hits    int64
	misses  int64
	recent  int64 // misses since the last growth
	most    int   // entries to grow to
}

type cacheEntry struct {
	lo, hi uint64
	val    int32 // number+1; 0: empty
}

func newCache(size, most int) cache {
	return cache{entries: make([]cacheEntry, size), mask: uint64(size - 1), most: most}
}

// get returns the number of the key, -1 if it is not there.
func (c *cache) get(lo, hi uint64) int32 {
	at := lo & c.mask &^ 3
	set := c.entries[at : at+4 : at+4]
	for i := range set {
		e := &set[i]
		if e.lo == lo && e.hi == hi && e.val != 0 {
			v := e.val - 1
			if i > 0 { // what is used moves to the front, and stays
				set[i], set[i-1] = set[i-1], set[i]
			}
			c.hits++
			return v
		}
	}
	c.misses++
	c.recent++
	return -1
}

// put adds a key that get did not find.
func (c *cache) put(lo, hi uint64, val int32) {
	if c.recent > 4*int64(len(c.entries)) && len(c.entries) < c.most {
		c.grow()
	}
	at := lo & c.mask &^ 3
	set := c.entries[at : at+4 : at+4]
	for i := range set {
		if set[i].val == 0 {
			set[i] = cacheEntry{lo, hi, val + 1}
			return
		}
	}
	set[3] = set[2]
	set[2] = cacheEntry{lo, hi, val + 1}
}

func (c *cache) grow() {
	old := c.entries
	size := 2 * len(old)
	c.entries, c.mask, c.recent = make([]cacheEntry, size), uint64(size-1), 0
	for _, e := range old {
		if e.val != 0 {
			c.put(e.lo, e.hi, e.val-1)
		}
	}
}

func (c *cache) clear() { clear(c.entries) }

func (c *cache) bytes() int { return 24 * len(c.entries) }

// seeds are the secrets of a task's memo keys: two hashes of 64 bits each, of
// texts and of undecoded texts.
type seeds [2][2]maphash.Seed

func newSeeds() *seeds {
	return &seeds{{maphash.MakeSeed(), maphash.MakeSeed()}, {maphash.MakeSeed(), maphash.MakeSeed()}}
}

// hash is the memo's key of a value.
func (k *seeds) hash(s string, escaped bool) (lo, hi uint64) {
	p := &k[0]
	if escaped {
		p = &k[1]
	}
	return maphash.String(p[0], s), maphash.String(p[1], s)
}

// sets interns lists of numbers: sets of atoms that fired, lists of rules.
// Number 0 is the empty list.
type sets struct {
	index map[string]int32
	from  []int32
	pool  []int32
	words [][2]uint64 // a random word of each, for signatures; none for the empty one
	rand  uint64
	key   []byte
}

func newSets(seed uint64) *sets {
	s := &sets{rand: seed}
	s.clear()
	return s
}

func (s *sets) clear() {
	s.index = map[string]int32{"": 0}
	s.from = append(s.from[:0], 0, 0)
	s.pool = s.pool[:0]
	s.words = append(s.words[:0], [2]uint64{})
}

// intern returns the number of a list.
func (s *sets) intern(list []int32) int32 {
	s.key = s.key[:0]
	for _, v := range list {
		s.key = append(s.key, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	if n, ok := s.index[string(s.key)]; ok {
		return n
	}
	n := int32(len(s.from) - 1)
	s.index[string(s.key)] = n
	s.pool = append(s.pool, list...)
	s.from = append(s.from, int32(len(s.pool)))
	s.words = append(s.words, [2]uint64{s.random(), s.random()})
	return n
}

// random is the next word of splitmix64.
func (s *sets) random() uint64 {
	s.rand += 0x9E3779B97F4A7C15
	z := s.rand
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (s *sets) get(n int32) []int32 { return s.pool[s.from[n]:s.from[n+1]] }

func (s *sets) len() int { return len(s.from) - 1 }

func (s *sets) bytes() int { return 8*len(s.pool) + 60*len(s.from) }
