package compile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/option"
)

// Settings is what SET has set, by key; keys that were never set are not in it.
// A Setting is checked when it is set.
type Settings map[string]string

// Setting is a declared key of SET.
type Setting struct {
	Key, Default, Type, Doc string
	Enum                    []string
	// Effect is false for keys of Flink that mean nothing here: they are taken,
	// so that its scripts run, and Execute warns.
	Effect bool
}

// Known are the keys SET takes.
func Known() []Setting { return slices.Clone(known) }

var known = []Setting{
	{"execution.runtime-mode", "streaming", "enum", "Whether a query gives a changelog as its input comes (streaming) or its final rows once the input has ended (batch).", []string{"streaming", "batch", "automatic"}, true},
	{"parallelism.default", "1", "int", "Parallel tasks of an operator.", nil, true},
	{"pipeline.name", "", "string", "Name of the next job.", nil, true},
	{"pipeline.max-parallelism", "128", "int", "Key groups of a job's state: the largest parallelism that its keyed operators make use of. There are always 128 (-1, Flink's default, is taken too); any other number is refused.", nil, true},
	{"execution.checkpointing.interval", "0 s", "duration", "Time between checkpoints; 0: none.", nil, true},
	{"execution.checkpointing.dir", "", "string", "Folder of the checkpoints.", nil, true},
	{"state.checkpoints.dir", "", "string", "Folder of the checkpoints.", nil, true},
	{"table.local-time-zone", "UTC", "string", "Time zone of the session: a region such as Europe/Berlin, or GMT+8.", nil, true},
	{"table.exec.state.ttl", "0 s", "duration", "How long state is kept that nothing touches; 0: for ever.", nil, true},
	{"state.memory-budget", "auto", "memory", "State that is held in memory, all grouping operators of a job together; what is beyond it spills to files. auto: a third of GOMEMLIMIT or the container's limit, else no limit; 0: no limit.", nil, true},
	{"table.exec.mini-batch.enabled", "false", "bool", "Collect rows before aggregates and emit one change a key and bundle.", nil, true},
	{"table.exec.mini-batch.allow-latency", "0 s", "duration", "Longest time a bundle collects.", nil, true},
	{"table.exec.mini-batch.size", "-1", "int", "Most rows of a bundle.", nil, true},
	{"table.exec.source.idle-timeout", "0 s", "duration", "A split without rows for this long holds back no watermark; 0: never.", nil, true},
	{"pipeline.auto-watermark-interval", "200 ms", "duration", "0: a watermark follows every row that raises it; else each batch.", nil, true},
	{"table.exec.emit.early-fire.enabled", "false", "bool", "Windows are emitted before they are over, as updates.", nil, true},
	{"table.exec.emit.early-fire.delay", "0 s", "duration", "Processing time between early emissions; 0: after every batch.", nil, true},
	{"table.exec.emit.late-fire.enabled", "false", "bool", "Windows are emitted again for rows that come after their end.", nil, true},
	{"table.exec.emit.late-fire.delay", "0 s", "duration", "Processing time between late emissions; 0: after every batch.", nil, true},
	{"table.exec.emit.allow-lateness", "0 s", "duration", "How long a window takes rows after its end.", nil, true},
	{"window.fire-mode", "0", "enum", "0: a window is emitted once, when it is over; 1: every emission holds the increment since the last; 2: every emission replaces the last.", []string{"0", "1", "2"}, true},
	{"window.fire-interval", "0 s", "duration", "Processing time between the emissions of a window in the fire modes 1 and 2; 0: only when it is over, and for late rows.", nil, true},
	{"window.flush-at-end", "false", "bool", "Processing-time windows that are open at the end of input are emitted, not dropped.", nil, true},
	{"window.fire-on-idle", "", "duration", "Without rows for so long event time goes on with the clock; never if not set (rsqldb dialect: 180 s).", nil, true},
	{"late-rows.sink", "", "string", "Table for the rows that come too late for windows, OVER, interval joins and other operators of event time; none: they are only counted. Tables can name their own.", nil, true},
	{"sql.dialect", "flink", "enum", "Grammar of the statements that follow.", []string{"flink", "rsqldb", "default"}, true},
	{"runnel.batch-size", "1024", "int", "Rows a batch.", nil, true},
	{"runnel.optimizer.disable", "", "list", "Optimiser rules to leave out, separated by commas.", nil, true},
	{"rules.max-unindexed", "0", "int", "A set of rules with more than so many that have to be evaluated for every new combination of values is refused; 0: any number.", nil, true},
	{"scan.share", "true", "bool", "Jobs of a namespace that run in one process and read the same records read and decode them once.", nil, true},
	{"scan.share.max-lag", "64 mb", "memory", "How much of what was read for it a job may have before it while the others go on; what is further behind reads alone until it has come up. auto: the default.", nil, true},
	{"table.dml-sync", "false", "bool", "INSERT waits for its job.", nil, true},
	{"execution.checkpointing.mode", "EXACTLY_ONCE", "string", "Checkpoints are exactly-once here.", nil, false},
	{"execution.checkpointing.timeout", "10 min", "duration", "", nil, false},
	{"execution.checkpointing.min-pause", "0 s", "duration", "", nil, false},
	{"execution.target", "", "string", "Jobs run in this process.", nil, false},
	{"state.backend", "", "string", "", nil, false},
	{"state.backend.type", "", "string", "", nil, false},
	{"state.backend.incremental", "false", "bool", "", nil, false},
	{"restart-strategy", "", "string", "", nil, false},
	{"restart-strategy.type", "", "string", "", nil, false},
	{"restart-strategy.fixed-delay.attempts", "", "int", "", nil, false},
	{"restart-strategy.fixed-delay.delay", "1 s", "duration", "", nil, false},
	{"taskmanager.numberOfTaskSlots", "1", "int", "", nil, false},
	{"table.optimizer.agg-phase-strategy", "AUTO", "string", "", nil, false},
	{"table.optimizer.distinct-agg.split.enabled", "false", "bool", "", nil, false},
	{"table.optimizer.reuse-source-enabled", "true", "bool", "", nil, false},
	{"table.optimizer.reuse-sub-plan-enabled", "true", "bool", "", nil, false},
	{"table.optimizer.join-reorder-enabled", "false", "bool", "", nil, false},
	{"table.exec.sink.not-null-enforcer", "error", "enum", "What happens to a row with NULL in a NOT NULL column of its table.", []string{"error", "drop"}, true},
	{"table.exec.sink.upsert-materialize", "auto", "enum", "Rows are brought to the key of a sink that takes upserts where the query's key is another: auto, none, force.", []string{"auto", "none", "force"}, true},
	{"table.exec.source.cdc-events-duplicate", "false", "bool", "Sources of changes may give one more than once: they are made whole by the primary key.", nil, true},
	{"table.exec.resource.default-parallelism", "-1", "int", "", nil, false},
	{"sql-client.execution.result-mode", "table", "string", "", nil, false},
	{"sql-client.execution.max-table-result.rows", "1000000", "int", "", nil, false},
	{"sql-client.display.max-column-width", "30", "int", "", nil, false},
	{"sql-client.display.print-time-cost", "true", "bool", "", nil, false},
}

