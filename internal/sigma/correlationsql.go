package sigma

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// correlationSQL writes a correlation whose windows are those of TUMBLE as two
// views: the hits of the rules that it names, and the windows whose condition
// holds. rowtime is the column with the time of an event.
func (e *Entry) correlationSQL(table, view, rowtime string) (string, error) {
	c := e.Rule.Correlation
	if !c.atClose() {
		return "", errors.New("the window slides and begins anew after each hit, which SQL cannot say")
	}
	var hits []string
	for ref, r := range e.refs {
		if r.Rule.Correlation != nil {
			return "", fmt.Errorf("it refers to the correlation %s: convert has none of such chains", r.Key())
		}
		where, err := r.Where()
		if err != nil {
			return "", fmt.Errorf("%s: %w", r.Key(), err)
		}
		cols, conds := []string{strconv.Itoa(ref) + " AS `sigma_ref`"}, []string{"(" + where + ")"}
		for _, g := range c.GroupBy {
			name := quoteName(c.field(g, r.Rule))
			cols = append(cols, name+" AS "+quoteName(g))
			conds = append(conds, name+" IS NOT NULL")
		}
		for i, f := range c.Fields {
			if !correlationTypes[c.Type] {
				break
			}
			value := quoteName(f)
			if c.Type != "value_count" {
				value = "TRY_CAST(" + value + " AS DOUBLE)"
			}
			cols = append(cols, value+" AS `sigma_value"+strconv.Itoa(i)+"`")
			conds = append(conds, value+" IS NOT NULL")
		}
		cols = append(cols, quoteName(rowtime)+" AS `sigma_time`")
		hits = append(hits, "SELECT "+strings.Join(cols, ", ")+"\nFROM "+quoteName(table)+"\nWHERE "+strings.Join(conds, "\n  AND "))
	}
	value, err := c.aggregate()
	if err != nil {
		return "", err
	}
	var groups strings.Builder
	for _, g := range c.GroupBy {
		groups.WriteString(", " + quoteName(g))
	}
	var having []string
	if c.Names != nil {
		having = append(having, c.namesSQL(c.Names, func(ref int) string {
			return fmt.Sprintf("MAX(CASE WHEN `sigma_ref` = %d THEN 1 ELSE 0 END) = 1", ref)
		}))
	}
	for _, b := range c.Bounds {
		op := map[string]string{"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "eq": "=", "neq": "<>"}[b.Op]
		having = append(having, fmt.Sprintf("%s %s %s", value, op, strconv.FormatFloat(b.Value, 'f', -1, 64)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "-- the hits of %s\nCREATE VIEW %s AS\n%s;\n\n", oneLine(e.Rule.Title), quoteName(view+"_hits"), strings.Join(hits, "\nUNION ALL\n"))
	fmt.Fprintf(&b, "-- %s\n", oneLine(e.Rule.Title))
	if e.Rule.Author != "" {
		fmt.Fprintf(&b, "-- by %s\n", oneLine(e.Rule.Author))
	}
	fmt.Fprintf(&b, "CREATE VIEW %s AS\nSELECT %s AS `rule`, %s AS `title`, %s AS `level`%s, %s AS `value`, `window_start`, `window_end`\n",
		quoteName(view), quoteText(e.Rule.Key()), quoteText(e.Rule.Title), quoteText(e.Rule.Level), groups.String(), value)
	fmt.Fprintf(&b, "FROM TABLE(TUMBLE(TABLE %s, DESCRIPTOR(`sigma_time`), %s))\n", quoteName(view+"_hits"), interval(c.Timespan))
	fmt.Fprintf(&b, "GROUP BY `window_start`, `window_end`%s\nHAVING %s;\n", groups.String(), strings.Join(having, " AND "))
	return b.String(), nil
}

// aggregate is the value of a window.
func (c *Correlation) aggregate() (string, error) {
	switch c.Type {
	case "event_count":
		return "COUNT(*)", nil
	case "value_count":
		if len(c.Fields) > 1 {
			return "", errors.New("SQL counts the distinct values of one field only")
		}
		return "COUNT(DISTINCT `sigma_value0`)", nil
	case "value_sum":
		return "SUM(`sigma_value0`)", nil
	case "value_avg":
		return "AVG(`sigma_value0`)", nil
	case "value_percentile":
		return "PERCENTILE(`sigma_value0`, " + strconv.FormatFloat(c.Percentile/100, 'f', -1, 64) + ")", nil
	case "value_median":
		return "PERCENTILE(`sigma_value0`, 0.5)", nil
	}
	return "COUNT(DISTINCT `sigma_ref`)", nil
}

// interval writes a timespan, which is whole seconds.
func interval(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("INTERVAL '%d' DAY(6)", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("INTERVAL '%d' HOUR", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("INTERVAL '%d' MINUTE", d/time.Minute)
	}
	return fmt.Sprintf("INTERVAL '%d' SECOND", d/time.Second)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// namesSQL writes the condition over names; one is the SQL for a rule seen.
func (c *Correlation) namesSQL(t *condNode, one func(ref int) string) string {
	var parts []string
	switch t.op {
	case condNot:
		return "NOT (" + c.namesSQL(t.subs[0], one) + ")"
	case condAnd, condOr:
		for _, s := range t.subs {
			parts = append(parts, c.namesSQL(s, one))
		}
	default:
		for _, i := range namesOf(c.named, t.name, t.op != condName) {
			parts = append(parts, one(i))
		}
	}
	word := " AND "
	if t.op == condOr || t.op == condOne {
		word = " OR "
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, word) + ")"
}
