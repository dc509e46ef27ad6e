// Command w1 measures benchmark W1, "large data, high filtering": JSON lines of
// security events against 1 to 10,000 rules, one INSERT a rule, every match
// written. It runs Runnel, and DuckDB from its Python package where that is
// installed, on the same files and one core, and compares what they match.
//
//	go run ./bench/w1 [-n events] [-rules 1,10,100,1000,10000] [-duckdb=false]
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/runnelio/runnel/bench/events"
)

func main() {
	n := flag.Int("n", 500_000, "number of events")
	sizes := flag.String("rules", "1,10,100,1000,10000", "numbers of rules, separated by commas")
	duck := flag.Bool("duckdb", true, "run DuckDB too, up to 1,000 rules")
	python := flag.String("python", "python3", "the Python that has DuckDB")
	runs := flag.Int("runs", 3, "runs of each; the median counts")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "runnel-w1"), "folder of the data")
	flag.Parse()
	if err := run(*n, *sizes, *duck, *python, *runs, *dir); err != nil {
		log.Fatal(err)
	}
}

func run(n int, sizes string, duck bool, python string, runs int, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data := filepath.Join(dir, fmt.Sprintf("w1-%d.jsonl", n))
	if err := generate(data, n); err != nil {
		return err
	}
	bin := filepath.Join(dir, "runnel")
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/runnel").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	info, err := os.Stat(data)
	if err != nil {
		return err
	}
	fmt.Printf("%d events, %.0f bytes each; CPU µs an event (user + system, start included), median of %d runs\n\n", n, float64(info.Size())/float64(n), runs)
	wc := median(runs, func() (time.Duration, int64, error) { return cpu(exec.Command("wc", "-l", data)) })
	fmt.Printf("limit: wc -l %.3f µs\n\n", per(wc.cpu, n))
	fmt.Println("| rules | Runnel µs | memory MB | events per CPU s | DuckDB µs | ratio | matches |")
	fmt.Println("| - | - | - | - | - | - | - |")
	for _, s := range strings.Split(sizes, ",") {
		k, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return err
		}
		rules := events.Rules(1, k)
		out := filepath.Join(dir, "out")
		script := filepath.Join(dir, fmt.Sprintf("rules-%d.sql", k))
		if err := os.WriteFile(script, []byte(sqlOf(data, out, rules)), 0o644); err != nil {
			return err
		}
		ours := median(runs, func() (time.Duration, int64, error) {
			if err := os.RemoveAll(out); err != nil {
				return 0, 0, err
			}
			return cpu(pinned(bin, "run", "-q", script))
		})
		if ours.err != nil {
			return ours.err
		}
		got, err := matches(out)
		if err != nil {
			return err
		}
		theirs, ratio, same := "-", "-", ""
		if duck && k <= 1000 {
			d := duckdb(dir, python, data, rules, min(runs, 1+1000/(k*10+1)))
			if d.err != nil {
				theirs = "not run: " + strings.TrimSpace(d.err.Error())
			} else {
				theirs = fmt.Sprintf("%.2f", per(d.cpu, n))
				ratio = fmt.Sprintf("%.1f×", float64(d.cpu)/float64(ours.cpu))
				want, err := matches(filepath.Join(dir, "duck"))
				if err != nil {
					return err
				}
				same = ", equal"
				if !slices.Equal(got, want) {
					same = fmt.Sprintf(", DIFFERENT from DuckDB's %d", len(want))
				}
			}
		}
		fmt.Printf("| %d | %.3f | %.0f | %.0f k | %s | %s | %d%s |\n", k, per(ours.cpu, n), float64(ours.mem)/1024, float64(n)/ours.cpu.Seconds()/1000, theirs, ratio, len(got), same)
	}
	return nil
}

func per(d time.Duration, n int) float64 { return d.Seconds() * 1e6 / float64(n) }

// pinned runs a command on one core where taskset is there.
func pinned(name string, args ...string) *exec.Cmd {
	if p, err := exec.LookPath("taskset"); err == nil {
		c := exec.Command(p, append([]string{"-c", "0", name}, args...)...)
		c.Env = append(os.Environ(), "GOMAXPROCS=1")
		return c
	}
	return exec.Command(name, args...)
}

