package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// peer is another engine that is measured in the same run: a program that takes
// files of rules, pipeline and events, and prints the rules, matches, and µs of
// CPU an event (peer/src/main.rs).
type peer struct {
	path, pipeline, events, dir string
}

// newPeer writes the files that stay the same.
func newPeer(path, pipeline string, ev lines) (*peer, error) {
	dir, err := os.MkdirTemp("", "sigma-peer")
	if err != nil {
		return nil, err
	}
	p := &peer{path: path, pipeline: pipeline, events: filepath.Join(dir, "events.jsonl"), dir: dir}
	if pipeline == "" {
		ours, err := os.ReadFile(builtin)
		if err != nil {
			return p, err
		}
		text, err := withoutChannels(string(ours))
		if err != nil {
			return p, err
		}
		p.pipeline = filepath.Join(dir, "pipeline.yml")
		if err := os.WriteFile(p.pipeline, []byte(text), 0o600); err != nil {
			return p, err
		}
	}
	n := len(ev.buf)
	if len(ev.at) > 0 {
		n = ev.at[len(ev.at)-1][1]
	}
	return p, os.WriteFile(p.events, ev.buf[:n], 0o600)
}

const builtin = "internal/sigma/builtin/windows.yml" // from the root of the repository

var channel = regexp.MustCompile(`Channel: *("[^"]*"|\[[^\]]*\]) *,? *`)

// withoutChannels takes the conditions on Channel from the text of our pipeline,
// and the steps that have no others. An index by equal values, as the peer has,
// is unselective with them: it files each rule under the Channel, which most of
// the events share, and tries them all. By EventID alone it is at its best, and
// has nearly the same matches.
func withoutChannels(pipeline string) (string, error) {
	steps := strings.Split(pipeline, "\n  - ")
	out := steps[:1]
	for _, s := range steps[1:] {
		t := channel.ReplaceAllString(s, "")
		if t != s && strings.Contains(t, "conditions: {}") {
			continue
		}
		out = append(out, t)
	}
	text := strings.Join(out, "\n  - ") + "\n"
	if len(out) == len(steps) || !strings.Contains(text, "EventID") {
		return "", fmt.Errorf("%s is not written as expected", builtin)
	}
	return text, nil
}

func (p *peer) close() {
	if p != nil {
		os.RemoveAll(p.dir)
	}
}

// measure returns the matches and µs an event under rules.
func (p *peer) measure(docs []string) (matches int, micros float64, err error) {
	rules := filepath.Join(p.dir, "rules.yml")
	if err := os.WriteFile(rules, []byte(strings.Join(docs, "\n---\n")), 0o600); err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(p.path, rules, p.pipeline, p.events)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", p.path, err)
	}
	n := 0
	if _, err := fmt.Sscan(string(out), &n, &matches, &micros); err != nil {
		return 0, 0, fmt.Errorf("%s printed %q: %w", p.path, out, err)
	}
	if n != len(docs) {
		return 0, 0, fmt.Errorf("%s loaded %d rules of %d", p.path, n, len(docs))
	}
	return matches, micros, nil
}
