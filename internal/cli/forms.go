package cli

import (
	"fmt"
	"io"
	"strings"
)

// form is what is written like a function and is part of the grammar: it is in
// no set of functions.
type form struct{ names, shape, doc string }

var forms = []form{
	{"TUMBLE", "TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), size [, offset]))", "The rows of t with the window of fixed size they fall into: columns window_start, window_end and window_time. Also GROUP BY TUMBLE(time, size), with TUMBLE_START, TUMBLE_END, TUMBLE_ROWTIME and TUMBLE_PROCTIME."},
	{"HOP", "TABLE(HOP(TABLE t, DESCRIPTOR(time), slide, size [, offset]))", "The rows of t, each once for every window of the size it falls into; a window begins every slide. Also GROUP BY HOP(time, slide, size), with HOP_START, HOP_END, HOP_ROWTIME and HOP_PROCTIME."},
	{"CUMULATE", "TABLE(CUMULATE(TABLE t, DESCRIPTOR(time), step, size [, offset]))", "The rows of t, each once for every window it falls into; windows grow by the step up to the size and then begin anew."},
	{"SESSION", "TABLE(SESSION(TABLE t [PARTITION BY columns], DESCRIPTOR(time), gap))", "The rows of t with the window that ends when no row came for the gap. Also GROUP BY SESSION(time, gap), with SESSION_START, SESSION_END, SESSION_ROWTIME and SESSION_PROCTIME."},
	{"RULES", "TABLE(RULES(TABLE t, 'folder'))", "The rows of t, each once for every rule of the folder that holds for it; the folder is watched, and rules change while the job runs. Columns rule_id, attributes, rule_key and rule_count are added."},
	{"TUMBLE_START TUMBLE_END TUMBLE_ROWTIME TUMBLE_PROCTIME", "f(time, size)", "Begin, end and time of the window of GROUP BY TUMBLE(time, size)."},
	{"HOP_START HOP_END HOP_ROWTIME HOP_PROCTIME", "f(time, slide, size)", "Begin, end and time of the window of GROUP BY HOP(time, slide, size)."},
	{"SESSION_START SESSION_END SESSION_ROWTIME SESSION_PROCTIME", "f(time, gap)", "Begin, end and time of the window of GROUP BY SESSION(time, gap)."},
	{"DESCRIPTOR", "DESCRIPTOR(column)", "Names the time attribute of a window function."},
	{"OVER", "f(…) OVER ([PARTITION BY columns] ORDER BY time [ROWS|RANGE BETWEEN … PRECEDING AND CURRENT ROW])", "An aggregate or ranking over the rows up to each row. In streaming the order is that of a time attribute."},
	{"UNNEST", "CROSS JOIN UNNEST(array) [WITH ORDINALITY] AS u (x)", "The elements of an array, map or multiset as rows."},
	{"LATERAL", "LATERAL TABLE(f(…)) | LATERAL (query)", "A table function or query that refers to the tables before it."},
	{"MATCH_RECOGNIZE", "t MATCH_RECOGNIZE (PARTITION BY … ORDER BY time MEASURES … PATTERN (A B+ C) DEFINE A AS …) AS m", "A row for every sequence of rows that the pattern matches."},
	{"INTERVAL", "INTERVAL 'n' unit", "A constant interval: INTERVAL '5' MINUTE."},
}

// showForm shows the form of a name; false if there is none.
func showForm(out io.Writer, name string) bool {
	for _, f := range forms {
		for n := range strings.FieldsSeq(f.names) {
			if strings.EqualFold(n, name) {
				fmt.Fprintf(out, "%s\n  %s\n  %s\n", n, strings.Replace(f.shape, "f(time", n+"(time", 1), f.doc)
				return true
			}
		}
	}
	return false
}

// formNames are the names of all forms.
func formNames() (names []string) {
	for _, f := range forms {
		names = append(names, strings.Fields(f.names)...)
	}
	return names
}
