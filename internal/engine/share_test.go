package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/runnelio/runnel/internal/runtime"
)

// line is an event; some have values that do not convert, some are no JSON.
func line(i int) string {
	switch {
	case i%31 == 17:
		return fmt.Sprintf(`{"id": "x%d", "name": "n%d"}`, i, i)
	case i%41 == 23:
		return `{"id": 1, "name": `
	case i%37 == 5:
		return fmt.Sprintf(`{"id": %d, "name": "n%d", "price": "dear", "in": {"a": %d}}`, i, i, i%5)
	}
	return fmt.Sprintf(`{"id": %d, "name": "n%d", "price": %d.5, "kind": "k%d", "in": {"a": %d}}`, i, i%7, i%13, i%4, i%5)
}

func lines(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, line(i))
	}
	return out
}

// queries read the same topic with other columns, filters, rules and policies.
var queries = []query{
	{"id INT, name STRING", ",'on-error'='skip'", "SELECT CAST(id AS STRING), name FROM t WHERE MOD(id, 3) = 0"},
	{"price DOUBLE, id INT, kind STRING", ",'on-error'='skip','group'='g2','chunk'='5'", "SELECT CAST(id AS STRING), kind, CAST(price AS STRING) FROM t WHERE kind = 'k1' AND price > 3"},
	{"name STRING, id BIGINT", ",'on-error'='skip'", "SELECT name FROM t"},
	{"id INT, name STRING, kind STRING", ",'on-error'='skip'", "SELECT DISTINCT name, kind FROM t WHERE kind IN ('k1','k2')"},
	{"kind STRING, id INT", ",'on-error'='skip','chunk'='11'", "SELECT CAST(id AS STRING), r FROM (SELECT id, 'a' AS r FROM t WHERE kind = 'k1' UNION ALL SELECT id, 'b' FROM t WHERE kind = 'k1' AND id > 100 UNION ALL SELECT id, 'c' FROM t WHERE kind = 'k3')"},
	{"`in` ROW<a INT>, id INT", ",'on-error'='skip'", "SELECT CAST(t.`in`.a AS STRING), CAST(id AS STRING) FROM t WHERE t.`in`.a = 2"},
}

// together are those of them that are one group: the third has another type of id
// and the last looks into an object.
var together = []int{0, 1, 4}

// TestJobsReadTogether: jobs that begin together read every byte once, and each has
// what it has alone.
func TestJobsReadTogether(t *testing.T) {
	w := newWorld()
	splits := [][]string{lines(0, 900), lines(1000, 1300), lines(2000, 2001), nil}
	w.topics["t"] = &topic{splits: splits, closed: true}
	e := w.engine(t, t.TempDir(), nil)
	var size int64
	for _, s := range splits {
		for _, l := range s {
			size += int64(len(l))
		}
	}
	release := e.Hold()
	var jobs []*runtime.Job
	for _, i := range together {
		jobs = append(jobs, start(t, e, fmt.Sprint("job", i), queries[i].script("t", fmt.Sprint(i))))
	}
	for _, j := range jobs {
		if s := j.Sharing(); len(s) == 0 || len(s[0].Jobs) != len(together) || s[0].Alone != 0 {
			t.Errorf("%s: %+v", j.Name, s)
		}
	}
	release()
	var read, in int64
	for k, i := range together {
		if err := jobs[k].Wait(); err != nil {
			t.Fatal(err)
		}
		sameRows(t, fmt.Sprint(i), w.box(fmt.Sprint(i)).rows, queries[i].alone(t, splits))
		for _, op := range jobs[k].Metrics.Ops {
			read += op.Shared.ReadBytes.Load()
			in += op.BytesIn.Load()
		}
	}
	if w.topics["t"].read != size || read != size || in != size*int64(len(together)) {
		t.Errorf("%d bytes were read, %d of them by shared scans, for %d of input; the topic has %d", w.topics["t"].read, read, in, size)
	}
	for i := range queries {
		release := e.Hold()
		a := start(t, e, fmt.Sprint("a", i), queries[i].script("t", fmt.Sprint("a", i)))
		b := start(t, e, fmt.Sprint("b", i), queries[(i+1)%len(queries)].script("t", fmt.Sprint("b", i)))
		release()
		if err := errors.Join(a.Wait(), b.Wait()); err != nil {
			t.Fatal(err)
		}
		sameRows(t, fmt.Sprint("a", i), w.box(fmt.Sprint("a", i)).rows, queries[i].alone(t, splits))
		sameRows(t, fmt.Sprint("b", i), w.box(fmt.Sprint("b", i)).rows, queries[(i+1)%len(queries)].alone(t, splits))
	}
}

