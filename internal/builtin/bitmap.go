package builtin

import (
	"strconv"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

var bitmapFuncs = []function.Def{
	{
		Name: "BITMAP_BUILD", Group: "bitmap", Sig: "(ARRAY<INT>) -> BITMAP",
		Doc:    "The set of the numbers of an array, NULLs left out. Negative numbers count as unsigned ones.",
		Eg:     []function.Example{{Expr: "BITMAP_BUILD(ARRAY[3, 1, 2, 1])", Result: "{1,2,3}"}},
		Scalar: bitmapScalar(bitmapBuild),
	},
	bitmapOpDef("BITMAP_AND", "The numbers that both sets have.", "{2,3}", bitmapAnd),
	bitmapOpDef("BITMAP_OR", "The numbers that one of the sets has.", "{1,2,3,4}", bitmapOr),
	bitmapOpDef("BITMAP_XOR", "The numbers that exactly one of the sets has.", "{1,4}", bitmapXor),
	bitmapOpDef("BITMAP_ANDNOT", "The numbers of the first set that the second does not have.", "{1}", bitmapAndNot),
	{
		Name: "BITMAP_CARDINALITY", Group: "bitmap", Sig: "(BITMAP) -> BIGINT", Doc: "How many numbers the set has.",
		Eg: []function.Example{{Expr: "BITMAP_CARDINALITY(BITMAP_BUILD(ARRAY[1, 2, 2]))", Result: "2"}},
		Scalar: function.MapErr1(func(s string) (int64, error) {
			b, err := readBitmap(s)
			if err != nil {
				return 0, err
			}
			return b.cardinality(), nil
		}),
	},
	{
		Name: "BITMAP_FROM_BYTES", Group: "bitmap", Sig: "(BYTES) -> BITMAP", Doc: "The set of RoaringBitmap's portable serialisation.",
		Eg:     []function.Example{{Expr: "BITMAP_FROM_BYTES(BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[7])))", Result: "{7}"}},
		Scalar: function.AppendErr1(copyBitmap),
	},
	{
		Name: "BITMAP_TO_BYTES", Group: "bitmap", Sig: "(BITMAP) -> BYTES", Doc: "The set in RoaringBitmap's portable serialisation.",
		Eg:     []function.Example{{Expr: "BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[1]))", Result: "x'3a300000010000000000000010000000" + "0100'"}},
		Scalar: function.AppendErr1(copyBitmap),
	},
	{
		Name: "BITMAP_TO_STRING", Group: "bitmap", Sig: "(BITMAP) -> STRING", Doc: "The numbers of the set as text.",
		Eg: []function.Example{{Expr: "BITMAP_TO_STRING(BITMAP_BUILD(ARRAY[5, 1, -1]))", Result: "{1,5,4294967295}"}},
		Scalar: function.AppendErr1(func(dst []byte, s string) ([]byte, error) {
			b, err := readBitmap(s)
			if err != nil {
				return dst, err
			}
			dst = append(dst, '{')
			start := len(dst)
			b.each(func(v uint32) {
				if len(dst) > start {
					dst = append(dst, ',')
				}
				dst = strconv.AppendUint(dst, uint64(v), 10)
			})
			return append(dst, '}'), nil
		}),
	},
	{
		Name: "BITMAP_TO_ARRAY", Group: "bitmap", Sig: "(BITMAP) -> ARRAY<INT>", Doc: "The numbers of the set, ascending as unsigned numbers.",
		Eg: []function.Example{{Expr: "BITMAP_TO_ARRAY(BITMAP_BUILD(ARRAY[3, 1]))", Result: "[1, 3]"}},
		Scalar: bitmapScalar(func(args []cellOf, out vector.Vector, i int) error {
			b, err := readBitmap(args[0].v.(*vector.Flat[string]).Vals[args[0].i])
			if err != nil {
				return err
			}
			l := out.(*vector.List)
			child := l.Child.(*vector.Flat[int32])
			l.Off[i] = int32(child.Len())
			b.each(func(v uint32) {
				at := vector.Extend(child, 1)
				child.Vals[at] = int32(v)
			})
			l.Count[i] = int32(child.Len()) - l.Off[i]
			return nil
		}),
	},
}

func bitmapScalar(f func(args []cellOf, out vector.Vector, i int) error) *function.Scalar {
	return function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) { return rowCall(f), nil })
}

func bitmapBuild(args []cellOf, out vector.Vector, i int) error {
	l, r := args[0].list()
	child := l.Child.(*vector.Flat[int32])
	vals := make([]uint32, 0, l.Count[r])
	for j := l.Off[r]; j < l.Off[r]+l.Count[r]; j++ {
		if !child.IsNull(int(j)) {
			vals = append(vals, uint32(child.Vals[j]))
		}
	}
	o := out.(*vector.Flat[string])
	o.Vals[i] = o.Arena.Take(buildBitmap(vals).append(o.Arena.Grow(64)))
	return nil
}

// copyBitmap checks a serialised bitmap and brings it into our form.
func copyBitmap(dst []byte, s string) ([]byte, error) {
	b, err := readBitmap(s)
	if err != nil {
		return dst, err
	}
	return b.append(dst), nil
}

func bitmapOpDef(name, doc, result string, op bitmapOp) function.Def {
	return function.Def{
		Name: name, Group: "bitmap", Sig: "(BITMAP, BITMAP) -> BITMAP", Doc: doc,
		Eg: []function.Example{{Expr: name + "(BITMAP_BUILD(ARRAY[1, 2, 3]), BITMAP_BUILD(ARRAY[2, 3, 4]))", Result: result}},
		Scalar: function.AppendErr2(func(dst []byte, x, y string) ([]byte, error) {
			a, err := readBitmap(x)
			if err != nil {
				return dst, err
			}
			b, err := readBitmap(y)
			if err != nil {
				return dst, err
			}
			return combine(op, a, b).append(dst), nil
		}),
	}
}
