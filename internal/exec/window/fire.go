package window

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// fireKind says which of the calls tell of the emission itself.
type fireKind uint8

const (
	noFire   fireKind = iota
	fireTime          // FIRE_TIME(): when the row was emitted
	firePane          // PANE(): its number among the emissions of the group
)

// fireKinds returns the kind of each call, nil if all are ordinary.
func fireKinds(calls []plan.AggCall) []fireKind {
	out := make([]fireKind, len(calls))
	found := false
	for i, c := range calls {
		switch c.Fn.Name {
		case "FIRE_TIME":
			out[i], found = fireTime, true
		case "PANE":
			out[i], found = firePane, true
		}
	}
	if !found {
		return nil
	}
	return out
}

func (w *base) isFire(c int) bool { return w.fires != nil && w.fires[c] != noFire }

// fireColumns fills the results of FIRE_TIME and PANE for groups that are being emitted.
func (w *base) fireColumns(slots []int32) {
	for c, kind := range w.fires {
		switch kind {
		case fireTime:
			now := types.TS{Ms: w.cx.Now()}
			for j := range slots {
				w.results[c].(*vector.Flat[types.TS]).Vals[j] = now
			}
		case firePane:
			for j, slot := range slots {
				n := int64(1)
				if !w.Emit.plain() {
					n = int64(w.pane[slot]) + 1
				}
				w.results[c].(*vector.Flat[int64]).Vals[j] = n
			}
		}
	}
}

// encodeShown encodes result row j into w.encoded: a length, the ordinary
// results of that length, then those that tell of the emission. Only the former
// say whether a row has changed.
func (w *base) encodeShown(j int) {
	w.encoded = append(w.encoded[:0], 0, 0, 0, 0)
	for c, r := range w.results {
		if !w.isFire(c) {
			w.encoded = vector.AppendRow(w.encoded, r, j)
		}
	}
	binary.LittleEndian.PutUint32(w.encoded, uint32(len(w.encoded)))
	for c, r := range w.results {
		if w.isFire(c) {
			w.encoded = vector.AppendRow(w.encoded, r, j)
		}
	}
}

// sameShown tells whether two encoded rows have equal ordinary results.
func sameShown(a string, b []byte) bool {
	n := binary.LittleEndian.Uint32(b)
	return uint32(len(a)) >= n && a[:n] == string(b[:n])
}
