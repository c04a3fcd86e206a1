/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 6, 8 and 9: commands repeated, changed, out of order; what a
 * session survives; STATUS. */
#include "proto/batch.h"
#include "proto/card_link.h"
#include "tests/conformance/kit.h"

#define FAILURES_MAX 8

static bool
seal_list(struct cw_kit *kit)
{
	const struct cw_command list = { .no = CW_LIST };

	return cw_kit_err(kit, cw_test_issuer_seal(&kit->issuer, &list), CW_OK,
	    "LIST is sealed");
}

static bool
send(struct cw_kit *kit, struct cw_bytes bytes, unsigned want, const char *what)
{
	(void)cw_test_issuer_send(&kit->issuer, bytes);
	return cw_kit_sw(kit, kit->issuer.sw, want, what);
}

static bool
lists(struct cw_kit *kit, const char *what)
{
	const struct cw_command list = { .no = CW_LIST };
	struct cw_reply reply = { .err = CW_OK };

	return cw_kit_err(kit,
	    cw_test_issuer_command(&kit->issuer, &list, &reply), CW_OK, what);
}

/* The last command again gets the last reply again. */
static bool
answers_again(struct cw_kit *kit, const char *what)
{
	struct cw_buf first;
	bool same;

	cw_buf_init(&first, CW_BODY_MAX);
	cw_buf_put(&first, cw_buf_bytes(&kit->issuer.reply));
	(void)cw_test_issuer_send(&kit->issuer,
	    cw_buf_bytes(&kit->issuer.command));
	same = kit->issuer.sw == 0x9000 &&
	    cw_bytes_equal(cw_buf_bytes(&first),
		cw_buf_bytes(&kit->issuer.reply));
	cw_buf_wipe(&first);
	return cw_kit_true(kit, same, what);
}

static bool
repeated(struct cw_kit *kit)
{
	struct cw_public_key made;

	return cw_kit_begin(kit) && cw_kit_make_key(kit, 1, 0, &made) &&
	    answers_again(kit, "a repeated command gets the same reply") &&
	    cw_kit_power(kit) && answers_again(kit, "and so after a reset") &&
	    lists(kit, "and the session goes on");
}

static bool
close_repeated(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) &&
	    answers_again(kit, "a repeated CLOSE gets the same result") &&
	    cw_kit_power(kit) && answers_again(kit, "and so after a reset") &&
	    cw_kit_is_dead(kit, "a command after CLOSE");
}

static bool
error_repeated(struct cw_kit *kit)
{
	static const uint8_t plain[] = { 0x83, 0x08, 0xF4, 0xA1, 0x05, 0x01 };

	return cw_kit_begin(kit) &&
	    cw_kit_true(kit,
		cw_kit_send_plain(kit, CW_BYTES_ARRAY(plain), CW_LIST) != CW_OK,
		"a wrong command gets an error reply") &&
	    answers_again(kit, "a repeated wrong command gets it again") &&
	    cw_kit_power(kit) && answers_again(kit, "and so after a reset");
}

static bool
changed(struct cw_kit *kit)
{
	struct cw_buf *command = &kit->issuer.command;

	if (!cw_kit_begin(kit) || !seal_list(kit))
		return false;
	command->ptr[command->len - 1] ^= 1;
	return send(kit, cw_buf_bytes(command), 0x6988, "a changed command") &&
	    lists(kit, "the session goes on after it");
}

static bool
out_of_order(struct cw_kit *kit)
{
	bool right;

	if (!cw_kit_begin(kit))
		return false;
	kit->issuer.i++;
	right = seal_list(kit) &&
	    send(kit, cw_buf_bytes(&kit->issuer.command), 0x6988,
		"command 2 before command 1");
	kit->issuer.i--;
	return right && lists(kit, "the session goes on after it");
}

static bool
reflected(struct cw_kit *kit)
{
	return cw_kit_begin(kit) && lists(kit, "LIST") &&
	    send(kit, cw_buf_bytes(&kit->issuer.reply), 0x6988,
		"a reply of the card as a command");
}

static bool
other_session(struct cw_kit *kit)
{
	struct cw_test_issuer other;
	bool right;

	cw_kit_other_issuer(kit, &other);
	right = cw_kit_begin(kit) && seal_list(kit) &&
	    cw_kit_err(kit, cw_test_issuer_begin(&other), CW_OK,
		"a second session") &&
	    cw_kit_true(kit,
		cw_test_issuer_send(&other,
		    cw_buf_bytes(&kit->issuer.command)) != CW_OK &&
		    other.sw == 0x6988,
		"a command of another session") &&
	    lists(kit, "the first session goes on");
	cw_test_issuer_wipe(&other);
	return right;
}

static bool
failures(struct cw_kit *kit)
{
	static const uint8_t garbage[64] = { 0x83, 0x41 };

	if (!cw_kit_begin(kit))
		return false;
	for (unsigned n = 0; n < FAILURES_MAX; n++)
		if (!send(kit, CW_BYTES_ARRAY(garbage), 0x6988,
			"bytes that do not decrypt") ||
		    (n == FAILURES_MAX / 2 && !cw_kit_power(kit)))
			return false;
	return cw_kit_is_dead(kit, "a session after eight such failures");
}

static bool
survives(struct cw_kit *kit)
{
	struct cw_public_key made;

	return cw_kit_begin(kit) && cw_kit_power(kit) &&
	    cw_kit_make_key(kit, 7, 0x9A, &made) && cw_kit_power(kit) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 7, &made),
		CW_OK, "SET_CERTIFICATES after a reset") &&
	    cw_kit_power(kit) &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE after a reset");
}

