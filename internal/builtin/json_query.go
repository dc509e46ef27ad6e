package builtin

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func inferJSONQuery(args []function.Arg) (function.Signature, error) {
	c, err := splitJSON("JSON_QUERY", args, "NULL")
	if err != nil {
		return function.Signature{}, err
	}
	s := function.Signature{Args: argTypes(args), Result: types.String()}
	if c.returning != nil {
		s.Result = *c.returning
		isArray := s.Result.Kind == types.Array
		if !s.Result.IsChar() && !(isArray && s.Result.Elem.IsChar()) {
			return s, fmt.Errorf("JSON_QUERY returns STRING or ARRAY<STRING>, not %s", s.Result)
		}
		if isArray && (c.onEmpty.what == "EMPTY OBJECT" || c.onError.what == "EMPTY OBJECT") {
			return s, errors.New("an empty object is no ARRAY<STRING>")
		}
	}
	if c.onEmpty.what == "DEFAULT" || c.onError.what == "DEFAULT" {
		return s, errors.New("JSON_QUERY has no DEFAULT")
	}
	return s, nil
}

func bindJSONQuery(_ *function.Context, args []function.Arg, result types.Type) (function.Call, error) {
	c, err := splitJSON("JSON_QUERY", args, "NULL")
	if err != nil {
		return nil, err
	}
	p := compilePath(c.path)
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		texts, tm := function.Column[string](args[0])
		for _, i := range function.Rows(sel, out.Len(), &all) {
			if args[0].IsNull(int(i)) {
				out.SetNull(int(i))
				continue
			}
			r, status := p.eval(texts[i&tm])
			if status == pathFound && putQuery(out, int(i), r, c.wrapper) {
				continue
			}
			b, err := c.onError, error(nil)
			switch {
			case p.lax && p.bad == nil:
				b, err = c.onEmpty, errEmptyJSON
			case status == pathFound:
				err = fmt.Errorf("JSON path %q leads to no object or array", p.text)
			default:
				err = jsonError(p, r, status)
			}
			switch {
			case b.what == "ERROR":
				return &function.RowError{Row: int(i), Err: err}
			case b.what == "EMPTY ARRAY" && result.Kind == types.Array:
				l := out.(*vector.List)
				l.Off[i], l.Count[i] = int32(l.Child.Len()), 0
			case b.what == "EMPTY ARRAY":
				out.(*vector.Flat[string]).Vals[i] = "[]"
			case b.what == "EMPTY OBJECT":
				out.(*vector.Flat[string]).Vals[i] = "{}"
			default:
				out.SetNull(int(i))
			}
		}
		return nil
	}, nil
}

// putQuery stores what a path leads to; it is false for a scalar without wrapper.
func putQuery(out vector.Vector, i int, r pathResult, wrapper string) bool {
	isArray := r.many || r.text[r.value.start] == '['
	wrap := wrapper == "WITH UNCONDITIONAL WRAPPER" || wrapper == "WITH CONDITIONAL WRAPPER" && !isArray
	if !wrap && !r.many && isJSONScalar(r.text, r.value) {
		return false
	}
	if l, ok := out.(*vector.List); ok {
		return putQueryArray(l, i, r, wrap, isArray)
	}
	o := out.(*vector.Flat[string])
	dst := o.Arena.Grow(len(r.text) + 16)
	if wrap {
		dst = append(dst, '[')
	}
	dst = r.append(dst)
	if wrap {
		dst = append(dst, ']')
	}
	o.Vals[i] = o.Arena.Take(dst)
	return true
}

// append appends the result as JSON.
func (r *pathResult) append(dst []byte) []byte {
	if !r.many {
		return appendJSON(dst, r.text, r.value)
	}
	dst = append(dst, '[')
	for k, v := range r.list {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, r.text, v)
	}
	return append(dst, ']')
}

// putQueryArray stores the elements as an ARRAY<STRING>: scalars as they read,
// others as JSON.
func putQueryArray(l *vector.List, i int, r pathResult, wrap, isArray bool) bool {
	if !wrap && !isArray {
		return false
	}
	elems := r.list
	switch {
	case wrap && isArray: // one element, the array
		l.Off[i], l.Count[i] = int32(l.Child.Len()), 1
		vector.Append(l.Child, string(r.append(nil)))
		return true
	case wrap:
		elems = []jsonSpan{r.value}
	case !r.many:
		elems = jsonElements(nil, r.text, r.value.start)
	}
	l.Off[i], l.Count[i] = int32(l.Child.Len()), int32(len(elems))
	for _, e := range elems {
		switch {
		case r.text[e.start] == 'n':
			vector.Append(l.Child, nil)
		case isJSONScalar(r.text, e):
			vector.Append(l.Child, string(appendJSONScalar(nil, r.text, e)))
		default:
			vector.Append(l.Child, string(appendJSON(nil, r.text, e)))
		}
	}
	return true
}

func inferJSONExists(args []function.Arg) (function.Signature, error) {
	c, err := splitJSON("JSON_EXISTS", args, "FALSE")
	if err == nil && (c.returning != nil || c.onEmpty.set) {
		err = errors.New("JSON_EXISTS only has ON ERROR")
	}
	return function.Signature{Args: argTypes(args), Result: types.Of(types.Boolean)}, err
}

func bindJSONExists(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
	c, err := splitJSON("JSON_EXISTS", args, "FALSE")
	if err != nil {
		return nil, err
	}
	p := compilePath(c.path)
	var all []int32
	return func(args []vector.Vector, sel []int32, out vector.Vector) error {
		o := out.(*vector.Flat[bool])
		texts, tm := function.Column[string](args[0])
		for _, i := range function.Rows(sel, out.Len(), &all) {
			if args[0].IsNull(int(i)) {
				o.SetNull(int(i))
				continue
			}
			r, status := p.eval(texts[i&tm])
			switch {
			case status == pathFound:
				o.Vals[i] = true
			case p.lax && p.bad == nil:
				o.Vals[i] = false
			case c.onError.what == "ERROR":
				return &function.RowError{Row: int(i), Err: jsonError(p, r, status)}
			case c.onError.what == "UNKNOWN":
				o.SetNull(int(i))
			default:
				o.Vals[i] = c.onError.what == "TRUE"
			}
		}
		return nil
	}, nil
}
