package buffered

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// DeadLetterFile collects rows that could not be written in a file, one JSON
// object a line. Several sinks may share it.
type DeadLetterFile struct {
	table string
	zone  *time.Location
	mu    sync.Mutex
	file  *os.File
}

// OpenDeadLetterFile opens the file to append to it. table is named in every line.
func OpenDeadLetterFile(path, table string, zone *time.Location) (*DeadLetterFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("dead-letter file: %w", err)
	}
	return &DeadLetterFile{table: table, zone: zone, file: f}, nil
}

// deadRow is a line of the file. The values of the row are as CAST(… AS STRING) prints them.
type deadRow struct {
	Table string             `json:"table"`
	Split string             `json:"split,omitempty"`
	First string             `json:"first,omitempty"` // positions of the batch the row came in
	Last  string             `json:"last,omitempty"`
	Error string             `json:"error"`
	Kind  string             `json:"kind"`
	Row   map[string]*string `json:"row"`
}

// Put appends a row; it fits Options.Dead.
func (d *DeadLetterFile) Put(_ context.Context, b *vector.Batch, i int, why error) error {
	line := deadRow{Table: d.table, Split: b.Origin.Split, First: b.Origin.First, Last: b.Origin.Last, Error: why.Error(), Kind: b.Kind(i).String(), Row: map[string]*string{}}
	for c, f := range b.Schema.Fields {
		if b.Cols[c].IsNull(i) {
			line.Row[f.Name] = nil
			continue
		}
		text := string(types.AppendCast(nil, vector.Get(b.Cols[c], i), f.Type, d.zone))
		line.Row[f.Name] = &text
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.file.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("dead-letter file: %w", err)
	}
	return nil
}

// Close closes the file.
func (d *DeadLetterFile) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.file.Close()
}
