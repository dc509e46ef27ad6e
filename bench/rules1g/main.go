// Command rules1g runs 10,000 rules with windowed counts at full speed in a small
// process: one core and a memory limit. It prints the memory of the process every
// ten seconds, which must stay flat.
//
//	go run ./bench/rules1g [-for 10m] [-rules 10000] [-limit 900MiB]
//
// Half of the rules are those of benchmark W1, which hardly ever hold; the others
// hold often, so that tens of thousands of counts by rule and host are open at a time.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/runnelio/runnel/bench/events"
)

func main() {
	length := flag.Duration("for", 2*time.Minute, "how long to run")
	n := flag.Int("rules", 10_000, "number of rules")
	limit := flag.String("limit", "900MiB", "GOMEMLIMIT of the process")
	every := flag.Duration("every", 10*time.Second, "time between two lines")
	flag.Parse()
	if err := run(*length, *every, *n, *limit); err != nil {
		log.Fatal(err)
	}
}

func run(length, every time.Duration, n int, limit string) error {
	dir, err := os.MkdirTemp("", "rules1g")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "runnel")
	if out, err := exec.Command("go", "build", "-o", bin, "./cmd/runnel").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	script := filepath.Join(dir, "rules.sql")
	if err := os.WriteFile(script, []byte(sqlOf(n)), 0o644); err != nil {
		return err
	}
	args := []string{bin, "run", "-q", "--stats", script}
	if p, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{p, "-c", "0"}, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "GOMAXPROCS=1", "GOMEMLIMIT="+limit)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	sent, err := feed(in, c.Process.Pid, length, every)
	if err := errors.Join(err, in.Close(), c.Wait()); err != nil {
		return err
	}
	ru := c.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	fmt.Printf("%d events, %.2f µs of CPU each, peak memory %d MB\n", sent, cpu.Seconds()*1e6/float64(sent), ru.Maxrss/1024)
	return nil
}

// feed writes events until the time is over, and prints how it goes.
func feed(in io.Writer, pid int, length, every time.Duration) (sent int64, err error) {
	w := bufio.NewWriterSize(in, 1<<20)
	g := events.New(7)
	start := time.Now()
	next := start.Add(every)
	var b []byte
	fmt.Println("seconds  events  memory MB")
	for {
		for range 1000 {
			b = g.Append(b[:0])
			if _, err := w.Write(b); err != nil {
				return sent, err
			}
			sent++
		}
		now := time.Now()
		if now.After(next) {
			rss, err := resident(pid)
			if err != nil {
				return sent, err
			}
			fmt.Printf("%7.0f  %6d  %d\n", now.Sub(start).Seconds(), sent, rss>>20)
			next = next.Add(every)
		}
		if now.Sub(start) > length {
			return sent, w.Flush()
		}
	}
}

// resident is the memory of a process, in bytes.
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var size, rss int64
	if _, err := fmt.Sscan(string(b), &size, &rss); err != nil {
		return 0, err
	}
	return rss * int64(os.Getpagesize()), nil
}

// sqlOf is the statement set: a windowed count by host with a threshold for each rule.
func sqlOf(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE w1 (%s, at_time AS TO_TIMESTAMP(ts), WATERMARK FOR at_time AS at_time - INTERVAL '1' SECOND) WITH ('connector' = 'stdin', 'format' = 'json');\n", strings.Join(events.RuleColumns, ", "))
	b.WriteString("CREATE TABLE hits (rule_id INT, host STRING, w TIMESTAMP(3), cnt BIGINT) WITH ('connector' = 'blackhole');\nEXECUTE STATEMENT SET BEGIN\n")
	rules := events.Rules(1, n)
	for i, r := range rules {
		cond := r.Cond
		if i%2 == 1 { // ports and hosts there are: of every event that has them, a few of these hold
			cond = fmt.Sprintf("host = 'WS%02d.corp.runnel.example' AND DestinationPort BETWEEN %d AND %d", 1+i%40, i%3000*20, i%3000*20+100)
		}
		fmt.Fprintf(&b, "INSERT INTO hits SELECT %d, host, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE w1, DESCRIPTOR(at_time), INTERVAL '1' MINUTE)) WHERE %s GROUP BY host, window_start, window_end HAVING COUNT(*) >= %d;\n", r.ID, cond, 2+i%5)
	}
	b.WriteString("END;\n")
	return b.String()
}