// TestMembersDisturbNobody: of four jobs that read together one is blocked, one is
// killed, one is upgraded; the fourth goes on, and what each has written in the end
// is what it has alone.
func TestMembersDisturbNobody(t *testing.T) {
	w := newWorld()
	w.topics["t"] = &topic{splits: [][]string{nil}}
	e := w.engine(t, t.TempDir(), map[string]string{"scan.share.max-lag": "64 kb"})
	q := func(i int) query {
		return query{"id INT, name STRING", ",'on-error'='skip'", fmt.Sprintf("SELECT CAST(id AS STRING), name FROM t WHERE MOD(id, 4) <> %d", i)}
	}
	names := []string{"free", "blocked", "killed", "upgraded"}
	release := e.Hold()
	jobs := map[string]*runtime.Job{}
	for i, n := range names {
		jobs[n] = start(t, e, n, q(i).script("t", n))
	}
	release()
	at := 0
	feed := func(n int) {
		for range n {
			w.feed("t", 0, line(at))
			at++
		}
	}
	rows := func(name string, i int) func() bool {
		want := len(q(i).alone(t, [][]string{lines(0, at)}))
		return func() bool { return len(w.box(name).rows) >= want }
	}
	feed(200)
	for i, n := range names {
		w.until(t, n, rows(n, i))
	}
	var all int64
	for _, l := range lines(0, at) {
		all += int64(len(l))
	}
	if got := w.bytesRead("t"); got != all {
		t.Errorf("undisturbed, %d bytes were read, there are %d", got, all)
	}

	// One is blocked: the others go on while it is, further than it may lag.
	w.change(func() { w.box("blocked").shut = true })
	feed(3000)
	for i, n := range names {
		if n != "blocked" {
			w.until(t, n, rows(n, i))
		}
	}
	left := func() (n int64) {
		for _, op := range jobs["blocked"].Metrics.Ops {
			n += op.Shared.Left.Load()
		}
		return n
	}
	w.mu.Lock()
	rowsOfBlocked := len(w.box("blocked").rows)
	w.mu.Unlock()
	if left() == 0 || rowsOfBlocked > 200 {
		t.Errorf("the blocked job has not left: %+v", jobs["blocked"].Sharing())
	}

	// One is killed.
	jobs["killed"].Cancel()
	_ = jobs["killed"].Wait() // cancelled
	feed(200)
	w.until(t, "free", rows("free", 0))

	// One is upgraded: it goes on where it was, with another query.
	jobs["upgraded"].Stop()
	if err := jobs["upgraded"].Wait(); err != nil {
		t.Fatal(err)
	}
	before := at
	feed(200)
	up := query{"id INT, name STRING, kind STRING", ",'on-error'='skip'", "SELECT CAST(id AS STRING), kind FROM t WHERE kind <> 'k3'"}
	jobs["upgraded"] = start(t, e, "upgraded", up.script("t", "upgraded"))
	jobs["killed"] = start(t, e, "killed", q(2).script("t", "killed"))
	w.change(func() { w.box("blocked").shut = false })
	feed(300)
	// All come together again: each new line is read by one of them, for all.
	alone := func() (n int) {
		for _, j := range jobs {
			for _, s := range j.Sharing() {
				n += s.Alone
			}
		}
		return n
	}
	for k := 0; alone() > 0; k++ {
		if k > 2000 {
			t.Fatalf("some still read alone: %+v", jobs["blocked"].Sharing())
		}
		feed(1)
		w.until(t, "free", rows("free", 0))
		for i, n := range names[:3] {
			w.until(t, n, rows(n, i))
		}
	}
	read := w.bytesRead("t")
	from := at
	feed(100)
	for i, n := range names[:3] {
		w.until(t, n, rows(n, i))
	}
	all = 0
	for _, l := range lines(from, at) {
		all += int64(len(l))
	}
	if got := w.bytesRead("t") - read; got != all {
		t.Errorf("together again, %d bytes were read of %d new ones", got, all)
	}
	w.finish("t")
	for _, n := range names {
		if err := jobs[n].Wait(); err != nil {
			t.Fatal(err)
		}
	}
	splits := [][]string{lines(0, at)}
	for i, n := range names[:3] {
		sameRows(t, n, w.box(n).rows, q(i).alone(t, splits))
	}
	want := append(q(3).alone(t, [][]string{lines(0, before)}), up.alone(t, [][]string{lines(before, at)})...)
	sameRows(t, "upgraded", w.box("upgraded").rows, sorted(want))
}

