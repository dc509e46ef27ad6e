package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary builds the command once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "runnel-chaos")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "runnel")
	out, err := exec.Command("go", "build", "-o", path, "github.com/runnelio/runnel/cmd/runnel").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// seedOf is the seed of a test, printed when it fails.
func seedOf(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("SEED: %v", err)
		}
		seed = n
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with SEED=%d", seed)
		}
	})
	return seed
}

// kills is how many times to kill.
func kills(t *testing.T) int {
	s := os.Getenv("RUNNEL_CHAOS")
	if s == "" {
		return 20
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("RUNNEL_CHAOS: %v", err)
	}
	return n
}

const (
	files = 7
	keys  = 3000
)

// input writes rows in the order of time, several files of them, and a small table to join with.
func input(t *testing.T, dir string, rows int) {
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	write := func(name string, b *bytes.Buffer) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for f := range files {
		var b bytes.Buffer
		for range rows / files {
			at = at.Add(time.Duration(1+r.IntN(5)) * time.Millisecond)
			v := fmt.Sprint(r.IntN(1000))
			if r.IntN(50) == 0 {
				v = "null"
			}
			fmt.Fprintf(&b, `{"k":"key%d","v":%s,"ts":"%s"}`+"\n", r.IntN(keys), v, at.Format("2006-01-02 15:04:05.000"))
		}
		write(fmt.Sprintf("in/part-%02d.json", f), &b)
	}
	var b bytes.Buffer
	for k := range keys / 2 {
		fmt.Fprintf(&b, `{"k":"key%d","name":"name of %d"}`+"\n", k*2, k*2)
	}
	write("dim/dim.json", &b)
}

const script = `
SET 'execution.checkpointing.interval' = '40 ms';
SET 'pipeline.auto-watermark-interval' = '0 s';
SET 'parallelism.default' = '%[2]d';
CREATE TABLE src (k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector'='filesystem', 'path'='%[1]s/in', 'format'='json');
CREATE TABLE dim (k STRING, name STRING) WITH ('connector'='filesystem', 'path'='%[1]s/dim', 'format'='json');
CREATE TABLE win (k STRING, s TIMESTAMP(3), n BIGINT, total BIGINT, kinds BIGINT) WITH ('connector'='filesystem', 'path'='%[3]s/win', 'format'='json');
CREATE TABLE ses (k STRING, s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT) WITH ('connector'='filesystem', 'path'='%[3]s/ses', 'format'='json');
CREATE TABLE ovr (k STRING, ts TIMESTAMP(3), total BIGINT) WITH ('connector'='filesystem', 'path'='%[3]s/ovr', 'format'='json');
CREATE TABLE joined (k STRING, v BIGINT, name STRING) WITH ('connector'='filesystem', 'path'='%[3]s/joined', 'format'='json');
CREATE TABLE grp (k STRING, n BIGINT, total BIGINT, top BIGINT) WITH ('connector'='filesystem', 'path'='%[3]s/grp', 'format'='debezium-json');
CREATE TABLE fst (k STRING, v BIGINT, ts TIMESTAMP(3)) WITH ('connector'='filesystem', 'path'='%[3]s/fst', 'format'='debezium-json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO win SELECT k, window_start, COUNT(*), SUM(v), COUNT(DISTINCT v) FROM TABLE(HOP(TABLE src, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO ses SELECT k, window_start, window_end, COUNT(*) FROM TABLE(SESSION(TABLE src PARTITION BY k, DESCRIPTOR(ts), INTERVAL '3' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO ovr SELECT k, ts, SUM(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM src;
INSERT INTO joined SELECT src.k, v, name FROM src JOIN dim ON src.k = dim.k;
INSERT INTO grp SELECT k, COUNT(*), SUM(v), MAX(v) FROM src GROUP BY k;
INSERT INTO fst SELECT k, v, ts FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts) AS rn FROM src) WHERE rn = 1;
END;
`

// job is one job in a folder: its input, state and output.
type job struct {
	t                *testing.T
	data, dir, state string
	script           string
}

