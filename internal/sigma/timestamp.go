package sigma

import (
	"strconv"
	"strings"
	"time"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/ruleindex"
	"github.com/runnelio/runnel/vector"
)

// timeLayouts are how times are written in events, beside numbers.
var timeLayouts = []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700", "2006-01-02 15:04:05 MST", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// parseTime reads a time: one of the layouts, with a fraction or without, or a
// number of seconds, milliseconds, microseconds or nanoseconds since 1970, which
// its size tells apart. Without a zone it is UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch a := max(n, -n); {
		case a < 1e11:
			return time.Unix(n, 0).UTC(), true
		case a < 1e14:
			return time.UnixMilli(n).UTC(), true
		case a < 1e17:
			return time.UnixMicro(n).UTC(), true
		}
		return time.Unix(0, n).UTC(), true
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f > -1e11 && f < 1e11 {
		return time.UnixMicro(int64(f * 1e6)).UTC(), true
	}
	for _, l := range timeLayouts {
		if t, err := time.Parse(l, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// partOf is a part of a time, in the zone it is written in.
func partOf(t time.Time, name string) int {
	switch name {
	case "minute":
		return t.Minute()
	case "hour":
		return t.Hour()
	case "day":
		return t.Day()
	case "week":
		_, w := t.ISOWeek()
		return w
	case "month":
		return int(t.Month())
	}
	return t.Year()
}

// part notes a part of the time that a value is.
func (s *scanner) part(buf []byte, from, to int, kind ruleindex.RawKind, p timePart) {
	if kind == ruleindex.RawNull || kind == ruleindex.RawBool {
		return
	}
	t, ok := parseTime(decoded(buf[from:to], kind))
	if !ok {
		return
	}
	start := len(s.tmp)
	s.tmp = strconv.AppendInt(s.tmp, int64(partOf(t, p.name)), 10)
	s.note(int32(^start), int32(len(s.tmp)-start), ruleindex.RawNumber, p.input)
}

// decoded is the text of a raw value: a view of it where it has no escapes.
func decoded(raw []byte, kind ruleindex.RawKind) string {
	if kind != ruleindex.RawEscaped {
		return vector.View(raw)
	}
	out, why := json.AppendUnescaped(nil, raw)
	if why != "" {
		return string(raw)
	}
	return vector.View(out)
}
