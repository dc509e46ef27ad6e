package cli_test

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/cli"
)

// TestWrongStatements holds that whatever is wrong with a statement is told with
// its line and column, and its line with a caret under the place.
func TestWrongStatements(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/wrong.sql")
	if err != nil {
		t.Fatal(err)
	}
	definitions, statements, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		t.Fatal("no blank line behind the definitions")
	}
	first := regexp.MustCompile(`^runnel: (?:\w+-\d+: )?(\d+):(\d+): `)
	line := strings.Count(definitions, "\n") + 2
	for marked := range strings.Lines(statements) {
		marked = strings.TrimSpace(marked)
		before, rest, ok := strings.Cut(marked, "«")
		place, after, ok2 := strings.Cut(rest, "»")
		if !ok || !ok2 {
			t.Fatalf("no place is marked: %s", marked)
		}
		t.Run(marked, func(t *testing.T) {
			stmt := before + place + after
			var out, errs bytes.Buffer
			code := cli.Run(t.Context(), host(connector.Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}),
				[]string{"query", "-e", definitions + "\n" + stmt})
			if code != cli.ExitRejected && code != cli.ExitFailed {
				t.Fatalf("exit code %d: %s%s", code, out.String(), errs.String())
			}
			lines := strings.Split(errs.String(), "\n")
			at := first.FindStringSubmatch(lines[0])
			if at == nil || at[1] != strconv.Itoa(line) || at[2] != strconv.Itoa(utf8.RuneCountInString(before)+1) {
				t.Fatalf("want %d:%d\n%s", line, utf8.RuneCountInString(before)+1, errs.String())
			}
			excerpt, caret := strings.TrimPrefix(lines[1], "  "), strings.TrimPrefix(lines[2], "  ")
			from := strings.IndexByte(caret, '^')
			if from < 0 || from > len(excerpt) || !strings.HasPrefix(excerpt[from:], place[:min(len(place), 20)]) {
				t.Errorf("the caret is not under %q\n%s", place, errs.String())
			}
		})
	}
}

// TestMistakesOfDefinitions: what is wrong with a definition, and found out only
// when it is used, is shown where it is written.
func TestMistakesOfDefinitions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"connector": {"CREATE TABLE a (id INT) WITH (\n  'connector' = 'datagne'\n);\nSELECT id FROM a;", `runnel: 2:17: table a: option 'connector': there is no connector 'datagne' (unknown-connector)
    'connector' = 'datagne'
                  ^~~~~~~~~ did you mean 'datagen'?
`},
		"twice": {"CREATE TABLE a (id INT) WITH (\n  'connector' = 'datagne'\n);\nSELECT id FROM a; INSERT INTO a SELECT 1;", `runnel: 2:17: table a: option 'connector': there is no connector 'datagne' (unknown-connector)
    'connector' = 'datagne'
                  ^~~~~~~~~ did you mean 'datagen'?
`},
		"like": {"CREATE TABLE a (id INT) WITH (\n  'connector' = 'datagne'\n);\nCREATE TABLE b LIKE a;\nSELECT id FROM b;", `runnel: 2:17: table b: option 'connector': there is no connector 'datagne' (unknown-connector)
    'connector' = 'datagne'
                  ^~~~~~~~~ did you mean 'datagen'?
`},
		"view": {"CREATE TABLE a (id INT) WITH ('connector' = 'datagen');\nCREATE VIEW v AS\nSELECT id FROM a\nORDER BY id;\nSELECT id FROM v;", `runnel: 4:10: ORDER BY without LIMIT needs a time attribute, ascending, as its first key, or batch mode (SET 'execution.runtime-mode' = 'batch') (unsupported)
  ORDER BY id;
           ^~
`},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := cli.Run(t.Context(), host(connector.Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}), []string{"query", "-e", c.text})
			if code != cli.ExitRejected || errs.String() != c.want {
				t.Errorf("exit code %d\n%s\nwant\n%s", code, errs.String(), c.want)
			}
		})
	}
}
