# SPDX-License-Identifier: Apache-2.0
# make help lists the targets. Files are found by wildcards: a new .c file or
# test needs no change here. mk/flags.mk has the flags, mk/packages the
# packages, tests/run runs what this builds. A unit or fault test x_test.c may
# have a list of symbols x_test.wrap beside it, linked with -Wl,--wrap. Two
# people in one tree give each their own folder: make BUILD=build/me.

SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
# Parallel by itself, and sub-makes share the jobs. (make -j1 V=1 still works.)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
ifneq ($(filter clean,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

BUILD   ?= build
DEPS    ?= .deps
PREFIX  ?= /usr/local
FUZZ_SECONDS ?= 600
FUZZ_SMOKE_SECONDS ?= 15
TESTFLAGS ?=

include mk/flags.mk

ifeq ($(V),1)
Q :=
say =
else
Q := @
say = @printf '  %-4s %s\n' $(1) $(2);
endif

# --- sources ---------------------------------------------------------------

LIBS_OWN := server agent card keys proto

src_proto  := $(wildcard proto/base/*.c proto/*.c)
src_keys   := $(filter-out keys/main.c,$(wildcard keys/*.c))
src_card   := $(filter-out card/main.c,$(wildcard card/*.c))
src_agent  := $(filter-out agent/main.c,$(wildcard agent/*.c))
src_server := $(filter-out server/main.c server/admin_main.c, \
	$(wildcard server/*.c))
src_test   := $(wildcard tests/support/*.c) \
	$(filter-out %/main.c,$(wildcard tests/conformance/*.c))
mains      := $(wildcard keys/main.c card/main.c agent/main.c server/main.c \
	server/admin_main.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
lib = $(patsubst %,$(BUILD)/lib%.a,$(1))

# --- civetweb, from Debian's source package (mk/deps.sh unpacks it) ---------

CIVETWEB := $(DEPS)/civetweb
CIVETWEB_FLAGS := -DOPENSSL_API_3_0 -DNO_SSL_DL -DNO_CGI -DNO_CACHING \
	-DNO_FILES -DSOCKET_TIMEOUT_QUANTUM=200 -D_GNU_SOURCE -DUSE_IPV6 -I. \
	-include server/gate_calls.h
# Its own warnings are not ours to repair, and UBSan would stop at its habits.
CIVETWEB_CFLAGS = $(filter-out -fno-sanitize-recover=all,$(subst \
	address$(comma)undefined,address,$(CFLAGS_BASE))) -w $(CFLAGS)
comma := ,

# --- outside libraries --------------------------------------------------------

PCSC_INC := $(shell $(PKG_CONFIG) --cflags-only-I libpcsclite 2>/dev/null || \
	echo -I/usr/include/PCSC)
CPPFLAGS_ALL += $(patsubst -I%,-isystem %,$(PCSC_INC)) \
	-isystem $(CIVETWEB)/include
LDLIBS := -lcbor -lsqlite3 -lcurl -ljansson -lpcsclite -lseccomp -linih \
	-lunistring -lssl -lcrypto -lsodium -lpthread

# --- programs -------------------------------------------------------------------

programs :=
define program # name, main file, own libraries
ifneq ($(wildcard $(2)),)
programs += $(BUILD)/$(1)
$(BUILD)/$(1): $(call obj,$(2)) $(call lib,$(3))
endif
endef
$(eval $(call program,cardwright-card,card/main.c,card proto))
$(eval $(call program,cardwright-agent,agent/main.c,agent proto))
$(eval $(call program,cardwright-keys,keys/main.c,keys proto))
$(eval $(call program,cardwrightd,server/main.c,server civetweb keys proto))
$(eval $(call program,cardwright-conformance,tests/conformance/main.c,test \
	agent card keys proto))
$(eval $(call program,cardwright-admin,server/admin_main.c,server civetweb \
	keys proto))

# --- tests ------------------------------------------------------------------------

unit_src    := $(shell find tests/unit -name '*_test.c' 2>/dev/null | sort)
fault_src   := $(wildcard tests/fault/*_test.c)
vector_src  := $(wildcard tests/vectors/*.c)
e2e_src     := $(wildcard tests/e2e/*.c)
bench_src   := $(wildcard tests/load/*.c)
fields_src  := $(wildcard tests/fields/*.c)
fuzz_src    := $(wildcard tests/fuzz/fuzz_*.c)
fuzz_shared := $(filter-out $(fuzz_src),$(wildcard tests/fuzz/*.c))
test_libs   := $(call lib,test server civetweb agent card keys proto)

test_programs :=
fuzz_programs :=
define test_program # program, its sources
ifneq ($$(filter $(1),$$(test_programs)),)
$$(error two tests are named $(notdir $(1)))
endif
test_programs += $(1)
$(1): $(call obj,$(2)) $(test_libs)
$(1): LDLIBS_TEST := -lcmocka
$(1): WRAP := $(foreach w,$(wildcard $(patsubst %.c,%.wrap,$(2))), \
	$(patsubst %,-Wl$(comma)--wrap=%,$(shell sed 's/#.*//' $(w))))
$(1): $(wildcard $(patsubst %.c,%.wrap,$(2)))
endef
$(foreach s,$(unit_src),$(eval $(call \
	test_program,$(BUILD)/tests/unit/$(basename $(notdir $(s))),$(s))))
$(foreach s,$(fault_src),$(eval $(call \
	test_program,$(BUILD)/tests/fault/$(basename $(notdir $(s))),$(s))))
$(foreach s,$(vector_src),$(eval $(call \
	test_program,$(BUILD)/tests/$(basename $(notdir $(s))),$(s))))
$(foreach s,$(e2e_src),$(eval $(call \
	test_program,$(BUILD)/tests/e2e/$(basename $(notdir $(s))),$(s))))
$(eval $(call test_program,$(BUILD)/tests/fields,$(fields_src)))
ifneq ($(wildcard tests/load/bench.c),)
$(eval $(call test_program,$(BUILD)/tests/bench,$(bench_src)))
endif

define fuzz_program # program, its source
fuzz_programs += $(1)
$(1): $(call obj,$(2) $(fuzz_shared)) $(test_libs)
$(1): LDLIBS_TEST := -fsanitize=fuzzer -lcmocka
endef
$(foreach s,$(fuzz_src),$(eval $(call \
	fuzz_program,$(BUILD)/$(basename $(notdir $(s))),$(s))))

# A test or script that says "RUN: threads" is also run under ThreadSanitizer.
threaded_src := $(shell grep -ls 'RUN:.*threads' $(unit_src) $(fault_src) \
	/dev/null)
threaded_programs := $(foreach s,$(threaded_src),$(filter \
	%/$(basename $(notdir $(s))),$(test_programs)))

ifeq ($(MODE),fuzz)
everything := $(fuzz_programs)
else ifeq ($(MODE),tsan)
everything := $(programs) $(threaded_programs)
else
everything := $(programs) $(test_programs)
endif

# --- made files ---------------------------------------------------------------------

include mk/messages.mk

# --- rules ------------------------------------------------------------------------

.PHONY: all libs programs tests
all: libs $(everything)
libs: $(foreach l,$(LIBS_OWN),$(if $(src_$(l)),$(call lib,$(l))))
programs: $(programs)
tests: $(test_programs)

# Objects are made again when the flags change.
FLAGS := $(filter-out -Werror%,$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) \
	$(CIVETWEB_FLAGS) $(LDFLAGS_ALL))
ifneq ($(file <$(BUILD)/.flags),$(FLAGS))
ifeq ($(filter clean deps help lint install% deb,$(MAKECMDGOALS)),)
$(shell mkdir -p $(BUILD))
$(file >$(BUILD)/.flags,$(FLAGS))
endif
endif

$(BUILD)/.flags:
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS)' >$@

$(BUILD)/obj/tests/%.o: tests/%.c $(BUILD)/.flags
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(WARN_TEST) -MMD -MP -c -o $@ $<

$(BUILD)/obj/%.o: %.c $(BUILD)/.flags
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/obj/civetweb.o: $(CIVETWEB)/src/civetweb.c $(BUILD)/.flags
	$(call say,CC,$<)mkdir -p $(@D)
	$(Q)$(CC) -I$(CIVETWEB)/include $(CIVETWEB_FLAGS) $(CIVETWEB_CFLAGS) \
	    -MMD -MP -c -o $@ $<

$(CIVETWEB)/src/civetweb.c:
	@echo 'civetweb is not here: run "make deps" first' >&2; exit 1

# The list of members is a prerequisite too: a deleted file leaves the archive.
define library # name, objects
$(BUILD)/lib$(1).a: $(2) $(BUILD)/lib$(1).list
$(BUILD)/lib$(1).a: MEMBERS := $(2)
ifneq ($$(file <$(BUILD)/lib$(1).list),$(strip $(2)))
$(BUILD)/lib$(1).list: FORCE
endif
$(BUILD)/lib$(1).list: MEMBERS := $(2)
endef
$(foreach l,$(LIBS_OWN) test,$(eval $(call \
	library,$(l),$(strip $(call obj,$(src_$(l)))))))
$(eval $(call library,civetweb,$(BUILD)/obj/civetweb.o))

$(BUILD)/lib%.list:
	@mkdir -p $(@D)
	@printf '%s' '$(MEMBERS)' >$@

$(BUILD)/lib%.a:
	$(call say,AR,$@)rm -f $@.$$$$; \
	    $(AR) rcsD $@.$$$$ $(MEMBERS) && mv $@.$$$$ $@

$(sort $(everything) $(test_programs)):
	$(call say,LD,$@)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(WRAP) -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS_TEST) $(LDLIBS)

FORCE:
.PHONY: FORCE

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

include mk/www.mk
include mk/extension.mk
include mk/targets.mk
include mk/install.mk
