// Package corpus finds the files that tests read: the oracle's answers in the
// repository, and other people's real logs, rules and lists, which are never
// copied into it and are read where they lie. Tests only.
package corpus

import (
	"os"
	"path/filepath"
	"testing"
)

// Root is the repository's root folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, e := os.Stat(filepath.Join(dir, "go.mod")); e == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	t.Fatal("no go.mod above the working directory")
	return ""
}

// Oracle returns the path of a file of testdata/oracle, the answers recorded from Flink.
func Oracle(t testing.TB, elem ...string) string {
	t.Helper()
	return filepath.Join(append([]string{Root(t), "testdata", "oracle"}, elem...)...)
}

// Real returns the path of a file of the real-data folder: RUNNEL_DATA, or
// shared/data beside the repository. A test that needs a file which is not
// there is skipped and says so; with RUNNEL_NO_SKIP=1 it fails.
func Real(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("RUNNEL_DATA")
	if dir == "" {
		dir = filepath.Join(Root(t), "..", "shared", "data")
	}
	path := filepath.Join(append([]string{dir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		Skip(t, "no real data at %s (set RUNNEL_DATA to the folder that has it)", path)
	}
	return path
}

// Skip skips the test, or fails it where skips are forbidden (RUNNEL_NO_SKIP=1, as in CI).
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("RUNNEL_NO_SKIP") == "1" {
		t.Fatalf("may not be skipped here: "+format, args...)
	}
	t.Skipf(format, args...)
}
