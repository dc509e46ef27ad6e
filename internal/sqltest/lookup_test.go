package sqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/sql"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// directory answers for keys: a row of key k and "v<k>" for keys below 100, two
// for keys that are a multiple of 10. It is what a database would be.
type directory struct {
	asked  []string // keys of each question
	fail   int      // questions that fail before one is answered
	late   int      // questions before keys of 100 and more are there
	closed bool
}

func (d *directory) connector() *connector.Connector {
	return connector.Define("directory", "Rows by key.", connector.Spec[struct{}]{
		Lookup: func(_ *connector.Context, t *connector.Table, keys []int, _ *struct{}) (connector.Lookup, error) {
			if !slices.Equal(keys, []int{0}) {
				return nil, fmt.Errorf("asked by %v", keys)
			}
			return d, nil
		},
	})
}

func (d *directory) Find(_ context.Context, keys, into *vector.Batch, of []int32) ([]int32, error) {
	var list []string
	for i := range keys.N {
		list = append(list, fmt.Sprint(vector.Get(keys.Cols[0], i)))
	}
	d.asked = append(d.asked, strings.Join(list, " "))
	if d.fail > 0 {
		d.fail--
		return nil, errors.New("not reachable")
	}
	for i := range keys.N {
		k := vector.Get(keys.Cols[0], i).(int32)
		if k >= 100 && len(d.asked) <= d.late {
			continue
		}
		if k >= 100 && d.late == 0 {
			continue
		}
		n := 1
		if k%10 == 0 {
			n = 2
		}
		for j := range n {
			into.AppendValues(types.Insert, k, fmt.Sprintf("v%d", k), int32(j))
			of = append(of, int32(i))
		}
	}
	return of, nil
}

func (d *directory) Close() error { d.closed = true; return nil }

