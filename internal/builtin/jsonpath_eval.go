package builtin

import (
	"math"
	"strconv"

	"github.com/runnelio/runnel/types"
)

// pathStatus is how the evaluation of a path ended.
type pathStatus uint8

const (
	pathFound   pathStatus = iota
	pathMissing            // it leads to nothing
	pathInvalid            // the text is no JSON; or the path is none
)

// pathResult is what a path leads to: one value of text or, for paths that may
// lead to several, a list.
type pathResult struct {
	text  string
	value jsonSpan
	list  []jsonSpan
	many  bool
	err   error // of pathInvalid
}

// find evaluates a plain path in one pass over the text, which also checks it.
func (p *jsonPath) find(s string) (jsonSpan, pathStatus) {
	start := jsonSpace(s, 0)
	v := jsonSpan{start: -1}
	end := jsonRootEnd(s, start, walkPath(s, start, 0, p.steps, &v))
	switch {
	case end < 0:
		return jsonSpan{start: ^end}, pathInvalid
	case v.start < 0:
		return v, pathMissing
	}
	return v, pathFound
}

// walkPath skips the value at i and sets v to what steps lead to in it.
func walkPath(s string, i, depth int, steps []pathStep, v *jsonSpan) int {
	v.start = -1
	if len(steps) == 0 {
		end := jsonSkip(s, i, depth)
		v.start, v.end = i, end
		return end
	}
	if i >= len(s) || depth >= maxJSONDepth {
		return ^i
	}
	st := &steps[0]
	switch {
	case s[i] == '{' && st.kind == stepKey:
		i = jsonSpace(s, i+1)
		if i < len(s) && s[i] == '}' {
			return i + 1
		}
		for {
			if i >= len(s) || s[i] != '"' {
				return ^i
			}
			end, escaped := jsonSkipString(s, i)
			if end < 0 {
				return end
			}
			hit := jsonKeyIs(s[i:end], escaped, st.name)
			if i = jsonSpace(s, end); i >= len(s) || s[i] != ':' {
				return ^i
			}
			i = jsonSpace(s, i+1)
			if hit { // the last member of a name counts
				i = walkPath(s, i, depth+1, steps[1:], v)
			} else {
				i = jsonSkip(s, i, depth+1)
			}
			if i < 0 {
				return i
			}
			if i = jsonSpace(s, i); i >= len(s) {
				return ^i
			}
			if s[i] == '}' {
				return i + 1
			}
			if s[i] != ',' {
				return ^i
			}
			i = jsonSpace(s, i+1)
		}
	case s[i] == '[' && st.kind == stepIndex:
		return walkElements(s, i, depth, st.index, steps[1:], v)
	}
	return jsonSkip(s, i, depth)
}

func walkElements(s string, i, depth, index int, steps []pathStep, v *jsonSpan) int {
	if index < 0 { // from the end: they have to be counted first
		end := jsonSkip(s, i, depth)
		if end < 0 {
			return end
		}
		n := 0
		for k := jsonSpace(s, i+1); s[k] != ']'; n++ {
			if k = jsonSpace(s, jsonSkip(s, k, 0)); s[k] == ',' {
				k = jsonSpace(s, k+1)
			}
		}
		if index += n; index < 0 {
			return end
		}
	}
	i = jsonSpace(s, i+1)
	if i < len(s) && s[i] == ']' {
		return i + 1
	}
	for n := 0; ; n++ {
		if n == index {
			i = walkPath(s, i, depth+1, steps, v)
		} else {
			i = jsonSkip(s, i, depth+1)
		}
		if i < 0 {
			return i
		}
		if i = jsonSpace(s, i); i >= len(s) {
			return ^i
		}
		if s[i] == ']' {
			return i + 1
		}
		if s[i] != ',' {
			return ^i
		}
		i = jsonSpace(s, i+1)
	}
}