func setting(key string) *Setting {
	for i := range known {
		if known[i].Key == key {
			return &known[i]
		}
	}
	return nil
}

func settingNames() []string {
	names := make([]string, len(known))
	for i, k := range known {
		names[i] = k.Key
	}
	return names
}

// check tells whether a value fits a key.
func (k *Setting) check(value string) error {
	ok := true
	want := k.Type
	switch k.Type {
	case "int":
		_, err := strconv.Atoi(strings.TrimSpace(value))
		ok, want = err == nil, "an integer"
	case "bool":
		_, err := strconv.ParseBool(strings.ToLower(value))
		ok, want = err == nil, "true or false"
	case "duration":
		_, ok = option.ParseDuration(value)
		want = "a duration such as 10 s or 1 h"
	case "memory":
		_, ok = option.ParseMemory(value)
		ok = ok || strings.EqualFold(value, "auto")
		want = "a size such as 512 mb, or auto"
	case "enum":
		ok = slices.Contains(k.Enum, strings.ToLower(value))
		want = "one of " + strings.Join(k.Enum, ", ")
	}
	if ok && k.Key == "table.local-time-zone" {
		_, err := zone(value)
		ok, want = err == nil, "a time zone such as UTC, Europe/Berlin or GMT+8"
	}
	if ok && (k.Key == "parallelism.default" || k.Key == "runnel.batch-size") {
		n, _ := strconv.Atoi(strings.TrimSpace(value))
		ok, want = n >= 1 && n <= 1<<15, "an integer from 1 to 32768"
	}
	if n, err := strconv.Atoi(strings.TrimSpace(value)); ok && k.Key == "pipeline.max-parallelism" && err == nil {
		ok, want = n == keyGroups || n == -1, fmt.Sprintf("%d, the number of key groups that state always has here", keyGroups)
	}
	if !ok {
		return fmt.Errorf("'%s' takes %s, not '%s'", k.Key, want, value)
	}
	return nil
}

// keyGroups is state.Units, which is below in the layers; a test compares them.
const keyGroups = 128

