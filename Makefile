# imgen: `make run` and `make test` are the two that matter; `make help` lists all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO := cargo
IMGEN := target/release/imgen
export PROMPT ?= portrait of a woman, brown hair, red hoodie, smiling, blue background

.PHONY: help setup setup-test build run test demo check lint bench bench-status bench-submit bench-render bench-pipeline bench-marks

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: ## system packages, libtorch, the enhancement model; does nothing when all is there
	@scripts/setup/setup.sh run

setup-test: ## the same, and what the tests need
	@scripts/setup/setup.sh test

build: setup ## the release binary
	@$(CARGO) build --release --locked --bin imgen

run: build ## set up, build, and serve on 127.0.0.1:8080
	@exec $(IMGEN) serve

test: setup-test ## set up, then every test
	@$(CARGO) test --release --locked

demo: build ## one picture through the API: make demo PROMPT='…'
	@scripts/demo.sh

check: build ## say what is wrong with configuration, presets, weights and storage
	@$(IMGEN) check

lint: setup ## formatting and lints, warnings are errors
	@$(CARGO) fmt --check
	@$(CARGO) clippy --release --locked --all-targets -- -D warnings

bench: bench-status bench-submit ## the benchmarks that need nothing but this machine

bench-status: setup ## status polling: requests per second and p99 at 10,000 clients, while jobs run
	@$(CARGO) bench --locked --bench status

bench-submit: setup ## submit rate with durable commits
	@$(CARGO) bench --locked --bench submit

bench-render: build ## imgen render beside diffusers on the same weights (needs Python with torch and diffusers)
	@python3 benches/render.py

bench-marks: build ## what the invisible mark survives, beside four peers: make bench-marks PHOTOS=DIR FLAT=DIR
	@python3 benches/marks.py --photos $(PHOTOS) --flat $(FLAT)

bench-pipeline: setup ## from pixels to signed bytes beside Python (needs Pillow, invisible-watermark, pdqhash, c2pa-python)
	@python3 benches/pipeline.py
