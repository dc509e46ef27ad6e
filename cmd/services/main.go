// Command services runs real RocketMQ and Kafka brokers on loopback.
//
//	services run                 start them, print their addresses, stop them at Ctrl-C
//	services run -- go test ./…  start them, run the command with their addresses in its environment, stop them
//	services start               start them in the background (addresses and process ids in the folder's services.env)
//	services stop                stop those and remove their folder
//
// They take the ports they usually have (9876, 10911, 9092) if these are free.
// -only rocketmq or -only kafka starts one of them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/runnelio/runnel/internal/services"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	flags := flag.NewFlagSet("services", flag.ContinueOnError)
	only := flags.String("only", "", "rocketmq or kafka: start this one only")
	dir := flags.String("dir", filepath.Join(os.TempDir(), "runnel-services"), "folder of services started in the background")
	fast := flags.Bool("fast", false, "more memory and full compilation, for benchmarks")
	verb := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return 2, err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	switch verb {
	case "run":
		return runWith(ctx, *only, *fast, flags.Args())
	case "start":
		return 0, start(ctx, *only, *fast, *dir)
	case "stop":
		return 0, stop(*dir)
	}
	return 2, fmt.Errorf("unknown command %q: run, start or stop", verb)
}

// launch starts the services at the same time.
func launch(ctx context.Context, only string, fast bool, dir string) ([]services.Service, error) {
	if err := services.Available(); err != nil {
		return nil, err
	}
	if only != "" && only != "rocketmq" && only != "kafka" {
		return nil, fmt.Errorf("-only %s: rocketmq or kafka", only)
	}
	sub := func(name string) string {
		if dir == "" {
			return ""
		}
		return filepath.Join(dir, name)
	}
	heap := 0
	if fast {
		heap = 1024
	}
	var wg sync.WaitGroup
	var all [2]services.Service
	var errs [2]error
	if only != "kafka" {
		wg.Go(func() {
			if s, err := services.StartRocketMQ(ctx, services.RocketMQOptions{Dir: sub("rocketmq"), Usual: true, Fast: fast, HeapMB: heap}); err != nil {
				errs[0] = err
			} else {
				all[0] = s
			}
		})
	}
	if only != "rocketmq" {
		wg.Go(func() {
			if s, err := services.StartKafka(ctx, services.KafkaOptions{Dir: sub("kafka"), Usual: true, Fast: fast, HeapMB: heap}); err != nil {
				errs[1] = err
			} else {
				all[1] = s
			}
		})
	}
	wg.Wait()
	var up []services.Service
	for _, s := range all {
		if s != nil {
			up = append(up, s)
		}
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, stopAll(up))
	}
	return up, nil
}

func stopAll(all []services.Service) error {
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Stop())
	}
	return errors.Join(errs...)
}

func runWith(ctx context.Context, only string, fast bool, command []string) (int, error) {
	up, err := launch(ctx, only, fast, "")
	if err != nil {
		return 1, err
	}
	defer stopAll(up)
	if len(command) == 0 {
		for _, s := range up {
			fmt.Printf("export %s=%s\n", s.Env(), s.Addr())
		}
		<-ctx.Done()
		return 0, nil
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, os.Environ()
	for _, s := range up {
		cmd.Env = append(cmd.Env, s.Env()+"="+s.Addr())
	}
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	return 0, err
}

// stateFile is what start leaves for stop and for shells to source.
func stateFile(dir string) string { return filepath.Join(dir, "services.env") }

func start(ctx context.Context, only string, fast bool, dir string) error {
	if _, err := os.Stat(stateFile(dir)); err == nil {
		return fmt.Errorf("services run already: %s; stop them with 'services stop'", stateFile(dir))
	}
	up, err := launch(ctx, only, fast, dir)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, s := range up {
		fmt.Fprintf(&text, "export %s=%s\n", s.Env(), s.Addr())
	}
	fmt.Print(text.String())
	for _, s := range up {
		for _, pid := range s.Pids() {
			fmt.Fprintf(&text, "# pid %d\n", pid)
		}
	}
	if err := os.WriteFile(stateFile(dir), []byte(text.String()), 0o644); err != nil {
		return errors.Join(err, stopAll(up))
	}
	for _, s := range up {
		s.Detach()
	}
	fmt.Fprintf(os.Stderr, "addresses: source %s; stop: services stop\n", stateFile(dir))
	return nil
}

func stop(dir string) error {
	text, err := os.ReadFile(stateFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		id, ok := strings.CutPrefix(strings.TrimSpace(line), "# pid ")
		if !ok {
			continue
		}
		pid, err := strconv.Atoi(id)
		if err != nil {
			continue
		}
		if err := end(pid); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}

// end asks a process to end and kills it after 20 seconds. A process that is
// no JVM is not ours any more: ids are used again.
func end(pid int) error {
	if cmd, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && !strings.Contains(string(cmd), "java") {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return nil // gone
	}
	for range 100 {
		if syscall.Kill(pid, 0) != nil {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}
