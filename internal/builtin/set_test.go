package builtin

import (
	"strings"
	"testing"
)

func TestEveryFunctionIsDocumented(t *testing.T) {
	t.Parallel()
	for _, d := range All().Defs() {
		if d.Group == "" || d.Doc == "" || d.Sig == "" || !strings.HasSuffix(d.Doc, ".") || strings.ToUpper(d.Name) != d.Name {
			t.Errorf("%s: group %q, signature %q, doc %q", d.Name, d.Group, d.Sig, d.Doc)
		}
	}
}
