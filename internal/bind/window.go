package bind

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

var windowKinds = map[string]plan.WindowKind{"TUMBLE": plan.Tumble, "HOP": plan.Hop, "CUMULATE": plan.Cumulate, "SESSION": plan.Session}

func isWindow(name string) bool {
	_, ok := windowKinds[name]
	return ok
}

// windowParams are the parameters of the window functions by name, in order.
// The first two are DATA and TIMECOL.
var windowParams = map[string][]string{
	"TUMBLE":   {"DATA", "TIMECOL", "SIZE", "OFFSET"},
	"HOP":      {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"},
	"CUMULATE": {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"},
	"SESSION":  {"DATA", "TIMECOL", "GAP"},
}

// windowTable binds TABLE(TUMBLE(TABLE t, DESCRIPTOR(c), …)).
func (b *binder) windowTable(x *ast.TableFunc, frame *scope) (plan.Node, error) {
	name := x.Call.Func
	params := windowParams[name]
	args := make([]ast.Expr, len(params))
	named := false
	for i, a := range x.Call.Args {
		at := i
		if n, ok := a.(*ast.NamedArg); ok {
			named = true
			if at = slices.IndexFunc(params, func(p string) bool { return strings.EqualFold(p, n.Name.Name) }); at < 0 {
				return nil, diag.At(n.Name.Pos(), diag.UnknownName, "%s has no parameter %s", name, n.Name.Name).DidYouMean(n.Name.Name, params)
			}
			a = n.Value
		} else if named {
			return nil, diag.At(a.Pos(), diag.NotAllowed, "arguments without name come before those with one")
		}
		if at >= len(params) {
			return nil, diag.At(a.Pos(), diag.BadArgument, "%s takes %s", name, strings.Join(params, ", "))
		}
		if args[at] != nil {
			return nil, diag.At(a.Pos(), diag.BadArgument, "%s of %s is given twice", params[at], name)
		}
		args[at] = a
	}
	for i, a := range args {
		if a == nil && params[i] != "OFFSET" {
			return nil, diag.At(x.Call.Pos(), diag.BadArgument, "%s needs %s", name, params[i]).Hint("it takes %s", strings.Join(params, ", "))
		}
	}
	data, ok := args[0].(*ast.TableArg)
	if !ok {
		return nil, diag.At(args[0].Pos(), diag.BadArgument, "the first argument of %s must be a table", name).Hint("write TABLE t")
	}
	var in plan.Node
	var err error
	s := &scope{outer: frame.outer, ctes: frame.ctes}
	if data.Table != nil {
		in, s.cols, err = b.namedTable(&ast.Table{Place: data.Place, Name: data.Table, Hints: data.Hints}, frame)
	} else if in, err = b.nested(data.Query, &scope{outer: frame.outer, ctes: frame.ctes}); err == nil {
		s.add("", in.Schema(), 0)
	}
	if err != nil {
		return nil, err
	}
	w := &plan.Window{Input: in, Kind: windowKinds[name], Span: b.place(x.Pos())}
	desc, ok := args[1].(*ast.Descriptor)
	if !ok || len(desc.Columns) != 1 {
		return nil, diag.At(args[1].Pos(), diag.BadArgument, "the second argument of %s must be DESCRIPTOR(time column)", name)
	}
	col := desc.Columns[0]
	if w.Time, err = timeColumn(in, col); err != nil {
		return nil, err
	}
	for i, p := range params[2:] {
		a := args[i+2]
		if a == nil {
			continue
		}
		ms, err := b.duration(a, s, p)
		if err != nil {
			return nil, err
		}
		switch p {
		case "SIZE", "GAP":
			w.Size = ms
		case "SLIDE", "STEP":
			w.Slide = ms
		case "OFFSET":
			w.Offset = ms
		}
		if p != "OFFSET" && ms <= 0 {
			return nil, diag.At(a.Pos(), diag.BadValue, "the %s of a window must be positive", strings.ToLower(p))
		}
	}
	if w.Kind == plan.Cumulate && w.Size%w.Slide != 0 {
		return nil, diag.At(x.Call.Pos(), diag.BadValue, "the size of CUMULATE must be a multiple of its step")
	}
	if data.OrderBy != nil {
		return nil, diag.At(data.OrderBy[0].Pos(), diag.Unsupported, "%s takes no ORDER BY", name)
	}
	for _, e := range data.PartitionBy {
		if w.Kind != plan.Session {
			return nil, diag.At(e.Pos(), diag.Unsupported, "%s takes no PARTITION BY: only SESSION does", name)
		}
		k, err := b.expr(e, s)
		if err != nil {
			return nil, err
		}
		c, ok := k.(*plan.Column)
		if !ok {
			return nil, diag.At(e.Pos(), diag.Unsupported, "PARTITION BY takes columns here")
		}
		w.Partition = append(w.Partition, c.Index)
	}
	return windowOut(w), nil
}

// timeColumn finds a time attribute by name.
func timeColumn(in plan.Node, col *ast.Ident) (int, error) {
	i := in.Schema().Index(col.Name)
	if i < 0 {
		return 0, diag.At(col.Pos(), diag.UnknownColumn, "no column %s", col.Name).DidYouMean(col.Name, in.Schema().Names())
	}
	if t := in.Schema().Fields[i].Type; t.Attr == types.NoTime {
		return 0, notTimeAttribute(col.Pos(), col.Name, t)
	}
	return i, nil
}

func notTimeAttribute(span diag.Span, name string, t types.Type) error {
	return diag.At(span, diag.TypeMismatch, "%s is no time attribute: it is a plain %s", name, typeText(t)).
		Hint("declare WATERMARK FOR it, or use a column AS PROCTIME()")
}

// windowOut sets the schema: input ++ window_start, window_end, window_time.
func windowOut(w *plan.Window) *plan.Window {
	t := w.Input.Schema().Fields[w.Time].Type
	border := types.TimestampOf(3).NotNull()
	at := types.Type{Kind: t.Kind, Prec: 3, Attr: t.Attr}
	fields := slices.Clone(w.Input.Schema().Fields)
	if t.Attr == types.Rowtime { // the window's time takes over
		fields[w.Time].Type.Attr = types.Rowtime
	}
	w.Out = types.NewSchema(append(fields,
		types.Field{Name: "window_start", Type: border}, types.Field{Name: "window_end", Type: border}, types.Field{Name: "window_time", Type: at})...)
	return w
}

// duration is a constant interval of the day-time family, in milliseconds.
func (b *binder) duration(a ast.Expr, s *scope, what string) (int64, error) {
	e, err := b.expr(a, s)
	if err != nil {
		return 0, err
	}
	if l, ok := b.literal(e); ok && l.T.Kind == types.IntervalDS && l.Value != nil {
		return l.Value.(int64), nil
	}
	return 0, diag.At(a.Pos(), diag.BadArgument, "%s must be a constant INTERVAL of days to seconds", what)
}

// legacyWindows are the windows of GROUP BY TUMBLE(t, INTERVAL …) and their
// columns, which TUMBLE_START and its kin read.
type legacyWindows struct {
	b      *binder
	scope  *scope
	call   *ast.Call
	name   string
	time   plan.Expr
	size   int64
	slide  int64
	offset int64
	node   *plan.Window
	first  int // column of window_start
}

// legacyWindow puts the Window of GROUP BY TUMBLE, HOP or SESSION on the input.
func (b *binder) legacyWindow(x *ast.Select, in plan.Node, s *scope) (plan.Node, error) {
	if x.GroupBy == nil {
		return in, nil
	}
	var call *ast.Call
	for _, i := range x.GroupBy.Items {
		for _, e := range append(slices.Clone(i.X), nestedItems(i)...) {
			c, ok := e.(*ast.Call)
			if !ok || c.Func != "TUMBLE" && c.Func != "HOP" && c.Func != "SESSION" {
				continue
			}
			if call != nil {
				return nil, diag.At(c.Pos(), diag.Unsupported, "GROUP BY takes one window")
			}
			call = c
		}
	}
	if call == nil {
		return in, nil
	}
	l := &legacyWindows{b: b, scope: s, call: call, name: call.Func}
	if err := l.read(call); err != nil {
		return nil, err
	}
	tc, ok := l.time.(*plan.Column)
	if !ok || tc.T.Attr == types.NoTime {
		return nil, notTimeAttribute(call.Args[0].Pos(), "the first argument of "+call.Func, l.time.Type())
	}
	w := &plan.Window{Input: in, Kind: windowKinds[call.Func], Time: tc.Index, Size: l.size, Slide: l.slide, Offset: l.offset, Span: b.place(call.Pos())}
	if w.Kind == plan.Session { // one session for each combination of the other keys
		var exprs []plan.Expr
		inner := *s
		for _, i := range x.GroupBy.Items {
			if i.Kind != "" {
				return nil, diag.At(i.Pos(), diag.Unsupported, "SESSION with %s is not supported", i.Kind)
			}
			for _, e := range i.X {
				if e == ast.Expr(call) {
					continue
				}
				k, err := b.expr(e, &inner)
				if err != nil {
					return nil, err
				}
				exprs = append(exprs, k)
			}
		}
		all, names := columnsOf(in), in.Schema().Names()
		for _, e := range exprs {
			at := slices.IndexFunc(all, func(o plan.Expr) bool { return plan.Same(o, e) })
			if at < 0 {
				at = len(all)
				all, names = append(all, e), append(names, "$p")
			}
			w.Partition = append(w.Partition, at)
		}
		if len(all) > len(in.Schema().Fields) {
			w.Input = project(in, all, names)
		}
	}
	l.node = windowOut(w)
	l.first = len(w.Input.Schema().Fields)
	s.legacy = l
	return l.node, nil
}

func nestedItems(i *ast.GroupItem) []ast.Expr {
	var out []ast.Expr
	for _, n := range i.Items {
		out = append(out, n.X...)
		out = append(out, nestedItems(n)...)
	}
	return out
}

// read takes the arguments of a legacy window function.
func (l *legacyWindows) read(c *ast.Call) error {
	name, _, ok := legacyPart(c.Func)
	if !ok {
		name = c.Func
	}
	least, most := 2, 3
	if name == "HOP" {
		least, most = 3, 4
	}
	if name == "SESSION" {
		most = 2
	}
	if len(c.Args) < least || len(c.Args) > most {
		return diag.At(c.Pos(), diag.BadArgument, "%s takes %d to %d arguments, not %d", c.Func, least, most, len(c.Args))
	}
	inner := *l.scope
	inner.agg, inner.over = nil, nil
	var err error
	if l.time, err = l.b.expr(c.Args[0], &inner); err != nil {
		return err
	}
	var ms []int64
	for i, a := range c.Args[1:] {
		d, err := l.b.duration(a, &inner, "the interval of "+c.Func)
		if err != nil {
			return err
		}
		if d <= 0 && i < least-1 {
			return diag.At(a.Pos(), diag.BadValue, "the interval of %s must be positive", c.Func)
		}
		ms = append(ms, d)
	}
	l.size = ms[0]
	if name == "HOP" {
		l.slide, l.size = ms[0], ms[1]
		ms = ms[1:]
	}
	if len(ms) > 1 {
		l.offset = ms[1]
	}
	return nil
}

// keys returns the group keys that stand for the window, nil if c is none.
func (l *legacyWindows) keys(c *ast.Call) []plan.Expr {
	if c != l.call {
		return nil
	}
	return []plan.Expr{column(l.node, l.first), column(l.node, l.first+1), column(l.node, l.first+2)}
}

var legacyParts = []string{"_START", "_END", "_ROWTIME", "_PROCTIME"}

// legacyPart takes TUMBLE_START apart.
func legacyPart(name string) (window, part string, ok bool) {
	for _, p := range legacyParts {
		if w, found := strings.CutSuffix(name, p); found && (w == "TUMBLE" || w == "HOP" || w == "SESSION") {
			return w, p[1:], true
		}
	}
	return "", "", false
}

// legacy is TUMBLE_START(t, INTERVAL …) and its kin.
func (b *binder) legacy(window, part string, x *ast.Call, s *scope) (plan.Expr, error) {
	l := s.legacy
	if l == nil {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "%s needs GROUP BY %s(…)", x.Func, window)
	}
	own := legacyWindows{b: b, scope: s}
	if err := own.read(x); err != nil {
		return nil, err
	}
	if window != l.name || own.size != l.size || own.slide != l.slide || own.offset != l.offset || !plan.Same(own.time, l.time) {
		return nil, diag.At(x.Pos(), diag.NotAllowed, "%s does not match the %s of GROUP BY", x.Func, l.name).Hint("give it the same arguments")
	}
	k := map[string]int{"START": 0, "END": 1, "ROWTIME": 2, "PROCTIME": 2}[part]
	e := column(l.node, l.first+k)
	if part == "ROWTIME" && e.T.Attr != types.Rowtime || part == "PROCTIME" && e.T.Attr != types.Proctime {
		return nil, diag.At(x.Pos(), diag.TypeMismatch, "the window is not of %s", strings.ToLower(part))
	}
	b.spans[e] = x.Pos()
	return e, nil
}
