// Command sigma measures how much CPU an event costs under Sigma rules, and how
// much memory their index holds:
//
//	go run ./bench/sigma -rules DIR -events FILE.jsonl.gz
//
// The rules that the built-in pipeline maps are taken in a fixed random order:
// the first 1, 10, 100, ... and all. With -mutate N there is a row more, of N
// rules: those given, and copies whose literals are changed. The events are
// read into memory first; each is found in its bytes, evaluated and forgotten.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/sigma"
)

func main() {
	rules := flag.String("rules", "", "folder of rules")
	events := flag.String("events", "", "file of JSON lines, gzip if it ends in .gz")
	sizes := flag.String("sizes", "1,10,100,995", "numbers of rules; all of them is added")
	mutate := flag.Int("mutate", 10_000, "a row more of so many rules, most of them mutated; 0: none")
	every := flag.Int("every", 1, "take every n-th event only")
	rounds := flag.Int("rounds", 1, "passes over the events; each begins with empty caches")
	id := flag.String("id-field", "_id", "field that keywords are not looked for in")
	peerPath := flag.String("peer", "", "program of another engine to measure beside, such as that of peer (how it is built is in peer/Cargo.toml)")
	pipeline := flag.String("peer-pipeline", "", "the pipeline for it; without one, ours without the conditions on Channel")
	flag.Parse()
	if *rules == "" || *events == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*rules, *events, *id, *sizes, *mutate, *every, *rounds, *peerPath, *pipeline); err != nil {
		log.Fatal(err)
	}
}

// lines are events in memory: places in one buffer.
type lines struct {
	buf []byte
	at  [][2]int
}

func read(path string, every int) (lines, error) {
	var l lines
	f, err := os.Open(path)
	if err != nil {
		return l, err
	}
	defer f.Close()
	r := io.Reader(f)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return l, err
		}
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return l, err
	}
	n := 0
	for line := range bytes.Lines(all) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if n++; n%every == 0 {
			l.at = append(l.at, [2]int{len(l.buf), len(l.buf) + len(line)})
			l.buf = append(append(l.buf, line...), '\n')
		}
	}
	l.buf = append(l.buf, make([]byte, json.Slack)...)
	return l, nil
}

func run(dir, path, id, sizes string, mutate, every, rounds int, peerPath, pipeline string) error {
	ev, err := read(path, every)
	if err != nil {
		return err
	}
	docs, err := texts(dir)
	if err != nil {
		return err
	}
	var other *peer
	if peerPath != "" {
		other, err = newPeer(peerPath, pipeline, ev)
		defer other.close()
		if err != nil {
			return err
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	rnd.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	fmt.Printf("%d events, %.1f MB; %d rules that the built-in pipeline maps\n", len(ev.at), float64(len(ev.buf))/1e6, len(docs))
	fmt.Printf("%8s %10s %12s %12s %12s %12s %12s %10s\n", "rules", "matches", "CPU µs/event", "memo hits", "index MB", "caches MB", "build ms", "heap MB")
	var counts []int
	for s := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return err
		}
		if n < len(docs) {
			counts = append(counts, n)
		}
	}
	for _, n := range append(counts, len(docs)) {
		if err := row(docs[:n], ev, id, rounds, other); err != nil {
			return err
		}
	}
	if mutate > len(docs) {
		if docs, err = mutated(docs, mutate, rnd); err != nil {
			return err
		}
		return row(docs, ev, id, rounds, other)
	}
	return nil
}

// texts are the rules of a folder that are run.
func texts(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := load([]string{string(text)})
		if err != nil {
			return err
		}
		if c.Count(sigma.OK) == 1 && len(c.Entries) == 1 {
			out = append(out, string(text))
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("no rules in %s", dir)
	}
	return out, err
}

func load(docs []string) (*sigma.Collection, error) {
	l, err := sigma.NewLoader(sigma.Options{})
	if err != nil {
		return nil, err
	}
	for i, d := range docs {
		l.Add(fmt.Sprintf("rule %d", i+1), []byte(d))
	}
	return l.Collection(), nil
}

func row(docs []string, ev lines, id string, rounds int, other *peer) error {
	start := time.Now()
	c, err := load(docs)
	if err != nil {
		return err
	}
	m, err := sigma.NewMatcher(c, id)
	if err != nil {
		return err
	}
	build := time.Since(start)
	for _, e := range c.Entries {
		if e.State != sigma.OK {
			return fmt.Errorf("%s: %s: %s", e.Key(), e.State, e.Why)
		}
	}
	c = nil
	debug.FreeOSMemory()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	heap := float64(mem.HeapAlloc)/1e6 - float64(len(ev.buf))/1e6
	best, matches := 0.0, 0
	var caches int64
	memo := 0.0
	for r := range rounds {
		t, err := m.NewTask()
		if err != nil {
			return err
		}
		matches = 0
		cpu := cpuSeconds()
		for _, at := range ev.at {
			hits, err := t.Match(ev.buf, at[0], at[1])
			if err != nil {
				return err
			}
			matches += len(hits)
		}
		if used := cpuSeconds() - cpu; r == 0 || used < best {
			best = used
		}
		st := t.Stats()
		caches, memo = st.Bytes, 100*float64(st.MemoHits)/max(1, float64(st.MemoHits+st.MemoMisses))
	}
	fmt.Printf("%8d %10d %12.2f %11.1f%% %12.1f %12.1f %12d %10.0f\n", m.Len(), matches, best/float64(len(ev.at))*1e6, memo, float64(m.Bytes())/1e6, float64(caches)/1e6,
		build.Milliseconds(), heap)
	if other == nil {
		return nil
	}
	n, micros, err := other.measure(docs)
	if err != nil {
		return err
	}
	fmt.Printf("%8s %10d %12.2f  %.1f times ours\n", "peer", n, micros, micros/(best/float64(len(ev.at))*1e6))
	return nil
}
