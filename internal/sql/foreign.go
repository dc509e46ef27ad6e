package sql

import "strings"

// This file knows words of other systems' SQL, so that a statement which is not
// offered is refused by name and does not look like a slip of the pen.

// foreignStatements are the first words of statements, with what to do instead.
var foreignStatements = map[string]string{
	"GRANT": "there are no users and rights", "REVOKE": "there are no users and rights",
	"COMMIT":   "results are committed by checkpoints and at the end of a job",
	"ROLLBACK": "results are committed by checkpoints and at the end of a job", "SAVEPOINT": "runnel takes savepoints of jobs from the command line",
	"START": "results are committed by checkpoints and at the end of a job", "LOCK": "", "UNLOCK": "",
	"PREPARE": "", "DEALLOCATE": "", "DECLARE": "", "FETCH": "a query's rows are shown as they come", "OPEN": "", "CLOSE": "",
	"EXEC": "", "DO": "", "COPY": "INSERT INTO a filesystem table", "IMPORT": "", "EXPORT": "", "UNLOCK TABLES": "",
	"MSCK": "partitions of filesystem tables are found in their folders", "REFRESH": "tables are read anew by each job", "CACHE": "", "UNCACHE": "",
	"VACUUM": "", "OPTIMIZE": "", "RENAME": "use ALTER TABLE … RENAME TO", "COMMENT": "give a COMMENT in CREATE", "KILL": "", "SIGNAL": "",
	"PURGE": "", "REINDEX": "", "ATTACH": "", "DETACH": "", "PRAGMA": "use SET", "SUMMARIZE": "use DESCRIBE",
}

// foreignObjects are kinds of objects behind CREATE and DROP.
var foreignObjects = map[string]string{
	"SCHEMA": "a schema is a DATABASE here", "INDEX": "state is found by key, without indexes", "EXTERNAL": "every table is external: leave the word out",
	"USER": "", "ROLE": "", "TRIGGER": "", "PROCEDURE": "", "SEQUENCE": "the connector datagen makes sequences", "TYPE": "write ROW<…>", "DOMAIN": "",
	"STREAM": "a stream is a TABLE here", "SINK": "a sink is a TABLE here, which INSERT INTO fills", "SOURCE": "a source is a TABLE here", "SECRET": "",
	"AGGREGATE": "aggregate functions are written in Go, see the SDK", "MACRO": "use a view", "POLICY": "", "EXTENSION": "", "TABLESPACE": "", "UNIQUE": "",
	"GLOBAL": "", "LOCAL": "", "TRANSIENT": "",
}

// foreignShow is what may stand behind SHOW elsewhere.
var foreignShow = map[string]string{
	"CONNECTIONS": "there are no connections", "INDEXES": "there are no indexes", "INDEX": "there are no indexes", "PROCESSLIST": "", "VARIABLES": "use SET",
	"SCHEMAS": "use SHOW DATABASES", "GRANTS": "", "ROLES": "", "USERS": "", "STATUS": "", "TYPES": "", "SINKS": "use SHOW TABLES", "SOURCES": "use SHOW TABLES",
	"SESSION": "use SET", "ALL": "use SET", "WARNINGS": "", "ERRORS": "", "STATS": "", "TBLPROPERTIES": "use SHOW CREATE TABLE", "CONNECTORS": "runnel connectors lists them",
	"FORMATS": "runnel connectors lists them",
}

// foreign refuses the word at hand if it is one of list; verb stands before it.
func (p *parser) foreign(list map[string]string, verb string) bool {
	if p.failed || p.tok.Kind != Word {
		return false
	}
	word := strings.ToUpper(p.tok.Text)
	hint, ok := list[word]
	if !ok {
		return false
	}
	if verb != "" {
		word = verb + " " + word
	}
	err := p.refuse(p.tok.Span, "%s is not supported", word)
	if hint != "" {
		err.Hint("%s", hint)
	}
	return true
}

// foreignTail refuses what stands behind a query in other systems.
func (p *parser) foreignTail() {
	next := func(n int, word string) bool {
		t := p.peek(n)
		return t.Kind == Word && strings.EqualFold(t.Text, word)
	}
	at := p.tok.Span
	switch {
	case p.failed:
	case p.at("FOR") && (next(1, "UPDATE") || next(1, "SHARE")):
		p.refuse(at, "FOR %s is not supported", strings.ToUpper(p.peek(1).Text)).Hint("rows are not locked")
	case p.tok.Keyword == "WITH" && (next(1, "ROLLUP") || next(1, "CUBE") || next(1, "TOTALS")):
		word := strings.ToUpper(p.peek(1).Text)
		p.refuse(at, "WITH %s is not supported", word).Hint("write GROUP BY ROLLUP (…) or CUBE (…)")
	case p.tok.Kind == Word && strings.EqualFold(p.tok.Text, "ASOF") && next(1, "JOIN"):
		p.refuse(at, "ASOF JOIN is not supported").Hint("use JOIN … FOR SYSTEM_TIME AS OF")
	case p.tok.Keyword == "AT" && next(1, "TIME") && next(2, "ZONE"):
		p.refuse(at, "AT TIME ZONE is not supported").Hint("use CONVERT_TZ, or SET 'table.local-time-zone'")
	case p.atOp("->"):
		p.refuse(at, "-> is not supported: there are no lambda expressions").Hint("for fields of JSON use JSON_VALUE, for those of maps ['key']")
	}
}
