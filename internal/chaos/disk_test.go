package chaos

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestChaosFullDisk runs a job on disks that become full, at different moments:
// it fails and says why, what is visible is a part of the whole, and with more
// room the next run ends with all of it.
func TestChaosFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small disk needs root")
	}
	r := rand.New(rand.NewPCG(seedOf(t), 3))
	data := folder(t)
	input(t, data, 35_000)
	want := undisturbed(t, data, 1)
	failed := 0
	for n := range max(3, kills(t)/20) {
		j := newJob(t, data)
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", 400+r.IntN(12_000)), "runnel", j.dir).CombinedOutput(); err != nil {
			t.Skipf("mount: %v %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("umount", j.dir).Run() })
		var said bytes.Buffer
		if err := j.command(1, &said).Run(); err != nil {
			failed++
			if !strings.Contains(said.String(), "no space left") {
				t.Fatalf("disk %d: a full disk is not named:\n%s", n, said.String())
			}
			if d := j.records().differ(want, true); d != "" {
				t.Fatalf("disk %d: more is visible than there is:\n%s", n, d)
			}
		}
		if out, err := exec.Command("mount", "-o", "remount,size=1g", j.dir).CombinedOutput(); err != nil {
			t.Fatalf("remount: %v %s", err, out)
		}
		said.Reset()
		if err := j.command(1, &said).Run(); err != nil {
			t.Fatalf("disk %d: with room again: %v\n%s", n, err, said.String())
		}
		if d := j.records().differ(want, false); d != "" {
			t.Fatalf("disk %d: the output differs:\n%s", n, d)
		}
	}
	t.Logf("%d runs met a full disk", failed)
	if failed == 0 {
		t.Error("no disk became full: the test shows nothing")
	}
}

// TestChaosSavepoint copies a commit of a running job; a job that begins from
// it writes exactly what was not visible at that commit.
func TestChaosSavepoint(t *testing.T) {
	data := folder(t)
	input(t, data, 35_000)
	want := undisturbed(t, data, 1)
	j := newJob(t, data)
	var said bytes.Buffer
	c := j.command(1, &said)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	dead := make(chan error, 1)
	go func() { dead <- c.Wait() }()
	until := time.Now().Add(time.Minute)
	for lastEpoch(j) < 3 && time.Now().Before(until) {
		time.Sleep(5 * time.Millisecond)
	}
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	save := filepath.Join(j.dir, "save")
	out, err := exec.Command(bin, "state", "savepoint", j.stateDir(), save).CombinedOutput()
	if err != nil {
		t.Fatalf("savepoint: %v\n%s", err, out)
	}
	if err := <-dead; err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if d := j.records().differ(want, false); d != "" {
		t.Fatalf("the job whose savepoint was taken differs:\n%s", d)
	}

	// The records of the savepoint's job that were visible then are those the
	// second job does not write; how many these are follows from its positions.
	second := newJob(t, data)
	said.Reset()
	if err := second.command(4, &said, "--from-savepoint", save).Run(); err != nil {
		t.Fatalf("from the savepoint: %v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "goes on from epoch") {
		t.Errorf("a job from a savepoint says %q", said.String())
	}
	got, first := second.records(), want
	for _, sink := range []string{"win", "ses", "ovr", "joined"} {
		if len(got[sink]) == 0 && len(first[sink]) > 0 || recordsOf(got[sink]) >= recordsOf(first[sink]) {
			t.Errorf("%s: the second job wrote %d of %d records", sink, recordsOf(got[sink]), recordsOf(first[sink]))
		}
		for line, n := range got[sink] {
			if n > first[sink][line] {
				t.Fatalf("%s: %s comes %d times, %d times in an undisturbed run", sink, strings.TrimSpace(line), n, first[sink][line])
			}
		}
	}
}

func recordsOf(lines map[string]int) int {
	n := 0
	for _, c := range lines {
		n += c
	}
	return n
}
