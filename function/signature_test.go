package function

import (
	"errors"
	"strings"
	"testing"

	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

func argsOf(texts ...string) []Arg {
	args := make([]Arg, len(texts))
	for i, s := range texts {
		if s == "NULL" {
			args[i].Type = types.Of(types.Null)
			continue
		}
		args[i].Type = types.MustType(s)
	}
	return args
}

func TestMatchGivesArgumentAndResultTypes(t *testing.T) {
	t.Parallel()
	f := func(sig string, want string, args ...string) {
		t.Helper()
		forms, err := ParseSignature(sig)
		if err != nil {
			t.Error(err)
			return
		}
		set := Set{}
		if err := set.Add(Def{Name: "F", Sig: sig, Scalar: Vec(nil)}); err != nil {
			t.Error(err)
			return
		}
		_, got, err := set.Resolve("f", argsOf(args...))
		text := "!"
		if err == nil {
			var parts []string
			for _, a := range got.Args {
				parts = append(parts, a.String())
			}
			text = strings.Join(append(parts, got.Result.String()), "; ")
		}
		if text != want {
			t.Errorf("%v(%v): %s %v, want %s", forms, args, text, err, want)
		}
	}
	f("(STRING, [INT]) -> STRING", "CHAR(3) NOT NULL; STRING NOT NULL", "CHAR(3) NOT NULL")
	f("(STRING, [INT]) -> STRING", "STRING; INT NOT NULL; STRING", "STRING", "TINYINT NOT NULL")
	f("(STRING, [INT]) -> STRING", "!", "STRING", "BIGINT")
	f("(STRING, [INT]) -> STRING", "!", "INT")
	f("(STRING, [INT]) -> STRING", "!")
	f("(STRING, [INT]) -> STRING", "!", "NULL")
	f("(BIGINT) -> STRING?", "BIGINT NOT NULL; STRING", "INT NOT NULL")
	f("(STRING) -> BOOLEAN!", "STRING; BOOLEAN NOT NULL", "STRING")
	f("(T, T...) -> T", "DECIMAL(11, 1) NOT NULL; DECIMAL(11, 1); DECIMAL(11, 1)", "INT NOT NULL", "DECIMAL(2, 1)")
	f("(T, T...) -> T", "!", "INT", "STRING")
	f("(T, T...) -> T", "INT; INT NOT NULL; INT", "NULL", "INT NOT NULL")
	f("(T, T...) -> T", "!", "NULL")
	f("(NUMERIC) -> NUMERIC", "DECIMAL(5, 2) NOT NULL; DECIMAL(5, 2) NOT NULL", "DECIMAL(5, 2) NOT NULL")
	f("(NUMERIC) -> NUMERIC", "!", "STRING")
	f("(CHARACTER) -> VARCHAR", "CHAR(3) NOT NULL; VARCHAR(3) NOT NULL", "CHAR(3) NOT NULL")
	f("(CHARACTER, CHARACTER) -> CHARACTER+", "CHAR(3); CHAR(4); CHAR(7)", "CHAR(3)", "CHAR(4)")
	f("(ARRAY<T>, T) -> ARRAY<T>", "ARRAY<BIGINT NOT NULL>; BIGINT NOT NULL; ARRAY<BIGINT NOT NULL>", "ARRAY<INT NOT NULL>", "BIGINT NOT NULL")
	f("(MAP<K, V>) -> ARRAY<K>", "MAP<STRING, INT>; ARRAY<STRING>", "MAP<STRING, INT>")
	f("(MAP<K, V>) -> ARRAY<K>", "!", "ARRAY<STRING>")
	f("(INT) -> INT | (BIGINT) -> BIGINT", "BIGINT; BIGINT", "BIGINT")
	f("(BIGINT) -> BIGINT | (INT) -> INT", "INT; INT", "INT")
	f("(DOUBLE) -> DOUBLE", "DOUBLE; DOUBLE", "DECIMAL(3, 1)")
	f("(DECIMAL(10, 2), TIMESTAMP(3)) -> INTERVAL DAY", "DECIMAL(10, 2); TIMESTAMP(3); INTERVAL SECOND(3)", "INT", "TIMESTAMP(0)")
	f("([ANY...]) -> BIGINT!", "BIGINT NOT NULL")
	f("([ANY...]) -> BIGINT!", "NULL; INT; BIGINT NOT NULL", "NULL", "INT")
	f("() -> DOUBLE!", "DOUBLE NOT NULL")
	f("() -> DOUBLE!", "!", "INT")
}

func TestParseSignatureRejects(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "(", "() ->", "(INT", "(INT) -> T", "(INT...,INT) -> INT", "([INT], INT) -> INT", "(FOO) -> INT", "(INT) -> INT x", "(ARRAY<INT) -> INT", "(int) -> INT", "INT -> INT", "(INT) -> NUMERIC", "([INT) -> INT"} {
		if f, err := ParseSignature(s); err == nil {
			t.Errorf("%q: %v", s, f)
		}
	}
}

func FuzzParseSignature(f *testing.F) {
	f.Add("(ARRAY<T>, [INT]) -> MAP<T, DECIMAL(3, 1)>? | () -> INTERVAL DAY!")
	f.Fuzz(func(t *testing.T, s string) {
		forms, err := ParseSignature(s)
		if err != nil {
			return
		}
		for _, form := range forms {
			_, _, _ = form.Match(argsOf("INT", "NULL"))
			_, _, _ = form.Match(argsOf("ARRAY<STRING>"))
		}
	})
}