// eval evaluates any path. JSON null counts as nothing, as in Flink.
func (p *jsonPath) eval(s string) (pathResult, pathStatus) {
	r := pathResult{text: s}
	if p.bad != nil {
		r.err = p.bad
		return r, pathInvalid
	}
	if p.plain {
		v, status := p.find(s)
		r.value = v
		if status == pathInvalid {
			r.err = errNoJSON(s, v.start)
		} else if status == pathFound && s[v.start] == 'n' {
			status = pathMissing
		}
		return r, status
	}
	start, end := jsonDocument(s)
	if end < 0 {
		r.err = errNoJSON(s, ^end)
		return r, pathInvalid
	}
	if s[start] == 'n' {
		return r, pathMissing
	}
	list, ok := p.run(s, p.steps, []jsonSpan{{start, end}}, &r)
	switch {
	case !ok:
		return r, pathMissing
	case !p.definite:
		r.list, r.many = list, true
		return r, pathFound
	case len(list) == 0 || r.text[list[0].start] == 'n':
		return r, pathMissing
	}
	r.value = list[0]
	return r, pathFound
}

// run follows steps from the values in cur. It is false if what a step needs
// is missing where the path so far leads to one value.
func (p *jsonPath) run(s string, steps []pathStep, cur []jsonSpan, r *pathResult) ([]jsonSpan, bool) {
	definite := true // so far
	for k := 0; k < len(steps); k++ {
		st := &steps[k]
		if st.kind == stepCall {
			text, ok := st.call(s, cur, definite)
			if !ok || r == nil {
				return nil, false
			}
			r.text = text
			return []jsonSpan{{0, len(text)}}, true
		}
		deep := st.kind == stepDeep
		if deep {
			var all []jsonSpan
			for _, v := range cur {
				all = appendDeep(all, s, v)
			}
			cur, definite = all, false
			if k++; k == len(steps) {
				return cur, true
			}
			st = &steps[k]
		}
		var next []jsonSpan
		for _, v := range cur {
			var ok bool
			if next, ok = st.apply(next, s, v, deep); !ok && definite {
				return nil, false
			}
		}
		cur = next
		if st.kind == stepKeys && k == len(steps)-1 && r != nil && definite && len(cur) > 0 {
			// the members asked for, as an object
			text := []byte{'{'}
			for i, v := range cur {
				if i > 0 {
					text = append(text, ',')
				}
				text = append(appendJSONQuoted(text, memberName(s, v)), ':')
				text = append(text, s[v.start:v.end]...)
			}
			r.text = string(append(text, '}'))
			return []jsonSpan{{0, len(r.text)}}, true
		}
		definite = definite && (st.kind == stepKey || st.kind == stepIndex)
	}
	return cur, true
}

// memberName is the name of the member whose value is v.
func memberName(s string, v jsonSpan) string {
	i := v.start - 1
	for s[i] != ':' {
		i--
	}
	for i--; s[i] != '"'; i-- {
	}
	end := i + 1
	for i--; s[i] != '"' || i > 0 && escapedQuote(s, i); i-- {
	}
	return string(appendJSONText(nil, s[i:end]))
}

// escapedQuote tells whether the quote at i follows an odd number of backslashes.
func escapedQuote(s string, i int) bool {
	n := 0
	for i--; i >= 0 && s[i] == '\\'; i-- {
		n++
	}
	return n%2 == 1
}

