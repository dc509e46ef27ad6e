package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/cli"
)

// TestFunctionsKnowsTheGrammar: what is written like a function is answered,
// whether it is one or a form of the grammar.
func TestFunctionsKnowsTheGrammar(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"TUMBLE": "DESCRIPTOR(time), size", "hop": "slide, size", "CUMULATE": "step, size", "SESSION": "gap", "RULES": "'folder'",
		"TUMBLE_END": "TUMBLE_END(time, size)", "CAST": "", "TRY_CAST": "", "CASE": "", "EXTRACT": "",
		"OVER": "PARTITION BY", "ROW_NUMBER": "", "RANK": "", "LAG": "", "UPPER": "", "POSITION": "", "TRIM": "", "COALESCE": "",
		"UNNEST": "ORDINALITY", "MATCH_RECOGNIZE": "PATTERN", "IN": "", "LIKE": "", "EXISTS": "",
	} {
		var out, errs bytes.Buffer
		code := cli.Run(t.Context(), host(connector.Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}), []string{"functions", name})
		if code != cli.ExitOK || !strings.HasPrefix(out.String(), strings.ToUpper(name)) || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out.String(), errs.String())
		}
	}
	var out, errs bytes.Buffer
	code := cli.Run(t.Context(), host(connector.Terminal{In: strings.NewReader(""), Out: &out, Err: &errs}), []string{"functions", "CUMULAT"})
	if code != cli.ExitRejected || !strings.Contains(errs.String(), "did you mean CUMULATE?") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
