// Detect-go is the job of examples/detect in Go: a dozen rules over a log of
// Windows events in one pass. Alerts go to a folder, the hosts that fit five
// rules or more to the terminal.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/runnelio/runnel"
)

const columns = `
	record_id STRING, ts TIMESTAMP(3), EventID INT, host STRING, ` + "`User`" + ` STRING,
	Image STRING, CommandLine STRING, ParentImage STRING, TargetUserName STRING, LogonType STRING,
	program AS REGEXP_EXTRACT(Image, '([^\\]+)$', 1),
	WATERMARK FOR ts AS ts - INTERVAL '5' SECOND`

// rules are tried in this order; the first that holds names the alert.
var rules = []struct{ name, cond string }{
	{"credential-dumping-mimikatz", `EventID = 1 AND CommandLine LIKE '%sekurlsa::%'`},
	{"credential-dumping-lsass", `EventID = 1 AND CommandLine LIKE '%comsvcs.dll%' AND CommandLine LIKE '%MiniDump%'`},
	{"credential-dumping-registry", `EventID = 1 AND REGEXP(CommandLine, '(?i)reg\s+save\s+HKLM.(SAM|SYSTEM|SECURITY)')`},
	{"powershell-encoded", `EventID = 1 AND Image LIKE '%\powershell.exe' AND REGEXP(CommandLine, '(?i)-e(nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{20,}')`},
	{"shadow-copies-deleted", `EventID = 1 AND Image LIKE '%\vssadmin.exe' AND CommandLine LIKE '%delete shadows%'`},
	{"download-certutil", `EventID = 1 AND Image LIKE '%\certutil.exe' AND CommandLine LIKE '%urlcache%'`},
	{"download-bitsadmin", `EventID = 1 AND Image LIKE '%\bitsadmin.exe' AND CommandLine LIKE '%/transfer%'`},
	{"script-from-the-net", `EventID = 1 AND Image LIKE '%\mshta.exe' AND CommandLine LIKE '%http%'`},
	{"persistence-task", `EventID = 1 AND Image LIKE '%\schtasks.exe' AND CommandLine LIKE '%/create%' AND CommandLine LIKE '%Public%'`},
	{"log-cleared", `EventID = 1 AND Image LIKE '%\wevtutil.exe' AND CommandLine LIKE '% cl %'`},
	{"domain-admin-added", `EventID = 1 AND REGEXP(CommandLine, '(?i)net1?(\.exe)?\s+group\s+"Domain Admins".*/add')`},
	{"web-server-shell", `EventID = 1 AND ParentImage LIKE '%\w3wp.exe'`},
	{"logon-failed-administrator", `EventID = 4625 AND LogonType = '3' AND TargetUserName = 'administrator'`},
}

func main() {
	in := flag.String("in", "../detect/events.jsonl.gz", "events, JSON lines")
	alerts := flag.String("alerts", "alerts", "folder of the alerts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *in, *alerts, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "detect-go:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in, alerts string, out io.Writer) error {
	env, err := runnel.New(runnel.Terminal(os.Stdin, out, os.Stderr))
	if err != nil {
		return err
	}
	var rule strings.Builder
	rule.WriteString("CASE")
	for _, r := range rules {
		fmt.Fprintf(&rule, " WHEN %s THEN '%s'", r.cond, r.name)
	}
	rule.WriteString(" END AS rule")

	job := env.Job("detect")
	hits := job.FromFile(in, runnel.Columns(columns)).
		Select("*", rule.String()).
		Filter("rule IS NOT NULL")
	hits.Select("ts", "host", "rule", "`User` AS `user`", "program", "CommandLine AS command", "record_id AS event").
		ToFile(alerts)
	hits.GroupBy("host").
		Aggregate("COUNT(DISTINCT rule) AS rules", "COUNT(*) AS hits").
		Filter("rules >= 5").
		ToPrint()
	return job.Start(ctx)
}
