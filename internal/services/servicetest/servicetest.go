// Package servicetest gives tests the real brokers of package services: those
// named by RUNNEL_ROCKETMQ and RUNNEL_KAFKA, else ones started once for the
// test process. A package that uses it has
//
//	func TestMain(m *testing.M) { servicetest.Main(m) }
//
// which stops what was started. Without Java and Maven, and under -short, tests
// are skipped; where skips are forbidden they fail.
package servicetest

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/runnelio/runnel/internal/corpus"
	"github.com/runnelio/runnel/internal/services"
)

// shared is a service of this test process, started at first use.
type shared struct {
	once    sync.Once
	service services.Service
	err     error
}

// The services of the process. They are the one piece of package state: a
// process has one broker of a kind, as it has one environment.
var rocketmq, kafka shared

// Main runs the tests, stops the services they started, and exits.
func Main(m *testing.M) {
	code := m.Run()
	for _, s := range []*shared{&rocketmq, &kafka} {
		if s.service != nil {
			s.service.Stop()
		}
	}
	os.Exit(code)
}

// RocketMQ returns the address of a RocketMQ name server.
func RocketMQ(t testing.TB) string {
	t.Helper()
	return rocketmq.addr(t, services.EnvRocketMQ, func(ctx context.Context) (services.Service, error) {
		return services.StartRocketMQ(ctx, services.RocketMQOptions{})
	})
}

// Kafka returns the address of a Kafka broker.
func Kafka(t testing.TB) string {
	t.Helper()
	return kafka.addr(t, services.EnvKafka, func(ctx context.Context) (services.Service, error) {
		return services.StartKafka(ctx, services.KafkaOptions{})
	})
}

// OwnRocketMQ starts a RocketMQ for one test, which may restart or kill it.
func OwnRocketMQ(t testing.TB, o services.RocketMQOptions) *services.RocketMQ {
	t.Helper()
	need(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	r, err := services.StartRocketMQ(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	return r
}

// OwnKafka starts a Kafka for one test, which may restart or kill it.
func OwnKafka(t testing.TB, o services.KafkaOptions) *services.Kafka {
	t.Helper()
	need(t)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	k, err := services.StartKafka(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Stop() })
	return k
}

func need(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a broker of its own, which -short does not start")
	}
	if err := services.Available(); err != nil {
		corpus.Skip(t, "%v", err)
	}
}

func (s *shared) addr(t testing.TB, env string, start func(context.Context) (services.Service, error)) string {
	t.Helper()
	if addr := os.Getenv(env); addr != "" {
		return addr
	}
	need(t)
	s.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		s.service, s.err = start(ctx)
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.service.Addr()
}
