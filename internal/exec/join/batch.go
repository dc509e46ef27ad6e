package join

import (
	"encoding/binary"

	"github.com/runnelio/runnel/internal/exec"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// batchResult emits the join of all rows kept: the end of a batch job.
func (j *Join) batchResult(out exec.Output) error {
	j.out.Reset()
	left, right := j.sides[0], j.sides[1]
	seen := map[int32]bool{} // right entries with a match
	var err error
	left.entries.Live(func(e int32) bool {
		err = j.batchRow(left, right, e, seen, out)
		return err == nil
	})
	if err != nil {
		return err
	}
	if j.outer[1] {
		right.entries.Live(func(e int32) bool {
			if !seen[e] {
				for range right.count[e] {
					if err = j.paddedEntry(1, e, types.Insert); err != nil {
						return false
					}
				}
			}
			err = j.full(out)
			return err == nil
		})
	}
	if err != nil {
		return err
	}
	return j.emit(out)
}

func (j *Join) batchRow(left, right *side, e int32, seen map[int32]bool, out exec.Output) error {
	k := left.entries.Key(e)
	key := k[4 : 4+binary.LittleEndian.Uint32(k)]
	var matched []int32
	if j.matchable(key) {
		if g := right.find(key); g >= 0 {
			matched = right.rows[g]
		}
	}
	if j.pred != nil && len(matched) > 0 {
		var err error
		var rerr error
		matched, err = j.filter(0, func(cols []vector.Vector) {
			if e := left.read(e, cols); e != nil {
				rerr = e
			}
		}, right, matched)
		if err != nil {
			return err
		}
		if rerr != nil {
			return rerr
		}
	}
	nl := len(j.Left.Fields)
	for range left.count[e] {
		switch {
		case j.semi():
			if (len(matched) > 0) != (j.Join.Kind == plan.Anti) {
				if err := left.read(e, j.out.Cols); err != nil {
					return err
				}
				j.out.AppendKind(types.Insert)
			}
		case len(matched) == 0:
			if j.outer[0] {
				if err := j.paddedEntry(0, e, types.Insert); err != nil {
					return err
				}
			}
		}
		if j.semi() {
			continue
		}
		for _, r := range matched {
			seen[r] = true
			for range right.count[r] {
				if err := left.read(e, j.out.Cols[:nl]); err != nil {
					return err
				}
				if err := right.read(r, j.out.Cols[nl:]); err != nil {
					return err
				}
				j.out.AppendKind(types.Insert)
			}
			if err := j.full(out); err != nil {
				return err
			}
		}
	}
	return j.full(out)
}

// full emits the output when it has a batch's rows.
func (j *Join) full(out exec.Output) error {
	if j.out.N < j.cx.BatchSize {
		return nil
	}
	return j.emit(out)
}

// matchable tells whether an encoded key can match: no NULL where = compares.
func (j *Join) matchable(key []byte) bool {
	if len(j.Join.LeftKeys) == 0 {
		return true
	}
	cols := make([]vector.Vector, len(j.Join.LeftKeys))
	for k, c := range j.Join.LeftKeys {
		cols[k] = vector.New(j.Left.Fields[c].Type, 1)
	}
	var err error
	for k, c := range cols {
		if key, err = vector.ReadRow(c, key); err != nil {
			return false
		}
		if c.IsNull(0) && !(len(j.Join.NullSafe) > k && j.Join.NullSafe[k]) {
			return false
		}
	}
	return true
}