// folder is a folder for a test, in memory where there is such a place: a killed
// process loses nothing that it has written, so nothing depends on the disk, and
// kills come close together.
func folder(t *testing.T) string {
	if i, err := os.Stat("/dev/shm"); err != nil || !i.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "runnel-chaos")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newJob(t *testing.T, data string) *job {
	dir := folder(t)
	return &job{t: t, data: data, dir: dir, state: filepath.Join(dir, "state"), script: script}
}

func (j *job) out() string { return filepath.Join(j.dir, "out") }

// command is the process that runs the job; what it says goes to said.
func (j *job) command(parallel int, said *bytes.Buffer, more ...string) *exec.Cmd {
	bin, err := binary()
	if err != nil {
		j.t.Fatal(err)
	}
	path := filepath.Join(j.dir, "job.sql")
	if err := os.WriteFile(path, fmt.Appendf(nil, j.script, j.data, parallel, j.out()), 0o644); err != nil {
		j.t.Fatal(err)
	}
	c := exec.Command(bin, append([]string{"run", path, "--state-dir", j.state}, more...)...)
	c.Stdout, c.Stderr = said, said
	return c
}

// stateDir is where the job's commits are.
func (j *job) stateDir() string { return filepath.Join(j.state, "default", "job") }

// records counts the visible records by sink.
type records map[string]map[string]int

func (j *job) records() records {
	out := records{}
	err := filepath.WalkDir(j.out(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sink := filepath.Base(filepath.Dir(path))
		if out[sink] == nil {
			out[sink] = map[string]int{}
		}
		if len(b) > 0 && b[len(b)-1] != '\n' {
			return fmt.Errorf("%s ends in the middle of a record", path)
		}
		for line := range strings.Lines(string(b)) {
			out[sink][line]++
		}
		return nil
	})
	if err != nil && !os.IsNotExist(err) {
		j.t.Fatal(err)
	}
	return out
}

func (r records) count() int {
	n := 0
	for _, lines := range r {
		for _, c := range lines {
			n += c
		}
	}
	return n
}

// fold replaces the records of changelogs by the rows they leave.
func (r records) fold(t *testing.T) records {
	out := records{}
	for sink, lines := range r {
		if sink != "grp" && sink != "fst" {
			out[sink] = lines
			continue
		}
		rows := map[string]int{}
		for line, n := range lines {
			var c struct{ Before, After json.RawMessage }
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				t.Fatalf("%s: %v in %s", sink, err, line)
			}
			for row, sign := range map[*json.RawMessage]int{&c.Before: -1, &c.After: 1} {
				if len(*row) > 0 && string(*row) != "null" {
					rows[string(*row)] += sign * n
				}
			}
		}
		for row, n := range rows {
			if n == 0 {
				delete(rows, row)
			}
		}
		out[sink] = rows
	}
	return out
}

// differ describes how r is not equal to want, or not a part of it.
func (r records) differ(want records, part bool) string {
	var out []string
	for _, sink := range []string{"win", "ses", "ovr", "joined", "grp", "fst"} {
		extra, missing, eg := 0, 0, ""
		for line, n := range r[sink] {
			if d := n - want[sink][line]; d > 0 {
				extra += d
				eg = line
			}
		}
		if !part {
			for line, n := range want[sink] {
				if d := n - r[sink][line]; d > 0 {
					missing += d
					eg = line
				}
			}
		}
		if extra+missing > 0 {
			out = append(out, fmt.Sprintf("%s: %d records too many, %d missing, such as %s", sink, extra, missing, strings.TrimSpace(eg)))
		}
	}
	return strings.Join(out, "\n")
}

// undisturbed runs the job to its end in a folder of its own.
func undisturbed(t *testing.T, data string, parallel int) records {
	j := newJob(t, data)
	var said bytes.Buffer
	if err := j.command(parallel, &said).Run(); err != nil {
		t.Fatalf("undisturbed run: %v\n%s", err, said.String())
	}
	r := j.records()
	for _, sink := range []string{"win", "ses", "ovr", "joined", "grp", "fst"} {
		if len(r[sink]) == 0 {
			t.Fatalf("undisturbed run wrote nothing to %s", sink)
		}
	}
	return r
}
