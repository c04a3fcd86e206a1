/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step × fault: the real issuer (its processes, TLS, store, signer's log), the
 * agent's core and the reference card; at one step one thing goes wrong. After
 * each either the same session goes on, or it is dead on both ends and a new
 * one works; no certificate is active without a verified result, and none that
 * was confirmed is lost.
 * TIMEOUT: 180
 */
#include <stdio.h>

#include "tests/support/fault_world.h"

struct fault {
	const char *name;
	cw_fault_happening *happens;
	unsigned steps;  /* bits: where it makes sense */
	enum cw_err err; /* how `enroll` ends; if not well, it is run again */
	enum cw_err
	    number;    /* what the issuer says first; CW_OK: another thing */
	unsigned lost; /* bits: steps at which it ends with NO_SESSION: what was
	                * not committed yet may be lost in a crash */
};

static struct cw_fault_world *world;

static const char *const step_names[CW_FAULT_STEPS] = { "invitation", "2 to 3",
	"4 to 5", "6 to 7", "8" };

/* ---- messages that are not what they should be ---- */

static enum cw_err row_number; /* of the row that is being run */

/* The issuer must refuse it with the row's number, and answer the true message
 * afterwards as if nothing had been. */
static enum cw_err
bad_then_good(const struct cw_fault_post *post, struct cw_bytes bad)
{
	assert_err(cw_fault_send(post, bad), CW_OK);
	assert_err(cw_fault_number(post->response), row_number);
	return cw_fault_send(post, post->body);
}

/* A copy with room for more. */
static struct cw_buf
copy(struct cw_bytes body)
{
	struct cw_buf b;

	cw_buf_init(&b, 1 << 20);
	cw_buf_put(&b, body);
	return b;
}

static enum cw_err
with(const struct cw_fault_post *post, struct cw_buf *bad)
{
	enum cw_err err = bad_then_good(post, cw_buf_bytes(bad));

	cw_buf_wipe(bad);
	return err;
}

static enum cw_err
truncated(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	return bad_then_good(post,
	    cw_bytes(post->body.ptr, post->body.len - 1));
}

static enum cw_err
trailing(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf bad = copy(post->body);

	(void)w;
	cw_buf_put_u8(&bad, 0);
	return with(post, &bad);
}

static enum cw_err
oversized(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf bad = copy(post->body);
	uint8_t *more = cw_buf_extend(&bad, CW_BODY_MAX + 1 - post->body.len);

	(void)w;
	memset(more, 0, CW_BODY_MAX + 1 - post->body.len);
	return with(post, &bad);
}

/* The head of the outer map or array in two bytes where one does. */
static enum cw_err
longer_form(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf bad;

	(void)w;
	cw_buf_init(&bad, CW_BODY_MAX);
	cw_buf_put_u8(&bad, (post->body.ptr[0] & 0xe0) | 24);
	cw_buf_put_u8(&bad, post->body.ptr[0] & 0x1f);
	cw_buf_put(&bad, cw_bytes(post->body.ptr + 1, post->body.len - 1));
	return with(post, &bad);
}

/* The message with one field more that a receiver ignores, if it is well formed
 * (docs/protocol.md 2); message 4 is no map and has room for none. */
static struct cw_buf
extended(const struct cw_fault_post *post, struct cw_bytes item)
{
	struct cw_buf b = copy(post->body);

	if (b.ptr[0] >> 5 == 5) {
		b.ptr[0]++;
		cw_buf_put_u8(&b, 0x20); /* -1 */
	} else {
		cw_buf_reset(&b);
	}
	cw_buf_put(&b, item);
	return b;
}

static void
must_refuse(const struct cw_fault_post *post, struct cw_bytes item,
    enum cw_err wanted)
{
	struct cw_buf bad = extended(post, item);

	assert_err(cw_fault_send(post, cw_buf_bytes(&bad)), CW_OK);
	assert_err(cw_fault_number(post->response), wanted);
	cw_buf_wipe(&bad);
}

static enum cw_err
deeply_nested(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	uint8_t levels[40000];

	(void)w;
	memset(levels, 0x81, sizeof(levels));
	must_refuse(post, CW_BYTES_ARRAY(levels), row_number);
	return cw_fault_send(post, post->body);
}

/* Arrays and strings of a length that nobody has. */
static enum cw_err
length_bomb(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	static const uint8_t bombs[][10] = {
		{ 0x9a, 0x7f, 0xff, 0xff, 0xff },
		{ 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x5a, 0x7f, 0xff, 0xff, 0xff },
		{ 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};

	(void)w;
	for (size_t i = 0; i < COUNT(bombs); i++)
		must_refuse(post, CW_BYTES_ARRAY(bombs[i]),
		    post->body.ptr[0] >> 5 == 4 && bombs[i][0] >> 5 == 5 ?
			CW_ERR_WRONG_STEP : /* a map is no message 4 */
			row_number);
	return cw_fault_send(post, post->body);
}

static enum cw_err
empty(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	return bad_then_good(post, CW_BYTES_NONE);
}

/* The last byte: of a tag, a hash or a text. */
static enum cw_err
changed(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf bad = copy(post->body);

	(void)w;
	bad.ptr[bad.len - 1] ^= 1;
	return with(post, &bad);
}

/* A field of a later version, which must be ignored. */
static enum cw_err
extension(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	static const uint8_t item[] = { 0x81, 0x63, 'n', 'e', 'w' };
	struct cw_buf more = extended(post, CW_BYTES_ARRAY(item));
	enum cw_err err = cw_fault_send(post, cw_buf_bytes(&more));

	(void)w;
	cw_buf_wipe(&more);
	assert_err(err, CW_OK);
	assert_in_range(post->response->status, 200, 204);
	return CW_OK;
}

/* ---- messages in the wrong place ---- */

/* The same bytes twice get the same answer, byte for byte. */
static enum cw_err
repeated(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf first;
	enum cw_err err = cw_fault_send(post, post->body);

	(void)w;
	assert_err(err, CW_OK);
	first = copy(cw_buf_bytes(&post->response->body));
	assert_err(cw_fault_send(post, post->body), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&post->response->body)));
	cw_buf_wipe(&first);
	return CW_OK;
}

