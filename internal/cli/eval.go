package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

type evalCmd struct {
	Expr     []string          `arg:"" optional:"" help:"Expressions; - reads them from standard input, a line each."`
	TimeZone string            `help:"The session's time zone." default:"UTC" placeholder:"ZONE"`
	File     string            `help:"A file with an expression a line; a line that starts with a double quote is a JSON string holding it." placeholder:"FILE"`
	Format   string            `help:"text, or json: an object a line." enum:"text,json" default:"text"`
	NoFold   bool              `help:"Evaluate over a column instead of folding the constant."`
	Set      map[string]string `short:"s" help:"Set an option, as SET would: key=value." placeholder:"KEY=VALUE"`
}

func (c *evalCmd) Run(a *app) (err error) {
	set := map[string]string{"table.local-time-zone": c.TimeZone}
	for k, v := range c.Set {
		set[k] = v
	}
	e, err := a.engine(sessionFlags{Set: set, LogLevel: "warn"}, stateFlags{})
	if err != nil {
		return err
	}
	s, err := e.Session()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.IO.Out)
	defer flush(out, &err)
	failed := false
	one := func(expr string) error {
		ok, err := c.one(out, s, expr)
		failed = failed || !ok
		return err
	}
	if len(c.Expr) == 0 && c.File == "" {
		return &usageError{errors.New("eval takes expressions, or --file FILE")}
	}
	for _, x := range c.Expr {
		if x == "-" {
			if err := lines(a.IO.In, one); err != nil {
				return err
			}
			continue
		}
		if err := one(x); err != nil {
			return err
		}
	}
	if c.File != "" {
		in := io.Reader(a.IO.In)
		if c.File != "-" {
			f, err := os.Open(c.File)
			if err != nil {
				return rejected{err}
			}
			defer f.Close()
			in = f
		}
		if err := lines(in, one); err != nil {
			return err
		}
	}
	if failed {
		return errSilent(ExitRejected)
	}
	return nil
}

// lines calls f for the expression on each line of in.
func lines(in io.Reader, f func(string) error) error {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line != "" || err == nil { // an empty line is an expression too: one answer a line
			if strings.HasPrefix(line, `"`) {
				var s string
				if jerr := json.Unmarshal([]byte(line), &s); jerr == nil {
					line = s
				}
			}
			if ferr := f(line); ferr != nil {
				return ferr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// evalResult is a line of the json format.
type evalResult struct {
	Expr   string  `json:"expr"`
	Type   string  `json:"type,omitempty"`
	Result *string `json:"result"`
	Error  string  `json:"error,omitempty"`
}

// one evaluates and prints an expression and tells whether it has a value.
func (c *evalCmd) one(out io.Writer, s *compile.Session, expr string) (ok bool, err error) {
	t, v, err := s.Eval(expr, !c.NoFold)
	if err != nil {
		if c.Format == "text" {
			_, werr := fmt.Fprintf(out, "error: %s\n", diag.Render(diag.WithSource(err, expr)))
			return false, werr
		}
		b, merr := marshalPlain(struct {
			Expr  string `json:"expr"`
			Error string `json:"error"`
		}{expr, err.Error()})
		if merr != nil {
			return false, merr
		}
		_, werr := fmt.Fprintf(out, "%s\n", b)
		return false, werr
	}
	r := evalResult{Expr: expr, Type: t.String()}
	if v != nil {
		text := string(types.AppendValue(nil, v, t, s.Func().Zone))
		r.Result = &text
	}
	if c.Format == "text" {
		shown := "NULL"
		if r.Result != nil {
			shown = *r.Result
		}
		_, err := fmt.Fprintf(out, "%s\t%s\n", shown, r.Type)
		return true, err
	}
	b, err := marshalPlain(r)
	if err != nil {
		return false, err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return true, err
}

// batchOf makes a batch of rows.
func batchOf(s *types.Schema, rows [][]types.Value) *vector.Batch {
	b := vector.NewBatch(s, len(rows))
	for _, r := range rows {
		b.AppendValues(types.Insert, r...)
	}
	return b
}
