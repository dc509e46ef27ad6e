package runtime

import (
	"context"
	"errors"
	"io/fs"

	"github.com/runnelio/runnel/internal/physical"
)

// fitTries is how often Fits looks again when a commit replaced the files it was
// about to read.
const fitTries = 3

// Fits tells whether a plan could go on from the job's last commit: nil, or an
// error that names what of it fits no operator (see Options.AllowNonRestored).
// The job goes on meanwhile.
func (j *Job) Fits(ctx context.Context, p *physical.Plan, allow bool) error {
	if j.units != nil && j.units.opts.Units != nil {
		return j.units.fits(ctx, p, allow)
	}
	if j.store == nil {
		return errors.New("the job keeps its state in memory, where another version would not find it: it needs a state directory")
	}
	var err error
	for range fitTries {
		last, lerr := j.store.Last(ctx)
		if lerr != nil {
			return lerr
		}
		if _, err = adopt(p, last, j.store, allow); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return err
}
