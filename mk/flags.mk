# Compiler flags per MODE:
#   release  gcc or clang, optimised and hardened (the default)
#   asan     AddressSanitizer and UndefinedBehaviorSanitizer
#   tsan     ThreadSanitizer
#   cov      gcov counters
#   fuzz     clang with libFuzzer, ASan and UBSan
MODE   ?= release
WERROR ?= $(if $(filter true 1,$(CI)),1,0)

ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(MODE)),clang,gcc)
endif
AR ?= ar
COMPILER := $(if $(findstring clang,$(CC)),clang,gcc)
PKG_CONFIG ?= pkg-config

# _GNU_SOURCE: accept4, pipe2, memfd_create, SO_PEERCRED. It selects GNU's
# strerror_r, which the code therefore does not use.
CPPFLAGS_ALL = -I. -D_GNU_SOURCE $(CPPFLAGS)

# Sanitizers put red zones around every local, and merge what -O2 keeps apart.
FRAME_MAX := $(if $(filter asan tsan fuzz,$(MODE)),6144,4096)

WARN_BOTH := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
	-Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings \
	-Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes \
	-Wredundant-decls -Wnested-externs -Wundef -Wformat=2 -Wvla \
	-Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
	-Wbad-function-cast -Wframe-larger-than=$(FRAME_MAX)
WARN_gcc := -Wcast-align=strict -Wlogical-op -Wduplicated-cond \
	-Wduplicated-branches -Wformat-signedness -Walloca -Wtrampolines \
	-Warith-conversion -Wjump-misses-init
WARN_clang := -Wshorten-64-to-32 -Wcomma -Wassign-enum \
	-Wconditional-uninitialized -Wunreachable-code-aggressive
WARN = $(WARN_BOTH) $(WARN_$(COMPILER))

# cmocka's macros cast calls of every type, and tables lie on test stacks.
WARN_TEST := -Wno-bad-function-cast -Wno-frame-larger-than

HARDEN_BOTH := -fstack-protector-strong -fstack-clash-protection \
	-fcf-protection=full -fPIE -fno-plt -fvisibility=hidden
HARDEN_gcc := -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr
HARDEN_clang :=
HARDEN = $(HARDEN_BOTH) $(HARDEN_$(COMPILER))
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

SAN_UB := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
MODE_release := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 $(HARDEN)
MODE_asan := -O1 -fPIE -DCW_SANITIZE=1 $(SAN_UB)
MODE_tsan := -O1 -fPIE -DCW_SANITIZE=1 -fsanitize=thread \
	-fno-omit-frame-pointer
MODE_cov  := -O0 -fPIE --coverage -fprofile-abs-path
MODE_fuzz := -O1 -fPIE -DCW_SANITIZE=1 -DCW_FUZZ=1 $(SAN_UB) \
	-fsanitize=fuzzer-no-link

# Sanitizers and counters make gcc warn of code that is not there, so all warnings
# are errors only where the code is compiled as it is written.
ifeq ($(WERROR),1)
WARN_ERROR := $(if $(filter release fuzz,$(MODE)),-Werror,\
	-Werror=frame-larger-than=$(FRAME_MAX))
endif

ifeq ($(filter $(MODE),release asan tsan cov fuzz),)
$(error unknown MODE "$(MODE)")
endif

CFLAGS_BASE = -std=c11 -g $(MODE_$(MODE))
CFLAGS_ALL  = $(CFLAGS_BASE) $(WARN) $(WARN_ERROR) $(CFLAGS)
LDFLAGS_ALL = $(HARDEN_LD) $(if $(filter release,$(MODE)),,$(filter \
	-fsanitize=% --coverage,$(filter-out %fuzzer-no-link,$(MODE_$(MODE))))) \
	$(LDFLAGS)
