// Package sigma runs Sigma detection rules over JSON events.
//
// Rules, filters and correlations are read from YAML (yaml.go, rule.go,
// detection.go), changed by pipelines that map fields and log sources
// (pipeline.go, transform.go, gates.go), and become conditions of package
// ruleindex (condition.go, item.go, modify.go). What cannot be read, and what
// no pipeline maps to events, is kept with the reason (collection.go): nothing
// is left out silently.
//
// A Matcher evaluates all rules in one pass over an event whose values are
// found but not decoded (scan.go). Correlations count its hits over sliding
// windows (correlation.go, correlate.go, window.go). Run reads files and writes
// a line a hit (run.go, input.go). Convert writes a rule as SQL (sql.go).
//
// # Meaning
//
// A text is compared without case and as a whole; * and ? are wildcards, which a
// backslash makes plain. A number equals a value whose text is that number. A
// field that is absent or null fulfils only null and exists: false; not is the
// plain negation. An array fulfils what one of its members does. A field with
// dots is first a key with dots, then a path through objects; an object itself
// has no value. Of equal keys the last counts. Keywords are searched in the
// values of all fields. Expressions of |re are found anywhere, with case; their
// syntax is Java's, with Unicode classes, and only \n ends a line.
package sigma
