package types

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestFixedLayoutsAreTheCalendars compares every day of many years, and times of
// them, with package time, and that other texts are given up.
func TestFixedLayoutsAreTheCalendars(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for d := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 9999; d = d.AddDate(0, 0, 1+r.IntN(9)) {
		at := d.Add(time.Duration(r.IntN(86400)) * time.Second)
		text := at.Format("2006-01-02 15:04:05")
		ts, ok := FixedTimestamp(text)
		days, ok2 := FixedDate(text[:10])
		if !ok || !ok2 || ts.Ms != at.UnixMilli() || ts.Ns != 0 || days != FloorDiv(at.Unix(), 86400) {
			t.Fatalf("%s: %v %v, %d %v", text, ts, ok, days, ok2)
		}
	}
	for range 200_000 {
		b := []byte("2024-02-29 12:34:56")
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] = "0123456789-: .x"[r.IntN(15)]
		}
		if bytes.Count(b, []byte{' '}) != 1 {
			continue // package time takes blanks for digits
		}
		want, err := time.Parse("2006-01-02 15:04:05", string(b))
		ts, ok := FixedTimestamp(b)
		if ok != (err == nil && want.Year() > 0 && len(b) == 19) || ok && ts.Ms != want.UnixMilli() {
			t.Fatalf("%s: %v %v, want %v %v", b, ts, ok, want, err)
		}
	}
	for _, text := range []string{"", "2024-02-29 12:34:5", "2024-02-29 12:34:56 ", "2023-02-29", "0000-01-01"} {
		if _, ok := FixedTimestamp(text); ok {
			t.Error(text)
		}
		if _, ok := FixedDate(text); ok {
			t.Error(text)
		}
	}
}

func BenchmarkFixedTimestamp(b *testing.B) {
	texts := make([]string, 1024)
	for i := range texts {
		texts[i] = fmt.Sprintf("2024-%02d-%02d 12:%02d:%02d", 1+i%12, 1+i%28, i%60, i%59)
	}
	for b.Loop() {
		for _, s := range texts {
			ParseTimestamp(s, 3)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024, "ns/row")
}
