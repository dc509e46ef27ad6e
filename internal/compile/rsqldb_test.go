package compile_test

import (
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// The options of rsqldb's tables become options of ours.
func TestRsqldbTables(t *testing.T) {
	for _, c := range []struct{ with, want string }{
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '\\|'", "'csv.field-delimiter' = '|'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = ';'", "'csv.field-delimiter' = ';'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '[$]'", "'csv.field-delimiter' = '$'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '\\t'", "'csv.field-delimiter' = '\t'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', msgIsJsonArray = 'true'", "'format' = 'json'"},
		{"type = 'file', filePath = 'x'", "'json.timestamp-numbers' = 'epoch-millis'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '\\s+'", "unsupported 1:"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '|'", "'csv.field-delimiter' = '|'"},
		{"type = 'file', filePath = 'x', isJsonData = 'false', fieldDelimiter = '\\d'", "unsupported 1:"},
		{"type = 'fil', filePath = 'x'", "unknown-connector 1:"},
	} {
		s := newSession(t)
		must(t, s, "SET 'sql.dialect' = 'rsqldb'")
		stmts, err := sql.Parse("CREATE TABLE t (a INT, b VARCHAR, ts TIMESTAMP) WITH ("+c.with+"); SHOW CREATE TABLE t", sql.Options{Dialect: "rsqldb"})
		if err != nil {
			t.Errorf("%s: %v", c.with, err)
			continue
		}
		got := ""
		for _, st := range stmts {
			r, err := s.Execute(t.Context(), st, nil)
			if err != nil {
				got = string(diag.CodeOf(err)) + " " + err.Error()
				break
			}
			if r.Text {
				got = r.Rows[0][0].(string)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.with, got, c.want)
		}
	}
}
