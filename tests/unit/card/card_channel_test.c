/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COMMAND against a hostile host: changed, cut, replayed, reordered, dropped
 * and foreign bytes; and STATUS of a session that goes on.
 */
#include "proto/batch.h"
#include "proto/card_link.h"
#include "tests/support/card_world.h"

static unsigned
send_bytes(struct cw_test_issuer *issuer, struct cw_bytes bytes)
{
	(void)!cw_test_issuer_send(issuer, bytes);
	return issuer->sw;
}

static void
begin_list(struct cw_test_issuer *issuer)
{
	const struct cw_command list = { .no = CW_LIST };

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_seal(issuer, &list), CW_OK);
}

/* What the card says of the issuer's session; the message borrows w->out. */
static unsigned
ask_status(struct cw_test_world *w, struct cw_status *status)
{
	struct cw_buf query;
	unsigned sw;

	cw_buf_init(&query, 1024);
	cw_status_query_encode(cw_bytes_str(CW_TEST_ORIGIN), &query);
	sw = cw_test_send(&w->card.wire, 0x801A, 0, cw_buf_bytes(&query),
	    &w->out);
	cw_buf_wipe(&query);
	if (sw == 0x9000)
		assert_err(cw_status_decode(cw_buf_bytes(&w->out), status),
		    CW_OK);
	return sw;
}

/* ---- bytes that do not decrypt ---- */

static void
a_changed_command_is_refused_and_the_right_one_goes_on(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;

	begin_list(issuer);
	for (int i = 0; i < 7; i++) {
		size_t at = issuer->command.len / 7 * (size_t)i;

		issuer->command.ptr[at] ^= 0x40;
		assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)),
		    0x6988);
		issuer->command.ptr[at] ^= 0x40;
	}
	assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)), 0x9000);
}

static void
the_eighth_failure_ends_the_session(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_status status;

	begin_list(issuer);
	for (int i = 0; i < 8; i++) {
		/* The counter is durable. */
		cw_test_card_power_cycle(&w->card);
		cw_test_select_provisioning(&issuer->wire);
		assert_sw(send_bytes(issuer, cw_bytes_str("garbage")), 0x6988);
	}
	assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)), 0x6985);
	/* What is needed to tell the issuer is still there. */
	assert_sw(ask_status(w, &status), 0x9000);
	assert_int_equal(status.state, CW_SESSION_ERROR);
	assert_true(cw_bytes_equal(status.last_message,
	    cw_buf_bytes(&issuer->message_4)));
}

static void
a_cut_command_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_bytes command;

	begin_list(issuer);
	command = cw_buf_bytes(&issuer->command);
	assert_sw(send_bytes(issuer, cw_bytes(command.ptr, 1)), 0x6988);
	assert_sw(send_bytes(issuer, cw_bytes(command.ptr, command.len - 1)),
	    0x6988);
	assert_sw(send_bytes(issuer, CW_BYTES_NONE), 0x6700);
	assert_sw(cw_test_send(&issuer->wire, 0x8014, 0, cw_bytes_str("few"),
		      NULL),
	    0x6700);
	assert_sw(send_bytes(issuer, command), 0x9000);
}

static void
a_dropped_command_is_noticed(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;

	begin_list(issuer);
	issuer->i = 1; /* as if the first had been answered */
	assert_err(cw_test_issuer_close(issuer, NULL), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6988);
}

static void
reordered_commands_are_noticed(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_command list = { .no = CW_LIST };
	struct cw_buf first;

	cw_buf_init(&first, CW_COMMAND_MAX);
	begin_list(issuer);
	cw_buf_put(&first, cw_buf_bytes(&issuer->command));
	issuer->i = 1;
	assert_err(cw_test_issuer_seal(issuer, &list), CW_OK);
	assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)), 0x6988);
	assert_sw(send_bytes(issuer, cw_buf_bytes(&first)), 0x9000);
	assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)), 0x9000);
	cw_buf_wipe(&first);
}

static void
a_command_of_another_session_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;

	cw_test_world_issuer(w, &other);
	begin_list(&w->issuer);
	begin_list(&other);
	assert_sw(send_bytes(&w->issuer, cw_buf_bytes(&other.command)), 0x6988);
	assert_sw(send_bytes(&other, cw_buf_bytes(&other.command)), 0x9000);
	other.request.session_id[0] ^= 1;
	assert_sw(send_bytes(&other, cw_buf_bytes(&other.command)), 0x6985);
	cw_test_issuer_wipe(&other);
}

/* A reply given back as a command: the keys of the two ways differ. */
static void
a_reply_is_no_command(void **state)
{
	struct cw_test_world *w = *state;

	begin_list(&w->issuer);
	assert_sw(send_bytes(&w->issuer, cw_buf_bytes(&w->issuer.command)),
	    0x9000);
	cw_buf_reset(&w->issuer.command);
	cw_buf_put(&w->issuer.command, cw_buf_bytes(&w->issuer.reply));
	assert_sw(send_bytes(&w->issuer, cw_buf_bytes(&w->issuer.command)),
	    0x6988);
}

/* ---- repeats ---- */

static void
repeated_commands_get_the_same_bytes_and_do_nothing(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_public_key made;
	struct cw_buf first;
	unsigned stores;

	cw_buf_init(&first, CW_COMMAND_MAX);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(issuer, &cw_test_key_9a, true,
		       &made),
	    CW_OK);
	cw_buf_put(&first, cw_buf_bytes(&issuer->reply));
	stores = w->card.storage.stores;
	for (int i = 0; i < 3; i++) {
		assert_sw(send_bytes(issuer, cw_buf_bytes(&issuer->command)),
		    0x9000);
		assert_true(cw_bytes_equal(cw_buf_bytes(&first),
		    cw_buf_bytes(&issuer->reply)));
	}
	assert_int_equal(w->card.storage.stores, stores);
	assert_err(cw_test_issuer_certify(issuer, cw_test_key_9a.id, &made),
	    CW_OK);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	cw_buf_wipe(&first);
}

