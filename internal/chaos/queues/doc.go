// Package queues has tests of whole jobs on real brokers: processes that are
// killed between two topics, the example, and what goes wrong with a broker. The
// servers are those of package servicetest. RUNNEL_CHAOS is the number of kills.
package queues
