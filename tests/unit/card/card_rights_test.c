/* SPDX-License-Identifier: Apache-2.0 */
/* Every command in the wrong state, without the right to it, with wrong ids,
 * and with storage that is torn or full. */
#include "tests/support/card_rows.h"

/* ---- state and rights ---- */

static void
each_command_needs_the_scope(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_scope *scope = &w->issuer.request.scope;
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);
		size_t n = 0;

		for (size_t j = 0; j < scope->n_commands; j++)
			if (scope->commands[j] != (uint8_t)cw_rows[i].no)
				scope->commands[n++] = scope->commands[j];
		scope->n_commands = n;
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		if (cw_rows[i].no == CW_SET_CERTIFICATES)
			c.u.set_certificates.chain[0] = cw_bytes_str("none");
		assert_err(cw_test_run(&w->issuer, &c),
		    cw_rows[i].no == CW_CLOSE ? CW_OK : CW_ERR_OUTSIDE_SCOPE);
	}
}

static void
an_anonymous_session_manages_nothing(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		if ((cw_rows[i].flags & MANAGES) == 0)
			continue;
		w->issuer.request.mode = CW_MODE_ANONYMOUS;
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_WRONG_MODE);
	}
}

static void
no_command_works_after_an_error(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_rows_prepare(state, CW_LIST);
		struct cw_command bad = cw_play_on(CW_DELETE_KEY, 0, 6);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		assert_err(cw_test_run(&w->issuer, &bad), CW_ERR_UNKNOWN_ID);
		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_CARD_SAYS);
		assert_sw(w->issuer.sw, 0x6985);
	}
}

static void
no_command_works_after_close(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_rows_prepare(state, CW_CLOSE);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_CARD_SAYS);
		assert_sw(w->issuer.sw, 0x6985);
	}
}

static void
another_owners_objects_do_not_exist(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w;
		struct cw_test_issuer other;
		struct cw_command c;

		if ((cw_rows[i].flags & TARGETS) == 0)
			continue;
		w = cw_rows_prepare(state, cw_rows[i].no);
		cw_test_world_issuer(w, &other);
		assert_err(cw_test_issuer_begin(&other), CW_OK);
		cw_play_make(&other, &cw_rows_key);
		c = cw_rows_command(w, cw_rows[i].no);
		assert_err(cw_test_run(&other, &c), CW_ERR_UNKNOWN_ID);
		cw_test_issuer_wipe(&other);
	}
}

/* Of this session and of earlier ones; keys, PINs and PUKs together. */
static void
an_id_is_given_once(void **state)
{
	static const uint32_t taken[] = { CW_PLAY_KEY_ID, 2, CW_PLAY_PUK_ID,
		CW_PLAY_POLICY_ID };

	for (size_t i = 0; i < CW_ROWS; i++) {
		for (size_t j = 0; j < COUNT(taken); j++) {
			struct cw_test_world *w;
			struct cw_command c;

			if ((cw_rows[i].flags & MAKES) == 0)
				continue;
			w = cw_rows_prepare(state, cw_rows[i].no);
			c = cw_rows_command(w, cw_rows[i].no);
			cw_rows_set_id(&c, taken[j]);
			assert_err(cw_test_run(&w->issuer, &c),
			    CW_ERR_DUPLICATE_ID);
			cw_rows_assert_ended(w);
		}
	}
}

static void
an_unknown_id_is_refused(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_rows_prepare(state, cw_rows[i].no);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		if ((cw_rows[i].flags & USES) != 0) {
			cw_rows_set_id(&c, 77);
			assert_err(cw_test_run(&w->issuer, &c),
			    CW_ERR_UNKNOWN_ID);
			cw_rows_assert_ended(w);
		}
		if ((cw_rows[i].flags & TARGETS) != 0) {
			w = cw_rows_prepare(state, cw_rows[i].no);
			c = cw_rows_command(w, cw_rows[i].no);
			c.u.on_key.target = 6; /* in the scope, on no card */
			assert_err(cw_test_run(&w->issuer, &c),
			    CW_ERR_UNKNOWN_ID);
			cw_rows_assert_ended(w);
		}
	}
}

