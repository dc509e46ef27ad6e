package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/vector"
)

// poolSize is how many transactional ids a writer has. While the transaction of
// one epoch waits for its checkpoint the next has begun, so it needs two.
const poolSize = 3

// transactions is the sink that writes in transactions. Prepare ends the writing
// of one, Commit commits it; in between it stands open at the broker under an id
// and with an epoch that are in the checkpoint, so that whoever goes on from the
// checkpoint can commit it.
//
// A writer has a fixed set of ids, <prefix>-<subtask>-<number>, or in a query that
// runs apart for each split <prefix>-u:<split>-<number>. Before it writes
// for the first time it takes all of them, which aborts what a dead process left
// open: after Commit has been called with the tokens of the last checkpoint.
type transactions struct {
	*rows
	parallel int
	unit     string // "" if the query does not run apart for each split
	owned    func() bool

	mu      sync.Mutex // Commit may come from another goroutine than Write
	admin   *kgo.Client
	free    []*producer
	current *producer
	pending []*producer // prepared
	ready   bool        // the ids are taken
}

// producer is a client with one transactional id.
type producer struct {
	id    string
	cl    *kgo.Client
	token token
}

// token is what a checkpoint knows of a prepared transaction.
type token struct {
	ID    string `json:"id"`
	PID   int64  `json:"pid"`
	Epoch int16  `json:"epoch"`
}

func newTransactions(r *rows, t *connector.Table) *transactions {
	return &transactions{rows: r, parallel: max(1, t.Parallel), unit: t.Unit, owned: t.Owned}
}

func (x *transactions) id(subtask, n int) string {
	if x.unit != "" {
		return fmt.Sprintf("%s-u:%s-%d", *x.o.Prefix, x.unit, n)
	}
	return fmt.Sprintf("%s-%d-%d", *x.o.Prefix, subtask, n)
}

func (x *transactions) client() (*kgo.Client, error) {
	if x.admin == nil {
		var err error
		if x.admin, err = kgo.NewClient(x.conf.common...); err != nil {
			return nil, err
		}
	}
	return x.admin, nil
}

// take makes the writer the owner of its ids.
func (x *transactions) take(ctx context.Context) error {
	if x.ready {
		return nil
	}
	if len(x.free) == 0 {
		for n := range poolSize {
			id := x.id(x.subtask, n)
			cl, err := kgo.NewClient(append(x.options(), kgo.TransactionalID(id))...)
			if err != nil {
				return err
			}
			x.free = append(x.free, &producer{id: id, cl: cl})
		}
	}
	for _, p := range x.free {
		err := x.persist(ctx, "transactional ids cannot be taken", func() error {
			_, _, err := p.cl.ProducerID(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("kafka: transactional id %s: %w", p.id, err)
		}
	}
	if x.subtask == 0 && x.unit == "" {
		if err := x.abortOthers(ctx); err != nil {
			return err
		}
	}
	x.ready = true
	return nil
}

// abortOthers aborts what writers left open that there are no more: the job had
// more of them. Readers of committed records would wait for it.
func (x *transactions) abortOthers(ctx context.Context) error {
	cl, err := x.client()
	if err != nil {
		return err
	}
	all, err := kadm.NewClient(cl).ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		if errors.Is(err, kerr.UnsupportedVersion) {
			return nil // a broker before 3.0
		}
		return fmt.Errorf("kafka: list transactions: %w", err)
	}
	for _, t := range all {
		rest, ok := strings.CutPrefix(t.TxnID, *x.o.Prefix+"-")
		subtask, _, two := strings.Cut(rest, "-")
		n, err := strconv.Atoi(subtask)
		if !ok || !two || err != nil || n < x.parallel {
			continue
		}
		x.log.Warn("aborting the transaction of a writer there is no more", "id", t.TxnID)
		cl, err := kgo.NewClient(append(x.options(), kgo.TransactionalID(t.TxnID))...)
		if err != nil {
			return err
		}
		_, _, err = cl.ProducerID(ctx)
		cl.Close()
		if err != nil {
			return fmt.Errorf("kafka: transactional id %s: %w", t.TxnID, err)
		}
	}
	return nil
}

// Write implements connector.Sink.
func (x *transactions) Write(ctx context.Context, b *vector.Batch) error {
	if b.Live() == 0 {
		return nil
	}
	if err := x.learn(ctx); err != nil {
		return err
	}
	if err := x.encode(b); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.current == nil {
		// Also an id that is ours is asked for again after a transaction that was not ended.
		if x.owned != nil && !x.owned() {
			return fmt.Errorf("kafka: transactional id %s: %w", x.id(x.subtask, 0), connector.ErrFenced)
		}
		if err := x.take(ctx); err != nil {
			return err
		}
		if len(x.free) == 0 {
			return errors.New("kafka: all transactions wait for a commit: checkpoints are not completed")
		}
		p := x.free[0]
		if err := p.cl.BeginTransaction(); err != nil {
			return fmt.Errorf("kafka: begin transaction %s: %w", p.id, err)
		}
		x.current, x.free = p, x.free[1:]
	}
	return fencedBy(x.produce(ctx, x.current.cl))
}

// fencedBy marks errors that tell of another writer with the same id.
func fencedBy(err error) error {
	if errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.ProducerFenced) {
		return fmt.Errorf("%w: %w", connector.ErrFenced, err)
	}
	return err
}

