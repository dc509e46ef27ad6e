package sqltest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/builtin"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// keyedStore is a system that holds one row a key, as a database does: all tasks
// of a sink write to it.
type keyedStore struct {
	mu   sync.Mutex
	rows map[string]string
	bad  []string // changes that make no sense to such a system
}

func (k *keyedStore) connector() *connector.Connector {
	return connector.Define("keyed", "One row a key, for tests.", connector.Spec[struct{}]{
		Sink: func(_ *connector.Context, t *connector.Table, _ *struct{}) (connector.Sink, error) {
			return &keyedSink{k, t.PrimaryKey}, nil
		},
		SinkChangelog: connector.Upsert,
	})
}

type keyedSink struct {
	to  *keyedStore
	key []int
}

// Write implements connector.Sink.
func (s *keyedSink) Write(_ context.Context, b *vector.Batch) error {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	b.Rows(func(i int) {
		var key, row []string
		for _, c := range b.Cols {
			row = append(row, fmt.Sprint(vector.Get(c, i)))
		}
		for _, c := range s.key {
			key = append(key, row[c])
		}
		switch b.Kind(i) {
		case types.Delete:
			delete(s.to.rows, strings.Join(key, ","))
		case types.UpdateBefore:
			s.to.bad = append(s.to.bad, strings.Join(row, ","))
		default:
			s.to.rows[strings.Join(key, ",")] = strings.Join(row, ",")
		}
	})
	return nil
}

// Close implements connector.Sink.
func (s *keyedSink) Close(context.Context) error { return nil }

