package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/cli"
)

// TestMain lets the test binary be the command itself: scripts and tests run
// "runnel" as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"runnel": func() {
		os.Exit(cli.Run(context.Background(), host(connector.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}), os.Args[1:]))
	}})
}

func host(io connector.Terminal) cli.Host {
	return cli.Host{Connectors: connectors.Connectors(), Formats: formats.Formats(), IO: io}
}

// TestScripts runs the scripts of testdata/scripts: commands with what they print.
// With UPDATE=1 what they print is written into the scripts.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/scripts",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE") == "1",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a command that must end with this exit code: exits 2 runnel run x.sql.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var e *exec.ExitError
		if !errors.As(err, &e) {
			ts.Fatalf("%v", err)
		}
		got = e.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}
