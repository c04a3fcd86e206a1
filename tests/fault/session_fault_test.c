/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step × fault: the real issuer (its processes, TLS, store, signer's log), the
 * agent's core and the reference card; at one step one thing goes wrong. After
 * each either the same session goes on, or it is dead on both ends and a new
 * one works; no certificate is active without a verified result, and none that
 * was confirmed is lost.
 * TIMEOUT: 600
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/enroll.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/problem.h"
#include "tests/support/check.h"
#include "tests/support/daemon.h"
#include "tests/support/reader_local.h"

/* What the wrapped functions stand for; the linker gives them these names. */
enum cw_err __real_cw_net_post(struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response);
enum cw_err __wrap_cw_net_post(struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response);

/* The POSTs of a session, in order. */
enum step { JOIN, REQUEST, TOKEN, KEYS, RESULT, STEPS };

static const char *const step_names[STEPS] = { "invitation", "2 to 3", "4 to 5",
	"6 to 7", "8" };

struct world {
	struct cw_daemon daemon;
	struct cw_test_card card;
	struct cw_local_reader reader;
	struct cw_pin_entry person;
	struct cw_known known;
	struct cw_clock clock;
	char folder[64];
	char invitation[512];
	/* the fault */
	enum step at;
	const struct fault *fault;
	bool is_done; /* it has happened */
	enum step step;
	struct cw_buf old; /* the last message that was answered */
};

/*
 * Happens instead of the POST of the step; does the real one itself, or leaves
 * it out. Fails the test when the issuer does what it must not do.
 */
typedef enum cw_err happening(struct world *w, struct cw_net *net,
    const char *url, struct cw_bytes body, struct cw_net_response *response);

struct fault {
	const char *name;
	happening *happens;
	unsigned steps;  /* bits: where it makes sense */
	enum cw_err err; /* how `enroll` ends; if not well, it is run again */
	unsigned lost; /* bits: steps at which it ends with NO_SESSION: what was
	                  * not committed yet may be lost in a crash */
};

static struct world *world;

/* ---- messages that are not what they should be ---- */

/* The issuer must refuse it with a numbered error, and answer the true message
 * afterwards as if nothing had been. */
static enum cw_err
bad_then_good(struct cw_net *net, const char *url, struct cw_bytes bad,
    struct cw_bytes good, struct cw_net_response *response)
{
	enum cw_err number;

	assert_err(__real_cw_net_post(net, url, bad, response), CW_OK);
	assert_in_range(response->status, 400, 507);
	assert_true(response->is_problem);
	assert_err(cw_problem_decode(cw_buf_bytes(&response->body), &number),
	    CW_OK);
	assert_int_not_equal(number, CW_ERR_PEER_UNKNOWN);
	assert_int_not_equal(number, CW_ERR_INTERNAL);
	return __real_cw_net_post(net, url, good, response);
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
with(struct cw_net *net, const char *url, struct cw_buf *bad,
    struct cw_bytes good, struct cw_net_response *response)
{
	enum cw_err err =
	    bad_then_good(net, url, cw_buf_bytes(bad), good, response);

	cw_buf_wipe(bad);
	return err;
}

static enum cw_err
truncated(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	return bad_then_good(net, url, cw_bytes(body.ptr, body.len - 1), body,
	    response);
}

static enum cw_err
trailing(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	struct cw_buf bad = copy(body);

	(void)w;
	cw_buf_put_u8(&bad, 0);
	return with(net, url, &bad, body, response);
}

static enum cw_err
oversized(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	struct cw_buf bad = copy(body);
	uint8_t *more = cw_buf_extend(&bad, CW_BODY_MAX + 1 - body.len);

	(void)w;
	memset(more, 0, CW_BODY_MAX + 1 - body.len);
	return with(net, url, &bad, body, response);
}

/* The head of the outer map or array in two bytes where one does. */
static enum cw_err
longer_form(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	struct cw_buf bad;

	(void)w;
	cw_buf_init(&bad, CW_BODY_MAX);
	cw_buf_put_u8(&bad, (body.ptr[0] & 0xe0) | 24);
	cw_buf_put_u8(&bad, body.ptr[0] & 0x1f);
	cw_buf_put(&bad, cw_bytes(body.ptr + 1, body.len - 1));
	return with(net, url, &bad, body, response);
}

static enum cw_err
deeply_nested(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	uint8_t bad[40000];

	(void)w;
	memset(bad, 0x81, sizeof(bad));
	return bad_then_good(net, url, CW_BYTES_ARRAY(bad), body, response);
}

static enum cw_err
length_bomb(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	static const uint8_t bad[] = { 0x9b, 0, 0, 0, 0, 0x10, 0, 0, 0 };

	(void)w;
	return bad_then_good(net, url, CW_BYTES_ARRAY(bad), body, response);
}

static enum cw_err
empty(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	return bad_then_good(net, url, CW_BYTES_NONE, body, response);
}

/* The last byte: of a tag, a hash or a text. */
static enum cw_err
changed(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	struct cw_buf bad = copy(body);

	(void)w;
	bad.ptr[bad.len - 1] ^= 1;
	return with(net, url, &bad, body, response);
}

/* ---- messages in the wrong place ---- */

/* The same bytes twice get the same answer, byte for byte. */
static enum cw_err
repeated(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	struct cw_buf first;
	enum cw_err err = __real_cw_net_post(net, url, body, response);

	(void)w;
	assert_err(err, CW_OK);
	first = copy(cw_buf_bytes(&response->body));
	assert_err(__real_cw_net_post(net, url, body, response), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&response->body)));
	cw_buf_wipe(&first);
	return CW_OK;
}

