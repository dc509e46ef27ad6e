package cli_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
)

// event is the slow way to an event: a map.
type event map[string]any

func (e event) text(field string) string {
	s, _ := e[field].(string)
	return s
}

// matches are the rules of examples/detect/detect.sql once more, as plain Go.
var matches = func() []struct {
	name string
	is   func(e event) bool
} {
	has := strings.Contains
	registry := regexp.MustCompile(`(?i)reg\s+save\s+HKLM.(SAM|SYSTEM|SECURITY)`)
	encoded := regexp.MustCompile(`(?i)-e(nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{20,}`)
	admins := regexp.MustCompile(`(?i)net1?(\.exe)?\s+group\s+"Domain Admins".*/add`)
	type rule = struct {
		name string
		is   func(e event) bool
	}
	process := func(name string, is func(e event, line string) bool) rule {
		return rule{name, func(e event) bool {
			line, ok := e["CommandLine"].(string)
			return e["EventID"] == float64(1) && ok && is(e, line)
		}}
	}
	image := func(e event, end string) bool { return strings.HasSuffix(e.text("Image"), end) }
	return []rule{
		process("credential-dumping-mimikatz", func(_ event, l string) bool { return has(l, "sekurlsa::") }),
		process("credential-dumping-lsass", func(_ event, l string) bool {
			i := strings.Index(l, "comsvcs.dll")
			return i >= 0 && has(l, "MiniDump")
		}),
		process("credential-dumping-registry", func(_ event, l string) bool { return registry.MatchString(l) }),
		process("powershell-encoded", func(e event, l string) bool { return image(e, `\powershell.exe`) && encoded.MatchString(l) }),
		process("shadow-copies-deleted", func(e event, l string) bool { return image(e, `\vssadmin.exe`) && has(l, "delete shadows") }),
		process("download-certutil", func(e event, l string) bool { return image(e, `\certutil.exe`) && has(l, "urlcache") }),
		process("download-bitsadmin", func(e event, l string) bool { return image(e, `\bitsadmin.exe`) && has(l, "/transfer") }),
		process("script-from-the-net", func(e event, l string) bool { return image(e, `\mshta.exe`) && has(l, "http") }),
		process("persistence-task", func(e event, l string) bool {
			return image(e, `\schtasks.exe`) && has(l, "/create") && has(l, "Public")
		}),
		process("log-cleared", func(e event, l string) bool { return image(e, `\wevtutil.exe`) && has(l, " cl ") }),
		process("domain-admin-added", func(_ event, l string) bool { return admins.MatchString(l) }),
		{"web-server-shell", func(e event) bool {
			return e["EventID"] == float64(1) && strings.HasSuffix(e.text("ParentImage"), `\w3wp.exe`)
		}},
		{"logon-failed-administrator", func(e event) bool {
			return e["EventID"] == float64(4625) && e.text("LogonType") == "3" && e.text("TargetUserName") == "administrator"
		}},
	}
}()

// slow are the alerts of a file of events, "id rule", sorted.
func slow(t *testing.T, path, id string) (alerts []string, read int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		read++
		e := event{}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("line %d: %v", read, err)
		}
		for _, m := range matches {
			if m.is(e) {
				alerts = append(alerts, e.text(id)+" "+m.name)
				break
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(alerts)
	return alerts, read
}

// TestDetect runs the main job over the shipped events and over real ones, and
// compares its alerts with those of a loop over maps.
func TestDetect(t *testing.T) {
	t.Parallel()
	root := corpus.Root(t)
	script, err := os.ReadFile(filepath.Join(root, "examples", "detect", "detect.sql"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(t *testing.T, script, path, id string, atLeast int) {
		want, read := slow(t, path, id)
		if len(want) < atLeast {
			t.Fatalf("only %d alerts: the test shows nothing", len(want))
		}
		p := start(t, map[string]string{"detect.sql": strings.Replace(script, "'events.jsonl.gz'", "'"+path+"'", 1)}, "run", "detect.sql")
		if code := p.wait(t); code != 0 {
			t.Fatalf("exit code %d: %s", code, p.err.String())
		}
		var got []string
		hosts := map[string]map[string]int{}
		for _, part := range globbed(t, filepath.Join(p.dir, "alerts", "part-*")) {
			text, err := os.ReadFile(part)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				var a struct{ Event, Rule, Host string }
				if err := json.Unmarshal([]byte(line), &a); err != nil {
					t.Fatal(err)
				}
				got = append(got, a.Event+" "+a.Rule)
				if hosts[a.Host] == nil {
					hosts[a.Host] = map[string]int{}
				}
				hosts[a.Host][a.Rule]++
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d alerts, want %d\ngot  %.500v\nwant %.500v", len(got), len(want), got, want)
		}
		if summary := fmt.Sprintf("%s rows read", thousands(read)); !strings.Contains(p.err.String(), summary) {
			t.Errorf("summary without %q: %s", summary, p.err.String())
		}
		// What is printed a host comes to the counts of the alerts.
		final := map[string]bool{}
		for line := range strings.Lines(p.out.String()) {
			kind, row, _ := strings.Cut(strings.TrimSpace(line), "[")
			if kind == "+I" || kind == "+U" {
				final[row] = true
			} else {
				delete(final, row)
			}
		}
		counts := map[string]bool{}
		for host, rules := range hosts {
			n := 0
			for _, k := range rules {
				n += k
			}
			if len(rules) >= 5 {
				counts[fmt.Sprintf("%s, %d, %d]", host, len(rules), n)] = true
			}
		}
		if !maps.Equal(final, counts) {
			t.Errorf("counts of hosts\n%v\nwant\n%v", final, counts)
		}
	}
	t.Run("shipped", func(t *testing.T) {
		check(t, string(script), filepath.Join(root, "examples", "detect", "events.jsonl.gz"), "record_id", 200)
	})
	t.Run("real", func(t *testing.T) {
		path := corpus.Real(t, "windows", "events.jsonl.gz")
		// Real events call two fields otherwise, and have no ts.
		real := string(script)
		for _, r := range [][2]string{{"record_id        STRING,", "`_id` STRING, record_id AS `_id`,"}, {"host             STRING,", "Hostname STRING, host AS Hostname,"}} {
			if !strings.Contains(real, r[0]) {
				t.Fatalf("the script has no %q", r[0])
			}
			real = strings.Replace(real, r[0], r[1], 1)
		}
		check(t, real, path, "_id", 10)
	})
}

func globbed(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
