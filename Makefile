# Each target is one line a person can also type.
GO ?= go
BIN := bin/runnel
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/runnelio/runnel/internal/cli.Version=$(VERSION)
export CGO_ENABLED ?= 0

.PHONY: build demo test quick race check lint fmt docs bench bench-nexmark services chaos difftest clean

build: ## the binary: bin/runnel
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/runnel

demo: build ## the main job on shipped data
	cd examples/detect && ../../$(BIN) run detect.sql

test: ## all tests that can run here; what is skipped is said
	./scripts/test

quick: ## short tests only
	$(GO) test -short ./...

race: ## short tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -short ./...

check: lint ## everything that is not a test run
	$(GO) vet ./...
	$(GO) test ./internal/layers

lint:
	./scripts/lint

fmt:
	gofmt -w $$(git ls-files '*.go')

docs: ## what the program itself can say: functions, connectors, options, packages
	UPDATE=1 $(GO) test -count=1 ./internal/docs

bench: ## throughput against peers and limits; see docs/benchmarks.md
	$(GO) run ./bench/w1

bench-nexmark:
	$(GO) run ./bench/nexmark

services: ## real RocketMQ and Kafka on loopback
	$(GO) run ./cmd/services run

chaos: ## kill -9 tests, long form; SEED=n repeats one
	RUNNEL_CHAOS=300 $(GO) test -run Chaos -timeout 60m ./internal/chaos
	RUNNEL_CHAOS=100 $(GO) test -run Share -timeout 60m ./internal/chaos/queues

difftest: ## random queries against a model, in all worlds: N cases from SEED on
	RUNNEL_DIFF=$(or $(N),100000) SEED=$(or $(SEED),1) $(GO) test -count=1 -v -run Difference -timeout 0 ./internal/difftest

clean:
	rm -rf bin dist
