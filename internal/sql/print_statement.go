package sql

import (
	"strings"

	"github.com/runnelio/runnel/internal/sql/ast"
)

func (w *printer) statement(s ast.Statement) {
	switch s := s.(type) {
	case *ast.QueryStatement:
		w.query(s.Query)
		w.emit(s.Emit)
	case *ast.Insert:
		w.insert(s)
	case *ast.StatementSet:
		w.put("EXECUTE ")
		w.statementSet(s)
	case *ast.Explain:
		w.put("EXPLAIN ")
		if s.Details != nil {
			w.put(strings.Join(s.Details, ", "), " ")
		}
		if set, ok := s.Statement.(*ast.StatementSet); ok {
			w.statementSet(set)
			return
		}
		w.statement(s.Statement)
	case *ast.Show:
		w.show(s)
	case *ast.Describe:
		w.put("DESCRIBE ")
		if s.Kind == "JOB" {
			w.put("JOB ")
			w.str(s.Job)
			return
		}
		w.word(s.Kind != "TABLE", s.Kind)
		w.word(s.Extended, "EXTENDED")
		w.name(s.Name)
	case *ast.Use:
		w.put("USE ")
		w.word(s.Kind != "DATABASE", s.Kind)
		items(w, s.Names, w.name)
	case *ast.Update:
		w.put("UPDATE ")
		w.name(s.Table)
		w.asIdent(s.Alias)
		w.line()
		w.put("SET ")
		wrapped(w, s.Set, w.assign)
		w.clause("WHERE ", s.Where)
	case *ast.Delete:
		w.put("DELETE FROM ")
		w.name(s.Table)
		w.asIdent(s.Alias)
		w.clause("WHERE ", s.Where)
	case *ast.CallProcedure:
		w.put("CALL ")
		w.call(s.Call)
	default:
		w.session(s)
	}
}

// session writes the statements that change the session, and shorter ones.
func (w *printer) session(s ast.Statement) {
	switch s := s.(type) {
	case *ast.Set:
		w.put("SET")
		if s.Key != nil {
			w.put(" ")
			w.str(s.Key)
			w.put(" = ")
			w.str(s.Value)
		}
	case *ast.Reset:
		w.put("RESET")
		if s.Key != nil {
			w.put(" ")
			w.str(s.Key)
		}
	case *ast.LoadModule:
		w.put("LOAD MODULE ")
		w.ident(s.Name)
		w.options(s.Options)
	case *ast.UnloadModule:
		w.put("UNLOAD MODULE ")
		w.ident(s.Name)
	case *ast.Jar:
		w.put(map[bool]string{true: "REMOVE JAR ", false: "ADD JAR "}[s.Remove])
		w.str(s.Path)
	case *ast.Truncate:
		w.put("TRUNCATE TABLE ")
		w.name(s.Name)
	case *ast.Analyze:
		w.analyze(s)
	case *ast.StopJob:
		w.put("STOP JOB ")
		w.str(s.ID)
		w.put(map[bool]string{true: " WITH SAVEPOINT"}[s.Savepoint], map[bool]string{true: " WITH DRAIN"}[s.Drain])
	case *ast.Command:
		w.put(s.Word)
	default:
		w.ddl(s)
	}
}

func (w *printer) asIdent(i *ast.Ident) {
	if i != nil {
		w.put(" AS ")
		w.ident(i)
	}
}

func (w *printer) insert(s *ast.Insert) {
	w.put("INSERT ", map[bool]string{true: "OVERWRITE ", false: "INTO "}[s.Overwrite])
	w.name(s.Table)
	if s.Hints != nil {
		w.put(" ")
		w.hints(s.Hints)
	}
	if s.Partition != nil {
		w.put(" ")
		w.partition(s.Partition)
	}
	if s.Columns != nil {
		w.put(" ")
		w.idents(s.Columns)
	}
	w.line()
	w.query(s.Query)
	w.emit(s.Emit)
}

func (w *printer) partition(list []*ast.Assign) {
	w.put("PARTITION (")
	items(w, list, w.assign)
	w.put(")")
}

func (w *printer) assign(a *ast.Assign) {
	w.ident(a.Column)
	if a.X != nil {
		w.put(" = ")
		w.expr(a.X, 0)
	}
}

func (w *printer) statementSet(s *ast.StatementSet) {
	w.put("STATEMENT SET")
	w.line()
	w.put("BEGIN")
	w.indent++
	for _, n := range s.Inserts {
		w.line()
		w.insert(n)
		w.put(";")
	}
	w.indent--
	w.line()
	w.put("END")
}

func (w *printer) emit(e *ast.Emit) {
	if e == nil {
		return
	}
	w.line()
	w.put("EMIT ")
	items(w, e.Strategies, func(s *ast.EmitStrategy) {
		if s.Delay == nil {
			w.put("WITHOUT DELAY")
		} else {
			w.put("WITH DELAY ")
			w.bare(s.Delay.Value)
			w.put(" ")
			w.intervalUnit(s.Delay.Unit)
		}
		if s.When != "" {
			w.put(" ", s.When, " WATERMARK")
		}
	})
}

func (w *printer) show(s *ast.Show) {
	w.put("SHOW ", s.What)
	switch {
	case s.Name == nil:
	case s.What == "PARTITIONS" || strings.HasPrefix(s.What, "CREATE "):
		w.put(" ")
		w.name(s.Name)
	default:
		w.put(" FROM ")
		w.name(s.Name)
	}
	if s.Partition != nil {
		w.put(" ")
		w.partition(s.Partition)
	}
	if s.Like != "" {
		w.put(map[bool]string{true: " NOT"}[s.Not], " ", s.Like, " ")
		w.str(s.Pattern)
	}
}

func (w *printer) analyze(s *ast.Analyze) {
	w.put("ANALYZE TABLE ")
	w.name(s.Name)
	if s.Partition != nil {
		w.put(" ")
		w.partition(s.Partition)
	}
	w.put(" COMPUTE STATISTICS")
	switch {
	case s.AllColumns:
		w.put(" FOR ALL COLUMNS")
	case s.Columns != nil:
		w.put(" FOR COLUMNS ")
		items(w, s.Columns, w.ident)
	}
}