// Prepare implements connector.Tx.
func (x *transactions) Prepare(ctx context.Context, _ int64) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.current
	if p == nil {
		return nil, nil // nothing was written
	}
	if err := p.cl.Flush(ctx); err != nil {
		return nil, fencedBy(fmt.Errorf("kafka: flush: %w", err))
	}
	pid, epoch, err := p.cl.ProducerID(ctx)
	if err != nil {
		return nil, fmt.Errorf("kafka: prepare transaction %s: %w", p.id, err)
	}
	p.token = token{p.id, pid, epoch}
	x.current, x.pending = nil, append(x.pending, p)
	return json.Marshal(p.token)
}

// prepared takes the transaction of a token out of the pending ones, nil if it is none of them.
func (x *transactions) prepared(t token) *producer {
	for i, p := range x.pending {
		if p.token == t {
			x.pending = append(x.pending[:i], x.pending[i+1:]...)
			return p
		}
	}
	return nil
}

// Commit implements connector.Tx.
func (x *transactions) Commit(ctx context.Context, raw []byte) error {
	return x.end(ctx, raw, true)
}

// Abort implements connector.Tx.
func (x *transactions) Abort(ctx context.Context, raw []byte) error {
	return x.end(ctx, raw, false)
}

func (x *transactions) end(ctx context.Context, raw []byte, commit bool) error {
	if len(raw) == 0 {
		return nil
	}
	var t token
	if err := json.Unmarshal(raw, &t); err != nil || t.ID == "" {
		return fmt.Errorf("kafka: the checkpoint's transaction is damaged: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if p := x.prepared(t); p != nil {
		err := p.cl.EndTransaction(ctx, kgo.TransactionEndTry(commit))
		if err == nil {
			x.free = append(x.free, p)
			return nil
		}
		// What has come of it the client does not know, and if it tried again it might
		// abort: the coordinator is asked, and the client replaced.
		x.log.Warn("a transaction was not ended", "id", t.ID, "error", err)
		p.cl.Close()
		if err := x.settle(ctx, t, commit); err != nil {
			return err
		}
		if p.cl, err = kgo.NewClient(append(x.options(), kgo.TransactionalID(p.id))...); err != nil {
			return err
		}
		x.free = append(x.free, p)
		return nil
	}
	if x.owns(t.ID) {
		return nil // this process has used the id since, so it was ended
	}
	return x.settle(ctx, t, commit)
}

// settle is resume, tried again while the brokers are away or at work on it.
func (x *transactions) settle(ctx context.Context, t token, commit bool) error {
	return x.persist(ctx, "the checkpoint's transaction cannot be ended", func() error { return x.resume(ctx, t, commit) })
}

// owns tells whether id has been taken by this writer.
func (x *transactions) owns(id string) bool {
	for _, p := range append(append([]*producer{x.current}, x.free...), x.pending...) {
		if p != nil && p.id == id {
			return x.ready
		}
	}
	return false
}

// resume ends a transaction that another process prepared, or that was ended before.
func (x *transactions) resume(ctx context.Context, t token, commit bool) error {
	cl, err := x.client()
	if err != nil {
		return err
	}
	all, err := kadm.NewClient(cl).DescribeTransactions(ctx, t.ID)
	if err == nil {
		err = all[t.ID].Err
	}
	if err != nil {
		return fmt.Errorf("kafka: transaction %s: %w", t.ID, err)
	}
	d := all[t.ID]
	ours := d.ProducerID == t.PID && d.ProducerEpoch == t.Epoch
	switch {
	case ours && d.State == "Ongoing":
		return x.endRaw(ctx, cl, t, commit)
	case !commit:
		return nil
	case d.ProducerID == t.PID && (d.State == "PrepareCommit" || d.State == "CompleteCommit"):
		return nil // committed before
	case ours && (d.State == "PrepareAbort" || d.State == "CompleteAbort" || d.State == "Dead" || d.State == "PrepareEpochFence"),
		d.ProducerID == t.PID && d.ProducerEpoch == t.Epoch+1 && (d.State == "PrepareAbort" || d.State == "CompleteAbort"):
		// The broker gave up waiting, and raised the epoch as it did.
		return fmt.Errorf("kafka: transaction %s of the checkpoint was aborted by the broker: it stood open for longer than 'properties.transaction.timeout.ms'; its rows are lost", t.ID)
	}
	// The id has been used since, which happens only after its transaction was ended.
	return nil
}

// endRaw ends a transaction in the name of the producer that began it.
func (x *transactions) endRaw(ctx context.Context, cl *kgo.Client, t token, commit bool) error {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = t.ID, t.PID, t.Epoch, commit
	res, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(res.ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("kafka: end transaction %s: %w", t.ID, err)
	}
	return nil
}

// Close implements connector.Sink. With ctx alive the input has ended and what
// was written since the last checkpoint is committed; else it is left to be
// aborted, and prepared transactions stand open for the next process.
func (x *transactions) Close(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var errs []error
	if p := x.current; p != nil {
		if ctx.Err() == nil {
			if err := p.cl.Flush(ctx); err != nil {
				errs = append(errs, err)
			} else if err := p.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
				errs = append(errs, fmt.Errorf("kafka: end transaction %s: %w", p.id, err))
			}
		}
		p.cl.Close()
	}
	for _, p := range append(x.free, x.pending...) {
		p.cl.Close()
	}
	if x.admin != nil {
		x.admin.Close()
	}
	x.free, x.pending, x.current, x.admin = nil, nil, nil, nil
	return errors.Join(errs...)
}

var _ connector.Tx = (*transactions)(nil)
