package sigma

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// Functions are the SQL functions of the package: SIGMA makes of a stream of
// events the stream of their hits.
func Functions() []function.Def {
	return []function.Def{{
		Name: "SIGMA", Group: "table", Sig: "(STRING, STRING, [STRING]) -> ROW<`rule` STRING, `title` STRING, `level` STRING, `tags` ARRAY<STRING>>!",
		Doc: "A row for each Sigma rule that holds for the event, a JSON object as text. Second: a file or folder of rules, a literal, read when the job starts. " +
			"Third, a literal: a pipeline, the name of a built-in one or a file. Texts that are no JSON objects make no rows. Correlations are not run.",
		Table: &function.Table{Bind: bindSigma},
	}}
}

func bindSigma(cx *function.Context, args []function.Arg, _ types.Type) (function.TableCall, error) {
	var given [2]string
	for i, a := range args[1:] {
		s, ok := a.Value.(string)
		if !a.Const || !ok {
			return nil, errors.New("SIGMA: the rules and the pipeline are literals")
		}
		given[i] = s
	}
	var opt Options
	if given[1] != "" {
		p, err := LoadPipeline(given[1])
		if err != nil {
			return nil, fmt.Errorf("SIGMA: %w", err)
		}
		opt.Pipelines = append(opt.Pipelines, p)
	}
	c, err := Load([]string{given[0]}, opt)
	if err != nil {
		return nil, fmt.Errorf("SIGMA: %w", err)
	}
	for _, e := range c.Entries {
		e.Muted = false
		if e.Rule != nil && e.Rule.Correlation != nil && e.State == OK {
			e.refuse(NotRun, errors.New("SQL has windows for that: correlations are not run by SIGMA"))
		}
	}
	m, err := NewMatcher(c)
	if err != nil {
		return nil, err
	}
	if m.Len() == 0 {
		return nil, fmt.Errorf("SIGMA: no rule of %s can be run: see runnel sigma check", given[0])
	}
	log := cx.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	if n := c.Count(NotImported); n > 0 {
		log.Warn("some Sigma rules are not imported: see runnel sigma check", "rules", given[0], "count", n)
	}
	t, err := m.NewTask()
	if err != nil {
		return nil, err
	}
	var buf []byte
	told := false
	return func(args []vector.Vector, i int, out []vector.Vector) (int, error) {
		if args[0].IsNull(i) {
			return 0, nil
		}
		text, ok := vector.Get(args[0], i).(string)
		if !ok {
			return 0, errors.New("SIGMA: the event is no text")
		}
		if n := len(text) + json.Slack; cap(buf) < n {
			buf = make([]byte, n+n/4)
		}
		copy(buf[:cap(buf)], text)
		hits, err := t.Match(buf[:cap(buf)], 0, len(text))
		if err != nil {
			if !told {
				told = true
				log.Warn("SIGMA leaves out texts that are no JSON objects; this is the first", "error", err)
			}
			return 0, nil
		}
		for _, e := range hits {
			vector.Append(out[0], e.Rule.Key())
			vector.Append(out[1], e.Rule.Title)
			if e.Rule.Level == "" {
				vector.Append(out[2], nil)
			} else {
				vector.Append(out[2], e.Rule.Level)
			}
			tags := make([]types.Value, len(e.Rule.Tags))
			for k, tag := range e.Rule.Tags {
				tags[k] = tag
			}
			vector.Append(out[3], tags)
		}
		return len(hits), nil
	}, nil
}