// zone finds a time zone by its name, or by an offset such as GMT+8 or +08:00.
func zone(name string) (*time.Location, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(name, "GMT"), "UTC")
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		h, m, _ := strings.Cut(rest[1:], ":")
		hours, err := strconv.Atoi(h)
		minutes := 0
		if err == nil && m != "" {
			minutes, err = strconv.Atoi(m)
		}
		if err != nil || hours > 18 || minutes > 59 || hours < 0 || minutes < 0 {
			return nil, fmt.Errorf("no time zone %s", name)
		}
		off := (hours*60 + minutes) * 60
		if rest[0] == '-' {
			off = -off
		}
		return time.FixedZone(name, off), nil
	}
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("no time zone %s", name)
	}
	return time.LoadLocation(name)
}

// Get returns the value of a key, or its default.
func (s Settings) Get(key string) string {
	if v, ok := s[key]; ok {
		return v
	}
	if k := setting(key); k != nil {
		return k.Default
	}
	return ""
}

// Int, Bool and Duration read checked values.
func (s Settings) Int(key string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(s.Get(key)))
	return n
}

// Bool reads a checked value.
func (s Settings) Bool(key string) bool {
	v, _ := strconv.ParseBool(strings.ToLower(s.Get(key)))
	return v
}

// Duration reads a checked value.
func (s Settings) Duration(key string) time.Duration {
	d, _ := option.ParseDuration(s.Get(key))
	return d
}

// Set checks and sets a key. The warning, if any, says that the key has no effect.
func (s Settings) Set(key, value string, span diag.Span) (warning string, err error) {
	k := setting(key)
	if k == nil {
		return "", diag.At(span, diag.UnknownOption, "no option '%s'", key).DidYouMean(key, settingNames())
	}
	if err := k.check(value); err != nil {
		return "", diag.At(span, diag.BadValue, "%s", err.Error())
	}
	s[key] = value
	if !k.Effect {
		return fmt.Sprintf("option '%s' has no effect here", key), nil
	}
	return "", nil
}

// memory returns a size in bytes, -1 for auto.
func (s Settings) memory(key string) int64 {
	m, ok := option.ParseMemory(s.Get(key))
	if !ok {
		return -1
	}
	return int64(m)
}

// batch tells whether queries run in batch mode.
func (s Settings) batch() bool {
	return strings.EqualFold(s.Get("execution.runtime-mode"), "batch")
}

// physical returns the options of the physical planner.
func (s Settings) physical() physical.Options {
	o := physical.Options{
		Parallelism: s.Int("parallelism.default"), Batch: s.batch(), TTL: s.Duration("table.exec.state.ttl"),
		BatchSize: s.Int("runnel.batch-size"), Emit: s.emit(), MemoryBudget: s.memory("state.memory-budget"),
		WatermarkInterval: s.Duration("pipeline.auto-watermark-interval"),
		IdleTimeout:       s.Duration("table.exec.source.idle-timeout"),
		MaxUnindexed:      max(s.Int("rules.max-unindexed"), 0),
	}
	switch strings.ToLower(s.Get("table.exec.sink.upsert-materialize")) {
	case "none":
		o.Materialize = physical.MaterializeNone
	case "force":
		o.Materialize = physical.MaterializeForce
	}
	switch {
	case s.Get("window.fire-on-idle") != "":
		o.FireOnIdle = s.Duration("window.fire-on-idle")
	case strings.EqualFold(s.Get("sql.dialect"), "rsqldb"):
		o.FireOnIdle = 180 * time.Second
	}
	if s.Bool("table.exec.mini-batch.enabled") {
		o.MiniLatency = s.Duration("table.exec.mini-batch.allow-latency")
		o.MiniBatch = s.Int("table.exec.mini-batch.size")
	}
	return o
}

// emit is when windows are emitted.
func (s Settings) emit() physical.Emit {
	e := physical.Emit{
		EarlyOn: s.Bool("table.exec.emit.early-fire.enabled"), Early: s.Duration("table.exec.emit.early-fire.delay"),
		LateOn: s.Bool("table.exec.emit.late-fire.enabled"), Late: s.Duration("table.exec.emit.late-fire.delay"),
		Lateness: s.Duration("table.exec.emit.allow-lateness"), FlushAtEnd: s.Bool("window.flush-at-end"),
	}
	switch s.Get("window.fire-mode") {
	case "1":
		e.Mode = physical.FireSeparate
	case "2":
		e.Mode = physical.FireAccumulated
	}
	if d := s.Duration("window.fire-interval"); d > 0 && e.Mode != physical.FireOnce {
		e.EarlyOn, e.Early = true, d
	}
	return e
}

// off returns the optimiser rules that are off.
func (s Settings) off() map[string]bool {
	off := map[string]bool{}
	for _, r := range strings.FieldsFunc(s.Get("runnel.optimizer.disable"), func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		off[r] = true
	}
	return off
}
