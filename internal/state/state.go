// Package state keeps what operators remember. Operators work on typed hash
// tables in memory (Table) and mark what they change; at a barrier the dirty
// part, and only that, goes to a Backend, which belongs to a Store. A commit of
// the Store makes the parts of all tasks, with source positions and sink tokens,
// true together.
package state

import (
	"context"
	"errors"
)

// Units is the number of key groups keyed state is divided into, fixed for the
// life of a job: a job can restart at any parallelism up to it.
const Units = 128

// UnitOf returns the key group of a key by its stable hash.
func UnitOf(hash uint64) uint16 { return uint16((hash >> 32) % Units) }

// TaskOf returns the parallel instance that owns a unit.
func TaskOf(unit uint16, parallel int) int { return int(unit) * parallel / Units }

// Backend is the part of a store that one operator of one task uses. It
// belongs to that task.
type Backend interface {
	// Restore calls f for every entry of the last commit in units that this
	// task owns, in no order. key and value are valid during the call.
	Restore(f func(unit uint16, key, value []byte) error) error
	// Put and Delete add changes to the current epoch. key and value are copied.
	Put(unit uint16, key, value []byte) error
	Delete(unit uint16, key []byte) error
	// Seal ends the backend's part of an epoch: what follows belongs to the next.
	// Its task calls it when it has handled the epoch's barrier.
	Seal(epoch int64) error
}

// Commit is what becomes true at once.
type Commit struct {
	Epoch     int64
	Positions map[string]string // source operator id + "/" + split -> position
	Tokens    map[string][]byte // sink operator id + "/" + subtask -> prepared transaction
	Meta      map[string]string // watermarks, job facts
}

// Store holds the state of one job.
type Store interface {
	// Last returns the last commit, nil if there is none.
	Last(ctx context.Context) (*Commit, error)
	// Backend returns the part of operator for the units that subtask of
	// parallel owns (see TaskOf).
	Backend(operator string, subtask, parallel int) Backend
	// Commit makes all changes since the last commit durable with c.
	Commit(ctx context.Context, c *Commit) error
	Close() error
}

// ErrFenced tells that a store was claimed by another owner: what its former one
// wanted to commit is not true and never will be.
var ErrFenced = errors.New("the state was taken over by another process")

// ClaimedStore is a Store that passes from owner to owner.
type ClaimedStore interface {
	Store
	// Superseded tells that another owner has claimed the store.
	Superseded() bool
	// Writer is a name of the store that no other has and that stays from owner to owner.
	Writer() string
}

// Shared is state that processes share: a store for each unit that they hand to one
// another. It is safe for concurrent use.
type Shared interface {
	// Claim makes the caller the owner of a unit, whoever owned it before: the
	// commits of the last owner fail from now on with ErrFenced.
	Claim(ctx context.Context, unit string) (ClaimedStore, error)
	// Alone keeps all units to the caller; it fails if another process shares them.
	Alone() error
	Close() error
}

// Spill keeps keys that left an operator's memory. What is taken out of it, the
// operator's memory owns again; what the operator adds hides what was there. A
// Spill belongs to one task.
type Spill interface {
	// Add writes an entry to the run that is being written; entries of a run come
	// in ascending order of their hashes. key and value are copied.
	Add(hash uint64, key, value []byte) error
	// End ends a run: only now its entries can be taken.
	End() error
	// Take returns the value of a key, valid until the next call, and false if
	// there is none.
	Take(hash uint64, key []byte) (value []byte, ok bool, err error)
	// Forget says that a key that was taken has been removed.
	Forget(hash uint64, key []byte)
	// Each calls f for all entries, also for those that were taken since they were
	// added: memory knows better about them.
	Each(f func(hash uint64, key, value []byte) error) error
	// Rows is the number of keys that are here and not in memory; Written the
	// bytes written in all.
	Rows() int64
	Written() int64
	Close() error
}
