package rocketmq

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/vector"
)

// outbox is the sink whose rows arrive once. RocketMQ has no transaction over
// several messages, so the messages of an epoch are the token that Prepare puts
// into the checkpoint, and Commit sends them. If it cannot know whether it has
// sent them before, it sends the same bytes with the same ids again, and readers
// drop what they have seen (dedupe.go). Whoever reads without that sees each
// record at least once.
//
// The ids need no name that lasts: rows that did not get into a commit were
// never sent, and rows that did have their ids with them. A sink that writes for a
// split has such a name nevertheless, whoever owns the split: there are as many as
// splits then, not one more with every start, and readers have to remember them.
type outbox struct {
	*rows
	name  string // this writer's
	epoch []byte // messages since the last Prepare, encoded
	seq   int64
	buf   []byte
	mu    sync.Mutex // Commit may come from another goroutine than Write
}

func newOutbox(r *rows) *outbox {
	if r.writer != "" {
		return &outbox{rows: r, name: fmt.Sprintf("%s.%d", r.writer, r.subtask)}
	}
	id := make([]byte, 8)
	rand.Read(id)
	return &outbox{rows: r, name: fmt.Sprintf("%s.%d", hex.EncodeToString(id), r.subtask)}
}

// A token is a version byte, the number of queues, the writer's name, the epoch,
// and messages: each the hash that chooses its queue, properties and body. The
// number of queues is part of it because a record that is sent again must go to
// the queue it went to before, also when the topic has got more since.
const tokenVersion = 1

// Write implements connector.Sink.
func (o *outbox) Write(_ context.Context, b *vector.Batch) error {
	o.use(b)
	from := len(o.epoch)
	first := o.seq
	var fault error
	b.Rows(func(i int) {
		if fault != nil {
			return
		}
		m, skip, err := o.message(b, i)
		if skip || err != nil {
			fault = err
			return
		}
		o.seq++
		o.epoch = binary.LittleEndian.AppendUint64(o.epoch, uint64(o.queueOf(b, i, 1<<31)))
		o.epoch = binary.AppendUvarint(o.epoch, uint64(len(m.Properties)))
		o.epoch = append(o.epoch, m.Properties...)
		o.epoch = binary.AppendUvarint(o.epoch, uint64(len(m.Body)))
		o.epoch = append(o.epoch, m.Body...)
	})
	if fault != nil {
		o.epoch, o.seq = o.epoch[:from], first // all of the batch or nothing
	}
	return fault
}

// Prepare implements connector.Tx.
func (o *outbox) Prepare(ctx context.Context, epoch int64) ([]byte, error) {
	if len(o.epoch) == 0 {
		return nil, nil
	}
	if err := o.route(ctx); err != nil {
		return nil, wrap(err)
	}
	token := []byte{tokenVersion}
	token = binary.AppendUvarint(token, uint64(len(o.queues)))
	token = binary.AppendUvarint(token, uint64(len(o.name)))
	token = append(token, o.name...)
	token = binary.AppendUvarint(token, uint64(epoch))
	token = append(token, o.epoch...)
	o.epoch, o.seq = o.epoch[:0], 0
	return token, nil
}

var errToken = errors.New("rocketmq: the checkpoint's messages are damaged")

// Commit implements connector.Tx. It sends everything, again and again until it
// succeeds or ctx ends: the checkpoint is made, there is no way back.
func (o *outbox) Commit(ctx context.Context, token []byte) error {
	if len(token) == 0 {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var retry backoff
	for {
		err := o.publish(ctx, token)
		// A topic that was there when the checkpoint was made is there again when its broker is.
		if err == nil || !remoting.IsTemporary(err) && !unrouted(err) || ctx.Err() != nil {
			o.health.Working("the checkpoint's messages cannot be sent")
			return err
		}
		o.health.Failing("the checkpoint's messages cannot be sent", err)
		retry.failed(o.log, "the checkpoint's messages cannot be sent", err)
		if !retry.wait(ctx) {
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// publish sends the messages of a token in their order.
func (o *outbox) publish(ctx context.Context, token []byte) error {
	if token[0] != tokenVersion {
		return fmt.Errorf("%w: version %d", errToken, token[0])
	}
	count, k := binary.Uvarint(token[1:])
	if k <= 0 || count == 0 || count > 1<<20 {
		return errToken
	}
	name, rest, ok := cutRun(token[1+k:])
	epoch, n := binary.Uvarint(rest)
	if !ok || n <= 0 {
		return errToken
	}
	rest = rest[n:]
	route, err := o.client.WriteRoute(ctx, o.o.topics()[0])
	if err != nil {
		return err
	}
	if len(route.Write) == 0 {
		return fmt.Errorf("rocketmq: topic %s has no queue that may be written", route.Topic)
	}
	queues := route.Write
	if uint64(len(queues)) > count {
		queues = o.former(queues, int(count))
	}
	sets := make([]remoting.Set, len(queues))
	send := func(q int) error {
		if sets[q].Len() == 0 {
			return nil
		}
		_, err := o.client.SendSet(ctx, queues[q], o.o.Producer, &sets[q])
		sets[q].Reset()
		if err != nil && ctx.Err() == nil { // whoever called comes again
			o.health.Failing("send", err)
			o.log.Warn("messages of a checkpoint cannot be sent yet", "queue", queues[q].String(), "error", err)
		} else if err == nil {
			o.health.Working("send")
		}
		return err
	}
	for seq := int64(0); len(rest) > 0; seq++ {
		if len(rest) < 8 {
			return errToken
		}
		q := int(binary.LittleEndian.Uint64(rest) % uint64(len(queues)))
		props, after, ok1 := cutRun(rest[8:])
		body, after, ok2 := cutRun(after)
		if !ok1 || !ok2 {
			return errToken
		}
		rest = after
		o.buf = append(o.buf[:0], props...)
		o.buf = remoting.AppendProperty(o.buf, PropRecordID, fmt.Sprintf("%s.%d.%d", name, epoch, seq))
		if n := sets[q].Bytes(); n > 0 && n+len(body)+len(o.buf)+32 > int(o.o.BatchBytes) {
			if err := send(q); err != nil {
				return err
			}
		}
		sets[q].Add(remoting.Outgoing{Body: body, Properties: o.buf})
	}
	for q := range sets {
		if err := send(q); err != nil {
			return err
		}
	}
	return nil
}

// former picks the queues there were when there were only count of them: topics
// grow at the end, on each broker alike.
func (o *outbox) former(queues []remoting.Queue, count int) []remoting.Queue {
	for most := 1; ; most++ {
		var out []remoting.Queue
		for _, q := range queues {
			if q.ID < most {
				out = append(out, q)
			}
		}
		if len(out) >= count {
			return out
		}
	}
}

// cutRun takes bytes with their length before them off the front of b.
func cutRun(b []byte) (run, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, false
	}
	return b[k : k+int(n)], b[k+int(n):], true
}

// Abort implements connector.Tx: nothing of it was sent.
func (o *outbox) Abort(context.Context, []byte) error { return nil }

// Close implements connector.Sink. Rows behind the last checkpoint are sent only
// if the input has ended well: ctx is not done then.
func (o *outbox) Close(ctx context.Context) error {
	var err error
	if ctx.Err() == nil && len(o.epoch) > 0 {
		var token []byte
		if token, err = o.Prepare(ctx, time.Now().UnixNano()); err == nil {
			err = o.Commit(ctx, token)
		}
	}
	return errors.Join(err, o.client.Close())
}

var _ connector.Tx = (*outbox)(nil)
