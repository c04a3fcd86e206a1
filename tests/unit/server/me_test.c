/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's page: whom it shows what, and whom it turns away. */
#include <stdio.h>

#include "proto/problem.h"
#include "proto/x509.h"
#include "tests/support/server_ask.h"

static bool
contains(const struct cw_buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

/* A session to its end; its certificate into `der` (initialised), its serial
 * number as the page shows it into `text`. */
static void
enroll(struct cw_server_world *w, struct cw_certificate *row,
    struct cw_buf *der, char text[2 * CW_SERIAL_BYTES + 1])
{
	struct cw_server_play play;
	struct cw_session session;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 3);
	cw_session_init(&session);
	assert_err(w->store->session_load(w->store, play.id, &session), CW_OK);
	assert_err(w->store->certificate_load(w->store, session.serial, row,
		       der),
	    CW_OK);
	for (size_t i = 0; i < CW_SERIAL_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", row->serial[i]);
	cw_session_wipe(&session);
	cw_server_play_wipe(&play);
}

static void
ask(struct cw_server_world *w, const char *path, struct cw_bytes certificate,
    struct cw_http_response *r)
{
	struct cw_http_request request = { .method = cw_bytes_str("GET"),
		.path = cw_bytes_str(path),
		.address = "127.0.0.1",
		.is_holder = true,
		.certificate = certificate };

	cw_http_response_init(r);
	cw_server_handle(w, &request, r);
}

static void
assert_refused(struct cw_server_world *w, struct cw_bytes certificate,
    enum cw_err err)
{
	struct cw_http_response r;
	char number[32];

	ask(w, "/me", certificate, &r);
	snprintf(number, sizeof(number), "Error %d<", (int)err);
	assert_int_equal(r.status, 403);
	assert_row(cw_err_name(err), contains(&r.body, number));
	cw_http_response_wipe(&r);
}

static void
an_active_certificate_is_shown_with_the_others_of_its_account(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_certificate row[2];
	struct cw_buf der[2];
	char serial[2][2 * CW_SERIAL_BYTES + 1];
	struct cw_http_response r;

	for (size_t i = 0; i < 2; i++) {
		cw_buf_init(&der[i], CW_CERT_MAX_BYTES);
		if (i > 0) {
			cw_server_card_new(w);
			cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
		}
		enroll(w, &row[i], &der[i], serial[i]);
		ask(w, "/me", cw_buf_bytes(&der[i]), &r);
		assert_int_equal(r.status, 200);
		assert_true(contains(&r.body, "Ada Lovelace"));
		assert_true(contains(&r.body, ">Active<"));
		assert_true(contains(&r.body, serial[i]));
		assert_int_equal(i == 0,
		    contains(&r.body, "no other certificates"));
		assert_false(contains(&r.body, "{{"));
		cw_http_response_wipe(&r);
	}
	assert_err(w->store->certificate_set(w->store, row[0].serial,
		       CW_CERT_REVOKED, CW_REASON_CESSATION,
		       cw_clock_now_s(&w->clock)),
	    CW_OK);
	ask(w, "/me", cw_buf_bytes(&der[1]), &r);
	assert_true(contains(&r.body, serial[0]));
	assert_true(contains(&r.body, ">Revoked<"));
	cw_http_response_wipe(&r);
	for (size_t i = 0; i < 2; i++)
		cw_buf_wipe(&der[i]);
}

static void
a_certificate_that_is_not_active_is_told_why(void **state)
{
	static const struct {
		enum cw_certificate_status status;
		unsigned wanted;
		enum cw_err err;
	} rows[] = {
		{ CW_CERT_RESERVED, CW_REASON_NONE,
		    CW_ERR_FOREIGN_CERTIFICATE },
		{ CW_CERT_PENDING, CW_REASON_NONE, CW_ERR_CERTIFICATE_PENDING },
		{ CW_CERT_SUSPENDED, CW_REASON_NONE,
		    CW_ERR_CERTIFICATE_SUSPENDED },
		{ CW_CERT_REVOKED, CW_REASON_CESSATION,
		    CW_ERR_CERTIFICATE_REVOKED },
		{ CW_CERT_ACTIVE, CW_REASON_CESSATION,
		    CW_ERR_CERTIFICATE_REVOKED },
		{ CW_CERT_SUSPENDED, CW_REASON_CESSATION,
		    CW_ERR_CERTIFICATE_REVOKED },
	};
	struct cw_server_world *w = *state;
	struct cw_certificate row;
	struct cw_buf der;
	char serial[2 * CW_SERIAL_BYTES + 1];

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	enroll(w, &row, &der, serial);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_err(w->store->certificate_set(w->store, row.serial,
			       rows[i].status, rows[i].wanted,
			       cw_clock_now_s(&w->clock)),
		    CW_OK);
		assert_refused(w, cw_buf_bytes(&der), rows[i].err);
	}
	assert_err(w->store->certificate_set(w->store, row.serial,
		       CW_CERT_ACTIVE, CW_REASON_NONE,
		       cw_clock_now_s(&w->clock)),
	    CW_OK);
	w->clock.fixed_s += (uint64_t)100 * 365 * 86400;
	assert_refused(w, cw_buf_bytes(&der), CW_ERR_CERTIFICATE_OVER);
	cw_buf_wipe(&der);
}

