package cli_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// damaged are lines of which rows 1, 2 and 3 can be read, one of them without a field.
var damaged = []struct{ line, why string }{
	{`{"id":1,"name":"ann"}`, ""},
	{`{"id":2,"name":"bob"`, "JSON"},
	{`no json at all`, "JSON"},
	{`{"id":"two","name":"bob"}`, "no INT"},
	{`{"id":99999999999,"name":"bob"}`, "no INT"},
	{"{\"id\":4,\"name\":\"\xff\xfe\"}", "UTF-8"},
	{`{"id":2}`, ""},
	{`{"id":5,"name":"` + strings.Repeat("x", 3<<20) + `"}`, "max-record-size"},
	{`{"id":` + strings.Repeat("[", 200_000), ""}, // any reason will do
	{`{"other":{"a":[1,{"b":null}]},"id":3,"name":"cem"}`, ""},
}

func damagedInput() string {
	var b strings.Builder
	for _, d := range damaged {
		b.WriteString(d.line + "\n")
	}
	return b.String()
}

func readJob(with string) string {
	return `
CREATE TABLE people (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'in.jsonl', 'format' = 'json', 'max-record-size' = '1 mb'` + with + `);
CREATE TABLE kept (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'csv');
INSERT INTO kept SELECT id, name FROM people;`
}

func kept(t *testing.T, p *process) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(p.dir, "kept", "part-*"))
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return string(all)
}

func TestDamagedRecordsFail(t *testing.T) {
	t.Parallel()
	for i, d := range damaged {
		if d.why == "" {
			continue
		}
		p := start(t, map[string]string{"in.jsonl": damaged[0].line + "\n" + d.line + "\n", "job.sql": readJob("")}, "run", "job.sql")
		if code := p.wait(t); code != 1 {
			t.Errorf("line %d: exit code %d", i, code)
		}
		if got := p.err.String(); !strings.Contains(got, d.why) || !strings.Contains(got, "in.jsonl") || len(got) > 2000 {
			t.Errorf("line %d: error without %q or the file's name, or too long: %.2000s", i, d.why, got)
		}
		if got := kept(t, p); got != "" {
			t.Errorf("line %d: a failed job made %q visible", i, got)
		}
	}
}

func TestDamagedRecordsSkipped(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"in.jsonl": damagedInput(), "job.sql": readJob(", 'on-error' = 'skip'")}, "run", "job.sql")
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	if got := kept(t, p); got != "1,ann\n2,\n3,cem\n" {
		t.Errorf("kept %.200q", got)
	}
	if !strings.Contains(p.err.String(), "7 bad records left out") {
		t.Errorf("summary: %s", p.err.String())
	}
}

func TestDamagedRecordsToDeadLetterFile(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"in.jsonl": damagedInput(), "job.sql": readJob(", 'on-error' = 'dead-letter', 'dead-letter.path' = 'dead.jsonl'")}, "run", "job.sql")
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	if got := kept(t, p); got != "1,ann\n2,\n3,cem\n" {
		t.Errorf("kept %.200q", got)
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "dead.jsonl"))
	if err != nil {
		// The path may be relative to the process's folder, which is the same.
		t.Fatal(err)
	}
	var records []string
	for line := range bytes.Lines(text) {
		var d struct {
			Table, Split, Position, Error, Record string
			Bytes                                 []byte
		}
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatalf("%v: %.300s", err, line)
		}
		if d.Error == "" || !strings.HasSuffix(d.Table, "people") {
			t.Errorf("dead letter %.300s", line)
		}
		if d.Record == "" {
			d.Record = string(d.Bytes)
		}
		records = append(records, d.Record)
	}
	n := 0
	for i, d := range damaged {
		if d.why == "" && i != 8 {
			continue
		}
		n++
		// Of a record that is too long the first bytes are kept, of all others all.
		if !slices.ContainsFunc(records, func(r string) bool {
			return r == d.line || d.why == "max-record-size" && len(r) > 16 && strings.HasPrefix(d.line, r)
		}) {
			t.Errorf("line %d is not in the dead-letter file", i)
		}
	}
	if len(records) != n {
		t.Errorf("%d dead letters, want %d", len(records), n)
	}
}

