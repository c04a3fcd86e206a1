# Everything that is not compiling: dependencies, tests, checks, installation.

SUB = +$(Q)$(MAKE) --no-print-directory

.PHONY: help deps demo-deps demo run bench test check asan tsan cov fuzz clang tidy \
	lint format prove clean

help:
	@sed -n 's/^#: //p' mk/*.mk

#: make            build all programs and tests in build/
#: make deps       install Debian packages (root) and unpack civetweb
deps:
	@sh mk/deps.sh $(DEPS)
demo-deps:
	@sh mk/deps.sh $(DEPS) demo

#: make demo       the main job on this machine, from nothing to a signature
demo: demo-deps
	$(SUB) programs
	$(Q)scripts/demo

#: make run        the same, and leave the issuer running
run: demo-deps
	$(SUB) programs
	$(Q)scripts/demo --keep

#: make bench      measure; figures also in build/bench.json
bench: deps
	$(SUB) programs $(BUILD)/tests/bench
	$(Q)$(BUILD)/tests/bench
	$(Q)for browser in chromium firefox; do CW_BENCH=1 BUILD=$(BUILD) TOP=. \
	    tests/browser/lib-run times.mjs $$browser || exit 1; done

#: make test       the whole suite: sanitizers, a fuzz smoke run, packages
test: deps
	$(SUB) all
	$(SUB) MODE=asan BUILD=$(BUILD)/asan all
	$(SUB) MODE=tsan BUILD=$(BUILD)/tsan all
	$(SUB) MODE=fuzz BUILD=$(BUILD)/fuzz CC=clang all
	$(Q)BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SMOKE_SECONDS) \
	    CW_TEST_PACKAGES=1 tests/run --full $(TESTFLAGS)

#: make check      the suite once, on the plain build
check:
	$(SUB) all
	$(Q)BUILD=$(BUILD) tests/run $(TESTFLAGS)

#: make asan       build with ASan and UBSan, run the suite
asan:
	$(SUB) MODE=asan BUILD=$(BUILD)/asan all
	$(Q)BUILD=$(BUILD)/asan tests/run --mode asan $(TESTFLAGS)

#: make tsan       build with TSan, run the threaded tests
tsan:
	$(SUB) MODE=tsan BUILD=$(BUILD)/tsan all
	$(Q)BUILD=$(BUILD)/tsan tests/run --mode tsan $(TESTFLAGS)

#: make fuzz       every harness for FUZZ_SECONDS (600) each
fuzz:
	$(SUB) MODE=fuzz BUILD=$(BUILD)/fuzz CC=clang all
	$(Q)BUILD=$(BUILD)/fuzz FUZZ_SECONDS=$(FUZZ_SECONDS) \
	    tests/run --mode fuzz $(TESTFLAGS)

#: make cov        line coverage of the suite, by folder and file
cov:
	$(SUB) MODE=cov BUILD=$(BUILD)/cov all
	$(Q)find $(BUILD)/cov -name '*.gcda' -delete
	$(Q)BUILD=$(BUILD)/cov tests/run --mode cov $(TESTFLAGS); status=$$?; \
	    /usr/bin/python3 scripts/coverage $(BUILD)/cov; exit $$status

#: make clang      build with clang
clang:
	$(SUB) BUILD=$(BUILD)/clang CC=clang all

tidy_src := $(src_proto) $(src_keys) $(src_card) $(src_agent) $(src_server) \
	$(mains)
#: make tidy       clang-tidy over the product code
tidy:
	$(SUB) $(patsubst %.c,$(BUILD)/tidy/%.ok,$(tidy_src))
$(BUILD)/tidy/%.ok: %.c .clang-tidy | $(MESSAGE_TABLE)
	$(call say,TIDY,$<)mkdir -p $(@D)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $< -- -std=c11 \
	    $(CPPFLAGS_ALL) 2>$@.log || { cat $@.log >&2; exit 1; }
	@touch $@

#: make lint       layers, sizes, headers, forbidden calls, format
lint:
	$(Q)BUILD=$(BUILD) tests/run $(TESTFLAGS) tests/lint

#: make format     rewrite the C files (or FILES=...) with clang-format
FILES ?= $(shell find proto keys card agent server tests -name '*.[ch]' \
	2>/dev/null)
format:
	$(Q)clang-format -i $(FILES)

#: make prove      the prover models (skipped where ProVerif is missing)
prove:
	@docs/model/prove

#: make clean      remove build/ (civetweb's source and keys/dev stay)
clean:
	$(Q)rm -rf $(BUILD)
