package match

import (
	"encoding/binary"

	"github.com/runnelio/runnel/vector"
)

// save encodes a partition: its rows, then its partial and complete matches.
func (m *Match) save(dst []byte, id int32) []byte {
	p := &m.of[id]
	dst = binary.AppendVarint(dst, p.base)
	dst = binary.AppendUvarint(dst, uint64(len(p.rows)))
	for _, r := range p.rows {
		v := m.rows.Get(r)
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	for _, runs := range [2][]run{p.partial, p.complete} {
		dst = binary.AppendUvarint(dst, uint64(len(runs)))
		for _, r := range runs {
			dst = binary.AppendVarint(dst, r.start)
			dst = binary.AppendUvarint(dst, uint64(r.term))
			for _, c := range r.counts {
				dst = binary.AppendUvarint(dst, uint64(c))
			}
		}
	}
	return dst
}

func (m *Match) savePending(dst []byte, slot int32) []byte {
	return append(dst, m.pendRows.Get(slot)...)
}

// restore takes an entry of the last commit.
func (m *Match) restore(_ uint16, key, value []byte) error {
	switch {
	case len(key) >= 9 && key[0] == 'r' && len(value) >= 12:
		if uint64(len(value)-12) < uint64(binary.LittleEndian.Uint32(value[8:])) {
			return vector.ErrCorrupt
		}
		slot, _ := m.pend.FindOrAdd(vector.HashKey(key), key)
		m.pend.MarkSaved(slot)
		m.pendRows.Set(slot, value)
		seq := binary.BigEndian.Uint64(key[1:]) >> 8
		m.seq = max(m.seq, seq)
		m.waiting = append(m.waiting, pendingRow{int64(binary.BigEndian.Uint64(value)), seq, slot})
		return nil
	case len(key) >= 1 && key[0] == 'p':
		id, _ := m.parts.FindOrAdd(vector.HashKey(key), key)
		for int(id) >= len(m.of) {
			m.of = append(m.of, partition{})
		}
		m.parts.MarkSaved(id)
		return m.load(id, value)
	}
	return vector.ErrCorrupt
}

func (m *Match) load(id int32, src []byte) error {
	p := &m.of[id]
	bad := false
	number := func() uint64 {
		v, n := binary.Uvarint(src)
		if n <= 0 {
			bad = true
			return 0
		}
		src = src[n:]
		return v
	}
	signed := func() int64 {
		v, n := binary.Varint(src)
		if n <= 0 {
			bad = true
			return 0
		}
		src = src[n:]
		return v
	}
	p.base = signed()
	for n := number(); n > 0 && !bad; n-- {
		size := number()
		if bad || size > uint64(len(src)) || size < 8 {
			return vector.ErrCorrupt
		}
		p.rows = append(p.rows, m.rows.Add(src[:size]))
		src = src[size:]
	}
	for _, runs := range [2]*[]run{&p.partial, &p.complete} {
		for n := number(); n > 0 && !bad; n-- {
			r := run{start: signed(), term: int(number()), counts: make([]int32, len(m.Pattern.Terms))}
			for i := range r.counts {
				r.counts[i] = int32(number())
			}
			if bad || r.start < p.base || r.start+r.len() > p.base+int64(len(p.rows)) || r.term >= len(r.counts) {
				return vector.ErrCorrupt
			}
			*runs = append(*runs, r)
		}
	}
	if bad {
		return vector.ErrCorrupt
	}
	if m.Pattern.Within > 0 {
		for _, r := range p.partial {
			m.deadlines.Push(deadline{m.timeOf(p, r.start) + m.Pattern.Within, id})
		}
	}
	return nil
}
