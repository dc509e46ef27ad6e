// Command runnel is the stream engine's binary.
package main

import (
	"context"
	"os"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	"github.com/runnelio/runnel/connectors/memory"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), cli.Host{
		Connectors: append(connectors.Connectors(), memory.NewStore().Connector()),
		Formats:    formats.Formats(),
		IO:         connector.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr},
	}, os.Args[1:]))
}
