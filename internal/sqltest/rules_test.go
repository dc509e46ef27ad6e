package sqltest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rulesWorld writes rows with NULLs, quotes and texts that look alike, and
// returns the definition of the table over them.
func rulesWorld(t *testing.T, r *rand.Rand, dir string) string {
	t.Helper()
	words := []string{`"ab"`, `"abc"`, `"cab"`, `"AB"`, `""`, `"x y"`, `"it's"`, `"%"`, `"é"`, "null"}
	var b strings.Builder
	for i := range 300 {
		num := fmt.Sprint(r.IntN(8) - 1)
		if r.IntN(9) == 0 {
			num = "null"
		}
		fmt.Fprintf(&b, `{"id":%d,"s":%s,"n":%s,"ts":"2024-01-01 00:%02d:%02d"}`+"\n", i, words[r.IntN(len(words))], num, i/60, i%60)
	}
	in := filepath.Join(dir, "in.jsonl")
	if err := os.WriteFile(in, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`CREATE TABLE src (id INT, s STRING, n INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector'='filesystem','path'='%s','format'='json');
CREATE VIEW odd AS SELECT id, s, n, ts, id * 2 AS twice FROM src WHERE id > 3;
`, in)
}

// condition makes a random condition; some fail for some rows if errors is set.
func ruleCondition(r *rand.Rand, errors bool) string {
	var one func(depth int) string
	one = func(depth int) string {
		k := r.IntN(10)
		if depth > 0 && k < 4 {
			op := []string{"AND", "OR"}[r.IntN(2)]
			return "(" + one(depth-1) + " " + op + " " + one(depth-1) + ")"
		}
		if depth > 0 && k == 4 {
			return "NOT (" + one(depth-1) + ")"
		}
		n := r.IntN(8) - 1
		all := []string{
			fmt.Sprintf("n = %d", n), fmt.Sprintf("n > %d", n), fmt.Sprintf("n BETWEEN %d AND %d", n, n+2), "n IS NULL", "s IS NOT NULL",
			"s = 'ab'", "s LIKE '%b%'", "s LIKE 'a_'", "s LIKE '%ab'", "REGEXP(s, '^[a-c]+$')", "UPPER(s) = 'AB'", fmt.Sprintf("s IN ('x y', 'it''s', 'w%d')", n),
			"CHAR_LENGTH(s) > n", "(n > 2) IS NOT TRUE", fmt.Sprintf("id - (id / 5) * 5 = %d", max(n, 0)), "s = CAST(NULL AS STRING)",
		}
		if errors && r.IntN(4) == 0 {
			return "10 / n > 2"
		}
		return all[r.IntN(len(all))]
	}
	return one(2)
}

// TestRulesAreTheirStatements: INSERTs that are planned as one set of rules write
// what each writes alone, and what they write with that rewrite off.
func TestRulesAreTheirStatements(t *testing.T) {
	shapes := []struct {
		name, columns string
		query         func(r *rand.Rand, i int, cond string) string
		// combines tells that the plan must have a Rules node.
		combines bool
	}{
		{"plain", "rule_id BIGINT, level STRING, id INT, s STRING", func(r *rand.Rand, i int, c string) string {
			level := []string{"'low'", "'very high'", "CAST(NULL AS STRING)", "''", "'it''s'"}[r.IntN(5)]
			return fmt.Sprintf("SELECT %d, %s, id, s FROM src WHERE %s", i, level, c)
		}, true},
		{"literals of different types", "rule_id STRING, w DECIMAL(20, 3), id INT", func(r *rand.Rand, i int, c string) string {
			w := []string{"1", "2.5", "3000000000", "CAST(NULL AS DECIMAL(20, 3))"}[r.IntN(4)]
			return fmt.Sprintf("SELECT '%s', %s, id FROM src WHERE %s", strings.Repeat("r", i), w, c)
		}, false},
		{"computed", "rule_id INT, x INT, s STRING", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("SELECT %d, id + %d, CONCAT(s, '-%d') FROM src WHERE %s", i, r.IntN(3), r.IntN(3), c)
		}, true},
		{"windowed", "rule_id INT, s STRING, w TIMESTAMP(3), cnt BIGINT", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("SELECT %d, s, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE src, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE %s GROUP BY s, window_start, window_end", i, c)
		}, true},
		{"threshold", "rule_id INT, s STRING, w TIMESTAMP(3), total BIGINT", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("SELECT %d, s, window_end, SUM(id) FROM TABLE(HOP(TABLE src, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' MINUTE)) WHERE %s GROUP BY s, window_start, window_end HAVING COUNT(*) >= %d", i, c, 1+r.IntN(6))
		}, true},
		{"session", "rule_id INT, n INT, w TIMESTAMP(3), cnt BIGINT", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("SELECT %d, n, window_start, COUNT(*) FROM TABLE(SESSION(TABLE src PARTITION BY n, DESCRIPTOR(ts), INTERVAL '5' SECOND)) WHERE %s GROUP BY n, window_start, window_end", i, c)
		}, false},
		{"view", "rule_id INT, twice INT", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("SELECT %d, twice FROM odd WHERE %s", i, c)
		}, true},
		{"cte", "rule_id INT, id INT, s STRING", func(r *rand.Rand, i int, c string) string {
			return fmt.Sprintf("WITH x AS (SELECT id, s, n FROM src) SELECT %d, id, s FROM x WHERE %s", i, c)
		}, true},
	}
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			for seed := range uint64(3) {
				r := rand.New(rand.NewPCG(seed, 5))
				dir := t.TempDir()
				world := rulesWorld(t, r, dir)
				var queries []string
				for i := range 4 + r.IntN(12) {
					queries = append(queries, shape.query(r, i, ruleCondition(r, false)))
				}
				if r.IntN(2) == 0 { // one that is not like the others
					queries = append(queries, strings.Replace(queries[0], " WHERE ", " WHERE id > 100 AND ", 1))
				}
				together := runRules(t, filepath.Join(dir, "together"), world, shape.columns, nil, true, queries...)
				off := runRules(t, filepath.Join(dir, "off"), world, shape.columns, map[string]string{"runnel.optimizer.disable": "rules"}, true, queries...)
				var alone []string
				for i, q := range queries {
					alone = append(alone, runRules(t, filepath.Join(dir, fmt.Sprint("alone", i)), world, shape.columns, nil, true, q)...)
				}
				slices.Sort(alone)
				same(t, "together and alone", together, alone, queries)
				same(t, "together and with the rewrite off", together, off, queries)
				if seed == 0 {
					p := rulesPlan(t, world, shape.columns, queries)
					if shape.combines && !strings.Contains(p, "Rules(") {
						t.Errorf("no Rules node:\n%s", p)
					}
				}
			}
		})
	}
}

