// Package option reads the WITH options of connectors and formats into structs.
//
// The fields of such a struct carry tags, and from them come the parsing, the
// checks, the manual and the completion of keys:
//
//	type options struct {
//		Path  string        `opt:"path,required" doc:"File or folder."`
//		Size  option.Memory `opt:"rolling.file-size" default:"128mb" min:"1kb"`
//		Every time.Duration `opt:"rolling.interval" default:"30min"`
//		Order string        `opt:"order" default:"name" enum:"name,time"`
//		Props map[string]string `opt:"properties.,prefix"`
//	}
//
// Words behind the key: required, prefix (the field is a map of everything that
// starts with the key, by the rest), alias=other-key. A pointer field is nil
// if the option is not given and has no default.
package option

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/runnelio/runnel/internal/diag"
)

// Option is a declared option: what the manual and the checks know of it.
type Option struct {
	Key, Doc, Default string
	Aliases           []string // other spellings
	Type              string   // string, char, int, float, bool, duration, memory, enum, list, map
	Enum              []string
	Min, Max          string // bounds, as written; "" for none
	Required          bool
	Prefix            bool // any key that starts with Key
}

// Error is a WITH option that is missing, unknown or has a wrong value.
type Error struct {
	Key   string
	Value string // as given
	Why   string
	Hint  string // what to write instead; may be empty
}

