package connector_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/option"
)

func bind(with map[string]string) (*connector.Binding, error) {
	return connector.Bind(with, connectors.Connectors(), formats.Formats())
}

func TestBindTakesOptionsApart(t *testing.T) {
	t.Parallel()
	b, err := bind(map[string]string{"connector": "filesystem", "path": "/x", "format": "json", "json.ignore-parse-errors": "true",
		"on-error": "dead-letter", "dead-letter.path": "dead", "scan.parallelism": "3"})
	if err != nil {
		t.Fatal(err)
	}
	if b.Connector.Name != "filesystem" || b.FormatName != "json" || b.Format == nil || len(b.Options) != 1 || b.Options["path"] != "/x" ||
		b.Engine.OnError != "dead-letter" || b.Engine.DeadLetter != "dead" || *b.Engine.ScanParallelism != 3 || b.Engine.SinkParallelism != nil {
		t.Fatalf("%+v", b)
	}
	if b, err = bind(map[string]string{"connector": "blackhole"}); err != nil || b.Format != nil || b.Engine.OnError != "fail" {
		t.Fatal(b, err)
	}
	if b, err = bind(map[string]string{"connector": "datagen", "fields.a.kind": "random"}); err != nil || b.Options["fields.a.kind"] != "random" {
		t.Fatal(b, err)
	}
}

func TestBindNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := func(key, part string, with map[string]string) {
		t.Helper()
		_, err := bind(with)
		var e *option.Error
		if !errors.As(err, &e) || e.Key != key || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: %v, want an error of %q with %q", with, err, key, part)
		}
	}
	f("connector", "required", nil)
	f("connector", "did you mean 'filesystem'", map[string]string{"connector": "filesystm"})
	f("connector", "known: ", map[string]string{"connector": "xyzzyxyz"})
	f("format", "required", map[string]string{"connector": "filesystem", "path": "x"})
	f("format", "did you mean 'json'", map[string]string{"connector": "filesystem", "path": "x", "format": "jsn"})
	f("path", "required", map[string]string{"connector": "filesystem", "format": "json"})
	f("json.ignore-parse-errors", "true nor false", map[string]string{"connector": "filesystem", "path": "x", "format": "json", "json.ignore-parse-errors": "1"})
	f("json.ignore-parse-error", "did you mean 'json.ignore-parse-errors'", map[string]string{"connector": "filesystem", "path": "x", "format": "json", "json.ignore-parse-error": "true"})
	f("csv.field-delimiter", "unknown option", map[string]string{"connector": "filesystem", "path": "x", "format": "json", "csv.field-delimiter": ";"})
	f("on-error", "none of", map[string]string{"connector": "print", "on-error": "panic"})
	f("dead-letter.path", "required", map[string]string{"connector": "print", "on-error": "dead-letter"})
	f("rows-per-secnd", "did you mean 'rows-per-second'", map[string]string{"connector": "datagen", "rows-per-secnd": "1"})
}

// What the manual prints is there.
func TestEveryOptionIsDocumented(t *testing.T) {
	t.Parallel()
	for _, c := range connectors.Connectors() {
		if c.Doc == "" || c.Source == nil && c.Sink == nil {
			t.Errorf("%s: no text, or neither source nor sink", c.Name)
		}
		for _, o := range c.Options {
			if o.Doc == "" {
				t.Errorf("%s: %s has no text", c.Name, o.Key)
			}
		}
	}
	for _, f := range formats.Formats() {
		for _, o := range f.Options {
			if f.Doc == "" || o.Doc == "" {
				t.Errorf("%s: %s has no text", f.Name, o.Key)
			}
		}
	}
}
