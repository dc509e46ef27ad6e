package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/sigma"
	"github.com/runnelio/runnel/internal/sql"
)

type sigmaCmd struct {
	Check   sigmaCheckCmd   `cmd:"" help:"Tell of each rule whether it can be run, and why not."`
	Convert sigmaConvertCmd `cmd:"" help:"Print rules as SQL."`
	Run     sigmaRunCmd     `cmd:"" help:"Run rules over JSON lines and write a line for each hit."`
}

// sigmaFlags are of all commands that load rules.
type sigmaFlags struct {
	Rules         []string `required:"" help:"Files, or folders of .yml files, with rules, filters and correlations." type:"path" placeholder:"DIR"`
	Pipeline      []string `help:"Pipelines: files, or windows-audit; windows (Sysmon and channels) is applied to rules that no other maps." placeholder:"FILE"`
	NoBuiltin     bool     `help:"Leave the pipeline windows out."`
	AllLogsources bool     `help:"Also run rules whose log source no pipeline maps, on all events." name:"all-logsources"`
}

func (f *sigmaFlags) load() (*sigma.Collection, error) {
	opt := sigma.Options{NoBuiltin: f.NoBuiltin, AllLogSources: f.AllLogsources}
	for _, name := range f.Pipeline {
		p, err := sigma.LoadPipeline(name)
		if err != nil {
			return nil, rejected{err}
		}
		opt.Pipelines = append(opt.Pipelines, p)
	}
	c, err := sigma.Load(f.Rules, opt)
	if err != nil {
		return nil, rejected{err}
	}
	if len(c.Entries) == 0 {
		return nil, rejected{fmt.Errorf("no rules in %s", strings.Join(f.Rules, ", "))}
	}
	return c, nil
}

type sigmaCheckCmd struct {
	sigmaFlags
	Problems bool `help:"Leave out the rules that are run."`
}

func (c *sigmaCheckCmd) Run(a *app) error {
	rules, err := c.load()
	if err != nil {
		return err
	}
	m, err := sigma.NewMatcher(rules) // it may refuse rules too
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.IO.Out)
	for _, e := range rules.Entries {
		switch {
		case e.State == sigma.OK && c.Problems:
		case e.State == sigma.OK && e.Muted:
			fmt.Fprintf(out, "%s:%d: %s: ok, in correlations only\n", e.File, e.Line, e.Key())
		case e.State == sigma.OK:
			fmt.Fprintf(out, "%s:%d: %s: ok\n", e.File, e.Line, e.Key())
		case e.Rule == nil:
			fmt.Fprintf(out, "%s:%d: %s: %s\n", e.File, e.Line, e.State, e.Why)
		default:
			fmt.Fprintf(out, "%s:%d: %s: %s: %s\n", e.File, e.Line, e.Key(), e.State, e.Why)
		}
	}
	fmt.Fprintln(out, sigmaCounts(rules))
	if names := m.Unindexed(); len(names) > 0 {
		fmt.Fprintf(out, "tried for nearly every event, having no text that must be there: %s\n", strings.Join(names, ", "))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if rules.Count(sigma.NotImported) > 0 {
		return errSilent(ExitRejected)
	}
	return nil
}

func sigmaCounts(c *sigma.Collection) string {
	return fmt.Sprintf("%d ok, %d not run, %d not imported", c.Count(sigma.OK), c.Count(sigma.NotRun), c.Count(sigma.NotImported))
}

type sigmaConvertCmd struct {
	sigmaFlags
	Table string `help:"Table that the views read; its columns are STRING and called as the fields." default:"events"`
	DDL   bool   `help:"Print a CREATE TABLE with the columns that the rules read, over a file, to begin from."`

	TimestampField string `help:"Column with the time of an event, for correlations; it has a watermark." default:"@timestamp" placeholder:"NAME"`
}

func (c *sigmaConvertCmd) Run(a *app) error {
	rules, err := c.load()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.IO.Out)
	left, n := 0, 0
	if c.DDL {
		fmt.Fprintf(out, "%s\n", sigmaTable(rules, c.Table, c.TimestampField))
	}
	for _, e := range rules.Entries {
		if e.State == sigma.NotRun {
			left++
			fmt.Fprintf(out, "-- %s: not run: %s\n\n", e.Key(), e.Why)
			continue
		}
		text, err := e.SQL(c.Table, "sigma_"+sqlName(e.Key()), c.TimestampField)
		if err != nil {
			left++
			fmt.Fprintf(out, "-- %s has no SQL form: %s\n\n", strings.Join(strings.Fields(e.Key()), " "), err)
			continue
		}
		n++
		fmt.Fprintf(out, "%s\n", text)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(a.IO.Err, "%d rules converted, %d not\n", n, left)
	if rules.Count(sigma.NotImported) > 0 {
		return errSilent(ExitRejected)
	}
	return nil
}

