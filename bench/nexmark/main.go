// Command nexmark measures the Nexmark queries: a JSON file to a blackhole at
// parallelism 1, CPU seconds of the whole process net of the start of a trivial
// job, and peak memory. With -flink it runs Flink from its Python package on the
// same file, in the same run.
//
//	go run ./bench/nexmark [-n 2000000] [-queries q0,q5,q7] [-flink python3]
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const queries = "q0,q1,q2,q5,q7,q11,q12,q14,q15,q16,q17,q18,q19,q21,q22"

func main() {
	n := flag.Int("n", 2_000_000, "number of events")
	list := flag.String("queries", queries, "queries, separated by commas")
	flink := flag.String("flink", "", "the Python that has apache-flink; empty: Flink is not run")
	dir := flag.String("dir", filepath.Join(os.TempDir(), "runnel-nexmark"), "folder of the data")
	sql := flag.String("sql", "testdata/oracle/nexmark", "folder of the queries")
	flag.Parse()
	if err := run(*n, *list, *flink, *dir, *sql); err != nil {
		log.Fatal(err)
	}
}

func run(n int, list, flink, dir, sql string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	data := filepath.Join(dir, fmt.Sprintf("events-%d.jsonl", n))
	if err := write(data, n); err != nil {
		return err
	}
	tiny := filepath.Join(dir, "events-1.jsonl")
	if err := write(tiny, 1); err != nil {
		return err
	}
	bin := filepath.Join(dir, "runnel")
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/runnel").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	fmt.Printf("%d events, parallelism 1; CPU seconds net of start, peak memory\n\n", n)
	fmt.Println("| query | Runnel s | µs an event | MB | Flink s | Runnel / Flink |")
	fmt.Println("| - | - | - | - | - | - |")
	sum, count := 0.0, 0
	for _, q := range strings.Split(list, ",") {
		start, _, err := ours(bin, dir, sql, q, tiny)
		if err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
		cpu, mem, err := ours(bin, dir, sql, q, data)
		if err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
		net := cpu - start
		theirs, ratio := "-", "-"
		if flink != "" {
			base, err := peer(flink, dir, sql, q, tiny)
			if err != nil {
				return fmt.Errorf("flink %s: %w", q, err)
			}
			total, err := peer(flink, dir, sql, q, data)
			if err != nil {
				return fmt.Errorf("flink %s: %w", q, err)
			}
			theirs = fmt.Sprintf("%.1f (start %.1f)", total-base, base)
			ratio = fmt.Sprintf("%.3f", net/(total-base))
			sum += math.Log(net / (total - base))
			count++
		}
		fmt.Printf("| %s | %.2f | %.2f | %d | %s | %s |\n", q, net, net/float64(n)*1e6, mem>>10, theirs, ratio)
	}
	if count > 0 {
		fmt.Printf("\ngeometric mean of Runnel / Flink: %.3f\n", math.Exp(sum/float64(count)))
	}
	return nil
}

// script reads the tables and a query with the data's path put in.
func script(sql, q, data string) (ddl []string, query string, err error) {
	d, err := os.ReadFile(filepath.Join(sql, "ddl.sql"))
	if err != nil {
		return nil, "", err
	}
	b, err := os.ReadFile(filepath.Join(sql, q+".sql"))
	if err != nil {
		return nil, "", err
	}
	fill := func(s string) string { return strings.ReplaceAll(s, "${DATA}", data) }
	query = strings.TrimSuffix(strings.TrimSpace(fill(string(b))), ";")
	if i := strings.LastIndex(query, ";"); i >= 0 { // definitions in front of the query
		d = append(append(d, '\n'), query[:i+1]...)
		query = strings.TrimSpace(query[i+1:])
	}
	var lines []string
	for _, l := range strings.Split(fill(string(d)), "\n") {
		if !strings.HasPrefix(strings.TrimSpace(l), "--") {
			lines = append(lines, l)
		}
	}
	for _, s := range strings.Split(strings.Join(lines, "\n"), ";") {
		if s = strings.TrimSpace(s); s != "" {
			ddl = append(ddl, s)
		}
	}
	return ddl, query, nil
}

func ours(bin, dir, sql, q, data string) (cpu float64, mem int64, err error) {
	ddl, query, err := script(sql, q, data)
	if err != nil {
		return 0, 0, err
	}
	text := strings.Join(ddl, ";\n") + ";\nCREATE VIEW query AS " + query + ";\nCREATE TABLE bh WITH ('connector' = 'blackhole') AS SELECT * FROM query;\n"
	path := filepath.Join(dir, "query.sql")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return 0, 0, err
	}
	c := exec.Command(bin, "run", "-q", "-s", "window.flush-at-end=true", path)
	c.Env = append(os.Environ(), "GOMAXPROCS=1")
	if out, err := c.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("%w\n%s", err, out)
	}
	ru := c.ProcessState.SysUsage().(*syscall.Rusage)
	return (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), ru.Maxrss, nil
}

// peer runs a query on Flink's in-process cluster and returns the CPU seconds of
// Python and its Java process.
func peer(python, dir, sql, q, data string) (float64, error) {
	ddl, query, err := script(sql, q, data)
	if err != nil {
		return 0, err
	}
	var b strings.Builder
	// A blackhole table with the query's schema comes from Flink itself.
	b.WriteString(`import os
from pyflink.table import EnvironmentSettings, TableEnvironment, TableDescriptor, Schema
t = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
t.get_config().set('parallelism.default', '1')
`)
	for _, d := range ddl {
		fmt.Fprintf(&b, "t.execute_sql(%s)\n", strconv.Quote(d))
	}
	fmt.Fprintf(&b, `q = t.sql_query(%s)
q.execute_insert(TableDescriptor.for_connector('blackhole').build()).wait()
def cpu(pid):
    f = open('/proc/%%d/stat' %% pid).read().rsplit(')', 1)[1].split()
    return (int(f[11]) + int(f[12]) + int(f[13]) + int(f[14])) / os.sysconf('SC_CLK_TCK')
total = 0.0
for p in os.listdir('/proc'):
    if p.isdigit():
        try:
            f = open('/proc/%%s/stat' %% p).read().rsplit(')', 1)[1].split()
            if int(p) == os.getpid() or int(f[1]) == os.getpid():
                total += cpu(int(p))
        except OSError:
            pass
print('cpu', total)
`, strconv.Quote(query))
	path := filepath.Join(dir, "query.py")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		return 0, err
	}
	out, err := exec.Command(python, path).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	for _, l := range strings.Split(string(out), "\n") {
		if v, ok := strings.CutPrefix(l, "cpu "); ok {
			return strconv.ParseFloat(strings.TrimSpace(v), 64)
		}
	}
	return 0, fmt.Errorf("no figure in %s", out)
}
