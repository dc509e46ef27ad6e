package builtin

import (
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/vector"
)

// aggFireFuncs tell of an emission of a window. They stand where aggregates do;
// the window operator fills them in, the accumulators only give them their place.
var aggFireFuncs = []function.Def{
	{
		Name: "FIRE_TIME", Group: "window", Sig: "() -> TIMESTAMP_LTZ(3)!", Volatile: true,
		Doc:       "The time at which a window emitted this row, by the clock. In queries that group by a window.",
		Aggregate: &function.Aggregate{Retracts: true, KeepsNulls: true, New: newFire},
	},
	{
		Name: "PANE", Group: "window", Sig: "() -> BIGINT!", Volatile: true,
		Doc:       "The number, from 1, of this emission among those of the same window and key. In queries that group by a window.",
		Aggregate: &function.Aggregate{Retracts: true, KeepsNulls: true, New: newFire},
	},
}

func newFire(*function.Context, function.AggregateCall) (function.Accumulators, error) {
	return fireAcc{}, nil
}

// fireAcc remembers nothing.
type fireAcc struct{}

func (fireAcc) Resize(int)                                             {}
func (fireAcc) Update([]int32, []vector.Vector, []int32, []int8) error { return nil }
func (fireAcc) Merge(int32, function.Accumulators, int32) error        { return nil }
func (fireAcc) Clear(int32)                                            {}
func (fireAcc) Save(dst []byte, _ int32) []byte                        { return dst }
func (fireAcc) Load(_ int32, src []byte) ([]byte, error)               { return src, nil }
func (fireAcc) Bytes() int64                                           { return 0 }
func (fireAcc) Result(slots []int32, out vector.Vector) error {
	vector.Extend(out, len(slots))
	return nil
}