// apply appends what the step makes of v. It is false if v is not what the step
// needs.
func (st *pathStep) apply(dst []jsonSpan, s string, v jsonSpan, deep bool) ([]jsonSpan, bool) {
	c := s[v.start]
	switch st.kind {
	case stepKey, stepKeys:
		if c != '{' {
			return dst, false
		}
		members := jsonMembers(nil, s, v.start)
		names := st.names
		if st.kind == stepKey {
			names = []string{st.name}
		}
		found := false
		for _, name := range names {
			for _, m := range members {
				if m.key == name {
					dst, found = append(dst, jsonSpan{m.start, m.end}), true
				}
			}
		}
		return dst, found
	case stepAll:
		switch c {
		case '{':
			for _, m := range jsonMembers(nil, s, v.start) {
				dst = append(dst, jsonSpan{m.start, m.end})
			}
		case '[':
			dst = jsonElements(dst, s, v.start)
		}
		return dst, true
	case stepFilter:
		if c == '{' {
			if st.where.holds(s, v) {
				dst = append(dst, v)
			}
			return dst, true
		}
		if c != '[' || deep {
			return dst, deep
		}
		for _, e := range jsonElements(nil, s, v.start) {
			if st.where.holds(s, e) {
				dst = append(dst, e)
			}
		}
		return dst, true
	}
	if c != '[' {
		return dst, false
	}
	elems := jsonElements(nil, s, v.start)
	n := len(elems)
	at := func(i int) {
		if i < 0 {
			i += n
		}
		if i >= 0 && i < n {
			dst = append(dst, elems[i])
		}
	}
	switch st.kind {
	case stepIndex:
		at(st.index)
	case stepMany:
		for _, i := range st.many {
			at(i)
		}
	case stepSlice:
		bound := func(b *int, def int) int {
			if b == nil {
				return def
			}
			i := *b
			if i < 0 {
				i += n
			}
			return min(max(i, 0), n)
		}
		for i := bound(st.from, 0); i < bound(st.to, n); i++ {
			dst = append(dst, elems[i])
		}
	}
	return dst, true
}

// appendDeep appends v and all values in it, parents first.
func appendDeep(dst []jsonSpan, s string, v jsonSpan) []jsonSpan {
	dst = append(dst, v)
	switch s[v.start] {
	case '{':
		for _, m := range jsonMembers(nil, s, v.start) {
			dst = appendDeep(dst, s, jsonSpan{m.start, m.end})
		}
	case '[':
		for _, e := range jsonElements(nil, s, v.start) {
			dst = appendDeep(dst, s, e)
		}
	}
	return dst
}

// call computes a function at the end of a path and returns its value as JSON.
func (st *pathStep) call(s string, cur []jsonSpan, definite bool) (string, bool) {
	elems := cur
	if definite {
		if len(cur) != 1 {
			return "", false
		}
		switch v := cur[0]; s[v.start] {
		case '[':
			elems = jsonElements(nil, s, v.start)
		case '{':
			if st.name == "keys" {
				text := []byte{'['}
				for i, m := range jsonMembers(nil, s, v.start) {
					if i > 0 {
						text = append(text, ',')
					}
					text = appendJSONQuoted(text, m.key)
				}
				return string(append(text, ']')), true
			}
			if st.name == "length" || st.name == "size" {
				return strconv.Itoa(len(jsonMembers(nil, s, v.start))), true
			}
			return "", false
		default:
			return "", false
		}
	}
	at := func(i int) (string, bool) {
		if i < 0 {
			i += len(elems)
		}
		if i < 0 || i >= len(elems) {
			return "", false
		}
		return s[elems[i].start:elems[i].end], true
	}
	switch st.name {
	case "length", "size":
		return strconv.Itoa(len(elems)), true
	case "first":
		return at(0)
	case "last":
		return at(-1)
	case "index":
		return at(st.arg)
	case "keys":
		return "", false
	}
	return statistic(st.name, s, elems)
}

// statistic computes min, max, sum, avg and stddev over the numbers among elems.
func statistic(name, s string, elems []jsonSpan) (string, bool) {
	n, sum, squares := 0.0, 0.0, 0.0
	low, high := math.Inf(1), math.Inf(-1)
	for _, e := range elems {
		f, err := strconv.ParseFloat(s[e.start:e.end], 64)
		if err != nil {
			continue
		}
		n++
		sum += f
		squares += f * f
		low, high = min(low, f), max(high, f)
	}
	if n == 0 {
		return "", false
	}
	v := sum
	switch name {
	case "min":
		v = low
	case "max":
		v = high
	case "avg":
		v = sum / n
	case "stddev":
		v = math.Sqrt(max(0, squares/n-sum/n*(sum/n)))
	}
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return "", false
	}
	return string(types.AppendDouble(nil, v)), true
}
