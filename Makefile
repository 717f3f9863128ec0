# SPDX-License-Identifier: MIT
# One door, thin over Meson and Ninja. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

T ?= 60
F ?=
ARGS ?=
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

SAN := -Db_sanitize=address,undefined
TSAN := -Db_sanitize=thread
BSPNODE := build/bspnode

.PHONY: help
help: ## this list
	@echo "usage: make TARGET"; echo
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## install, build, start a server with a live test picture, print where to look (Ctrl-C ends it)
	@tools/demo

.PHONY: run
run: build ## build and start the server on ./data (ARGS="--http :8080 ...")
	@exec $(BSPNODE) serve $(ARGS)

.PHONY: build
build: deps ## the programs, optimised: build/bspnode and bspnode-worker beside it
	@tools/build build --buildtype=release -- bspnode bspnode-worker

.PHONY: deps
deps: ## install the Debian packages that are missing (packages.txt)
	@tools/install-packages build

.PHONY: web
web: deps ## only the pages: web/dist
	@cd web && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run build

.PHONY: test
test: ## every test under ASan and UBSan, ending in "N passed, N failed" (ONLY=unit|e2e, F=name)
	@tools/test $(if $(ONLY),--only $(ONLY)) $(if $(F),--name $(F))

.PHONY: fuzz
fuzz: ## fuzz every parser for T=60 seconds each, or one of them: F=rtmp_chunk
	@tools/fuzz "$(T)" $(F)

.PHONY: tsan
tsan: ## unit tests, a stream's life, WebRTC's races, uploads, imports, webhooks under ThreadSanitizer
	@tools/install-packages build demo test
	@tools/build build-tsan $(TSAN)
	@TSAN_OPTIONS=halt_on_error=1 meson test -C build-tsan --no-rebuild --print-errorlogs --no-suite fuzz --timeout-multiplier 4
	@cd tests/e2e && { [ -d node_modules ] || npm ci --no-audit --no-fund --loglevel=error; } && \
	  for f in live.test rtc-races webhooks.test uploads.test import.test playback.test; do \
	    TSAN_OPTIONS=halt_on_error=0:exitcode=66 BSPNODE=$(CURDIR)/build-tsan/bspnode node run.mjs --name $$f; done

.PHONY: lint
lint: ## floors, house rules, formatting, the pages' types, clang-tidy (QUICK=1: no clang-tidy)
	@tools/lint $(if $(QUICK),--quick)

.PHONY: fmt
fmt: ## format every C file
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 -r clang-format -i

.PHONY: docs
docs: deps ## write docs/settings.md from the table of settings
	@tools/build build --buildtype=release -- tools/settings-doc
	@build/tools/settings-doc >docs/settings.md

.PHONY: bench
bench: ## compare with nginx, Janus and ffmpeg: viewers, start, uploads, imports, the API, a room (ARGS=hls: one)
	@tools/bench $(ARGS)

.PHONY: report
report: ## the longest files and functions
	@tools/check --report

.PHONY: install
install: build ## copy the programs to PREFIX=/usr/local
	install -D -m 755 $(BSPNODE) $(DESTDIR)$(PREFIX)/bin/bspnode
	install -D -m 755 $(BSPNODE)-worker $(DESTDIR)$(PREFIX)/bin/bspnode-worker

.PHONY: dist
dist: ## a source archive of the last commit
	@v=$$(sed -n "s/^project([^,]*, 'c', version: '\([^']*\)'.*/\1/p" meson.build); \
	  git archive --format=tar.gz --prefix=bspnode-$$v/ -o bspnode-$$v.tar.gz HEAD && echo bspnode-$$v.tar.gz

.PHONY: clean
clean: ## remove what was built
	rm -rf build build-asan build-tsan build-fuzz web/dist
