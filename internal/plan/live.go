package plan

import (
	"time"

	"github.com/runnelio/runnel/internal/diag"
	"github.com/runnelio/runnel/types"
)

// LiveRules is a set of rules that changes while a job runs: rules come from a
// folder and from whoever controls the job. Each row comes out once for every
// rule that holds for it. out = input ++ rule_id, attributes, rule_key, rule_count.
// A rule with a window comes out when so many rows of a key as its threshold says
// have held within one window, once a window.
type LiveRules struct {
	Input Node
	// Name tells the sets of a job apart.
	Name string
	// Dir is the watched folder, "" for none.
	Dir string
	// Load reads the folder.
	Load func(dir string) ([]RuleDef, error)
	// Compile binds a rule over the input's columns.
	Compile func(d RuleDef) (LiveRule, error)
	Out     *types.Schema
}

// RuleDef is a rule as people write it.
type RuleDef struct {
	ID         string            `json:"id" yaml:"id"`
	Condition  string            `json:"condition" yaml:"condition"`                       // SQL over the columns of the input
	Attributes map[string]string `json:"attributes,omitempty" yaml:"attributes,omitempty"` // handed on with hits
	Key        []string          `json:"key,omitempty" yaml:"key,omitempty"`               // columns counted by, with Window
	Window     time.Duration     `json:"window,omitempty" yaml:"-"`                        // tumbling, by event time; 0: none
	Threshold  int64             `json:"threshold,omitempty" yaml:"threshold,omitempty"`   // rows within a window
}

// LiveRule is a rule bound over the input.
type LiveRule struct {
	Def  RuleDef
	Cond Expr
	Keys []int // columns of Def.Key
}

// Schema implements Node.
func (n *LiveRules) Schema() *types.Schema { return n.Out }

// Inputs implements Node.
func (n *LiveRules) Inputs() []Node { return []Node{n.Input} }

// WithInputs implements Node.
func (n *LiveRules) WithInputs(in []Node) Node {
	c := *n
	c.Input = in[0]
	return &c
}

// Check tells whether a definition is complete.
func (d RuleDef) Check() error {
	switch {
	case d.ID == "":
		return diag.At(diag.Span{}, diag.BadValue, "a rule needs an id")
	case d.Condition == "":
		return diag.At(diag.Span{}, diag.BadValue, "rule %s needs a condition", d.ID)
	case d.Window < 0 || d.Threshold < 0:
		return diag.At(diag.Span{}, diag.BadValue, "rule %s: window and threshold cannot be negative", d.ID)
	case d.Window == 0 && (d.Threshold > 0 || len(d.Key) > 0):
		return diag.At(diag.Span{}, diag.BadValue, "rule %s: a threshold or key needs a window", d.ID)
	case d.Window > 0 && d.Threshold == 0:
		return diag.At(diag.Span{}, diag.BadValue, "rule %s: a window needs a threshold", d.ID)
	}
	return nil
}
