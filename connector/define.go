package connector

import (
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Option is a declared option, see package option.
type Option = option.Option

// Spec is what a connector with options of type O is made of.
type Spec[O any] struct {
	// Source and Sink are nil if the connector cannot be one; see Connector.
	Source func(cx *Context, t *Table, o *O) (any, error)
	Sink   func(cx *Context, t *Table, o *O) (Sink, error)
	// Lookup is nil if the connector cannot find rows by key; see Connector.
	Lookup func(cx *Context, t *Table, keys []int, o *O) (Lookup, error)
	// Overwrites and Partitions: see Connector.
	Overwrites bool
	Partitions func(cx *Context, t *Table, o *O) (Partitions, error)
	// Check is about what tags cannot say: options that depend on each other.
	Check func(o *O) error
	// CheckTable is about options and columns that do not fit each other.
	CheckTable func(t *Table, o *O) error
	// Metadata are the METADATA columns it offers.
	Metadata      []types.Field
	NeedsFormat   bool
	SinkChangelog Changelog
	// DefaultFormat is the format of a table that names none.
	DefaultFormat func(o *O) (name string, f format.Format, err error)
	// KeyFormat makes the format of a table out of those of 'key.format', nil if
	// not given, and of the value.
	KeyFormat func(o *O, key, value format.Format) (format.Format, error)
}

// Define makes a connector. The options are the fields of O, whose tags are
// described in package option.
func Define[O any](name, doc string, s Spec[O]) *Connector {
	c := &Connector{Name: name, Doc: doc, Options: option.Declared[O](), MetadataKeys: s.Metadata, NeedsFormat: s.NeedsFormat, SinkChangelog: s.SinkChangelog, Overwrites: s.Overwrites}
	parse := func(given map[string]string) (*O, error) {
		o := new(O)
		if err := option.Parse(o, given); err != nil {
			return nil, err
		}
		if s.Check != nil {
			if err := s.Check(o); err != nil {
				return nil, err
			}
		}
		return o, nil
	}
	c.Check = func(given map[string]string) error {
		_, err := parse(given)
		return err
	}
	if s.Partitions != nil {
		c.Partitions = func(cx *Context, t *Table) (Partitions, error) {
			o, err := parse(t.Options)
			if err != nil {
				return nil, err
			}
			return s.Partitions(cx, t, o)
		}
	}
	if s.CheckTable != nil {
		c.CheckTable = func(t *Table) error {
			o, err := parse(t.Options)
			if err != nil {
				return err
			}
			return s.CheckTable(t, o)
		}
	}
	if s.KeyFormat != nil {
		c.KeyFormat = func(given map[string]string, key, value format.Format) (format.Format, error) {
			o, err := parse(given)
			if err != nil {
				return nil, err
			}
			return s.KeyFormat(o, key, value)
		}
	}
	if s.DefaultFormat != nil {
		c.DefaultFormat = func(given map[string]string) (string, format.Format, error) {
			o, err := parse(given)
			if err != nil {
				return "", nil, err
			}
			return s.DefaultFormat(o)
		}
	}
	if s.Source != nil {
		c.Source = func(cx *Context, t *Table) (any, error) {
			o, err := parse(t.Options)
			if err != nil {
				return nil, err
			}
			return s.Source(cx, t, o)
		}
	}
	if s.Lookup != nil {
		c.Lookup = func(cx *Context, t *Table, keys []int) (Lookup, error) {
			o, err := parse(t.Options)
			if err != nil {
				return nil, err
			}
			return s.Lookup(cx, t, keys, o)
		}
	}
	if s.Sink != nil {
		c.Sink = func(cx *Context, t *Table) (Sink, error) {
			o, err := parse(t.Options)
			if err != nil {
				return nil, err
			}
			return s.Sink(cx, t, o)
		}
	}
	return c
}

// Set is a list of connectors, for the engine to find them by name.
type Set []*Connector

// Find returns the connector called name, nil if there is none.
func (s Set) Find(name string) *Connector {
	for _, c := range s {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Names returns the names in order.
func (s Set) Names() []string {
	names := make([]string, len(s))
	for i, c := range s {
		names[i] = c.Name
	}
	slices.Sort(names)
	return names
}

// EngineOptions are the options every table has: the engine reads them and no
// connector sees them.
type EngineOptions struct {
	OnError         string `opt:"on-error" default:"fail" enum:"fail,skip,dead-letter" doc:"What happens to a record that cannot be read: the job fails, it is counted and skipped, or it is written to the dead-letter file."`
	DeadLetter      string `opt:"dead-letter.path,alias=on-error.path" doc:"File of the records that could not be read, JSON lines; for 'on-error' = 'dead-letter'."`
	ScanParallelism *int   `opt:"scan.parallelism" min:"1" doc:"Parallel readers of the table."`
	SplitKey        string `opt:"scan.split-key" doc:"Columns, separated by ';', by which the producer chose the split (queue, partition) of a record. A query that keeps state by these columns at least runs apart for each split, and several processes with the same state directory share the splits."`
	SplitVerify     bool   `opt:"scan.split-key.verify" default:"false" doc:"Checks that all rows with the same values of 'scan.split-key' come in one split, among the splits of this process; the job fails if they do not. For tests: it remembers all values."`
	SinkParallelism *int   `opt:"sink.parallelism" min:"1" doc:"Parallel writers of the table."`
	// The way windows over the table are emitted; unset: as the session says.
	FireMode      *int           `opt:"window.fire-mode" min:"0" max:"2" doc:"How windows over the table are emitted: 0 once, 1 in increments, 2 as updates; else as the setting of this name says."`
	FireInterval  *time.Duration `opt:"window.fire-interval" doc:"Processing time between the emissions of a window in the fire modes 1 and 2."`
	AllowLateness *time.Duration `opt:"window.allow-lateness" doc:"How long windows over the table take rows after their end."`
	LateSink      string         `opt:"late-rows.sink" doc:"Table for the rows that come too late for windows, OVER, interval joins and other operators of event time; else as the setting of this name says."`
	// How event time is followed in the splits of the table; unset: as the session says.
	EmitStrategy  string         `opt:"scan.watermark.emit.strategy" default:"on-periodic" enum:"on-event,on-periodic" doc:"Whether a watermark follows rows that raise it at once, or as 'pipeline.auto-watermark-interval' says."`
	EmitGap       int            `opt:"scan.watermark.emit.on-event.gap" default:"1" min:"1" doc:"Rows of a split between two watermarks, with the strategy on-event."`
	IdleTimeout   *time.Duration `opt:"scan.watermark.idle-timeout" doc:"A split without rows for this long holds back no watermark; else as 'table.exec.source.idle-timeout' says."`
	AlignGroup    string         `opt:"scan.watermark.alignment.group" doc:"Sources of one group, and their splits, go through event time together: who is too far ahead is not read."`
	AlignMaxDrift *time.Duration `opt:"scan.watermark.alignment.max-drift" doc:"How far a split of the group may be ahead of the last one."`
	AlignUpdate   time.Duration  `opt:"scan.watermark.alignment.update-interval" default:"1 s" min:"10 ms" doc:"How often the group's watermarks are compared."`
	LookupOptions
	SinkOptions
}

// LookupOptions are the engine's options of tables that are looked up by joins
// FOR SYSTEM_TIME AS OF processing time.
type LookupOptions struct {
	LookupCache  string         `opt:"lookup.cache" enum:"NONE,PARTIAL,FULL" doc:"NONE: each key is asked for; PARTIAL: answers are kept for a while; FULL: the table is read into memory as a whole. NONE if not set, FULL where the connector cannot find rows by key."`
	CacheRows    int64          `opt:"lookup.partial-cache.max-rows" default:"0" min:"0" doc:"Keys a PARTIAL cache holds in a task, those used last; 0 for any number."`
	CacheWrite   *time.Duration `opt:"lookup.partial-cache.expire-after-write" doc:"How long an answer is kept."`
	CacheAccess  *time.Duration `opt:"lookup.partial-cache.expire-after-access" doc:"How long an answer is kept that nobody asks for."`
	CacheMissing bool           `opt:"lookup.partial-cache.cache-missing-key" default:"true" doc:"Whether it is kept too that a key has no row."`
	Reload       string         `opt:"lookup.full-cache.reload-strategy" default:"PERIODIC" enum:"PERIODIC,TIMED" doc:"When a FULL cache is read again: at an interval, or at a time of day."`
	ReloadEvery  *time.Duration `opt:"lookup.full-cache.periodic-reload.interval" doc:"That interval; never if not set. The old rows serve until the new ones are complete; if reading fails they go on serving."`
	ReloadMode   string         `opt:"lookup.full-cache.periodic-reload.schedule-mode" default:"FIXED_DELAY" enum:"FIXED_DELAY,FIXED_RATE" doc:"Whether the interval begins when reading has ended, or when it began."`
	ReloadAt     string         `opt:"lookup.full-cache.timed-reload.iso-time" doc:"That time of day, '10:15' or '10:15:30', in the session's time zone, or with an offset as '10:15Z'."`
	ReloadDays   int            `opt:"lookup.full-cache.timed-reload.interval-in-days" default:"1" min:"1" doc:"Days between two of them."`
	LookupRetry  int            `opt:"lookup.max-retries" default:"3" min:"0" doc:"How often a question that failed is asked again."`
}

// SinkOptions are the engine's options of tables that are written to: what it
// does around the connector, see package connector/buffered.
type SinkOptions struct {
	BatchSize     int           `opt:"sink.batch-size,alias=batchSize" default:"0" min:"0" doc:"Rows the connector gets at a time, at most; 0 for as many as come."`
	BufferRows    int           `opt:"sink.buffer-flush.max-rows,alias=autoFlushSize" default:"0" min:"0" doc:"Rows are collected and written when there are so many; 0: rows are written as they come, unless another of these options is set."`
	BufferBytes   option.Memory `opt:"sink.buffer-flush.max-size" default:"0" doc:"The same for bytes."`
	BufferFor     time.Duration `opt:"sink.buffer-flush.interval,alias=autoFlushTimeGap" default:"0 s" doc:"Collected rows are written after this time at the latest; 1 s where rows are collected and it is not set."`
	BufferMemory  option.Memory `opt:"sink.buffer-memory" default:"64 mb" min:"64 kb" doc:"Collected rows may take this much memory; then the query waits."`
	MaxRetries    int           `opt:"sink.max-retries" default:"0" min:"0" doc:"How often a failed write is tried again."`
	RetryPause    time.Duration `opt:"sink.retry-backoff" default:"100 ms" min:"1 ms" doc:"Pause before the first of them; each further one is twice as long."`
	WriteError    string        `opt:"sink.on-error" default:"fail" enum:"fail,skip,dead-letter" doc:"What happens to rows that cannot be written: the job fails, they are counted and skipped, or written to a dead-letter file."`
	WriteDeadFile string        `opt:"sink.dead-letter.path" doc:"That file, JSON lines."`
}

// Binding is what the WITH options of a table come to.
type Binding struct {
	Connector  *Connector
	Options    map[string]string // of the connector, checked
	FormatName string
	Format     format.Format // nil if the table has none
	Engine     EngineOptions
}

// Bind takes the WITH options of a table apart: those of the engine, the
// connector, and the format, which start with the format's name and a dot.
// Every one is checked. Errors about an option are *option.Error and name it.
func Bind(with map[string]string, connectors Set, formats format.Set) (*Binding, error) {
	b := &Binding{Options: map[string]string{}}
	name, ok := with["connector"]
	if !ok {
		return nil, &option.Error{Key: "connector", Why: "required, but not given", Hint: "known: " + strings.Join(connectors.Names(), ", ")}
	}
	if b.Connector = connectors.Find(name); b.Connector == nil {
		return nil, notFound("connector", name, connectors.Names())
	}
	key := "format"
	if _, ok := with[key]; !ok {
		if _, ok := with["value.format"]; ok {
			key = "value.format"
		}
	}
	engine, ofFormat, ofKey := map[string]string{}, map[string]string{}, map[string]string{}
	keyName, keyPrefix := "", ""
	if b.Connector.KeyFormat != nil {
		keyName = with["key.format"]
		keyPrefix = "key." + keyName + "."
	}
	b.FormatName = with[key]
	prefix := b.FormatName + "."
	if key == "value.format" {
		prefix = "value." + prefix
	}
	declared := option.Declared[EngineOptions]()
	for k, v := range with {
		switch {
		case k == "connector" || k == key && !declares(b.Connector.Options, k):
		case declares(declared, k):
			engine[k] = v
		case keyName != "" && k == "key.format":
		case keyName != "" && strings.HasPrefix(k, keyPrefix):
			ofKey[k[len(keyPrefix):]] = v
		case b.FormatName != "" && strings.HasPrefix(k, prefix):
			ofFormat[k[len(prefix):]] = v
		default:
			b.Options[k] = v
		}
	}
	if err := option.Parse(&b.Engine, engine); err != nil {
		return nil, err
	}
	if (b.Engine.AlignGroup != "") != (b.Engine.AlignMaxDrift != nil) {
		return nil, option.Errorf("scan.watermark.alignment.max-drift", "needed together with 'scan.watermark.alignment.group', and only with it")
	}
	if b.Engine.WriteError == "dead-letter" && b.Engine.WriteDeadFile == "" {
		return nil, option.Errorf("sink.dead-letter.path", "required with 'sink.on-error' = 'dead-letter'")
	}
	if b.Engine.OnError == "dead-letter" && b.Engine.DeadLetter == "" {
		return nil, option.Errorf("dead-letter.path", "required with 'on-error' = 'dead-letter'")
	}
	if b.FormatName != "" {
		var err error
		if b.Format, err = newFormat(formats, key, b.FormatName, prefix, ofFormat); err != nil {
			return nil, err
		}
	} else if b.Connector.DefaultFormat != nil {
		var err error
		if b.FormatName, b.Format, err = b.Connector.DefaultFormat(b.Options); err != nil {
			return nil, err
		}
	} else if b.Connector.NeedsFormat {
		return nil, &option.Error{Key: "format", Why: "required, but not given", Hint: "known: " + strings.Join(formats.Names(), ", ")}
	}
	if b.Connector.KeyFormat != nil && b.Format != nil {
		var ofKeys format.Format
		var err error
		if keyName != "" {
			if ofKeys, err = newFormat(formats, "key.format", keyName, keyPrefix, ofKey); err != nil {
				return nil, err
			}
		}
		if b.Format, err = b.Connector.KeyFormat(b.Options, ofKeys, b.Format); err != nil {
			return nil, err
		}
	}
	if b.Connector.Check != nil {
		if err := b.Connector.Check(b.Options); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// newFormat makes the format called name; key is the option that names it.
func newFormat(formats format.Set, key, name, prefix string, options map[string]string) (format.Format, error) {
	spec := formats.Find(name)
	if spec == nil {
		return nil, notFound(key, name, formats.Names())
	}
	f, err := spec.New(options)
	if e, ok := err.(*option.Error); ok {
		named := *e
		named.Key = prefix + e.Key
		if e.Why == option.Unknown {
			named.Hint = strings.Replace(e.Hint, "did you mean '", "did you mean '"+prefix, 1)
		}
		return nil, &named
	}
	return f, err
}

func declares(options []Option, key string) bool {
	for _, o := range options {
		if o.Key == key || slices.Contains(o.Aliases, key) || o.Prefix && strings.HasPrefix(key, o.Key) {
			return true
		}
	}
	return false
}

func notFound(key, name string, names []string) error {
	e := &option.Error{Key: key, Value: name, Why: "there is no " + key + " '" + name + "'", Hint: "known: " + strings.Join(names, ", ")}
	if near := diag.Nearest(name, names); near != "" {
		e.Hint = "did you mean '" + near + "'?"
	}
	return e
}
