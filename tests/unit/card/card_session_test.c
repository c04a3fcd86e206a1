/* SPDX-License-Identifier: Apache-2.0 */
/* Whole sessions, and what opening one refuses (docs/protocol.md 5, 10). */
#include "proto/card_link.h"
#include "proto/intent.h"
#include "tests/support/card_world.h"

static void
every_suite_makes_a_key_in_every_mode(void **state)
{
	struct cw_test_world *w;
	uint8_t slot = 0x82;

	for (unsigned suite = 1; suite <= 2; suite++)
		for (unsigned mode = 1; mode <= 3; mode++, slot++) {
			/* Mode 1 wants the PIN once there is one. */
			w = cw_test_world_renew(state);
			w->issuer.request.suite = cw_suite_find(suite);
			w->issuer.request.mode = (enum cw_mode)mode;
			assert_err(cw_test_issuer_enroll(&w->issuer,
				       CW_KEY_P256, slot),
			    CW_OK);
		}
}

static void
every_key_type_can_be_made(void **state)
{
	static const struct {
		enum cw_key_type type;
		uint8_t slot;
	} keys[] = {
		{ CW_KEY_P256, 0x9A },
		{ CW_KEY_P384, 0x9C },
		{ CW_KEY_RSA2048, 0x9D },
		{ CW_KEY_ED25519, 0x82 },
		{ CW_KEY_P256, 0 },
	};
	struct cw_test_world *w = *state;

	for (size_t i = 0; i < COUNT(keys); i++)
		assert_err(cw_test_issuer_enroll(&w->issuer, keys[i].type,
			       keys[i].slot),
		    CW_OK);
}

static void
every_algorithm_of_the_management_key_is_verified(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_ED25519 };
	struct cw_test_world *w = *state;

	for (size_t i = 0; i < COUNT(types); i++) {
		cw_key_free(&w->issuer.management_key);
		assert_err(cw_key_generate(types[i], &w->issuer.management_key),
		    CW_OK);
		assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256,
			       (uint8_t)(0x82 + i)),
		    CW_OK);
	}
}

/* ---- the nonce ---- */

static void
capabilities_stay_the_same_until_a_session_or_a_reset(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_buf first;

	cw_buf_init(&first, 1024);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	cw_buf_put(&first, cw_buf_bytes(&w->issuer.caps));
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&w->issuer.caps)));
	cw_card_reset(w->card.card);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_false(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&w->issuer.caps)));
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_open(&w->issuer), CW_OK);
	cw_buf_reset(&first);
	cw_buf_put(&first, cw_buf_bytes(&w->issuer.caps));
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_false(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&w->issuer.caps)));
	cw_buf_wipe(&first);
}

static void
capabilities_write_nothing(void **state)
{
	struct cw_test_world *w = *state;
	unsigned before = w->card.storage.stores;

	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_int_equal(w->card.storage.stores, before);
}

static void
a_request_is_refused_after_a_reset(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	cw_card_reset(w->card.card);
	cw_test_select_provisioning(&w->card.wire);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6985);
}

static void
a_nonce_is_good_for_one_session(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6985);
}

/* ---- R ---- */

static void
the_same_request_gets_the_same_message_4(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_buf first;

	cw_buf_init(&first, CW_BODY_MAX);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_buf_put(&first, cw_buf_bytes(&w->issuer.message_4));
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&w->card.wire);
	assert_err(cw_test_issuer_open(&w->issuer), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&w->issuer.message_4)));
	cw_buf_wipe(&first);
}

/* Any one byte changed, any cut, any byte more: refused, and the right R still
 * opens the session afterwards. */
static void
a_damaged_request_is_refused_and_changes_nothing(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_buf *r = &w->issuer.r;
	unsigned stores, sw;

	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	stores = w->card.storage.stores;
	for (size_t i = 0; i < r->len; i++) {
		r->ptr[i] ^= 0x01;
		sw = cw_test_send(&w->card.wire, 0x8012, 0, cw_buf_bytes(r),
		    NULL);
		r->ptr[i] ^= 0x01;
		if (sw != 0x6A80 && sw != 0x6988 && sw != 0x6985)
			fail_msg("byte %zu: %04X", i, sw);
	}
	for (size_t len = 1; len < r->len; len += 7)
		assert_sw(cw_test_send(&w->card.wire, 0x8012, 0,
			      cw_bytes(r->ptr, len), NULL),
		    0x6A80);
	cw_buf_put_u8(r, 0);
	assert_sw(cw_test_send(&w->card.wire, 0x8012, 0, cw_buf_bytes(r), NULL),
	    0x6A80);
	cw_buf_truncate(r, r->len - 1);
	assert_int_equal(w->card.storage.stores, stores);
	assert_err(cw_test_issuer_open(&w->issuer), CW_OK);
}

