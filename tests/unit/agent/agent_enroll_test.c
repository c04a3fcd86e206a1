/* SPDX-License-Identifier: Apache-2.0 */
/* `enroll` over real HTTP on this machine, against an issuer that errs. */
/* TIMEOUT: 120 */
#include <stdio.h>

#include "agent/enroll.h"
#include "tests/support/check.h"
#include "tests/support/reader_http.h"

/* ---- a test's world ---- */

struct fixture {
	struct cw_world w;
	struct cw_errant_issuer server;
	char origin[64], session[80], url[80];
	struct cw_net *net;
	unsigned patience_ms;
	struct cw_enroll_result result;
};

/* Anew, for answers that come within so many milliseconds. */
static void
open_net(struct fixture *f, unsigned ms)
{
	struct cw_net_config config = { .url = f->url, .timeout_ms = ms };

	cw_net_close(&f->net);
	assert_err(cw_net_open(&config, &f->net), CW_OK);
}

static int
setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	cw_world_init(&f->w, cw_world_vendor());
	f->server.w = &f->w;
	f->server.at = 1000;
	cw_errant_issuer_start(&f->server);
	snprintf(f->origin, sizeof(f->origin), "http://127.0.0.1:%u",
	    f->server.port);
	snprintf(f->session, sizeof(f->session), "%s/session", f->origin);
	snprintf(f->url, sizeof(f->url), "%s/i/code", f->origin);
	f->w.intent.session_url = cw_bytes_str(f->session);
	f->w.env.origin = cw_bytes_str(f->origin);
	cw_world_new_session(&f->w);
	cw_world_new_run(&f->w);
	open_net(f, 60000);
	assert_string_equal(cw_net_origin(f->net), f->origin);
	f->patience_ms = 60000;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	cw_net_close(&f->net);
	cw_errant_issuer_stop(&f->server);
	cw_world_wipe(&f->w);
	test_free(f);
	return 0;
}

static enum cw_err
enroll(struct fixture *f)
{
	const struct cw_enroll e = { .url = f->url,
		.net = f->net,
		.run = f->w.run,
		.patience_ms = f->patience_ms };

	return cw_enroll(&e, &f->result);
}

static void
an_invitation_becomes_a_key_in_eight_requests(void **state)
{
	struct fixture *f = *state;

	assert_err(enroll(f), CW_OK);
	assert_true(f->w.is_confirmed);
	assert_int_equal(f->server.requests, 8);
	assert_int_equal(f->result.retries, 0);
	assert_false(f->result.is_resumed);
	if (f->server.violation != NULL)
		fail_msg("a request without %s", f->server.violation);
}

static const struct {
	const char *name;
	enum cw_errant_action action;
	unsigned at, times;
	enum cw_err err;
	unsigned patience_ms;
} faults[] = {
	{ "page dropped", CW_ERRANT_DROP, 1, 99, CW_ERR_NO_CONNECTION, 0 },
	{ "page silent", CW_ERRANT_SILENCE, 1, 99, CW_ERR_NETWORK_TIMEOUT, 0 },
	{ "page redirects", CW_ERRANT_REDIRECT, 1, 1, CW_ERR_REDIRECTED, 0 },
	{ "page not found", CW_ERRANT_NOT_FOUND, 1, 1, CW_ERR_NOT_FOUND, 0 },
	{ "invitation expired", CW_ERRANT_EXPIRED, 2, 1,
	    CW_ERR_INVITATION_EXPIRED, 0 },
	{ "code not redirected", CW_ERRANT_EMPTY, 2, 1, CW_ERR_HTTP_STATUS, 0 },
	{ "code redirected to another site", CW_ERRANT_ELSEWHERE, 2, 1,
	    CW_ERR_REDIRECTED, 0 },
	{ "page without link", CW_ERRANT_WRONG_TYPE, 3, 1,
	    CW_ERR_BAD_INVITATION, 0 },
	{ "intent redirects", CW_ERRANT_REDIRECT, 4, 1, CW_ERR_REDIRECTED, 0 },
	{ "intent as a page", CW_ERRANT_WRONG_TYPE, 4, 1, CW_ERR_MEDIA_TYPE,
	    0 },
	{ "intent huge", CW_ERRANT_HUGE, 4, 1, CW_ERR_TOO_LARGE, 0 },
	{ "message 3 redirects", CW_ERRANT_REDIRECT, 5, 1, CW_ERR_REDIRECTED,
	    0 },
	{ "message 3 is a page", CW_ERRANT_WRONG_TYPE, 5, 1, CW_ERR_MEDIA_TYPE,
	    0 },
	{ "message 3 is empty", CW_ERRANT_EMPTY, 5, 1, CW_ERR_MEDIA_TYPE, 0 },
	{ "message 3 is huge", CW_ERRANT_HUGE, 5, 1, CW_ERR_TOO_LARGE, 0 },
	{ "message 3 is a false problem", CW_ERRANT_NONSENSE, 5, 1,
	    CW_ERR_HTTP_STATUS, 0 },
	{ "message 3 dropped once", CW_ERRANT_DROP, 5, 1, CW_OK, 60000 },
	{ "message 3 cut once", CW_ERRANT_CUT, 5, 1, CW_OK, 60000 },
	{ "message 5 dropped twice", CW_ERRANT_DROP, 6, 2, CW_OK, 60000 },
	{ "message 5 silent once", CW_ERRANT_SILENCE, 6, 1, CW_OK, 60000 },
	{ "message 5 busy", CW_ERRANT_BUSY, 6, 1, CW_OK, 60000 },
	{ "message 5 busy for ever", CW_ERRANT_BUSY, 6, 99, CW_ERR_TOO_BUSY,
	    1500 },
	{ "message 7 dropped for ever", CW_ERRANT_DROP, 7, 99,
	    CW_ERR_NETWORK_TIMEOUT, 700 },
	{ "message 7 pending", CW_ERRANT_PENDING, 7, 1, CW_ERR_APPROVAL_PENDING,
	    0 },
	{ "message 7 refused", CW_ERRANT_ENDED, 7, 1, CW_ERR_SESSION_ENDED, 0 },
	{ "message 8 dropped once", CW_ERRANT_DROP, 8, 1, CW_OK, 60000 },
};