// sigmaTable is a table with the columns that rules read; with a time if there are
// correlations.
func sigmaTable(c *sigma.Collection, name, rowtime string) string {
	fields := map[string]bool{}
	timed := false
	for _, e := range c.Entries {
		if e.State != sigma.OK {
			continue
		}
		if _, err := e.SQL(name, "v", rowtime); err != nil {
			continue
		}
		timed = timed || e.Rule.Correlation != nil
		for _, f := range e.Fields() {
			fields[f] = true
		}
	}
	delete(fields, map[bool]string{true: rowtime}[timed])
	var cols []string
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		cols = append(cols, "  "+sql.Quote(f)+" STRING")
	}
	format := "json'"
	if timed {
		at := sql.Quote(rowtime)
		cols = append(cols, "  "+at+" TIMESTAMP_LTZ(3)", "  WATERMARK FOR "+at+" AS "+at+" - INTERVAL '1' MINUTE")
		format += ",\n  'json.timestamp-format.standard' = 'ISO-8601'"
	}
	return fmt.Sprintf("CREATE TABLE %s (\n%s\n) WITH (\n  'connector' = 'filesystem',\n  'path' = 'events.jsonl',\n  'format' = '%s\n);\n", sql.Quote(name), strings.Join(cols, ",\n"), format)
}

// sqlName makes a name of a rule's id.
func sqlName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, id)
}

type sigmaRunCmd struct {
	sigmaFlags
	Input          []string `required:"" help:"Files of JSON lines, compressed if they end in .gz, .zst or .bz2; - is standard input." placeholder:"FILE"`
	Output         string   `short:"o" help:"File for the hits; - is standard output." default:"-" placeholder:"FILE"`
	IDField        string   `help:"Field whose value is written as event_id; keywords are not looked for in it." placeholder:"NAME"`
	TimestampField string   `help:"Field with the time of an event, for correlations." default:"@timestamp" placeholder:"NAME"`
	Parallelism    int      `help:"Threads that evaluate rules; 0 means one a processor. The output does not depend on it." default:"0" placeholder:"N"`
	Strict         bool     `help:"End at the first line that is no JSON object; otherwise they are left out and counted."`
	Stats          bool     `help:"Print the number of hits of each rule."`
	Progress       string   `help:"Show a progress bar: auto (on a terminal), on, off." enum:"auto,on,off" default:"auto"`
	Quiet          bool     `short:"q" help:"No progress bar, no report of rules, no summary."`
}

func (c *sigmaRunCmd) Run(a *app) (err error) {
	rules, err := c.load()
	if err != nil {
		return err
	}
	unsearched := []string{}
	if c.IDField != "" {
		unsearched = append(unsearched, c.IDField)
	}
	m, err := sigma.NewMatcher(rules, unsearched...)
	if err != nil {
		return err
	}
	if !c.Quiet {
		sigmaReport(a.IO.Err, rules)
	}
	if m.Len() == 0 {
		return rejected{errors.New("no rule can be run")}
	}
	for _, in := range c.Input {
		if in == "-" {
			continue
		}
		if _, err := os.Stat(in); err != nil {
			return rejected{err}
		}
	}
	threads := c.Parallelism
	switch {
	case threads < 0 || threads > 1024:
		return rejected{fmt.Errorf("--parallelism is from 0 to 1024, not %d", threads)}
	case threads == 0:
		threads = runtime.GOMAXPROCS(0)
	}
	out := io.Writer(a.IO.Out)
	if info, serr := os.Stat(c.Output); c.Output != "-" && serr == nil && !info.Mode().IsRegular() { // a device or pipe
		f, err := os.OpenFile(c.Output, os.O_WRONLY, 0)
		if err != nil {
			return rejected{err}
		}
		defer f.Close()
		out = f
	} else if c.Output != "-" {
		f, err := os.CreateTemp(filepath.Dir(c.Output), ".sigma-*")
		if err != nil {
			return rejected{err}
		}
		defer func() { err = keep(f, c.Output, err) }()
		out = f
	}
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	go func() {
		select {
		case <-a.onSignal:
			cancel()
		case <-ctx.Done():
		}
	}()
	start := time.Now()
	bar := &sigmaBar{out: a.IO.Err, start: start, on: !c.Quiet && (c.Progress == "on" || c.Progress == "auto" && isTerminal(a.IO.Err))}
	sum, err := sigma.Run(ctx, rules, m, sigma.RunOptions{Inputs: c.Input, Stdin: a.IO.In, Output: out, IDField: c.IDField,
		TimestampField: c.TimestampField, Strict: c.Strict, Parallelism: threads, Progress: bar.draw})
	bar.clear()
	if !c.Quiet {
		sigmaSummary(a.IO.Err, m, sum, time.Since(start), err)
	}
	if c.Stats {
		for _, k := range slices.Sorted(maps.Keys(sum.PerRule)) {
			fmt.Fprintf(a.IO.Err, "%10d  %s\n", sum.PerRule[k], k)
		}
	}
	if a.interrupted.Load() != 0 && errors.Is(err, context.Canceled) {
		return errSilent(ExitSignal)
	}
	return err
}

