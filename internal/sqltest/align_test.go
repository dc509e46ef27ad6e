package sqltest

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/internal/state/mem"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// paced is a source whose splits give a row a second of event time, each at a
// pace of its own; 0 is as fast as it can, below 0 gives no row at all.
type paced struct {
	paces   []time.Duration
	rows    int
	bounded bool
}

type pacedOptions struct {
	Paces   string `opt:"paces" doc:"Pause before each batch, by split."`
	Rows    int    `opt:"rows" default:"400" doc:"Rows of a split."`
	Bounded bool   `opt:"bounded" default:"true" doc:"Whether splits end."`
}

func pacedConnector() *connector.Connector {
	return connector.Define("paced", "Splits that go at different paces.", connector.Spec[pacedOptions]{
		Source: func(_ *connector.Context, _ *connector.Table, o *pacedOptions) (any, error) {
			p := &paced{rows: o.Rows, bounded: o.Bounded}
			for _, s := range strings.Split(o.Paces, " ") {
				d, err := time.ParseDuration(s)
				if err != nil {
					return nil, err
				}
				p.paces = append(p.paces, d)
			}
			return p, nil
		},
	})
}

func (p *paced) Splits(context.Context) ([]connector.Split, error) {
	var out []connector.Split
	for i := range p.paces {
		out = append(out, connector.Split{ID: strconv.Itoa(i)})
	}
	return out, nil
}

func (p *paced) Bounded() bool { return p.bounded }

func (p *paced) OpenColumns(_ context.Context, s connector.Split, at string) (connector.ColumnReader, error) {
	i, err := strconv.Atoi(s.ID)
	r := &pacedReader{paced: p, split: i}
	if err == nil && at != "" {
		r.next, err = strconv.Atoi(at)
	}
	return r, err
}

type pacedReader struct {
	*paced
	split, next int
}

func (r *pacedReader) Close() error { return nil }

func (r *pacedReader) ReadBatch(ctx context.Context, into *vector.Batch, most int) error {
	pace := r.paces[r.split]
	if pace < 0 || !r.bounded && r.next >= r.rows {
		<-ctx.Done()
		return nil
	}
	select {
	case <-time.After(pace):
	case <-ctx.Done():
		return nil
	}
	for n := 0; n < most && r.next < r.rows; n++ {
		into.AppendValues(types.Insert, int32(r.split), types.TS{Ms: int64(r.next) * 1000})
		r.next++
	}
	into.Origin.Last = fmt.Sprintf("%09d", r.next)
	if r.bounded && r.next == r.rows {
		return io.EOF
	}
	return nil
}

// leads notes how far, in seconds, any split got ahead of the last one.
type leads struct {
	Collector
	mu    sync.Mutex
	at    map[string]int
	most  int
	rows  int
	names int
}

func (l *leads) Write(_ context.Context, b *vector.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.Rows(func(i int) {
		name := fmt.Sprint(vector.Get(b.Cols[0], i))
		l.at[name] = int(vector.Get(b.Cols[1], i).(types.TS).Ms / 1000)
		l.rows++
		if len(l.at) < l.names {
			return
		}
		low, high := 1<<30, 0
		for _, t := range l.at {
			low, high = min(low, t), max(high, t)
		}
		l.most = max(l.most, high-low)
	})
	return nil
}

func (l *leads) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows
}

func pacedTable(name, paces, with string) string {
	return "CREATE TABLE " + name + " (s INT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'paced', 'paces' = '" + paces + "'" + with + ");"
}

const aligned = ", 'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = '20 s', 'scan.watermark.alignment.update-interval' = '10 ms'"

