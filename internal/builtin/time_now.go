package builtin

import (
	"errors"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// The clock is read once a batch: all rows of one carry the same time. In
// batch mode it stands still at the start of the query (Context.Query).

var timeNowFuncs = []function.Def{
	{
		Name: "CURRENT_TIMESTAMP", Aliases: []string{"NOW"}, Group: "time", Sig: "() -> TIMESTAMP_LTZ(3)!", Volatile: true,
		Doc:    "The current time: of the row in streaming mode, of the start of the query in batch mode.",
		Scalar: clockScalar(queryTime, func(t types.TS, _ *types.Zone) types.TS { return t.Truncate(3) }),
	},
	{
		Name: "CURRENT_ROW_TIMESTAMP", Group: "time", Sig: "() -> TIMESTAMP_LTZ(3)!", Volatile: true,
		Doc:    "The current time when the row is computed, in batch mode too.",
		Scalar: clockScalar(rowTime, func(t types.TS, _ *types.Zone) types.TS { return t.Truncate(3) }),
	},
	{
		Name: "PROCTIME", Group: "time", Sig: "() -> TIMESTAMP_LTZ(3)!", Volatile: true,
		Doc: "The processing time of the row, as a time attribute.",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 0 {
				return function.Signature{}, errors.New("PROCTIME takes no arguments")
			}
			t := types.TimestampLTZOf(3).NotNull()
			t.Attr = types.Proctime
			return function.Signature{Result: t}, nil
		},
		Scalar: clockScalar(rowTime, func(t types.TS, _ *types.Zone) types.TS { return t.Truncate(3) }),
	},
	{
		Name: "LOCALTIMESTAMP", Group: "time", Sig: "() -> TIMESTAMP(3)!", Volatile: true,
		Doc:    "The current time of the session's time zone.",
		Scalar: clockScalar(queryTime, func(t types.TS, z *types.Zone) types.TS { return z.ToLocal(t).Truncate(3) }),
	},
	{
		Name: "CURRENT_DATE", Group: "time", Sig: "() -> DATE!", Volatile: true,
		Doc:    "The current day of the session's time zone.",
		Scalar: clockScalar(queryTime, func(t types.TS, z *types.Zone) int32 { return int32(z.ToLocal(t).Date()) }),
	},
	{
		Name: "CURRENT_TIME", Aliases: []string{"LOCALTIME"}, Group: "time", Sig: "() -> TIME(0)!", Volatile: true,
		Doc:    "The current time of the day in the session's time zone.",
		Scalar: clockScalar(queryTime, func(t types.TS, z *types.Zone) int32 { return types.TruncateTime(z.ToLocal(t).TimeOfDay(), 0) }),
	},
	{
		Name: "UNIX_TIMESTAMP", Group: "time", Sig: "() -> BIGINT!", Volatile: true,
		Doc:    "The current time in seconds since 1970.",
		Scalar: clockScalar(rowTime, func(t types.TS, _ *types.Zone) int64 { return types.FloorDiv(t.Ms, 1000) }),
	},
	{
		Name: "CURRENT_WATERMARK", Group: "time", Sig: "(TIMESTAMPS) -> TIMESTAMPS?", Volatile: true,
		Doc: "The watermark of the operator that computes the row, NULL before there is one. The argument is the rowtime column.",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 1 || !args[0].Type.IsTimestamp() || args[0].Type.Attr != types.Rowtime {
				return function.Signature{}, errors.New("CURRENT_WATERMARK takes a rowtime column")
			}
			t := args[0].Type
			return function.Signature{Args: []types.Type{t}, Result: types.Type{Kind: t.Kind, Nullable: true, Prec: 3}}, nil
		},
		Nulls:  function.Called,
		Scalar: function.Bound(bindWatermark),
	},
	{
		Name: "SOURCE_WATERMARK", Group: "time", Sig: "() -> TIMESTAMP(3)", Volatile: true,
		Doc: "In WATERMARK FOR t AS SOURCE_WATERMARK(): the watermarks that the source itself gives. It has no value elsewhere.",
		Infer: func(args []function.Arg) (function.Signature, error) {
			if len(args) != 0 {
				return function.Signature{}, errors.New("SOURCE_WATERMARK takes no arguments")
			}
			return function.Signature{Result: types.TimestampOf(3)}, nil
		},
		Scalar: function.Bound(func(*function.Context, []function.Arg, types.Type) (function.Call, error) {
			return nil, errors.New("SOURCE_WATERMARK() is only a declaration, in WATERMARK FOR, and has no value")
		}),
	},
}

func rowTime(cx *function.Context) time.Time { return cx.Now() }

func queryTime(cx *function.Context) time.Time {
	if !cx.Query.IsZero() {
		return cx.Query
	}
	return cx.Now()
}

func clockScalar[T vector.Elem](read func(*function.Context) time.Time, f func(types.TS, *types.Zone) T) *function.Scalar {
	return function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
		zone := types.NewZone(cx.Zone)
		var all []int32
		return func(_ []vector.Vector, sel []int32, out vector.Vector) error {
			vals := out.(*vector.Flat[T]).Vals
			now := f(types.TSFromTime(read(cx)), zone)
			for _, i := range function.Rows(sel, len(vals), &all) {
				vals[i] = now
			}
			return nil
		}, nil
	})
}

func bindWatermark(cx *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	var all []int32
	return func(_ []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[types.TS])
		var now int64
		known := false
		if cx.Watermark != nil {
			now, known = cx.Watermark()
		}
		for _, i := range function.Rows(sel, len(o.Vals), &all) {
			if known {
				o.Vals[i] = types.TSFromMs(now)
			} else {
				o.SetNull(int(i))
			}
		}
		return nil
	}, nil
}
