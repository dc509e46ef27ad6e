//go:build unix

package json

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// cpuTime is the processor time of the process in nanoseconds: on a busy machine
// it tells more than the clock.
func cpuTime() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Nano() + r.Stime.Nano())
}

func BenchmarkDecodeEvents(b *testing.B) {
	names := []string{"EventID", "host", "CommandLine", "Image", "ts", "record_id", "User", "Channel"}
	for _, k := range []int{1, 3, 8, -3} {
		name := fmt.Sprintf("fields=%d", k)
		plain := k < 0 // as on a processor without AVX2
		if plain {
			k, name = -k, fmt.Sprintf("fields=%d/plain", -k)
		}
		b.Run(name, func(b *testing.B) {
			const rows = 1024
			recs := eventRecords(rows)
			var fields []types.Field
			for i, n := range names[:k] {
				t := types.String()
				if i == 0 {
					t = types.Of(types.Int)
				}
				fields = append(fields, types.Field{Name: n, Type: t})
			}
			s := types.NewSchema(fields...)
			f, _ := Format.New(nil)
			d, err := f.NewDecoder(format.Decoding{Schema: s, Wanted: wantAll(s)})
			if err != nil {
				b.Fatal(err)
			}
			d.(*decoder).proj.quotes.plain = plain
			vecs := make([]vector.Vector, k)
			for i := range vecs {
				vecs[i] = vector.New(s.Fields[i].Type, rows)
			}
			bad := func(rec, row int, err error) { b.Fatal(err) }
			b.SetBytes(int64(len(recs.Buf)))
			b.ReportAllocs()
			start := cpuTime()
			for b.Loop() {
				n := d.Scan(recs, 0, rows, bad)
				for w := range vecs {
					d.Fill(w, nil, vecs[w], bad)
				}
				if n != rows {
					b.Fatal(n)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/event")
			b.ReportMetric((cpuTime()-start)/float64(b.N)/rows, "cpu-ns/event")
		})
	}
}
