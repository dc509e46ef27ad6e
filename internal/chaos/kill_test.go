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

	"github.com/runnelio/runnel/internal/state/dir"
)

// TestChaosKills kills one-task jobs until the number of kills is reached.
func TestChaosKills(t *testing.T) {
	disturb(t, func(*rand.Rand) int { return 1 }, false)
}

// TestChaosRescale kills jobs that come back at another parallelism each time.
// The order of changes of different keys, and so of folded changes, may differ
// there: of changelogs the rows they leave are compared.
func TestChaosRescale(t *testing.T) {
	disturb(t, func(r *rand.Rand) int { return []int{1, 4, 3}[r.IntN(3)] }, true)
}

func disturb(t *testing.T, parallel func(*rand.Rand) int, fold bool) {
	seed, total := seedOf(t), kills(t)
	r := rand.New(rand.NewPCG(seed, 0))
	data := folder(t)
	input(t, data, 35_000)
	if _, err := binary(); err != nil {
		t.Fatal(err) // built now, not while the undisturbed run is timed
	}
	began := time.Now()
	want := undisturbed(t, data, 1)
	length := time.Since(began)
	if fold {
		want = want.fold(t)
	}
	killed, jobs, partly, restored, inCommit := 0, 0, 0, 0, 0
	for killed < total {
		j := newJob(t, data)
		jobs++
		for lives := 0; ; lives++ {
			if lives > 200 {
				t.Fatal("the job does not come to its end")
			}
			last := lastEpoch(j)
			var said bytes.Buffer
			c := j.command(parallel(r), &said)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			dead := make(chan error, 1)
			go func() { dead <- c.Wait() }()
			limit := time.Hour
			if killed < total {
				limit = time.Duration(r.Int64N(int64(length)*2/3 + int64(50*time.Millisecond)))
			}
			var err error
			ended := true
			select {
			case err = <-dead:
			case <-time.After(limit):
				_ = c.Process.Kill()
				err = <-dead
				ended = c.ProcessState.Exited()
			}
			if ended && err != nil {
				t.Fatalf("after %d kills: %v\n%s", killed, err, said.String())
			}
			if last > 0 && strings.Contains(said.String(), "goes on from") {
				restored++
				if !strings.Contains(said.String(), fmt.Sprintf("goes on from epoch %d, ", last)) {
					t.Fatalf("the last commit is %d, but the job says:\n%s", last, said.String())
				}
			}
			got := j.records()
			if fold && !ended {
				for _, s := range []string{"grp", "fst"} {
					delete(got, s) // parts of changelogs are no parts of what they leave
				}
			} else if fold {
				got = got.fold(t)
			}
			if ended {
				if d := got.differ(want, false); d != "" {
					t.Fatalf("after %d kills the output differs:\n%s", killed, d)
				}
				again(t, j, got.count())
				break
			}
			killed++
			if d := got.differ(want, true); d != "" {
				t.Fatalf("after %d kills more is visible than there is:\n%s", killed, d)
			}
			if got.count() > 0 {
				partly++
			}
			if names, _ := filepath.Glob(filepath.Join(j.stateDir(), "*.tmp")); len(names) > 0 {
				inCommit++
			}
			if r.IntN(3) == 0 {
				tear(t, j, r)
			}
		}
	}
	t.Logf("%d kills, %d of them while state was written, of %d jobs; something was visible after %d; %d went on from a commit", killed, inCommit, jobs, partly, restored)
	if partly == 0 || restored == 0 {
		t.Error("nothing became visible before the end, or no job went on from a commit: the test shows nothing")
	}
}

// lastEpoch is the epoch of the last commit, 0 if there is none.
func lastEpoch(j *job) int64 {
	infos, err := dir.List(j.stateDir())
	if err != nil || len(infos) == 0 {
		return 0
	}
	return infos[len(infos)-1].Epoch
}

// again runs a job that has ended: it says so, succeeds and writes nothing.
func again(t *testing.T, j *job, records int) {
	t.Helper()
	names := func() string {
		out, err := exec.Command("find", j.out()).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	before := names()
	var said bytes.Buffer
	if err := j.command(1, &said).Run(); err != nil {
		t.Fatalf("a job that has ended: %v\n%s", err, said.String())
	}
	if !strings.Contains(said.String(), "nothing to do") {
		t.Errorf("a job that has ended says %q", said.String())
	}
	if names() != before {
		t.Error("a job that has ended wrote files")
	}
}

// tear leaves what a torn write of the next commit may leave.
func tear(t *testing.T, j *job, r *rand.Rand) {
	infos, err := dir.List(j.stateDir())
	if err != nil || len(infos) == 0 {
		return
	}
	last := infos[len(infos)-1]
	b, err := os.ReadFile(last.File)
	if err != nil {
		t.Fatal(err)
	}
	next := filepath.Join(j.stateDir(), fmt.Sprintf("commit-%016d", last.Epoch+1))
	if _, err := os.Stat(next); err == nil {
		return
	}
	torn := b[:r.IntN(len(b))]
	for name, body := range map[string][]byte{next: torn, next + ".tmp": b, filepath.Join(j.stateDir(), "data-000000999999"): torn} {
		if err := os.WriteFile(name, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
