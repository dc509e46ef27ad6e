package sigma

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/multimatch"
	"github.com/runnelio/runnel/internal/regex"
	"github.com/runnelio/runnel/internal/ruleindex"
)

// SQL writes a rule as a view over a table whose columns are STRING and are
// called as the fields, after pipelines. It selects the same events as the rule.
// The view of a correlation has a row for each window whose condition holds;
// rowtime is the column with the time of an event, which has a watermark.
func (e *Entry) SQL(table, view, rowtime string) (string, error) {
	if e.State != NotImported && e.Rule.Correlation != nil {
		return e.correlationSQL(table, view, rowtime)
	}
	where, err := e.Where()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- %s\n", oneLine(e.Rule.Title))
	if e.Rule.Author != "" {
		fmt.Fprintf(&b, "-- by %s\n", oneLine(e.Rule.Author))
	}
	fmt.Fprintf(&b, "CREATE VIEW %s AS\nSELECT %s AS `rule`, %s AS `title`, %s AS `level`, `e`.*\nFROM %s AS `e`\nWHERE %s;\n",
		quoteName(view), quoteText(e.Rule.Key()), quoteText(e.Rule.Title), quoteText(e.Rule.Level), quoteName(table), where)
	return b.String(), nil
}

// Where is the condition of a rule in SQL, over columns called as its fields.
func (e *Entry) Where() (string, error) {
	switch {
	case e.State == NotImported:
		return "", errors.New(e.Why)
	case e.Rule.Correlation != nil:
		return "", errors.New("a correlation is no condition on one event")
	case e.cond == nil:
		return "", errors.New("a filter is part of the rules it names")
	}
	return sqlOf(e.cond, 0)
}

