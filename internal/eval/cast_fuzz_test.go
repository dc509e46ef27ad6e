package eval

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// castPair is a cast that exists.
type castPair struct{ from, to types.Type }

// castPairs lists all casts between the types of columns and some more.
func castPairs() (out []castPair) {
	all := append([]types.Type{
		types.VarCharOf(2), types.CharOf(1), types.BinaryOf(2), types.VarBinaryOf(1), types.DecimalOf(3, 3), types.TimestampLTZOf(0), types.TimestampLTZOf(9),
		types.ArrayOf(types.String()), types.ArrayOf(types.TimestampLTZOf(3)), types.MapOf(types.Of(types.Int), types.String()),
		types.RowOf(types.Field{Name: "x", Type: types.String()}, types.Field{Name: "y", Type: types.Of(types.BigInt)}),
	}, columnTypes...)
	for _, from := range columnTypes {
		for _, to := range all {
			if explicit, _ := types.Castable(from, to); explicit {
				out = append(out, castPair{from, to})
			}
		}
	}
	return out
}

// FuzzCasts casts random values between all types in random time zones: as a
// constant, and as a column with and without a selection. All must agree, in the
// value or in that it fails, and TRY_CAST must be NULL where CAST fails.
func FuzzCasts(f *testing.F) {
	pairs := castPairs()
	if len(pairs) < 150 {
		f.Fatalf("only %d casts", len(pairs))
	}
	var zones []*time.Location
	for _, name := range []string{"UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"} {
		if z, err := time.LoadLocation(name); err == nil {
			zones = append(zones, z)
		}
	}
	for i := range pairs {
		f.Add(uint64(i), uint64(i*31), "2024-03-31 02:30:00.5")
	}
	for _, s := range []string{"", " 7 ", "-1e3", "10:11:12.", "0000-00-00", "99999999999999999999", "NaN", "x'41'", "1.5f", "\xff", "+5", "10000-01-01", "24:00:00"} {
		f.Add(uint64(len(pairs)), uint64(len(s)), s)
	}
	f.Fuzz(func(t *testing.T, which, seed uint64, text string) {
		p := pairs[which%uint64(len(pairs))]
		r := &random{Rand: rand.New(rand.NewPCG(seed, which)), in: types.NewSchema(types.Field{Name: "x", Type: p.from})}
		cx := &function.Context{Zone: zones[r.IntN(len(zones))]}
		v := r.value(p.from, true)
		if p.from.Kind == types.VarChar && r.IntN(2) == 0 {
			v = text
		}
		cast := &plan.Cast{X: &plan.Literal{Value: v, T: p.from}, T: p.to.OrNull()}
		want, wantErr := evalConst(cast, cx)
		b := vector.NewBatch(r.in, 3)
		for i := range 3 {
			x := v
			if i != 1 {
				x = nil
			}
			b.AppendValues(types.Insert, x)
		}
		column := &plan.Column{T: p.from, Name: "x"}
		for _, try := range []bool{false, true} {
			e := &plan.Cast{X: column, T: p.to.OrNull(), Try: try}
			prog, err := Compile([]plan.Expr{e}, r.in, cx)
			if err != nil {
				t.Fatalf("%s: %v", show(e), err)
			}
			for _, sel := range [][]int32{nil, {1}, {0, 1, 2}} {
				got, err := prog.Eval(b, sel)
				switch {
				case try && err != nil:
					t.Fatalf("%s of %#v fails: %v", show(e), v, err)
				case !try && (err != nil) != (wantErr != nil):
					t.Fatalf("%s of %#v in %s: %v, the constant: %v", show(e), v, cx.Zone, err, wantErr)
				case err != nil:
					continue
				}
				expect := want
				if wantErr != nil {
					expect = nil
				}
				if g := vector.Get(got[0], 1); !types.EqualValues(g, expect, p.to) {
					t.Fatalf("%s of %#v in %s is %#v, the constant %#v", show(e), v, cx.Zone, g, expect)
				}
			}
		}
	})
}
