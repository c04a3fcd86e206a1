/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The issuer's disks: at each message of a session the store's is full, or has
 * become read-only, or that of the signer's log. Nothing is half done, no
 * certificate leaves that is not in log and store, and when the disk is well
 * again the same session goes on.
 * TIMEOUT: 180
 */
#include <stdio.h>

#include "tests/support/disk.h"
#include "tests/support/fault_world.h"
#include "tests/support/log_file.h"

#define STORE_KIB 32768
#define LOG_KIB 1024
#define RECORD_MIN 512 /* a certificate's record is longer */

static struct cw_fault_world *world;
static struct cw_disk store_disk, log_disk;

/* ---- what happens ---- */

/* What the issuer says to the message while the disk is bad. */
struct trouble {
	const char *name;
	cw_fault_happening *happens;
	/* By message: the error it gets, CW_OK if it is answered as always. */
	enum cw_err says[CW_FAULT_STEPS];
	enum cw_err ends; /* `enroll`, where that is not CW_OK */
};

static const struct trouble *trouble;
static bool is_missed; /* it could not happen this time */

/* The message with the disk bad; its answer is for the agent. */
static enum cw_err
in_trouble(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	enum cw_err wanted = trouble->says[w->at];

	assert_err(cw_fault_send(post, post->body), CW_OK);
	if (wanted == CW_OK)
		assert_in_range(post->response->status, 200, 204);
	else
		assert_err(cw_fault_number(post->response), wanted);
	return CW_OK;
}

/* The journal has room for some steps; that they cannot go on from there the
 * sweeper notices. Then nothing more is taken, not once but as long as it
 * lasts. If the sweeper was there just before, there are no such steps. */
static enum cw_err
store_full(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	static const char noticed[] = "store.failed";
	unsigned before = cw_daemon_logged(&w->daemon, noticed);
	enum cw_err err;

	assert_true(cw_disk_fill(&store_disk));
	is_missed = trouble->says[w->at] != CW_OK &&
	    !cw_daemon_wait_logged(&w->daemon, noticed, before + 1, 10000);
	if (is_missed) {
		assert_true(cw_disk_empty(&store_disk));
		return cw_fault_send(post, post->body);
	}
	err = in_trouble(w, post);
	if (trouble->says[w->at] != CW_OK)
		err = in_trouble(w, post);
	assert_true(cw_disk_empty(&store_disk));
	return err;
}

/* The log without the room that is kept ahead of it: its last page is there,
 * however full the disk. */
static size_t
room_in_page(const struct cw_fault_world *w)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/signer/signer.log", w->daemon.dir);
	return 4096 - cw_log_file_cut(path) % 4096;
}

/* The signer stops with the first record that it cannot write; started again,
 * it stops again, ever later, until there is room. */
static enum cw_err
log_full(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	static const char died[] =
	    "child.died process=cardwrightd-signer exit=";
	unsigned before = cw_daemon_logged(&w->daemon, died);
	enum cw_err err;

	assert_true(cw_disk_fill(&log_disk));
	err = in_trouble(w, post);
	while (trouble->says[w->at] != CW_OK &&
	    !cw_daemon_wait_logged(&w->daemon, died, before + 2, 100)) {
		assert_err(cw_fault_send(post, post->body), CW_OK);
		assert_in_range(cw_fault_number(post->response),
		    CW_ERR_SIGNER_DOWN, CW_ERR_SIGNER_LOG);
	}
	assert_true(cw_disk_empty(&log_disk));
	assert_true(cw_daemon_wait(&w->daemon, CW_DAEMON_SIGNER));
	return trouble->says[w->at] == CW_OK ? err :
					       cw_fault_send(post, post->body);
}

static bool
make_read_only(void *disk)
{
	return cw_disk_set_read_only(disk, true);
}

/* As after an error of the disk: the process that wrote is gone, and the one
 * that comes after it can only read. */
static enum cw_err
read_only(struct cw_fault_world *w, const struct cw_fault_post *post,
    enum cw_daemon_process which, struct cw_disk *disk)
{
	static const char *const died[] = {
		[CW_DAEMON_WEB] = "child.died process=cardwrightd-web exit=",
		[CW_DAEMON_SIGNER] =
		    "child.died process=cardwrightd-signer exit=",
	};
	unsigned before = cw_daemon_logged(&w->daemon, died[which]);
	enum cw_err err;

	assert_true(
	    cw_daemon_kill_and(&w->daemon, which, make_read_only, disk));
	/* It was killed, and then it says itself that it cannot work. */
	assert_true(
	    cw_daemon_wait_logged(&w->daemon, died[which], before + 2, 60000));
	err = cw_fault_send(post, post->body);
	if (err == CW_OK && trouble->says[w->at] != CW_OK)
		assert_err(cw_fault_number(post->response),
		    trouble->says[w->at]);
	assert_true(cw_disk_set_read_only(disk, false));
	assert_true(cw_daemon_wait(&w->daemon, which));
	return err;
}

static enum cw_err
store_read_only(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	return read_only(w, post, CW_DAEMON_WEB, &store_disk);
}

