# Taihu. `make` alone prints this list.
SHELL := /bin/bash
GO ?= go
export GOTOOLCHAIN ?= local
export CGO_ENABLED := 1

.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build the one binary, ./taihu
	$(GO) build -o taihu ./cmd/taihu

run: build ## start the sample portal on embedded defaults (data in ./taihu-data)
	./taihu demo

test: prepare ## every test: both databases, browser, docs, journeys
	$(GO) test -timeout 20m ./...

race: prepare ## the tests that share memory, under the race detector
	$(GO) test -race -timeout 40m ./api/handle/... ./catalog/job/... ./catalog/blob/... ./catalog/table/pool/... ./indexer/...

lint: ## format, vet, static checks
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w on these'; exit 1; }
	$(GO) vet ./...
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

check: test race lint ## all of the above

bench: build ## the figures of docs/benchmarks, each beside its yardstick
	$(GO) test -timeout 60m -run '^$$' -bench Figures -benchtime 1x ./cmd/taihu

bench-large: build ## the same of one table of 50,000,000 rows (30 GB of disk, a quarter of an hour)
	$(GO) test -timeout 120m -run '^$$' -bench Large -benchtime 1x ./cmd/taihu

soak: ## the long proofs at full size: a million rows walked, every real file read by other programs (TAIHU_PYTHON), 1 GB uploaded with 100 cuts, 400 pairs of organizations, 200 kills while datasets are published and withdrawn
	TAIHU_SOAK=1 $(GO) test -timeout 90m -count=1 -v -run 'TestWalkUnderReleases|TestOtherReaders|TestUploadSurvivesCuts|TestNobodyTouchesAnothersDraft|TestChaos' ./cmd/taihu

test-meili: ## the search suite on a real Meilisearch (MEILI_URL, or `meilisearch` on PATH); records what CI replays
	$(GO) test ./indexer/meili -count=1 -v -run 'Conformance|Wiped|Killed|TestGolden' -record
	$(GO) test ./indexer/meili -count=1 -run Replay
	$(GO) test ./cmd/taihu -count=1 -v -run Golden
	$(GO) test ./indexer/meili -run '^$$' -bench . -benchtime 1x

# As root on Debian the tests' own servers are installed; elsewhere what needs
# them is skipped loudly (TAIHU_REQUIRE turns a skip into a failure).
prepare:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  missing=; \
	  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	  command -v chromium >/dev/null || missing="$$missing chromium"; \
	  fc-list 2>/dev/null | grep -qi cjk || missing="$$missing fonts-noto-cjk"; \
	  if [ -n "$$missing" ]; then \
	    echo "installing:$$missing"; \
	    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing) >/tmp/taihu-apt.log 2>&1 || tail -5 /tmp/taihu-apt.log; \
	  fi; \
	fi

.PHONY: help build run test race lint check bench bench-large soak test-meili prepare
