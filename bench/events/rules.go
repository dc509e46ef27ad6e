package events

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Rule is one detection rule over the events: a condition in Flink SQL.
type Rule struct {
	ID   int
	Cond string
}

// attackWords are texts of which one is in every attack's command line.
var attackWords = []string{"-Enc SQB", "comsvcs.dll, MiniDump", "sekurlsa::", "delete shadows", "-urlcache", `"Domain Admins"`, "/create /sc minute", "cl Security", "whoami /priv", `save HKLM\SAM`, "/transfer n", ".hta"}

// RuleColumns are the columns that rules look at, and those that are written,
// with their SQL types: the table of benchmark W1.
var RuleColumns = []string{
	"record_id STRING", "ts STRING", "host STRING", "EventID INT", "`User` STRING", "Image STRING", "CommandLine STRING", "ParentImage STRING",
	"IntegrityLevel STRING", "DestinationPort INT", "DestinationIp STRING", "TargetObject STRING", "QueryName STRING",
}

// Rules returns n rules of the mix of benchmark W1: of their predicates about 40 %
// are equalities, 35 % LIKE, 15 % regular expressions, 10 % ranges and IN, over ten
// fields, one to five a rule. Whatever n is, all rules together hold for the
// attacks alone, about 1 % of the events: the first rule finds all of them, the
// others some or none. The same seed gives the same rules.
func Rules(seed uint64, n int) []Rule {
	r := rand.New(rand.NewPCG(seed, 0x72756c6573))
	out := make([]Rule, 0, n)
	quoted := make([]string, len(attackWords))
	for i, w := range attackWords {
		quoted[i] = strings.NewReplacer(`\`, `\\`, ".", `\.`, "/", "/").Replace(w)
	}
	out = append(out, Rule{ID: 1, Cond: "EventID = 1 AND REGEXP(CommandLine, '(" + strings.Join(quoted, "|") + ")')"})
	for i := 2; i <= n; i++ {
		var preds []string
		// What ties the rule to attacks, or to nothing at all.
		anchor := anchorOf(r, i)
		preds = append(preds, anchor)
		for range r.IntN(5) {
			preds = append(preds, narrow(r))
		}
		r.Shuffle(len(preds), func(a, b int) { preds[a], preds[b] = preds[b], preds[a] })
		out = append(out, Rule{ID: i, Cond: strings.Join(preds, " AND ")})
	}
	return out[:min(n, len(out))]
}

// word is a text that occurs in no event.
func word(r *rand.Rand, i int) string {
	const letters = "bcdfghjklmnpqrstvwxz"
	b := make([]byte, 6+r.IntN(8))
	for k := range b {
		b[k] = letters[r.IntN(len(letters))]
	}
	return fmt.Sprintf("%s%d", b, i)
}

func anchorOf(r *rand.Rand, i int) string {
	w := word(r, i)
	if r.IntN(40) == 0 {
		w = attackWords[r.IntN(len(attackWords))]
	}
	w = strings.ReplaceAll(w, "'", "''")
	switch k := r.IntN(100); {
	case k < 40 && w[0] != '-' && w[0] != '/' && w[0] != '.':
		switch r.IntN(3) {
		case 0:
			return `Image = 'C:\Windows\Temp\` + w + `.exe'`
		case 1:
			return `TargetObject = 'HKLM\SOFTWARE\` + w + `'`
		}
		return "QueryName = '" + w + ".example'"
	case k < 80:
		switch r.IntN(4) {
		case 0:
			return "CommandLine LIKE '%" + w + "%'"
		case 1:
			return `Image LIKE '%\` + w + `.exe'`
		case 2:
			return "CommandLine LIKE '" + w + "%'"
		}
		return "CommandLine LIKE '%" + w + "%'"
	default:
		q := strings.NewReplacer(`\`, `\\`, ".", `\.`, "(", `\(`).Replace(w)
		if r.IntN(2) == 0 {
			return "REGEXP(CommandLine, '" + q + `\s*["/\w-]*')`
		}
		return "REGEXP(CommandLine, '(?i)(" + q + "|" + word(r, i) + `)\b')`
	}
}

// narrow is a predicate that many events fulfil.
func narrow(r *rand.Rand) string {
	switch k := r.IntN(100); {
	case k < 40:
		switch r.IntN(4) {
		case 0:
			return "EventID = 1"
		case 1:
			return "IntegrityLevel = '" + []string{"High", "Medium", "System"}[r.IntN(3)] + "'"
		case 2:
			return `ParentImage = 'C:\Windows\System32\cmd.exe'`
		}
		return fmt.Sprintf("host = 'WS%02d.corp.runnel.example'", 1+r.IntN(40))
	case k < 75:
		switch r.IntN(4) {
		case 0:
			return `Image LIKE '%.exe'`
		case 1:
			return `Image LIKE 'C:\Windows\%'`
		case 2:
			return `ParentImage LIKE '%\cmd.exe'`
		}
		return "`User` LIKE 'CORP%'"
	case k < 90:
		switch r.IntN(2) {
		case 0:
			return `REGEXP(Image, '\\(power|w|c)?[a-z0-9]+\.exe$')`
		}
		return `REGEXP(ParentImage, '(?i)\\(cmd|winword|outlook|w3wp)\.exe$')`
	}
	switch r.IntN(3) {
	case 0:
		return "EventID IN (1, 4624, 4625, 11)"
	case 1:
		return fmt.Sprintf("DestinationPort BETWEEN %d AND %d", r.IntN(1000), 1000+r.IntN(60000))
	}
	return "IntegrityLevel IN ('High', 'System', 'Medium', 'Low')"
}