type measured struct {
	cpu time.Duration
	mem int64 // KB, peak
	err error
}

func median(runs int, f func() (time.Duration, int64, error)) measured {
	var all []measured
	for range runs {
		d, m, err := f()
		if err != nil {
			return measured{err: err}
		}
		all = append(all, measured{cpu: d, mem: m})
	}
	slices.SortFunc(all, func(a, b measured) int { return int(a.cpu - b.cpu) })
	return all[len(all)/2]
}

func cpu(c *exec.Cmd) (time.Duration, int64, error) {
	out, err := c.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w\n%s", c, err, out)
	}
	ru := c.ProcessState.SysUsage().(*syscall.Rusage)
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), ru.Maxrss, nil
}

func generate(path string, n int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := events.New(7)
	var b []byte
	for range n {
		b = g.Append(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// sqlOf is the statement set: one INSERT a rule.
func sqlOf(data, out string, rules []events.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE w1 (%s) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');\n", strings.Join(events.RuleColumns, ", "), data)
	fmt.Fprintf(&b, "CREATE TABLE hits (rule_id INT, record_id STRING, ts STRING, host STRING) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');\n", out)
	b.WriteString("EXECUTE STATEMENT SET BEGIN\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "INSERT INTO hits SELECT %d, record_id, ts, host FROM w1 WHERE %s;\n", r.ID, r.Cond)
	}
	b.WriteString("END;\n")
	return b.String()
}

// matches reads the (rule, record) pairs of a folder or file of JSON lines, sorted.
func matches(path string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		for s.Scan() {
			var r struct {
				Rule   int    `json:"rule_id"`
				Record string `json:"record_id"`
			}
			if err := json.Unmarshal(s.Bytes(), &r); err != nil {
				return err
			}
			out = append(out, fmt.Sprintf("%d %s", r.Rule, r.Record))
		}
		return s.Err()
	})
	slices.Sort(out)
	return out, err
}

// duckdb runs the same rules: one scan, a UNION ALL of one SELECT a rule over it,
// which is how it does least work.
func duckdb(dir, python, data string, rules []events.Rule, runs int) measured {
	var cols []string
	for _, c := range events.RuleColumns {
		name, typ, _ := strings.Cut(c, " ")
		t := "VARCHAR"
		if typ == "INT" {
			t = "INTEGER"
		}
		cols = append(cols, fmt.Sprintf("%s:'%s'", strings.Trim(name, "`"), t))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "WITH w1 AS MATERIALIZED (SELECT * FROM read_json('%s', format='newline_delimited', columns={%s})) ", data, strings.Join(cols, ", "))
	if len(rules) == 1 {
		b.Reset()
		fmt.Fprintf(&b, "WITH w1 AS (SELECT * FROM read_json('%s', format='newline_delimited', columns={%s})) ", data, strings.Join(cols, ", "))
	}
	for i, r := range rules {
		if i > 0 {
			b.WriteString(" UNION ALL ")
		}
		cond := strings.ReplaceAll(strings.ReplaceAll(r.Cond, "REGEXP(", "regexp_matches("), "`User`", `"User"`)
		fmt.Fprintf(&b, "SELECT %d AS rule_id, record_id, ts, host FROM w1 WHERE %s", r.ID, cond)
	}
	query := filepath.Join(dir, "duck.sql")
	if err := os.WriteFile(query, []byte(fmt.Sprintf("COPY (%s) TO '%s' (FORMAT json)", b.String(), filepath.Join(dir, "duck"))), 0o644); err != nil {
		return measured{err: err}
	}
	code := "import duckdb,sys; c=duckdb.connect(); c.execute('SET threads=1'); c.execute('SET max_expression_depth=100000'); c.execute(open(sys.argv[1]).read())"
	return median(runs, func() (time.Duration, int64, error) { return cpu(pinned(python, "-c", code, query)) })
}
