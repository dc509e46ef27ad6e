package runtime

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/physical"
	"github.com/runnelio/runnel/internal/state"
)

// The facts about a job's operators in a commit. Values are the fingerprint, or
// the table, and for operators with state the name it has in the store, behind a
// line feed.
const (
	metaOperator = "operator/"
	metaSource   = "source/"
	metaSink     = "sink/"
)

// facts are what a commit says of the operators of p; names are those of their
// states in the store.
func facts(p *physical.Plan, names map[string]string) map[string]string {
	out := map[string]string{}
	for _, o := range p.Ops {
		switch o.Spec.(type) {
		case physical.Source, physical.GoSource, physical.Values:
			out[metaSource+o.ID] = o.Table()
		case physical.Sink:
			out[metaSink+o.ID] = o.Table()
		default:
			if f := o.Fingerprint(); f != "" {
				out[metaOperator+o.ID] = f + "\n" + names[o.ID]
			}
		}
	}
	return out
}

// isFact tells whether a key of a commit's facts is about operators of the plan
// that took it.
func isFact(key string) bool {
	for _, p := range []string{metaOperator, metaSource, metaSink, metaWatermark} {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

// adoption is what of a commit goes to which operator of a plan.
type adoption struct {
	last  *state.Commit
	old   map[string]string // operator of the plan -> operator of the commit
	names map[string]string // operator of the plan -> name of its state in the store
	// dropped are the names of states that fit nothing and are removed.
	dropped []string
}

// adopt finds for each operator of p the one of the last commit it goes on for:
// the one of the same id if both are of the same fingerprint, else one of the
// same fingerprint. What fits nothing is refused by name, or with allow dropped.
func adopt(p *physical.Plan, last *state.Commit, store state.Store, allow bool) (*adoption, error) {
	a := &adoption{last: last, old: map[string]string{}, names: map[string]string{}}
	if last == nil {
		for _, o := range p.Ops {
			a.names[o.ID] = o.ID
		}
		return a, nil
	}
	left := map[string]map[string]string{} // by kind of fact: old id -> what it must equal
	stateOf := map[string]string{}         // old id -> name in the store
	used := map[string]bool{}
	for key, v := range last.Meta {
		for _, kind := range []string{metaOperator, metaSource, metaSink} {
			if id, ok := strings.CutPrefix(key, kind); ok {
				fits, name, _ := strings.Cut(v, "\n")
				if left[kind] == nil {
					left[kind] = map[string]string{}
				}
				left[kind][id] = fits
				if kind == metaOperator {
					stateOf[id] = name
					used[name] = true
				}
			}
		}
	}
	now := facts(p, nil)
	for _, kind := range []string{metaOperator, metaSource, metaSink} {
		a.match(p, kind, now, left[kind])
	}
	for _, o := range p.Ops {
		if old, ok := a.old[o.ID]; ok && stateOf[old] != "" {
			a.names[o.ID] = stateOf[old]
			continue
		}
		// A new state must not find the records of an old one.
		name := o.ID
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s~%d", o.ID, n)
		}
		used[name] = true
		a.names[o.ID] = name
	}
	return a, a.leftover(left, stateOf, store, allow)
}

// match pairs operators of the plan with those of the commit that are left.
func (a *adoption) match(p *physical.Plan, kind string, now, left map[string]string) {
	var open []string
	for _, o := range p.Ops {
		fits, ok := now[kind+o.ID]
		if !ok {
			continue
		}
		fits, _, _ = strings.Cut(fits, "\n")
		if old, ok := left[o.ID]; ok && old == fits {
			a.old[o.ID] = o.ID
			delete(left, o.ID)
			continue
		}
		open = append(open, o.ID)
	}
	for _, id := range open {
		fits, _, _ := strings.Cut(now[kind+id], "\n")
		for _, old := range slices.Sorted(maps.Keys(left)) {
			if left[old] == fits {
				a.old[id] = old
				delete(left, old)
				break
			}
		}
	}
}

var errFound = errors.New("found")

// leftover refuses what nothing goes on with, or notes it to be dropped.
func (a *adoption) leftover(left map[string]map[string]string, stateOf map[string]string, store state.Store, allow bool) error {
	var lost []string
	for _, id := range slices.Sorted(maps.Keys(left[metaOperator])) {
		err := store.Backend(stateOf[id], 0, 1).Restore(func(uint16, []byte, []byte) error { return errFound })
		if err == nil {
			continue // it is empty
		}
		if !errors.Is(err, errFound) {
			return err
		}
		a.dropped = append(a.dropped, stateOf[id])
		lost = append(lost, fmt.Sprintf("the state of %s, %s", id, left[metaOperator][id]))
	}
	for _, id := range slices.Sorted(maps.Keys(left[metaSource])) {
		if len(positionsOf(a.last.Positions, id)) > 0 {
			lost = append(lost, fmt.Sprintf("the positions of source %s, table %s", id, left[metaSource][id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left[metaSink])) {
		for key, token := range a.last.Tokens {
			if strings.HasPrefix(key, id+"/") && len(token) > 0 && string(token) != "null" && string(token) != "[]" {
				lost = append(lost, fmt.Sprintf("a transaction of sink %s, table %s, that may not have become visible", id, left[metaSink][id]))
				break
			}
		}
	}
	if len(lost) == 0 || allow {
		return nil
	}
	return fmt.Errorf("the commit of epoch %d holds what fits no operator of this query: %s. Run the query it was made by, begin in another state directory, or drop it by --allow-non-restored",
		a.last.Epoch, strings.Join(lost, "; "))
}

// commit is the last commit in the words of the plan: its operators' ids in
// place of those of the query that took it.
func (a *adoption) commit() *state.Commit {
	if a.last == nil {
		return nil
	}
	known := false // older commits say nothing of their operators: ids are all there is
	for key := range a.last.Meta {
		known = known || strings.HasPrefix(key, metaSource) || strings.HasPrefix(key, metaOperator)
	}
	if !known {
		return a.last
	}
	c := &state.Commit{Epoch: a.last.Epoch, Positions: map[string]string{}, Tokens: map[string][]byte{}, Meta: map[string]string{}}
	for key, v := range a.last.Meta {
		if !isFact(key) {
			c.Meta[key] = v
		}
	}
	for id, old := range a.old {
		for split, at := range positionsOf(a.last.Positions, old) {
			c.Positions[id+"/"+split] = at
		}
		for key, token := range a.last.Tokens {
			if rest, ok := strings.CutPrefix(key, old+"/"); ok {
				c.Tokens[id+"/"+rest] = token
			}
		}
	}
	// Watermarks are of all operators, also of those without state: a chain that is
	// as it was finds its own by id.
	for key, v := range a.last.Meta {
		id, ok := strings.CutPrefix(key, metaWatermark)
		if !ok {
			continue
		}
		to := id
		for now, old := range a.old {
			if old == id {
				to = now
			}
		}
		c.Meta[metaWatermark+to] = v
	}
	return c
}

// drop removes states that fit nothing, with the next commit.
func (a *adoption) drop(store state.Store) error {
	for _, name := range a.dropped {
		b := store.Backend(name, 0, 1)
		type gone struct {
			unit uint16
			key  string
		}
		var keys []gone
		err := b.Restore(func(unit uint16, key, _ []byte) error {
			keys = append(keys, gone{unit, string(key)})
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := b.Delete(k.unit, []byte(k.key)); err != nil {
				return err
			}
		}
		if err := b.Seal(a.last.Epoch + 1); err != nil {
			return err
		}
	}
	return nil
}