func TestSet(t *testing.T) {
	t.Parallel()
	up := Text1(strings.ToUpper)
	s, err := NewSet([]Def{{Name: "UP", Aliases: []string{"UPCASE"}, Group: "string", Sig: "(STRING) -> STRING", Scalar: up}})
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]Def{
		"no name":           {Sig: "() -> INT", Scalar: up},
		"nothing":           {Name: "X", Sig: "() -> INT"},
		"two":               {Name: "X", Sig: "() -> INT", Scalar: up, Table: &Table{}},
		"wrong go type":     {Name: "X", Sig: "(INT) -> STRING", Scalar: up},
		"wrong go result":   {Name: "X", Sig: "(STRING) -> INT", Scalar: up},
		"wrong count":       {Name: "X", Sig: "(STRING, [STRING]) -> STRING", Scalar: up},
		"broken signature":  {Name: "X", Sig: "STRING", Scalar: up},
		"missing signature": {Name: "X", Scalar: up},
	} {
		if err := s.Add(bad); err == nil {
			t.Error(name)
		}
	}
	c := s.Clone()
	if err := c.Replace(Def{Name: "up", Group: "other", Sig: "(INT) -> INT", Scalar: Map1(func(i int32) int32 { return i })}); err != nil {
		t.Fatal(err)
	}
	if got := c.Lookup("UP"); len(got) != 1 || got[0].Group != "other" || len(s.Lookup("Up")) != 1 || s.Lookup("up")[0].Group != "string" {
		t.Error("Replace", got)
	}
	if got := c.Lookup("upcase"); len(got) != 1 || got[0].Group != "string" || len(c.Defs()) != 2 || strings.Join(c.Names(), " ") != "UP UPCASE" || strings.Join(c.Groups(), " ") != "string other" {
		t.Error("after Replace", got, c.Names(), c.Groups())
	}
	if _, _, err := s.Resolve("nope", nil); !errors.Is(err, ErrUnknown) || s.Has("nope") || !s.Has("Upcase") {
		t.Error(err)
	}
	if _, _, err := s.Resolve("up", argsOf("INT")); err == nil || err.Error() != "UP: argument 1: want STRING, not INT" {
		t.Error(err)
	}
}

func call(t *testing.T, s *Scalar, result types.Type, sel []int32, args ...vector.Vector) (vector.Vector, error) {
	t.Helper()
	c, err := s.Bind(&Context{}, make([]Arg, len(args)), result)
	if err != nil {
		t.Fatal(err)
	}
	out := vector.New(result, args[0].Len())
	out.Resize(args[0].Len())
	return out, c(args, sel, out)
}

func TestAdaptersOverFlatConstAndSelection(t *testing.T) {
	t.Parallel()
	ints := vector.New(types.Of(types.Int), 0)
	for i := range 2000 {
		vector.Append(ints, int32(i))
	}
	k := vector.NewConst(types.Of(types.Int), int32(3), 2000)
	mul := Map2(func(a, b int32) int32 { return a * b })
	out, _ := call(t, mul, types.Of(types.Int), nil, ints, k)
	if vector.Get(out, 7) != int32(21) || vector.Get(out, 1999) != int32(5997) {
		t.Error(vector.Get(out, 7))
	}
	long := AppendOk2(func(dst []byte, a, b int32) ([]byte, bool) {
		for range a {
			dst = append(dst, byte('a'+a%26))
		}
		return dst, a%b != 0
	})
	out, _ = call(t, long, types.String(), nil, ints, k)
	for i := range 2000 {
		want := types.Value(strings.Repeat(string(rune('a'+i%26)), i))
		if i%3 == 0 {
			want = nil
		}
		if got := vector.Get(out, i); got != want {
			t.Fatal(i, got)
		}
	}
	fail := errors.New("odd")
	bad := MapErr1(func(a int32) (int32, error) {
		if a == 5 {
			return 0, fail
		}
		return a, nil
	})
	_, err := call(t, bad, types.Of(types.Int), nil, ints)
	var row *RowError
	if !errors.As(err, &row) || row.Row != 5 || !errors.Is(err, fail) {
		t.Error(err)
	}
	out, err = call(t, bad, types.Of(types.Int), []int32{4, 6}, ints)
	if err != nil || vector.Get(out, 4) != int32(4) || vector.Get(out, 6) != int32(6) {
		t.Error(err)
	}
}

func TestAdaptersDoNotAllocateByRow(t *testing.T) {
	ints := vector.New(types.Of(types.Int), 0)
	for i := range 1024 {
		vector.Append(ints, int32(i))
	}
	out := vector.New(types.String(), 1024)
	c, _ := Append1(func(dst []byte, a int32) []byte { return append(dst, "some text that is not short"...) }).Bind(nil, nil, types.String())
	args := []vector.Vector{ints}
	n := testing.AllocsPerRun(10, func() {
		out.Resize(1024)
		if err := c(args, nil, out); err != nil {
			t.Fatal(err)
		}
	})
	if n > 1 {
		t.Errorf("%v allocations for 1024 rows", n)
	}
}
