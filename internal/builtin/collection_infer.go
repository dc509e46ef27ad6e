package builtin

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

func isArray(args []function.Arg, i int) bool {
	return i < len(args) && args[i].Type.Kind == types.Array
}

func inferOneArray(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) != 1 || !isArray(args, 0) {
		return s, errors.New("takes an array")
	}
	s.Result = s.Args[0]
	return s, nil
}

// elementType casts the second argument to the element type of the first.
func elementType(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) != 2 || !isArray(args, 0) {
		return s, errors.New("takes an array and an element")
	}
	elem, t := *args[0].Type.Elem, args[1].Type
	nullable := t.Nullable || t.Kind == types.Null
	if _, implicit := types.Castable(t, elem); !implicit && !t.Same(elem) && !(t.IsChar() && elem.IsChar()) {
		return s, fmt.Errorf("an element of %s is no %s", args[0].Type.OrNull(), t.OrNull())
	}
	s.Args[1] = elem.WithNull(nullable)
	return s, nil
}

func inferElement(result func(arr, elem types.Type) types.Type) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		s, err := elementType(args)
		if err == nil {
			s.Result = result(s.Args[0], s.Args[1])
		}
		return s, err
	}
}

func inferGrown(args []function.Arg) (function.Signature, error) {
	s, err := elementType(args)
	if err != nil {
		return s, err
	}
	elem := args[0].Type.Elem.WithNull(args[0].Type.Elem.Nullable || s.Args[1].Nullable)
	s.Result = types.ArrayOf(elem).WithNull(args[0].Type.Nullable || s.Args[1].Nullable)
	return s, nil
}

func inferArrays(least, most int) function.Infer {
	return func(args []function.Arg) (function.Signature, error) {
		s := function.Signature{Args: argTypes(args)}
		if len(args) < least || most >= 0 && len(args) > most {
			return s, fmt.Errorf("takes %d arrays, not %d", least, len(args))
		}
		for i := range args {
			if !isArray(args, i) {
				return s, fmt.Errorf("takes arrays, not %s", args[i].Type.OrNull())
			}
		}
		t, ok := types.Common(s.Args...)
		if !ok {
			return s, errors.New("the arrays have no common type")
		}
		for i := range s.Args {
			s.Args[i] = t.WithNull(s.Args[i].Nullable)
		}
		s.Result = t
		return s, nil
	}
}

func inferSort(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) < 1 || len(args) > 3 || !isArray(args, 0) {
		return s, errors.New("takes an array, whether to ascend, and whether NULLs come first")
	}
	if args[0].Type.Elem.IsNested() {
		return s, fmt.Errorf("%s has no order", args[0].Type.Elem.OrNull())
	}
	s.Result = s.Args[0]
	for i, a := range args[1:] {
		if a.Type.Kind != types.Boolean {
			return s, fmt.Errorf("argument %d is a BOOLEAN, not %s", i+2, a.Type.OrNull())
		}
		s.Result = s.Result.WithNull(s.Result.Nullable || a.Type.Nullable)
	}
	return s, nil
}

func inferSlice(args []function.Arg) (function.Signature, error) {
	s := function.Signature{Args: argTypes(args)}
	if len(args) < 2 || len(args) > 3 || !isArray(args, 0) {
		return s, errors.New("takes an array and one or two positions")
	}
	s.Result = s.Args[0]
	for i, a := range args[1:] {
		if !a.Type.IsInteger() || a.Type.Kind == types.BigInt {
			return s, fmt.Errorf("a position is an INT, not %s", a.Type.OrNull())
		}
		s.Args[i+1] = types.Of(types.Int).WithNull(a.Type.Nullable)
		s.Result = s.Result.WithNull(s.Result.Nullable || a.Type.Nullable)
	}
	return s, nil
}