static enum cw_err
log_read_only(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	return read_only(w, post, CW_DAEMON_SIGNER, &log_disk);
}

/* A new session waits in memory for its first step (docs/architecture.md), so
 * message 2 needs no room. The signer writes when it certifies. */
static const struct trouble troubles[] = {
	{ "the store is full", store_full,
	    { [CW_FAULT_TOKEN] = CW_ERR_STORE_FAILED,
		[CW_FAULT_KEYS] = CW_ERR_STORE_FAILED,
		[CW_FAULT_RESULT] = CW_ERR_STORE_FAILED },
	    CW_ERR_STORE_FAILED },
	{ "the signer's log is full", log_full,
	    { [CW_FAULT_KEYS] = CW_ERR_SIGNER_LOG }, CW_OK },
	{ "the store is read-only", store_read_only,
	    { [CW_FAULT_TOKEN] = CW_ERR_NO_SESSION }, CW_ERR_NO_SESSION },
	{ "the signer's log is read-only", log_read_only,
	    { [CW_FAULT_REQUEST] = CW_ERR_SIGNER_DOWN,
		[CW_FAULT_TOKEN] = CW_ERR_SIGNER_DOWN,
		[CW_FAULT_KEYS] = CW_ERR_SIGNER_DOWN },
	    CW_OK },
};

/* ---- rows ---- */

struct row {
	const struct trouble *trouble;
	enum cw_fault_step step;
	char name[96];
};

static void
the_session_goes_on(void **state)
{
	const struct row *row = *state;
	struct cw_fault_world *w = world;
	unsigned active = cw_daemon_count(&w->daemon).active;
	bool is_told = row->trouble->says[row->step] != CW_OK;
	bool resumed = false;
	enum cw_err err = CW_OK;

	w->happens = NULL;
	while (room_in_page(w) > RECORD_MIN) {
		cw_fault_card(w);
		cw_fault_invite(w, 1);
		assert_err(cw_fault_enroll(w, NULL), CW_OK);
		active++;
	}
	for (unsigned tries = 5; tries > 0; tries--) {
		cw_fault_card(w);
		cw_fault_invite(w, 1);
		trouble = row->trouble;
		w->happens = row->trouble->happens;
		w->at = row->step;
		w->is_done = is_missed = false;
		err = cw_fault_enroll(w, &resumed);
		assert_true(w->is_done);
		if (!is_missed)
			break;
		assert_err(err, CW_OK);
		active++;
	}
	assert_false(is_missed);
	/* The store may have had the time to write a new session down. */
	if (err != CW_OK) {
		assert_err(err, is_told ? row->trouble->ends : CW_OK);
		assert_certificates(w, active, row->step == CW_FAULT_RESULT);
		err = cw_fault_enroll(w, &resumed);
		assert_true(
		    resumed == (row->trouble->ends != CW_ERR_NO_SESSION));
	}
	assert_err(err, CW_OK);
	assert_certificates(w, active + 1, 0);
}

/* Whatever became of the row before. */
static int
restart(void **state)
{
	(void)state;
	(void)cw_disk_set_read_only(&store_disk, false);
	(void)cw_disk_set_read_only(&log_disk, false);
	(void)cw_disk_empty(&store_disk);
	(void)cw_disk_empty(&log_disk);
	return cw_daemon_restart(&world->daemon) ? 0 : -1;
}

static bool
put_on_disks(struct cw_fault_world *w)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/state", w->daemon.dir);
	if (!cw_disk_mount(&store_disk, path, STORE_KIB))
		return false;
	snprintf(path, sizeof(path), "%s/signer", w->daemon.dir);
	return cw_disk_mount(&log_disk, path, LOG_KIB);
}

static int
setup(void **state)
{
	(void)state;
	world = cw_fault_world_new("", put_on_disks);
	return world == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_disk_unmount(&store_disk);
	cw_disk_unmount(&log_disk);
	cw_fault_world_free(world);
	return 0;
}

int
main(void)
{
	static struct row rows[COUNT(troubles) * CW_FAULT_STEPS];
	struct CMUnitTest tests[COUNT(rows)];
	const char *why;
	size_t n = 0;

	if (!cw_disk_namespace(&why)) {
		printf("1..0 # SKIP %s\n", why);
		return 0;
	}
	memset(tests, 0, sizeof(tests));
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct row *row = &rows[n];

		row->trouble = &troubles[i / CW_FAULT_STEPS];
		row->step = (enum cw_fault_step)(i % CW_FAULT_STEPS);
		if (row->step == CW_FAULT_JOIN)
			continue;
		snprintf(row->name, sizeof(row->name),
		    "at message %u %s, and then the session goes on",
		    2 * (unsigned)row->step, row->trouble->name);
		tests[n].name = row->name;
		tests[n].test_func = the_session_goes_on;
		tests[n].setup_func = restart;
		tests[n].initial_state = row;
		n++;
	}
	return _cmocka_run_group_tests("disks", tests, n, setup, teardown);
}
