package sigma

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/internal/ruleindex"
	"github.com/runnelio/runnel/vector"
)

// scanner finds the values of wanted fields in JSON objects, in one pass over
// their bytes. It learns which text follows which between two values (comma,
// key, colon, quote), so that a key costs one comparison mostly. It belongs to
// one goroutine.
type scanner struct {
	marks  json.Marks
	root   *object
	other  *object // of objects nobody asks for, where all values are wanted
	all    bool    // values of unnamed fields too
	vals   []found
	last   []int32 // by input: the newest of vals, +1
	twice  bool    // an input was met in two places
	group  int32
	depth  int
	levels int32 // objects around, for which place of an input counts
	size   int   // entries learned
	ways   [1 << wayBits]*entry
	at     int // of damage
	why    string
	tmp    []byte
}

// found is a value of an input (-1: of none). Those of one key are a group.
type found struct {
	from, to int32
	input    int32
	group    int32
	level    int32
	kind     ruleindex.RawKind
}

// object is what is known of the objects at a place.
type object struct {
	fields map[string]*wanted
	start  entry
	known  map[string]*entry
}

// wanted is a key that is asked for.
type wanted struct {
	input  int32 // -1: only what is below
	hidden bool  // not for keywords
	parts  []timePart
	below  *object
}

// timePart is an input that is a part of the key's time.
type timePart struct {
	name  string
	input int32
}

// entry is a text between two values.
type entry struct {
	w0, w1, w2 uint64 // the first 24 bytes
	m0, m1, m2 uint64 // which of them count
	rest       string
	n          int
	kind       entryKind
	want       *wanted
	next       *entry // followed last
	owner      *object
	salt       uint64 // tells it from others in scanner.ways
	learned    bool
}

type entryKind uint8

const (
	plainEntry entryKind = iota
	stringEntry
	closeEntry
)

const (
	maxEntries = 16_384
	maxGlue    = 512
	wayBits    = 11
	maxLevels  = 500 // of objects and arrays that are looked into
	maxPaths   = 64  // ways to read a name with dots as a path
)

// newScanner makes a scanner for inputs; hidden are names of fields that keywords
// are not searched in.
func newScanner(inputs []string, hidden []string, all bool) *scanner {
	s := &scanner{root: newObject(), other: newObject(), all: all, last: make([]int32, len(inputs))}
	for i, name := range inputs {
		base, part, isPart := strings.Cut(name, "|")
		s.root.want(base, 0, func(w *wanted) {
			if isPart {
				w.parts = append(w.parts, timePart{part, int32(i)})
			} else {
				w.input = int32(i)
			}
		})
	}
	for _, name := range hidden {
		s.root.want(name, 0, func(w *wanted) { w.hidden = true })
	}
	return s
}

func newObject() *object { return &object{fields: map[string]*wanted{}, known: map[string]*entry{}} }

// want notes a name: as a key, and as the paths that its dots allow.
func (o *object) want(name string, depth int, set func(*wanted)) {
	set(o.key(name))
	if depth > 8 { // every dot may be of a key: bounded
		return
	}
	for i := 0; i < len(name) && i < maxPaths; i++ {
		if name[i] == '.' && i > 0 && i+1 < len(name) {
			w := o.key(name[:i])
			if w.below == nil {
				w.below = newObject()
			}
			w.below.want(name[i+1:], depth+1, set)
		}
	}
}

func (o *object) key(name string) *wanted {
	w := o.fields[name]
	if w == nil {
		w = &wanted{input: -1}
		o.fields[name] = w
	}
	return w
}

// scan reads the object at buf[from:end], behind which json.Slack bytes must be
// readable, and leaves what it found in s.vals. What is behind the object
// must be blank.
func (s *scanner) scan(buf []byte, from, end int) error {
	s.reset()
	s.marks.Index(buf, from, end)
	at := s.object(buf, from, end, s.root)
	if at >= 0 {
		if at = blank(buf, at, end); at < end {
			s.fail(at, "here should be the end of the line")
			at = -1
		}
	}
	if at < 0 {
		s.reset()
		return &json.SyntaxError{At: s.at - from, Why: s.why}
	}
	if s.twice {
		s.choose()
	}
	return nil
}