/* The message of the step before again: its own answer, and nothing moves. */
static enum cw_err
replayed(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	assert_err(cw_fault_send(post, cw_buf_bytes(&w->old)), CW_OK);
	assert_int_equal(post->response->status, 200);
	return cw_fault_send(post, post->body);
}

/* A message of another kind than this step's. */
static enum cw_err
out_of_order(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	static const uint8_t replies[] = { 0xa1, 0x00, 0x81, 0x41, 0x00 };

	(void)w;
	return bad_then_good(post, CW_BYTES_ARRAY(replies));
}

/* ---- what gets lost ---- */

static enum cw_err
request_lost(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	(void)post;
	return CW_ERR_NETWORK_TIMEOUT;
}

static enum cw_err
answer_lost(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	assert_err(cw_fault_send(post, post->body), CW_OK);
	return CW_ERR_NETWORK_TIMEOUT;
}

/* ---- what gets killed ---- */

static enum cw_err
kill_before(struct cw_fault_world *w, enum cw_daemon_process which,
    const struct cw_fault_post *post)
{
	assert_true(cw_daemon_kill(&w->daemon, which));
	return cw_fault_send(post, post->body);
}

static enum cw_err
kill_after(struct cw_fault_world *w, enum cw_daemon_process which,
    const struct cw_fault_post *post)
{
	assert_err(cw_fault_send(post, post->body), CW_OK);
	assert_true(cw_daemon_kill(&w->daemon, which));
	return CW_ERR_NO_CONNECTION; /* the answer was on its way */
}

