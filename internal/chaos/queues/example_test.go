package queues

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/internal/services/servicetest"
)

// TestExampleRocketMQ runs examples/rocketmq as its README does, on topics of its own.
func TestExampleRocketMQ(t *testing.T) {
	addr := servicetest.RocketMQ(t)
	visits, slow := newName(), newName()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "examples", "rocketmq", name))
		if err != nil {
			t.Fatal(err)
		}
		return strings.NewReplacer("'visits'", "'"+visits+"'", "'slow_visits'", "'"+slow+"'", "127.0.0.1:9876", addr, "'visits-per-user'", "'"+visits+"'").Replace(string(b))
	}
	dir := t.TempDir()
	if p := run(t, dir, read("produce.sql")); p.wait(t, time.Minute) != 0 {
		t.Fatal(p.said.String())
	}
	// What must come of it, counted by hand.
	c, err := remoting.New(remoting.Config{NameServers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	r, err := c.FetchRoute(ctx, visits)
	if err != nil {
		t.Fatal(err)
	}
	type visit struct {
		User   int `json:"user_id"`
		Millis int
		Ts     string
	}
	var all []visit
	low := "9" // the watermark: the lowest of the queues' last times
	for _, q := range r.Read {
		last := ""
		for at, end := int64(0), int64(1); at < end; {
			if end, err = c.MaxOffset(ctx, q); err != nil {
				t.Fatal(err)
			}
			if end == 0 {
				break
			}
			var m remoting.Messages
			if err := c.Pull(ctx, remoting.PullRequest{Queue: q, Group: "example_check", Offset: at, Max: 1000}, &m); err != nil {
				t.Fatal(err)
			}
			for _, msg := range m.List {
				var v visit
				if err := json.Unmarshal(msg.Body, &v); err != nil {
					t.Fatal(err)
				}
				v.Ts = strings.Replace(v.Ts, "T", " ", 1)
				all, last = append(all, v), v.Ts
			}
			at = m.Next
		}
		low = min(low, last) // a queue without messages holds all windows open
	}
	if len(all) != 20000 {
		t.Fatalf("%d visits, not 20000", len(all))
	}
	want := map[string][2]int{}
	for _, v := range all {
		at, err := time.Parse("2006-01-02 15:04:05.999", v.Ts)
		if err != nil {
			t.Fatal(err)
		}
		w := at.Truncate(10 * time.Second)
		if v.Millis > 300 && low != "" && w.Add(11*time.Second).Format(stamp) <= low {
			key := fmt.Sprintf("%d %s", v.User, w.Format(stamp))
			n := want[key]
			want[key] = [2]int{n[0] + 1, max(n[1], v.Millis)}
		}
	}
	if len(want) == 0 && low != "" {
		t.Fatal("no window is over: the test shows nothing")
	}
	var lines []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		lines = append(lines, fmt.Sprintf("%s %d %d", k, want[k][0], want[k][1]))
	}
	job := run(t, dir, read("job.sql"), "--state-dir", "state")
	rows := regexp.MustCompile(`(?m)^\| \+I \|\s*(\d+)\s*\W\s*(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*)\s*\W\s*(\d+)\s*\W\s*(\d+)`)
	var got []string
	consume := read("consume.sql")
	side := t.TempDir()
	for end := time.Now().Add(time.Minute); ; {
		p := run(t, side, consume)
		code := p.wait(t, time.Minute)
		if code != 0 && time.Now().After(end) {
			t.Fatalf("consume: exit code %d: %s", code, p.said.String())
		}
		got = nil
		for _, m := range rows.FindAllStringSubmatch(p.said.String(), -1) {
			at, err := time.Parse("2006-01-02 15:04:05.999", m[2])
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", m[1], at.Format(stamp), m[3], m[4]))
		}
		if code == 0 && len(got) >= len(lines) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d rows of %d\n%s\njob: %s", len(got), len(lines), p.said.String(), job.said.String())
		}
		time.Sleep(300 * time.Millisecond)
	}
	slices.Sort(got)
	slices.Sort(lines)
	if !slices.Equal(got, lines) {
		t.Errorf("%d rows, not %d; first difference: %s", len(got), len(lines), difference(got, lines))
	}
	_ = job.Process.Signal(syscall.SIGTERM)
	if code := job.wait(t, 30*time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, job.said.String())
	}
	t.Logf("%d rows", len(got))
}
