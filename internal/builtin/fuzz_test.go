package builtin

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// fuzzFamily calls the scalar functions of some groups with arguments of all kinds
// that they take, some of them constants of the call, and compares the forms of
// computing them. A panic is a failure.
func fuzzFamily(f *testing.F, groups ...string) {
	set := Script()
	type call struct {
		d   *function.Def
		sig function.Signature
	}
	var calls []call
	for _, d := range set.Defs() {
		if d.Scalar == nil || d.Volatile || !slices.Contains(groups, d.Group) {
			continue
		}
		for _, sig := range callsOf(set, d, 24) {
			calls = append(calls, call{d, sig})
		}
	}
	if len(calls) == 0 {
		f.Fatalf("no functions of %v", groups)
	}
	for i := range uint64(8) {
		f.Add(i*7919, i)
	}
	f.Fuzz(func(t *testing.T, which, seed uint64) {
		c := calls[which%uint64(len(calls))]
		r := rand.New(rand.NewPCG(seed, which))
		var fixed uint
		for i := 1; i < len(c.sig.Args); i++ { // patterns, formats, lengths
			fixed |= uint(r.IntN(2)) << i
		}
		checkScalar(t, r, c.d, c.sig, fixed)
	})
}

func FuzzStringFunctions(f *testing.F)     { fuzzFamily(f, "string") }
func FuzzMathFunctions(f *testing.F)       { fuzzFamily(f, "math") }
func FuzzTimeFunctions(f *testing.F)       { fuzzFamily(f, "time") }
func FuzzJSONFunctions(f *testing.F)       { fuzzFamily(f, "json") }
func FuzzCollectionFunctions(f *testing.F) { fuzzFamily(f, "collection") }
func FuzzRegexpFunctions(f *testing.F)     { fuzzFamily(f, "regexp") }
func FuzzHashFunctions(f *testing.F)       { fuzzFamily(f, "hash", "url", "net") }
func FuzzVariantFunctions(f *testing.F)    { fuzzFamily(f, "variant", "bitmap") }
func FuzzCompareFunctions(f *testing.F) {
	fuzzFamily(f, "comparison", "logical", "type", "auxiliary")
}

// FuzzAggregates runs an aggregate over random rows in all the ways its state can come about.
func FuzzAggregates(f *testing.F) {
	var calls []aggregateCase
	for _, set := range []*function.Set{All(), Rsqldb()} {
		calls = append(calls, aggregateCases(set)...)
	}
	for i := range uint64(8) {
		f.Add(i*7919, i)
	}
	f.Fuzz(func(t *testing.T, which, seed uint64) {
		c := calls[which%uint64(len(calls))]
		checkAggregate(t, rand.New(rand.NewPCG(seed, which)), c.def, c.call)
	})
}

// FuzzTableFunctions calls table functions, which must not panic and whose columns must be of one length.
func FuzzTableFunctions(f *testing.F) {
	set := Script()
	var defs []*function.Def
	for _, d := range set.Defs() {
		if d.Table != nil {
			defs = append(defs, d)
		}
	}
	for i := range uint64(8) {
		f.Add(i*7919, i)
	}
	f.Fuzz(func(t *testing.T, which, seed uint64) {
		d := defs[which%uint64(len(defs))]
		r := rand.New(rand.NewPCG(seed, which))
		args := make([]function.Arg, 1+r.IntN(4))
		cols := make([]vector.Vector, len(args))
		for i := range args {
			at := types.String()
			if r.IntN(4) == 0 {
				at = types.Of(types.BigInt)
			}
			v := sampleValue(r, at)
			if n, ok := v.(int64); ok {
				v = n % 1000 // series of any length are right, but long
			}
			args[i] = function.Arg{Type: at}
			cols[i] = vector.NewConst(at, v, 1)
			if r.IntN(2) == 0 {
				args[i].Const, args[i].Value = true, v
			}
		}
		got, sig, err := set.Resolve(d.Name, args)
		if err != nil || got.Table == nil {
			return
		}
		for i, want := range sig.Args {
			if i < len(args) && args[i].Type.Phys() != want.Phys() {
				return // the binder casts
			}
		}
		call, err := got.Table.Bind(testContext(), args, sig.Result)
		if err != nil {
			return
		}
		outs := []types.Type{sig.Result}
		if sig.Result.Kind == types.Row {
			outs = nil
			for _, field := range sig.Result.Fields {
				outs = append(outs, field.Type)
			}
		}
		out := make([]vector.Vector, len(outs))
		for i := range out {
			out[i] = vector.New(outs[i].OrNull(), 0)
		}
		n, err := call(cols, 0, out)
		if err != nil {
			return
		}
		for _, c := range out {
			if c.Len() != n {
				t.Errorf("%s: a column of %d for %d rows", d.Name, c.Len(), n)
			}
		}
	})
}
