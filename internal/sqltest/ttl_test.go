package sqltest

import (
	"strings"
	"testing"
)

// STATE_TTL reaches the joins and aggregations of its SELECT, by side, and no other.
func TestStateTTLHint(t *testing.T) {
	t.Parallel()
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), s, `CREATE TABLE a (k INT, v INT) WITH ('connector' = 'datagen');
		CREATE TABLE b (k INT, v INT) WITH ('connector' = 'datagen');
		CREATE TABLE c (k INT, v INT) WITH ('connector' = 'datagen');
		CREATE VIEW w AS SELECT k, COUNT(*) AS n FROM a GROUP BY k`); err != nil {
		t.Fatal(err)
	}
	has := func(query string, want ...string) {
		t.Helper()
		text, err := explain(t.Context(), s, "EXPLAIN "+query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			return
		}
		if i := strings.Index(text, "Physical"); i >= 0 {
			text = text[i:]
		}
		for _, w := range want {
			if no, ok := strings.CutPrefix(w, "!"); ok && strings.Contains(text, no) || !ok && !strings.Contains(text, w) {
				t.Errorf("%s: %s in\n%s", query, w, text)
			}
		}
	}
	has("SELECT /*+ STATE_TTL('a' = '1 d', 'y' = '2 h') */ * FROM a JOIN b AS y ON a.k = y.k", "leftTTL=[24h0m0s]", "rightTTL=[2h0m0s]")
	has("SELECT /*+ STATE_TTL('b' = '0 s') */ * FROM a LEFT JOIN b ON a.k = b.k", "!leftTTL", "rightTTL=[none]")
	has("SELECT /*+ STATE_TTL('a' = '1 d', 'b' = '2 d', 'c' = '3 d') */ * FROM a JOIN b ON a.k = b.k JOIN c ON a.v = c.v", "leftTTL=[24h0m0s]", "rightTTL=[48h0m0s]", "rightTTL=[72h0m0s]")
	has("SELECT /*+ STATE_TTL('a' = '1 d', 'b' = '2 d') */ * FROM a, b WHERE a.k = b.k", "leftTTL=[24h0m0s]", "rightTTL=[48h0m0s]")
	has("SELECT /*+ STATE_TTL('a' = '5 min') */ k, SUM(v) FROM a GROUP BY k", "ttl=[5m0s]")
	has("SELECT /*+ STATE_TTL('x' = '5 min') */ DISTINCT k FROM a AS x", "ttl=[5m0s]")
	has("SELECT /*+ STATE_TTL('w' = '1 h') */ w.k FROM w JOIN b ON w.k = b.k", "leftTTL=[1h0m0s]", "!ttl=[")
	has("SELECT /*+ STATE_TTL('a' = '1 d'), STATE_TTL('a' = '2 d') */ k, SUM(v) FROM a GROUP BY k", "ttl=[24h0m0s]")
	has("SELECT /*+ STATE_TTL('q' = '1 h') */ COUNT(*) FROM (SELECT k, COUNT(*) AS n FROM a GROUP BY k) AS q", "ttl=[1h0m0s]")
	for query, want := range map[string]string{
		"SELECT /*+ STATE_TTL('d' = '1 d') */ * FROM a JOIN b ON a.k = b.k": "no table d in FROM",
		"SELECT /*+ STATE_TTL('a' = 'x') */ * FROM a JOIN b ON a.k = b.k":   "takes a duration",
		"SELECT /*+ STATE_TTL(a) */ * FROM a JOIN b ON a.k = b.k":           "takes tables and times",
	} {
		if _, err := explain(t.Context(), s, "EXPLAIN "+query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
