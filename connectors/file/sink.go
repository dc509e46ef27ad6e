package file

import (
	"errors"

	"github.com/runnelio/runnel/connector"
)

func newSink(cx *connector.Context, t *connector.Table, o *options) (connector.Sink, error) {
	return nil, errors.New("filesystem: writing is not there yet")
}
