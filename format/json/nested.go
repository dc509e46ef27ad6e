package json

import (
	"errors"
	"fmt"

	"github.com/runnelio/runnel/vector"
)

// list converts an array.
func (c *reader) list(buf []byte, val Value, out *vector.List, i int) error {
	at, end := val.from(), val.to()
	if buf[at] != '[' {
		return c.wrong(val.raw(buf))
	}
	out.Off[i], out.Count[i] = int32(out.Child.Len()), 0
	at = skipBlank(buf, at+1, end)
	for buf[at] != ']' {
		elem, next, err := c.value(buf, at, end)
		if err != nil {
			return err
		}
		row := vector.Extend(out.Child, 1)
		out.Count[i]++
		if err := c.part(0, buf, elem, out.Child, row); err != nil {
			return err
		}
		if at, err = c.comma(buf, next, end, ']'); err != nil {
			return err
		}
	}
	return nil
}

// row converts an object into a ROW.
func (c *reader) row(buf []byte, val Value, out *vector.Row, i int) error {
	if buf[val.from()] != '{' {
		return c.wrong(val.raw(buf))
	}
	clear(c.found)
	expect := 0 // keys come in the order of the fields, mostly
	err := c.members(buf, val, func(key string, v Value) {
		for k := range c.t.Fields {
			f := (expect + k) % len(c.t.Fields)
			if c.t.Fields[f].Name == key {
				c.found[f], expect = v, f+1
				return
			}
		}
	})
	if err != nil {
		return err
	}
	for f, v := range c.found {
		if v.missing() && c.o.failMissing {
			return fmt.Errorf("%s: %w", c.t.Fields[f].Name, errMissing)
		}
		if err := c.part(f, buf, v, out.Cols[f], i); err != nil {
			return fmt.Errorf("%s: %w", c.t.Fields[f].Name, err)
		}
	}
	return nil
}

// mapping converts an object into a MAP or MULTISET. Of equal keys the last
// one's value counts, in the place of the first.
func (c *reader) mapping(buf []byte, val Value, out *vector.Map, i int) error {
	if buf[val.from()] != '{' {
		return c.wrong(val.raw(buf))
	}
	c.pairs = c.pairs[:0]
	var index map[string]int // for many keys
	err := c.members(buf, val, func(key string, v Value) {
		if index == nil && len(c.pairs) < 24 {
			for k := range c.pairs {
				if c.pairs[k].key == key {
					c.pairs[k].val = v
					return
				}
			}
		} else {
			if index == nil {
				index = map[string]int{}
				for k := range c.pairs {
					index[c.pairs[k].key] = k
				}
			}
			if k, ok := index[key]; ok {
				c.pairs[k].val = v
				return
			}
			index[key] = len(c.pairs)
		}
		c.pairs = append(c.pairs, pair{key, v})
	})
	if err != nil {
		return err
	}
	out.Off[i], out.Count[i] = int32(out.Keys.Len()), int32(len(c.pairs))
	keys := out.Keys.(*vector.Flat[string])
	row := vector.Extend(out.Keys, len(c.pairs))
	vector.Extend(out.Vals, len(c.pairs))
	for k, p := range c.pairs {
		text, why := c.checked(p.key, &keys.Arena)
		if why != "" {
			return fmt.Errorf("the key %q %s", p.key, why)
		}
		keys.Vals[row+k] = text
		if err := c.part(1, buf, p.val, out.Vals, row+k); err != nil {
			return fmt.Errorf("%s: %w", p.key, err)
		}
	}
	return nil
}

// part converts an element or field. A bad one is NULL under 'ignore-parse-errors'.
func (c *reader) part(k int, buf []byte, v Value, out vector.Vector, i int) error {
	if v.IsNull(buf) {
		vector.SetNullDeep(out, i)
		return nil
	}
	err := c.parts[k].put(buf, v, out, i)
	if err != nil {
		vector.SetNullDeep(out, i)
		if c.o.ignore {
			return nil
		}
	}
	return err
}

// members calls f for each field of the object val. The key is a view, valid
// until the buffer changes.
func (c *reader) members(buf []byte, val Value, f func(key string, v Value)) error {
	end := val.to()
	at := skipBlank(buf, val.from()+1, end)
	for buf[at] != '}' {
		if buf[at] != '"' {
			return fmt.Errorf("%s: here should be a key in quotes", excerpt(buf[at:end]))
		}
		next := c.walk.skipString(buf, at, end)
		if next < 0 {
			return c.walk.Err(val.from())
		}
		key := buf[at+1 : next-1]
		if hasBackslash(key) {
			text, why := AppendUnescaped(nil, key)
			if why != "" {
				return fmt.Errorf("key %q: %s", key, why)
			}
			key = text
		}
		if at = skipBlank(buf, next, end); buf[at] != ':' {
			return fmt.Errorf("%s: here should be a colon", excerpt(buf[at:end]))
		}
		v, next, err := c.value(buf, skipBlank(buf, at+1, end), end)
		if err != nil {
			return err
		}
		f(vector.View(key), v)
		if at, err = c.comma(buf, next, end, '}'); err != nil {
			return err
		}
	}
	return nil
}

// value finds the value at buf[at].
func (c *reader) value(buf []byte, at, end int) (Value, int, error) {
	next := c.walk.skip(buf, at, end)
	if next < 0 {
		return Value{}, 0, c.walk.Err(at)
	}
	return Value{uint32(at), uint32(next)}, next, nil
}

// comma goes on to the next member, or to the closing bracket, which is the
// last byte before end.
func (c *reader) comma(buf []byte, at, end int, closing byte) (int, error) {
	at = skipBlank(buf, at, end)
	if at < end && buf[at] == closing {
		return at, nil
	}
	if at >= end || buf[at] != ',' {
		return 0, fmt.Errorf("%s: here should be a comma or %c", excerpt(buf[at:end]), closing)
	}
	if at = skipBlank(buf, at+1, end); at >= end || buf[at] == closing {
		return 0, fmt.Errorf("a value is missing behind a comma")
	}
	return at, nil
}

// Elements calls f for each element of the array v.
func Elements(buf []byte, v Value, f func(elem Value) error) error {
	if v.missing() || buf[v.from()] != '[' {
		return errors.New("here should be an array")
	}
	var r reader
	end := v.to()
	at := skipBlank(buf, v.from()+1, end)
	for buf[at] != ']' {
		elem, next, err := r.value(buf, at, end)
		if err != nil {
			return err
		}
		if err := f(elem); err != nil {
			return err
		}
		if at, err = r.comma(buf, next, end, ']'); err != nil {
			return err
		}
	}
	return nil
}
