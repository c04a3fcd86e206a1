/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts and full storage at every write of a session: the state is the
 * one before the command or the one after it, the same command repeated goes
 * on, and nothing is ever encrypted into two different answers.
 */
#include "proto/card_link.h"
#include "tests/support/card_play.h"

/* The steps of a session, each one exchange that can be repeated. */
struct run {
	struct cw_test_world *w;
	struct cw_public_key made;
	enum cw_err err;
};

static void
step_open(struct run *r)
{
	r->err = cw_test_issuer_open(&r->w->issuer);
}

static void
step_pin(struct run *r)
{
	r->err = cw_test_issuer_set_pin(&r->w->issuer);
}

static void
step_send(struct run *r)
{
	r->err = cw_test_issuer_send(&r->w->issuer,
	    cw_buf_bytes(&r->w->issuer.command));
}

/* One step with the power cut at its write; then, after a repair, again, and
 * once more: both answers are the same bytes. */
static void
torn(struct run *r, enum cw_test_tear tear, void (*step)(struct run *r),
    struct cw_buf *answer)
{
	struct cw_test_world *w = r->w;
	struct cw_buf first;
	bool lives;

	cw_buf_init(&first, CW_BODY_MAX);
	w->card.storage.tear = tear;
	w->card.storage.tear_at = w->card.storage.stores + 1;
	step(r);
	assert_err(r->err, CW_ERR_CARD_SAYS);
	lives = tear == CW_TEST_TEAR_FULL || tear == CW_TEST_TEAR_UNSURE;
	assert_sw(w->issuer.sw, lives ? 0x6581 : 0);
	if (lives)
		w->card.storage.tear = CW_TEST_TEAR_NONE;
	else
		cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&w->issuer.wire);
	step(r);
	assert_err(r->err, CW_OK);
	cw_buf_put(&first, cw_buf_bytes(answer));
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&w->issuer.wire);
	step(r);
	assert_err(r->err, CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first), cw_buf_bytes(answer)));
	cw_buf_wipe(&first);
}

/* Takes the reply as answered, as the issuer would. */
static void
accept(struct cw_test_issuer *issuer, struct cw_reply *reply,
    enum cw_command_no no)
{
	struct cw_bytes bytes = cw_buf_bytes(&issuer->command);

	cw_buf_reset(&issuer->reply_plain);
	assert_err(cw_channel_open_reply(&issuer->channel, issuer->i + 1, bytes,
		       cw_buf_bytes(&issuer->reply), &issuer->reply_plain),
	    CW_OK);
	cw_channel_advance(&issuer->channel, bytes,
	    cw_buf_bytes(&issuer->reply));
	issuer->i++;
	assert_err(cw_reply_decode(no, cw_buf_bytes(&issuer->reply_plain),
		       reply),
	    CW_OK);
	assert_err(reply->err, CW_OK);
}

static void
torn_session(struct cw_test_world *w, enum cw_test_tear tear)
{
	struct cw_test_issuer *issuer = &w->issuer;
	struct run r = { .w = w };
	struct cw_reply reply = { .err = CW_OK };
	struct cw_command c = cw_test_key_command(&cw_test_key_9a);
	static struct cw_result_statement result;

	/* The nonce is lost with the power, unless message 4 was stored. */
	assert_err(cw_test_issuer_capabilities(issuer), CW_OK);
	assert_err(cw_test_issuer_request(issuer), CW_OK);
	if (tear == CW_TEST_TEAR_BEFORE)
		assert_err(cw_test_issuer_open(issuer), CW_OK);
	else
		torn(&r, tear, step_open, &issuer->message_4);

	assert_err(cw_test_issuer_seal(issuer, &c), CW_OK);
	step_send(&r);
	assert_sw(issuer->sw, 0x6A88);
	torn(&r, tear, step_pin, &w->out);
	torn(&r, tear, step_send, &issuer->reply);
	accept(issuer, &reply, CW_CREATE_KEY);
	r.made = reply.key;

	assert_err(cw_test_issuer_make_certificate(issuer, &r.made, "CN=T"),
	    CW_OK);
	c = (struct cw_command){ .no = CW_SET_CERTIFICATES };
	c.u.set_certificates.id = cw_test_key_9a.id;
	c.u.set_certificates.n_chain = 1;
	c.u.set_certificates.chain[0] = cw_buf_bytes(&issuer->certificate);
	assert_err(cw_test_issuer_seal(issuer, &c), CW_OK);
	torn(&r, tear, step_send, &issuer->reply);
	accept(issuer, &reply, CW_SET_CERTIFICATES);

	c = (struct cw_command){ .no = CW_CLOSE, .last = true };
	assert_err(cw_test_issuer_seal(issuer, &c), CW_OK);
	torn(&r, tear, step_send, &issuer->reply);
	accept(issuer, &reply, CW_CLOSE);
	assert_err(cw_result_statement_verify(reply.statement,
		       &issuer->attestation, &result),
	    CW_OK);
	assert_memory_equal(result.h_end, issuer->h_end, CW_HASH_BYTES);
	assert_int_equal(result.counter, 1);
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
}

