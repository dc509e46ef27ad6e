package difftest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/optimize"
)

// outcome is what became of a case.
type outcome struct {
	skipped string // why it was not run, "" if it was
	kills   int
	rows    int // of the result
	failed  *failure
}

// failure is a difference between the model and a world.
type failure struct {
	seed   uint64
	last   *step
	tables []*table
	world  world
	why    string
}

// worlds are those a case runs in: row by row; in batches, mostly with some
// optimiser rules off; in four tasks; killed and restarted.
func worlds(r *rand.Rand, certain bool) []world {
	sizes := []int{1, 3, 1024}
	size := func() int { return sizes[r.IntN(3)] }
	one := []int{1}
	out := []world{{batch: 1, parallel: one}}
	rules := []string{"share"}
	for _, rule := range optimize.Rules() {
		rules = append(rules, rule.Name)
	}
	var off []string
	for _, name := range rules {
		if r.IntN(3) == 0 {
			off = append(off, name)
		}
	}
	if r.IntN(4) == 0 {
		off = rules
	}
	out = append(out, world{batch: sizes[1+r.IntN(2)], parallel: one, off: strings.Join(off, ",")})
	many := one
	if certain {
		out = append(out, world{batch: size(), parallel: []int{4}})
		many = [][]int{{1}, {4}, {1, 4, 3}, {2, 1}}[r.IntN(4)]
	}
	return append(out, world{batch: size(), parallel: many, restarts: true})
}

// model computes the final rows of a step as text.
func model(s *step) (rows []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != errTooLarge {
				panic(p)
			}
			err = errTooLarge
		}
	}()
	for _, e := range s.result(map[*step]*rel{}).rows {
		parts := make([]string, len(s.cols))
		for i, c := range s.cols {
			parts[i] = show(e.row[i], c.typ)
		}
		rows = append(rows, strings.Join(parts, " | "))
	}
	slices.Sort(rows)
	return rows, nil
}

// used are the tables that a step reads.
func used(s *step) (out []*table) {
	s.below(map[*step]bool{}, func(x *step) {
		if x.table != nil {
			out = append(out, x.table)
		}
	})
	return out
}

// differs runs a step in a world and tells how its rows are not want.
func differs(ctx context.Context, s *step, w world, want []string) (why string, kills int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	changes, kills, err := run(ctx, used(s), s.query(), w)
	if err != nil {
		if errors.Is(err, errRefused) && !strings.Contains(err.Error(), "panic") {
			return "", 0, err
		}
		return "it fails: " + err.Error(), kills, nil
	}
	got, err := fold(changes, len(w.parallel) == 1 && w.parallel[0] == 1)
	if err != nil {
		return err.Error() + "\nchangelog:\n" + listed(changes), kills, nil
	}
	if !slices.Equal(got, want) {
		return "rows differ\n got:\n  " + strings.Join(got, "\n  ") + "\nwant:\n  " + strings.Join(want, "\n  ") + "\nchangelog:\n" + listed(changes), kills, nil
	}
	return "", kills, nil
}

func listed(changes [][]string) string {
	var b strings.Builder
	for i, r := range changes {
		if i == 60 {
			fmt.Fprintf(&b, "  … %d more\n", len(changes)-i)
			break
		}
		b.WriteString("  " + strings.Join(r, " | ") + "\n")
	}
	return b.String()
}

// try runs the case of a seed in all its worlds.
func try(ctx context.Context, seed uint64) outcome {
	s := newCase(seed)
	want, err := model(s)
	if err != nil {
		return outcome{skipped: err.Error()}
	}
	out := outcome{rows: len(want)}
	for _, w := range worlds(rand.New(rand.NewPCG(seed, 0x3017d)), !s.uncertain()) {
		why, kills, err := differs(ctx, s, w, want)
		out.kills += kills
		if err != nil {
			return outcome{skipped: err.Error()}
		}
		if why != "" {
			out.failed = &failure{seed, s, used(s), w, why}
			return out
		}
	}
	return out
}

// shrink makes a failure smaller: a step before the last, fewer rows.
func (f *failure) shrink(ctx context.Context) {
	until := time.Now().Add(20 * time.Second)
	fails := func(s *step) (string, bool) {
		if time.Now().After(until) {
			return "", false
		}
		want, err := model(s)
		if err != nil {
			return "", false
		}
		for range 1 + 2*len(f.world.parallel) { // what depends on chance gets a few
			why, _, err := differs(ctx, s, f.world, want)
			if err != nil {
				return "", false
			}
			if why != "" {
				return why, true
			}
			if !f.world.restarts && len(f.world.parallel) == 1 && f.world.parallel[0] == 1 {
				break
			}
		}
		return "", false
	}
	for smaller := true; smaller; {
		smaller = false
		for _, in := range f.last.inputs {
			if why, ok := fails(in); ok && !in.versions {
				f.last, f.why, smaller = in, why, true
				break
			}
		}
	}
	f.tables = used(f.last)
	for _, t := range f.tables {
		for n := max(1, len(t.changes)/2); n > 0; n /= 2 {
			for i := 0; i+n <= len(t.changes); {
				old := t.changes
				t.changes = slices.Concat(old[:i:i], old[i+n:])
				if t.valid() {
					if why, ok := fails(f.last); ok {
						f.why = why
						continue
					}
				}
				t.changes = old
				i++
			}
		}
	}
}

// valid tells whether the changes of a table make sense.
func (t *table) valid() bool {
	if !t.log {
		return true
	}
	count, keys := map[string]int{}, map[string]int{}
	for i := range t.changes {
		c := t.changes[i]
		if c.update && (i == 0 || !t.changes[i-1].minus) {
			return false
		}
		d := 1
		if c.minus {
			d = -1
		}
		k := keyOf(c.row...)
		if count[k] += d; count[k] < 0 {
			return false
		}
		if t.key >= 0 {
			if keys[keyOf(c.row[t.key])] += d; keys[keyOf(c.row[t.key])] > 1 {
				return false
			}
		}
	}
	return true
}

// String is the failure as a script that the binary runs.
func (f *failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- seed %d, %s\n-- %s\n", f.seed, f.world, strings.ReplaceAll(strings.TrimSpace(f.why), "\n", "\n-- "))
	life := len(f.world.parallel) - 1
	for _, k := range []string{"pipeline.auto-watermark-interval", "runnel.batch-size", "parallelism.default", "runnel.optimizer.disable"} {
		fmt.Fprintf(&b, "SET '%s' = '%s';\n", k, f.world.settings(life)[k])
	}
	for _, t := range f.tables {
		fmt.Fprintf(&b, "-- %s.json:\n", t.name)
		for _, l := range t.lines() {
			b.WriteString("--   " + l + "\n")
		}
		b.WriteString(t.ddl(fmt.Sprintf("'connector' = 'filesystem', 'path' = '%s.json'", t.name)) + ";\n")
	}
	b.WriteString(f.last.query() + ";\n")
	return b.String()
}
