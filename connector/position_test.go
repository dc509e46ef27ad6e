package connector_test

import (
	"testing"

	"github.com/runnelio/runnel/connector"
)

func TestShowPosition(t *testing.T) {
	for p, want := range map[string]string{
		"":                     "the start",
		"\xff":                 "its end",
		"0000000000000028":     "28",
		"00000000000000000000": "0",
		"0000120/0000034":      "120/34",
		"part-007:0100":        "part-7:100",
		"abc":                  "abc",
		"\x00\x10":             "0010",
	} {
		if got := connector.ShowPosition(p); got != want {
			t.Errorf("%q: %q, want %q", p, got, want)
		}
	}
}
