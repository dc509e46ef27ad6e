package connector

// Sharer is a Source whose records several jobs of one process may read
// together: one of them reads, and all get what it has read.
type Sharer interface {
	// Data tells which records the source reads. Sources of the same connector
	// with equal Data have the same splits, with the same records at the same
	// positions, whoever reads them and wherever they begin: names of consumer
	// groups and starting points are not part of it. Options of the format are not
	// either, the engine compares formats itself. "" is data that cannot be shared.
	Data() string
	// Start tells where the source begins to read a split that it is given no
	// position for: sources of equal Data and Start begin at the same one.
	Start() string
}
