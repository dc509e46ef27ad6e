package types

import (
	"math"
	"math/bits"
)

// HashValue returns a hash of a value of type t that agrees with EqualValues.
// It is the same in all processes and releases, but is no digest.
func HashValue(v Value, t Type) uint64 {
	switch x := v.(type) {
	case nil:
		return mix(hashSeed, 0)
	case bool:
		return mix(hashSeed, uint64(b2i(x))+1)
	case int8:
		return mix(hashSeed, uint64(x))
	case int16:
		return mix(hashSeed, uint64(x))
	case int32:
		return mix(hashSeed, uint64(x))
	case int64:
		return mix(hashSeed, uint64(x))
	case float32:
		return hashFloat(float64(x))
	case float64:
		return hashFloat(x)
	case Dec:
		return mix(mix(hashSeed, x.Lo), uint64(x.Hi))
	case string:
		return hashString(x)
	case TS:
		return mix(mix(hashSeed, uint64(x.Ms)), uint64(x.Ns))
	case []Value:
		h := mix(hashSeed, uint64(len(x)))
		for i, e := range x {
			h = mix(h, HashValue(e, memberType(t, i)))
		}
		return h
	case *MapValue:
		key, val := mapTypes(t)
		sum := uint64(x.Len())
		for i := range x.Len() { // a sum does not mind the order
			sum += mix(HashValue(x.Keys[i], key), HashValue(x.Vals[i], val))
		}
		return mix(hashSeed, sum)
	}
	return 0
}

const hashSeed = 0x9e3779b97f4a7c15

// mix folds v into h by a 128-bit product.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, v^0xe7037ed1a0b428db)
	return hi ^ lo
}

func hashFloat(f float64) uint64 {
	switch {
	case f == 0:
		f = 0 // both zeros are one
	case math.IsNaN(f):
		f = math.NaN() // and all NaNs
	}
	return mix(hashSeed, math.Float64bits(f))
}

func hashString(s string) uint64 {
	h := mix(hashSeed, uint64(len(s)))
	for len(s) >= 8 {
		h = mix(h, word(s))
		s = s[8:]
	}
	var tail uint64
	for i := 0; i < len(s); i++ {
		tail |= uint64(s[i]) << (8 * i)
	}
	return mix(h, tail)
}

func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
