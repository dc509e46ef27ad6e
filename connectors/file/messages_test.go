package file

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/runnelio/runnel/format"
)

// messages is a format whose records have no end mark.
type messages struct{ format.Format }

func (messages) Framing() format.Framing { return format.Whole }

// TestMessagesAreRefused: what could not be read back is not written either.
func TestMessagesAreRefused(t *testing.T) {
	dir := t.TempDir()
	table := testTable(t, map[string]string{"path": "out"})
	table.Format = messages{table.Format}
	if _, err := Connector.Source(testContext(dir), table); !errors.Is(err, errMessages) {
		t.Errorf("source: %v", err)
	}
	if _, err := Connector.Sink(testContext(dir), table); !errors.Is(err, errMessages) {
		t.Errorf("sink: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !os.IsNotExist(err) {
		t.Errorf("a folder was made: %v", err)
	}
}