#define KILLS(name, which)                                                \
	static enum cw_err name##_killed_before(struct cw_fault_world *w, \
	    const struct cw_fault_post *post)                             \
	{                                                                 \
		return kill_before(w, which, post);                       \
	}                                                                 \
	static enum cw_err name##_killed_after(struct cw_fault_world *w,  \
	    const struct cw_fault_post *post)                             \
	{                                                                 \
		return kill_after(w, which, post);                        \
	}

KILLS(web, CW_DAEMON_WEB)
KILLS(signer, CW_DAEMON_SIGNER)
KILLS(issuer, CW_DAEMON_ALL)

/* The agent's process is gone, before or after its POST; the card stays. */
static enum cw_err
agent_killed_before(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	(void)post;
	return CW_ERR_INTERNAL;
}

static enum cw_err
agent_killed_after(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	assert_err(cw_fault_send(post, post->body), CW_OK);
	return CW_ERR_INTERNAL;
}

/* And the card loses its power at the same time. */
static enum cw_err
power_lost(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	assert_err(cw_fault_send(post, post->body), CW_OK);
	cw_test_card_power_cycle(&w->card);
	return CW_ERR_INTERNAL;
}

#define IN(step) (1u << CW_FAULT_##step)
#define MESSAGES (IN(REQUEST) | IN(TOKEN) | IN(KEYS) | IN(RESULT))

static const struct fault faults[] = {
	{ "truncated", truncated, MESSAGES, CW_OK, CW_ERR_TRUNCATED, 0 },
	{ "a byte behind it", trailing, MESSAGES, CW_OK, CW_ERR_TRAILING, 0 },
	{ "oversized", oversized, MESSAGES, CW_OK, CW_ERR_TOO_LARGE, 0 },
	{ "a longer form of CBOR", longer_form, MESSAGES, CW_OK,
	    CW_ERR_NOT_DETERMINISTIC, 0 },
	{ "deeply nested", deeply_nested, MESSAGES & ~IN(TOKEN), CW_OK,
	    CW_ERR_TOO_DEEP, 0 },
	{ "deeply nested", deeply_nested, IN(TOKEN), CW_OK, CW_ERR_OUT_OF_RANGE,
	    0 },
	{ "a length bomb", length_bomb, MESSAGES, CW_OK, CW_ERR_TRUNCATED, 0 },
	{ "empty", empty, MESSAGES, CW_OK, CW_ERR_MEDIA_TYPE, 0 },
	{ "a field of a later version", extension,
	    IN(REQUEST) | IN(KEYS) | IN(RESULT), CW_OK, CW_OK, 0 },
	/* Message 2 is not secret: a changed one is another message 2. */
	{ "one bit changed", changed, IN(TOKEN) | IN(KEYS) | IN(RESULT), CW_OK,
	    CW_ERR_BAD_CIPHERTEXT, 0 },
	{ "repeated", repeated, IN(TOKEN) | IN(KEYS) | IN(RESULT), CW_OK, CW_OK,
	    0 },
	{ "the message before, replayed", replayed, IN(KEYS) | IN(RESULT),
	    CW_OK, CW_OK, 0 },
	{ "another step's message", out_of_order, IN(REQUEST), CW_OK,
	    CW_ERR_WRONG_TYPE, 0 },
	{ "another step's message", out_of_order, IN(TOKEN), CW_OK,
	    CW_ERR_WRONG_STEP, 0 },
	{ "request lost", request_lost, MESSAGES, CW_OK, CW_OK, 0 },
	{ "request lost", request_lost, IN(JOIN), CW_ERR_NETWORK_TIMEOUT, CW_OK,
	    0 },
	{ "answer lost", answer_lost, MESSAGES, CW_OK, CW_OK, 0 },
	{ "answer lost", answer_lost, IN(JOIN), CW_ERR_NETWORK_TIMEOUT, CW_OK,
	    0 },
	{ "web killed before", web_killed_before, MESSAGES, CW_OK, CW_OK,
	    IN(TOKEN) },
	{ "web killed after", web_killed_after, MESSAGES, CW_OK, CW_OK, 0 },
	{ "signer killed before", signer_killed_before, MESSAGES, CW_OK, CW_OK,
	    0 },
	{ "signer killed after", signer_killed_after, MESSAGES, CW_OK, CW_OK,
	    0 },
	{ "issuer killed before", issuer_killed_before, MESSAGES, CW_OK, CW_OK,
	    IN(TOKEN) },
	{ "issuer killed after", issuer_killed_after, MESSAGES, CW_OK, CW_OK,
	    0 },
	{ "agent killed before", agent_killed_before, MESSAGES, CW_ERR_INTERNAL,
	    CW_OK, 0 },
	{ "agent killed after", agent_killed_after, MESSAGES, CW_ERR_INTERNAL,
	    CW_OK, 0 },
	{ "agent killed, card without power", power_lost, MESSAGES,
	    CW_ERR_INTERNAL, CW_OK, 0 },
};

