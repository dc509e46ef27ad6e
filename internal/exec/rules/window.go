package rules

import (
	"encoding/binary"
	"slices"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/state"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// windows counts the hits of rules by (window, rule, key): one table for all rules.
type windows struct {
	table     *state.Table // 'w', end, rule length, rule, key
	count     []int64      // by slot
	byEnd     map[int64][]int32
	ends      []int64 // ascending
	watermark int64
	key       []byte
}

func newWindows(watermark int64) *windows {
	w := &windows{table: state.NewTable(), byEnd: map[int64][]int32{}, watermark: watermark}
	w.table.Unit = func([]byte) uint16 { return 0 } // the operator is one task
	return w
}

// add counts a hit at time t and returns the count so far, or that it is late.
func (w *windows) add(d plan.RuleDef, key string, t int64) (n int64, late bool) {
	size := d.Window.Milliseconds()
	end := types.FloorDiv(t, size)*size + size
	if end-1 <= w.watermark {
		return 0, true
	}
	w.key = append(w.key[:0], 'w')
	w.key = binary.BigEndian.AppendUint64(w.key, uint64(end)^1<<63)
	w.key = binary.AppendUvarint(w.key, uint64(len(d.ID)))
	w.key = append(append(w.key, d.ID...), key...)
	slot, added := w.table.FindOrAdd(vector.HashKey(w.key), w.key)
	if added {
		w.register(slot, end)
	}
	w.count[slot]++
	w.table.MarkDirty(slot)
	return w.count[slot], false
}

func (w *windows) register(slot int32, end int64) {
	for int(slot) >= len(w.count) {
		w.count = append(w.count, 0)
	}
	w.count[slot] = 0
	list, known := w.byEnd[end]
	w.byEnd[end] = append(list, slot)
	if !known {
		at, _ := slices.BinarySearch(w.ends, end)
		w.ends = slices.Insert(w.ends, at, end)
	}
}

// advance drops the windows that are over.
func (w *windows) advance(to int64) {
	w.watermark = max(w.watermark, to)
	for len(w.ends) > 0 && w.ends[0]-1 <= w.watermark {
		for _, slot := range w.byEnd[w.ends[0]] {
			w.table.Remove(slot)
		}
		delete(w.byEnd, w.ends[0])
		w.ends = w.ends[1:]
	}
}

// rule is the rule's id in a key.
func rule(key []byte) string {
	n, k := binary.Uvarint(key[9:])
	return string(key[9+k : 9+k+int(n)])
}

// drop forgets the counts of rules that are gone.
func (w *windows) drop(gone map[string]bool) {
	for end, slots := range w.byEnd {
		left := slots[:0]
		for _, s := range slots {
			if gone[rule(w.table.Key(s))] {
				w.table.Remove(s)
			} else {
				left = append(left, s)
			}
		}
		w.byEnd[end] = left
	}
}

func (w *windows) snapshot(b state.Backend) error {
	return w.table.Snapshot(b, func(dst []byte, slot int32) []byte { return binary.AppendVarint(dst, w.count[slot]) })
}

func (w *windows) load(key, value []byte) error {
	n, k := binary.Varint(value)
	if k <= 0 || len(key) < 10 {
		return vector.ErrCorrupt
	}
	id, m := binary.Uvarint(key[9:])
	if m <= 0 || uint64(len(key)-9-m) < id {
		return vector.ErrCorrupt
	}
	slot, _ := w.table.FindOrAdd(vector.HashKey(key), key)
	w.register(slot, int64(binary.BigEndian.Uint64(key[1:])^1<<63))
	w.count[slot] = n
	w.table.MarkSaved(slot)
	return nil
}
