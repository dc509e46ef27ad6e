package engine

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	connectors "github.com/runnelio/runnel/connectors/all"
	formats "github.com/runnelio/runnel/format/all"
	"github.com/runnelio/runnel/internal/compile"
	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/internal/plan"
	"github.com/runnelio/runnel/internal/runtime"
	"github.com/runnelio/runnel/internal/sql/ast"
)

// rulesJob runs a job over a living set until the test ends.
func rulesJob(t *testing.T, dir string) *runtime.Job {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "set"), 0o755); err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Connectors: connectors.Connectors(), Formats: formats.Formats(), StateDir: filepath.Join(dir, "state"), Settings: map[string]string{"execution.checkpointing.interval": "50 ms"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Session()
	if err != nil {
		t.Fatal(err)
	}
	script := `CREATE TABLE src (id INT, name STRING) WITH ('connector'='datagen','rows-per-second'='200','fields.id.min'='1','fields.id.max'='3');
CREATE TABLE out_rows (id INT, rule_id STRING) WITH ('connector'='blackhole');
INSERT INTO out_rows SELECT id, rule_id FROM TABLE(RULES(TABLE src, '` + filepath.Join(dir, "set") + `'));`
	var run *runtime.Job
	err = Script(context.Background(), s, script, "job", Steps{
		Statement: func(ast.Statement, *compile.Result) error { return nil },
		Insert: func(j *compile.Job, _ bool) error {
			run, err = e.Start(context.Background(), j)
			return err
		},
	})
	if err != nil {
		t.Fatal(diag.Render(err))
	}
	t.Cleanup(func() {
		run.Cancel()
		_ = run.Wait() // cancelled
	})
	return run
}

func TestControlSocket(t *testing.T) {
	dir := t.TempDir()
	job := rulesJob(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	path := filepath.Join(dir, "control", "sock")
	c, err := Serve(ctx, path, func() []*runtime.Job { return []*runtime.Job{job} })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(ctx, path, nil); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second server: %v", err)
	}
	res, err := Ask(ctx, path, Request{Op: "add", Rules: []plan.RuleDef{{ID: "a", Condition: "id = 1"}, {ID: "b", Condition: "id > 1", Attributes: map[string]string{"x": "y"}}}})
	if err != nil || res.TookMs <= 0 {
		t.Fatalf("add: %+v %v", res, err)
	}
	if res, err = Ask(ctx, path, Request{Op: "list", Set: "set"}); err != nil || len(res.Rules) != 2 || res.Rules[1].Attributes["x"] != "y" {
		t.Errorf("list: %+v %v", res, err)
	}
	if _, err = Ask(ctx, path, Request{Op: "remove", IDs: []string{"a"}, NoWait: true}); err != nil {
		t.Error(err)
	}
	for {
		res, err := Ask(ctx, path, Request{Op: "stats"})
		if err != nil || len(res.Stats) != 1 || res.Stats[0].ID != "b" {
			t.Fatalf("stats: %+v %v", res, err)
		}
		if res.Stats[0].Hits > 0 && res.Stats[0].LastHit > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for want, r := range map[string]Request{
		"no operation":    {Op: "nosuch"},
		"no set of rules": {Op: "list", Set: "other"},
		"no rule nosuch":  {Op: "remove", IDs: []string{"nosuch"}},
		"rule bad":        {Op: "add", Rules: []plan.RuleDef{{ID: "bad", Condition: "nosuch = 1"}}},
	} {
		if _, err := Ask(ctx, path, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	// Several requests of one connection; then something that is no request ends it, and it alone.
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(`{"op":"list"}{"op":"stats"}` + "\n" + `nonsense`)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(conn)
	lines := 0
	for in.Scan() {
		var r Response
		if err := json.Unmarshal(in.Bytes(), &r); err != nil || r.Error != "" {
			t.Errorf("answer %q: %v", in.Text(), err)
		}
		lines++
	}
	if lines != 2 {
		t.Errorf("%d answers", lines)
	}
	if _, err := Ask(ctx, path, Request{Op: "list"}); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Ask(ctx, path, Request{Op: "list"}); err == nil || !strings.Contains(err.Error(), "no job listens") {
		t.Errorf("after the end: %v", err)
	}
}
