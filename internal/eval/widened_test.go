package eval

import (
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// Casts that are computed without the compiler give what it gives.
func TestWidenedCastsAreThoseOfTheCompiler(t *testing.T) {
	cx := &function.Context{Zone: time.UTC, Now: time.Now}
	quick := 0
	for _, from := range []*plan.Literal{
		{Value: "ab", T: types.CharOf(2).NotNull()}, {Value: "ab  ", T: types.CharOf(4).NotNull()}, {Value: "äö", T: types.CharOf(2).NotNull()},
		{Value: "", T: types.VarCharOf(5)}, {Value: "12345", T: types.String()}, {Value: int32(-7), T: types.Of(types.Int)}, {Value: int64(7), T: types.Of(types.BigInt)},
		{Value: true, T: types.Of(types.Boolean)}, {T: types.Of(types.Int)},
	} {
		for _, to := range []types.Type{types.VarCharOf(1), types.VarCharOf(2), types.VarCharOf(4), types.VarCharOf(9), types.String(), types.CharOf(3), types.Of(types.BigInt), types.Of(types.Int), types.Of(types.Double)} {
			if explicit, _ := types.Castable(from.T, to); !explicit {
				continue
			}
			e := &plan.Cast{X: from, T: to.WithNull(from.T.Nullable)}
			v, ok := widened(e)
			if !ok {
				continue
			}
			quick++
			if want, err := runConst(e, cx); err != nil || v != want {
				t.Errorf("CAST(%v %s AS %s) = %v, want %v (%v)", from.Value, from.T, to, v, want, err)
			}
		}
	}
	if quick < 10 {
		t.Errorf("%d casts only", quick)
	}
}
