package builtin

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines that have none

	"github.com/runnelio/runnel/types"
)

// shortZones are the three-letter names that Java keeps for old programs.
var shortZones = map[string]string{
	"ACT": "Australia/Darwin", "AET": "Australia/Sydney", "AGT": "America/Argentina/Buenos_Aires",
	"ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo", "BST": "Asia/Dhaka",
	"CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
	"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis",
	"IST": "Asia/Kolkata", "JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan",
	"NST": "Pacific/Auckland", "PLT": "Asia/Karachi", "PNT": "America/Phoenix", "PRT": "America/Puerto_Rico",
	"PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal", "VST": "Asia/Ho_Chi_Minh",
	"EST": "Etc/GMT+5", "MST": "Etc/GMT+7", "HST": "Etc/GMT+10",
}

// zoneByName finds a time zone as java.util.TimeZone does: a region, an old
// three-letter name or GMT+h[:mm]. The caller decides what an unknown one is.
func zoneByName(name string) (*time.Location, bool) {
	switch name {
	case "UTC", "GMT", "Z", "UT":
		return time.UTC, true
	case "", "Local":
		return nil, false
	}
	if long, ok := shortZones[name]; ok {
		name = long
	}
	if rest, ok := strings.CutPrefix(name, "GMT"); ok && len(rest) > 1 && (rest[0] == '+' || rest[0] == '-') {
		if secs, ok := looseOffset(rest); ok {
			return time.FixedZone(offsetName(secs), secs), true
		}
		return nil, false
	}
	loc, err := time.LoadLocation(name)
	return loc, err == nil
}

// zoneByID finds a time zone as java.time.ZoneId does: also +08:00 and UTC+8.
func zoneByID(id string) (*time.Location, bool) {
	rest := id
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if r, ok := strings.CutPrefix(id, prefix); ok {
			rest = r
			break
		}
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if secs, ok := looseOffset(rest); ok {
			return time.FixedZone(offsetName(secs), secs), true
		}
		return nil, false
	}
	if _, short := shortZones[id]; short { // ZoneId knows only regions
		return nil, false
	}
	return zoneByName(id)
}

func offsetName(secs int) string {
	sign := '+'
	if secs < 0 {
		sign, secs = '-', -secs
	}
	return fmt.Sprintf("GMT%c%02d:%02d", sign, secs/3600, secs/60%60)
}

// looseOffset reads +h, +hh, +hmm, +hhmm and +h:mm as seconds.
func looseOffset(s string) (int, bool) {
	neg := s[0] == '-'
	h, m, colon := strings.Cut(s[1:], ":")
	if !colon && len(h) > 2 {
		h, m = h[:len(h)-2], h[len(h)-2:]
		colon = true
	}
	hours, err := strconv.ParseUint(h, 10, 8)
	if err != nil || len(h) > 2 || hours > 23 {
		return 0, false
	}
	var mins uint64
	if colon {
		if mins, err = strconv.ParseUint(m, 10, 8); err != nil || len(m) != 2 || mins > 59 {
			return 0, false
		}
	}
	secs := int(hours)*3600 + int(mins)*60
	if neg {
		secs = -secs
	}
	return secs, true
}

// calendarUTC returns the UTC point of a local time in the way of Java's
// calendars: of a time that comes twice the second, of one that is skipped the
// time as long after the change.
func calendarUTC(z *types.Zone, localMs int64) int64 {
	before := z.Offset(localMs - types.MsPerDay)
	after := z.Offset(localMs + types.MsPerDay)
	if before == after {
		return localMs - before
	}
	if v := localMs - after; z.Offset(v) == after {
		return v
	}
	return localMs - before
}