/* The message of the step before again: its own answer, and nothing moves. */
static enum cw_err
replayed(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	assert_err(__real_cw_net_post(net, url, cw_buf_bytes(&w->old),
		       response),
	    CW_OK);
	assert_int_equal(response->status, 200);
	return __real_cw_net_post(net, url, body, response);
}

/* A message of another kind than this step's. */
static enum cw_err
out_of_order(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	static const uint8_t replies[] = { 0xa1, 0x00, 0x81, 0x41, 0x00 };

	(void)w;
	return bad_then_good(net, url, CW_BYTES_ARRAY(replies), body, response);
}

/* ---- what gets lost ---- */

static enum cw_err
request_lost(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	(void)net;
	(void)url;
	(void)body;
	(void)response;
	return CW_ERR_NETWORK_TIMEOUT;
}

static enum cw_err
answer_lost(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	assert_err(__real_cw_net_post(net, url, body, response), CW_OK);
	return CW_ERR_NETWORK_TIMEOUT;
}

/* ---- what gets killed ---- */

static enum cw_err
kill_before(struct world *w, enum cw_daemon_process which, struct cw_net *net,
    const char *url, struct cw_bytes body, struct cw_net_response *response)
{
	assert_true(cw_daemon_kill(&w->daemon, which));
	return __real_cw_net_post(net, url, body, response);
}

static enum cw_err
kill_after(struct world *w, enum cw_daemon_process which, struct cw_net *net,
    const char *url, struct cw_bytes body, struct cw_net_response *response)
{
	assert_err(__real_cw_net_post(net, url, body, response), CW_OK);
	assert_true(cw_daemon_kill(&w->daemon, which));
	return CW_ERR_NO_CONNECTION; /* the answer was on its way */
}

#define KILLS(name, which)                                              \
	static enum cw_err name##_killed_before(struct world *w,        \
	    struct cw_net *net, const char *url, struct cw_bytes body,  \
	    struct cw_net_response *response)                           \
	{                                                               \
		return kill_before(w, which, net, url, body, response); \
	}                                                               \
	static enum cw_err name##_killed_after(struct world *w,         \
	    struct cw_net *net, const char *url, struct cw_bytes body,  \
	    struct cw_net_response *response)                           \
	{                                                               \
		return kill_after(w, which, net, url, body, response);  \
	}

KILLS(web, CW_DAEMON_WEB)
KILLS(signer, CW_DAEMON_SIGNER)
KILLS(issuer, CW_DAEMON_ALL)

/* The agent's process is gone, before or after its POST; the card stays. */
static enum cw_err
agent_killed_before(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	(void)net;
	(void)url;
	(void)body;
	(void)response;
	return CW_ERR_INTERNAL;
}

static enum cw_err
agent_killed_after(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	(void)w;
	assert_err(__real_cw_net_post(net, url, body, response), CW_OK);
	return CW_ERR_INTERNAL;
}

