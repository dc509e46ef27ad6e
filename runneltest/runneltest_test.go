package runneltest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/runnelio/runnel"
	"github.com/runnelio/runnel/runneltest"
)

type count struct {
	Word string `runnel:"word"`
	N    int64  `runnel:"n"`
}

func TestSinkCarriesChangesOut(t *testing.T) {
	t.Parallel()
	env, err := runnel.New()
	if err != nil {
		t.Fatal(err)
	}
	words := runneltest.NewSource[string](t, env, "words")
	sink := runneltest.NewSink[count]()
	run, err := words.Stream(env.Job("count")).Data().
		GroupBy("`value` AS word").Aggregate("COUNT(*) AS n").
		To(sink.Sink()).StartAsync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	words.Feed(t, "a", "b", "a")
	sink.Wait(t, 4)
	words.Finish()
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := sink.Values(); !slices.Equal(got, []count{{"b", 1}, {"a", 2}}) {
		t.Error(got)
	}
	if got := sink.Changes(); len(got) != 4 || got[2].Kind != runnel.UpdateBefore {
		t.Error(got)
	}
}

func TestClockStandsStill(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	c := runneltest.NewClock(start)
	if !c.Now().Equal(start) {
		t.Error(c.Now())
	}
	c.Advance(time.Hour)
	if c.Now().Sub(start) != time.Hour {
		t.Error(c.Now())
	}
}
