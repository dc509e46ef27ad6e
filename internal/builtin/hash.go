package builtin

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// hashFuncs are digests and hash codes.
var hashFuncs = []function.Def{
	digest("MD5", 32, appendMD5, "900150983cd24fb0d6963f7d28e17f72"),
	digest("SHA1", 40, appendSHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
	digest("SHA224", 56, appendSHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
	digest("SHA256", 64, appendSHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	digest("SHA384", 96, appendSHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"),
	digest("SHA512", 128, appendSHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"),
	{
		Name: "SHA2", Group: "hash", Sig: "(STRING, INT) -> VARCHAR(128) | (BYTES, INT) -> VARCHAR(128)",
		Doc:    "The SHA-2 digest with 224, 256, 384 or 512 bits in lower case hexadecimal digits. Other numbers are an error.",
		Scalar: function.AppendErr2(appendSHA2), Eg: []function.Example{eg("SHA2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")},
	},
	{
		Name: "HASH_CODE", Group: "hash", Sig: "(ANY) -> INT",
		Doc:    "The hash code that Java gives the value; of a text without its sign.",
		Infer:  inferHashCode,
		Scalar: function.Bound(bindHashCode), Eg: []function.Example{eg("HASH_CODE('abc')", "96354")},
	},
}

func digest(name string, n int, f func([]byte, string) []byte, abc string) function.Def {
	return function.Def{
		Name: name, Group: "hash", Sig: fmt.Sprintf("(STRING) -> CHAR(%d) | (BYTES) -> CHAR(%[1]d)", n),
		Doc:    "The " + name + " digest of the text in UTF-8, or of the bytes, in lower case hexadecimal digits.",
		Scalar: function.Append1(f), Eg: []function.Example{eg(name+"('abc')", abc)},
	}
}

// The digests copy the text to the free end of dst first, which costs no memory
// of its own, and write over it.

func appendMD5(dst []byte, s string) []byte {
	d := md5.Sum(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA1(dst []byte, s string) []byte {
	d := sha1.Sum(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA224(dst []byte, s string) []byte {
	d := sha256.Sum224(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA256(dst []byte, s string) []byte {
	d := sha256.Sum256(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA384(dst []byte, s string) []byte {
	d := sha512.Sum384(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA512(dst []byte, s string) []byte {
	d := sha512.Sum512(append(dst, s...)[len(dst):])
	return hex.AppendEncode(dst, d[:])
}

func appendSHA2(dst []byte, s string, bits int32) ([]byte, error) {
	switch bits {
	case 224:
		return appendSHA224(dst, s), nil
	case 256:
		return appendSHA256(dst, s), nil
	case 384:
		return appendSHA384(dst, s), nil
	case 512:
		return appendSHA512(dst, s), nil
	}
	return dst, fmt.Errorf("SHA2 has 224, 256, 384 or 512 bits, not %d", bits)
}

func inferHashCode(args []function.Arg) (function.Signature, error) {
	if len(args) != 1 {
		return function.Signature{}, errors.New("HASH_CODE takes 1 argument")
	}
	t := args[0].Type
	switch t.Phys() {
	case types.PhysList, types.PhysMap, types.PhysRow:
		return function.Signature{}, fmt.Errorf("HASH_CODE takes no %s", t.OrNull())
	}
	if t.IsBinary() {
		return function.Signature{}, fmt.Errorf("HASH_CODE takes no %s", t.OrNull())
	}
	if t.Kind == types.Null {
		return function.Signature{}, errors.New("HASH_CODE takes no bare NULL")
	}
	return function.Signature{Args: []types.Type{t}, Result: types.Of(types.Int).WithNull(t.Nullable)}, nil
}

func bindHashCode(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	t := args[0].Type
	switch t.Phys() {
	case types.PhysBool:
		return function.CallMap1(func(b bool) int32 {
			if b {
				return 1231
			}
			return 1237
		}), nil
	case types.PhysI8:
		return function.CallMap1(func(n int8) int32 { return int32(n) }), nil
	case types.PhysI16:
		return function.CallMap1(func(n int16) int32 { return int32(n) }), nil
	case types.PhysI32:
		return function.CallMap1(same[int32]), nil
	case types.PhysI64:
		return function.CallMap1(hashLong), nil
	case types.PhysF32:
		return function.CallMap1(func(f float32) int32 {
			if f != f {
				return 0x7fc00000
			}
			return int32(math.Float32bits(f))
		}), nil
	case types.PhysF64:
		return function.CallMap1(func(f float64) int32 {
			if f != f {
				return 0x7ff80000
			}
			return hashLong(int64(math.Float64bits(f)))
		}), nil
	case types.PhysTs:
		return function.CallMap1(func(ts types.TS) int32 {
			return 31*int32(ts.Ms^ts.Ms>>32) + ts.Ns
		}), nil
	case types.PhysDec:
		scale := int32(t.Scale)
		return function.CallMap1(func(d types.Dec) int32 { return 31*hashBigInteger(d) + scale }), nil
	}
	if t.IsBinary() {
		return function.CallMap1(func(s string) int32 {
			h := int32(1) // Arrays.hashCode
			for i := 0; i < len(s); i++ {
				h = 31*h + int32(int8(s[i]))
			}
			return h
		}), nil
	}
	return function.CallMap1(func(s string) int32 { return absInt(hashText(s)) }), nil
}

func hashLong(n int64) int32 { return int32(n ^ int64(uint64(n)>>32)) }

// hashText is String.hashCode: over UTF-16.
func hashText(s string) int32 {
	var h int32
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			h = 31*h + int32(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r >= 0x10000 {
			r -= 0x10000
			h = 31*h + (0xd800 + r>>10)
			r = 0xdc00 + r&0x3ff
		}
		h = 31*h + r
		i += n
	}
	return h
}

// hashBigInteger is BigInteger.hashCode: over the words of the magnitude.
func hashBigInteger(d types.Dec) int32 {
	m := d.Abs()
	hi, lo := uint64(m.Hi), m.Lo
	var h int32
	for _, w := range [...]uint32{uint32(hi >> 32), uint32(hi), uint32(lo >> 32), uint32(lo)} {
		h = 31*h + int32(w) // leading zero words leave 0
	}
	return h * int32(d.Sign())
}