static void
each_fault_of_the_network_has_its_own_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		void *own = NULL;
		struct fixture *f;
		enum cw_err err;

		setup(&own);
		f = own;
		f->server.action = faults[i].action;
		f->server.at = faults[i].at;
		f->server.times = faults[i].times;
		if (f->server.action == CW_ERRANT_SILENCE)
			open_net(f, 2000);
		f->patience_ms = faults[i].patience_ms;
		err = enroll(f);
		if (err != faults[i].err)
			fail_msg("%s: %s", faults[i].name, cw_err_name(err));
		if (err == CW_OK && !f->w.is_confirmed)
			fail_msg("%s: not confirmed", faults[i].name);
		teardown(&own);
	}
}

static void
the_same_command_goes_on_after_each_interruption(void **state)
{
	(void)state;
	for (unsigned at = 6; at <= 8; at++) {
		void *own = NULL;
		struct fixture *f;

		setup(&own);
		f = own;
		f->server.action = at == 7 ? CW_ERRANT_PENDING : CW_ERRANT_DROP;
		f->server.at = at;
		f->server.times = 99;
		f->patience_ms = 100;
		assert_err(enroll(f),
		    at == 7 ? CW_ERR_APPROVAL_PENDING : CW_ERR_NETWORK_TIMEOUT);
		if (at == 7)
			assert_int_equal(f->result.retry_after_s, 7);
		f->server.times = 0;
		f->server.requests = 0;
		cw_world_new_run(&f->w);
		assert_err(enroll(f), CW_OK);
		assert_true(f->result.is_resumed);
		assert_true(f->w.is_confirmed);
		/* No invitation, no page: only the session's messages. */
		assert_int_equal(f->server.requests, 9 - at);
		teardown(&own);
	}
}

static void
a_session_that_the_issuer_ended_makes_way_for_a_new_one(void **state)
{
	struct fixture *f = *state;

	f->server.action = CW_ERRANT_DROP;
	f->server.at = 7;
	f->server.times = 99;
	f->patience_ms = 100;
	assert_err(enroll(f), CW_ERR_NETWORK_TIMEOUT);
	f->server.action = CW_ERRANT_ENDED;
	f->server.at = 1;
	f->server.times = 1;
	f->server.requests = 0;
	f->patience_ms = 60000;
	cw_world_new_session(&f->w);
	cw_world_new_run(&f->w);
	assert_err(enroll(f), CW_OK);
	assert_false(f->result.is_resumed);
	assert_true(f->w.is_confirmed);
	assert_int_equal(f->server.requests, 9);
}

static bool
stopped(void *ctx)
{
	(void)ctx;
	return true;
}

static void
a_signal_ends_a_request_at_once(void **state)
{
	struct fixture *f = *state;
	const struct cw_net_config config = { .url = f->url,
		.timeout_ms = 60000,
		.is_stopped = stopped };
	struct cw_net_response response;

	f->server.action = CW_ERRANT_SILENCE;
	f->server.at = 1;
	f->server.times = 99;
	cw_net_close(&f->net);
	assert_err(cw_net_open(&config, &f->net), CW_OK);
	cw_net_response_init(&response);
	assert_err(cw_net_get(f->net, f->url, &response), CW_ERR_REFUSED);
	cw_net_response_wipe(&response);
}

static void
no_request_goes_to_another_origin(void **state)
{
	struct fixture *f = *state;
	struct cw_net_response response;

	cw_net_response_init(&response);
	assert_err(cw_net_get(f->net, "http://127.0.0.1:1/", &response),
	    CW_ERR_BAD_URL);
	assert_err(cw_net_post(f->net, "https://issuer.test/", CW_BYTES_NONE,
		       &response),
	    CW_ERR_BAD_URL);
	assert_int_equal(f->server.requests, 0);
	cw_net_response_wipe(&response);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_invitation_becomes_a_key_in_eight_requests),
		cmocka_unit_test(each_fault_of_the_network_has_its_own_end),
		cmocka_unit_test(
		    the_same_command_goes_on_after_each_interruption),
		TEST(a_session_that_the_issuer_ended_makes_way_for_a_new_one),
		TEST(a_signal_ends_a_request_at_once),
		TEST(no_request_goes_to_another_origin),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
