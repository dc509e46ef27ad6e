package chaos

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMemoryOfManyKeys counts more keys of 40 bytes than its memory holds, with
// and without a state directory: the process stays small, and says what it
// spilled. RUNNEL_KEYS is how many, a million if not set.
func TestMemoryOfManyKeys(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("peak memory is read as Linux gives it")
	}
	keys, limit := 1_000_000, 64<<20
	if testing.Short() {
		keys, limit = 300_000, 32<<20
	}
	if s := os.Getenv("RUNNEL_KEYS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("RUNNEL_KEYS: %v", err)
		}
		keys, limit = n, max(limit, n*40)
	}
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range keys {
		fmt.Fprintf(w, `{"k":"%020d%020d","v":%d}`+"\n", uint64(i)*0x9E3779B97F4A7C15, i, i%1000)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()
	path := filepath.Join(dir, "job.sql")
	script := fmt.Sprintf(`CREATE TABLE keys (k STRING, v BIGINT) WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json');
CREATE TABLE gone (k STRING, n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO gone SELECT k, COUNT(*), SUM(v) FROM keys GROUP BY k;`, f.Name())
	if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--state-dir", filepath.Join(dir, "state")}} {
		var said bytes.Buffer
		c := exec.Command(bin, append([]string{"run", path, "--stats"}, args...)...)
		c.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", limit))
		c.Stdout, c.Stderr = &said, &said
		if err := c.Run(); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		peak := int64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) << 10
		m := regexp.MustCompile(`GroupAggregate-1/0 .*`).FindString(said.String())
		fields := strings.Fields(strings.ReplaceAll(m, ",", ""))
		if len(fields) < 9 {
			t.Fatalf("no figures of the aggregate:\n%s", said.String())
		}
		rows, _ := strconv.Atoi(fields[6])
		spilled, _ := strconv.ParseInt(fields[8], 10, 64)
		t.Logf("%d keys, limit %d MB, %v: peak %d MB, %d MB spilled", keys, limit>>20, args, peak>>20, spilled>>20)
		if rows != keys {
			t.Errorf("%d keys at the end, want %d", rows, keys)
		}
		if spilled < int64(keys)*40/2 {
			t.Errorf("%d bytes spilled: the test shows little", spilled)
		}
		// The pages of the binary itself count as well, and the store has buffers.
		if most := int64(limit) + int64(48+16*len(args))<<20; peak > most {
			t.Errorf("peak memory %d MB, want at most %d", peak>>20, most>>20)
		}
	}
}
