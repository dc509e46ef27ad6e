package regex

import (
	"strings"
	"sync"
	"unicode"
)

var (
	horizontalSpace = set{'\t', '\t', ' ', ' ', 0xA0, 0xA0, 0x1680, 0x1680, 0x180E, 0x180E, 0x2000, 0x200A, 0x202F, 0x202F, 0x205F, 0x205F, 0x3000, 0x3000}
	verticalSpace   = set{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029}
	asciiWord       = set{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
)

// uword is \w under UNICODE_CHARACTER_CLASS.
var uword = sync.OnceValue(func() set { return binarySet("WORD") })

func (p *parser) wordSet() set {
	if p.has(UnicodeClass) {
		return uword()
	}
	return asciiWord
}

// posixSet is a class that UNICODE_CHARACTER_CLASS widens.
func (p *parser) posixSet(name string) set {
	if p.has(UnicodeClass) {
		if s, ok := p.posixUnicode(strings.ToUpper(name)); ok {
			return s
		}
	}
	s, _ := p.category(name)
	return s
}

// property parses \p{…}; the position is that of the p.
func (p *parser) property(neg bool) set {
	c := p.next()
	var name string
	if c != '{' {
		name = string(c)
		if p.pos >= p.end {
			name = "\x00"
		}
		p.read()
	} else {
		from := p.pos + 1
		to := from
		for to < p.end && p.text[to] != '}' {
			to++
		}
		if to >= p.end {
			p.pos = p.end
			p.fail("unclosed character family")
		}
		if to == from {
			p.fail("empty character family")
		}
		name = string(p.text[from:to])
		p.pos = to + 1
	}
	return negateIf(p.propertySet(name), neg)
}

func (p *parser) propertySet(name string) set {
	var s set
	ok := false
	if key, value, assigned := strings.Cut(name, "="); assigned {
		switch strings.ToLower(key) {
		case "sc", "script":
			s, ok = scriptSet(value)
		case "blk", "block":
			s, ok = blockSet(value)
		case "gc", "general_category":
			s, ok = p.category(value)
		}
		if !ok {
			p.fail("unknown Unicode property {name=<%s>, value=<%s>}", key, value)
		}
		return s
	}
	switch {
	case strings.HasPrefix(name, "In"):
		s, ok = blockSet(name[2:])
	case strings.HasPrefix(name, "Is"):
		if s, ok = p.binary(strings.ToUpper(name[2:])); !ok {
			if s, ok = p.category(name[2:]); !ok {
				s, ok = scriptSet(name[2:])
			}
		}
	default:
		if p.has(UnicodeClass) {
			s, ok = p.posixUnicode(strings.ToUpper(name))
		}
		if !ok {
			s, ok = p.category(name)
		}
	}
	if !ok {
		p.fail("unknown character property name {%s}", name)
	}
	return s
}

var blocksByName = sync.OnceValue(func() map[string]set {
	m := map[string]set{}
	for _, b := range blocks {
		for _, n := range strings.Split(b.names, "|") {
			m[n] = rangeSet(b.lo, b.hi)
		}
	}
	return m
})

func blockSet(name string) (set, bool) {
	s, ok := blocksByName()[strings.ToUpper(name)]
	return s, ok
}

var scriptsByName = sync.OnceValue(func() map[string]set {
	m := map[string]set{}
	known := set{}
	for name, t := range unicode.Scripts {
		s := tableSet(t)
		m[strings.ToUpper(name)] = s
		known = known.union(s)
	}
	m["UNKNOWN"] = known.negate()
	return m
})

func scriptSet(name string) (set, bool) {
	name = strings.ToUpper(name)
	if full, ok := scriptAliases[name]; ok {
		name = full
	}
	s, ok := scriptsByName()[name]
	return s, ok
}

var assigned = sync.OnceValue(func() set {
	return tableSet(unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
})

// caseLetters replaces upper, lower and title case by their union under CASE_INSENSITIVE.
var caseLetters = sync.OnceValue(func() set { return tableSet(unicode.Lu, unicode.Ll, unicode.Lt) })

// category is a general category or another name of \p{name}, spelled exactly.
func (p *parser) category(name string) (set, bool) {
	anyCase := p.has(CaseInsensitive)
	switch name {
	case "Cn":
		return assigned().negate(), true
	case "Lu", "Ll", "Lt":
		if anyCase {
			return caseLetters(), true
		}
	case "C":
		return tableSet(unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs).union(assigned().negate()), true
	case "LC":
		return caseLetters(), true
	case "LD":
		return tableSet(unicode.L, unicode.Nd), true
	case "L1":
		return rangeSet(0, 0xFF), true
	case "all":
		return setAll, true
	case "ASCII":
		return rangeSet(0, 0x7F), true
	case "Alnum":
		return set{'0', '9', 'A', 'Z', 'a', 'z'}, true
	case "Alpha":
		return set{'A', 'Z', 'a', 'z'}, true
	case "Blank":
		return runesSet(' ', '\t'), true
	case "Cntrl":
		return set{0, 0x1F, 0x7F, 0x7F}, true
	case "Digit":
		return set{'0', '9'}, true
	case "Graph":
		return set{0x21, 0x7E}, true
	case "Lower", "Upper":
		switch {
		case anyCase:
			return set{'A', 'Z', 'a', 'z'}, true
		case name == "Lower":
			return set{'a', 'z'}, true
		}
		return set{'A', 'Z'}, true
	case "Print":
		return set{0x20, 0x7E}, true
	case "Punct":
		return set{0x21, 0x2F, 0x3A, 0x40, 0x5B, 0x60, 0x7B, 0x7E}, true
	case "Space":
		return set{'\t', '\r', ' ', ' '}, true
	case "XDigit":
		return set{'0', '9', 'A', 'F', 'a', 'f'}, true
	}
	if strings.HasPrefix(name, "java") {
		return javaSet(name[4:], anyCase)
	}
	if len(name) <= 2 {
		if t, ok := unicode.Categories[name]; ok {
			return tableSet(t), true
		}
	}
	return nil, false
}

// javaSet is \p{javaName}, the method isName of java.lang.Character.
func javaSet(name string, anyCase bool) (set, bool) {
	identifierPart := func() set {
		return tableSet(unicode.L, unicode.Nl, unicode.Nd, unicode.Pc, unicode.Mn, unicode.Mc).union(ignorable())
	}
	switch name {
	case "LowerCase", "UpperCase", "TitleCase":
		switch {
		case anyCase:
			return binarySet("LOWERCASE").union(binarySet("UPPERCASE")).union(tableSet(unicode.Lt)), true
		case name == "TitleCase":
			return tableSet(unicode.Lt), true
		}
		return binarySet(strings.ToUpper(name)), true
	case "Alphabetic", "Ideographic":
		return binarySet(strings.ToUpper(name)), true
	case "Digit":
		return tableSet(unicode.Nd), true
	case "Defined":
		return assigned(), true
	case "Letter":
		return tableSet(unicode.L), true
	case "LetterOrDigit":
		return tableSet(unicode.L, unicode.Nd), true
	case "JavaIdentifierStart":
		return tableSet(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc), true
	case "JavaIdentifierPart":
		return identifierPart().union(tableSet(unicode.Sc)), true
	case "UnicodeIdentifierStart":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_ID_Start), true
	case "UnicodeIdentifierPart":
		return identifierPart().union(tableSet(unicode.Other_ID_Start, unicode.Other_ID_Continue)), true
	case "IdentifierIgnorable":
		return ignorable(), true
	case "SpaceChar":
		return tableSet(unicode.Z), true
	case "Whitespace":
		return tableSet(unicode.Z).minus(runesSet(0xA0, 0x2007, 0x202F)).union(set{'\t', '\r', 0x1C, 0x1F}), true
	case "ISOControl":
		return set{0, 0x1F, 0x7F, 0x9F}, true
	case "Mirrored":
		return mirrored, true
	}
	return nil, false
}

func ignorable() set { return tableSet(unicode.Cf).union(set{0, 8, 0x0E, 0x1B, 0x7F, 0x9F}) }

// binary is a binary property of \p{IsName}, the name in upper case.
func (p *parser) binary(name string) (set, bool) {
	switch name {
	case "HEXDIGIT":
		name = "HEX_DIGIT"
	case "NONCHARACTERCODEPOINT":
		name = "NONCHARACTER_CODE_POINT"
	case "JOINCONTROL":
		name = "JOIN_CONTROL"
	case "WHITESPACE":
		name = "WHITE_SPACE"
	case "LOWERCASE", "UPPERCASE", "TITLECASE":
		if p.has(CaseInsensitive) {
			return binarySet("LOWERCASE").union(binarySet("UPPERCASE")).union(tableSet(unicode.Lt)), true
		}
	}
	s := binarySet(name)
	return s, s != nil
}

func binarySet(name string) set {
	switch name {
	case "ALPHABETIC":
		return tableSet(unicode.L, unicode.Nl, unicode.Other_Alphabetic)
	case "LETTER":
		return tableSet(unicode.L)
	case "IDEOGRAPHIC":
		return tableSet(unicode.Ideographic)
	case "LOWERCASE":
		return tableSet(unicode.Ll, unicode.Other_Lowercase)
	case "UPPERCASE":
		return tableSet(unicode.Lu, unicode.Other_Uppercase)
	case "TITLECASE":
		return tableSet(unicode.Lt)
	case "WHITE_SPACE":
		return tableSet(unicode.Z).union(set{'\t', '\r', 0x85, 0x85})
	case "CONTROL":
		return tableSet(unicode.Cc)
	case "PUNCTUATION":
		return tableSet(unicode.P)
	case "HEX_DIGIT":
		return tableSet(unicode.Nd, unicode.Hex_Digit)
	case "ASSIGNED":
		return assigned()
	case "NONCHARACTER_CODE_POINT":
		return tableSet(unicode.Noncharacter_Code_Point)
	case "DIGIT":
		return tableSet(unicode.Nd)
	case "ALNUM":
		return binarySet("ALPHABETIC").union(tableSet(unicode.Nd))
	case "BLANK":
		return tableSet(unicode.Zs).union(runesSet('\t'))
	case "GRAPH":
		return tableSet(unicode.Z, unicode.Cc, unicode.Cs).union(assigned().negate()).negate()
	case "PRINT":
		return binarySet("GRAPH").union(binarySet("BLANK")).minus(tableSet(unicode.Cc))
	case "WORD":
		return binarySet("ALPHABETIC").union(tableSet(unicode.Mn, unicode.Me, unicode.Mc, unicode.Nd, unicode.Pc)).union(runesSet(0x200C, 0x200D))
	case "JOIN_CONTROL":
		return runesSet(0x200C, 0x200D)
	}
	return nil
}

// posixUnicode is a POSIX name under UNICODE_CHARACTER_CLASS, in upper case.
func (p *parser) posixUnicode(name string) (set, bool) {
	switch name {
	case "ALPHA":
		return binarySet("ALPHABETIC"), true
	case "LOWER", "UPPER":
		return p.binary(name + "CASE")
	case "SPACE":
		return binarySet("WHITE_SPACE"), true
	case "PUNCT":
		return binarySet("PUNCTUATION"), true
	case "XDIGIT":
		return binarySet("HEX_DIGIT"), true
	case "CNTRL":
		return binarySet("CONTROL"), true
	case "ALNUM", "DIGIT", "BLANK", "GRAPH", "PRINT":
		return binarySet(name), true
	}
	return nil, false
}
