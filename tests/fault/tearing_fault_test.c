/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card's process killed at every system call, and at every byte, by which
 * it replaces its state file: the state is before or after, never between; no
 * retry counter rises and no result counter falls.
 * TIMEOUT: 240
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "card/inner.h"
#include "proto/base/fdio.h"
#include "tests/support/check.h"
#include "tests/support/issuer.h"

/* Bytes from one kill to the next: sanitizers make processes slow. */
#ifdef CW_SANITIZE
#define STRIDE 211
#else
#define STRIDE 1
#endif

#define KILLED 9
#define SLOT 0x9A

/* ---- the end at the n-th event ---- */

static long events = -1; /* left until the end; below 0: never */

static void
count(void)
{
	if (events == 0)
		_exit(KILLED);
	if (events > 0)
		events--;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
int
__wrap_open(const char *path, int flags, mode_t mode)
{
	count();
	return __real_open(path, flags, mode);
}

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int
__wrap_rename(const char *from, const char *to)
{
	count();
	return __real_rename(from, to);
}

int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int
__wrap_unlink(const char *path)
{
	count();
	return __real_unlink(path);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
	count();
	return __real_fsync(fd);
}

/* Every byte is an event of its own. */
ssize_t __real_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	if (events >= 0 && (size_t)events < len) {
		(void)!__real_write(fd, bytes, (size_t)events);
		_exit(KILLED);
	}
	if (events >= 0)
		events -= (long)len;
	return __real_write(fd, bytes, len);
}

/* ---- a card in a file ---- */

struct world {
	char folder[32], path[64];
	struct cw_test_vendor vendor;
	struct cw_card *card;
	struct cw_test_wire wire;
	struct cw_test_issuer issuer;
	struct cw_buf before; /* the file */
};

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	const struct world *w = ctx;

	cw_buf_reset(response);
	cw_card_transmit(w->card, command, response);
}

static void
open_card(struct world *w)
{
	const struct cw_card_config config = { .state_path = w->path };

	assert_err(cw_card_open(&config, &w->card), CW_OK);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct cw_buf personalisation;

	assert_non_null(w);
	/* In memory where there is such a folder: nobody waits for a disk. */
	snprintf(w->folder, sizeof(w->folder), "%s/w.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/state", w->folder);
	cw_buf_init(&w->before, CW_CARD_STORAGE_MAX);
	cw_buf_init(&personalisation, 65536);
	cw_test_vendor_init(&w->vendor);
	open_card(w);
	cw_test_personalisation(&w->vendor, &personalisation);
	assert_err(cw_card_personalise(w->card, cw_buf_bytes(&personalisation)),
	    CW_OK);
	cw_buf_wipe(&personalisation);
	w->wire = (struct cw_test_wire){ transmit, w };
	cw_test_issuer_init(&w->issuer, &w->wire);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "", ".lock", ".new" };
	char path[96];

	cw_card_free(&w->card);
	cw_test_issuer_wipe(&w->issuer);
	cw_test_vendor_wipe(&w->vendor);
	cw_buf_wipe(&w->before);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s%s", w->path, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(w->folder), 0);
	free(w);
	return 0;
}

/* ---- killing ---- */

/* In a process of its own: the card hears the command, and ends at the n-th
 * event. True if it came to its end. */
static bool
finishes(struct world *w, long n, void (*command)(struct world *w))
{
	int status;
	pid_t child;

	assert_err(cw_file_store(w->path, cw_buf_bytes(&w->before), 0600),
	    CW_OK);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		events = n;
		command(w);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == KILLED);
	return WEXITSTATUS(status) == 0;
}

/* Kills at every event; `check` looks at what the file holds then. (That a card
 * goes on from before and from after is card_power_test's matter.) */
static void
kill_everywhere(struct world *w, void (*command)(struct world *w),
    void (*check)(const struct cw_card_state *state, bool answered))
{
	struct cw_card_state *left;
	struct cw_buf bytes;
	bool finished = false;
	long n;

	cw_buf_reset(&w->before);
	cw_buf_init(&bytes, CW_CARD_STORAGE_MAX);
	assert_err(cw_file_load(w->path, &w->before), CW_OK);
	for (n = 0; !finished; n += STRIDE) {
		finished = finishes(w, n, command);
		cw_buf_reset(&bytes);
		assert_err(cw_file_load(w->path, &bytes), CW_OK);
		assert_err(cw_card_state_decode(cw_buf_bytes(&bytes), &left),
		    CW_OK);
		check(left, finished);
		cw_card_state_free(&left);
	}
	cw_buf_wipe(&bytes);
	print_message("# killed at every %d bytes of %ld\n", STRIDE, n);
	assert_true(n > 1000);
}

/* ---- a try ---- */

static void
try_wrong_pin(struct world *w)
{
	cw_test_select_provisioning(&w->wire);
	cw_test_verify(&w->wire, "480726");
}

static void
has_counted(const struct cw_card_state *s, bool answered)
{
	unsigned tries = s->pin.tries;

	assert_true(tries == 2 || (tries == 3 && !answered));
}

static void
a_try_is_counted_or_was_not_made(void **state)
{
	struct world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, SLOT), CW_OK);
	kill_everywhere(w, try_wrong_pin, has_counted);
}

/* ---- CLOSE ---- */

static uint64_t counter_before;

static void
send_close(struct world *w)
{
	cw_test_select_provisioning(&w->wire);
	(void)cw_test_issuer_send(&w->issuer, cw_buf_bytes(&w->issuer.command));
}

static void
is_before_or_after(const struct cw_card_state *s, bool answered)
{
	bool committed = cw_card_find_slot(&s->objects, SLOT) != NULL;
	uint64_t counter = s->n_counters > 0 ? s->counters[0].value : 0;
	const struct cw_card_session *last = s->sessions;

	while (last != NULL && last->next != NULL)
		last = last->next;

	assert_true(committed || !answered);
	assert_true(committed == cw_card_pin_is_set(&s->pin));
	assert_true(committed == cw_card_pin_is_set(&s->puk));
	assert_int_equal(counter, counter_before + committed);
	assert_non_null(last);
	assert_int_equal(last->state,
	    committed ? CW_SESSION_CLOSED : CW_SESSION_OPEN);
}

static void
close_takes_effect_whole_or_not_at_all(void **state)
{
	const struct cw_command close = { .no = CW_CLOSE, .last = true };
	const struct cw_create_key key = { .id = 7,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.slot = SLOT };
	struct world *w = *state;
	struct cw_public_key made;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	counter_before = w->card->state->counters[0].value;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(&w->issuer, &key, true, &made),
	    CW_OK);
	assert_err(cw_test_issuer_certify(&w->issuer, 7, &made), CW_OK);
	assert_err(cw_test_issuer_seal(&w->issuer, &close), CW_OK);
	kill_everywhere(w, send_close, is_before_or_after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_try_is_counted_or_was_not_made, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    close_takes_effect_whole_or_not_at_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
