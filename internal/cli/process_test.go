package cli_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a running command.
type process struct {
	*exec.Cmd
	dir string
	out safeBuffer
	err safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs the command in a folder of its own with these files.
func start(t *testing.T, files map[string]string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("runnel", args...), dir: t.TempDir()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.Dir, p.Stdout, p.Stderr = p.dir, &p.out, &p.err
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// wait waits for the end and returns the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case <-done:
		return p.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		_ = p.Process.Kill()
		<-done
		t.Fatalf("does not end; out: %s err: %s", p.out.String(), p.err.String())
		return 0
	}
}

// until waits for something to hold.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited a minute for %s", what)
}

// endless reads numbers for ever, shows them and writes them to files.
const endless = `
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000');
CREATE TABLE seen (n BIGINT) WITH ('connector' = 'print');
CREATE TABLE kept (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'kept', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
  INSERT INTO seen SELECT n FROM numbers;
  INSERT INTO kept SELECT n FROM numbers;
END;`

// TestSignalsEndCleanly holds that a job that is told to stop has written, and
// made visible, every row it has read.
func TestSignalsEndCleanly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 0}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			t.Parallel()
			p := start(t, map[string]string{"job.sql": endless}, "run", "job.sql")
			until(t, "rows", func() bool { return strings.Count(p.out.String(), "+I[") >= 50 })
			if err := p.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if code := p.wait(t); code != c.code {
				t.Errorf("exit code %d, want %d; %s", code, c.code, p.err.String())
			}
			printed := strings.Count(p.out.String(), "+I[")
			if kept := countLines(t, filepath.Join(p.dir, "kept", "part-*")); kept != printed {
				t.Errorf("%d rows printed, %d in the files", printed, kept)
			}
			if !strings.Contains(p.err.String(), "job job stopped in") {
				t.Errorf("no summary: %s", p.err.String())
			}
			left, _ := filepath.Glob(filepath.Join(p.dir, "kept", ".*"))
			if len(left) > 0 {
				t.Errorf("unfinished files are left: %v", left)
			}
		})
	}
}

// countLines counts the lines of the files that match a pattern.
func countLines(t *testing.T, pattern string) int {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n += bytes.Count(b, []byte("\n"))
	}
	return n
}

// TestInterruptedQueryShowsWhatThereIs: Ctrl-C ends an endless query, and its
// final rows so far are printed.
func TestInterruptedQueryShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"q.sql": `
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '1000000');
SELECT 'all' AS what, COUNT(*) AS n FROM numbers;`}, "query", "-f", "q.sql", "--format", "rows")
	time.Sleep(time.Second)
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.wait(t); code != 130 {
		t.Errorf("exit code %d; %s", code, p.err.String())
	}
	if got := p.out.String(); !strings.HasPrefix(got, `["+I","all","`) || strings.Count(got, "\n") != 1 {
		t.Errorf("printed %q", got)
	}
}

// TestSignalCutsAScript: an answer of a statement behind the one that was
// interrupted would be a false one.
func TestSignalCutsAScript(t *testing.T) {
	t.Parallel()
	for sig, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		p := start(t, nil, "query", "--format", "csv", "-e", `
CREATE TABLE g (id INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
SELECT id FROM g; SELECT COUNT(*) AS q2 FROM g; SELECT 3 AS q3;`, "--result", "changelog")
		until(t, "rows", func() bool { return strings.Count(p.out.String(), "\n") > 3 })
		if err := p.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if code := p.wait(t); code != want {
			t.Errorf("exit code %d, want %d; %s", code, want, p.err.String())
		}
		if out := p.out.String(); strings.Contains(out, "q2") || strings.Contains(out, "q3") {
			t.Errorf("printed %q", out)
		}
		if !strings.Contains(p.err.String(), "were not run") {
			t.Errorf("does not say that statements were left: %s", p.err.String())
		}
	}
}

// TestSinkWithoutAFolder: a path that is a file is an error, not a crash.
func TestSinkWithoutAFolder(t *testing.T) {
	t.Parallel()
	p := start(t, map[string]string{"taken": "x"}, "query", "-e",
		`CREATE TABLE t (id INT) WITH ('connector' = 'filesystem', 'path' = 'taken', 'format' = 'json'); INSERT INTO t SELECT 1;`)
	if code := p.wait(t); code != 1 || !strings.Contains(p.err.String(), "not a directory") || strings.Contains(p.err.String(), "panic") {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// TestPipeThatCloses: whoever reads the output may stop reading.
func TestPipeThatCloses(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("runnel", "query", "--result", "changelog", "--format", "rows", "-e",
		`CREATE TABLE n (n BIGINT) WITH ('connector' = 'datagen', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000000', 'rows-per-second' = '1000000'); SELECT n FROM n;`)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "[\"+I\",\"1\"]\n" {
		t.Fatalf("%q, %v", line, err)
	}
	out.Close()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
		// Ended by SIGPIPE: a shell says 141.
		if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGPIPE {
			t.Errorf("ended by %v", cmd.ProcessState)
		}
		if errs.Len() > 0 {
			t.Errorf("does not end quietly: %s", errs.String())
		}
	case <-time.After(time.Minute):
		_ = cmd.Process.Kill()
		t.Fatal("goes on although nobody reads")
	}
}

// TestRowsComeAtOnce holds that a row is shown when it is there, not when a
// buffer is full or the input ends.
func TestRowsComeAtOnce(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("runnel", "query", "--result", "changelog", "--format", "json", "-e",
		`CREATE TABLE lines (a INT) WITH ('connector' = 'stdin', 'format' = 'json'); SELECT a + 1 AS b FROM lines;`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	r := bufio.NewReader(out)
	for i, want := range []string{`{"op":"+I","row":{"b":2}}`, `{"op":"+I","row":{"b":3}}`} {
		if _, err := io.WriteString(in, []string{"{\"a\":1}\n", "{\"a\":2}\n"}[i]); err != nil {
			t.Fatal(err)
		}
		got, err := r.ReadString('\n')
		if err != nil || got != want+"\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
