/* SPDX-License-Identifier: Apache-2.0 */
/* The state's coding: everything that a card can hold, and the older form. */
#include "card/state.h"
#include "proto/base/fdio.h"
#include "proto/card_link.h"
#include "tests/support/card_play.h"

#define OLD "tests/vectors/card-state-v1.cbor"

/* Objects of every kind, and an open session with management commands. */
static void
fill(struct cw_test_world *w)
{
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_create_key plain = { .id = 3,
		.type = CW_KEY_ED25519,
		.usage = CW_USAGE_SIGN };
	struct cw_create_key key = cw_play_key;
	struct cw_command c;

	cw_play_base(issuer);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	key.id = 2;
	key.exportable = true;
	key.export_guard = CW_GUARD_PUK;
	key.delete_guard = CW_GUARD_PIN;
	key.n_algorithms = 1;
	key.algorithms[0] = CW_ALG_ESP256;
	cw_play_make(issuer, &key);
	c = cw_play_extension(2, "https://x.example/logo",
	    CW_EXTENSION_LOGOTYPE, cw_bytes_str("picture"));
	c.u.set_extension.media_type = cw_bytes_str("image/png");
	cw_test_must_run(issuer, c);
	cw_test_must_run(issuer, cw_play_import(&cw_play_secret));
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_play_make(issuer, &plain);
	cw_test_must_run(issuer, cw_play_on(CW_CLONE_KEY_PROTECTION, 3, 2));
	cw_test_must_run(issuer, cw_play_on(CW_UNLOCK_KEY, 0, 1));
}

static void
everything_is_the_same_after_encoding(void **state)
{
	struct cw_test_world *w = *state;

	fill(w);
	cw_test_state_reads_back(w);
}

static void
a_cut_of_everything_is_refused_at_every_byte(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_state *decoded = NULL;
	struct cw_bytes whole;

	fill(w);
	whole = cw_buf_bytes(&w->card.storage.bytes);
	for (size_t len = 0; len < whole.len; len++)
		assert_err(cw_card_state_decode(cw_bytes(whole.ptr, len),
			       &decoded),
		    CW_ERR_BAD_STATE_FILE);
	assert_null(decoded);
}

/* ---- the form of version 1 ---- */

static void
a_card_goes_on_with_an_older_state(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_state *decoded = NULL;
	struct cw_buf old, again;
	const struct cw_card_key *key;
	const struct cw_card_policy *policy;

	cw_buf_init(&old, CW_CARD_STORAGE_MAX);
	cw_buf_init(&again, CW_CARD_STORAGE_MAX);
	assert_err(cw_file_load(OLD, &old), CW_OK);
	assert_err(cw_card_state_decode(cw_buf_bytes(&old), &decoded), CW_OK);
	key = decoded->objects.keys;
	assert_int_equal(key->attributes.slot, 0x9A);
	assert_int_equal(key->handle, 1);
	assert_int_equal(key->next->handle, 2);
	assert_true(cw_bytes_is(key->next->attributes.name, "Old key"));
	policy = decoded->objects.policies;
	assert_int_equal(policy->grouping, CW_PIN_SHARED);
	assert_int_equal(policy->groups->pin.tries, 5);
	assert_int_equal(decoded->next_handle, 3);
	assert_non_null(decoded->sessions);
	/* Written in the new form, it is read as the same. */
	cw_card_state_encode(decoded, &again);
	cw_card_state_free(&decoded);
	assert_err(cw_card_state_decode(cw_buf_bytes(&again), &decoded), CW_OK);
	cw_card_state_free(&decoded);
	/* And a card with it works. */
	cw_buf_move(&w->card.storage.bytes, &old);
	cw_test_card_power_cycle(&w->card);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9C), CW_OK);
	cw_buf_wipe(&again);
	cw_buf_wipe(&old);
}

static void
a_state_of_a_later_version_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_state *decoded = NULL;
	struct cw_bytes bytes = cw_buf_bytes(&w->card.storage.bytes);

	assert_int_equal(bytes.ptr[1], CW_CARD_STATE_VERSION);
	w->card.storage.bytes.ptr[1]++;
	assert_err(cw_card_state_decode(bytes, &decoded),
	    CW_ERR_BAD_STATE_FILE);
	/* Nor is the new form taken for the old one. */
	w->card.storage.bytes.ptr[1] = 1;
	assert_err(cw_card_state_decode(bytes, &decoded),
	    CW_ERR_BAD_STATE_FILE);
	w->card.storage.bytes.ptr[1] = CW_CARD_STATE_VERSION;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(everything_is_the_same_after_encoding),
		world_test(a_cut_of_everything_is_refused_at_every_byte),
		world_test(a_card_goes_on_with_an_older_state),
		world_test(a_state_of_a_later_version_is_refused),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
