package convert

import (
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// PutDecimal stores d, of so many digits behind the point, in row i of out, a
// DECIMAL of type t, rounded to its scale. A number that does not fit is NULL, or
// an error in a column that is NOT NULL.
func PutDecimal(out vector.Vector, i int, d types.Dec, scale int, t types.Type) error {
	d, ok := d.Rescale(scale, t.Scale)
	if ok && d.FitsPrecision(t.Prec) {
		out.(*vector.Flat[types.Dec]).Vals[i] = d
		return nil
	}
	if !t.Nullable {
		return fmt.Errorf("the number does not fit %s", t.OrNull())
	}
	out.SetNull(i)
	return nil
}

// BigEndian reads a two's complement number of up to 64 bytes. It is false for
// more bytes, and for more than 38 digits.
func BigEndian(b []byte) (types.Dec, bool) {
	if len(b) == 0 || len(b) > 64 {
		return types.Dec{}, len(b) == 0
	}
	if len(b) <= 16 {
		var raw [16]byte
		if b[0]&0x80 != 0 {
			for i := range raw {
				raw[i] = 0xFF
			}
		}
		copy(raw[16-len(b):], b)
		return types.Dec{Hi: int64(binary.BigEndian.Uint64(raw[:8])), Lo: binary.BigEndian.Uint64(raw[8:])}, true
	}
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return types.ParseDec(n.String(), 38, 0)
}

// ArenaOf returns the memory for texts that are made for out: its own, or other
// memory if it does not hold texts.
func ArenaOf(out vector.Vector) *vector.Arena {
	if s, ok := out.(*vector.Flat[string]); ok {
		return &s.Arena
	}
	return &vector.Arena{}
}
