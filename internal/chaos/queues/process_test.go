package queues

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/services/servicetest"
)

func TestMain(m *testing.M) {
	servicetest.Main(m)
}

// binary builds the command once, always to the same place: the tests' process
// ends without a chance to remove it.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), "runnel-queues-test", "runnel")
	out, err := exec.Command("go", "build", "-o", path, "github.com/runnelio/runnel/cmd/runnel").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

func kills(t *testing.T) int {
	s := os.Getenv("RUNNEL_CHAOS")
	if s == "" {
		return 5
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("RUNNEL_CHAOS: %v", err)
	}
	return n
}

var names atomic.Int64

// newName is a name for a topic that no other test and no earlier run has.
func newName() string {
	return fmt.Sprintf("queues_%d_%d", time.Now().UnixNano()%1e12, names.Add(1))
}

// process is the command at work on a script.
type process struct {
	*exec.Cmd
	said safeBuffer
	done chan error
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

// run starts "runnel run" of a script with its state in dir.
func run(t *testing.T, dir, script string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "job.sql")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(path, append([]string{"run", file}, args...)...), done: make(chan error, 1)}
	p.Dir, p.Stdout, p.Stderr = dir, &p.said, &p.said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.done <- p.Wait() }()
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// wait returns the exit code.
func (p *process) wait(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.done:
		return p.ProcessState.ExitCode()
	case <-time.After(within):
		_ = p.Process.Kill()
		<-p.done
		t.Fatalf("it does not end within %v:\n%s", within, p.said.String())
		return 0
	}
}

// until waits for something to hold while the process runs.
func (p *process) until(t *testing.T, what string, within time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s\n%s", within, what, p.said.String())
		}
		select {
		case err := <-p.done:
			t.Fatalf("it has ended (%v) before %s:\n%s", err, what, p.said.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
