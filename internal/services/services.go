// Package services runs real message brokers on loopback, for tests, examples
// and benchmarks: RocketMQ (name server and broker) and Kafka (one KRaft node),
// from the packages their projects publish, resolved by Maven. Nothing is
// installed: a service lives in a folder of its own and is gone with it.
//
// maven.go resolves the packages, process.go runs a JVM so that it never
// outlives its owner, rocketmq.go and kafka.go know the configuration of each
// broker and when it is ready. Tests use package servicetest, people
// cmd/services.
package services

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"time"
)

// The environment variables that hold the addresses of running services.
const (
	EnvRocketMQ = "RUNNEL_ROCKETMQ" // name servers, host:port;host:port
	EnvKafka    = "RUNNEL_KAFKA"    // bootstrap servers, host:port,host:port
)

// ErrMissing tells that Java or Maven is not installed; its message says how to get them.
var ErrMissing = errors.New("real brokers need a Java 17 runtime and Maven 3 in PATH (Debian: apt-get install openjdk-17-jre-headless maven)")

// Available returns ErrMissing if services cannot be started on this machine.
func Available() error {
	for _, name := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(name); err != nil {
			return ErrMissing
		}
	}
	return nil
}

// Service is a running broker.
type Service interface {
	// Env is the environment variable that tells programs of the service, and Addr its value.
	Env() string
	Addr() string
	// Stop ends the processes in order and removes the folder if the service made it.
	Stop() error
	// Pids are the processes' ids.
	Pids() []int
	// Detach lets the service live on when this process ends. Stop it with a signal to its pids.
	Detach()
}

// freePorts returns a port p on loopback for which p+d is free for every d.
func freePorts(deltas ...int) (int, error) {
	for range 200 {
		p := 21000 + rand.IntN(10000)
		if allFree(p, deltas) {
			return p, nil
		}
	}
	return 0, errors.New("no free ports on loopback")
}

func allFree(p int, deltas []int) bool {
	for _, d := range deltas {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p+d))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// portOr returns want if it and want+d are free for every d, else a port of
// which that is so. want 0 asks for any.
func portOr(want int, deltas ...int) (int, error) {
	if want != 0 && allFree(want, deltas) {
		return want, nil
	}
	return freePorts(deltas...)
}

// await calls ready until it returns nil, a process ends, or ctx ends.
func await(ctx context.Context, what string, dead <-chan struct{}, ready func(context.Context) error) error {
	var last error
	for {
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		last = ready(try)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-dead:
			return fmt.Errorf("%s ended before it was ready", what)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", what, last)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
