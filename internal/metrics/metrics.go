// Package metrics counts what a job does. Metrics are values handed down in
// contexts; nothing here is global.
package metrics

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Op is the counters of one operator of one task. Tasks write, anybody reads.
type Op struct {
	Name    string
	Subtask int
	// Source and Sink tell that the operator is at an edge of the job.
	Source, Sink bool

	RowsIn, RowsOut, Batches atomic.Int64
	// BytesIn is bytes of input a source has read.
	BytesIn atomic.Int64
	// Bad counts records or rows that an error policy dropped; Dead those of them
	// written to a dead-letter file; Oversize records too long to read.
	Bad, Dead, Oversize atomic.Int64
	// Late counts rows behind the watermark that were dropped.
	Late atomic.Int64
	// Unfired counts groups of processing-time windows that were open at the end of input and dropped.
	Unfired atomic.Int64
	// Expired counts retractions of keys that TTL had removed.
	Expired atomic.Int64
	// StateRows and StateBytes are what the operator keeps.
	StateRows, StateBytes atomic.Int64
	// Spilled counts bytes of state that left memory.
	Spilled atomic.Int64
	// Rules counts how rules were found; of operators over a rule index only.
	Rules struct {
		MemoHits, MemoMisses           atomic.Int64 // values whose tests were known, or made
		SignatureHits, SignatureMisses atomic.Int64 // rows whose rules were known, or looked for
		Candidates                     atomic.Int64 // rules that were evaluated for a row
	}
	// Shared is of sources whose records other jobs of the process may read too.
	Shared struct {
		Members atomic.Int64 // jobs that read them together, this one included
		// ReadBytes are the bytes of input this job has read itself, for all of them or
		// alone; the rest of BytesIn others have read for it.
		ReadBytes atomic.Int64
		Lag       atomic.Int64 // bytes of memory this job is behind what was read for it
		// Joined counts how often a split went on with what the others read, Left how
		// often it had to be read alone because this job was too far behind.
		Joined, Left atomic.Int64
	}
	// BlockedNs is time spent waiting for room downstream.
	BlockedNs atomic.Int64
	// Watermark is the operator's, in ms since 1970, if HasWatermark.
	Watermark    atomic.Int64
	HasWatermark atomic.Bool

	mu     sync.Mutex
	splits map[string]*Split
}

// Split is the counters of one split a source reads.
type Split struct {
	ID          string
	Rows, Bytes atomic.Int64
	// At is where the split has been read to, nil if that is not known.
	At atomic.Pointer[string]
	// Lag is the number of records behind At, -1 if that is not known.
	Lag atomic.Int64
}

// AddSplit returns new counters of a split.
func (o *Op) AddSplit(id string) *Split {
	s := &Split{ID: id}
	s.Lag.Store(-1)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.splits == nil {
		o.splits = map[string]*Split{}
	}
	o.splits[id] = s
	return s
}

// RemoveSplit forgets a split.
func (o *Op) RemoveSplit(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.splits, id)
}

// Splits are the splits being read, sorted by id.
func (o *Op) Splits() []*Split {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]*Split, 0, len(o.splits))
	for _, s := range o.splits {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Split) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Job is the metrics of one run of a job.
type Job struct {
	Ops []*Op // in plan order; fixed once the job runs
	// more are those of splits that come while the job runs, see Add.
	mu   sync.Mutex
	more []*Op
	// TotalBytes is the size of bounded input, 0 if unknown. TotalRows likewise.
	TotalBytes, TotalRows atomic.Int64
	// Epoch is the number of the last commit.
	Epoch atomic.Int64
	// Checkpoints counts commits, CheckpointNs the time they took from the barrier
	// to the commit; Last… are of the last one (LastCommit: ms since 1970).
	Checkpoints, CheckpointNs, LastCheckpointNs, LastCommit atomic.Int64
	// FailedCheckpoints counts those that ended the job; FailedCommits counts
	// commits of positions to the source's own system that did not work.
	FailedCheckpoints, FailedCommits atomic.Int64
}

// Sum adds a counter over all operators.
func (j *Job) Sum(get func(*Op) int64) int64 {
	var n int64
	for _, o := range j.All() {
		n += get(o)
	}
	return n
}

// Add adds the counters of an operator to those of a running job.
func (j *Job) Add(o *Op) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.more = append(j.more, o)
}

// All are the counters of all operators, those that came while the job runs last.
func (j *Job) All() []*Op {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.more) == 0 {
		return j.Ops
	}
	return append(slices.Clone(j.Ops), j.more...)
}