// TestRulesFailAsTheirStatements: an error in one condition ends the job, with
// the rewrite and without it.
func TestRulesFailAsTheirStatements(t *testing.T) {
	failed, fine := 0, 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 9))
		dir := t.TempDir()
		world := rulesWorld(t, r, dir)
		var queries []string
		for i := range 5 {
			queries = append(queries, fmt.Sprintf("SELECT %d, id FROM src WHERE %s", i, ruleCondition(r, i == 2)))
		}
		_, with := tryRules(filepath.Join(dir, "with"), world, "rule_id INT, id INT", nil, queries...)
		_, without := tryRules(filepath.Join(dir, "without"), world, "rule_id INT, id INT", map[string]string{"runnel.optimizer.disable": "rules"}, queries...)
		if (with == nil) != (without == nil) {
			t.Errorf("with the rewrite: %v\nwithout it: %v\n%s", with, without, strings.Join(queries, "\n"))
		}
		if with != nil {
			failed++
			if !strings.Contains(with.Error(), "zero") {
				t.Errorf("another error: %v", with)
			}
		} else {
			fine++
		}
	}
	if failed == 0 || fine == 0 {
		t.Errorf("%d failed, %d did not: the test tells nothing", failed, fine)
	}
}

func same(t *testing.T, what string, a, b, queries []string) {
	t.Helper()
	if slices.Equal(a, b) {
		return
	}
	t.Errorf("%s differ: %d and %d rows\n%s", what, len(a), len(b), strings.Join(queries, "\n"))
	for _, x := range a {
		if !slices.Contains(b, x) {
			t.Logf("only first: %s", x)
			break
		}
	}
	for _, x := range b {
		if !slices.Contains(a, x) {
			t.Logf("only second: %s", x)
			break
		}
	}
}

func rulesScript(out, world, columns string, queries []string) string {
	var b strings.Builder
	b.WriteString(world)
	fmt.Fprintf(&b, "CREATE TABLE hits (%s) WITH ('connector'='filesystem','path'='%s','format'='json');\nEXECUTE STATEMENT SET BEGIN\n", columns, out)
	for _, q := range queries {
		b.WriteString("INSERT INTO hits " + q + ";\n")
	}
	return b.String() + "END;\n"
}

func runRules(t *testing.T, out, world, columns string, settings map[string]string, must bool, queries ...string) []string {
	t.Helper()
	rows, err := tryRules(out, world, columns, settings, queries...)
	if err != nil && must {
		t.Fatalf("%v\n%s", err, strings.Join(queries, "\n"))
	}
	return rows
}

// tryRules runs INSERTs as one statement set and returns the lines written, sorted.
func tryRules(out, world, columns string, settings map[string]string, queries ...string) ([]string, error) {
	s, err := Session(settings)
	if err != nil {
		return nil, err
	}
	if _, err := Run(context.Background(), s, rulesScript(out, world, columns, queries)); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(out, "[^._]*"))
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		rows = append(rows, strings.FieldsFunc(string(b), func(r rune) bool { return r == '\n' })...)
	}
	slices.Sort(rows)
	return rows, nil
}

func rulesPlan(t *testing.T, world, columns string, queries []string) string {
	t.Helper()
	s, err := Session(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := explain(context.Background(), s, strings.Replace(rulesScript("/nowhere", world, columns, queries), "EXECUTE STATEMENT SET", "EXPLAIN STATEMENT SET", 1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
