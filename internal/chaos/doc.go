// Package chaos has the tests that kill a real process: the binary runs jobs from
// files to files, is killed at random moments, started again, and must end with
// what an undisturbed run writes, record for record.
//
// The short form runs with the other tests; RUNNEL_CHAOS=n kills n times, and
// SEED=n repeats a run (as far as the moments of a kill can be repeated).
package chaos
