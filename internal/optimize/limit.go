package optimize

import "github.com/runnelio/runnel/internal/plan"

// limit tells a source that feeds only a LIMIT without order when it may stop.
func limit(_ *Options, n plan.Node) (plan.Node, error) {
	return rewrite(n, func(n plan.Node) (plan.Node, error) {
		s, ok := n.(*plan.Sort)
		if !ok || len(s.Keys) > 0 || s.Limit < 0 {
			return n, nil
		}
		in, ok := limitScan(s.Input, s.Limit+s.Offset)
		if !ok {
			return n, nil
		}
		out := *s
		out.Input = in
		return &out, nil
	})
}

func limitScan(n plan.Node, rows int64) (plan.Node, bool) {
	switch x := n.(type) {
	case *plan.Project:
		in, ok := limitScan(x.Input, rows)
		if !ok {
			return n, false
		}
		return x.WithInputs([]plan.Node{in}), true
	case *plan.Scan:
		if x.Table.Changelog || rows == 0 {
			return n, false
		}
		out := *x
		out.Limit = rows
		return &out, true
	}
	return n, false
}
