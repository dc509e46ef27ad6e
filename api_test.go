package runnel_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// apiOf reads a package's exported names: functions, methods as Type.Method, types,
// and the names of constants and variables, with their comments.
func apiOf(t *testing.T, dir string) (docs map[string]string, examples string) {
	t.Helper()
	fset := token.NewFileSet()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatal(dir, err)
	}
	var files []*ast.File
	var text strings.Builder
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			if strings.HasSuffix(path, "example_test.go") {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				text.Write(b)
			}
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(fset, files, "x")
	if err != nil {
		t.Fatal(err)
	}
	docs = map[string]string{}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				s := spec.(*ast.ValueSpec)
				for _, n := range s.Names {
					if n.IsExported() {
						docs[n.Name] = v.Doc + s.Doc.Text() + s.Comment.Text()
					}
				}
			}
		}
	}
	funcs := func(prefix string, list []*doc.Func) {
		for _, f := range list {
			docs[prefix+f.Name] = f.Doc
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs("", p.Funcs)
	for _, typ := range p.Types {
		docs[typ.Name] = typ.Doc
		values(typ.Consts)
		values(typ.Vars)
		funcs("", typ.Funcs)
		funcs(typ.Name+".", typ.Methods)
	}
	return docs, text.String()
}

// ownWords are methods that a Go programmer knows by the interface they are of.
var ownWords = map[string]bool{"Error": true, "Unwrap": true, "String": true}

// TestEveryNameIsDocumented holds that each exported name of the SDK has a comment,
// and that each function and method stands in the manual or in an example.
func TestEveryNameIsDocumented(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("docs/sdk.md")
	if err != nil {
		t.Fatal(err)
	}
	var programs strings.Builder
	paths, err := filepath.Glob("examples/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		programs.Write(b)
	}
	for _, dir := range []string{".", "runneltest"} {
		names, examples := apiOf(t, dir)
		if len(names) < 5 {
			t.Fatalf("%s: %d names", dir, len(names))
		}
		told := string(manual) + examples + programs.String()
		for name, comment := range names {
			if strings.TrimSpace(comment) == "" {
				t.Errorf("%s: %s has no comment", dir, name)
			}
			_, method, _ := strings.Cut(name, ".")
			if method == "" {
				method = name
			}
			if ownWords[method] {
				continue
			}
			if !regexp.MustCompile(`\b` + method + `\b`).MatchString(told) {
				t.Errorf("%s: %s stands neither in docs/sdk.md nor in an example", dir, name)
			}
		}
	}
}

// javaMethods are the calls of the SDK of RocketMQ-Streams.
var javaMethods = strings.Fields(`
dataStream ScheduledStreamBuilder setTask start
fromArray fromMemory fromCollection fromFile fromRocketmq fromKafka fromMqtt fromMultipleDB fromCycleSource from
with script filterByExpression filter map flatMap forEach forEachMessage selectFields addStage union split select join leftJoin dimJoin dimLeftJoin innerJoin
window distinct topN toFile toPrint toDB toEnhanceDBSink toMultiDB toRocketmq toKafka toMqtt to increaseConcurrencyByShuffle asyncStart
TumblingWindow HoppingWindow SessionWindow seconds minutes hours days
groupBy count sum avg min max count_distinct count_distinct_2 count_distinct_large reduce addUDAF timeField setTimeField waterMark fireMode setFireMode
emitBeforeFire emitAfterFire setMaxMsgGap setLocalStorageOnly saveWindowMsg toDataSteam
on setCondition setJoinType setRowNumName addOrderByFieldName setTopN
configLogFingerprint shuffleWithMemory exactlyOnce highPerformance windowDefaultSiZe db file configBlinkUDF configJar configFunction
AbstractSource AbstractUDFSink AbstractSupportShuffleUDFSink AbstractDim`)

// TestEveryJavaMethodHasAPlace holds that the manual says for each of them what
// takes its place.
func TestEveryJavaMethodHasAPlace(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("docs/sdk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, mapping, ok := strings.Cut(string(manual), "## From RocketMQ-Streams")
	if !ok {
		t.Fatal("there is no chapter about RocketMQ-Streams")
	}
	var first strings.Builder // the first column of its tables
	for line := range strings.Lines(mapping) {
		if cells := strings.Split(strings.ReplaceAll(line, `\|`, "¦"), "|"); len(cells) == 4 {
			first.WriteString(cells[1] + "\n")
			if strings.TrimSpace(cells[2]) == "" {
				t.Errorf("nothing is said of %s", cells[1])
			}
		}
	}
	for _, m := range javaMethods {
		if !regexp.MustCompile(`\b` + m + `\b`).MatchString(first.String()) {
			t.Errorf("docs/sdk.md does not map %s", m)
		}
	}
}
