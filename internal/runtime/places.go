package runtime

import "github.com/runnelio/runnel/format"

// places are the positions that the splits of a driver have been emitted to. The
// newest is kept as bytes until somebody asks: a position changes with each read,
// and is asked for with each checkpoint.
type places struct {
	known map[string]string
	split string // whose position is newest, while fresh
	raw   []byte
	fresh bool
}

// set notes a position.
func (p *places) set(split, at string) {
	if p.known == nil {
		p.known = map[string]string{}
	}
	if p.split == split {
		p.fresh = false
	}
	p.known[split] = at
}

// mark notes the position behind record i of recs.
func (p *places) mark(split string, recs *format.Records, i int) {
	if p.split != split {
		p.keep()
		p.split = split
	}
	p.raw, p.fresh = recs.AppendPosition(p.raw[:0], i), true
}

func (p *places) keep() {
	if p.fresh {
		p.set(p.split, string(p.raw))
	}
}

// of returns the position of a split, if it has one.
func (p *places) of(split string) (string, bool) {
	if p.split == split {
		p.keep()
	}
	at, ok := p.known[split]
	return at, ok
}

// ended tells whether a split was read to its end.
func (p *places) ended(split string) bool {
	at, _ := p.of(split)
	return at == endOfSplit
}

// remove forgets a split.
func (p *places) remove(split string) {
	if p.split == split {
		p.fresh = false
	}
	delete(p.known, split)
}

// all returns the positions by split; the map stays that of p.
func (p *places) all() map[string]string {
	p.keep()
	return p.known
}
