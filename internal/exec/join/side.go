package join

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/vector"
)

// side is what a join keeps of one input: for every key the rows it has seen,
// as a multiset. A row's encoding is its identity, so that a retraction finds it.
type side struct {
	entries *state.Table // key length, key, row -> entry
	groups  *state.Table // key -> group
	rows    [][]int32    // by group: its entries
	place   []int32      // by entry: its index in rows
	group   []int32      // by entry
	count   []int64      // by entry: how often the row is there
	matches []int64      // by entry: rows of the other side it matches; kept where the kind of join needs it
	touched []int64      // by group, with TTL
	buf     []byte
	encoded []byte
}

func newSide() *side {
	s := &side{entries: state.NewTable(), groups: state.NewTable()}
	// Rows are spread by their join key alone, and so is the state.
	s.entries.Unit = func(k []byte) uint16 {
		return state.UnitOf(vector.HashKey(k[4 : 4+binary.LittleEndian.Uint32(k)]))
	}
	return s
}

// find returns the group of key, -1 if there is none.
func (s *side) find(key []byte) int32 { return s.groups.Find(vector.HashKey(key), key) }

// add adds a row with its number of matches and returns its entry.
func (s *side) add(key []byte, b *vector.Batch, i int, matches int64) int32 {
	e := s.entry(key, vector.AppendRowOf(s.encoded[:0], b.Cols, i))
	s.count[e]++
	s.matches[e] = matches
	s.entries.MarkDirty(e)
	return e
}

// entry returns the entry of an encoded row, made if it is new.
func (s *side) entry(key, row []byte) int32 {
	s.encoded = row
	s.buf = binary.LittleEndian.AppendUint32(s.buf[:0], uint32(len(key)))
	s.buf = append(append(s.buf, key...), row...)
	e, added := s.entries.FindOrAdd(vector.HashKey(s.buf), s.buf)
	for int(e) >= len(s.count) {
		s.count, s.matches = append(s.count, 0), append(s.matches, 0)
		s.place, s.group = append(s.place, 0), append(s.group, 0)
	}
	if added {
		s.count[e], s.matches[e] = 0, 0
		g, _ := s.groups.FindOrAdd(vector.HashKey(key), key)
		for int(g) >= len(s.rows) {
			s.rows = append(s.rows, nil)
			s.touched = append(s.touched, 0)
		}
		s.group[e], s.place[e] = g, int32(len(s.rows[g]))
		s.rows[g] = append(s.rows[g], e)
	}
	return e
}

// retract takes one row back and tells whether it was there, with the number of
// matches it had.
func (s *side) retract(key []byte, b *vector.Batch, i int) (matches int64, ok bool) {
	s.encoded = vector.AppendRowOf(s.encoded[:0], b.Cols, i)
	s.buf = binary.LittleEndian.AppendUint32(s.buf[:0], uint32(len(key)))
	s.buf = append(append(s.buf, key...), s.encoded...)
	e := s.entries.Find(vector.HashKey(s.buf), s.buf)
	if e < 0 {
		return 0, false
	}
	matches = s.matches[e]
	s.count[e]--
	s.entries.MarkDirty(e)
	if s.count[e] == 0 {
		s.remove(e)
	}
	return matches, true
}

// remove forgets an entry, and its group with the last one.
func (s *side) remove(e int32) {
	g := s.group[e]
	rows := s.rows[g]
	last := rows[len(rows)-1]
	rows[s.place[e]], s.place[last] = last, s.place[e]
	s.rows[g] = rows[:len(rows)-1]
	s.entries.Remove(e)
	if len(s.rows[g]) == 0 {
		s.rows[g] = nil
		s.groups.Remove(g)
	}
}

// read appends the columns of an entry's row to cols.
func (s *side) read(e int32, cols []vector.Vector) error {
	k := s.entries.Key(e)
	return vector.ReadRowOf(cols, k[4+binary.LittleEndian.Uint32(k):])
}

// expire forgets the groups not touched since before.
func (s *side) expire(before int64) {
	s.groups.Live(func(g int32) bool {
		if s.touched[g] < before {
			for len(s.rows[g]) > 1 {
				s.remove(s.rows[g][len(s.rows[g])-1])
			}
			s.remove(s.rows[g][0])
		}
		return true
	})
}

func (s *side) bytes() int64 {
	return s.entries.Bytes() + s.groups.Bytes() + int64(cap(s.count))*24 + int64(cap(s.rows))*24
}

// save and load are the side's part of a checkpoint: an entry's key says all but the counts.
func (s *side) save(dst []byte, e int32) []byte {
	dst = binary.AppendVarint(dst, s.count[e])
	return binary.AppendVarint(dst, s.matches[e])
}

func (s *side) load(k, value []byte, now int64) error {
	if len(k) < 4 || uint32(len(k)-4) < binary.LittleEndian.Uint32(k) {
		return vector.ErrCorrupt
	}
	n := 4 + binary.LittleEndian.Uint32(k)
	e := s.entry(k[4:n], append([]byte(nil), k[n:]...))
	s.entries.MarkSaved(e) // or its removal would not reach the store
	count, w := binary.Varint(value)
	if w <= 0 {
		return vector.ErrCorrupt
	}
	matches, w2 := binary.Varint(value[w:])
	if w2 <= 0 {
		return vector.ErrCorrupt
	}
	s.count[e], s.matches[e] = count, matches
	s.touched[s.group[e]] = now
	return nil
}
