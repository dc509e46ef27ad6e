// Package metrics counts what a job does. Metrics are values handed down in
// contexts; nothing here is global.
package metrics

import "sync/atomic"

// Op is the counters of one operator of one task. Tasks write, anybody reads.
type Op struct {
	Name    string
	Subtask int

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
	// BlockedNs is time spent waiting for room downstream.
	BlockedNs atomic.Int64
}

// Job is the metrics of one run of a job.
type Job struct {
	Ops []*Op // in plan order; fixed once the job runs
	// TotalBytes is the size of bounded input, 0 if unknown. TotalRows likewise.
	TotalBytes, TotalRows atomic.Int64
	// Epoch is the number of the last commit.
	Epoch atomic.Int64
}

// Sum adds a counter over all operators.
func (j *Job) Sum(get func(*Op) int64) int64 {
	var n int64
	for _, o := range j.Ops {
		n += get(o)
	}
	return n
}
