package cli

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/runnelio/runnel/internal/engine"
	"github.com/runnelio/runnel/internal/rulefile"
)

type rulesCmd struct {
	Add    rulesAddCmd    `cmd:"" help:"Add rules to a running job, or replace those of the same ids."`
	Remove rulesRemoveCmd `cmd:"" help:"Remove rules from a running job."`
	List   rulesListCmd   `cmd:"" help:"List the rules of a running job."`
	Stats  rulesStatsCmd  `cmd:"" help:"Show hits, last hit and candidates of each rule."`
}

// controlFlags say which job to talk to.
type controlFlags struct {
	Control string `help:"Control socket of the job, as given to run --control." required:"" type:"path" placeholder:"SOCKET"`
	RuleSet string `help:"Name of the set of rules, where the job has several: the name of its folder." placeholder:"NAME"`
}

type rulesAddCmd struct {
	Files  []string `arg:"" help:"Rule files or folders, YAML or JSON; - is standard input." type:"path"`
	NoWait bool     `help:"Do not wait until the change is in effect and durable."`
	controlFlags
}

func (c *rulesAddCmd) Run(a *app) error {
	r := engine.Request{Op: "add", Set: c.RuleSet, NoWait: c.NoWait}
	for _, f := range c.Files {
		if f == "-" {
			b, err := io.ReadAll(a.IO.In)
			if err != nil {
				return err
			}
			defs, err := rulefile.Parse(b)
			if err != nil {
				return rejected{err}
			}
			r.Rules = append(r.Rules, defs...)
			continue
		}
		defs, err := rulefile.Load(f)
		if err != nil {
			return rejected{err}
		}
		r.Rules = append(r.Rules, defs...)
	}
	return a.ask(c.Control, r, fmt.Sprintf("%d rules added", len(r.Rules)))
}

type rulesRemoveCmd struct {
	IDs    []string `arg:"" name:"ids" help:"Ids of the rules."`
	NoWait bool     `help:"Do not wait until the change is in effect and durable."`
	controlFlags
}

func (c *rulesRemoveCmd) Run(a *app) error {
	return a.ask(c.Control, engine.Request{Op: "remove", Set: c.RuleSet, IDs: c.IDs, NoWait: c.NoWait}, fmt.Sprintf("%d rules removed", len(c.IDs)))
}

// ask sends a change and says how long it took.
func (a *app) ask(socket string, r engine.Request, done string) error {
	res, err := engine.Ask(a.ctx, socket, r)
	if err != nil {
		return rejected{err}
	}
	if r.NoWait {
		done += ", in effect from the next barrier on"
	} else {
		done += fmt.Sprintf(", in effect and durable after %.1f ms", res.TookMs)
	}
	fmt.Fprintln(a.IO.Out, done)
	return nil
}

type rulesListCmd struct{ controlFlags }

func (c *rulesListCmd) Run(a *app) error {
	res, err := engine.Ask(a.ctx, c.Control, engine.Request{Op: "list", Set: c.RuleSet})
	if err != nil {
		return rejected{err}
	}
	w := tabwriter.NewWriter(a.IO.Out.(io.Writer), 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "id\twindow\tthreshold\tkey\tcondition")
	for _, r := range res.Rules {
		window := ""
		if r.Window > 0 {
			window = r.Window.String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.ID, window, number(r.Threshold), strings.Join(r.Key, ","), oneLine(r.Condition))
	}
	return w.Flush()
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

type rulesStatsCmd struct{ controlFlags }

func (c *rulesStatsCmd) Run(a *app) error {
	res, err := engine.Ask(a.ctx, c.Control, engine.Request{Op: "stats", Set: c.RuleSet})
	if err != nil {
		return rejected{err}
	}
	w := tabwriter.NewWriter(a.IO.Out.(io.Writer), 2, 8, 2, ' ', 0)
	fmt.Fprintln(w, "id\thits\tlast hit\tcandidates\t")
	for _, s := range res.Stats {
		last, note := "-", ""
		if s.LastHit > 0 {
			last = time.UnixMilli(s.LastHit).UTC().Format("2006-01-02 15:04:05")
		}
		if s.Unindexed {
			note = "not indexed: evaluated for every new combination of values"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, count(s.Hits), last, count(s.Candidates), note)
	}
	return w.Flush()
}

// control serves the control socket of the jobs of a script, nil if path is "".
func (r *scriptRun) control(path string) (func(), error) {
	if path == "" {
		return func() {}, nil
	}
	c, err := engine.Serve(r.a.ctx, path, r.running)
	if err != nil {
		return nil, rejected{err}
	}
	return func() {
		if err := c.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "control socket:", err)
		}
	}, nil
}

// collectLess lets garbage pile up while a script of many statements is compiled:
// nearly all of what is allocated then stays until the job runs, and looking
// through it again and again is a fifth of the time. What the environment says
// about the garbage collector holds.
func (r *scriptRun) collectLess(size int) {
	const large = 128 << 10 // bytes of SQL: some hundred statements
	if size >= large && os.Getenv("GOGC") == "" {
		r.gcPercent = debug.SetGCPercent(400)
	}
}

// collectAsUsual ends what collectLess began.
func (r *scriptRun) collectAsUsual() {
	if r.gcPercent != 0 {
		debug.SetGCPercent(r.gcPercent)
		r.gcPercent = 0
	}
}
