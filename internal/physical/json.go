package physical

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// jsonNode is an operator in EXPLAIN's JSON, in the shape Flink gives it.
type jsonNode struct {
	ID           int        `json:"id"`
	Type         string     `json:"type"`
	Pact         string     `json:"pact"`
	Contents     string     `json:"contents"`
	Parallelism  int        `json:"parallelism"`
	Predecessors []jsonEdge `json:"predecessors,omitempty"`
}

type jsonEdge struct {
	ID   int    `json:"id"`
	Ship string `json:"ship_strategy"`
	Side string `json:"side"`
}

// JSON returns the plan as a JSON object: its operators as nodes, inputs before
// their consumers, numbered from 1.
func JSON(p *Plan) string {
	ids := map[*Op]int{}
	nodes := make([]jsonNode, 0, len(p.Ops))
	for i, o := range p.Ops {
		ids[o] = i + 1
		n := jsonNode{ID: i + 1, Type: fmt.Sprintf("%s[%d]", o.ID, i+1), Pact: "Operator", Contents: fmt.Sprintf("[%d]:%s", i+1, describe(o)), Parallelism: o.Parallel}
		switch o.Spec.(type) {
		case Source, GoSource, Values:
			n.Pact, n.Type = "Data Source", "Source: "+n.Type
		case Sink:
			n.Pact, n.Type = "Data Sink", "Sink: "+n.Type
		}
		for k, e := range o.Inputs {
			ship := strings.ToUpper(e.Exchange.String())
			switch e.Exchange {
			case Gather:
				ship = "GLOBAL"
			case Forward:
				ship = "FORWARD"
			}
			side := "second" // as Flink calls the only one
			if len(o.Inputs) > 1 && k == 0 {
				side = "first"
			}
			n.Predecessors = append(n.Predecessors, jsonEdge{ID: ids[e.From], Ship: ship, Side: side})
		}
		nodes = append(nodes, n)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"nodes": nodes}); err != nil { // strings and numbers only
		return err.Error()
	}
	return b.String()
}
