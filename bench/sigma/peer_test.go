package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithoutChannels(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile(filepath.Join("..", "..", builtin))
	if err != nil {
		t.Fatal(err)
	}
	got, err := withoutChannels(string(ours))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "Channel:") || !strings.Contains(got, "conditions: {EventID: 1}}") || strings.Contains(got, "service: security}") {
		t.Errorf("%.2000s", got)
	}
	if _, err := withoutChannels("name: other\n"); err == nil {
		t.Error("a pipeline without channels gave no error")
	}
}
