// Package eval computes bound expressions over batches.
package eval

import (
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Program computes several expressions over a batch.
type Program struct{}

// Predicate selects the rows of a batch for which an expression is TRUE.
type Predicate struct{}

var errUnfinished = errors.New("eval: not built yet")

// Compile builds a program for expressions over rows of the schema in.
func Compile(exprs []plan.Expr, in *types.Schema, cx *function.Context) (*Program, error) {
	return nil, errUnfinished
}

// Eval returns a vector of b.N rows for each expression; the rows of sel (nil
// means all) are computed. The vectors are valid until the next call.
func (p *Program) Eval(b *vector.Batch, sel []int32) ([]vector.Vector, error) {
	return nil, errUnfinished
}

// CompilePredicate builds a predicate.
func CompilePredicate(e plan.Expr, in *types.Schema, cx *function.Context) (*Predicate, error) {
	return nil, errUnfinished
}

// Select appends the rows of sel (nil means all) for which e is TRUE to dst.
func (p *Predicate) Select(b *vector.Batch, sel []int32, dst []int32) ([]int32, error) {
	return nil, errUnfinished
}

// Const computes an expression without columns.
func Const(e plan.Expr, cx *function.Context) (types.Value, error) { return nil, errUnfinished }

// Fold replaces constant sub-expressions by literals.
func Fold(e plan.Expr, cx *function.Context) (plan.Expr, error) { return e, nil }
