package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	n := len(ev.buf)
	if len(ev.at) > 0 {
		n = ev.at[len(ev.at)-1][1]
	}
	return p, os.WriteFile(p.events, ev.buf[:n], 0o600)
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
