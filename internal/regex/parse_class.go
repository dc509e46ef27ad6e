package regex

// notAChar is what an escape gives that stands for a set or a place.
const notAChar rune = -1

// class parses a character class from its '[' (or, within an intersection, from
// the character before it); closing tells whether to move behind the ']'.
// Everything in a class is one union, && cuts it with what follows, and a
// leading ^ negates the whole.
func (p *parser) class(closing bool) set {
	if p.depth++; p.depth > maxDepth {
		p.limit("character classes are nested too deep")
	}
	defer func() { p.depth-- }()
	var have set
	some := false // have counts, though it may be empty
	add := func(s set) {
		have = have.union(s)
		some = true
	}
	neg := false
	c := p.next()
	if c == '^' && p.at(p.pos-1) == '[' {
		c = p.next()
		neg = true
	}
	for {
		switch c {
		case '[':
			add(p.class(true))
			c = p.peek()
			continue
		case '&':
			if c = p.next(); c != '&' {
				p.pos--
				break
			}
			right, ok := p.intersection()
			switch {
			case !some && !ok:
				p.fail("bad class syntax")
			case !some:
				add(right)
			case ok:
				have = have.intersect(right)
			}
			c = p.peek()
			continue
		case 0:
			if p.pos >= p.end {
				p.fail("unclosed character class")
			}
		case ']':
			if !some {
				break
			}
			if closing {
				p.next()
			}
			if neg {
				return have.negate()
			}
			return have
		}
		add(p.classRange())
		c = p.peek()
	}
}

// intersection parses what follows &&; false if that is nothing.
func (p *parser) intersection() (right set, ok bool) {
	for c := p.next(); c != ']' && c != '&'; c = p.peek() {
		if c == '[' {
			right = right.union(p.class(true))
		} else {
			p.pos--
			right = right.union(p.class(false))
		}
		ok = true
	}
	return right, ok
}

// classRange parses one element of a class: a character, a range, an escape.
func (p *parser) classRange() set {
	c := p.peek()
	if c == '\\' {
		switch e := p.at(p.pos + 1); e {
		case 'p', 'P':
			p.pos++
			return p.property(e == 'P')
		}
		isRange := p.at(p.pos+2) == '-'
		var s set
		if c, s = p.escapeInClass(isRange); c == notAChar {
			return s
		}
	} else {
		p.next()
	}
	if p.peek() != '-' {
		return charSet(c, p.flags)
	}
	switch p.at(p.pos + 1) {
	case '[', ']':
		return charSet(c, p.flags)
	}
	hi := p.next()
	if hi == '\\' {
		hi, _ = p.escapeInClass(true)
	} else {
		p.next()
	}
	if hi < c {
		p.fail("illegal character range")
	}
	return rangeFold(c, hi, p.flags)
}