// keep closes f and gives it its name, whole or as far as the run came.
func keep(f *os.File, name string, err error) error {
	if cerr := f.Chmod(0o644); err == nil {
		err = cerr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if rerr := os.Rename(f.Name(), name); err == nil {
		err = rerr
	}
	return err
}

// sigmaReport tells what is not run and why: rules that are wrong each for
// itself, others by reason.
func sigmaReport(w io.Writer, c *sigma.Collection) {
	reasons := map[string]int{}
	for _, e := range c.Entries {
		switch e.State {
		case sigma.NotImported:
			fmt.Fprintf(w, "not imported: %s:%d: %s\n", e.File, e.Line, e.Why)
		case sigma.NotRun:
			reasons[e.Why]++
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		if reasons[a] != reasons[b] {
			return reasons[b] - reasons[a]
		}
		return strings.Compare(a, b)
	}) {
		fmt.Fprintf(w, "not run: %d rules: %s\n", reasons[why], why)
	}
	fmt.Fprintln(w, "rules: "+sigmaCounts(c))
}

func sigmaSummary(w io.Writer, m *sigma.Matcher, s sigma.Summary, took time.Duration, err error) {
	state := "finished"
	switch {
	case errors.Is(err, context.Canceled):
		state = "stopped"
	case err != nil:
		state = "failed"
	}
	fmt.Fprintf(w, "sigma run %s in %s: %s events read (%s), %d rules, %s hits", state, took.Round(time.Millisecond), count(s.Events), size(s.Read, true), m.Len(), count(s.Hits))
	if sec := took.Seconds(); sec > 0 && s.Events > 0 {
		fmt.Fprintf(w, ", %s events/s", count(int64(float64(s.Events)/sec)))
	}
	for _, x := range []struct {
		n    int64
		what string
	}{{s.Fired, "hits of correlations"}, {s.Muted, "hits that only went into correlations"}, {s.NoTime, "events without a time that correlations wanted"},
		{s.NoGroup, "hits without a value of a group-by field"}, {s.NoValue, "hits without a value to compute with"}, {s.Late, "hits too late for their window"},
		{s.Bad, "lines left out that are no JSON objects"}} {
		if x.n > 0 {
			fmt.Fprintf(w, ", %s %s", count(x.n), x.what)
		}
	}
	fmt.Fprintln(w)
	for _, l := range s.BadLines {
		fmt.Fprintln(w, "left out: "+l)
	}
}

// sigmaBar is the progress of a run on a terminal.
type sigmaBar struct {
	out   io.Writer
	start time.Time
	last  time.Time
	on    bool
	drawn bool
}

func (b *sigmaBar) draw(s sigma.Summary) {
	if !b.on || time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.last = time.Now()
	line := fmt.Sprintf("%s events  %s hits  %s events/s", count(s.Events), count(s.Hits), count(int64(float64(s.Events)/time.Since(b.start).Seconds())))
	if s.Total > 0 {
		line = fmt.Sprintf("%3.0f%%  %s of %s  %s", 100*min(float64(s.Read)/float64(s.Total), 1), size(s.Read, true), size(s.Total, true), line)
	}
	if w := width(b.out); len(line) >= w {
		line = line[:w-1]
	}
	fmt.Fprintf(b.out, "\r\x1b[K%s", line)
	b.drawn = true
}

func (b *sigmaBar) clear() {
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
