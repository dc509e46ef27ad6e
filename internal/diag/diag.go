// Package diag is errors for people: a code that programs test, a place in the
// text, what was expected and what to do.
//
// diag.go has the error and its rendering with the source line, nearest.go
// finds the name somebody may have meant.
package diag

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Code names a kind of error; it is stable and printed in parentheses.
type Code string

// The codes.
const (
	Syntax           Code = "syntax"
	UnknownColumn    Code = "unknown-column"
	AmbiguousColumn  Code = "ambiguous-column"
	UnknownTable     Code = "unknown-table"
	UnknownFunction  Code = "unknown-function"
	UnknownOption    Code = "unknown-option"
	UnknownConnector Code = "unknown-connector"
	UnknownFormat    Code = "unknown-format"
	UnknownName      Code = "unknown-name"
	Exists           Code = "already-exists"
	TypeMismatch     Code = "type-mismatch"
	BadOption        Code = "bad-option"
	BadValue         Code = "bad-value"
	BadArgument      Code = "bad-argument"
	NotAllowed       Code = "not-allowed"
	Unsupported      Code = "unsupported"
	Limit            Code = "limit"
	Internal         Code = "internal"
)

// Span is a piece of source text: byte offsets [Start, End), and the line and
// column of Start, both from 1, columns in code points. The zero Span is no place.
type Span struct {
	Start, End int32
	Line, Col  int32
}

// IsZero tells whether s is no place.
func (s Span) IsZero() bool { return s.Line == 0 }

// To returns the span from the start of s to the end of e.
func (s Span) To(e Span) Span {
	if s.IsZero() {
		return e
	}
	if e.End > s.End {
		s.End = e.End
	}
	return s
}

// Error is an error at a place. It is immutable once it was returned.
type Error struct {
	Code    Code
	Span    Span
	Message string
	Tip     string // what to do, or the nearest name
	Source  string // the text Span is in; "" if it was not attached
	Err     error  // what is behind it, may be nil
}