/* What must hold whatever went wrong: one certificate more is active, the one
 * that the card confirmed; nothing is left pending by the session that ended. */
static void
check_row(struct cw_fault_world *w, const struct fault *fault,
    enum cw_fault_step step)
{
	const struct cw_daemon_count before = cw_daemon_count(&w->daemon);
	unsigned active = before.active;
	unsigned pending = before.pending;
	enum cw_err wanted =
	    (fault->lost & 1u << step) != 0 ? CW_ERR_NO_SESSION : fault->err;
	bool resumed = false;
	enum cw_err err;

	cw_fault_card(w);
	cw_fault_invite(w, 1);
	row_number = fault->number;
	w->happens = fault->happens;
	w->at = step;
	w->is_done = false;
	err = cw_fault_enroll(w, &resumed);
	assert_true(w->is_done);
	/* The store may have had the time to write a new session down. */
	if (err == CW_OK && wanted == CW_ERR_NO_SESSION)
		wanted = CW_OK;
	if (wanted != CW_OK) {
		assert_err(err, wanted);
		/* Until the result is verified nothing is active. */
		if (step < CW_FAULT_RESULT ||
		    fault->happens == agent_killed_before)
			assert_int_equal(cw_daemon_count(&w->daemon).active,
			    active);
		err = cw_fault_enroll(w, &resumed);
		/* From message 4 on the card takes the session up again, if
		 * the issuer still has it. */
		assert_true(resumed ==
		    (step >= CW_FAULT_TOKEN && wanted != CW_ERR_NO_SESSION));
	}
	assert_err(err, CW_OK);
	assert_certificates(w, active + 1, pending);
}

struct row {
	const struct fault *fault;
	enum cw_fault_step step;
	char name[96];
};

static void
one_session_survives(void **state)
{
	const struct row *row = *state;

	check_row(world, row->fault, row->step);
}

/* A process that died often is started again ever later: not in the next row. */
static int
restart(void **state)
{
	(void)state;
	return cw_daemon_restart(&world->daemon) ? 0 : -1;
}

static int
setup(void **state)
{
	(void)state;
	world = cw_fault_world_new("", NULL);
	return world == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_fault_world_free(world);
	return 0;
}

int
main(void)
{
	static struct row rows[COUNT(faults) * CW_FAULT_STEPS];
	struct CMUnitTest tests[COUNT(rows)];
	size_t n = 0;

	memset(tests, 0, sizeof(tests));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fault *fault = &faults[i / CW_FAULT_STEPS];
		enum cw_fault_step step =
		    (enum cw_fault_step)(i % CW_FAULT_STEPS);

		if ((fault->steps & 1u << step) == 0)
			continue;
		rows[n].fault = fault;
		rows[n].step = step;
		snprintf(rows[n].name, sizeof(rows[n].name), "message %s: %s",
		    step_names[step], fault->name);
		tests[n].name = rows[n].name;
		tests[n].test_func = one_session_survives;
		tests[n].initial_state = &rows[n];
		if (strstr(fault->name, "killed") != NULL)
			tests[n].setup_func = restart;
		n++;
	}
	return _cmocka_run_group_tests("session × fault", tests, n, setup,
	    teardown);
}
