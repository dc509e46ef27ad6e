package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/reeflective/readline"
)

// errInterrupt is Ctrl-C at the prompt: what was typed is forgotten.
var errInterrupt = errors.New("interrupted")

// lineEditor reads statements with editing, history and completion. It needs a
// terminal that tells where its cursor is.
type lineEditor struct{ rl *readline.Shell }

func (sh *shell) lineEditor(typed []byte) *lineEditor {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return prompt })
	rl.Prompt.Secondary(func() string { return promptMore })
	rl.AcceptMultiline = func(line []rune) bool { return complete(string(line), sh.s.Settings.Get("sql.dialect")) }
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		return sh.completions(string(line[:cursor]))
	}
	if path := historyFile(); path != "" {
		rl.History.AddFromFile("runnel", path)
	}
	rl.Keys.Feed(false, []rune(string(typed))...)
	return &lineEditor{rl}
}

func (l *lineEditor) read() (string, error) {
	line, err := l.rl.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		err = errInterrupt
	}
	return line, err
}

const (
	prompt     = "runnel> "
	promptMore = "   ...> "
)

// plainLines reads statements line by line, as the terminal hands them over.
type plainLines struct {
	sh   *shell
	in   *bufio.Reader
	ints <-chan os.Signal
	rest string // of the last line, behind its statement
}

func (sh *shell) plainLines(typed []byte) *plainLines {
	in := io.MultiReader(strings.NewReader(string(typed)), sh.a.IO.In.(io.Reader))
	return &plainLines{sh: sh, in: bufio.NewReader(in), ints: sh.ints}
}

// cursorAnswer is where a terminal says its cursor is.
var cursorAnswer = regexp.MustCompile(`\x1b\[\d+;\d+R`)

func (l *plainLines) read() (string, error) {
	out := l.sh.a.IO.Out
	fmt.Fprint(out, prompt)
	// The terminal forgets the line at Ctrl-C; the lines before it are forgotten here.
	done, ended, forget := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(ended)
		for {
			select {
			case <-l.ints:
				select {
				case forget <- struct{}{}:
				default:
				}
				fmt.Fprint(out, "\n"+prompt)
			case <-done:
				return
			}
		}
	}()
	defer func() {
		close(done)
		<-ended
	}()
	var text strings.Builder
	for {
		line, err := l.in.ReadString('\n')
		select {
		case <-forget:
			text.Reset()
		default:
		}
		text.WriteString(cursorAnswer.ReplaceAllString(line, "")) // one that came too late
		if complete(text.String(), l.sh.s.Settings.Get("sql.dialect")) {
			return text.String(), nil
		}
		if err == io.EOF {
			if strings.TrimSpace(text.String()) != "" {
				return text.String(), nil
			}
			return "", io.EOF
		}
		if err != nil {
			return "", err
		}
		fmt.Fprint(out, promptMore)
	}
}
