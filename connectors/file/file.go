// Package file is the filesystem connector: files of a folder, plain or
// compressed, as tables.
//
// A source reads the files that 'path' names: one file, all files below a folder,
// or those a pattern with * ? [ ] matches. Names that start with a dot or an
// underscore are left out. Each file is a split and is read once (source.go); with
// 'follow' or 'source.monitor-interval' the whole path is one split that goes on
// for ever, with new, growing and rotated files (follow.go). Folders named k=v
// are the values of partition columns (list.go).
//
// A sink writes files into the folder 'path' (sink.go). A file being written has
// a name with a dot in front; it appears under its own name when it is complete:
// when a checkpoint that contains it is committed, or at the end of the job. A
// sink that overwrites removes the files that were there when its own are
// complete (overwrite.go). partitions.go lists, makes and removes partitions.
package file

import (
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Connector is the connector.
var Connector = connector.Define("filesystem", "Files of a folder, plain or compressed.", connector.Spec[options]{
	Source:      newSource,
	Sink:        newSink,
	Check:       (*options).check,
	NeedsFormat: true,
	Overwrites:  true,
	Partitions:  newPartitions,
	Metadata: []types.Field{
		{Name: "file.path", Type: types.String().NotNull()},
		{Name: "file.name", Type: types.String().NotNull()},
		{Name: "file.size", Type: types.Of(types.BigInt).NotNull()},
		{Name: "file.modification-time", Type: types.TimestampLTZOf(3).NotNull()},
	},
})

type options struct {
	Path        string         `opt:"path,required" doc:"A file, a folder, or a pattern with * ? [ ]; a folder for sinks. file:// may stand in front."`
	Pattern     string         `opt:"source.path.regex-pattern" doc:"Only files whose absolute path matches this regular expression as a whole are read."`
	AllowEmpty  bool           `opt:"source.allow-empty" default:"false" doc:"A path that is not there, or a pattern that matches no file, is an empty table and not an error."`
	Monitor     *time.Duration `opt:"source.monitor-interval" min:"1ms" doc:"Look for new files and new lines this often, for ever. Not set: the files that are there are read once."`
	Follow      bool           `opt:"follow" default:"false" doc:"Go on when the files grow, are rotated or new ones appear, looking every second, or every source.monitor-interval."`
	MaxRecord   option.Memory  `opt:"max-record-size" default:"16 mb" min:"1 b" max:"1 gb" doc:"Longer records are treated as on-error says, with their first bytes."`
	SplitSize   option.Memory  `opt:"source.split-size" default:"0 b" doc:"Plain files that are larger are read in parts of this size, side by side where the table has several readers: the order of rows is that of the file in each part only. 0: a file is one part. Not with formats that have line ends in quotes or changes of rows."`
	Compression string         `opt:"compression" default:"auto" enum:"auto,none,gzip,zstd,bzip2,xz" doc:"How the files are compressed; auto looks at the end of the name: .gz .zst .bz2 .xz. Sinks write gzip and zstd, and nothing for auto."`
	NullName    string         `opt:"partition.default-name" default:"__DEFAULT_PARTITION__" doc:"The folder of partition values that are NULL or empty."`

	FileSize    option.Memory `opt:"sink.rolling-policy.file-size" default:"128 mb" min:"1 b" doc:"A new file is begun when one has this size."`
	Rollover    time.Duration `opt:"sink.rolling-policy.rollover-interval" default:"30 min" doc:"A new file is begun when one is this old."`
	CheckEvery  time.Duration `opt:"sink.rolling-policy.check-interval" default:"1 min" doc:"How often the age of files is looked at."`
	Success     string        `opt:"sink.partition-commit.policy.kind" default:"none" enum:"none,success-file" doc:"success-file: a folder gets a file _SUCCESS when files appear in it."`
	SuccessName string        `opt:"sink.partition-commit.success-file.name" default:"_SUCCESS" doc:"Name of that file."`
}

func (o *options) check() error {
	if _, err := o.regexp(); err != nil {
		return option.Errorf("source.path.regex-pattern", "%v", err)
	}
	return nil
}

// interval is how often a followed path is looked at, 0 if it is not followed.
func (o *options) interval() time.Duration {
	switch {
	case o.Monitor != nil:
		return *o.Monitor
	case o.Follow:
		return time.Second
	}
	return 0
}
