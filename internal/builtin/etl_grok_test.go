package builtin

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/vector"
)

type grokCase struct {
	ID, Mode, Match, Input string
	Checks                 []struct {
		Path  []string
		Op    string
		Value any
		Not   bool
	}
}

func readGrokLibrary(t *testing.T, mode string) map[string]string {
	t.Helper()
	lib := map[string]string{}
	files, err := filepath.Glob(filepath.Join(corpus.Real(t, "grok", "patterns", mode), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no patterns", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		part, err := parseGrokLibrary(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for k, v := range part {
			lib[k] = v
		}
	}
	return lib
}

// grokMatch returns the fields of a text, nested at points; nil without a match.
func grokMatch(t *testing.T, g *grok, s string) map[string]any {
	t.Helper()
	ok, err := g.matcher.Find(s, 0)
	if err != nil {
		t.Error(err)
	}
	if !ok {
		return nil
	}
	m := map[string]any{}
	for _, f := range g.fields {
		v := vector.New(f.typ, 0)
		f.put(v, s, g.matcher)
		val := vector.Get(v, 0)
		if val == nil || val == "" {
			continue // as in the recorded answers
		}
		if n, ok := val.(int64); ok {
			val = float64(n)
		}
		at := m
		path := strings.Split(f.name, ".")
		for _, p := range path[:len(path)-1] {
			next, ok := at[p].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[p] = next
			}
			at = next
		}
		at[path[len(path)-1]] = val
	}
	return m
}

// included tells whether everything in want is in got.
func included(want, got any) bool {
	w, ok := want.(map[string]any)
	if !ok {
		if l, ok := want.([]any); ok { // several values of a field: ours is one of them
			return slices.ContainsFunc(l, func(w any) bool { return w == got })
		}
		return want == got
	}
	if sub, ok := w["$including"]; ok {
		return included(sub, got)
	}
	g, ok := got.(map[string]any)
	for k := range w {
		ok = ok && included(w[k], g[k])
	}
	return ok
}

// TestGrokAgreesWithRealPatterns compiles pattern collections in wide use and
// compares with their recorded answers.
func TestGrokAgreesWithRealPatterns(t *testing.T) {
	t.Parallel()
	libs := map[string]map[string]string{}
	f, err := os.Open(corpus.Real(t, "grok", "cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, good := 0, 0
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var c grokCase
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(c.Match, " - ") {
			continue // the name of a test, no pattern
		}
		if libs[c.Mode] == nil {
			libs[c.Mode] = readGrokLibrary(t, c.Mode)
		}
		g, err := compileGrok(c.Match, libs[c.Mode])
		if err != nil {
			t.Logf("%s %s: %v", c.ID, c.Match, err)
			cases++
			continue
		}
		got := grokMatch(t, g, c.Input)
		if _, has := got["message"]; got != nil && !has {
			got["message"] = c.Input // the field the text was in
		}
		ok := true
		for _, k := range c.Checks {
			if len(k.Path) == 1 && k.Path[0] == "tags" && k.Op == "has_key" { // the tag of a text that does not match
				if (got == nil) == k.Not {
					ok = false
					t.Logf("%s %s: matches: %v", c.ID, c.Match, got != nil)
				}
				continue
			}
			var at any = map[string]any(nil)
			if got != nil {
				at = got
			}
			for _, p := range k.Path {
				m, _ := at.(map[string]any)
				at = m[p]
			}
			var holds bool
			switch k.Op {
			case "eq":
				holds = included(k.Value, at)
			case "include":
				holds = got != nil && included(k.Value, at)
			case "pass":
				holds = got != nil
			case "has_key":
				m, isMap := at.(map[string]any)
				name, _ := k.Value.(string)
				if _, holds = m[name]; !isMap {
					holds = at == name
				}
			default:
				continue
			}
			if holds == k.Not {
				ok = false
				t.Logf("%s %s: %v %s %v (not %v), got %v", c.ID, c.Match, k.Path, k.Op, k.Value, k.Not, at)
			}
		}
		cases++
		if ok {
			good++
		}
	}
	t.Logf("%d of %d cases agree", good, cases)
	if good != cases {
		t.Errorf("only %d of %d cases agree", good, cases)
	}
}

func TestGrokPatternsCompile(t *testing.T) {
	t.Parallel()
	lib, err := parseGrokLibrary(grokPatterns)
	if err != nil {
		t.Fatal(err)
	}
	for name := range lib {
		if _, err := compileGrok("%{"+name+":x}", lib); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := func(pattern, text string, want bool) {
		t.Helper()
		g, err := compileGrok("^%{"+pattern+"}$", lib)
		if err != nil {
			t.Fatal(err)
		}
		if got := grokMatch(t, g, text) != nil; got != want {
			t.Errorf("%s of %q: %v", pattern, text, got)
		}
	}
	for _, ip := range []string{"::1", "::", "fe80::1%eth0", "2001:db8:0:1:1:1:1:1", "1::2:3", "::ffff:10.0.0.1", "10.0.0.1"} {
		f("IP", ip, true)
	}
	for _, ip := range []string{"1.2.3.256", ":::", "1:2", "1.2.3"} {
		f("IP", ip, false)
	}
	f("TIMESTAMP_ISO8601", "2024-02-29T12:34:56.789+08:00", true)
	f("HTTPDATE", "24/Feb/2015:23:13:42 +0000", true)
	f("MAC", "00:1A:2b:3c:4d:5e", true)
	f("URI", "https://user:pw@example.org:8080/a/b?c=d", true)
	f("EMAILADDRESS", "a.b+c@example.org", true)
	f("UUID", "123e4567-e89b-12d3-a456-426614174000", true)
	f("QS", `"a\"b"`, true)
	f("WINPATH", `C:\Windows\System32`, true)
	f("UNIXPATH", "/usr/local/bin", true)
	f("SYSLOG5424LINE", "<30>1 2014-04-04T16:44:07+02:00 osctrl01 dnsmasq-dhcp 8048 - - DHCPREQUEST(eth0) 10.1.2.3", true)
	f("JAVASTACKTRACEPART", "\tat com.sample.stacktrace.StackTraceExample.aMethod(StackTraceExample.java:42)", true)
	f("HTTPD_ERRORLOG", "[Mon Aug 31 09:30:48.958285 2015] [proxy_fcgi:error] [pid 28787:tid 140169587934976] [client 58.13.45.166:59307] AH01071: Got error", true)
}