// runLookup joins the keys with the directory, a row a batch.
func runLookup(t *testing.T, d *directory, with, query string, batch string) ([]string, error) {
	t.Helper()
	s, err := compile.New(compile.Options{Connectors: append(connectors.Connectors(), d.connector()), Formats: formats.Formats(), Functions: builtin.All(),
		Settings: map[string]string{"runnel.batch-size": batch}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "in.jsonl")
	var lines []string
	for _, k := range []string{"1", "2", "1", "null", "10", "100", "1", "2", "3", "100"} {
		lines = append(lines, `{"k": `+k+`}`)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	stmts, err := sql.Parse(`CREATE TABLE o (k INT, p AS PROCTIME()) WITH ('connector' = 'filesystem', 'path' = '`+path+`', 'format' = 'json');
		CREATE TABLE d (id INT, name STRING, n INT, up AS UPPER(name)) WITH ('connector' = 'directory'`+with+`);`+query, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{}
	for _, st := range stmts {
		r, err := s.Execute(t.Context(), st, c)
		if err != nil {
			return nil, err
		}
		if r.Job != nil {
			if err := RunJob(t.Context(), r.Job); err != nil {
				return nil, err
			}
		}
	}
	var out []string
	for _, r := range c.Rows {
		out = append(out, strings.Join(r[1:], " "))
	}
	return out, nil
}

const lookupQuery = "SELECT o.k, d.up, d.n FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.p ON o.k = d.id"

// TestLookupAsks joins with a table that is asked by key.
func TestLookupAsks(t *testing.T) {
	all := []string{"1 V1 0", "2 V2 0", "1 V1 0", "<NULL> <NULL> <NULL>", "10 V10 0", "10 V10 1", "100 <NULL> <NULL>", "1 V1 0", "2 V2 0", "3 V3 0", "100 <NULL> <NULL>"}
	f := func(with, query, batch string, want []string, asked ...string) {
		t.Helper()
		d := &directory{}
		got, err := runLookup(t, d, with, query, batch)
		if err != nil {
			t.Errorf("%s: %v", with, err)
			return
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", with, got, want)
		}
		if !slices.Equal(d.asked, asked) {
			t.Errorf("%s: asked %q, want %q", with, d.asked, asked)
		}
		if !d.closed {
			t.Errorf("%s: not closed", with)
		}
	}
	f("", lookupQuery, "100", all, "1 2 10 100 3")
	f("", lookupQuery, "4", all, "1 2", "10 100 1 2", "3 100")
	partial := ", 'lookup.cache' = 'PARTIAL', 'lookup.partial-cache.max-rows' = '100'"
	f(partial, lookupQuery, "1", all, "1", "2", "10", "100", "3")
	f(partial+", 'lookup.partial-cache.cache-missing-key' = 'false'", lookupQuery, "1", all, "1", "2", "10", "100", "3", "100")
	f(", 'lookup.cache' = 'PARTIAL', 'lookup.partial-cache.max-rows' = '2'", lookupQuery, "1", all, "1", "2", "10", "100", "1", "2", "3", "100")
	f(", 'lookup.cache' = 'PARTIAL', 'lookup.partial-cache.expire-after-write' = '1 h'", lookupQuery, "1", all, "1", "2", "10", "100", "3")
	f("", strings.Replace(lookupQuery, "LEFT JOIN", "JOIN", 1), "100", []string{"1 V1 0", "2 V2 0", "1 V1 0", "10 V10 0", "10 V10 1", "1 V1 0", "2 V2 0", "3 V3 0"}, "1 2 10 100 3")
	f("", lookupQuery+" AND d.n > 0 AND o.k > 1", "100", []string{"1 <NULL> <NULL>", "2 <NULL> <NULL>", "1 <NULL> <NULL>", "<NULL> <NULL> <NULL>", "10 V10 1", "100 <NULL> <NULL>", "1 <NULL> <NULL>", "2 <NULL> <NULL>", "3 <NULL> <NULL>", "100 <NULL> <NULL>"}, "1 2 10 100 3")
	f("", lookupQuery+" AND CONCAT('V', CAST(o.k AS STRING)) = d.up", "100", all, "1 2 10 100 3")
}

// TestLookupRetries has questions fail, and rows that are not there yet.
func TestLookupRetries(t *testing.T) {
	d := &directory{fail: 2}
	if got, err := runLookup(t, d, "", lookupQuery, "100"); err != nil || len(got) != 11 || len(d.asked) != 3 {
		t.Errorf("%d rows, asked %q: %v", len(got), d.asked, err)
	}
	d = &directory{fail: 2}
	if _, err := runLookup(t, d, ", 'lookup.max-retries' = '1'", lookupQuery, "100"); err == nil || !strings.Contains(err.Error(), "not reachable") {
		t.Errorf("too many failures: %v", err)
	}
	hint := strings.Replace(lookupQuery, "SELECT", "SELECT /*+ LOOKUP('table'='d', 'retry-predicate'='lookup_miss', 'retry-strategy'='fixed_delay', 'fixed-delay'='1 ms', 'max-attempts'='3') */", 1)
	d = &directory{late: 2}
	got, err := runLookup(t, d, "", hint, "100")
	if err != nil || !slices.Contains(got, "100 V100 0") || !slices.Equal(d.asked, []string{"1 2 10 100 3", "100", "100"}) {
		t.Errorf("retry of a miss: %q, asked %q: %v", got, d.asked, err)
	}
	d = &directory{}
	if _, err = runLookup(t, d, "", hint, "100"); err != nil || len(d.asked) != 4 {
		t.Errorf("a miss for ever: asked %q: %v", d.asked, err)
	}
}

// TestLookupRefused names options that fit nothing.
func TestLookupRefused(t *testing.T) {
	f := func(with, query, want string) {
		t.Helper()
		if _, err := runLookup(t, &directory{}, with, query, "100"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s %s: %v, want %s", with, query, err, want)
		}
	}
	f(", 'lookup.cache' = 'SOME'", lookupQuery, "lookup.cache")
	f(", 'lookup.cache' = 'PARTIAL'", lookupQuery, "needs a bound")
	f(", 'lookup.partial-cache.max-rows' = '5'", lookupQuery, "needs 'lookup.cache' = 'PARTIAL'")
	f(", 'lookup.full-cache.periodic-reload.interval' = '1 s'", lookupQuery, "needs 'lookup.cache' = 'FULL'")
	f(", 'lookup.cache' = 'FULL', 'lookup.full-cache.reload-strategy' = 'TIMED'", lookupQuery, "iso-time")
	f(", 'lookup.cache' = 'FULL', 'lookup.full-cache.reload-strategy' = 'TIMED', 'lookup.full-cache.timed-reload.iso-time' = '25:00'", lookupQuery, "time of day")
	f("", strings.Replace(lookupQuery, "SELECT", "SELECT /*+ LOOKUP('table'='d', 'max-attempts'='3') */", 1), "given together")
	f("); CREATE TABLE e (id INT) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json', 'lookup.cache' = 'NONE'", "SELECT o.k FROM o JOIN e FOR SYSTEM_TIME AS OF o.p ON o.k = e.id", "finds no rows by key")
}

// TestLookupReloads changes a file that is looked up while a stream joins with it.
func TestLookupReloads(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dim.jsonl")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path+".tmp", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"id": 0, "name": "a"}` + "\n")
	s, err := compile.New(compile.Options{Connectors: append(connectors.Connectors(), pacedConnector()), Formats: formats.Formats(), Functions: builtin.All(),
		Settings: map[string]string{"runnel.batch-size": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	stmts, err := sql.Parse(`CREATE TABLE o (s INT, t TIMESTAMP(3), p AS PROCTIME()) WITH ('connector' = 'paced', 'paces' = '1ms', 'rows' = '3000');
		CREATE TABLE d (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = '`+path+`', 'format' = 'json', 'lookup.cache' = 'FULL', 'lookup.full-cache.periodic-reload.interval' = '5 ms');
		SELECT d.name FROM o LEFT JOIN d FOR SYSTEM_TIME AS OF o.p ON o.s = d.id`, sql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{}
	seen := func(name string) bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.Rows) > 0 && c.Rows[len(c.Rows)-1][1] == name
	}
	await := func(name string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !seen(name); {
			if time.Now().After(end) {
				t.Fatalf("%s does not come", name)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	for _, st := range stmts {
		r, err := s.Execute(t.Context(), st, c)
		if err != nil {
			t.Fatal(err)
		}
		if r.Job == nil {
			continue
		}
		done := make(chan error, 1)
		go func() { done <- RunJob(t.Context(), r.Job) }()
		await("a")
		write(`{"id": 0, "name": "b"}` + "\n")
		await("b")
		write("no json\n") // the rows there are go on serving
		time.Sleep(50 * time.Millisecond)
		if !seen("b") {
			t.Errorf("rows went with a reading that failed")
		}
		write(`{"id": 0, "name": "c"}` + "\n")
		await("c")
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var order []string
	for _, r := range c.Rows {
		if len(order) == 0 || order[len(order)-1] != r[1] {
			order = append(order, r[1])
		}
	}
	if got := strings.Join(order, " "); got != "a b c" || len(c.Rows) != 3000 {
		t.Errorf("%d rows: %s", len(c.Rows), got)
	}
}