// TestHugeLine: a line of 100 MB is handled by the policy, in bounded memory.
//
// It is not parallel: what the kernel reports of a process includes the memory
// of the one it was started from.
func TestHugeLine(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MB")
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "huge.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	_, _ = w.WriteString(`{"id":1,"name":"ann"}` + "\n" + `{"id":5,"name":"`)
	for range 100 << 10 {
		_, _ = w.WriteString(strings.Repeat("x", 1<<10))
	}
	_, _ = w.WriteString("\"}\n" + `{"id":3,"name":"cem"}` + "\n")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	p := start(t, map[string]string{"job.sql": strings.Replace(readJob(", 'on-error' = 'skip'"), "in.jsonl", f.Name(), 1)}, "run", "job.sql")
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	if got := kept(t, p); got != "1,ann\n3,cem\n" {
		t.Errorf("kept %.200q", got)
	}
	if mb := p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10; runtime.GOOS == "linux" && mb > 150 {
		t.Errorf("%d MB of memory for a line that is left out", mb)
	}
}

func TestCutGzip(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	z := gzip.NewWriter(&whole)
	for range 10_000 {
		_, _ = z.Write([]byte(`{"id":1,"name":"ann"}` + "\n"))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, with := range []string{"", ", 'on-error' = 'skip'"} { // a file that is cut is no bad record
		p := start(t, map[string]string{"in.jsonl.gz": whole.String()[:whole.Len()*2/3], "job.sql": strings.Replace(readJob(with), "in.jsonl", "in.jsonl.gz", 1)}, "run", "job.sql")
		if code := p.wait(t); code != 1 {
			t.Errorf("exit code %d: %s", code, p.err.String())
		}
		if got := p.err.String(); !strings.Contains(got, "in.jsonl.gz") || !strings.Contains(got, "truncated") {
			t.Errorf("error: %s", got)
		}
	}
}

// TestFullDisk: rows that cannot be written fail the job, and nothing half-written appears.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full and ulimit")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for _, args := range [][]string{
		{"query", "-e", "SELECT 1 AS a"}, {"query", "--format", "rows", "-e", "SELECT 1 AS a"}, {"eval", "1"}, {"functions"}, {"version"},
		{"query", "-e", "CREATE TABLE p (a INT) WITH ('connector' = 'print'); INSERT INTO p VALUES (1);"},
	} {
		cmd := exec.Command("runnel", args...)
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &errs
		err := cmd.Run()
		if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(errs.String(), "no space left") {
			t.Errorf("runnel %s: %v: %s", strings.Join(args, " "), err, errs.String())
		}
	}

	dir := t.TempDir()
	script := `
CREATE TABLE n (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000', 'rows-per-second' = '10000000');
CREATE TABLE kept (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
INSERT INTO kept SELECT n FROM n;`
	if err := os.WriteFile(filepath.Join(dir, "job.sql"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "ulimit -f 64; exec runnel run job.sql") // 32 KB a file
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v: %s", err, out)
	}
	if got := countLines(t, filepath.Join(dir, "kept", "part-*")); got != 0 {
		t.Errorf("%d rows of a failed job are visible", got)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs a file whose reading fails for root too")
	}
	p := start(t, map[string]string{"job.sql": strings.Replace(readJob(", 'on-error' = 'skip'"), "'in.jsonl'", "'/proc/self/mem'", 1)}, "run", "job.sql")
	if code := p.wait(t); code != 1 || !strings.Contains(p.err.String(), "/proc/self/mem: input/output error") {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

func TestHostileSQL(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"parentheses":   "SELECT " + strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000),
		"open":          "SELECT " + strings.Repeat("(", 10_000),
		"nots":          "SELECT " + strings.Repeat("NOT ", 100_000) + "TRUE",
		"cases":         "SELECT " + strings.Repeat("CASE WHEN TRUE THEN ", 20_000),
		"sub-queries":   strings.Repeat("SELECT * FROM (", 10_000),
		"10 MB of text": "SELECT '" + strings.Repeat("x", 10<<20),
		"10 MB of plus": "SELECT 1" + strings.Repeat(" + 1", 2_500_000),
		"10 MB of dots": "SELECT a" + strings.Repeat(".a", 5_000_000),
		"no text":       string([]byte{0, 1, 2, 0xff, 0xfe}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, map[string]string{"q.sql": text}, "query", "-f", "q.sql")
			if code := p.wait(t); code != 2 {
				t.Errorf("exit code %d: out %.300s err %.2000s", code, p.out.String(), p.err.String())
			}
			if got := p.err.String(); strings.Contains(got, "panic") || strings.Contains(got, "goroutine ") || len(got) > 20_000 || len(got) < 20 {
				t.Errorf("%d bytes of errors: %.2000s", len(got), got)
			}
		})
	}
}
