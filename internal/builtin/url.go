package builtin

import (
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

// urlFuncs write, read and take apart URLs.
var urlFuncs = []function.Def{
	{
		Name: "URL_ENCODE", Group: "url", Sig: "(STRING) -> STRING?",
		Doc:    "The text in the form of a query string: letters, digits and .-*_ as they are, blanks as +, else %XX for each byte.",
		Scalar: function.Append1(appendURLEncoded), Eg: []function.Example{eg("URL_ENCODE('a b/c')", "a+b%2Fc")},
	},
	{
		Name: "URL_DECODE", Group: "url", Sig: "(STRING) -> STRING?",
		Doc:    "The text that was URL-encoded, NULL if an escape is broken.",
		Scalar: function.AppendOk1(appendURLDecoded), Eg: []function.Example{eg("URL_DECODE('a+b%2Fc')", "a b/c")},
	},
	{
		Name: "PARSE_URL", Group: "url", Sig: "(STRING, STRING, [STRING]) -> STRING?",
		Doc: "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, AUTHORITY, FILE or USERINFO, or with QUERY and a key the value of that parameter. NULL if the text is no URL or has no such part. Nothing is decoded.",
		Scalar: function.Arity(2,
			function.AppendOk2(func(dst []byte, s, part string) ([]byte, bool) {
				v, ok := urlPart(s, part)
				return append(dst, v...), ok
			}),
			function.AppendOk3(func(dst []byte, s, part, key string) ([]byte, bool) {
				if part != "QUERY" {
					return dst, false
				}
				query, ok := urlPart(s, part)
				if !ok {
					return dst, false
				}
				v, ok := queryValue(query, key)
				return append(dst, v...), ok
			})),
		Eg: []function.Example{eg("PARSE_URL('http://a.com/p?x=1', 'HOST')", "a.com"), eg("PARSE_URL('http://a.com/p?x=1', 'QUERY', 'x')", "1")},
	},
}

func appendURLEncoded(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '*' || c == '_':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func appendURLDecoded(dst []byte, s string) ([]byte, bool) {
	at := len(dst)
	dst, ok := appendURLBytes(dst, s)
	if ok && !utf8.Valid(dst[at:]) {
		dst = types.AppendUTF8(dst[:at], string(dst[at:]))
	}
	return dst, ok
}

// appendURLBytes appends the bytes that were URL-encoded.
func appendURLBytes(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if i+2 >= len(s) {
				return dst, false
			}
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if !ok1 || !ok2 {
				return dst, false
			}
			dst = append(dst, hi<<4|lo)
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst, true
}

// url is a URL in parts, as java.net.URL sees it.
type url struct {
	protocol, authority, userinfo, host, path, query, ref string
	hasAuthority, hasUserinfo, hasQuery, hasRef           bool
}

// parseURL takes s apart; false if it is no URL of a protocol that Java knows.
func parseURL(s string) (u url, ok bool) {
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	if len(s) > 4 && strings.EqualFold(s[:4], "url:") {
		s = s[4:]
	}
	colon := strings.IndexAny(s, ":/")
	if colon <= 0 || s[colon] != ':' {
		return u, false
	}
	switch u.protocol = strings.ToLower(s[:colon]); u.protocol {
	case "http", "https", "ftp", "file", "jar", "mailto", "jrt", "jmod":
	default:
		return u, false
	}
	s = s[colon+1:]
	if i := strings.IndexByte(s, '#'); i >= 0 {
		s, u.ref, u.hasRef = s[:i], s[i+1:], true
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		s, u.query, u.hasQuery = s[:i], s[i+1:], true
	}
	if strings.HasPrefix(s, "//") {
		u.hasAuthority = true
		u.authority, u.path = s[2:], ""
		if i := strings.IndexByte(u.authority, '/'); i >= 0 {
			u.authority, u.path = u.authority[:i], u.authority[i:]
		}
		u.host = u.authority
		if i := strings.IndexByte(u.authority, '@'); i >= 0 {
			if i != strings.LastIndexByte(u.authority, '@') {
				u.host = ""
			} else {
				u.userinfo, u.hasUserinfo, u.host = u.authority[:i], true, u.authority[i+1:]
			}
		}
		return u, u.cutPort()
	}
	u.path = s
	return u, true
}

// cutPort takes the port off the host and tells whether both are well-formed.
func (u *url) cutPort() bool {
	port := ""
	if strings.HasPrefix(u.host, "[") {
		i := strings.IndexByte(u.host, ']')
		if i < 2 || strings.Trim(u.host[1:i], "0123456789abcdefABCDEF:.%") != "" {
			return false
		}
		port = u.host[i+1:]
		if port != "" && port[0] != ':' {
			return false
		}
		u.host = u.host[:i+1]
		port = strings.TrimPrefix(port, ":")
	} else if i := strings.IndexByte(u.host, ':'); i >= 0 {
		u.host, port = u.host[:i], u.host[i+1:]
	}
	return len(port) <= 9 && strings.Trim(port, "0123456789") == ""
}

func urlPart(s, part string) (string, bool) {
	u, ok := parseURL(s)
	if !ok {
		return "", false
	}
	switch part {
	case "HOST":
		return u.host, true
	case "PATH":
		return u.path, true
	case "QUERY":
		return u.query, u.hasQuery
	case "REF":
		return u.ref, u.hasRef
	case "PROTOCOL":
		return u.protocol, true
	case "AUTHORITY":
		return u.authority, u.hasAuthority
	case "USERINFO":
		return u.userinfo, u.hasUserinfo
	case "FILE":
		if u.hasQuery {
			return u.path + "?" + u.query, true
		}
		return u.path, true
	}
	return "", false
}

// queryValue finds key=value in a query string.
func queryValue(query, key string) (string, bool) {
	for query != "" {
		pair := query
		if i := strings.IndexByte(query, '&'); i >= 0 {
			pair, query = query[:i], query[i+1:]
		} else {
			query = ""
		}
		if strings.HasPrefix(pair, key) && len(pair) > len(key) && pair[len(key)] == '=' {
			return pair[len(key)+1:], true
		}
	}
	return "", false
}
