package rocketmq

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// PropRecordID is the property with the id of a record of an exactly-once sink:
// the writer's random name, its number among parallel writers, the epoch and the
// number in it, as in 5f3a0c21.0.17.4. Ids of a writer rise in every queue, until
// it sends an epoch again, in the same order, because it cannot know that it had
// been sent: then all up to the highest one seen are repetitions.
const PropRecordID = "RUNNEL_ID"

// mostWriters is how many writers a queue's reader remembers: as many as may write
// to it at a time. One gets a new name with every start, unless it writes for a
// split, so old ones are forgotten, the longest silent first.
const mostWriters = 256

// recordID is a record id taken apart.
type recordID struct {
	epoch int64
	seq   int64
}

func (a recordID) compare(b recordID) int {
	return cmp.Or(cmp.Compare(a.epoch, b.epoch), cmp.Compare(a.seq, b.seq))
}

// parseRecordID splits an id into the writer (name and number) and the rest.
func parseRecordID(b []byte) (writer []byte, id recordID, ok bool) {
	at := bytes.LastIndexByte(b, '.')
	if at < 0 {
		return nil, id, false
	}
	seq, ok1 := parseDigits(b[at+1:])
	b = b[:at]
	if at = bytes.LastIndexByte(b, '.'); at < 0 {
		return nil, id, false
	}
	epoch, ok2 := parseDigits(b[at+1:])
	return b[:at], recordID{epoch, seq}, ok1 && ok2 && at > 0
}

// parseDigits reads a whole number without sign, without allocating.
func parseDigits(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, ch := range b {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		n = n*10 + int64(ch-'0')
	}
	return n, true
}

// writer is what a reader knows of one writer.
type writer struct {
	name string
	last recordID
	used int64 // offset of its last message
}

// seen is the dedupe vector of a queue. It is part of the queue's position, so
// it is committed with everything else and a restarted reader still has it.
type seen struct{ writers []writer }

// repeated tells whether the record was seen before, and notes it if not: then w
// is what is now known of its writer, or nil if the id is not one of ours.
func (s *seen) repeated(value []byte, offset int64) (again bool, w *writer) {
	name, id, ok := parseRecordID(value)
	if !ok {
		return false, nil
	}
	for i := range s.writers {
		w := &s.writers[i]
		if w.name != string(name) {
			continue
		}
		w.used = offset
		if id.compare(w.last) <= 0 {
			return true, w
		}
		w.last = id
		return false, w
	}
	if len(s.writers) >= mostWriters {
		s.forgetOldest()
	}
	s.writers = append(s.writers, writer{string(name), id, offset})
	return false, &s.writers[len(s.writers)-1]
}

// put notes what is known of a writer.
func (s *seen) put(w writer) {
	for i := range s.writers {
		if s.writers[i].name == w.name {
			s.writers[i] = w
			return
		}
	}
	s.writers = append(s.writers, w)
	if len(s.writers) > mostWriters {
		s.forgetOldest()
	}
}

func (s *seen) forgetOldest() {
	oldest := 0
	for i := range s.writers {
		if s.writers[i].used < s.writers[oldest].used {
			oldest = i
		}
	}
	s.writers = slices.Delete(s.writers, oldest, oldest+1)
}

// position encodes an offset and the dedupe vector as it is before the message
// there: 19 digits, so that positions sort as offsets do, then a blank and each
// writer as name=epoch.seq@offset.
func position(offset int64, s *seen) string {
	if s == nil || len(s.writers) == 0 {
		return fmt.Sprintf("%019d", offset)
	}
	b := fmt.Appendf(nil, "%019d", offset)
	for _, w := range s.writers {
		b = fmt.Appendf(b, " %s=%d.%d@%d", w.name, w.last.epoch, w.last.seq, w.used)
	}
	return string(b)
}

// parsePosition is the inverse of position.
func parsePosition(p string) (offset int64, s seen, err error) {
	number, rest, _ := strings.Cut(p, " ")
	if offset, err = strconv.ParseInt(number, 10, 64); err != nil || offset < 0 {
		return 0, s, fmt.Errorf("rocketmq: %q is no position of a queue", p)
	}
	for part := range strings.FieldsSeq(rest) {
		name, value, ok1 := strings.Cut(part, "=")
		value, used, ok2 := strings.Cut(value, "@")
		epoch, seq, ok3 := strings.Cut(value, ".")
		w := writer{name: name}
		var errs [3]error
		w.last.epoch, errs[0] = strconv.ParseInt(epoch, 10, 64)
		w.last.seq, errs[1] = strconv.ParseInt(seq, 10, 64)
		w.used, errs[2] = strconv.ParseInt(used, 10, 64)
		if !ok1 || !ok2 || !ok3 || errs != [3]error{} {
			return 0, s, fmt.Errorf("rocketmq: %q is no position of a queue", p)
		}
		s.writers = append(s.writers, w)
	}
	return offset, s, nil
}