// startPaced starts a query over paced tables.
func startPaced(t *testing.T, script string, l *leads, o runtime.Options) *runtime.Job {
	t.Helper()
	s, err := compile.New(compile.Options{Connectors: append(connectors.Connectors(), pacedConnector()), Formats: formats.Formats(), Functions: builtin.All(),
		Settings: map[string]string{"runnel.batch-size": "8"}})
	if err != nil {
		t.Fatal(err)
	}
	stmts, err := sql.Parse(script, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, st := range stmts {
		r, err := s.Execute(t.Context(), st, l)
		if err != nil {
			t.Fatal(err)
		}
		if i < len(stmts)-1 {
			continue
		}
		o.Func = r.Job.Func
		o.Connector = &connector.Context{Now: time.Now, Zone: time.UTC}
		job, err := runtime.Start(t.Context(), r.Job.Plan, o)
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	return nil
}

// TestAlignment has a split that could run far ahead of a slow one, of the same
// table or of another one of the group.
func TestAlignment(t *testing.T) {
	f := func(name, script string, names, rows int, held bool) {
		t.Helper()
		l := &leads{at: map[string]int{}, names: names}
		if err := startPaced(t, script, l, runtime.Options{}).Wait(); err != nil {
			t.Fatal(err)
		}
		if l.rows != rows {
			t.Errorf("%s: %d rows, want %d", name, l.rows, rows)
		}
		// What was read when the group was looked at may come through: a batch.
		if ahead := l.most > 20+8+8; ahead == held {
			t.Errorf("%s: a split got %d s ahead", name, l.most)
		}
	}
	f("free", pacedTable("a", "2ms 0s", "")+"SELECT s, t FROM a", 2, 800, false)
	f("splits", pacedTable("a", "2ms 0s 0s", aligned)+"SELECT s, t FROM a", 3, 1200, true)
	f("tables", pacedTable("a", "2ms", aligned)+pacedTable("b", "0s 0s", aligned)+"SELECT s + 10, t FROM a UNION ALL SELECT s, t FROM b", 3, 1200, true)
	f("hint", pacedTable("a", "2ms 0s", "")+"SELECT s, t FROM a /*+ OPTIONS("+strings.TrimPrefix(aligned, ", ")+") */", 2, 800, true)
	// A split that gives nothing at all holds nobody up once it is idle, nor for ever before.
	f("silent", pacedTable("a", "2ms 0s", aligned)+pacedTable("b", "5ms", aligned+", 'rows' = '3'")+"SELECT s, t FROM a UNION ALL SELECT s + 10, t FROM b", 2, 803, false)
}

// TestAlignmentLetsBarriersPass takes checkpoints, and stops, while a split waits
// for one that has gone silent.
func TestAlignmentLetsBarriersPass(t *testing.T) {
	for _, idle := range []string{"", ", 'scan.watermark.idle-timeout' = '50 ms'"} {
		l := &leads{at: map[string]int{}, names: 2}
		job := startPaced(t, pacedTable("a", "1ms 0s", aligned+", 'bounded' = 'false'")+pacedTable("b", "0s", aligned+idle+", 'bounded' = 'false', 'rows' = '10'")+
			"SELECT s, t FROM a UNION ALL SELECT s + 10, t FROM b", l, runtime.Options{Store: mem.New(), Interval: time.Hour})
		deadline := time.Now().Add(20 * time.Second)
		want := 60 // both splits of a are held near the silent one
		if idle != "" {
			want = 810 // it is idle: they go on
		}
		for l.count() < want && time.Now().Before(deadline) {
			time.Sleep(5 * time.Millisecond)
		}
		if idle == "" {
			time.Sleep(100 * time.Millisecond)
			if n := l.count(); n > 200 {
				t.Errorf("%d rows came though one split stands still", n)
			}
		} else if n := l.count(); n != want {
			t.Errorf("idle: %d rows, want %d", n, want)
		}
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if err := job.Checkpoint(ctx); err != nil {
				t.Fatalf("checkpoint: %v", err)
			}
			cancel()
		}
		job.Stop()
		if err := job.Wait(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAlignmentRefused names what is missing.
func TestAlignmentRefused(t *testing.T) {
	f := func(script, want string) {
		t.Helper()
		s, err := Session(nil)
		if err == nil {
			_, err = Run(t.Context(), s, script)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", script, err, want)
		}
	}
	f("CREATE TABLE a (t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'datagen', 'scan.watermark.alignment.group' = 'g'); SELECT * FROM a", "max-drift")
	f("CREATE TABLE a (t TIMESTAMP(3), WATERMARK FOR t AS SOURCE_WATERMARK()) WITH ('connector' = 'datagen', 'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = '1 s'); SELECT COUNT(*) FROM a GROUP BY TUMBLE(t, INTERVAL '1' SECOND)", "connector datagen")
	f("CREATE TABLE a (t TIMESTAMP(3)) WITH ('connector' = 'datagen', 'scan.watermark.alignment.group' = 'g', 'scan.watermark.alignment.max-drift' = '1 s'); SELECT * FROM a", "needs a WATERMARK")
}

// TestWatermarkGap has watermarks follow every row, every third, or each batch.
func TestWatermarkGap(t *testing.T) {
	f := func(with, want string) {
		t.Helper()
		l := &Collector{}
		s, err := compile.New(compile.Options{Connectors: append(connectors.Connectors(), pacedConnector()), Formats: formats.Formats(), Functions: builtin.All(),
			Settings: map[string]string{"runnel.batch-size": "8"}})
		if err != nil {
			t.Fatal(err)
		}
		stmts, err := sql.Parse(pacedTable("a", "0s", ", 'rows' = '8'"+with)+"SELECT CURRENT_WATERMARK(t) FROM a", sql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range stmts {
			r, err := s.Execute(t.Context(), st, l)
			if err != nil {
				t.Fatal(err)
			}
			if r.Job != nil {
				if err := RunJob(t.Context(), r.Job); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []string
		for _, r := range l.Rows {
			if r[1] == "<NULL>" {
				got = append(got, "-")
			} else {
				got = append(got, strings.TrimSuffix(r[1][18:], ".000"))
			}
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: %s, want %s", with, g, want)
		}
	}
	f("", "- - - - - - - -")
	f(", 'scan.watermark.emit.strategy' = 'on-event'", "- 0 1 2 3 4 5 6")
	f(", 'scan.watermark.emit.strategy' = 'on-event', 'scan.watermark.emit.on-event.gap' = '3'", "- - - 2 2 2 5 5")
}
