# make help lists what there is.
GO ?= go
FUZZTIME ?= 20s

.PHONY: help build test race lint fuzz bench check soak

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

build: ## bin/oigmock, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags=-s -o bin/oigmock ./cmd/oigmock

test: tools ## every test
	$(GO) test ./...

.PHONY: tools
tools:
	@for t in $(GO) bash curl; do command -v $$t >/dev/null || { echo "make test needs $$t, and it is not installed" >&2; exit 1; }; done

race: ## every test under the race detector (needs a C compiler)
	$(GO) test -race ./...

lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "gofmt differs:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

# A fuzz target runs alone, so they are listed by asking each package. Until Go
# 1.27 the end of the time itself can be reported as a failure (golang/go#75804):
# "context deadline exceeded", without an input that failed.
fuzz: ## each fuzz target for FUZZTIME
	@set -e; log=$$(mktemp); trap 'rm -f $$log' EXIT; packages=$$($(GO) list ./...); for p in $$packages; do \
		listed=$$($(GO) test -list '^Fuzz' $$p); \
		for f in $$listed; do case $$f in Fuzz*) \
			echo "$$p $$f"; \
			if $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$p >$$log 2>&1; then tail -n 1 $$log; \
			elif grep -q '^    context deadline exceeded$$' $$log && ! grep -Eq 'Failing input|panic|_test.go' $$log; then grep execs $$log | tail -n 1; \
			else cat $$log; exit 1; fi;; \
		esac; done; done

soak: ## the long proofs whole, of which make test runs a twentieth
	$(GO) test -count=1 -timeout 60m -run 'TestMemoryLevelsOff' -v ./cmd/oigmock -soak 20

bench: ## the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

check: ## oigmock check on our own scenarios
	$(GO) run ./cmd/oigmock check --release all