/* And the card loses its power at the same time. */
static enum cw_err
power_lost(struct world *w, struct cw_net *net, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
{
	assert_err(__real_cw_net_post(net, url, body, response), CW_OK);
	cw_test_card_power_cycle(&w->card);
	return CW_ERR_INTERNAL;
}

#define IN(step) (1u << (step))
#define MESSAGES (IN(REQUEST) | IN(TOKEN) | IN(KEYS) | IN(RESULT))

static const struct fault faults[] = {
	{ "truncated", truncated, MESSAGES, CW_OK, 0 },
	{ "a byte behind it", trailing, MESSAGES, CW_OK, 0 },
	{ "oversized", oversized, MESSAGES, CW_OK, 0 },
	{ "a longer form of CBOR", longer_form, MESSAGES, CW_OK, 0 },
	{ "deeply nested", deeply_nested, MESSAGES, CW_OK, 0 },
	{ "a length bomb", length_bomb, MESSAGES, CW_OK, 0 },
	{ "empty", empty, MESSAGES, CW_OK, 0 },
	/* Message 2 is not secret: a changed one is another message 2. */
	{ "one bit changed", changed, IN(TOKEN) | IN(KEYS) | IN(RESULT), CW_OK,
	    0 },
	{ "repeated", repeated, IN(TOKEN) | IN(KEYS) | IN(RESULT), CW_OK, 0 },
	{ "the message before, replayed", replayed, IN(KEYS) | IN(RESULT),
	    CW_OK, 0 },
	{ "another step's message", out_of_order, IN(REQUEST) | IN(TOKEN),
	    CW_OK, 0 },
	{ "request lost", request_lost, MESSAGES, CW_OK, 0 },
	{ "request lost", request_lost, IN(JOIN), CW_ERR_NETWORK_TIMEOUT, 0 },
	{ "answer lost", answer_lost, MESSAGES, CW_OK, 0 },
	{ "answer lost", answer_lost, IN(JOIN), CW_ERR_NETWORK_TIMEOUT, 0 },
	{ "web killed before", web_killed_before, MESSAGES, CW_OK, IN(TOKEN) },
	{ "web killed after", web_killed_after, MESSAGES, CW_OK, 0 },
	{ "signer killed before", signer_killed_before, MESSAGES, CW_OK, 0 },
	{ "signer killed after", signer_killed_after, MESSAGES, CW_OK, 0 },
	{ "issuer killed before", issuer_killed_before, MESSAGES, CW_OK,
	    IN(TOKEN) },
	{ "issuer killed after", issuer_killed_after, MESSAGES, CW_OK, 0 },
	{ "agent killed before", agent_killed_before, MESSAGES, CW_ERR_INTERNAL,
	    0 },
	{ "agent killed after", agent_killed_after, MESSAGES, CW_ERR_INTERNAL,
	    0 },
	{ "agent killed, card without power", power_lost, MESSAGES,
	    CW_ERR_INTERNAL, 0 },
};

/* ---- the wire ---- */

static enum step
step_of(const struct world *w, const char *url)
{
	if (strstr(url, "/i/") != NULL)
		return JOIN;
	if (strcmp(url + strlen(w->daemon.url), "/session") == 0)
		return REQUEST;
	return w->step < REQUEST ? TOKEN : w->step + 1;
}

enum cw_err
__wrap_cw_net_post(struct cw_net *net, const char *url, struct cw_bytes body,
    struct cw_net_response *response)
{
	struct world *w = world;
	enum step step = step_of(w, url);
	enum cw_err err;

	if (!w->is_done && step == w->at) {
		w->is_done = true;
		err = w->fault->happens(w, net, url, body, response);
	} else {
		err = __real_cw_net_post(net, url, body, response);
	}
	if (err == CW_OK && response->status < 300) {
		w->step = step;
		cw_buf_reset(&w->old);
		cw_buf_put(&w->old, body);
	}
	return err;
}

/* ---- the world ---- */

static enum cw_err
person_ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	const char *value = prompt->what == CW_PIN_PUK ? "31415926" : "271828";

	(void)entry;
	out->len = strlen(value);
	memcpy(out->bytes, value, out->len);
	return CW_OK;
}

static void
person_close(struct cw_pin_entry *entry)
{
	(void)entry;
}

static enum cw_err
accept(void *ctx, const struct cw_consent *consent)
{
	(void)ctx;
	(void)consent;
	return CW_OK;
}

/* A card that this issuer's vendor made, blank. */
static void
new_card(struct world *w)
{
	memset(&w->card, 0, sizeof(w->card));
	cw_test_storage_init(&w->card.storage);
	w->card.config.storage = &w->card.storage.ops;
	assert_err(cw_card_open(&w->card.config, &w->card.card), CW_OK);
	assert_err(cw_card_personalise(w->card.card,
		       cw_buf_bytes(&w->daemon.personalisation)),
	    CW_OK);
	cw_local_reader_init(&w->reader, &w->card);
}