func (s *scanner) reset() {
	for i := range s.vals {
		if in := s.vals[i].input; in >= 0 {
			s.last[in] = 0
		}
	}
	s.tmp = s.tmp[:0]
	s.vals, s.twice, s.group, s.levels, s.depth = s.vals[:0], false, 0, 0, 0
}

func (s *scanner) fail(at int, why string) int {
	s.at, s.why = at, why
	return -1
}

// object is the hot loop.
func (s *scanner) object(buf []byte, at, end int, o *object) int {
	prev := &o.start
	for {
		e := prev.next
		if e == nil || at+e.n > end || !e.matches(buf, at) {
			if e = s.find(buf, at, end, o, prev); e == nil {
				return -1
			}
		}
		at += e.n
		prev = e
		if s.levels == 0 {
			s.group++
		}
		switch e.kind {
		case stringEntry:
			start := at
			if at = s.marks.StringEnd(buf, at, end); at >= end {
				return s.fail(start-1, "a string does not end")
			}
			if e.want != nil || s.all {
				s.text(buf, start, at, e.want)
			}
			at++
		case closeEntry:
			return at
		default:
			// A text seen without a blank behind the colon fits one with it too.
			if at = blank(buf, at, end); at >= end {
				return s.fail(at, "a value is missing")
			}
			if at = s.value(buf, at, end, e.want); at < 0 {
				return -1
			}
		}
	}
}

func (s *scanner) text(buf []byte, from, to int, w *wanted) {
	kind := ruleindex.RawText
	if bytes.IndexByte(buf[from:to], '\\') >= 0 {
		kind = ruleindex.RawEscaped
	}
	s.found(buf, from, to, kind, w)
}

// found notes a value.
func (s *scanner) found(buf []byte, from, to int, kind ruleindex.RawKind, w *wanted) {
	input := int32(-1)
	if w != nil {
		input = w.input
		for _, p := range w.parts {
			s.part(buf, from, to, kind, p)
		}
		if input < 0 && w.hidden {
			return
		}
	}
	if input < 0 && !s.all {
		return
	}
	s.note(int32(from), int32(to), kind, input)
}

func (s *scanner) note(from, to int32, kind ruleindex.RawKind, input int32) {
	s.vals = append(s.vals, found{from, to, input, s.group, s.levels, kind})
	if input < 0 {
		return
	}
	if p := s.last[input]; p != 0 && (s.vals[p-1].group != s.group || s.vals[p-1].level != s.levels) {
		s.twice = true
	}
	s.last[input] = int32(len(s.vals))
}

// choose keeps of each input the values of one place: the key with the fewest
// objects around it, of equal ones the last.
func (s *scanner) choose() {
	best := map[int32]found{}
	for _, v := range s.vals {
		b, ok := best[v.input]
		if v.input >= 0 && (!ok || v.level < b.level || v.level == b.level && v.group > b.group) {
			best[v.input] = v
		}
	}
	kept := s.vals[:0]
	for _, v := range s.vals {
		if b := best[v.input]; v.input < 0 || b.group == v.group && b.level == v.level {
			kept = append(kept, v)
		} else {
			s.last[v.input] = 0
		}
	}
	s.vals = kept
}

