// Package remoting is a client of RocketMQ's remoting protocol, 4.x and 5.x,
// that knows nothing of the engine it was written for: names of topics and
// bytes in, bytes out.
//
//	c, err := remoting.New(remoting.Config{NameServers: []string{"127.0.0.1:9876"}})
//	route, err := c.Route(ctx, "orders")
//	var got remoting.Messages
//	err = c.Pull(ctx, remoting.PullRequest{Queue: route.Read[0], Group: "g", Max: 1024, Wait: 10 * time.Second}, &got)
//	for i := range got.List { use(got.List[i].Body) }
//
// It differs from the usual clients in what it leaves to the caller: offsets
// move only when told, queues are named by hand or held by a Group that says
// what was given and what was taken, and every call ends with its context.
//
// A request travels so: a method makes a request of fields (codes.go, acl.go
// signs it), conn.go appends its frame (command.go) to the connection's write
// buffer, the connection's writer sends whatever has gathered, its reader finds
// the waiting call by number and reads the answer's body straight into the
// caller's buffer. client.go keeps connections and tries name servers in turn,
// route.go knows where topics live, message.go reads messages in place,
// compress.go unpacks bodies, pull.go, send.go, offsets.go and admin.go are the
// operations, group.go is membership, balance and locks.
//
// A Client and everything it returns is safe for concurrent use, except
// Messages and Set, which belong to one goroutine.
package remoting
