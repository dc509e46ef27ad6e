package rank

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
)

func big() types.Type { return types.Of(types.BigInt) }

// testRow is a row of the tests: a partition, what it is ordered by, and what it is.
type testRow struct{ k, v, id int64 }

func (r testRow) row(kind types.RowKind) exectest.Row {
	return exectest.Row{Kind: kind, Values: []types.Value{r.k, r.v, r.id}}
}

// TestTopNAgreesWithModel feeds random rows, and with retract takes some back:
// folding the changes always gives the first rows of each partition. The order is
// total, as ties may be broken either way.
func TestTopNAgreesWithModel(t *testing.T) {
	in := exectest.Schema("k", big(), "v", big(), "id", big())
	for _, retract := range []bool{false, true} {
		for _, number := range []bool{false, true} {
			for _, batch := range []int{1, 3, 1024} {
				t.Run(fmt.Sprintf("retract=%v/number=%v/%d", retract, number, batch), func(t *testing.T) {
					for seed := range uint64(60) {
						r := rand.New(rand.NewPCG(seed, 2))
						s := PartitionSpec{Partition: []int{0}, Order: []plan.SortKey{{Column: 1, Desc: true}, {Column: 2}}, Offset: int64(r.IntN(3)), Limit: int64(1 + r.IntN(4)),
							Number: number, Retracts: retract, UpdateBefore: true, In: in, Out: in}
						if number {
							s.Out = exectest.Schema("k", big(), "v", big(), "id", big(), "n", big())
						}
						d := exectest.Start(t, batch, func() exec.Operator { return NewTopN(s) }, in)
						var live []testRow
						for id := range int64(100) {
							if retract && len(live) > 0 && r.IntN(3) == 0 {
								i := r.IntN(len(live))
								d.Rows(0, live[i].row(types.Delete))
								live = slices.Delete(live, i, i+1)
							} else {
								x := testRow{int64(r.IntN(3)), int64(r.IntN(20)), id}
								d.Rows(0, x.row(types.Insert))
								live = append(live, x)
							}
							if r.IntN(20) == 0 {
								d.Restart()
							}
						}
						d.End()
						slices.SortFunc(live, func(a, b testRow) int {
							return cmp.Or(cmp.Compare(a.k, b.k), cmp.Compare(b.v, a.v), cmp.Compare(a.id, b.id))
						})
						var want []string
						place := int64(0)
						for i, x := range live {
							if i == 0 || live[i-1].k != x.k {
								place = 0
							}
							place++
							if place <= s.Offset || place > s.Offset+s.Limit {
								continue
							}
							row := fmt.Sprintf("%d %d %d", x.k, x.v, x.id)
							if number {
								row += fmt.Sprintf(" %d", place)
							}
							want = append(want, row)
						}
						slices.Sort(want)
						if got := exectest.Fold(d.Output); !slices.Equal(got, want) {
							t.Fatalf("seed %d, offset %d, limit %d\n got %s\nwant %s", seed, s.Offset, s.Limit, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
						}
					}
				})
			}
		}
	}
}

// TestDedupAgreesWithModel keeps the first or last row of each key of streams
// out of order.
func TestDedupAgreesWithModel(t *testing.T) {
	in := exectest.Schema("k", big(), "id", big(), "t", exectest.Rowtime())
	for _, last := range []bool{false, true} {
		for _, before := range []bool{false, true} {
			for _, batch := range []int{1, 3, 1024} {
				for seed := range uint64(60) {
					r := rand.New(rand.NewPCG(seed, 4))
					s := DedupSpec{Partition: []int{0}, Time: 2, Last: last, UpdateBefore: before, In: in}
					d := exectest.Start(t, batch, func() exec.Operator { return NewDedup(s) }, in)
					best := map[int64][2]int64{} // key -> time, id
					for id := range int64(80) {
						k, at := int64(r.IntN(5)), id/2+int64(r.IntN(20))
						d.Rows(0, exectest.Insert(k, id, exectest.TS(at)))
						old, ok := best[k]
						if !ok || last && at >= old[0] || !last && at < old[0] {
							best[k] = [2]int64{at, id}
						}
						if r.IntN(20) == 0 {
							d.Restart()
						}
					}
					d.End()
					// With -U rows the changes fold to the result; else the last of each key is it.
					shown := map[string]string{}
					for _, c := range d.Output {
						f := strings.SplitN(c, " ", 3)
						if f[0] != "-U" {
							shown[f[1]] = f[1] + " " + f[2]
						}
					}
					var got, want []string
					for _, row := range shown {
						got = append(got, row)
					}
					slices.Sort(got)
					for k, x := range best {
						want = append(want, fmt.Sprintf("%d %d %d", k, x[1], x[0]))
					}
					slices.Sort(want)
					if !slices.Equal(got, want) || before && !slices.Equal(exectest.Fold(d.Output), want) {
						t.Fatalf("last %v, batch %d, seed %d\n got %q\nwant %q", last, batch, seed, got, want)
					}
				}
			}
		}
	}
}