// At returns an error at a place. Arguments formatted with %w are wrapped.
func At(span Span, code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Span: span, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Hint sets what to do about the error and returns it. An empty text leaves it as it is.
func (e *Error) Hint(format string, args ...any) *Error {
	e.Tip = fmt.Sprintf(format, args...)
	return e
}

// DidYouMean hints at the nearest of candidates to name, if one is near.
func (e *Error) DidYouMean(name string, candidates []string) *Error {
	if n := Nearest(name, candidates); n != "" {
		return e.Hint("did you mean %s?", n)
	}
	return e
}

// Error returns line:column: message (code).
func (e *Error) Error() string {
	var b strings.Builder
	if !e.Span.IsZero() {
		fmt.Fprintf(&b, "%d:%d: ", e.Span.Line, e.Span.Col)
	}
	b.WriteString(e.Message)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	return b.String()
}

// Unwrap returns what is behind the error.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, "" if there is none.
func CodeOf(err error) Code {
	if l := (List)(nil); errors.As(err, &l) && len(l) > 0 {
		return l[0].Code
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// MaxErrors is how many errors a List keeps.
const MaxErrors = 10

// List is several errors of one text, in its order.
type List []*Error

// Error returns the errors, one a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

// Err returns the list in the order of the text, cut at MaxErrors, or nil if it
// is empty; a list of one is that error.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	slices.SortStableFunc(l, func(a, b *Error) int { return int(a.Span.Start) - int(b.Span.Start) })
	if len(l) > MaxErrors {
		l = l[:MaxErrors]
	}
	if len(l) == 1 {
		return l[0]
	}
	return l
}

// Add appends err, which may be an *Error, a List, or any other error.
func (l *List) Add(err error) {
	if err == nil {
		return
	}
	if x := (List)(nil); errors.As(err, &x) {
		*l = append(*l, x...)
		return
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		*l = append(*l, e)
		return
	}
	*l = append(*l, &Error{Message: err.Error(), Err: err})
}

// WithSource attaches the source text to the errors of err that have none, so
// that Render can show the line. It returns err.
func WithSource(err error, src string) error {
	if l := (List)(nil); errors.As(err, &l) {
		for _, e := range l {
			if e.Source == "" {
				e.Source = src
			}
		}
		return err
	}
	if e := (*Error)(nil); errors.As(err, &e) && e.Source == "" {
		e.Source = src
	}
	return err
}

// Moved adds to the places of err in src, where they are counted from its
// beginning, that src begins at line:col of a longer text. It returns err.
func Moved(err error, src string, line, col int) error {
	var l List
	var e *Error
	switch {
	case errors.As(err, &l):
	case errors.As(err, &e):
		l = List{e}
	}
	for _, e := range l {
		if e.Span.IsZero() || e.Source != src {
			continue
		}
		if e.Span.Line == 1 {
			e.Span.Col += int32(col - 1)
		}
		e.Span.Line += int32(line - 1)
	}
	return err
}

// Render returns err as people read it: for errors with a place and a source,
// the line with a caret under the place, and the hint.
func Render(err error) string {
	if err == nil {
		return ""
	}
	if l, ok := err.(List); ok {
		parts := make([]string, len(l))
		for i, e := range l {
			parts[i] = Render(e)
		}
		return strings.Join(parts, "\n")
	}
	e := (*Error)(nil)
	if l := (List)(nil); errors.As(err, &l) {
		// What stands before the list, such as a file's name, stands before each.
		prefix, _ := strings.CutSuffix(err.Error(), l.Error())
		if strings.Contains(prefix, "\n") {
			prefix = ""
		}
		parts := make([]string, len(l))
		for i, e := range l {
			parts[i] = prefix + Render(e)
		}
		return strings.Join(parts, "\n")
	}
	if !errors.As(err, &e) {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(err.Error())
	line, before, width := e.excerpt()
	if line == "" {
		if e.Tip != "" {
			b.WriteString("\n  " + e.Tip)
		}
		return b.String()
	}
	b.WriteString("\n  " + line + "\n  " + before + "^" + strings.Repeat("~", max(0, width-1)))
	if e.Tip != "" {
		b.WriteString(" " + e.Tip)
	}
	return b.String()
}

const (
	excerptWidth = 160 // code points of a source line that are shown at most
	excerptLead  = 60  // of them before the place, when the line is longer
)

// excerpt returns the line of the place, cut to a readable width, the blanks
// before the caret, and the width of the marked text.
func (e *Error) excerpt() (line, before string, width int) {
	if e.Source == "" || e.Span.IsZero() || int(e.Span.Start) > len(e.Source) {
		return "", "", 0
	}
	start := strings.LastIndexByte(e.Source[:e.Span.Start], '\n') + 1
	end := len(e.Source)
	if i := strings.IndexByte(e.Source[e.Span.Start:], '\n'); i >= 0 {
		end = int(e.Span.Start) + i
	}
	head := []rune(strings.ToValidUTF8(e.Source[start:e.Span.Start], "\ufffd"))
	stop := min(max(int(e.Span.End), int(e.Span.Start)), end, len(e.Source))
	width = utf8.RuneCountInString(e.Source[e.Span.Start:stop])
	tail := e.Source[e.Span.Start:end]
	if len(tail) > 4*excerptWidth {
		tail = tail[:4*excerptWidth]
	}
	rest := []rune(strings.ToValidUTF8(strings.TrimRight(tail, "\r"), "\ufffd"))
	prefix := ""
	if len(head)+len(rest) > excerptWidth && len(head) > excerptLead {
		head, prefix = head[len(head)-excerptLead:], "…"
	}
	suffix := ""
	if room := excerptWidth - len(head); len(rest) > room {
		rest, suffix = rest[:room], "…"
	}
	width = min(width, max(1, len(rest)))
	var pad strings.Builder
	for _, r := range prefix + string(head) {
		if r == '\t' {
			pad.WriteByte('\t')
		} else {
			pad.WriteByte(' ')
		}
	}
	return prefix + string(head) + string(rest) + suffix, pad.String(), width
}

// Bug returns the error for a broken invariant of ours: not the user's fault.
func Bug(format string, args ...any) error {
	return &Error{Code: Internal, Message: fmt.Sprintf(format, args...), Tip: "this is a defect of Runnel; please report it with the statement"}
}
