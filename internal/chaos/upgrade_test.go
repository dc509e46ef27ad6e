package chaos

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// begun runs a job until it has some commits and kills it.
func begun(t *testing.T, data string) *job {
	t.Helper()
	for range 20 {
		j := newJob(t, data)
		var said bytes.Buffer
		c := j.command(1, &said)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		dead := make(chan error, 1)
		go func() { dead <- c.Wait() }()
		for until := time.Now().Add(time.Minute); lastEpoch(j) < 4 && time.Now().Before(until); {
			time.Sleep(2 * time.Millisecond)
		}
		_ = c.Process.Kill()
		if err := <-dead; err != nil { // it was killed before its end
			return j
		}
	}
	t.Fatal("the job always ended before it was killed")
	return nil
}

// TestChangedQueryKeepsWhatFits restarts jobs with other scripts.
func TestChangedQueryKeepsWhatFits(t *testing.T) {
	data := folder(t)
	input(t, data, 35_000)
	want := undisturbed(t, data, 1)

	t.Run("the INSERTs in another order", func(t *testing.T) {
		j := begun(t, data)
		head, rest, _ := strings.Cut(script, "BEGIN\n")
		body, tail, _ := strings.Cut(rest, "END;")
		lines := strings.Split(strings.TrimSpace(body), "\n")
		slices.Reverse(lines)
		j.script = head + "BEGIN\n" + strings.Join(lines, "\n") + "\nEND;" + tail
		var said bytes.Buffer
		if err := j.command(1, &said).Run(); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		if !strings.Contains(said.String(), "goes on from epoch") {
			t.Errorf("it says %q", said.String())
		}
		if d := j.records().differ(want, false); d != "" {
			t.Errorf("the output differs:\n%s", d)
		}
	})
	t.Run("another aggregate", func(t *testing.T) {
		j := begun(t, data)
		j.script = strings.Replace(script, "SELECT k, COUNT(*), SUM(v), MAX(v) FROM src GROUP BY k", "SELECT k, COUNT(*), SUM(v), MIN(v) FROM src GROUP BY k", 1)
		var said bytes.Buffer
		if err := j.command(1, &said).Run(); err == nil || !strings.Contains(said.String(), "GroupAggregate-1") || !strings.Contains(said.String(), "MAX") {
			t.Fatalf("state that fits nothing was not refused by name: %v\n%s", err, said.String())
		}
		said.Reset()
		if err := j.command(1, &said, "--allow-non-restored").Run(); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		got := j.records()
		for _, sink := range []string{"grp"} {
			delete(got, sink)
		}
		kept := records{}
		for sink, lines := range want {
			if sink != "grp" {
				kept[sink] = lines
			}
		}
		if d := got.differ(kept, false); d != "" {
			t.Errorf("what fits was not kept:\n%s", d)
		}
	})
	t.Run("a sink fewer", func(t *testing.T) {
		j := begun(t, data)
		at := strings.Index(script, "INSERT INTO fst")
		j.script = script[:at] + "END;"
		var said bytes.Buffer
		if err := j.command(1, &said).Run(); err == nil || !strings.Contains(said.String(), "Deduplicate-1") {
			t.Fatalf("state that fits nothing was not refused by name: %v\n%s", err, said.String())
		}
	})
}
