package builtin

import (
	"strconv"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// mathTextFuncs write numbers in other bases.
var mathTextFuncs = []function.Def{
	{
		Name: "BIN", Group: "math", Sig: "(BIGINT) -> STRING",
		Doc:    "The integer in base 2; a negative one as 64 bits of two's complement.",
		Scalar: function.Append1(func(dst []byte, n int64) []byte { return strconv.AppendUint(dst, uint64(n), 2) }),
		Eg:     []function.Example{eg("BIN(12)", "1100")},
	},
	{
		Name: "HEX", Group: "math", Sig: "(BIGINT) -> STRING | (STRING) -> STRING",
		Doc: "The integer in base 16, a negative one as 64 bits of two's complement; or the bytes of the text in UTF-8, two upper case digits each.",
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			if args[0].Type.IsChar() {
				return function.CallAppend1(appendUpperHex), nil
			}
			return function.CallAppend1(func(dst []byte, n int64) []byte {
				at := len(dst)
				dst = strconv.AppendUint(dst, uint64(n), 16)
				for i := at; i < len(dst); i++ {
					if dst[i] >= 'a' {
						dst[i] -= 'a' - 'A'
					}
				}
				return dst
			}), nil
		}),
		Eg: []function.Example{eg("HEX(255)", "FF"), eg("HEX('ab')", "6162")},
	},
	{
		Name: "UNHEX", Group: "math", Sig: "(STRING) -> BYTES?",
		Doc:    "The bytes that pairs of hexadecimal digits stand for, NULL if the text is no such; an odd digit in front counts as one byte.",
		Scalar: function.AppendOk1(appendUnhex),
		Eg:     []function.Example{eg("UNHEX('4142')", "x'4142'")},
	},
}

const upperHex = "0123456789ABCDEF"

func appendUpperHex(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		dst = append(dst, upperHex[s[i]>>4], upperHex[s[i]&15])
	}
	return dst
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func appendUnhex(dst []byte, s string) ([]byte, bool) {
	i := 0
	if len(s)%2 == 1 {
		if _, ok := hexDigit(s[0]); !ok {
			return dst, false
		}
		dst, i = append(dst, 0), 1 // as Flink documents it: the first digit is lost
	}
	for ; i < len(s); i += 2 {
		hi, ok1 := hexDigit(s[i])
		lo, ok2 := hexDigit(s[i+1])
		if !ok1 || !ok2 {
			return dst, false
		}
		dst = append(dst, hi<<4|lo)
	}
	return dst, true
}