func (e *Error) Error() string {
	text := fmt.Sprintf("option '%s': %s", e.Key, e.Why)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unknown is the Why of options that nobody declared.
const Unknown = "unknown option"

// Errorf returns an Error for checks that tags cannot express.
func Errorf(key, format string, args ...any) *Error {
	return &Error{Key: key, Why: fmt.Sprintf(format, args...)}
}

// Declared returns the options that the fields of the struct O declare, in
// their order. It panics if a tag is malformed: a defect of the program.
func Declared[O any]() []Option {
	var out []Option
	for _, f := range fieldsOf(reflect.TypeFor[O]()) {
		out = append(out, f.Option)
	}
	return out
}

// Parse fills the fields of o, a pointer to a struct, from given and the
// defaults. Keys that o does not declare are an error, as are missing required
// ones, values that do not parse, and those out of range. The errors are
// *Error; the first in the order of the declaration is returned, unknown keys
// in the order of the alphabet behind wrong values and before missing ones.
func Parse(o any, given map[string]string) error {
	v := reflect.ValueOf(o).Elem()
	fields := fieldsOf(v.Type())
	used := map[string]bool{}
	var first error
	for _, f := range fields {
		if err := f.set(v.FieldByIndex(f.index), given, used); err != nil && first == nil {
			first = err
		}
	}
	err := unknown(fields, given, used)
	if e, ok := first.(*Error); ok && e.Value == "" && err != nil {
		return err // a required option is missing because it is misspelt
	}
	if first != nil {
		return first
	}
	return err
}

func unknown(fields []field, given map[string]string, used map[string]bool) error {
	var extra []string
	for k := range given {
		if !used[k] {
			extra = append(extra, k)
		}
	}
	if len(extra) == 0 {
		return nil
	}
	slices.Sort(extra)
	var known []string
	for _, f := range fields {
		known = append(known, f.Key)
	}
	e := &Error{Key: extra[0], Value: given[extra[0]], Why: Unknown}
	if near := diag.Nearest(extra[0], known); near != "" {
		e.Hint = "did you mean '" + near + "'?"
	} else {
		slices.Sort(known)
		e.Hint = "known: " + strings.Join(known, ", ")
	}
	return e
}

type field struct {
	Option
	index  []int
	hasDef bool
	t      reflect.Type
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	memoryType   = reflect.TypeFor[Memory]()
	charType     = reflect.TypeFor[Char]()
	listType     = reflect.TypeFor[[]string]()
	mapType      = reflect.TypeFor[map[string]string]()
)

func fieldsOf(t reflect.Type) []field {
	var out []field
	for _, sf := range reflect.VisibleFields(t) {
		tag, ok := sf.Tag.Lookup("opt")
		if !ok {
			continue
		}
		words := strings.Split(tag, ",")
		f := field{index: sf.Index, t: sf.Type}
		f.Key, f.Doc = words[0], sf.Tag.Get("doc")
		f.Default, f.hasDef = sf.Tag.Lookup("default")
		f.Min, f.Max = sf.Tag.Get("min"), sf.Tag.Get("max")
		if e := sf.Tag.Get("enum"); e != "" {
			f.Enum = strings.Split(e, ",")
		}
		for _, w := range words[1:] {
			switch alias, isAlias := strings.CutPrefix(w, "alias="); {
			case isAlias:
				f.Aliases = append(f.Aliases, alias)
			case w == "required":
				f.Required = true
			case w == "prefix":
				f.Prefix = true
			default:
				panic(diag.Bug("option tag %q of %s.%s", tag, t, sf.Name))
			}
		}
		base := sf.Type
		if base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		f.Type = typeName(base)
		if f.Type == "" || f.Key == "" || f.Prefix && base != mapType {
			panic(diag.Bug("option %q: %s.%s has no option type", f.Key, t, sf.Name))
		}
		if f.Enum != nil {
			f.Type = "enum"
		}
		out = append(out, f)
	}
	return out
}

func typeName(t reflect.Type) string {
	switch t {
	case durationType:
		return "duration"
	case memoryType:
		return "memory"
	case charType:
		return "char"
	case listType:
		return "list"
	case mapType:
		return "map"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int64:
		return "int"
	case reflect.Float64:
		return "float"
	}
	return ""
}

// set finds the value of f in given and stores it in v.
func (f *field) set(v reflect.Value, given map[string]string, used map[string]bool) error {
	if f.Prefix {
		m := map[string]string{}
		for k, val := range given {
			if rest, ok := strings.CutPrefix(k, f.Key); ok && rest != "" {
				m[rest], used[k] = val, true
			}
		}
		v.Set(reflect.ValueOf(m))
		return nil
	}
	key, text, ok := f.Key, "", false
	for _, k := range append([]string{f.Key}, f.Aliases...) {
		val, here := given[k]
		if !here {
			continue
		}
		if ok && val != text {
			return &Error{Key: k, Value: val, Why: fmt.Sprintf("contradicts '%s', which means the same", key)}
		}
		key, text, ok, used[k] = k, val, true, true
	}
	if !ok {
		if f.Required {
			return &Error{Key: f.Key, Why: "required, but not given"}
		}
		if !f.hasDef {
			return nil
		}
		text = f.Default
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if f.Required && text == "" {
		return &Error{Key: key, Why: "may not be empty"}
	}
	if f.Enum != nil {
		for _, e := range f.Enum {
			if strings.EqualFold(e, text) {
				text = e
			}
		}
		if !slices.Contains(f.Enum, text) {
			e := &Error{Key: key, Value: text, Why: fmt.Sprintf("'%s' is none of %s", text, strings.Join(f.Enum, ", "))}
			if near := diag.Nearest(text, f.Enum); near != "" {
				e.Hint = "did you mean '" + near + "'?"
			}
			return e
		}
	}
	if why := assign(v, text); why != "" {
		return &Error{Key: key, Value: text, Why: fmt.Sprintf("'%s' %s", text, why)}
	}
	return f.checkRange(v, key, text)
}

func (f *field) checkRange(v reflect.Value, key, text string) error {
	for i, bound := range []string{f.Min, f.Max} {
		if bound == "" {
			continue
		}
		b := reflect.New(v.Type()).Elem()
		if why := assign(b, bound); why != "" {
			panic(diag.Bug("option %q: bound %q %s", f.Key, bound, why))
		}
		c := compare(v, b)
		if i == 0 && c < 0 {
			return &Error{Key: key, Value: text, Why: fmt.Sprintf("'%s' is less than %s, the least possible", text, bound)}
		}
		if i == 1 && c > 0 {
			return &Error{Key: key, Value: text, Why: fmt.Sprintf("'%s' is more than %s, the most possible", text, bound)}
		}
	}
	return nil
}

func compare(a, b reflect.Value) int {
	less, more := false, false
	switch {
	case a.CanInt():
		less, more = a.Int() < b.Int(), a.Int() > b.Int()
	case a.CanFloat():
		less, more = a.Float() < b.Float(), a.Float() > b.Float()
	}
	switch {
	case less:
		return -1
	case more:
		return 1
	}
	return 0
}
