package sql

import (
	"slices"
	"strings"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// Tokens returns all tokens of the text, comments and broken ones included, for
// highlighting and completion.
func Tokens(src string, opts Options) []Token {
	l := newLexer(src)
	l.rsqldb = strings.EqualFold(opts.Dialect, "rsqldb")
	l.comments = true
	var out []Token
	for {
		t := l.next()
		if t.Kind == EOF {
			return out
		}
		out = append(out, t)
	}
}

// Piece is the text of one statement of a script, without the semicolon.
type Piece struct {
	Text string
	Span diag.Span
}

// Split cuts a text at the semicolons that end statements; a statement set is
// one piece. rest is what stands behind the last of them: text of a statement
// that is not finished, or "" if there are only blanks and comments.
func Split(src string, opts Options) (pieces []Piece, rest string) {
	l := newLexer(src)
	l.rsqldb = strings.EqualFold(opts.Dialect, "rsqldb")
	var first, prev Token
	var head []Token // the first tokens of the statement
	set := false     // in a statement set
	for {
		t := l.next()
		switch {
		case t.Kind == EOF:
			if len(head) > 0 {
				rest = src[first.Span.Start:]
			}
			return pieces, rest
		case t.Kind == Op && t.Text == ";":
			set = set || isSet(head, prev)
			if set && prev.Keyword != "END" || len(head) == 0 {
				prev = t
				continue
			}
			span := first.Span.To(prev.Span)
			pieces = append(pieces, Piece{Text: src[span.Start:span.End], Span: span})
			if d := dialectOf(head); d != "" {
				l.rsqldb = strings.EqualFold(d, "rsqldb")
			}
			head, set = head[:0], false
		case len(head) == 0:
			first = t
			head = append(head, t)
		case len(head) < 6:
			head = append(head, t)
		}
		if t.Keyword == "END" && prev.Kind == Op && prev.Text == ";" {
			prev = t
		} else if t.Keyword == "END" {
			prev = Token{Kind: Word, Span: t.Span} // of a CASE
		} else {
			prev = t
		}
	}
}

// isSet tells whether the statement that starts so is a statement set: BEGIN
// STATEMENT SET; or [EXECUTE | EXPLAIN …] STATEMENT SET BEGIN.
func isSet(head []Token, prev Token) bool {
	for i := 0; i+2 < len(head); i++ {
		w := head[i : i+3]
		if w[0].Keyword == "STATEMENT" && w[1].Keyword == "SET" && w[2].Keyword == "BEGIN" {
			return true
		}
	}
	return len(head) == 3 && head[0].Keyword == "BEGIN" && head[1].Keyword == "STATEMENT" && prev.Keyword == "SET"
}

// dialectOf returns the dialect that SET 'sql.dialect' = '…' switches to.
func dialectOf(head []Token) string {
	if len(head) == 4 && head[0].Keyword == "SET" && strings.EqualFold(head[1].Text, "sql.dialect") && head[2].Text == "=" {
		return head[3].Text
	}
	return ""
}

// Expected returns the keywords that may come next behind the text, which ends
// behind a whole word. It is empty where only a name, a value or nothing fits.
func Expected(src string, opts Options) []string {
	p := newParser(src, opts)
	for len(p.errs) < diag.MaxErrors {
		for p.acceptOp(";") {
		}
		if p.tok.Kind == EOF {
			return slices.Sorted(slices.Values(statementWords))
		}
		p.terminated()
		if p.failed && p.resume.Kind != EOF {
			p.recover()
			continue
		}
		if p.failed || p.tok.Kind == EOF {
			words := slices.Clone(p.tried)
			slices.Sort(words)
			return slices.Compact(words)
		}
	}
	return nil
}

// FormatScript writes a script anew: every statement as Format writes it.
// Comments between statements stay; a statement with comments inside stays as
// it was written, so that none is lost.
func FormatScript(src string, opts Options) (string, error) {
	stmts, err := Parse(src, opts)
	if err != nil {
		return "", err
	}
	var comments []Token
	for _, t := range Tokens(src, opts) {
		if t.Kind == Comment {
			comments = append(comments, t)
		}
	}
	f := &scriptPrinter{src: src}
	for _, s := range stmts {
		span := s.Pos()
		for len(comments) > 0 && comments[0].Span.Start < span.Start {
			f.comment(comments[0])
			comments = comments[1:]
		}
		inside := 0
		for inside < len(comments) && comments[inside].Span.End <= span.End {
			inside++
		}
		comments = comments[inside:]
		f.statement(s, inside > 0)
	}
	for _, c := range comments {
		f.comment(c)
	}
	if f.b.Len() > 0 {
		f.b.WriteByte('\n')
	}
	return f.b.String(), nil
}

// scriptPrinter writes the parts of a script.
type scriptPrinter struct {
	src  string
	b    strings.Builder
	end  int32 // where the last part ended in src
	stmt bool  // the last part was a statement
}

// gap separates the part at start from the one before: by one blank line where
// there was one.
func (f *scriptPrinter) gap(start int32, comment bool) {
	between := f.src[f.end:start]
	switch n := strings.Count(between, "\n"); {
	case f.b.Len() == 0:
	case n == 0 && comment && f.stmt:
		f.b.WriteByte(' ')
	case n > 1:
		f.b.WriteString("\n\n")
	default:
		f.b.WriteByte('\n')
	}
}

func (f *scriptPrinter) comment(c Token) {
	f.gap(c.Span.Start, true)
	f.b.WriteString(strings.TrimRight(c.Text, " \t\r"))
	f.end, f.stmt = c.Span.End, false
}

func (f *scriptPrinter) statement(s ast.Statement, keep bool) {
	span := s.Pos()
	f.gap(span.Start, false)
	if keep {
		f.b.WriteString(f.src[span.Start:span.End])
	} else {
		f.b.WriteString(Format(s))
	}
	f.b.WriteByte(';')
	f.end, f.stmt = span.End, true
	if i := strings.IndexByte(f.src[span.End:], ';'); i >= 0 && strings.TrimSpace(f.src[span.End:int(span.End)+i]) == "" {
		f.end += int32(i) + 1
	}
}
