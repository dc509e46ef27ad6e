// Hello reads lines, appends "---" to each and prints them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/runnelio/runnel"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	env, err := runnel.New(runnel.Terminal(os.Stdin, out, os.Stderr))
	if err != nil {
		return err
	}
	source := runnel.NewStreamBuilder(env).DataStream("examples", "hello")
	lines := runnel.As[string](source.FromArray("hello", "streams", "of", "rows"))
	return lines.
		Map(func(line string) string { return line + "---" }).
		ToPrint().
		Start(ctx)
}
