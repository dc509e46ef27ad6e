package builtin

import (
	"errors"
	"math/rand/v2"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// mathRandomFuncs are random numbers. With a seed they are those of
// java.util.Random, so that results can be repeated elsewhere.
var mathRandomFuncs = []function.Def{
	{
		Name: "RAND", Group: "math", Sig: "() -> DOUBLE! | (INT) -> DOUBLE",
		Doc:      "A random number from 0 to 1, 1 not included. With a constant seed the sequence of rows is always the same.",
		Volatile: true, Scalar: function.Bound(bindRand),
		Eg: []function.Example{eg("RAND(42)", "0.7275636800328681")},
	},
	{
		Name: "RAND_INTEGER", Group: "math", Sig: "(INT) -> INT | (INT, INT) -> INT",
		Doc:      "RAND_INTEGER(n) is a random integer from 0 to n, n not included; RAND_INTEGER(seed, n) is one of a sequence that a seed repeats.",
		Volatile: true, Scalar: function.Bound(bindRandInteger),
		Eg: []function.Example{eg("RAND_INTEGER(1, 10)", "5")},
	},
}

// javaRandom is the generator of java.util.Random.
type javaRandom uint64

func newJavaRandom(seed int64) *javaRandom {
	r := javaRandom((uint64(seed) ^ 0x5DEECE66D) & (1<<48 - 1))
	return &r
}

func (r *javaRandom) next(bits uint) int32 {
	*r = (*r*0x5DEECE66D + 0xB) & (1<<48 - 1)
	return int32(int64(*r) >> (48 - bits))
}

func (r *javaRandom) float64() float64 {
	high := int64(r.next(26)) << 27
	return float64(high+int64(r.next(27))) * (1.0 / (1 << 53))
}

// intn returns a number below bound, which is positive.
func (r *javaRandom) intn(bound int32) int32 {
	v := r.next(31)
	if bound&(bound-1) == 0 {
		return int32(int64(bound) * int64(v) >> 31)
	}
	for {
		m := v % bound
		if v-m+(bound-1) >= 0 { // no overflow: not in the last, incomplete stretch
			return m
		}
		v = r.next(31)
	}
}

func bindRand(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	if len(args) == 0 {
		r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		return perBatch(r.Float64).Bind(nil, nil, types.Type{})
	}
	if seed, ok := args[0].Value.(int32); ok && args[0].Const {
		return perBatch(newJavaRandom(int64(seed)).float64).Bind(nil, nil, types.Type{})
	}
	return function.CallMap1(func(seed int32) float64 { return newJavaRandom(int64(seed)).float64() }), nil
}

var errBound = errors.New("RAND_INTEGER takes a positive bound")

func bindRandInteger(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	if len(args) == 1 {
		r := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
		return function.CallMapErr1(func(n int32) (int32, error) {
			if n <= 0 {
				return 0, errBound
			}
			return r.Int32N(n), nil
		}), nil
	}
	if seed, ok := args[0].Value.(int32); ok && args[0].Const {
		r := newJavaRandom(int64(seed))
		call := function.CallMapErr1(func(n int32) (int32, error) {
			if n <= 0 {
				return 0, errBound
			}
			return r.intn(n), nil
		})
		return func(args []vector.Vector, sel []int32, out vector.Vector) error { return call(args[1:], sel, out) }, nil
	}
	return function.CallMapErr2(func(seed, n int32) (int32, error) {
		if n <= 0 {
			return 0, errBound
		}
		return newJavaRandom(int64(seed)).intn(n), nil
	}), nil
}