// TestReadErrorsEndOneJob: a reader that fails is the trouble of the job whose it
// is; the others read with their own.
func TestReadErrorsEndOneJob(t *testing.T) {
	for round := range 20 {
		w := newWorld()
		w.topics["t"] = &topic{splits: [][]string{lines(0, 50)}}
		e := w.engine(t, t.TempDir(), nil)
		q := query{"id INT, name STRING", ",'on-error'='skip'", "SELECT name FROM t"}
		bad := q
		bad.options += ",'fail'='true'"
		release := e.Hold()
		b := start(t, e, "bad", bad.script("t", "bad"))
		a := start(t, e, "good", q.script("t", "good"))
		release()
		w.until(t, "rows", func() bool { return len(w.box("good").rows) > 0 })
		w.change(func() { w.topics["t"].fail = errors.New("the disk is gone") })
		w.feed("t", 0, lines(50, 100+round)...)
		w.finish("t")
		if err := a.Wait(); err != nil {
			t.Fatal(err)
		}
		_ = b.Wait() // it may have read nothing itself
		sameRows(t, "good", w.box("good").rows, q.alone(t, w.topics["t"].splits))
	}
}

// TestPoliciesAreEachJobsOwn: what does not decode ends the job that says so, and
// only if it looks at it.
func TestPoliciesAreEachJobsOwn(t *testing.T) {
	w := newWorld()
	splits := [][]string{{`{"id": 1, "name": "a"}`, `{"id": "x", "name": "b"}`, `{"id": 3, "name": "c"}`}}
	w.topics["t"] = &topic{splits: splits, closed: true}
	e := w.engine(t, t.TempDir(), nil)
	strict := query{"id INT, name STRING", "", "SELECT CAST(id AS STRING) FROM t"}
	name := query{"id INT, name STRING", "", "SELECT name FROM t"}
	skip := query{"id INT, name STRING", ",'on-error'='skip'", "SELECT CAST(id AS STRING) FROM t"}
	release := e.Hold()
	a, b, c := start(t, e, "strict", strict.script("t", "strict")), start(t, e, "name", name.script("t", "name")), start(t, e, "skip", skip.script("t", "skip"))
	release()
	var re *runtime.RecordError
	if err := a.Wait(); !errors.As(err, &re) || re.Position != "000000002" {
		t.Errorf("strict: %v", err)
	}
	if err := errors.Join(b.Wait(), c.Wait()); err != nil {
		t.Error(err)
	}
	sameRows(t, "name", w.box("name").rows, []string{"a", "b", "c"})
	sameRows(t, "skip", w.box("skip").rows, []string{"1", "3"})
	if n := c.Metrics.Ops[0].Bad.Load(); n != 1 {
		t.Errorf("%d bad records", n)
	}
}

// TestSharedScanAtRandom: jobs start, stop, are killed, blocked and upgraded while
// lines come; in the end each has what it has alone.
func TestSharedScanAtRandom(t *testing.T) {
	seeds := 12
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { sharedAtRandom(t, uint64(seed)) })
	}
}

func sharedAtRandom(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 6))
	w := newWorld()
	w.topics["t"] = &topic{splits: make([][]string, 1+r.IntN(3))}
	lag := []string{"1 kb", "8 kb", "64 mb"}[r.IntN(3)]
	e := w.engine(t, t.TempDir(), map[string]string{"scan.share.max-lag": lag, "parallelism.default": fmt.Sprint(1 + r.IntN(2))})
	type member struct {
		q    query
		job  *runtime.Job
		shut bool
	}
	members := map[string]*member{}
	for i, q := range []query{queries[0], queries[1], queries[4], queries[2], queries[3], queries[0]} {
		members[fmt.Sprint(i)] = &member{q: q}
	}
	open := func(name string) {
		if m := members[name]; m.job == nil {
			m.job = start(t, e, name, m.q.script("t", name))
		}
	}
	at := 0
	for range 150 {
		name := fmt.Sprint(r.IntN(len(members)))
		m := members[name]
		switch r.IntN(8) {
		case 0, 1, 2:
			s := r.IntN(len(w.topics["t"].splits))
			n := 1 + r.IntN(60)
			w.feed("t", s, lines(at, at+n)...)
			at += n
		case 3:
			open(name)
		case 4:
			m.shut = !m.shut
			w.change(func() { w.box(name).shut = m.shut })
		case 5:
			if m.job != nil {
				m.job.Cancel()
				_ = m.job.Wait() // cancelled
				m.job = nil
			}
		case 6:
			if m.job != nil && !m.shut {
				m.job.Stop()
				if err := m.job.Wait(); err != nil {
					t.Fatal(err)
				}
				m.job = nil
			}
		case 7: // some time passes: until this one has committed something
			if m.job != nil && !m.shut {
				if err := m.job.Checkpoint(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for name := range members {
		w.change(func() { w.box(name).shut = false })
		open(name)
	}
	w.finish("t")
	for name, m := range members {
		if err := m.job.Wait(); err != nil {
			t.Fatal(err)
		}
		sameRows(t, name, w.box(name).rows, m.q.alone(t, w.topics["t"].splits))
		if s := m.job.Sharing(); len(s) != 1 || s[0].Splits != 0 || s[0].Lag != 0 {
			t.Errorf("%s has ended: %+v", name, s)
		}
	}
	if n := w.topics["t"].opened; n != 0 {
		t.Errorf("%d readers were left open", n)
	}
}