static void
a_request_for_other_capabilities_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_request *q = &w->issuer.request;

	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	q->caps_hash[0] ^= 1;
	cw_buf_reset(&w->issuer.r);
	assert_err(cw_request_make(q, w->issuer.management_key, &w->issuer.r),
	    CW_OK);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6988);
}

static void
a_request_that_another_key_signed_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_cose_sign1 mine, theirs;
	struct cw_buf *r = &w->issuer.r;

	/* The other issuer's signature over its own R, put under mine. */
	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	cw_buf_put(&other.caps, cw_buf_bytes(&w->issuer.caps));
	assert_err(cw_test_issuer_request(&other), CW_OK);
	assert_err(cw_cose_sign1_decode(cw_buf_bytes(r), CW_TYP_REQUEST, &mine),
	    CW_OK);
	assert_err(cw_cose_sign1_decode(cw_buf_bytes(&other.r), CW_TYP_REQUEST,
		       &theirs),
	    CW_OK);
	memcpy(r->ptr + r->len - mine.signature.len, theirs.signature.ptr,
	    theirs.signature.len);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6988);
	cw_test_issuer_wipe(&other);
}

static void
endorsements_and_strange_uris_are_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_request *q = &w->issuer.request;

	q->n_endorsements = 1;
	q->endorsements[0] = cw_bytes_str("endorsement");
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6988);
	q->n_endorsements = 0;
	q->uri = cw_bytes_str("ftp://issuer.test/session");
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A80);
}

static void
a_session_id_is_used_once(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_request *q = &w->issuer.request;
	uint8_t id[CW_SESSION_ID_BYTES];

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	memcpy(id, q->session_id, sizeof(id));
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	memcpy(q->session_id, id, sizeof(id));
	cw_buf_reset(&w->issuer.r);
	assert_err(cw_request_make(q, w->issuer.management_key, &w->issuer.r),
	    CW_OK);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A80);
}

static void
an_invalid_ephemeral_key_opens_nothing(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_request *q = &w->issuer.request;

	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	q->issuer_ephemeral.y[7] ^= 1; /* no point of the curve */
	cw_buf_reset(&w->issuer.r);
	assert_err(cw_request_make(q, w->issuer.management_key, &w->issuer.r),
	    CW_OK);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A80);
}

static void
a_card_without_keys_of_its_own_opens_nothing(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_storage blank;
	struct cw_card_config config = { .storage = &blank.ops };

	cw_card_free(&w->card.card);
	cw_test_storage_init(&blank);
	assert_err(cw_card_open(&config, &w->card.card), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6985);
	cw_card_free(&w->card.card);
	cw_test_storage_wipe(&blank);
}

/* ---- mode 1 and the PIN ---- */

static void
identity_needs_the_pin_since_select(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;

	issuer->request.mode = CW_MODE_IDENTIFIED;
	assert_err(cw_test_issuer_enroll(issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6982);
	/* Verified before a SELECT does not count. */
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_open(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6982);
	/* Nor in the other application. */
	cw_test_select_piv(&issuer->wire);
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_open(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6982);
	/* The nonce stayed unused: the same R opens the session. */
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
	assert_err(cw_test_issuer_open(issuer), CW_OK);
	/* And not again on resume. */
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_open(issuer), CW_OK);
}

static void
other_modes_need_no_pin(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	w->issuer.request.mode = CW_MODE_PSEUDONYMOUS;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	w->issuer.request.mode = CW_MODE_ANONYMOUS;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
}

