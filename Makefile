# Two commands: `make demo` shows the product, `make test` runs everything that CI runs. `make bench` measures it against its peers,
# `make sanitize` runs the kernels' tests under AddressSanitizer, `make fuzz` damages files for FUZZ_SECONDS a target.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.PHONY: demo test bench faults sanitize fuzz setup stack

SAMPLES  := datasets/samples
OUT      := out/demo
DATABASE := sqlite:$(OUT)/books.db
BUSINESS := 1
SROIE    ?= ../shared/data/sroie/train
MODELS   ?= ../shared/models/pp-ocrv6
RECEIPTS ?= 100
PEERS    := out/bench/venv
STACK    := out/stack
FUZZ_SECONDS ?= 60
FAULTS   ?= 1000
DOCUMENTS = $(sort $(wildcard $(SAMPLES)/*.jpg $(SAMPLES)/*.png $(SAMPLES)/*.pdf $(SAMPLES)/*.xml))

setup:
	@deploy/install-build-tools.sh

# PostgreSQL, Debezium and a broker for the tests of the ledger.
stack:
	@deploy/install-test-stack.sh $(STACK)

demo: setup
	@cargo build --release --quiet --bin extract --bin adapter
	rm -rf $(OUT) && mkdir -p $(OUT)
	target/release/extract --table --overlay $(OUT)/overlays $(DOCUMENTS)
	target/release/adapter ingest --business $(BUSINESS) --database $(DATABASE) $(DOCUMENTS)
	target/release/adapter run --events file:$(SAMPLES)/events.ndjson --database $(DATABASE) --until-end
	target/release/adapter report --business $(BUSINESS) --database $(DATABASE)
	echo "Annotated pages: $(OUT)/overlays/*.png"
	echo "The books:       $(OUT)/books.db (cargo run --release --bin adapter -- report --business $(BUSINESS) --database $(DATABASE) --json)"

test: setup stack
	@cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace

# Kills the adapter, Debezium and PostgreSQL FAULTS times while the till sells; a short run is part of `make test`.
faults: setup stack
	@CELLARBOOK_FAULTS=$(FAULTS) cargo test -p adapter --test faults -- --nocapture

bench: setup stack
	@cargo build --release --quiet --bin extract --bin evaluate
	bench/install.sh $(PEERS)
	$(PEERS)/bin/python bench/bench.py --sroie $(SROIE) --models $(MODELS) --receipts $(RECEIPTS)
	cargo bench --quiet -p adapter

# The stable compiler ships the sanitizer's runtime, but lets only RUSTC_BOOTSTRAP switch it on.
sanitize: setup
	@host=$$(rustc -vV | sed -n 's/^host: //p')
	RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test -p engine --lib --target $$host --target-dir target/sanitize kernels

# As above; begins with the samples, and keeps what it finds in engine/fuzz.
fuzz: setup
	@command -v cargo-fuzz >/dev/null || cargo install --quiet cargo-fuzz
	cd engine
	seed() { mkdir -p fuzz/corpus/$$1 && cp -n "$${@:2}" fuzz/corpus/$$1/; }
	seed pdf fuzz/seeds/*.pdf
	seed picture ../$(SAMPLES)/*.jpg ../$(SAMPLES)/*.png
	seed xml ../$(SAMPLES)/*.xml tests/e_invoices/*
	for target in pdf picture xml; do RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=30 -rss_limit_mb=4096; done
