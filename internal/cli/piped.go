package cli

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/sql"
)

// piped runs the statements that come through a pipe or from a file, each as
// soon as it has been read, until the end, QUIT or the first error: what went
// before the error stays done, and jobs it started come to their end.
func (r *scriptRun) piped(s *compile.Session, in io.Reader) error {
	p := &pipe{in: bufio.NewReaderSize(in, 64<<10), line: 1, col: 1}
	for {
		text, line, col, err := p.next(s)
		if err == io.EOF {
			return r.wait()
		}
		if err != nil {
			return errors.Join(err, r.wait())
		}
		quit, done := command(r.a.IO.Out, text, "", r.jobs) // there is no screen to clear
		if quit {
			return r.wait()
		}
		if done {
			continue
		}
		if err := r.statements(s, text, "", line, col); err != nil {
			if errors.As(err, new(errCut)) {
				return errors.Join(err, r.wait())
			}
			return r.failed(refused(err))
		}
	}
}

// failed tells of an error at once, waits for the jobs that run, and ends with
// the error's code.
func (r *scriptRun) failed(err error) error {
	code := r.a.report(err)
	if err := r.wait(); err != nil {
		r.a.report(err)
	}
	return errSilent(code)
}

// pipe cuts what is read into statements.
type pipe struct {
	in        *bufio.Reader
	text      string // read, and not yet cut
	line, col int    // of its beginning
	ended     bool
	tried     int // bytes of text that hold no whole statement
	queue     []sql.Piece
}

// next returns the next statement without its semicolon, and where it begins;
// io.EOF behind the last. What stands behind the last semicolon is one too.
func (p *pipe) next(s *compile.Session) (text string, line, col int, err error) {
	for len(p.queue) == 0 {
		if len(p.text) > p.tried || p.ended {
			if err := p.cut(s.Settings.Get("sql.dialect")); err != nil {
				return "", 0, 0, err
			}
			continue
		}
		if err := p.fill(); err != nil {
			return "", 0, 0, err
		}
	}
	x := p.queue[0]
	p.queue = p.queue[1:]
	return x.Text, int(x.Span.Line), int(x.Span.Col), nil
}

// cut queues the whole statements of the text.
func (p *pipe) cut(dialect string) error {
	pieces, rest := sql.Split(p.text, sql.Options{Dialect: dialect})
	if p.ended && rest != "" {
		at := strings.LastIndex(p.text, rest)
		before := pipe{text: p.text, line: 1, col: 1}
		before.skip(at)
		pieces = append(pieces, sql.Piece{Text: rest, Span: diag.Span{Start: int32(at), End: int32(len(p.text)), Line: int32(before.line), Col: int32(before.col)}})
	}
	if len(pieces) == 0 {
		p.tried = len(p.text)
		if p.ended {
			return io.EOF
		}
		return nil
	}
	for _, x := range pieces {
		if x.Span.Line == 1 {
			x.Span.Col += int32(p.col - 1)
		}
		x.Span.Line += int32(p.line - 1)
		p.queue = append(p.queue, x)
	}
	p.skip(int(pieces[len(pieces)-1].Span.End))
	p.tried = 0
	return nil
}

// fill reads on to the end of a line; behind a text that holds no whole statement
// as much again of what is there, for each try looks at all of it.
func (p *pipe) fill() error {
	var b strings.Builder
	b.WriteString(p.text)
	for first := true; first || p.in.Buffered() > 0 && b.Len() < 2*p.tried; first = false {
		chunk, err := p.in.ReadString('\n')
		b.WriteString(chunk)
		if err == io.EOF {
			p.ended = true
			break
		}
		if err != nil {
			return err
		}
	}
	p.text = b.String()
	return nil
}

// skip takes n bytes off the front of the text.
func (p *pipe) skip(n int) {
	head := p.text[:n]
	if lines := strings.Count(head, "\n"); lines > 0 {
		p.line, p.col = p.line+lines, 1
		head = head[strings.LastIndexByte(head, '\n')+1:]
	}
	p.col += utf8.RuneCountInString(head)
	p.text = p.text[n:]
}
