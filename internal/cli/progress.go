package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/metrics"
	"github.com/runnelio/runnel/internal/runtime"
)

func isTerminal(w any) bool {
	f, ok := file(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

func width(w any) int {
	if f, ok := file(w); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 100
}

// progress is the bar of a job on a terminal. A nil one draws nothing.
type progress struct {
	out   io.Writer
	job   *runtime.Job
	drawn bool
}

func newProgress(out io.Writer, j *runtime.Job) *progress { return &progress{out: out, job: j} }

func (p *progress) draw() {
	if p == nil {
		return
	}
	m := p.job.Metrics
	elapsed := p.job.Elapsed()
	rows := m.Sum(func(o *metrics.Op) int64 {
		if isSource(o) {
			return o.RowsIn.Load()
		}
		return 0
	})
	bytes := m.Sum(func(o *metrics.Op) int64 { return o.BytesIn.Load() })
	rate := float64(rows) / elapsed.Seconds()
	done, total := bytes, m.TotalBytes.Load()
	if total == 0 {
		done, total = rows, m.TotalRows.Load()
	}
	line := fmt.Sprintf("%s rows  %s rows/s", count(rows), count(int64(rate)))
	if total > 0 {
		part := min(float64(done)/float64(total), 1)
		eta := "-"
		if part > 0.001 && elapsed > 500*time.Millisecond {
			eta = (time.Duration(float64(elapsed) * (1 - part) / part)).Round(time.Second).String()
		}
		const cells = 30
		full := int(part * cells)
		line = fmt.Sprintf("[%s%s] %3.0f%%  %s of %s  %s  ETA %s", strings.Repeat("#", full), strings.Repeat(".", cells-full), part*100, size(done, m.TotalBytes.Load() > 0), size(total, m.TotalBytes.Load() > 0), line, eta)
	} else {
		line = fmt.Sprintf("%s  %s read  %s", elapsed.Round(time.Second), size(bytes, true), line)
	}
	if w := width(p.out); len(line) >= w {
		line = line[:w-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.drawn = true
}

func (p *progress) clear() {
	if p != nil && p.drawn {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

func size(n int64, bytes bool) string {
	if !bytes {
		return count(n)
	}
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// count writes a number with commas between thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if neg {
		return "-" + s
	}
	return s
}

func isSource(o *metrics.Op) bool {
	return strings.HasPrefix(o.Name, "Source-") || strings.HasPrefix(o.Name, "Values-")
}

// summary prints what a job did.
func summary(out io.Writer, j *runtime.Job, err error) {
	m := j.Metrics
	var read, written, bad, dead, oversize, late, unfired int64
	for _, o := range m.All() {
		switch {
		case isSource(o):
			read += o.RowsIn.Load()
		case strings.HasPrefix(o.Name, "Sink-"):
			written += o.RowsOut.Load()
		}
		bad += o.Bad.Load()
		dead += o.Dead.Load()
		oversize += o.Oversize.Load()
		late += o.Late.Load()
		unfired += o.Unfired.Load()
	}
	state := "finished"
	switch {
	case err != nil:
		state = "failed"
	case j.Stopped():
		state = "stopped"
	}
	elapsed := j.Elapsed()
	fmt.Fprintf(out, "job %s %s in %s: %s rows read (%s), %s rows written", j.Name, state, elapsed.Round(time.Millisecond), count(read),
		size(m.Sum(func(o *metrics.Op) int64 { return o.BytesIn.Load() }), true), count(written))
	if s := elapsed.Seconds(); s > 0 && read > 0 {
		fmt.Fprintf(out, ", %s rows/s", count(int64(float64(read)/s)))
	}
	for _, x := range []struct {
		n    int64
		what string
	}{{bad, "bad records left out"}, {dead, "of them in the dead-letter file"}, {oversize, "records too long"}, {late, "late rows dropped"}, {unfired, "open processing-time windows dropped"}} {
		if x.n > 0 {
			fmt.Fprintf(out, ", %s %s", count(x.n), x.what)
		}
	}
	fmt.Fprintln(out)
}

// statsTable prints the metrics of each operator.
func statsTable(out io.Writer, j *runtime.Job) {
	w := tabwriter.NewWriter(out, 2, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "operator\trows in\trows out\tlate\tbad\texpired\tstate rows\tstate bytes\tspilled\tblocked\t")
	for _, o := range j.Metrics.All() {
		fmt.Fprintf(w, "%s/%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", o.Name, o.Subtask, count(o.RowsIn.Load()), count(o.RowsOut.Load()), count(o.Late.Load()),
			count(o.Bad.Load()), count(o.Expired.Load()), count(o.StateRows.Load()), count(o.StateBytes.Load()), count(o.Spilled.Load()),
			time.Duration(o.BlockedNs.Load()).Round(time.Millisecond))
	}
	_ = w.Flush() // the report is an aside: a terminal that is gone does not fail the job
	for _, o := range j.Metrics.All() {
		r := &o.Rules
		if values, rows := r.MemoHits.Load()+r.MemoMisses.Load(), r.SignatureHits.Load()+r.SignatureMisses.Load(); values+rows > 0 {
			fmt.Fprintf(out, "%s/%d: %s values looked up, %.1f %% known; %s rows, %.1f %% of known signature; %s candidate rules\n", o.Name, o.Subtask,
				count(values), share(r.MemoHits.Load(), values), count(rows), share(r.SignatureHits.Load(), rows), count(r.Candidates.Load()))
		}
		if s := &o.Shared; s.Joined.Load() > 0 && s.ReadBytes.Load() < o.BytesIn.Load() {
			fmt.Fprintf(out, "%s/%d: of %s bytes of input %s were read and decoded for this job by others; it was too far behind them %s times\n", o.Name, o.Subtask,
				count(o.BytesIn.Load()), count(o.BytesIn.Load()-s.ReadBytes.Load()), count(s.Left.Load()))
		}
	}
}

func share(part, all int64) float64 { return 100 * float64(part) / float64(max(all, 1)) }

// positions shows where a job goes on.
func positions(p map[string]string) string {
	if len(p) == 0 {
		return ""
	}
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, fmt.Sprintf("%s at %s", k, connector.ShowPosition(p[k])))
		if len(parts) == 8 && len(p) > 8 {
			parts = append(parts, fmt.Sprintf("and %d more", len(p)-8))
			break
		}
	}
	return ", " + strings.Join(parts, ", ")
}