// Fields are the columns that the rule's SQL reads.
func (e *Entry) Fields() []string {
	var out []string
	seen := map[string]bool{}
	add := func(f string) {
		if f != "" && !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	var walk func(c *ruleindex.Cond)
	walk = func(c *ruleindex.Cond) {
		name, _, _ := strings.Cut(c.Field, "|")
		add(name)
		if c.Op == ruleindex.CondSame {
			add(c.Value)
		}
		for _, s := range c.Subs {
			walk(s)
		}
	}
	if e.cond != nil {
		walk(e.cond)
	}
	if e.Rule != nil && e.Rule.Correlation != nil {
		c := e.Rule.Correlation
		for _, r := range e.refs {
			for _, g := range c.GroupBy {
				add(c.field(g, r.Rule))
			}
		}
		if correlationTypes[c.Type] {
			for _, f := range c.Fields {
				add(f)
			}
		}
	}
	return out
}

// sqlOf writes c. Sigma has two truth values, SQL three: what is unknown, because
// a field is NULL, is taken for false where it is negated.
func sqlOf(c *ruleindex.Cond, depth int) (string, error) {
	switch c.Op {
	case ruleindex.CondAnd, ruleindex.CondOr:
		return sqlList(c, depth)
	case ruleindex.CondNot:
		s, err := sqlOf(c.Subs[0], depth+1)
		if strings.HasPrefix(s, "(") && c.Subs[0].Op <= ruleindex.CondOr && len(c.Subs[0].Subs) > 1 && sqlIn(c.Subs[0]) == "" {
			return s + " IS NOT TRUE", err // a list has its parentheses already
		}
		return "(" + s + ") IS NOT TRUE", err
	case ruleindex.CondKeyword:
		return "", errors.New("keywords are searched in all fields, which SQL cannot say")
	}
	if c.Field == "" {
		return "", errors.New("the expression is searched in all fields, which SQL cannot say")
	}
	if strings.Contains(c.Field, "|") {
		return "", errors.New("parts of times have no SQL form yet")
	}
	col := quoteName(c.Field)
	lower := func(s string) string { return "LOWER(" + s + ")" }
	text, subject := c.Value, col
	if !c.Cased {
		if text = multimatch.Lower(text); hasLetters(text) {
			subject = lower(col)
		}
	}
	like := func(pattern string) (string, error) {
		return subject + " LIKE " + quoteText(pattern) + escapeClause(pattern), nil
	}
	switch c.Op {
	case ruleindex.CondEqual:
		return subject + " = " + quoteText(text), nil
	case ruleindex.CondPrefix:
		return like(likeText(text) + "%")
	case ruleindex.CondSuffix:
		return like("%" + likeText(text))
	case ruleindex.CondContain:
		return like("%" + likeText(text) + "%")
	case ruleindex.CondGlob:
		var b strings.Builder
		for _, p := range c.Pieces {
			switch {
			case p.Any:
				b.WriteByte('%')
			case p.One:
				b.WriteByte('_')
			case c.Cased:
				b.WriteString(likeText(p.Text))
			default:
				b.WriteString(likeText(multimatch.Lower(p.Text)))
			}
		}
		if !c.Cased {
			subject = lower(col)
		}
		return like(b.String())
	case ruleindex.CondRegex:
		return "REGEXP(" + col + ", " + quoteText(inlineFlags(c.Flags)+c.Value) + ")", nil
	case ruleindex.CondCIDR:
		return "IPCONTAINS(" + col + ", " + quoteText(c.Value) + ")", nil
	case ruleindex.CondLess, ruleindex.CondLessEq, ruleindex.CondGreater, ruleindex.CondGreaterEq:
		op := [...]string{"<", "<=", ">", ">="}[c.Op-ruleindex.CondLess]
		return "TRY_CAST(" + col + " AS DOUBLE) " + op + " CAST(" + quoteText(strconv.FormatFloat(c.Number, 'g', -1, 64)) + " AS DOUBLE)", nil
	case ruleindex.CondExists:
		return col + " IS NOT NULL", nil
	case ruleindex.CondNull:
		return col + " IS NULL", nil
	case ruleindex.CondSame:
		a, b := col, quoteName(c.Value)
		if !c.Cased {
			a, b = lower(a), lower(b)
		}
		switch c.Same {
		case ruleindex.SameContain:
			return "LOCATE(" + b + ", " + a + ") > 0", nil
		case ruleindex.SamePrefix:
			return "STARTSWITH(" + a + ", " + b + ")", nil
		case ruleindex.SameSuffix:
			return "ENDSWITH(" + a + ", " + b + ")", nil
		}
		return a + " = " + b, nil
	}
	return "", fmt.Errorf("condition %d has no SQL form", c.Op)
}

func sqlList(c *ruleindex.Cond, depth int) (string, error) {
	if len(c.Subs) == 0 {
		return map[bool]string{true: "TRUE", false: "FALSE"}[c.Op == ruleindex.CondAnd], nil
	}
	if in := sqlIn(c); in != "" {
		return in, nil
	}
	word, parts := " AND ", make([]string, len(c.Subs))
	if c.Op == ruleindex.CondOr {
		word = " OR "
	}
	indent := "\n" + strings.Repeat("  ", depth+1)
	for i, s := range c.Subs {
		var err error
		if parts[i], err = sqlOf(s, depth+1); err != nil {
			return "", err
		}
	}
	out := strings.Join(parts, indent+strings.TrimPrefix(word, " "))
	if len(parts) == 1 || depth == 0 {
		return out, nil
	}
	return "(" + out + ")", nil
}

// sqlIn writes a list of equalities of one field as IN.
func sqlIn(c *ruleindex.Cond) string {
	first := c.Subs[0]
	if c.Op != ruleindex.CondOr || len(c.Subs) < 2 || first.Op != ruleindex.CondEqual || strings.Contains(first.Field, "|") {
		return ""
	}
	var list []string
	letters := false
	for _, s := range c.Subs {
		if s.Op != ruleindex.CondEqual || s.Field != first.Field || s.Cased != first.Cased {
			return ""
		}
		text := s.Value
		if !s.Cased {
			text = multimatch.Lower(text)
			letters = letters || hasLetters(text)
		}
		list = append(list, quoteText(text))
	}
	col := quoteName(first.Field)
	if letters {
		col = "LOWER(" + col + ")"
	}
	return col + " IN (" + strings.Join(list, ", ") + ")"
}

// hasLetters tells whether case matters in s: ASCII digits and signs have none.
func hasLetters(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z' {
			return true
		}
	}
	return false
}

func likeText(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// escapeClause is needed only where something is escaped.
func escapeClause(pattern string) string {
	if strings.ContainsAny(pattern, `!\`) { // the backslash would be the escape otherwise
		return " ESCAPE '!'"
	}
	return ""
}

func inlineFlags(f regex.Flags) string {
	var b strings.Builder
	for _, x := range []struct {
		flag regex.Flags
		c    byte
	}{{regex.CaseInsensitive, 'i'}, {regex.UnixLines, 'd'}, {regex.Multiline, 'm'}, {regex.DotAll, 's'}, {regex.UnicodeCase, 'u'}, {regex.UnicodeClass, 'U'}} {
		if f&x.flag != 0 {
			b.WriteByte(x.c)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "(?" + b.String() + ")"
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
