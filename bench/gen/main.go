// Command gen writes generated security events, for examples and benchmarks:
//
//	go run ./bench/gen -n 1000000 -o w1.jsonl
package main

import (
	"bufio"
	"compress/gzip"
	"flag"
	"io"
	"log"
	"os"
	"strings"

	"github.com/runnelio/runnel/bench/events"
)

func main() {
	n := flag.Int("n", 1000, "number of events")
	seed := flag.Uint64("seed", 1, "seed: the same seed gives the same events")
	attack := flag.Float64("attack", 0.01, "share of events that belong to an attack")
	out := flag.String("o", "-", "file to write, gzip if it ends in .gz; - is the standard output")
	flag.Parse()
	if err := run(*out, *n, *seed, *attack); err != nil {
		log.Fatal(err)
	}
}

func run(path string, n int, seed uint64, attack float64) (err error) {
	var w io.Writer = os.Stdout
	if path != "-" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer func() {
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}()
		w = f
	}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		defer z.Close()
		w = z
	}
	b := bufio.NewWriterSize(w, 1<<20)
	g := events.New(seed)
	g.Attack = attack
	var line []byte
	for range n {
		line = g.Append(line[:0])
		if _, err := b.Write(line); err != nil {
			return err
		}
	}
	return b.Flush()
}