// TestSinkMaterialize writes a changelog by word to a sink keyed by the word's
// count: with every word that comes a row leaves one key of the sink for another,
// and several words share one. In the end each count that some word has holds
// one of those words, and no other count is there.
func TestSinkMaterialize(t *testing.T) {
	for _, world := range []struct {
		parallel string
		batch    string
	}{{"1", "1"}, {"1", "1024"}, {"4", "1"}, {"4", "16"}, {"4", "1024"}} {
		t.Run("parallelism "+world.parallel+", batch "+world.batch, func(t *testing.T) {
			for seed := range uint64(4) {
				r := rand.New(rand.NewPCG(seed, 3))
				var in strings.Builder
				count := map[int]int{}
				for range 2000 {
					w := r.IntN(1 + r.IntN(60))
					count[w]++
					fmt.Fprintf(&in, "{\"w\": %d}\n", w)
				}
				path := filepath.Join(t.TempDir(), "words.jsonl")
				if err := os.WriteFile(path, []byte(in.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				store := &keyedStore{rows: map[string]string{}}
				s, err := compile.New(compile.Options{Connectors: append(slices.Clone(connectors.Connectors()), store.connector()), Formats: formats.Formats(), Functions: builtin.All(),
					Settings: map[string]string{"parallelism.default": world.parallel, "runnel.batch-size": world.batch}})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Run(t.Context(), s, Expand(`
					CREATE TABLE words (w INT) WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'json');
					CREATE TABLE counts (n BIGINT, w INT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector' = 'keyed');
					INSERT INTO counts SELECT COUNT(*), w FROM words GROUP BY w`, map[string]string{"path": path})); err != nil {
					t.Fatal(err)
				}
				if len(store.bad) > 0 {
					t.Fatalf("%d rows before updates, such as %s", len(store.bad), store.bad[0])
				}
				words := map[string]bool{}
				counts := map[int]bool{}
				for w, n := range count {
					words[fmt.Sprintf("%d,%d", n, w)] = true
					counts[n] = true
				}
				for _, row := range store.rows {
					if !words[row] {
						t.Errorf("seed %d: row %s, but no word is so often there", seed, row)
					}
				}
				if len(store.rows) != len(counts) {
					t.Errorf("seed %d: %d counts, want %d", seed, len(store.rows), len(counts))
				}
			}
		})
	}
}

// TestSinkByTheQuerysKey needs no materialisation: EXPLAIN shows none.
func TestSinkByTheQuerysKey(t *testing.T) {
	plan := func(key, mode string) string {
		store := &keyedStore{}
		s, err := compile.New(compile.Options{Connectors: append(slices.Clone(connectors.Connectors()), store.connector()), Formats: formats.Formats(), Functions: builtin.All(),
			Settings: map[string]string{"table.exec.sink.upsert-materialize": mode}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), s, `CREATE TABLE words (w INT) WITH ('connector' = 'filesystem', 'path' = '/nowhere', 'format' = 'json');
			CREATE TABLE counts (n BIGINT, w INT, PRIMARY KEY (`+key+`) NOT ENFORCED) WITH ('connector' = 'keyed')`); err != nil {
			t.Fatal(err)
		}
		text, err := explain(t.Context(), s, "EXPLAIN INSERT INTO counts SELECT COUNT(*), w FROM words GROUP BY w")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	f := func(key, mode string, want bool) {
		t.Helper()
		if text := plan(key, mode); strings.Contains(text, "SinkMaterialize(key=["+key+"])") != want {
			t.Errorf("key %s, mode %s: want materialisation %v\n%s", key, mode, want, text)
		}
	}
	f("w", "auto", false)
	f("n", "auto", true)
	f("n", "none", false)
	f("w", "force", true)
}

// TestChangesThatComeTwice reads a changelog in which changes come again, as a
// reader of a database's log gives them after a restart.
func TestChangesThatComeTwice(t *testing.T) {
	change := func(op string, before, after string) string {
		return fmt.Sprintf(`{"before": %s, "after": %s, "op": "%s"}`, before, after, op)
	}
	row := func(id, v int) string { return fmt.Sprintf(`{"id": %d, "v": %d}`, id, v) }
	lines := []string{
		change("c", "null", row(1, 10)),
		change("c", "null", row(2, 20)),
		change("c", "null", row(1, 10)), // again
		change("u", row(1, 10), row(1, 11)),
		change("c", "null", row(3, 5)),
		change("u", row(1, 10), row(1, 11)), // again
		change("d", row(2, 20), "null"),
		change("d", row(2, 20), "null"), // again
		change("u", row(3, 5), row(3, 50)),
	}
	path := filepath.Join(t.TempDir(), "changes.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, parallel := range []string{"1", "4"} {
		for query, want := range map[string][]string{
			"SELECT COUNT(*), SUM(v) FROM t":          {"2\x1f61"},
			"SELECT id, v FROM t WHERE v > 10":        {"1\x1f11", "3\x1f50"},
			"SELECT id FROM t WHERE id = 1":           {"1"},
			"SELECT v, COUNT(*) FROM t GROUP BY v":    {"11\x1f1", "50\x1f1"},
			"SELECT COUNT(*) FROM t WHERE id IN (2)":  {},
			"SELECT MAX(v) FROM t WHERE v < 20":       {"11"},
			"SELECT a.v FROM t a JOIN t b ON a.v=b.v": {"11", "50"},
		} {
			s, err := Session(map[string]string{"table.exec.source.cdc-events-duplicate": "true", "parallelism.default": parallel, "runnel.batch-size": "3"})
			if err != nil {
				t.Fatal(err)
			}
			out, err := Run(t.Context(), s, Expand(`CREATE TABLE t (id INT, v INT, PRIMARY KEY (id) NOT ENFORCED)
				WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'debezium-json');`, map[string]string{"path": path})+query)
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			if got := Fold(out.Changes); len(got)+len(want) > 0 && !slices.Equal(got, want) {
				t.Errorf("parallelism %s, %s: %q, want %q", parallel, query, got, want)
			}
		}
	}
	s, err := Session(map[string]string{"table.exec.source.cdc-events-duplicate": "true"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), s, Expand(`CREATE TABLE t (id INT, v INT) WITH ('connector' = 'filesystem', 'path' = '${path}', 'format' = 'debezium-json');
		SELECT * FROM t`, map[string]string{"path": path}))
	if err == nil || !strings.Contains(err.Error(), "PRIMARY KEY") {
		t.Errorf("without a primary key: %v", err)
	}
}

// TestUpsertSourceIsNormalized looks at the plan of a table whose changes only name the key.
func TestUpsertSourceIsNormalized(t *testing.T) {
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, `CREATE TABLE u (id INT, v INT, w INT, PRIMARY KEY (id) NOT ENFORCED)
		WITH ('connector' = 'upsert-kafka', 'topic' = 't', 'properties.bootstrap.servers' = 'localhost:1', 'key.format' = 'json', 'value.format' = 'json')`); err != nil {
		t.Fatal(err)
	}
	text, err := explain(t.Context(), s, "EXPLAIN SELECT COUNT(*) FROM u WHERE v > 3 AND id <> 7")
	if err != nil {
		t.Fatal(err)
	}
	physical := text[strings.LastIndex(text, "Stage 0"):]
	if !strings.Contains(physical, "ChangelogNormalize(key=[id]), changelog=[I,UB,UA,D]") {
		t.Errorf("not normalised with rows before updates:\n%s", physical)
	}
	at := strings.Index(physical, "ChangelogNormalize")
	if c := strings.Index(physical, "(v > 3)"); c >= 0 && c < at {
		t.Errorf("a condition on a changing column is asked below:\n%s", physical)
	}
}
