package option

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Memory is a number of bytes, written with a unit of 1024s as in 64kb or 128 mb.
type Memory int64

// Char is one character; \t, \n, \r, \0 and \\ may be written with the backslash,
// as may \uXXXX. Zero if the option is empty.
type Char rune

// assign parses text into v and says what is wrong with it, if something is.
func assign(v reflect.Value, text string) (why string) {
	switch v.Type() {
	case durationType:
		d, ok := ParseDuration(text)
		if !ok {
			return "is no duration such as 500ms, 30 s, 5 min, 2 h or 1 d"
		}
		v.SetInt(int64(d))
		return ""
	case memoryType:
		m, ok := ParseMemory(text)
		if !ok {
			return "is no size such as 512 b, 64kb, 128 mb or 1g"
		}
		v.SetInt(int64(m))
		return ""
	case charType:
		r, ok := ParseChar(text)
		if !ok {
			return "is not a single character"
		}
		v.SetInt(int64(r))
		return ""
	case listType:
		v.Set(reflect.ValueOf(splitList(text)))
		return ""
	case mapType:
		m := map[string]string{}
		for _, pair := range splitList(strings.ReplaceAll(text, ",", ";")) {
			k, val, ok := strings.Cut(pair, ":")
			if !ok {
				return "is no list of key:value pairs"
			}
			m[strings.TrimSpace(k)] = strings.TrimSpace(val)
		}
		v.Set(reflect.ValueOf(m))
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			v.SetBool(true)
		case "false":
			v.SetBool(false)
		default:
			return "is neither true nor false"
		}
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, v.Type().Bits())
		if err != nil {
			return "is no whole number, or too large"
		}
		v.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return "is no number"
		}
		v.SetFloat(f)
	}
	return ""
}

func splitList(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// ParseDuration reads a duration as Flink does: a whole number, an optional
// blank and a unit (ns, us, µs, ms, s, min, h, d or their longer names); no unit
// means milliseconds. Compound Go durations such as 1h30m are read too.
func ParseDuration(text string) (time.Duration, bool) {
	number, unit := splitUnit(text)
	scale, ok := durationUnits[unit]
	if !ok || number == "" {
		d, err := time.ParseDuration(strings.TrimSpace(text))
		return d, err == nil && d >= 0
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64/int64(scale) {
		return 0, false
	}
	return time.Duration(n) * scale, true
}

var durationUnits = map[string]time.Duration{
	"": time.Millisecond, "ns": 1, "nano": 1, "nanos": 1, "nanosecond": 1, "nanoseconds": 1,
	"us": time.Microsecond, "µs": time.Microsecond, "micro": time.Microsecond, "micros": time.Microsecond, "microsecond": time.Microsecond, "microseconds": time.Microsecond,
	"ms": time.Millisecond, "milli": time.Millisecond, "millis": time.Millisecond, "millisecond": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// ParseMemory reads a size: a whole number, an optional blank and a unit of
// 1024s (b, k, kb, m, mb, g, gb, t, tb, kibibytes…); no unit means bytes.
func ParseMemory(text string) (Memory, bool) {
	number, unit := splitUnit(text)
	shift, ok := memoryUnits[unit]
	if !ok || number == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return 0, false
	}
	return Memory(n << shift), true
}

var memoryUnits = map[string]uint{
	"": 0, "b": 0, "bytes": 0, "k": 10, "kb": 10, "kib": 10, "kibibytes": 10, "m": 20, "mb": 20, "mib": 20, "mebibytes": 20,
	"g": 30, "gb": 30, "gib": 30, "gibibytes": 30, "t": 40, "tb": 40, "tib": 40, "tebibytes": 40,
}

func splitUnit(text string) (number, unit string) {
	text = strings.TrimSpace(text)
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return text[:i], strings.ToLower(strings.TrimLeftFunc(text[i:], unicode.IsSpace))
}

// ParseChar reads a Char.
func ParseChar(text string) (Char, bool) {
	switch text {
	case "":
		return 0, true
	case `\t`:
		return '\t', true
	case `\n`:
		return '\n', true
	case `\r`:
		return '\r', true
	case `\0`:
		return 0, true
	case `\\`:
		return '\\', true
	}
	if hex, ok := strings.CutPrefix(text, `\u`); ok && len(hex) == 4 {
		n, err := strconv.ParseUint(hex, 16, 16)
		return Char(n), err == nil
	}
	r, n := utf8.DecodeRuneInString(text)
	return Char(r), n == len(text) && (r != utf8.RuneError || n > 1)
}
