package services

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A Process is a JVM in a process group of its own. A watchdog kills it when
// this process ends without having stopped it, so that a test that panics
// leaves no broker behind.
type Process struct {
	Name string
	Log  string // path of what it prints

	args []string
	env  []string
	dir  string

	mu    sync.Mutex
	cmd   *exec.Cmd
	done  chan struct{}
	leash io.WriteCloser // the watchdog's standard input
	dog   *exec.Cmd
}

// Start starts the process; it must not run.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("java", p.args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	done := make(chan struct{})
	go func() {
		cmd.Wait()
		close(done)
	}()
	p.cmd, p.done = cmd, done
	dog := exec.Command("/bin/sh", "-c", `read -r _ || kill -KILL "$0" 2>/dev/null`, strconv.Itoa(cmd.Process.Pid))
	dog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.leash, err = dog.StdinPipe(); err != nil {
		return err
	}
	p.dog = dog
	return dog.Start()
}

// release calls the watchdog off.
func (p *Process) release() {
	if p.leash != nil {
		io.WriteString(p.leash, "\n")
		p.leash.Close()
		p.dog.Wait()
		p.leash = nil
	}
}

// Signal sends a signal to the process.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return os.ErrProcessDone
	}
	return p.cmd.Process.Signal(s)
}

// Kill ends the process at once and waits until it is gone. Start starts it again.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL) }

// Stop asks the process to end, waits, and kills it after 20 seconds.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

func (p *Process) end(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	p.cmd.Process.Signal(s)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		p.cmd.Process.Kill()
		<-p.done
	}
	p.release()
	p.cmd = nil
	return nil
}

// Done is closed when the process that was started last has ended.
func (p *Process) Done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

// Pid is the process's id, 0 if it does not run.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Detach calls the watchdog off: the process outlives this one.
func (p *Process) Detach() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release()
}

// logTail returns the end of what the process printed, for error messages.
func (p *Process) logTail() string {
	text, _ := os.ReadFile(p.Log)
	return tail(text, 1500)
}