static void
a_pseudonym_is_the_issuers_own(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	uint8_t first[CW_HASH_BYTES];

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_true(w->issuer.token.has_pseudonym);
	memcpy(first, w->issuer.token.pseudonym, sizeof(first));
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_memory_equal(first, w->issuer.token.pseudonym, sizeof(first));
	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	assert_memory_not_equal(first, other.token.pseudonym, sizeof(first));
	cw_test_issuer_wipe(&other);
}

static void
only_identified_sessions_show_a_serial_number(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_info info;

	for (unsigned mode = 1; mode <= 3; mode++) {
		w->issuer.request.mode = (enum cw_mode)mode;
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		assert_err(cw_card_info_decode(w->issuer.token.card_info,
			       &info),
		    CW_OK);
		assert_int_equal(info.serial.len > 0, mode == 1);
		assert_int_equal(info.keys_free, CW_CARD_KEYS_MAX);
		assert_false(info.pin_set);
	}
}

/* ---- counters ---- */

static uint64_t
counter_of(struct cw_test_issuer *issuer)
{
	static struct cw_result_statement result;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	return result.has_counter ? result.counter : 0;
}

static void
counters_rise_for_the_card_and_for_each_pseudonym(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;

	cw_test_world_issuer(w, &other);
	assert_int_equal(counter_of(&w->issuer), 1);
	assert_int_equal(counter_of(&w->issuer), 2);
	assert_int_equal(counter_of(&other), 1);
	w->issuer.request.mode = CW_MODE_IDENTIFIED;
	other.request.mode = CW_MODE_IDENTIFIED;
	assert_int_equal(counter_of(&w->issuer), 1);
	assert_int_equal(counter_of(&other), 2);
	other.request.mode = CW_MODE_ANONYMOUS;
	assert_int_equal(counter_of(&other), 0);
	cw_test_card_power_cycle(&w->card);
	w->issuer.request.mode = CW_MODE_PSEUDONYMOUS;
	assert_int_equal(counter_of(&w->issuer), 3);
	cw_test_issuer_wipe(&other);
}

/* ---- limits of open sessions ---- */

static void
too_many_open_sessions_are_refused(void **state)
{
	struct cw_test_world *w = *state;

	for (int i = 0; i < CW_CARD_OPEN_SESSIONS_MAX; i++)
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A84);
}

static void
an_aborted_session_makes_room_and_is_gone(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;

	too_many_open_sessions_are_refused(state);
	/* The last R was refused; its session is not there to abort. */
	assert_sw(cw_test_send(&issuer->wire, 0x801C, 0,
		      CW_BYTES_ARRAY(issuer->request.session_id), NULL),
	    0x6985);
	w = cw_test_world_renew(state);
	issuer = &w->issuer;
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_sw(cw_test_send(&issuer->wire, 0x801C, 0,
		      CW_BYTES_ARRAY(issuer->request.session_id), NULL),
	    0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6985);
	assert_sw(cw_test_send(&issuer->wire, 0x801C, 0, cw_bytes_str("short"),
		      NULL),
	    0x6700);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(every_suite_makes_a_key_in_every_mode),
		world_test(every_key_type_can_be_made),
		world_test(every_algorithm_of_the_management_key_is_verified),
		world_test(
		    capabilities_stay_the_same_until_a_session_or_a_reset),
		world_test(capabilities_write_nothing),
		world_test(a_request_is_refused_after_a_reset),
		world_test(a_nonce_is_good_for_one_session),
		world_test(the_same_request_gets_the_same_message_4),
		world_test(a_damaged_request_is_refused_and_changes_nothing),
		world_test(a_request_for_other_capabilities_is_refused),
		world_test(a_request_that_another_key_signed_is_refused),
		world_test(endorsements_and_strange_uris_are_refused),
		world_test(a_session_id_is_used_once),
		world_test(an_invalid_ephemeral_key_opens_nothing),
		world_test(a_card_without_keys_of_its_own_opens_nothing),
		world_test(identity_needs_the_pin_since_select),
		world_test(other_modes_need_no_pin),
		world_test(a_pseudonym_is_the_issuers_own),
		world_test(only_identified_sessions_show_a_serial_number),
		world_test(counters_rise_for_the_card_and_for_each_pseudonym),
		world_test(too_many_open_sessions_are_refused),
		world_test(an_aborted_session_makes_room_and_is_gone),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