static void
a_session_survives_cuts_before_each_write(void **state)
{
	torn_session(*state, CW_TEST_TEAR_BEFORE);
}

static void
a_session_survives_cuts_after_each_write(void **state)
{
	torn_session(*state, CW_TEST_TEAR_AFTER);
}

static void
a_session_survives_full_storage_at_each_write(void **state)
{
	torn_session(*state, CW_TEST_TEAR_FULL);
}

/* What the failed write held never left the card, so it may be there or not. */
static void
a_session_survives_writes_that_were_made_and_not_confirmed(void **state)
{
	torn_session(*state, CW_TEST_TEAR_UNSURE);
}

static void
a_refused_write_leaves_the_state_as_it_was(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_buf before;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	cw_buf_init(&before, CW_CARD_STORAGE_MAX);
	cw_buf_put(&before, cw_buf_bytes(&w->card.storage.bytes));
	w->card.storage.tear = CW_TEST_TEAR_FULL;
	w->card.storage.tear_at = w->card.storage.stores + 1;
	/* A wrong PIN that cannot be counted is not compared. */
	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x6581);
	assert_true(cw_bytes_equal(cw_buf_bytes(&before),
	    cw_buf_bytes(&w->card.storage.bytes)));
	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x63C2);
	cw_buf_wipe(&before);
}

static void
a_pin_try_is_counted_before_it_is_compared(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	for (unsigned left = 2; left > 0; left--) {
		w->card.storage.tear = CW_TEST_TEAR_AFTER;
		w->card.storage.tear_at = w->card.storage.stores + 1;
		assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0);
		cw_test_card_power_cycle(&w->card);
		cw_test_select_provisioning(&w->card.wire);
		assert_sw(cw_test_send(&w->card.wire, 0x0020, 0x0080,
			      CW_BYTES_NONE, NULL),
		    0x63C0 | left);
	}
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x0020, 0x0080, CW_BYTES_NONE,
		      NULL),
	    0x63C3);
}

/* ---- a small card ---- */

static void
a_card_that_is_nearly_full_says_so_and_stays_well(void **state)
{
	unsigned done = 0, full = 0;

	/* From too small for a session to large enough for two. */
	for (size_t max = 7000; max < 15000; max += 400) {
		struct cw_test_world *w = cw_test_world_renew(state);
		enum cw_err err;

		w->card.config.storage_max = max;
		cw_test_card_power_cycle(&w->card);
		err = cw_test_issuer_enroll(&w->issuer, CW_KEY_P384, 0x9A);
		if (err == CW_OK)
			err = cw_test_issuer_enroll(&w->issuer, CW_KEY_P256,
			    0x9C);
		if (err == CW_ERR_CARD_SAYS)
			assert_sw(w->issuer.sw, 0x6A84);
		else if (err != CW_OK)
			assert_err(err, CW_ERR_CARD_FULL);
		done += err == CW_OK;
		full += err == CW_ERR_CARD_FULL;
		/* It comes up again, and works. */
		cw_test_card_power_cycle(&w->card);
		assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	}
	assert_true(done > 0 && full > 0);
}

/* Tries, failures and farewells have room that nothing else may take. */
static void
a_card_that_is_full_still_counts_and_forgets(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_key_request q = { .handle = 1 };
	struct cw_command c = { .no = CW_DELETE_KEY, .u.on_key.target = 6 };

	assert_err(cw_test_issuer_enroll(issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	w->card.config.storage_max = w->card.storage.bytes.len + 600;
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	/* What does not decrypt is counted. */
	assert_err(cw_test_issuer_send(issuer, cw_bytes_str("garbage")),
	    CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6988);
	/* So are wrong PINs, and the right one gives the tries back. */
	assert_sw(cw_test_verify(&issuer->wire, "404040"), 0x63C2);
	assert_sw(cw_test_two_pins(&issuer->wire, 0x2C, 0x80, "40404040",
		      "271828"),
	    0x63C2);
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
	/* A command that fails ends its session and says why. */
	assert_err(cw_test_run(issuer, &c), CW_ERR_UNKNOWN_ID);
	assert_sw(cw_test_send(&issuer->wire, 0x801C, 0,
		      CW_BYTES_ARRAY(issuer->request.session_id), NULL),
	    0x9000);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x9000);
	assert_sw(cw_test_send(&issuer->wire, 0x80EE, 0, CW_BYTES_NONE, NULL),
	    0x9000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_session_survives_cuts_before_each_write),
		world_test(a_session_survives_cuts_after_each_write),
		world_test(a_session_survives_full_storage_at_each_write),
		world_test(
		    a_session_survives_writes_that_were_made_and_not_confirmed),
		world_test(a_refused_write_leaves_the_state_as_it_was),
		world_test(a_pin_try_is_counted_before_it_is_compared),
		world_test(a_card_that_is_nearly_full_says_so_and_stays_well),
		world_test(a_card_that_is_full_still_counts_and_forgets),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
