package runnel

import (
	"fmt"
	"strconv"
	"time"
)

// Strategy is a setting of a job, for With.
type Strategy func(j *Job)

// With applies strategies to the job.
func (j *Job) With(strategies ...Strategy) *Job {
	for _, s := range strategies {
		s(j)
	}
	return j
}

// Set sets an option, as SET would.
func Set(key, value string) Strategy { return func(j *Job) { j.set("Set", key, value) } }

// BatchSize is how many rows a batch has, 1 to 32768; the default is 1024. Sinks
// are given at most so many rows at a time.
func BatchSize(rows int) Strategy {
	return func(j *Job) { j.set("BatchSize", "runnel.batch-size", strconv.Itoa(rows)) }
}

// Parallelism is the number of tasks of an operator; the default is 1.
func Parallelism(tasks int) Strategy {
	return func(j *Job) { j.set("Parallelism", "parallelism.default", strconv.Itoa(tasks)) }
}

// Bounded has queries give their final rows once their input has ended, and not
// a changelog.
func Bounded() Strategy {
	return func(j *Job) { j.set("Bounded", "execution.runtime-mode", "batch") }
}

// StateTTL is how long state is kept that nothing touches; the default is for ever.
func StateTTL(d time.Duration) Strategy {
	return func(j *Job) { j.set("StateTTL", "table.exec.state.ttl", millis(d)) }
}

// IdleTimeout has a split without rows for so long not hold back watermarks.
func IdleTimeout(d time.Duration) Strategy {
	return func(j *Job) { j.set("IdleTimeout", "table.exec.source.idle-timeout", millis(d)) }
}

// FireOnIdle has event time go on with the clock when no rows came for so long,
// so that windows fire.
func FireOnIdle(d time.Duration) Strategy {
	return func(j *Job) { j.set("FireOnIdle", "window.fire-on-idle", millis(d)) }
}

// MiniBatch has aggregates collect up to so many rows, for at most so long, and
// emit one change a key.
func MiniBatch(rows int, latency time.Duration) Strategy {
	return func(j *Job) {
		j.set("MiniBatch", "table.exec.mini-batch.enabled", "true")
		j.set("MiniBatch", "table.exec.mini-batch.size", strconv.Itoa(rows))
		j.set("MiniBatch", "table.exec.mini-batch.allow-latency", millis(latency))
	}
}

// Checkpoint is the time between checkpoints; with a state directory the default
// is 10 s.
func Checkpoint(interval time.Duration) Strategy {
	return func(j *Job) { j.set("Checkpoint", "execution.checkpointing.interval", millis(interval)) }
}

// ExactlyOnce keeps the job's state below dir and checkpoints it every interval:
// after a crash the job goes on from the last checkpoint, and its results are as
// if nothing had happened.
func ExactlyOnce(dir string, interval time.Duration) Strategy {
	return func(j *Job) {
		if dir == "" || interval <= 0 {
			j.fail("ExactlyOnce", fmt.Errorf("it needs a folder and an interval above 0"))
			return
		}
		j.stateDir, j.volatile = dir, false
		Checkpoint(interval)(j)
	}
}

// HighPerformance keeps the job's state in memory, whatever the environment
// says: it is lost when the job ends.
func HighPerformance() Strategy {
	return func(j *Job) { j.stateDir, j.volatile = "", true }
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + " ms" }