static void
a_target_must_be_in_the_scope(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w;
		struct cw_command c;

		if ((cw_rows[i].flags & TARGETS) == 0)
			continue;
		w = cw_rows_prepare(state, cw_rows[i].no);
		c = cw_rows_command(w, cw_rows[i].no);
		c.u.on_key.target = 8;
		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_OUTSIDE_SCOPE);
		cw_rows_assert_ended(w);
	}
}

/* ---- storage ---- */

/* The state is the one before or the one after; the same bytes get the same
 * answer, whenever it is asked for. */
static void
torn(struct cw_test_world *w, enum cw_test_tear tear)
{
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_bytes bytes = cw_buf_bytes(&issuer->command);

	w->card.storage.tear = tear;
	w->card.storage.tear_at = w->card.storage.stores + 1;
	assert_err(cw_test_issuer_send(issuer, bytes), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, tear == CW_TEST_TEAR_FULL ? 0x6581 : 0);
	w->card.storage.tear = CW_TEST_TEAR_NONE;
	if (tear != CW_TEST_TEAR_FULL)
		cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_send(issuer, bytes), CW_OK);
	cw_buf_reset(&w->out);
	cw_buf_put(&w->out, cw_buf_bytes(&issuer->reply));
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_send(issuer, bytes), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&w->out),
	    cw_buf_bytes(&issuer->reply)));
}

static void
each_command_survives_a_torn_write(void **state)
{
	static const enum cw_test_tear tears[] = { CW_TEST_TEAR_BEFORE,
		CW_TEST_TEAR_AFTER, CW_TEST_TEAR_FULL };

	for (size_t i = 0; i < CW_ROWS; i++) {
		for (size_t j = 0; j < COUNT(tears); j++) {
			struct cw_test_world *w =
			    cw_rows_prepare(state, cw_rows[i].no);
			struct cw_command c = cw_rows_command(w, cw_rows[i].no);
			struct cw_reply reply = { .err = CW_OK };

			assert_err(cw_test_issuer_seal(&w->issuer, &c), CW_OK);
			torn(w, tears[j]);
			cw_buf_reset(&w->issuer.reply_plain);
			assert_err(cw_channel_open_reply(&w->issuer.channel,
				       w->issuer.i + 1,
				       cw_buf_bytes(&w->issuer.command),
				       cw_buf_bytes(&w->issuer.reply),
				       &w->issuer.reply_plain),
			    CW_OK);
			assert_err(cw_reply_decode(cw_rows[i].no,
				       cw_buf_bytes(&w->issuer.reply_plain),
				       &reply),
			    CW_OK);
			assert_err(reply.err, CW_OK);
		}
	}
}

static void
a_card_without_room_says_so_in_its_reply(void **state)
{
	for (size_t i = 0; i < CW_ROWS; i++) {
		struct cw_test_world *w = cw_rows_prepare(state, cw_rows[i].no);
		struct cw_command c = cw_rows_command(w, cw_rows[i].no);

		/* Just what is there, and the reserve. */
		w->card.config.storage_max = w->card.storage.bytes.len + 4096;
		cw_test_card_power_cycle(&w->card);
		cw_test_select_provisioning(&w->issuer.wire);
		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_CARD_FULL);
		w->card.config.storage_max = 0;
		cw_test_card_power_cycle(&w->card);
		cw_test_select_provisioning(&w->issuer.wire);
		cw_rows_assert_ended(w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(each_command_needs_the_scope),
		world_test(an_anonymous_session_manages_nothing),
		world_test(no_command_works_after_an_error),
		world_test(no_command_works_after_close),
		world_test(another_owners_objects_do_not_exist),
		world_test(an_id_is_given_once),
		world_test(an_unknown_id_is_refused),
		world_test(a_target_must_be_in_the_scope),
		world_test(each_command_survives_a_torn_write),
		world_test(a_card_without_room_says_so_in_its_reply),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin, cw_rows_end);
}
