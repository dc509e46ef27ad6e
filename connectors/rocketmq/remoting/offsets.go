package remoting

import (
	"context"
	"time"
)

// query asks the master of q's broker for an offset.
func (c *Client) query(ctx context.Context, op string, code int, q Queue, more func(*command)) (int64, error) {
	addr, err := c.broker(ctx, q, 0)
	if err != nil {
		return 0, err
	}
	req := &command{code: code}
	req.add("topic", c.full(q.Topic))
	req.addInt("queueId", int64(q.ID))
	req.add("bname", q.Broker)
	if more != nil {
		more(req)
	}
	k, err := c.call(ctx, op+" of "+q.String(), addr, req)
	if err != nil {
		return 0, err
	}
	return k.head.getInt("offset")
}

// MinOffset is the offset of the first message the queue still has.
func (c *Client) MinOffset(ctx context.Context, q Queue) (int64, error) {
	return c.query(ctx, "first offset", codeMinOffset, q, nil)
}

// MaxOffset is the offset behind the last message.
func (c *Client) MaxOffset(ctx context.Context, q Queue) (int64, error) {
	return c.query(ctx, "last offset", codeMaxOffset, q, nil)
}

// SearchOffset is the offset of the first message stored at or after t; that
// behind the last message if there is none.
func (c *Client) SearchOffset(ctx context.Context, q Queue, t time.Time) (int64, error) {
	return c.query(ctx, "offset by time", codeSearchOffset, q, func(req *command) {
		req.addInt("timestamp", t.UnixMilli())
	})
}

// GroupOffset is the offset a group has committed: the next to read. ok tells
// whether it has committed one.
func (c *Client) GroupOffset(ctx context.Context, group string, q Queue) (offset int64, ok bool, err error) {
	offset, err = c.query(ctx, "committed offset", codeQueryOffset, q, func(req *command) {
		req.add("consumerGroup", c.full(group))
		req.add("setZeroIfNotFound", "false")
	})
	if e := (*Error)(nil); asError(err, &e) && e.Code == QueryNotFound {
		return 0, false, nil
	}
	if err == nil && offset < 0 {
		return 0, false, nil
	}
	return offset, err == nil, err
}

// CommitOffset notes that a group has read up to offset, the next to read. The
// group must exist; pulls and JoinGroup make it where the broker is so configured.
func (c *Client) CommitOffset(ctx context.Context, group string, q Queue, offset int64) error {
	addr, err := c.broker(ctx, q, 0)
	if err != nil {
		return err
	}
	req := &command{code: codeUpdateOffset}
	req.add("consumerGroup", c.full(group))
	req.add("topic", c.full(q.Topic))
	req.addInt("queueId", int64(q.ID))
	req.addInt("commitOffset", offset)
	req.add("bname", q.Broker)
	_, err = c.call(ctx, "commit of "+q.String(), addr, req)
	return err
}
