package remoting

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Outgoing is a message to send. Body and Properties are read, not kept.
type Outgoing struct {
	Body       []byte
	Properties []byte // made with AppendProperty
	Flag       int32
}

// Sent is where messages went.
type Sent struct {
	Queue Queue
	// Offset is that of the (first) message in its queue.
	Offset int64
	ID     string // the broker's message id; of a batch, those of all, separated by commas
	// Status is Success, or FlushDiskTimeout, SlaveNotAvailable or
	// FlushSlaveTimeout: the message is in the broker's memory but not yet as
	// safe as the broker is configured to make it.
	Status int
}

// A Set is messages encoded for one request: they go to one queue together.
// The zero Set is empty.
type Set struct {
	buf []byte
	n   int
}

// Add appends a message.
func (s *Set) Add(m Outgoing) {
	size := 4 + 4 + 4 + 4 + 4 + len(m.Body) + 2 + len(m.Properties)
	s.buf = binary.BigEndian.AppendUint32(s.buf, uint32(size))
	s.buf = append(s.buf, 0, 0, 0, 0, 0, 0, 0, 0) // magic and checksum are the broker's
	s.buf = binary.BigEndian.AppendUint32(s.buf, uint32(m.Flag))
	s.buf = binary.BigEndian.AppendUint32(s.buf, uint32(len(m.Body)))
	s.buf = append(s.buf, m.Body...)
	s.buf = binary.BigEndian.AppendUint16(s.buf, uint16(len(m.Properties)))
	s.buf = append(s.buf, m.Properties...)
	s.n++
}

// Len is the number of messages, Bytes that of bytes.
func (s *Set) Len() int { return s.n }

// Bytes is the size of the set on the network.
func (s *Set) Bytes() int { return len(s.buf) }

// Reset empties s and keeps its memory.
func (s *Set) Reset() { s.buf, s.n = s.buf[:0], 0 }

// MaxProperties is the largest size of a message's properties.
const MaxProperties = 32767

// Send sends a message to a queue. It tries again while the server is busy or
// not reachable, up to Config.Attempts times: a message whose answer got lost
// may be stored twice.
func (c *Client) Send(ctx context.Context, q Queue, group string, m Outgoing) (Sent, error) {
	if len(m.Properties) > MaxProperties {
		return Sent{}, &Error{Op: "send to " + q.String(), Addr: q.Broker, Code: MessageIllegal, Remark: "properties of more than 32767 bytes"}
	}
	return c.send(ctx, q, func() *command { return c.single(q, group, m) })
}

// SendSet sends the messages of a set to a queue, in one request, as Send does one.
func (c *Client) SendSet(ctx context.Context, q Queue, group string, s *Set) (Sent, error) {
	return c.send(ctx, q, func() *command { return c.batch(q, group, s) })
}

// SendOneWay sends a message without waiting for an answer: whether it was
// stored is not known. It waits only while the connection has more to write
// than fits, so a broker can be asked for more than it can do.
func (c *Client) SendOneWay(ctx context.Context, q Queue, group string, m Outgoing) error {
	return c.oneWay(ctx, q, c.single(q, group, m))
}

// SendSetOneWay is SendSet without waiting for an answer, as SendOneWay.
func (c *Client) SendSetOneWay(ctx context.Context, q Queue, group string, s *Set) error {
	return c.oneWay(ctx, q, c.batch(q, group, s))
}

func (c *Client) oneWay(ctx context.Context, q Queue, req *command) error {
	addr, err := c.broker(ctx, q, 0)
	if err != nil {
		return err
	}
	cn, err := c.conn(ctx, addr)
	if err != nil {
		return err
	}
	req.flag = flagOneWay
	c.cfg.sign(req)
	return cn.start(ctx, req, nil).err
}

func (c *Client) single(q Queue, group string, m Outgoing) *command {
	req := c.sendRequest(codeSend, q, group)
	req.addInt("h", int64(m.Flag))
	req.add("i", string(m.Properties))
	req.add("m", "false")
	req.body = m.Body
	return req
}

func (c *Client) batch(q Queue, group string, s *Set) *command {
	req := c.sendRequest(codeSendBatch, q, group)
	req.add("h", "0")
	// A broker splits the batch and gives each message its own properties, but wants some here.
	req.add("i", "WAIT\x01true\x02")
	req.add("m", "true")
	req.body = s.buf
	return req
}

func (c *Client) sendRequest(code int, q Queue, group string) *command {
	if group == "" {
		group = "runnel"
	}
	req := &command{code: code, fields: make([]field, 0, 17)}
	req.add("a", c.full(group))
	req.add("b", c.full(q.Topic))
	req.add("c", autoCreateTopic)
	req.addInt("d", autoQueues)
	req.addInt("e", int64(q.ID))
	req.add("f", "0")
	req.addInt("g", time.Now().UnixMilli())
	req.add("j", "0")
	req.add("k", "false")
	req.add("n", q.Broker)
	return req
}

func (c *Client) send(ctx context.Context, q Queue, request func() *command) (Sent, error) {
	delay := 100 * time.Millisecond
	for attempt := 1; ; attempt++ {
		s, err := c.sendOnce(ctx, q, request())
		if err == nil || attempt >= c.cfg.Attempts || ctx.Err() != nil || !IsTemporary(err) {
			return s, err
		}
		var ce *ConnError
		if errors.As(err, &ce) {
			c.lost(ctx, q)
		}
		if attempt == 3 { // what passes at once is no news
			c.cfg.Log.Warn("messages cannot be sent: trying again", "queue", q.String(), "error", err)
		}
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return s, err
		}
		delay = min(2*delay, 3*time.Second)
	}
}

func (c *Client) sendOnce(ctx context.Context, q Queue, req *command) (Sent, error) {
	addr, err := c.broker(ctx, q, 0)
	if err != nil {
		return Sent{}, err
	}
	k, err := c.invoke(ctx, addr, req)
	if err != nil {
		return Sent{}, err
	}
	switch k.head.code {
	case Success, FlushDiskTimeout, SlaveNotAvailable, FlushSlaveTimeout:
	case TopicNotExist:
		c.forget(q.Topic)
		fallthrough
	default:
		e := &Error{Op: "send to " + q.String(), Addr: addr, Code: k.head.code, Remark: k.head.remark}
		if e.Code == SystemError && strings.Contains(e.Remark, "size exceeded") {
			e.Code = MessageIllegal // of a batch the broker says it with an exception
		}
		return Sent{}, e
	}
	s := Sent{Queue: q, Status: k.head.code, Offset: -1}
	s.ID, _ = k.head.get("msgId")
	if v, ok := k.head.get("queueId"); ok {
		if s.Queue.ID, err = strconv.Atoi(v); err != nil {
			return s, errFrame
		}
	}
	if v, ok := k.head.get("queueOffset"); ok {
		// Of a batch the broker gives that of each message on some versions.
		first := v
		for i := range len(v) {
			if v[i] == ',' {
				first = v[:i]
				break
			}
		}
		if s.Offset, err = strconv.ParseInt(first, 10, 64); err != nil {
			return s, errFrame
		}
	}
	return s, nil
}
