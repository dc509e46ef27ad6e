package datagen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// builder makes generators from the options.
type builder struct {
	cx    *connector.Context
	given map[string]string
	used  map[string]bool
	paths []string              // of the columns and their parts, in order
	types map[string]types.Type // by path
	end   int64                 // rows until the first sequence ends, -1: never
}

func newBuilder(cx *connector.Context, o *options) *builder {
	return &builder{cx: cx, given: o.Fields, used: map[string]bool{}, types: map[string]types.Type{}, end: -1}
}

func (b *builder) get(path, key string) (string, bool) {
	k := path + "." + key
	v, ok := b.given[k]
	if ok {
		b.used[k] = true
	}
	return v, ok
}

func (b *builder) bad(path, key, format string, args ...any) *option.Error {
	e := option.Errorf("fields."+path+"."+key, format, args...)
	e.Value = b.given[path+"."+key]
	return e
}

// fieldOptions are what there is behind a column's name.
var fieldOptions = []string{"kind", "min", "max", "max-past", "length", "var-len", "null-rate", "start", "end"}

// unused reports an option that no column asked for.
func (b *builder) unused() error {
	var keys []string
	for k := range b.given {
		if !b.used[k] {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	key := keys[0]
	path, last, _ := cutLast(key)
	for p := path; p != ""; p, _, _ = cutLast(p) { // an option's name may hold no dot, but a wrong one does
		if _, ok := b.types[p]; ok {
			path, last = p, key[len(p)+1:]
			break
		}
	}
	t, known := b.types[path]
	e := &option.Error{Key: "fields." + key} // the key is wrong, not its value
	switch {
	case !known:
		e.Why = "there is no column " + path
		if path == "" {
			e.Why = "'" + last + "' is no column and option, as in fields.id.kind"
		}
		if near := diag.Nearest(path, b.paths); near != "" {
			e.Hint = "did you mean 'fields." + near + "." + last + "'?"
		}
	case !slices.Contains(fieldOptions, last):
		e.Why = option.Unknown + " of a column"
		e.Hint = "known: " + strings.Join(fieldOptions, ", ")
		if near := diag.Nearest(last, fieldOptions); near != "" {
			e.Hint = "did you mean 'fields." + path + "." + near + "'?"
		}
	case b.given[path+".kind"] == "sequence":
		e.Why = "a sequence has no '" + last + "'"
		e.Hint = "it has 'start' and 'end'"
	case last == "start" || last == "end":
		e.Why = "'" + last + "' belongs to a sequence"
		e.Hint = "set 'fields." + path + ".kind' = 'sequence'"
	default:
		e.Why = fmt.Sprintf("'%s' does not fit a column of %s", last, t.OrNull())
	}
	return e
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func (b *builder) number(path, key string, def, least, most float64) (float64, error) {
	text, ok := b.get(path, key)
	if !ok {
		return def, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < least || f > most {
		return 0, b.bad(path, key, "'%s' is no number between %v and %v", text, least, most)
	}
	return f, nil
}

func (b *builder) integer(path, key string, def, least, most int64) (int64, error) {
	text, ok := b.get(path, key)
	if !ok {
		return def, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, b.bad(path, key, "'%s' is no whole number between %d and %d", text, least, most)
	}
	return n, nil
}
