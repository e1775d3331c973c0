# make help lists what there is.

GO       ?= go
PKGS     ?= ./...
BIN      := build/paspoort
FUZZTIME ?= 10s
# Packages that show pages.
PAGES     = $(sort $(dir $(shell grep -rl --include='*_test.go' 'func TestPages' ./internal/page ./node ./issuer ./verifier ./wallet)))

# What is said before a build, by those for whom a person waits.
FIRST     = :

.DEFAULT_GOAL := check
.PHONY: check build run demo test race e2e lint chaos fuzz bench bench-large bench-scale pages generate deb debtest clean help

## check: quickly says whether the tree is sound (the default)
check:
	@$(GO) build $(PKGS)
	@$(GO) vet $(PKGS)
	@out=$$($(GO) test -short $(PKGS) 2>&1) || { echo "$$out" | grep -v -e '^ok ' -e 'no test files'; exit 1; }
	@echo "sound"

## build: the program, as build/paspoort
build:
	@$(FIRST)
	@mkdir -p build
	@$(GO) build -trimpath -o $(BIN) ./cmd/paspoort

## run: a whole region on this computer, until Ctrl-C (DATA=folder keeps it elsewhere, TLS=--tls speaks https)
DATA ?= .paspoort
TLS  ?=
run demo: FIRST = echo "building $(BIN); the first time this takes a few minutes" >&2
run: build
	@$(BIN) dev --data "$(DATA)" --ready-file "$(DATA)/ready.json" $(TLS)

## demo: the same region, and the main job step by step
demo: build
	@$(BIN) demo

## test: every test, with the race detector on
test:
	$(GO) test -race -p 2 -timeout 18m $(TESTFLAGS) $(PKGS)

## race: the same as test
race: test

## e2e: real processes: the demo, and killing nodes
e2e:
	$(GO) test -race -timeout 10m -run 'E2E|Demo|Script' ./cmd/... ./internal/dev/... ./node/...

## lint: gofmt, go vet, staticcheck
lint:
	@out=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' $(PKGS))); if [ -n "$$out" ]; then echo "gofmt these:"; echo "$$out"; exit 1; fi
	$(GO) vet $(PKGS)
	$(GO) tool staticcheck $(PKGS)

## chaos: nodes in network namespaces whose network and power fail, for CHAOS (2m); needs root
CHAOS ?= 2m
chaos:
	PASPOORT_CHAOS=$(CHAOS) $(GO) test -count=1 -timeout 2h -v -run 'Chaos|PowerFails|Network|Disk' ./node

## fuzz: every fuzz target for FUZZTIME (10s)
# Making an input that is merely interesting shorter takes the engine up to a minute by
# itself, more than all the time there is here.
fuzz:
	@for pkg in $$($(GO) list $(PKGS)); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 50x $$pkg || exit 1; \
	  done; \
	done

## bench: ratios to limits measured in the same run; writes build/bench.json
bench:
	@mkdir -p build
	$(GO) run ./cmd/bench -out build/bench.json

## bench-large: a region with ENTRIES (1000000) entries: starting and memory; filling it takes a quarter of an hour
bench-large:
	@mkdir -p build
	$(GO) run ./cmd/bench -large $(or $(ENTRIES),1000000) -out build/bench-large.json

## bench-scale: one process that mirrors 1, 5 and 35 regions of ORGANISATIONS (1000) each; some minutes
bench-scale:
	@mkdir -p build
	$(GO) run ./cmd/bench -scale $(or $(ORGANISATIONS),1000) -out build/bench-scale.json

## pages: a picture of every page in every state, and axe-core, in build/pages
pages: internal/page/axe/node_modules
	@mkdir -p build/pages
	PASPOORT_PAGES=build/pages $(GO) test -count=1 -run 'TestPages' $(PAGES)
	@echo "look in build/pages"

internal/page/axe/node_modules: internal/page/axe/package-lock.json
	npm ci --prefix internal/page/axe --no-audit --no-fund
	@touch $@

## generate: everything that has a generator
generate:
	$(GO) generate $(PKGS)

## deb: a Debian package with units, manual and completion, in build
deb:
	@GO=$(GO) .deb/build build/paspoort.deb

## debtest: install, start, kill, upgrade and remove it under a systemd of its own (as root)
debtest:
	@GO=$(GO) COMPRESS=none .deb/build build/paspoort.deb
	@.deb/boot-test build/paspoort.deb || [ $$? = 77 ]

## clean: what was built, and the region on this computer
clean:
	rm -rf build .paspoort

## help: this list
help:
	@sed -n 's/^## \([a-z0-9]*\): \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done