static void
replies_of_finished_batches_are_not_kept(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_command list = { .no = CW_LIST, .last = true };
	struct cw_reply reply = { .err = CW_OK };
	struct cw_buf first;

	cw_buf_init(&first, CW_COMMAND_MAX);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_command(issuer, &list, &reply), CW_OK);
	cw_buf_put(&first, cw_buf_bytes(&issuer->command));
	assert_sw(send_bytes(issuer, cw_buf_bytes(&first)), 0x9000);
	assert_err(cw_test_issuer_command(issuer, &list, &reply), CW_OK);
	assert_sw(send_bytes(issuer, cw_buf_bytes(&first)), 0x6988);
	cw_buf_wipe(&first);
}

/* ---- STATUS ---- */

static void
status_finds_nothing_for_strangers(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_status status;
	struct cw_buf query;

	cw_test_select_provisioning(&w->card.wire);
	assert_sw(ask_status(w, &status), 0x6A82);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	cw_buf_init(&query, 1024);
	cw_status_query_encode(cw_bytes_str("https://issuer.test"), &query);
	assert_sw(cw_test_send(&w->card.wire, 0x801A, 0, cw_buf_bytes(&query),
		      NULL),
	    0x6A82);
	assert_sw(cw_test_send(&w->card.wire, 0x801A, 0,
		      cw_bytes_str("no CBOR"), NULL),
	    0x6A80);
	cw_buf_wipe(&query);
}

static void
status_has_the_last_complete_message(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_status status;
	static struct cw_batch batch;
	struct cw_public_key made;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_true(cw_bytes_is(status.uri, CW_TEST_URI));
	assert_memory_equal(status.session_id, issuer->request.session_id,
	    CW_SESSION_ID_BYTES);
	assert_true(cw_bytes_equal(status.last_message,
	    cw_buf_bytes(&issuer->message_4)));
	assert_int_equal(status.state, CW_SESSION_OPEN);
	assert_int_equal(status.answered, 0);
	/* Message 6: a batch of one command, marked as its last. */
	assert_err(cw_test_issuer_create_key(issuer, &cw_test_key_9a, true,
		       &made),
	    CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_int_equal(status.answered, 0);
	assert_err(cw_replies_decode(status.last_message, &batch), CW_OK);
	assert_int_equal(batch.n, 1);
	assert_true(
	    cw_bytes_equal(batch.items[0], cw_buf_bytes(&issuer->reply)));
	/* In the middle of batch 7. */
	assert_err(cw_test_issuer_certify(issuer, cw_test_key_9a.id, &made),
	    CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_int_equal(status.answered, 1);
	assert_err(cw_replies_decode(status.last_message, &batch), CW_OK);
	assert_int_equal(batch.n, 1);
	/* Message 8. */
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_int_equal(status.state, CW_SESSION_CLOSED);
	assert_err(cw_replies_decode(status.last_message, &batch), CW_OK);
	assert_int_equal(batch.n, 2);
	assert_true(
	    cw_bytes_equal(batch.items[1], cw_buf_bytes(&issuer->reply)));
}

static void
a_result_stays_until_the_issuers_next_commit(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_status status;
	uint8_t first[CW_SESSION_ID_BYTES];

	cw_test_world_issuer(w, &other);
	other.request.uri = cw_bytes_str("https://other.test/session");
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	memcpy(first, w->issuer.request.session_id, sizeof(first));
	assert_err(cw_test_issuer_enroll(&other, CW_KEY_P256, 0x9C), CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_memory_equal(status.session_id, first, sizeof(first));
	/* An open one is what the agent goes on with; an error brings the
	 * committed one no end. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_memory_not_equal(status.session_id, first, sizeof(first));
	assert_err(cw_test_run(&w->issuer,
		       &(struct cw_command){ .no = CW_SET_CERTIFICATES,
			   .u.set_certificates = { .id = 1,
			       .n_chain = 1,
			       .chain = { { (const uint8_t *)"x", 1 } } } }),
	    CW_ERR_UNKNOWN_ID);
	assert_sw(cw_test_send(&w->card.wire, 0x801C, 0,
		      cw_bytes(first, sizeof(first)), NULL),
	    0x9000);
	/* A commit leaves only itself. */
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9D), CW_OK);
	assert_sw(ask_status(w, &status), 0x9000);
	assert_memory_equal(status.session_id, w->issuer.request.session_id,
	    sizeof(first));
	assert_sw(cw_test_send(&w->card.wire, 0x801C, 0,
		      CW_BYTES_ARRAY(w->issuer.request.session_id), NULL),
	    0x9000);
	assert_sw(ask_status(w, &status), 0x6A82);
	cw_test_issuer_wipe(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    a_changed_command_is_refused_and_the_right_one_goes_on),
		world_test(the_eighth_failure_ends_the_session),
		world_test(a_cut_command_is_refused),
		world_test(a_dropped_command_is_noticed),
		world_test(reordered_commands_are_noticed),
		world_test(a_command_of_another_session_is_refused),
		world_test(a_reply_is_no_command),
		world_test(repeated_commands_get_the_same_bytes_and_do_nothing),
		world_test(replies_of_finished_batches_are_not_kept),
		world_test(status_finds_nothing_for_strangers),
		world_test(status_has_the_last_complete_message),
		world_test(a_result_stays_until_the_issuers_next_commit),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