static bool
interleaved(struct cw_kit *kit)
{
	struct cw_test_issuer other;
	struct cw_public_key made, others;
	const struct cw_create_key key = { .id = 7,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN };
	bool right;

	cw_kit_other_issuer(kit, &other);
	right = cw_kit_begin(kit) &&
	    cw_kit_err(kit, cw_test_issuer_begin(&other), CW_OK,
		"a second session") &&
	    cw_kit_make_key(kit, 7, 0, &made) &&
	    cw_kit_err(kit,
		cw_test_issuer_create_key(&other, &key, true, &others), CW_OK,
		"the other's key with the same id") &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 7, &made),
		CW_OK, "SET_CERTIFICATES") &&
	    cw_kit_err(kit, cw_test_issuer_certify(&other, 7, &others), CW_OK,
		"the other's SET_CERTIFICATES") &&
	    cw_kit_err(kit, cw_test_issuer_close(&other, NULL), CW_OK,
		"the other's CLOSE") &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE");
	cw_test_issuer_wipe(&other);
	return right;
}

/* ---- STATUS ---- */

static bool
get_status(struct cw_kit *kit, struct cw_status *status)
{
	struct cw_buf query;
	unsigned sw;

	cw_buf_init(&query, CW_URI_MAX + 16);
	cw_status_query_encode(cw_bytes_str(CW_TEST_ORIGIN), &query);
	sw = cw_test_send(&kit->wire, 0x801A, 0, cw_buf_bytes(&query),
	    &kit->out);
	cw_buf_wipe(&query);
	return cw_kit_sw(kit, sw, 0x9000, "STATUS") &&
	    cw_kit_err(kit, cw_status_decode(cw_buf_bytes(&kit->out), status),
		CW_OK, "status") &&
	    cw_kit_true(kit,
		cw_bytes_is(status->uri, CW_TEST_URI) &&
		    memcmp(status->session_id, kit->issuer.request.session_id,
			CW_SESSION_ID_BYTES) == 0,
		"STATUS gives R's URI and session id");
}

static bool
has_status(struct cw_kit *kit, enum cw_session_state state, unsigned answered)
{
	struct cw_status status;

	return get_status(kit, &status) &&
	    cw_kit_true(kit, status.state == state,
		"STATUS says whether the session is open") &&
	    cw_kit_true(kit, status.answered == answered,
		"STATUS counts the commands answered since");
}

static bool
status_message_4(struct cw_kit *kit)
{
	struct cw_status status;

	return cw_kit_begin(kit) && cw_kit_power(kit) &&
	    get_status(kit, &status) &&
	    cw_kit_true(kit,
		cw_bytes_equal(status.last_message,
		    cw_buf_bytes(&kit->issuer.message_4)),
		"STATUS gives message 4 before a batch was answered");
}

static bool
status_counts(struct cw_kit *kit)
{
	struct cw_public_key made;

	/* LIST is no last command, CREATE_KEY here is one. */
	return cw_kit_begin(kit) && has_status(kit, CW_SESSION_OPEN, 0) &&
	    lists(kit, "LIST") && has_status(kit, CW_SESSION_OPEN, 1) &&
	    cw_kit_make_key(kit, 1, 0, &made) &&
	    has_status(kit, CW_SESSION_OPEN, 0) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 1, &made),
		CW_OK, "SET_CERTIFICATES") &&
	    has_status(kit, CW_SESSION_OPEN, 1) &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE") &&
	    has_status(kit, CW_SESSION_CLOSED, 0);
}

/* A session that ended later does not hide the one that is open. */
static bool
status_open(struct cw_kit *kit)
{
	uint8_t open[CW_SESSION_ID_BYTES];
	struct cw_request *q = &kit->issuer.request;

	if (!cw_kit_begin(kit))
		return false;
	memcpy(open, q->session_id, sizeof(open));
	if (!cw_kit_begin(kit) ||
	    !cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE of the later session"))
		return false;
	memcpy(q->session_id, open, sizeof(open));
	return has_status(kit, CW_SESSION_OPEN, 0);
}

static bool
status_none(struct cw_kit *kit)
{
	struct cw_buf query;
	unsigned sw;

	if (!cw_kit_begin(kit))
		return false;
	cw_buf_init(&query, CW_URI_MAX + 16);
	cw_status_query_encode(cw_bytes_str("https://other.test"), &query);
	sw = cw_test_send(&kit->wire, 0x801A, 0, cw_buf_bytes(&query), NULL);
	cw_buf_wipe(&query);
	return cw_kit_sw(kit, sw, 0x6A82, "STATUS for another origin");
}

const struct cw_kit_check cw_kit_channel[] = {
	{ "command-repeated", "8", "a repeated command gets the same reply",
	    repeated },
	{ "close-repeated", "9", "a repeated CLOSE gets the same result",
	    close_repeated },
	{ "error-repeated", "8", "a repeated wrong command gets its error",
	    error_repeated },
	{ "command-changed", "8", "a changed command changes nothing",
	    changed },
	{ "command-order", "6", "a command is bound to its number",
	    out_of_order },
	{ "command-reflected", "6", "a reply is no command", reflected },
	{ "command-other", "6", "a command is bound to its session",
	    other_session },
	{ "failures", "8", "eight times what does not decrypt is the end",
	    failures },
	{ "survives", "9", "a session survives the loss of power", survives },
	{ "interleaved", "9", "sessions do not disturb one another",
	    interleaved },
	{ "status-4", "9", "STATUS gives the last complete message",
	    status_message_4 },
	{ "status-counts", "9", "STATUS counts and knows the state",
	    status_counts },
	{ "status-open", "9", "STATUS tells of an open session first",
	    status_open },
	{ "status-none", "9", "STATUS tells an origin nothing of another's",
	    status_none },
	{ NULL, NULL, NULL, NULL },
};
