// Package eval computes bound expressions over batches: an expression becomes a
// short list of steps, each of which computes one vector with a kernel.
//
// Values are numbered by slots: input columns, constants, and registers, which
// are vectors of the program's own, used again when their value is no longer
// needed. Equal sub-expressions without volatile functions are computed once.
// AND, OR, CASE and COALESCE run the steps of their later operands for the rows
// that still need them only, so that an error there is an error of such a row
// only. Everything else has a NULL in every row where an operand has one.
//
// # What the operators accept
//
// In the following, the operands and the result T may differ in nullability,
// length and precision; numbers are TINYINT to BIGINT (integers), DECIMAL,
// FLOAT and DOUBLE. A bare NULL operand makes the result NULL. Whatever is not
// listed is an error of Compile.
//
//	Add, Sub, Mul, Div   numbers. They are computed in, and need not be cast to:
//	                     T integer: the widest of T and the operands (no DECIMAL,
//	                     no FLOAT); wraps; Div cuts and fails for 0
//	                     T DECIMAL: exactly, from integers and DECIMALs of any
//	                     scale, rounded once to T's scale, NULL if T's precision is
//	                     exceeded; Div fails for 0
//	                     T FLOAT, DOUBLE: T; never fails
//	Mod                  integers and DECIMALs in any mixture; T any of them; fails for 0
//	Add                  DATE, TIME, TIMESTAMP, TIMESTAMP_LTZ + INTERVAL, in either
//	                     order (no months for TIME); T the kind of the first. A
//	                     TIMESTAMP is cut to T's precision
//	Sub                  the same - INTERVAL; T as above
//	Sub                  two DATEs, TIMEs, TIMESTAMPs or TIMESTAMP_LTZs; T INTERVAL
//	                     DAY TO SECOND (milliseconds) or, but for TIMEs, INTERVAL
//	                     YEAR TO MONTH (whole months)
//	Add, Sub             two intervals of one kind; T that kind
//	Mul                  INTERVAL * integer, in either order; T that interval
//	Div                  INTERVAL / integer; T that interval; fails for 0
//	Neg                  a number or interval; T the same kind (DECIMAL: any scale)
//	Eq, Ne, Lt, Le, Gt, Ge, Distinct, NotDistinct
//	                     two numbers of any kinds; two of one kind, CHAR and
//	                     VARCHAR counting as one, BINARY and VARBINARY too; nested
//	                     types by members, NULLs inside equal each other. NaN equals
//	                     NaN and is neither less nor greater than any number.
//	                     T BOOLEAN
//	And, Or              one or more BOOLEANs; T BOOLEAN
//	Not, IsTrue, IsNotTrue, IsFalse, IsNotFalse
//	                     a BOOLEAN; T BOOLEAN
//	IsNull, IsNotNull    anything; T BOOLEAN
//	Case                 BOOLEAN, value, BOOLEAN, value, …, and a value if the number
//	                     is odd (else NULL); T anything: values are cast to T
//	Coalesce             one or more values, cast to T
//	In                   x, then values, which are cast to x's type; T BOOLEAN. Values
//	                     that are not literals make it a chain of Eq
//	Field                a ROW with more than Index fields; T that field's type
//	MakeRow              as many values as T has fields, cast to their types
//	MakeArray            values, cast to T's element type
//	MakeMap              keys and values in turn, cast to T's; of equal keys the last
//	                     value counts
//
// A plan.Cast is what types.CastValue does. Outer columns and sub-queries have
// to be gone.
//
// doc.go is this, eval.go the programs, compile.go the way from expression to
// steps, strict.go steps that are NULL where an operand is, arith.go and
// compare.go, cast.go, call.go, nested.go the operators, lazy.go those that are
// computed in part, choose.go predicates, fold.go constants.
package eval
