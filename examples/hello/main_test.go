package main

import (
	"bytes"
	"testing"
)

func TestOutput(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if want := "+I[hello---]\n+I[streams---]\n+I[of---]\n+I[rows---]\n"; out.String() != want {
		t.Fatalf("%s, want %s", out.String(), want)
	}
}
