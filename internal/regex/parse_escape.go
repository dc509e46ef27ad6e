package regex

import "unicode/utf16"

// escapeNode parses a backslash escape outside a class, and its quantifier is
// the caller's.
func (p *parser) escapeNode() *node {
	e := p.at(p.pos + 1)
	switch e {
	case 'p', 'P':
		p.pos++
		return p.setNode(p.property(e == 'P'))
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		p.pos += 2
		return p.backref(int(e - '0'))
	case 'k':
		p.pos += 2
		return p.namedBackref()
	case 'R':
		p.pos += 2
		crlf := catOf([]*node{p.setNode(rangeSet('\r', '\r')), p.setNode(rangeSet('\n', '\n'))})
		return p.new(node{op: opAlt, subs: []*node{crlf, p.setNode(verticalSpace)}})
	case 'X':
		p.limit(`\X is not supported`)
	case 'b':
		if p.at(p.pos+2) == '{' && p.at(p.pos+3) == 'g' {
			p.limit(`\b{g} is not supported`)
		}
	}
	if k, ok := p.place(e); ok {
		p.pos += 2
		return p.assertion(k)
	}
	c, s := p.escape(false)
	if c == notAChar {
		return p.setNode(s)
	}
	return p.char(c)
}

// place tells the condition that \e is.
func (p *parser) place(e rune) (assertKind, bool) {
	switch e {
	case 'A':
		return atBegin, true
	case 'G':
		return atLast, true
	case 'z':
		return atEnd, true
	case 'Z':
		if p.has(UnixLines) {
			return atUnixDollar, true
		}
		return atDollar, true
	case 'b':
		if p.has(UnicodeClass) {
			return atUWord, true
		}
		return atWord, true
	case 'B':
		if p.has(UnicodeClass) {
			return atNotUWord, true
		}
		return atNotWord, true
	}
	return 0, false
}

func (p *parser) backref(n int) *node {
	for { // further digits count while there is such a group
		c := p.peek()
		if c < '0' || c > '9' || n*10+int(c-'0') > p.groups-1 {
			break
		}
		n = n*10 + int(c-'0')
		p.read()
	}
	return p.new(node{op: opBackref, n: n, fold: p.flags & (CaseInsensitive | UnicodeCase)})
}

func (p *parser) namedBackref() *node {
	if p.read() != '<' {
		p.fail(`\k is not followed by '<' for named capturing group`)
	}
	name := p.groupName(p.read())
	for i, have := range p.names {
		if i > 0 && have == name {
			return p.new(node{op: opBackref, n: i, fold: p.flags & (CaseInsensitive | UnicodeCase)})
		}
	}
	p.fail("named capturing group <%s> does not exist", name)
	return nil
}

// escapeInClass is escape for the elements of a class.
func (p *parser) escapeInClass(isRange bool) (rune, set) {
	switch e := p.at(p.pos + 1); e {
	case '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'G', 'R', 'X', 'Z', 'b', 'k', 'z':
		p.pos += 2
		p.fail("illegal/unsupported escape sequence")
	}
	return p.escape(isRange)
}

// escape parses a backslash and what it escapes: a character, or a set and
// notAChar. In front of a range \v is the vertical tab, as it once was.
func (p *parser) escape(isRange bool) (rune, set) {
	e := p.at(p.pos + 1)
	p.pos += 2
	switch e {
	case '0':
		return p.octal(), nil
	case 'a':
		return 7, nil
	case 'c':
		if p.pos >= p.end {
			p.fail("illegal control escape sequence")
		}
		return p.read() ^ 64, nil
	case 'e':
		return 27, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.utf16Escape(), nil
	case 'x':
		return p.hexEscape(), nil
	case 'N':
		p.limit(`\N{…} is not supported`)
	case 'd', 'D':
		return notAChar, negateIf(p.posixSet("Digit"), e == 'D')
	case 's', 'S':
		return notAChar, negateIf(p.posixSet("Space"), e == 'S')
	case 'w', 'W':
		return notAChar, negateIf(p.wordSet(), e == 'W')
	case 'h', 'H':
		return notAChar, negateIf(horizontalSpace, e == 'H')
	case 'v':
		if isRange {
			return '\v', nil
		}
		return notAChar, verticalSpace
	case 'V':
		return notAChar, verticalSpace.negate()
	}
	if isASCIILetter(e) {
		p.fail("illegal/unsupported escape sequence")
	}
	if e == 0 && p.pos > p.end {
		p.pos = p.end + 1
		p.fail(`unexpected end behind '\'`)
	}
	return e, nil
}

func negateIf(s set, neg bool) set {
	if neg {
		return s.negate()
	}
	return s
}

func (p *parser) octal() rune {
	digit := func(c, most rune) bool { return c >= '0' && c <= most }
	n := p.read()
	if !digit(n, '7') {
		p.fail("illegal octal escape sequence")
	}
	v := n - '0'
	m := p.read()
	if !digit(m, '7') {
		p.pos--
		return v
	}
	o := p.read()
	if digit(o, '7') && digit(n, '3') {
		return v*64 + (m-'0')*8 + o - '0'
	}
	p.pos--
	return v*8 + m - '0'
}

func hexDigit(c rune) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func (p *parser) hexEscape() rune {
	c := p.read()
	if c == '{' {
		v, digits := rune(0), 0
		for {
			c = p.read()
			d, ok := hexDigit(c)
			if !ok {
				break
			}
			digits++
			if v = v<<4 | d; v > maxRune {
				p.fail("hexadecimal codepoint is too big")
			}
		}
		if c != '}' || digits == 0 {
			p.fail("unclosed hexadecimal escape sequence")
		}
		return v
	}
	hi, ok := hexDigit(c)
	lo, ok2 := hexDigit(p.read())
	if !ok || !ok2 {
		p.fail("illegal hexadecimal escape sequence")
	}
	return hi<<4 | lo
}

func (p *parser) utf16Escape() rune {
	unit := func() rune {
		v := rune(0)
		for range 4 {
			d, ok := hexDigit(p.read())
			if !ok {
				p.fail("illegal Unicode escape sequence")
			}
			v = v<<4 | d
		}
		return v
	}
	r := unit()
	if utf16.IsSurrogate(r) && p.at(p.pos) == '\\' && p.at(p.pos+1) == 'u' {
		save := p.pos
		p.pos += 2
		if full := utf16.DecodeRune(r, unit()); full != 0xFFFD {
			return full
		}
		p.pos = save
	}
	return r
}