/* Not only by its number: every byte is what was issued. */
static void
what_is_not_ours_is_foreign(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_certificate row;
	struct cw_buf der;
	char serial[2 * CW_SERIAL_BYTES + 1];

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	enroll(w, &row, &der, serial);
	assert_refused(w, CW_BYTES_NONE, CW_ERR_NO_CLIENT_CERTIFICATE);
	assert_refused(w, cw_bytes_str("x"), CW_ERR_FOREIGN_CERTIFICATE);
	der.ptr[der.len - 1] ^= 1; /* in the signature */
	assert_refused(w, cw_buf_bytes(&der), CW_ERR_FOREIGN_CERTIFICATE);
	der.ptr[der.len - 1] ^= 1;
	assert_err(w->store->certificate_set(w->store, row.serial,
		       CW_CERT_RESERVED, CW_REASON_NONE,
		       cw_clock_now_s(&w->clock)),
	    CW_OK);
	assert_err(w->store->certificate_drop(w->store, row.serial), CW_OK);
	assert_refused(w, cw_buf_bytes(&der), CW_ERR_FOREIGN_CERTIFICATE);
	cw_buf_wipe(&der);
}

static void
nothing_else_is_where_certificates_are_asked_for(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "/style.css", 200 }, { "/icon.svg", 200 },
		{ "/enroll", 404 }, { "/i/AAAAAAAAAAAAAAAAAAAAAAAA", 404 },
		{ "/session", 404 }, { "/healthz", 404 }, { "/", 404 } };
	struct cw_server_world *w = *state;
	struct cw_http_response r;

	for (size_t i = 0; i < COUNT(rows); i++) {
		ask(w, rows[i].path, CW_BYTES_NONE, &r);
		assert_row(rows[i].path, r.status == rows[i].status);
		cw_http_response_wipe(&r);
	}
}

static void
elsewhere_the_page_leads_there(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "GET", .path = "/me" };
	struct cw_http_response r;

	snprintf(w->config.holder_url, sizeof(w->config.holder_url),
	    "https://me.example:8444");
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 303);
	assert_string_equal(r.location, "https://me.example:8444/me");
	cw_http_response_wipe(&r);
	w->config.holder_url[0] = '\0';
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 404);
	cw_http_response_wipe(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    an_active_certificate_is_shown_with_the_others_of_its_account),
		cw_server_test(a_certificate_that_is_not_active_is_told_why),
		cw_server_test(what_is_not_ours_is_foreign),
		cw_server_test(
		    nothing_else_is_where_certificates_are_asked_for),
		cw_server_test(elsewhere_the_page_leads_there),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
