package builtin

import (
	"crypto/rand"
	"encoding/hex"
	"errors"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
	"github.com/runnelio/runnel/vector"
)

// systemFuncs tell about the session and about types.
var systemFuncs = []function.Def{
	{
		Name: "TYPEOF", Group: "auxiliary", Sig: "(ANY, [BOOLEAN]) -> STRING?",
		Doc:   "The name of the argument's type. With TRUE as second argument in full, as DDL takes it.",
		Nulls: function.Called, Infer: inferTypeof,
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			t := args[0].Type
			name := t.String()
			if len(args) == 2 && args[1].Value == true {
				name = t.Serializable()
			}
			return constantText(name), nil
		}),
		Eg: []function.Example{eg("TYPEOF(1)", "INT NOT NULL")},
	},
	{
		Name: "UUID", Group: "auxiliary", Sig: "() -> CHAR(36)!",
		Doc:      "A random UUID (version 4), a new one for every row.",
		Volatile: true, Scalar: function.Vec(randomUUIDs),
	},
	perJob("CURRENT_DATABASE", ParamDatabase, "default_database", "The name of the current database."),
	perJob("CURRENT_CATALOG", ParamCatalog, "default_catalog", "The name of the current catalog."),
	perJob("CURRENT_USER", ParamUser, "", "The name of the user that runs the job."),
}

// The session options that functions read.
const (
	ParamDatabase = "runnel.current-database"
	ParamCatalog  = "runnel.current-catalog"
	ParamUser     = "runnel.user"
)

func perJob(name, param, value, doc string) function.Def {
	return function.Def{
		Name: name, Group: "auxiliary", Sig: "() -> STRING!", Doc: doc, PerJob: true,
		Scalar: function.Bound(func(cx *function.Context, _ []function.Arg, _ types.Type) (function.Call, error) {
			text := value
			if cx != nil && cx.Params[param] != "" {
				text = cx.Params[param]
			}
			return constantText(text), nil
		}),
	}
}

// constantText gives every row the same text, without copying it.
func constantText(text string) function.Call {
	var all []int32
	return func(_ []vector.Vector, sel []int32, out vector.Vector) error {
		dst := out.(*flat[string]).Vals
		for _, i := range function.Rows(sel, len(dst), &all) {
			dst[i] = text
		}
		return nil
	}
}

func inferTypeof(args []function.Arg) (function.Signature, error) {
	var sig function.Signature
	if len(args) != 1 && len(args) != 2 {
		return sig, errors.New("TYPEOF takes 1 or 2 arguments")
	}
	if len(args) == 2 && (args[1].Type.Kind != types.Boolean || !args[1].Const || args[1].Value == nil) {
		return sig, errors.New("TYPEOF takes TRUE or FALSE as its second argument")
	}
	for _, a := range args {
		sig.Args = append(sig.Args, a.Type)
	}
	sig.Result = types.String()
	return sig, nil
}

func randomUUIDs(_ []vector.Vector, sel []int32, out vector.Vector) error {
	o := out.(*flat[string])
	n := len(o.Vals)
	if sel != nil {
		n = len(sel)
	}
	bits := make([]byte, 16*n) // one read a batch
	if _, err := rand.Read(bits); err != nil {
		return err
	}
	for j := range n {
		i := j
		if sel != nil {
			i = int(sel[j])
		}
		b := bits[16*j : 16*j+16]
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		dst := hex.AppendEncode(o.Arena.Grow(36), b[:4])
		for at := 4; at < 16; {
			w := 2
			if at == 10 {
				w = 6
			}
			dst = hex.AppendEncode(append(dst, '-'), b[at:at+w])
			at += w
		}
		o.Vals[i] = o.Arena.Take(dst)
	}
	return nil
}
