package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// completed is what bash proposes for the last of words.
func completed(t *testing.T, script string, words ...string) string {
	t.Helper()
	cmd := exec.Command("bash", "-c", `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _runnel; echo "${COMPREPLY[@]}"`, "bash", script)
	cmd.Args = append(cmd.Args, words...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// The completion scripts are right by the shells themselves, where those are
// installed, and propose commands, flags, their values, functions and connectors.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		out, err := exec.Command("runnel", "completion", shell).Output()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, shell)
		if err := os.WriteFile(path, out, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"query", "state", "format", "changelog", "REGEXP_EXTRACT", "filesystem"} {
			if !strings.Contains(string(out), word) {
				t.Errorf("%s: nothing of %s", shell, word)
			}
		}
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("%s is not installed", shell)
			continue
		}
		if out, err := exec.Command(shell, "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
	if _, err := exec.LookPath("bash"); err != nil {
		return
	}
	script := filepath.Join(dir, "bash")
	f := func(want string, words ...string) {
		t.Helper()
		if got := completed(t, script, append([]string{"runnel"}, words...)...); got != want {
			t.Errorf("%v: %q, want %q", words, got, want)
		}
	}
	f("query", "qu")
	f("ls", "state", "l")
	f("--format", "query", "--fo")
	f("json", "query", "--format", "js")
	f("final changelog", "query", "--result", "")
	f("REGEXP_EXTRACT REGEXP_EXTRACT_ALL", "functions", "REGEXP_EXT")
	f("filesystem", "connectors", "files")
	f("bash", "completion", "ba")
}
