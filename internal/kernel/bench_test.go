package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func perRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows), "ns/row")
}

func BenchmarkChooseGtConst(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	a := make([]int64, 1024)
	for i := range a {
		a[i] = r.Int64N(1024)
	}
	dst := make([]int32, 0, len(a))
	for b.Loop() {
		ChooseGtConst(dst, a, 512, nil)
	}
	perRow(b, len(a))
}

func BenchmarkAdd(b *testing.B) {
	x, y, z := make([]int64, 1024), make([]int64, 1024), make([]int64, 1024)
	for b.Loop() {
		Add(z, x, y, nil)
	}
	perRow(b, len(x))
}

func BenchmarkDecAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := make([]types.Dec, 1024), make([]types.Dec, 1024)
	for i := range x {
		x[i], y[i] = types.DecFromInt64(r.Int64N(1e9)-5e8), types.DecFromInt64(r.Int64N(1e9)-5e8)
	}
	z := vector.New(types.DecimalOf(11, 2), 0).(*vector.Flat[types.Dec])
	z.Resize(len(x))
	for b.Loop() {
		DecAdd(z, x, y, Decimals{A: 2, B: 2, Scale: 2, Prec: 11}, nil)
	}
	perRow(b, len(x))
}

func BenchmarkDecSigns(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]types.Dec, 1024)
	for i := range x {
		x[i] = types.DecFromInt64(r.Int64N(1e9) - 5e8)
	}
	z := make([]int8, 1024)
	for b.Loop() {
		DecSigns(z, x, 2, x[:1], 2, nil)
	}
	perRow(b, len(x))
}