static int
setup(void **state)
{
	const char *build = getenv("BUILD");
	struct world *w = calloc(1, sizeof(*w));
	char path[96];

	if (w == NULL || !cw_secret_process_init() ||
	    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return -1;
	cw_log_set_level(CW_LOG_ERROR);
	world = w;
	(void)state;
	w->person = (struct cw_pin_entry){ .ask = person_ask,
		.close = person_close,
		.can_repeat = true,
		.name = "test" };
	w->clock = cw_clock_system();
	cw_buf_init(&w->old, CW_BODY_MAX);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-fault.XXXXXX");
	if (mkdtemp(w->folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/issuers", w->folder);
	if (cw_known_init(&w->known, path) != CW_OK)
		return -1;
	return cw_daemon_start(&w->daemon, build == NULL ? "build" : build, -1,
		   "") ?
	    0 :
	    -1;
}

static int
teardown(void **state)
{
	struct world *w = world;
	char path[96];

	(void)state;
	cw_daemon_stop(&w->daemon);
	snprintf(path, sizeof(path), "%s/issuers", w->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/issuers.lock", w->folder);
	unlink(path);
	rmdir(w->folder);
	cw_buf_wipe(&w->old);
	free(w);
	return 0;
}

/* `cardwright-agent enroll`, as a new process would run it. */
static enum cw_err
enroll(struct world *w, bool *resumed)
{
	const struct cw_net_config config = { .url = w->invitation,
		.ca_file = w->daemon.ca,
		.timeout_ms = 20000 };
	struct cw_run_env env = { .reader = &w->reader.base,
		.pin_entry = &w->person,
		.known = &w->known,
		.clock = &w->clock,
		.consent = accept };
	struct cw_enroll_result result = { 0 };
	struct cw_enroll e = { .url = w->invitation, .patience_ms = 20000 };
	enum cw_err err;

	w->step = JOIN;
	assert_err(cw_net_open(&config, &e.net), CW_OK);
	env.origin = cw_bytes_str(cw_net_origin(e.net));
	e.run = cw_run_new(&env);
	assert_non_null(e.run);
	err = cw_enroll(&e, &result);
	*resumed = result.is_resumed;
	cw_run_free(&e.run);
	cw_net_close(&e.net);
	return err;
}

/* What must hold whatever went wrong: one certificate more is active, the one
 * that the card confirmed; nothing is left pending by the session that ended. */
static void
check_row(struct world *w, const struct fault *fault, enum step step)
{
	unsigned active = cw_daemon_certificates(&w->daemon, " active ");
	enum cw_err wanted =
	    (fault->lost & IN(step)) != 0 ? CW_ERR_NO_SESSION : fault->err;
	bool resumed = false;
	enum cw_err err;

	new_card(w);
	assert_true(cw_daemon_invite(&w->daemon, 2, 2, w->invitation,
	    sizeof(w->invitation)));
	w->fault = fault;
	w->at = step;
	w->is_done = false;
	err = enroll(w, &resumed);
	assert_true(w->is_done);
	if (wanted != CW_OK) {
		assert_err(err, wanted);
		/* Until the result is verified nothing is active. */
		if (step < RESULT || fault->happens == agent_killed_before)
			assert_int_equal(cw_daemon_certificates(&w->daemon,
					     " active "),
			    active);
		err = enroll(w, &resumed);
		/* From message 4 on the card takes the session up again, if
		 * the issuer still has it. */
		assert_true(
		    resumed == (step >= TOKEN && wanted != CW_ERR_NO_SESSION));
	}
	assert_err(err, CW_OK);
	assert_int_equal(cw_daemon_certificates(&w->daemon, " active "),
	    active + 1);
	assert_int_equal(cw_daemon_certificates(&w->daemon, " pending "), 0);
	cw_card_free(&w->card.card);
	cw_test_storage_wipe(&w->card.storage);
}

struct row {
	const struct fault *fault;
	enum step step;
	char name[96];
};

static void
one_session_survives(void **state)
{
	const struct row *row = *state;

	check_row(world, row->fault, row->step);
}

int
main(void)
{
	static struct row rows[COUNT(faults) * STEPS];
	struct CMUnitTest tests[COUNT(rows)];
	size_t n = 0;

	memset(tests, 0, sizeof(tests));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fault *fault = &faults[i / STEPS];
		enum step step = (enum step)(i % STEPS);

		if ((fault->steps & IN(step)) == 0)
			continue;
		rows[n].fault = fault;
		rows[n].step = step;
		snprintf(rows[n].name, sizeof(rows[n].name), "message %s: %s",
		    step_names[step], fault->name);
		tests[n].name = rows[n].name;
		tests[n].test_func = one_session_survives;
		tests[n].initial_state = &rows[n];
		n++;
	}
	return _cmocka_run_group_tests("session × fault", tests, n, setup,
	    teardown);
}
