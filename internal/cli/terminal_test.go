//go:build unix

package cli_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is a command on a terminal of its own.
type terminal struct {
	*os.File
	cmd    *exec.Cmd
	screen safeBuffer
	ended  chan struct{}
}

func onTerminal(t *testing.T, dir string, args ...string) *terminal {
	t.Helper()
	return onTerminalOf(t, "runnel", dir, args...)
}

// onTerminalOf is onTerminal with another binary.
func onTerminalOf(t *testing.T, bin, dir string, args ...string) *terminal {
	t.Helper()
	return open(t, bin, dir, "xterm-256color", true, args...)
}

// open starts a command on a terminal of a kind, which says where its cursor is or not.
func open(t *testing.T, bin, dir, kind string, answers bool, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM="+kind, "XDG_CONFIG_HOME="+dir, "HOME="+dir)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{File: f, cmd: cmd, ended: make(chan struct{})}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			x.screen.Write(buf[:n])
			// A line editor asks where the cursor is; a terminal answers.
			if answers && strings.Contains(string(buf[:n]), "\x1b[6n") {
				_, _ = io.WriteString(f, "\x1b[1;1R")
			}
			if err != nil {
				break
			}
		}
		_ = cmd.Wait()
		close(x.ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-x.ended
		f.Close()
	})
	return x
}

func (x *terminal) typed(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(x, text); err != nil {
		t.Fatal(err)
	}
}

// enters types a line when the shell asks for one: what is typed while the line
// editor asks the terminal where its cursor is would be taken for the answer.
func (x *terminal) enters(t *testing.T, text string) {
	t.Helper()
	x.idle(t)
	x.typed(t, text)
}

// idle waits until nothing has been written for a while.
func (x *terminal) idle(t *testing.T) {
	t.Helper()
	for last := -1; ; time.Sleep(300 * time.Millisecond) {
		n := len(x.screen.String())
		if n == last {
			return
		}
		last = n
	}
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]`)

// plain is what was written, without what steers the terminal.
func (x *terminal) plain() string { return escapes.ReplaceAllString(x.screen.String(), "") }

func (x *terminal) sees(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(x.plain(), text) {
			return
		}
	}
	plain := x.plain()
	t.Fatalf("%q is not shown:\n%q", text, plain[max(0, len(plain)-2000):])
}

// waits for the end and returns the exit code.
func (x *terminal) waits(t *testing.T) int {
	t.Helper()
	select {
	case <-x.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("does not end:\n%q", x.screen.String())
	}
	return x.cmd.ProcessState.ExitCode()
}

func TestProgressBarOfABoundedInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := `
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'number-of-rows' = '100');
CREATE TABLE gone (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO gone SELECT n FROM numbers;`
	if err := os.WriteFile(filepath.Join(dir, "job.sql"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	x := onTerminal(t, dir, "run", "job.sql")
	if code := x.waits(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	screen := x.plain()
	if !regexp.MustCompile(`\[#+\.+\] +\d+%  \d+ of 100  \d+ rows  \d+ rows/s  ETA `).MatchString(screen) {
		t.Errorf("no progress bar: %q", screen)
	}
	if !strings.Contains(screen, "job job finished in") {
		t.Errorf("no summary: %q", screen)
	}
	quiet := onTerminal(t, dir, "run", "-q", "job.sql")
	quiet.waits(t)
	if s := quiet.screen.String(); s != "" {
		t.Errorf("--quiet prints %q", s)
	}
}

func TestShellOnATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := onTerminal(t, dir, "sql")
	x.sees(t, "runnel> ")
	x.enters(t, "SELECT 40 + 2 AS answer;\r")
	x.sees(t, "|     42 |")
	x.sees(t, "1 row")

	// A statement may have several lines.
	x.enters(t, "SELECT 'first',\r")
	x.sees(t, "  SELECT 'first',")
	x.enters(t, "'second' AS b;\r")
	x.sees(t, "| second |")

	// Words are completed.
	x.enters(t, "CREATE VIEW weather AS SELECT 1 AS rain;\r")
	x.sees(t, "OK")
	x.enters(t, "SELECT 7 * rain AS seven FROM weath\t")
	x.sees(t, "FROM weather")
	x.enters(t, ";\r")
	x.sees(t, "|     7 |")

	// An error is shown, and the shell goes on.
	x.enters(t, "SELECT rian FROM weather;\r")
	x.sees(t, "did you mean rain?")

	// An endless query is shown while it runs, and ends by Ctrl-C.
	x.enters(t, "CREATE TABLE n (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\r")
	x.enters(t, "SELECT COUNT(*) AS so_many FROM n;\r")
	x.sees(t, "1 row so far")
	x.typed(t, "\x03")
	x.enters(t, "SELECT 'after' AS a;\r")
	x.sees(t, "| after |")

	x.enters(t, "\x04")                // Ctrl-D
	if code := x.waits(t); code != 0 { // Ctrl-C was for the query
		t.Errorf("exit code %d", code)
	}

	// The next shell has the lines of the last.
	y := onTerminal(t, dir, "sql")
	y.sees(t, "runnel> ")
	y.enters(t, "\x1b[A")
	y.sees(t, "SELECT 'after' AS a;")
	y.enters(t, "\r")
	y.sees(t, "| after |")
	y.enters(t, "QUIT;\r")
	y.waits(t)
}

// TestShellOnAPlainTerminal: one that does not say where its cursor is, or is
// said to be dumb, can be used line by line.
func TestShellOnAPlainTerminal(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"xterm-256color", "dumb"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := open(t, "runnel", t.TempDir(), kind, false, "sql")
			x.sees(t, "runnel> ")
			if kind == "dumb" && strings.Contains(x.screen.String(), "\x1b") {
				t.Errorf("escapes on a dumb terminal: %q", x.screen.String())
			}
			x.typed(t, "SELECT 40 +\n2 AS answer;\n")
			x.sees(t, "| +I |     42 |")
			x.typed(t, "SELECT nope;\n")
			x.sees(t, "1:8: no column nope")
			x.enters(t, "SELECT 'forgotten',\n")
			x.sees(t, "SELECT 'forgotten',\r\n   ...> ")
			x.enters(t, "\x03")
			x.enters(t, "SELECT 'after' AS a;\n")
			x.sees(t, "| +I | after |")
			x.enters(t, "CREATE TABLE n (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50');\n")
			x.enters(t, "SELECT COUNT(*) AS so_many FROM n;\n")
			x.sees(t, "so_many")
			x.typed(t, "\x03")
			x.enters(t, "SELECT 'again' AS a;\n")
			x.sees(t, "| +I | again |")
			x.enters(t, "quit;\n")
			if code := x.waits(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
