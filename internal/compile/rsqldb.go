package compile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

// This file reads tables of the rsqldb dialect as tables of ours: the names of
// options, TIMESTAMP as TIMESTAMP(3), withOffset watermarks, primary keys
// without NOT ENFORCED.

// rsqldbTypes are the connectors by their name there.
var rsqldbTypes = map[string]string{
	"file": "filesystem", "print": "print", "rocketmq": "rocketmq", "metaq": "rocketmq", "db": "jdbc", "rds": "jdbc", "kafka": "kafka",
	"mqtt": "mqtt", "http": "http", "syslog": "syslog", "es": "elasticsearch", "memory": "memory", "collection": "memory",
}

// rsqldbKeys are options by their name there, lower case, for each connector.
var rsqldbKeys = map[string]map[string]string{
	"filesystem": {"filepath": "path", "filename": "path"},
	"rocketmq": {"topic": "topic", "namesrvaddr": "name-server", "groupname": "group", "consumergroup": "group", "producergroup": "group",
		"group": "group", "tag": "tag", "tags": "tag"},
	"jdbc": {"url": "url", "username": "username", "password": "password", "tablename": "table-name"},
}

// rsqldbIgnored are options that say nothing about what a table holds.
var rsqldbIgnored = map[string]bool{
	"type": true, "isjsondata": true, "msgisjsonarray": true, "fielddelimiter": true, "maxthread": true, "order": true, "clustername": true,
	"needappend": true, "data_format": true, "cachettlms": true,
}

// rsqldb tells whether the session reads that dialect.
func (s *Session) rsqldb() bool { return strings.EqualFold(s.Settings.Get("sql.dialect"), "rsqldb") }

// fromRsqldb turns a table definition of rsqldb into one of ours. One that
// names a connector is ours already.
func fromRsqldb(x *ast.CreateTable) (*ast.CreateTable, error) {
	given := map[string]*ast.Option{}
	for _, o := range x.Options {
		given[strings.ToLower(o.Key.Value)] = o
	}
	if given["connector"] != nil {
		return x, nil
	}
	value := func(key string) string {
		if o := given[key]; o != nil {
			return o.Value.Value
		}
		return ""
	}
	t := *x
	t.Options = nil
	set := func(from *ast.Option, key, value string) {
		place := x.Place
		if from != nil {
			place = from.Place
		}
		t.Options = append(t.Options, &ast.Option{Place: place, Key: &ast.StringLit{Place: place, Value: key}, Value: &ast.StringLit{Place: place, Value: value}})
	}
	kind := strings.ToLower(value("type"))
	if kind == "" && given["topic"] != nil { // the later grammar knows RocketMQ only
		kind = "rocketmq"
	}
	connector, ok := rsqldbTypes[kind]
	if !ok {
		if given["type"] == nil {
			return x, nil
		}
		var names []string
		for n := range rsqldbTypes {
			names = append(names, n)
		}
		return nil, diag.At(given["type"].Value.Pos(), diag.UnknownConnector, "no table type '%s'", kind).DidYouMean(kind, names)
	}
	set(given["type"], "connector", connector)
	for _, o := range x.Options {
		k := strings.ToLower(o.Key.Value)
		if rsqldbIgnored[k] {
			continue
		}
		if to, ok := rsqldbKeys[connector][k]; ok {
			set(o, to, o.Value.Value)
		} else {
			set(o, o.Key.Value, o.Value.Value)
		}
	}
	if connector != "print" && connector != "jdbc" && connector != "memory" && given["format"] == nil {
		array := strings.EqualFold(value("msgisjsonarray"), "true") // an array of objects is as many rows
		switch {
		case array || !strings.EqualFold(value("isjsondata"), "false"):
			set(given["isjsondata"], "format", "json")
			if slices.ContainsFunc(x.Columns, func(c *ast.Column) bool { return c.Type != nil && c.Type.Type.IsTimestamp() }) {
				set(nil, "json.timestamp-numbers", "epoch-millis")
			}
		case len(x.Columns) > 1:
			set(given["isjsondata"], "format", "csv")
			if d := given["fielddelimiter"]; d != nil {
				text, err := plainDelimiter(d)
				if err != nil {
					return nil, err
				}
				set(d, "csv.field-delimiter", text)
			}
		default:
			set(given["isjsondata"], "format", "raw")
		}
	}
	t.Columns = nil
	for _, c := range x.Columns {
		n := *c
		if c.Type != nil && c.Type.Type.IsTimestamp() && c.Type.Type.Prec == 6 {
			dt := *c.Type
			dt.Type.Prec = 3
			n.Type = &dt
		}
		if c.Type != nil && c.Type.Type.Kind == types.VarChar && c.Type.Type.Prec == 1 { // VARCHAR without a length
			dt := *c.Type
			dt.Type.Prec = types.MaxLength
			n.Type = &dt
		}
		n.Constraint = notEnforced(c.Constraint)
		t.Columns = append(t.Columns, &n)
	}
	t.Constraints = nil
	for _, c := range x.Constraints {
		t.Constraints = append(t.Constraints, notEnforced(c))
	}
	t.Watermarks = nil
	for _, w := range x.Watermarks {
		n := *w
		if err := withOffset(&n); err != nil {
			return nil, err
		}
		t.Watermarks = append(t.Watermarks, &n)
	}
	return &t, nil
}

// plainDelimiter reads a delimiter, which is a regular expression there, as the
// one character it stands for.
func plainDelimiter(o *ast.Option) (string, error) {
	text := o.Value.Value
	switch text {
	case `\t`:
		return "\t", nil
	case `\u0001`, `\x01`:
		return "\x01", nil
	}
	plain, escaped := strings.CutPrefix(text, `\`)
	if len([]rune(plain)) == 1 && (escaped && !isWordByte(plain[0]) || !escaped && !strings.Contains(`.*+?^$()[]{}`, plain)) {
		return plain, nil
	}
	if r := []rune(text); len(r) == 3 && r[0] == '[' && r[2] == ']' && r[1] != '^' {
		return string(r[1]), nil
	}
	return "", diag.At(o.Value.Pos(), diag.Unsupported, "the delimiter '%s' is a regular expression that stands for more than one character", text).
		Hint("escape the character with a backslash, or read the text with one column and take it apart by REGEXP_EXTRACT or LATERAL TABLE")
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func notEnforced(c *ast.Constraint) *ast.Constraint {
	if c == nil || c.Unique || c.Enforced {
		return c
	}
	n := *c
	n.NotEnforced = true
	return &n
}

// withOffset turns withOffset(ts, ms) into ts - INTERVAL 's' SECOND.
func withOffset(w *ast.Watermark) error {
	c, ok := w.X.(*ast.Call)
	if !ok || c.Func != "WITHOFFSET" {
		return nil
	}
	if len(c.Args) != 2 {
		return diag.At(c.Pos(), diag.BadArgument, "withOffset takes a column and milliseconds")
	}
	n, ok := c.Args[1].(*ast.NumberLit)
	ms := int64(-1)
	if ok {
		if v, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			ms = v
		}
	}
	if ms < 0 {
		return diag.At(c.Args[1].Pos(), diag.BadArgument, "withOffset takes a number of milliseconds")
	}
	seconds := fmt.Sprintf("%d.%03d", ms/1000, ms%1000)
	w.X = &ast.Binary{Place: c.Place, Op: "-", L: c.Args[0], R: &ast.Interval{Place: c.Place,
		Value: &ast.StringLit{Place: c.Place, Value: seconds}, Unit: &ast.IntervalUnit{Place: c.Place, From: "SECOND", Prec: -1, FracPrec: -1}}}
	return nil
}
