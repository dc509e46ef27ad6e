package rules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/internal/bind"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/exec/exectest"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/rulefile"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
)

var schema = exectest.Schema("id", types.Of(types.Int), "name", types.String(), "ts", exectest.Rowtime())

// fixture is an operator over a set, made anew by each restart as a job makes it.
type fixture struct {
	*exectest.Driver
	control *Control
	live    *plan.LiveRules
	most    int
}

type fixedInput struct{ plan.Node }

func (fixedInput) Schema() *types.Schema { return schema }

func start(t testing.TB, dir string, most int) *fixture {
	t.Helper()
	f := &fixture{most: most}
	fc := &function.Context{Zone: time.UTC, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	o := &bind.Options{Functions: builtin.All(), Func: fc}
	text := types.String()
	f.live = &plan.LiveRules{
		Input: fixedInput{}, Name: "set", Dir: dir, Load: rulefile.Load,
		Out: exectest.Schema("id", types.Of(types.Int), "name", text, "ts", exectest.Rowtime(), "rule_id", text, "attributes", types.MapOf(text, text), "rule_key", text, "rule_count", types.Of(types.BigInt)),
		Compile: func(d plan.RuleDef) (plan.LiveRule, error) {
			r := plan.LiveRule{Def: d}
			if err := d.Check(); err != nil {
				return r, err
			}
			x, err := sql.ParseExpr(d.Condition, sql.Options{})
			if err != nil {
				return r, err
			}
			if r.Cond, err = bind.Expr(o, x, schema, ""); err != nil {
				return r, err
			}
			for _, k := range d.Key {
				r.Keys = append(r.Keys, schema.Index(k))
			}
			return r, nil
		},
	}
	f.Driver = exectest.Start(t, 4, func() exec.Operator {
		f.control = NewControl(f.live, fc, slog.New(slog.DiscardHandler), most)
		return New(f.control, schema, f.live.Out)
	}, schema)
	t.Cleanup(func() { f.Op.Close() })
	return f
}

func (f *fixture) row(id int, name string, ms int64) {
	f.T.Helper()
	f.Rows(0, exectest.Insert(int32(id), name, exectest.TS(ms)))
}

// commit commits, and tells the operator that it is durable.
func (f *fixture) commit() {
	f.T.Helper()
	f.Commit()
	f.Op.(exec.Committed).Committed(1 << 40)
}

func def(id, condition string) plan.RuleDef { return plan.RuleDef{ID: id, Condition: condition} }

func (f *fixture) change(add []plan.RuleDef, remove ...string) {
	f.T.Helper()
	if err := f.control.Change(context.Background(), add, remove, false); err != nil {
		f.T.Fatal(err)
	}
}

func TestChangesTakeEffectAtBarriers(t *testing.T) {
	f := start(t, "", 0)
	f.change([]plan.RuleDef{def("a", "id = 1"), {ID: "b", Condition: "name LIKE 'x%'", Attributes: map[string]string{"level": "high"}}})
	f.row(1, "x1", 10)
	f.Want()
	f.commit()
	f.row(1, "x1", 11)
	f.Want("+I 1 x1 11 a &{[] []} NULL 1", "+I 1 x1 11 b &{[level] [high]} NULL 1")
	// Replaced: the same id, another condition.
	f.change([]plan.RuleDef{def("a", "id = 2")}, "b")
	f.row(1, "x1", 12)
	f.Want("+I 1 x1 12 a &{[] []} NULL 1", "+I 1 x1 12 b &{[level] [high]} NULL 1")
	f.commit()
	f.row(1, "x1", 13)
	f.row(2, "x1", 13)
	f.Want("+I 2 x1 13 a &{[] []} NULL 1")
	if got := f.control.List(); len(got) != 1 || got[0].Condition != "id = 2" {
		t.Errorf("list: %v", got)
	}
}

func TestAnswerComesWhenTheChangeIsDurable(t *testing.T) {
	f := start(t, "", 0)
	done := make(chan error, 1)
	go func() { done <- f.control.Change(context.Background(), []plan.RuleDef{def("a", "id = 1")}, nil, true) }()
	for f.control.now.Load().gen == 0 {
		time.Sleep(time.Millisecond)
	}
	f.Commit() // sealed, but nobody said it is durable
	select {
	case err := <-done:
		t.Fatalf("answered before the commit: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	f.Op.(exec.Committed).Committed(1 << 40)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	// Who waits when the job ends hears of it.
	go func() { done <- f.control.Change(context.Background(), []plan.RuleDef{def("b", "id = 1")}, nil, true) }()
	for f.control.now.Load().gen == 1 {
		time.Sleep(time.Millisecond)
	}
	f.Op.Close()
	if err := <-done; !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	if err := f.control.Change(context.Background(), []plan.RuleDef{def("c", "id = 1")}, nil, false); !errors.Is(err, ErrEnded) {
		t.Errorf("a change after the end: %v", err)
	}
}

func TestRestartGoesOnFromTheCommit(t *testing.T) {
	f := start(t, "", 0)
	f.change([]plan.RuleDef{def("a", "id = 1"), def("b", "id = 1")})
	f.commit()
	f.change([]plan.RuleDef{def("c", "id = 1")}, "b") // never in a commit
	f.Crash()
	f.row(1, "x", 10)
	f.Want("+I 1 x 10 a &{[] []} NULL 1", "+I 1 x 10 b &{[] []} NULL 1")
	f.change(nil, "a")
	f.Restart()
	f.row(1, "x", 11)
	f.Want("+I 1 x 11 b &{[] []} NULL 1")
}

func TestWindowCountsSurviveARestart(t *testing.T) {
	f := start(t, "", 0)
	w := plan.RuleDef{ID: "w", Condition: "id > 0", Key: []string{"name"}, Window: time.Second, Threshold: 3}
	f.change([]plan.RuleDef{w})
	f.commit()
	f.row(1, "x", 100)
	f.row(1, "y", 100)
	f.row(1, "x", 200)
	f.Want()
	f.Restart()
	f.row(7, "x", 300)
	f.row(1, "x", 1100) // the next window
	f.Want("+I 7 x 300 w &{[] []} x 3")
	// Other attributes keep the counts, another condition begins anew.
	w.Attributes = map[string]string{"k": "v"}
	f.change([]plan.RuleDef{w})
	f.commit()
	f.row(2, "y", 400)
	f.row(3, "y", 500)
	f.Want("+I 3 y 500 w &{[k] [v]} y 3")
	w.Condition = "id > 1"
	f.change([]plan.RuleDef{w})
	f.commit()
	f.row(2, "x", 1200)
	f.row(2, "x", 1300)
	f.Want()
	f.row(2, "x", 1400)
	f.Want("+I 2 x 1400 w &{[k] [v]} x 3")
	// Gone and back: nothing is remembered.
	f.change(nil, "w")
	f.commit()
	f.change([]plan.RuleDef{w})
	f.commit()
	f.row(2, "x", 1500)
	f.row(2, "x", 1600)
	f.Want()
	f.Watermark(1999)
	f.row(2, "x", 1700) // late
	f.Want()
	if n := f.Metrics.Late.Load(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}

func TestTheFolderIsFollowed(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yml", "id: a\ncondition: id = 1\n")
	write("b.yml", "- id: b\n  condition: id = 1\n- id: c\n  condition: id = 1\n  enabled: false\n")
	f := start(t, dir, 0)
	f.change([]plan.RuleDef{def("mine", "id = 1")})
	f.commit()
	f.row(1, "x", 1)
	f.Want("+I 1 x 1 a &{[] []} NULL 1", "+I 1 x 1 b &{[] []} NULL 1", "+I 1 x 1 mine &{[] []} NULL 1")
	// A file that cannot be read changes nothing.
	write("bad.yml", "id: bad\ncondition: nosuch = 1\n")
	if err := f.control.Sync(context.Background()); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("a bad rule: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "bad.yml")); err != nil {
		t.Fatal(err)
	}
	write("a.yml", "id: a\ncondition: id = 2\n")
	if err := os.Remove(filepath.Join(dir, "b.yml")); err != nil {
		t.Fatal(err)
	}
	if err := f.control.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	f.commit()
	f.row(1, "x", 2)
	f.Want("+I 1 x 2 mine &{[] []} NULL 1")
	// While the job was down the folder changed: the commit first, the folder at the next barrier.
	write("a.yml", "id: a\ncondition: id = 1\n")
	f.Restart()
	f.row(1, "x", 3)
	f.Want("+I 1 x 3 mine &{[] []} NULL 1")
	f.commit()
	f.row(1, "x", 4)
	f.Want("+I 1 x 4 mine &{[] []} NULL 1", "+I 1 x 4 a &{[] []} NULL 1")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := f.control.Sync(context.Background()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is gone: %v", err)
	}
	if n := len(f.control.List()); n != 2 {
		t.Errorf("%d rules are left", n)
	}
}

func TestBadRulesAreRefusedWhole(t *testing.T) {
	f := start(t, "", 1)
	for _, c := range []struct {
		name, want string
		add        []plan.RuleDef
		remove     []string
	}{
		{"syntax", "rule bad", []plan.RuleDef{def("ok", "id = 1"), def("bad", "id =")}, nil},
		{"column", "nosuch", []plan.RuleDef{def("ok", "id = 1"), def("bad", "nosuch = 1")}, nil},
		{"twice", "twice", []plan.RuleDef{def("ok", "id = 1"), def("ok", "id = 2")}, nil},
		{"unknown", "no rule nosuch", []plan.RuleDef{def("ok", "id = 1")}, []string{"nosuch"}},
		{"no id", "needs an id", []plan.RuleDef{def("", "id = 1")}, nil},
		{"not indexed", `rule "a" (`, []plan.RuleDef{def("a", "name IS NOT NULL AND id <> 3"), def("b", "CHAR_LENGTH(name) > id")}, nil},
	} {
		err := f.control.Change(context.Background(), c.add, c.remove, false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	f.commit()
	f.row(1, "x", 1)
	f.Want()
	if got := f.control.List(); len(got) != 0 {
		t.Errorf("rules: %v", got)
	}
}

// TestARuleThatFailsDoesNotHold: the others do, and the row is counted.
func TestARuleThatFailsDoesNotHold(t *testing.T) {
	f := start(t, "", 0)
	f.change([]plan.RuleDef{def("a", "10 / id > 0"), def("b", "name = 'x'")})
	f.commit()
	f.row(0, "x", 1)
	f.Want("+I 0 x 1 b &{[] []} NULL 1")
	if n := f.Metrics.Bad.Load(); n != 1 {
		t.Errorf("%d bad", n)
	}
}

func TestStats(t *testing.T) {
	f := start(t, "", 0)
	f.change([]plan.RuleDef{def("a", "id = 1"), def("b", "id = 2"), def("c", "CHAR_LENGTH(name) > id")})
	f.commit()
	f.Now = 5000
	f.row(1, "x", 1)
	f.row(1, "x", 2)
	f.Tick(7000)
	got := f.control.Stats()
	if len(got) != 3 || got[0].ID != "a" || got[0].Hits != 2 || got[0].LastHit != 5000 || got[1].Hits != 0 || !got[2].Unindexed || got[0].Unindexed {
		t.Errorf("stats: %+v", got)
	}
	if n := f.Metrics.Rules.Candidates.Load(); n == 0 {
		t.Error("no candidates were counted")
	}
}

// TestManySmallChangesAreMerged and what holds stays the same.
func TestManySmallChangesAreMerged(t *testing.T) {
	f := start(t, "", 0)
	for i := range 40 {
		f.change([]plan.RuleDef{def(fmt.Sprintf("r%02d", i), fmt.Sprintf("id = %d", i))})
	}
	f.control.merges.Wait()
	if n := f.control.set.Fragments(); n > 12 {
		t.Errorf("%d segments", n)
	}
	f.commit()
	for i := range 40 {
		f.row(i, "x", 1)
		f.Want(fmt.Sprintf("+I %d x 1 r%02d &{[] []} NULL 1", i, i))
	}
}

// TestAddingManyRulesDoesNotPause measures the longest time between two batches,
// barriers included, while 10,000 rules are added to as many.
func TestAddingManyRulesDoesNotPause(t *testing.T) {
	if testing.Short() {
		t.Skip("10,000 rules take a while")
	}
	f := start(t, "", 0)
	many := func(tag string) []plan.RuleDef {
		var out []plan.RuleDef
		for i := range 10_000 {
			out = append(out, def(fmt.Sprintf("%s%d", tag, i), fmt.Sprintf("name LIKE '%%%s-%d-%%' AND id <> %d", tag, i, i)))
		}
		return out
	}
	f.change(many("a"))
	f.commit()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- f.control.Change(context.Background(), many("b"), nil, true) }()
	goruntime.LockOSThread() // the CPU time is this thread's
	defer goruntime.UnlockOSThread()
	var longest, barrier, work time.Duration
	last, lastCPU := time.Now(), threadTime()
	for n := 0; ; n++ {
		f.row(n, "nothing", int64(n))
		if n%20 == 19 {
			at := time.Now()
			f.commit()
			barrier = max(barrier, time.Since(at))
		}
		now := time.Now()
		longest, work = max(longest, now.Sub(last)), max(work, threadTime()-lastCPU)
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("10,000 rules in effect after %v; longest gap %v, longest work between two batches %v, longest barrier with commit %v", time.Since(began).Round(time.Millisecond), longest, work, barrier)
			f.row(20_000, "b-77-", 1)
			f.Want("+I 20000 b-77- 1 b77 &{[] []} NULL 1")
			// Work is what the events themselves wait for; the gap has the machine's
			// other work in it, and tells whether anything waits for the building of the index.
			if work > 50*time.Millisecond {
				t.Errorf("%v of work between two batches", work)
			}
			if longest > 500*time.Millisecond {
				t.Errorf("a gap of %v", longest)
			}
			return
		default:
		}
		time.Sleep(100 * time.Microsecond)
		last, lastCPU = time.Now(), threadTime()
	}
}