// value reads a value that is no string the entry announced.
func (s *scanner) value(buf []byte, at, end int, w *wanted) int {
	start := at
	switch c := buf[at]; {
	case c == '-' || c >= '0' && c <= '9':
		for at++; at < end && isNumeric(buf[at]); {
			at++
		}
		if w != nil || s.all {
			s.found(buf, start, at, ruleindex.RawNumber, w)
		}
		return at
	case c == '"':
		if at = s.marks.StringEnd(buf, at+1, end); at >= end {
			return s.fail(start, "a string does not end")
		}
		if w != nil || s.all {
			s.text(buf, start+1, at, w)
		}
		return at + 1
	case c == 't' && word(buf, at, end, "true"), c == 'f' && word(buf, at, end, "false"):
		at += 4
		if c == 'f' {
			at++
		}
		if w != nil || s.all {
			s.found(buf, start, at, ruleindex.RawBool, w)
		}
		return at
	case c == 'n' && word(buf, at, end, "null"):
		if w != nil {
			s.found(buf, start, at+4, ruleindex.RawNull, w)
		}
		return at + 4
	case c == '{' || c == '[':
		if s.depth++; s.depth > maxLevels {
			return s.fail(at, "objects and arrays nest too deep")
		}
		if c == '{' {
			at = s.below(buf, at, end, w)
		} else {
			at = s.array(buf, at, end, w)
		}
		s.depth--
		return at
	}
	return s.fail(at, "here should be a value")
}

// below reads an object that is a value.
func (s *scanner) below(buf []byte, at, end int, w *wanted) int {
	o := s.other
	if w != nil && w.below != nil {
		o = w.below
	} else if !s.all {
		return s.skip(buf, at, end)
	}
	s.levels++
	at = s.object(buf, at, end, o)
	s.levels--
	return at
}

// array reads an array: its members are values of the key.
func (s *scanner) array(buf []byte, at, end int, w *wanted) int {
	if w == nil && !s.all {
		return s.skip(buf, at, end)
	}
	at = blank(buf, at+1, end)
	if at < end && buf[at] == ']' {
		return at + 1
	}
	for at < end {
		if at = s.value(buf, at, end, w); at < 0 {
			return -1
		}
		at = blank(buf, at, end)
		switch {
		case at < end && buf[at] == ']':
			return at + 1
		case at < end && buf[at] == ',':
			at = blank(buf, at+1, end)
		case at < end:
			return s.fail(at, "here should be a comma or the end of the array")
		}
	}
	return s.fail(at, "an array does not end")
}

// skip passes over an object or array that nobody asks for: only strings and
// the balance of brackets are looked at.
func (s *scanner) skip(buf []byte, at, end int) int {
	start, depth := at, 0
	for at < end {
		switch buf[at] {
		case '"':
			if at = s.marks.StringEnd(buf, at+1, end); at >= end {
				return s.fail(start, "a string does not end")
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
		at++
	}
	return s.fail(start, "an array or object does not end")
}

// feed gives what was found to e. The bytes must stay until it was evaluated.
func (s *scanner) feed(buf []byte, e *ruleindex.Event) {
	e.Reset()
	for i := range s.vals {
		v := &s.vals[i]
		var raw []byte
		if v.from >= 0 {
			raw = buf[v.from:v.to]
		} else { // computed: a part of a time
			raw = s.tmp[^v.from : ^v.from+v.to]
		}
		if v.input < 0 {
			e.AddOther(v.kind, vector.View(raw))
		} else {
			e.Add(v.input, v.kind, vector.View(raw))
		}
	}
}

func isNumeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

func word(buf []byte, at, end int, w string) bool {
	return at+len(w) <= end && string(buf[at:at+len(w)]) == w
}

func blank(buf []byte, at, end int) int {
	for at < end && (buf[at] == ' ' || buf[at] == '\t' || buf[at] == '\n' || buf[at] == '\r') {
		at++
	}
	return at
}

func (e *entry) matches(buf []byte, at int) bool {
	b := buf[at : at+24]
	d := (binary.LittleEndian.Uint64(b)^e.w0)&e.m0 | (binary.LittleEndian.Uint64(b[8:])^e.w1)&e.m1 | (binary.LittleEndian.Uint64(b[16:])^e.w2)&e.m2
	return d == 0 && (e.n <= 24 || string(buf[at+24:at+e.n]) == e.rest)
}
