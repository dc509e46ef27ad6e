package sql

import (
	"github.com/runnelio/runnel/internal/sql/ast"
	"github.com/runnelio/runnel/types"
)

func (w *printer) dataType(t *ast.DataType) {
	w.typ(t.Type.OrNull())
	if t.NotNull {
		w.put(" NOT NULL")
	} else if t.Null {
		w.put(" NULL")
	}
}

// typ writes a type as a declaration spells it.
func (w *printer) typ(t types.Type) {
	switch t.Kind {
	case types.IntervalYM, types.IntervalDS:
		w.put("INTERVAL ", t.Unit)
	case types.Raw:
		w.put("RAW(", QuoteString(t.Class), ", '')")
	case types.Array, types.Multiset, types.Map:
		w.put(t.Kind.String(), "<")
		if t.Kind == types.Map {
			w.typ(*t.Key)
			w.put(", ")
		}
		w.typ(*t.Elem)
		w.put(">")
	case types.Row:
		w.rowType(t)
	default:
		w.put(t.OrNull().String())
	}
	if !t.Nullable {
		w.put(" NOT NULL")
	}
}

func (w *printer) rowType(t types.Type) {
	if t.Class != "" {
		w.put("STRUCTURED<", QuoteString(t.Class))
		if len(t.Fields) > 0 {
			w.put(", ")
		}
	} else {
		w.put("ROW<")
	}
	items(w, t.Fields, func(f types.Field) {
		w.put(Quote(f.Name), " ")
		w.typ(f.Type)
		if f.Comment != "" {
			w.put(" ", QuoteString(f.Comment))
		}
	})
	w.put(">")
}
