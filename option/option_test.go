package option

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Path  string            `opt:"path,required,alias=file" doc:"Where."`
	Size  Memory            `opt:"size" default:"128 mb" min:"1kb" max:"1gb"`
	Every time.Duration     `opt:"every" default:"30 min"`
	Order string            `opt:"order" default:"name" enum:"name,time"`
	Sep   Char              `opt:"sep" default:","`
	N     *int64            `opt:"n" min:"1"`
	Ratio float64           `opt:"ratio" default:"0.5" min:"0" max:"1"`
	Flag  bool              `opt:"flag" default:"false"`
	Names []string          `opt:"names"`
	Props map[string]string `opt:"props.,prefix"`
}

func TestParseFillsFieldsAndDefaults(t *testing.T) {
	t.Parallel()
	var o sample
	err := Parse(&o, map[string]string{"file": "x", "sep": `\t`, "n": "7", "flag": "TRUE", "order": "TIME", "names": "a; b", "props.k.x": "v"})
	if err != nil {
		t.Fatal(err)
	}
	n := int64(7)
	want := sample{Path: "x", Size: 128 << 20, Every: 30 * time.Minute, Order: "time", Sep: '\t', N: &n, Ratio: 0.5, Flag: true,
		Names: []string{"a", "b"}, Props: map[string]string{"k.x": "v"}}
	if !reflect.DeepEqual(o, want) {
		t.Fatalf("got %+v, want %+v", o, want)
	}
	var bare sample
	if err := Parse(&bare, map[string]string{"path": "x"}); err != nil || bare.N != nil {
		t.Fatal(bare.N, err)
	}
}

func TestParseNamesTheKeyThatIsWrong(t *testing.T) {
	t.Parallel()
	f := func(key, part string, given map[string]string) {
		t.Helper()
		var o sample
		err := Parse(&o, given)
		var e *Error
		if !errors.As(err, &e) || e.Key != key || !strings.Contains(err.Error(), part) {
			t.Errorf("%v: got %v, want an error of %q with %q", given, err, key, part)
		}
	}
	f("path", "required", nil)
	f("path", "empty", map[string]string{"path": ""})
	f("file", "contradicts", map[string]string{"path": "a", "file": "b"})
	f("size", "no size", map[string]string{"path": "a", "size": "ten"})
	f("size", "less than 1kb", map[string]string{"path": "a", "size": "1023"})
	f("size", "more than 1gb", map[string]string{"path": "a", "size": "2 gb"})
	f("size", "no size", map[string]string{"path": "a", "size": "99999999999 tb"})
	f("every", "no duration", map[string]string{"path": "a", "every": "soon"})
	f("order", "did you mean 'time'", map[string]string{"path": "a", "order": "tme"})
	f("sep", "single character", map[string]string{"path": "a", "sep": ",,"})
	f("n", "whole number", map[string]string{"path": "a", "n": "1.5"})
	f("n", "less than 1", map[string]string{"path": "a", "n": "0"})
	f("ratio", "more than 1", map[string]string{"path": "a", "ratio": "1.5"})
	f("flag", "true nor false", map[string]string{"path": "a", "flag": "yes"})
	f("pathh", "did you mean 'path'", map[string]string{"path": "a", "pathh": "b"})
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"5": 5 * time.Millisecond, "1 min": time.Minute, "2h": 2 * time.Hour,
		"3 days": 72 * time.Hour, "1h30m": 90 * time.Minute, " 10 s ": 10 * time.Second, "7µs": 7 * time.Microsecond} {
		if got, ok := ParseDuration(text); !ok || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "s", "-1s", "1 fortnight", "9223372036854775807 d"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func TestDeclaredKeepsTheOrder(t *testing.T) {
	t.Parallel()
	d := Declared[sample]()
	if len(d) != 10 || d[0].Key != "path" || !d[0].Required || d[0].Aliases[0] != "file" || d[3].Type != "enum" || d[1].Type != "memory" || !d[9].Prefix {
		t.Fatalf("%+v", d)
	}
}
