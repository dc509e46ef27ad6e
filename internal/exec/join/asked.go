package join

import (
	"container/list"
	"context"
	"fmt"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/eval"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// AskedSpec says how to ask a system for rows by key.
type AskedSpec struct {
	Open func(cx *exec.Context) (connector.Lookup, error)
	Left []int // columns of the input whose values are asked for
	Key  *types.Schema
	// What is made of rows found: those for which Filter holds, with columns Exprs;
	// both over Rows.
	Rows   *types.Schema
	Filter plan.Expr
	Exprs  []plan.Expr
	Table  *types.Schema // of the result
	Cache  Cache
	// MaxRetries is how often a question that failed is asked again.
	MaxRetries int
	// Failed is told of questions that failed, with nil of one that did not; may be nil.
	Failed func(err error)
}

// Cache says which answers are kept.
type Cache struct {
	On            bool
	MaxKeys       int64         // 0: any number
	Write, Access time.Duration // how long since it was asked, or used; 0: for ever
	Missing       bool          // keep that a key has no row
}

// asked asks for keys and keeps answers.
type asked struct {
	AskedSpec
	cx     *exec.Context
	source connector.Lookup
	pred   *eval.Predicate
	prog   *eval.Program
	keys   *vector.Batch
	found  *vector.Batch
	of     []int32
	want   map[string]int     // key -> row of keys
	names  []string           // by row of keys
	now    map[string]*answer // of the batch at hand
	cache  map[string]*answer
	order  *list.List // of cached answers, those used last in front
	key    []byte
	sel    []int32
	bytes  int64
}

// answer is the rows of a key, encoded.
type answer struct {
	key      string
	rows     []string
	at, used int64 // ms
	place    *list.Element
}

func (a *asked) open(cx *exec.Context) (err error) {
	a.cx, a.cache, a.order = cx, map[string]*answer{}, list.New()
	a.want, a.now = map[string]int{}, map[string]*answer{}
	a.keys, a.found = vector.NewBatch(a.Key, 16), vector.NewBatch(a.Rows, 16)
	if a.Filter != nil {
		if a.pred, err = eval.CompilePredicate(a.Filter, a.Rows, cx.Func); err != nil {
			return err
		}
	}
	if a.prog, err = eval.Compile(a.Exprs, a.Rows, cx.Func); err != nil {
		return err
	}
	a.source, err = a.Open(cx)
	return err
}

func (a *asked) close() error {
	if a.source == nil {
		return nil
	}
	return a.source.Close()
}

// keyOf puts the key of row i into a.key; ok is false if it has a NULL.
func (a *asked) keyOf(b *vector.Batch, i int) (ok bool) {
	a.key = a.key[:0]
	for _, c := range a.Left {
		if b.Cols[c].IsNull(i) {
			return false
		}
		a.key = vector.AppendKey(a.key, b.Cols[c], i)
	}
	return true
}

// prepare sees to it that there is an answer for every row of b.
func (a *asked) prepare(b *vector.Batch) error {
	clear(a.now)
	a.begin()
	t := a.cx.Now()
	b.Rows(func(i int) {
		if !a.keyOf(b, i) || a.now[string(a.key)] != nil {
			return
		}
		if x := a.cached(t); x != nil {
			a.now[x.key] = x
			return
		}
		if _, ok := a.want[string(a.key)]; !ok {
			a.wish(string(a.key), b, i)
		}
	})
	return a.ask()
}

func (a *asked) begin() {
	clear(a.want)
	a.names = a.names[:0]
	a.keys.Reset()
}

// wish adds the key of row i to those that are asked for.
func (a *asked) wish(key string, b *vector.Batch, i int) {
	a.want[key] = a.keys.N
	a.names = append(a.names, key)
	for k, c := range a.Left {
		vector.CopyRow(a.keys.Cols[k], b.Cols[c], i)
	}
	a.keys.AppendKind(types.Insert)
}

// again asks once more for the keys of b that have no row; missing tells whether
// any still has none.
func (a *asked) again(b *vector.Batch) (missing bool, err error) {
	a.begin()
	b.Rows(func(i int) {
		if !a.keyOf(b, i) {
			return
		}
		if x := a.now[string(a.key)]; x == nil || len(x.rows) > 0 {
			return
		}
		if _, ok := a.want[string(a.key)]; !ok {
			a.wish(string(a.key), b, i)
		}
	})
	names := append([]string(nil), a.names...)
	if err := a.ask(); err != nil {
		return false, err
	}
	for _, k := range names {
		missing = missing || len(a.now[k].rows) == 0
	}
	return missing, nil
}

// missing tells whether a key of the batch at hand has no row.
func (a *asked) missing() bool {
	for _, x := range a.now {
		if len(x.rows) == 0 {
			return true
		}
	}
	return false
}

// ask asks for the keys wished for and makes answers of the rows found.
func (a *asked) ask() error {
	if a.keys.N == 0 {
		return nil
	}
	for try := 0; ; try++ {
		a.found.Reset()
		var err error
		if a.of, err = a.source.Find(a.cx.Context, a.keys, a.found, a.of[:0]); err == nil {
			if a.Failed != nil && try > 0 {
				a.Failed(nil)
			}
			break
		}
		if a.Failed != nil {
			a.Failed(err)
		}
		if try >= a.MaxRetries {
			return fmt.Errorf("lookup: %w", err)
		}
		if err := pause(a.cx.Context, time.Duration(try+1)*100*time.Millisecond); err != nil {
			return err
		}
	}
	if len(a.of) != a.found.N {
		return diag.Bug("the lookup found %d rows and told keys of %d", a.found.N, len(a.of))
	}
	t := a.cx.Now()
	answers := make([]*answer, len(a.names))
	for i, k := range a.names {
		answers[i] = &answer{key: k, at: t, used: t}
		a.now[k] = answers[i]
	}
	a.sel = a.sel[:0]
	if a.pred != nil && a.found.N > 0 {
		var err error
		if a.sel, err = a.pred.Select(a.found, nil, a.sel); err != nil {
			return err
		}
	} else {
		for i := range a.found.N {
			a.sel = append(a.sel, int32(i))
		}
	}
	if len(a.sel) > 0 {
		cols, err := a.prog.Eval(a.found, a.sel)
		if err != nil {
			return err
		}
		var buf []byte
		for _, i := range a.sel {
			if k := a.of[i]; k < 0 || int(k) >= len(answers) {
				return diag.Bug("the lookup told of key %d of %d", k, len(answers))
			}
			buf = vector.AppendRowOf(buf[:0], cols, int(i))
			x := answers[a.of[i]]
			x.rows = append(x.rows, string(buf))
		}
	}
	for _, x := range answers {
		a.keep(x)
	}
	return nil
}

// cached returns the kept answer for a.key that is still good at t, nil if there is none.
func (a *asked) cached(t int64) *answer {
	x := a.cache[string(a.key)]
	if x == nil {
		return nil
	}
	c := &a.Cache
	if c.Write > 0 && t-x.at >= c.Write.Milliseconds() || c.Access > 0 && t-x.used >= c.Access.Milliseconds() {
		a.drop(x)
		return nil
	}
	x.used = t
	a.order.MoveToFront(x.place)
	return x
}

// keep puts an answer into the cache.
func (a *asked) keep(x *answer) {
	if !a.Cache.On {
		return
	}
	if old := a.cache[x.key]; old != nil {
		a.drop(old)
	}
	if len(x.rows) == 0 && !a.Cache.Missing {
		return
	}
	a.cache[x.key] = x
	x.place = a.order.PushFront(x)
	a.bytes += x.size()
	for a.Cache.MaxKeys > 0 && int64(len(a.cache)) > a.Cache.MaxKeys {
		a.drop(a.order.Back().Value.(*answer))
	}
}

func (a *asked) drop(x *answer) {
	a.order.Remove(x.place)
	delete(a.cache, x.key)
	a.bytes -= x.size()
}

// size is roughly the memory an answer takes.
func (x *answer) size() int64 {
	n := int64(len(x.key)) + 160
	for _, r := range x.rows {
		n += int64(len(r)) + 16
	}
	return n
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
