package runtime

import (
	"reflect"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

// TestBoundsOfLists: an IN is the range of its values if all are plain ones.
func TestBoundsOfLists(t *testing.T) {
	big, small := types.Of(types.BigInt), types.Of(types.Int)
	col := &plan.Column{Index: 0, T: big}
	lit := func(typ types.Type, v types.Value) plan.Expr { return &plan.Literal{T: typ, Value: v} }
	for _, c := range []struct {
		args []plan.Expr
		want []format.Bound
	}{
		{[]plan.Expr{col, lit(big, int64(7)), lit(big, int64(-3)), lit(big, int64(5))},
			[]format.Bound{{Op: format.GreaterEqual, Value: int64(-3)}, {Op: format.LessEqual, Value: int64(7)}}},
		{[]plan.Expr{col, lit(big, nil), lit(big, int64(5))}, []format.Bound{{Op: format.GreaterEqual, Value: int64(5)}, {Op: format.LessEqual, Value: int64(5)}}},
		{[]plan.Expr{col, lit(big, int64(5)), col}, nil},
		{[]plan.Expr{col, lit(big, int64(5)), lit(small, int32(9))}, nil},
		{[]plan.Expr{col, lit(big, nil)}, nil},
		{[]plan.Expr{lit(big, int64(5)), lit(big, int64(5))}, nil},
	} {
		s := &plan.Scan{Table: &plan.Table{Physical: types.NewSchema(types.Field{Name: "a", Type: big})}, Wants: []format.Want{{Type: big}},
			Filter: &plan.OpExpr{Op: plan.In, Args: c.args, T: types.Of(types.Boolean)}}
		if got := boundsOf(s); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: got %v, want %v", c.args, got, c.want)
		}
	}
}
