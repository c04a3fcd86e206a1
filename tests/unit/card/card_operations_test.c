/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session costs a chip (docs/card.md "Cost"): counted where the crypto
 * contract is entered (card_operations_test.wrap), so that the card's own
 * figures are checked, not trusted.
 */
#include "proto/apdu.h"
#include "tests/support/card_world.h"

static struct counts {
	unsigned generations, agreements, verifications, signatures;
} counted;

static bool counting;

enum cw_err __real_cw_key_generate(enum cw_key_type type,
    struct cw_private_key **out);
enum cw_err __wrap_cw_key_generate(enum cw_key_type type,
    struct cw_private_key **out);
enum cw_err __real_cw_agree(const struct cw_private_key *key,
    const struct cw_public_key *peer, uint8_t z[32]);
enum cw_err __wrap_cw_agree(const struct cw_private_key *key,
    const struct cw_public_key *peer, uint8_t z[32]);
enum cw_err __real_cw_verify(const struct cw_public_key *key,
    struct cw_bytes message, struct cw_bytes signature);
enum cw_err __wrap_cw_verify(const struct cw_public_key *key,
    struct cw_bytes message, struct cw_bytes signature);
enum cw_err __real_cw_sign(const struct cw_private_key *key,
    struct cw_bytes message, struct cw_buf *out);
enum cw_err __wrap_cw_sign(const struct cw_private_key *key,
    struct cw_bytes message, struct cw_buf *out);

enum cw_err
__wrap_cw_key_generate(enum cw_key_type type, struct cw_private_key **out)
{
	counted.generations += counting;
	return __real_cw_key_generate(type, out);
}

enum cw_err
__wrap_cw_agree(const struct cw_private_key *key,
    const struct cw_public_key *peer, uint8_t z[32])
{
	counted.agreements += counting;
	return __real_cw_agree(key, peer, z);
}

enum cw_err
__wrap_cw_verify(const struct cw_public_key *key, struct cw_bytes message,
    struct cw_bytes signature)
{
	counted.verifications += counting;
	return __real_cw_verify(key, message, signature);
}

enum cw_err
__wrap_cw_sign(const struct cw_private_key *key, struct cw_bytes message,
    struct cw_buf *out)
{
	counted.signatures += counting;
	return __real_cw_sign(key, message, out);
}

/* Counts only while the card works, not the issuer beside it. */
static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_test_world *w = ctx;

	counting = true;
	cw_card_transmit(w->card.card, command, response);
	counting = false;
}

static void
a_session_with_one_p256_key_costs_what_the_documentation_says(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_operations before, after;

	w->issuer.wire = (struct cw_test_wire){ transmit, w };
	before = cw_card_operations(w->card.card);
	memset(&counted, 0, sizeof(counted));
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	after = cw_card_operations(w->card.card);
	assert_int_equal(counted.generations, 2);
	assert_int_equal(counted.agreements, 1);
	assert_int_equal(counted.verifications, 1);
	assert_int_equal(counted.signatures, 3);
	assert_int_equal(after.key_generations - before.key_generations, 2);
	assert_int_equal(after.agreements - before.agreements, 1);
	assert_int_equal(after.verifications - before.verifications, 1);
	assert_int_equal(after.signatures - before.signatures, 3);
	/* OPEN SESSION, SET PIN, CREATE_KEY, SET_CERTIFICATES, CLOSE. */
	assert_int_equal(after.stores - before.stores, 5);
}

static void
repeats_cost_no_public_key_operation(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.wire = (struct cw_test_wire){ transmit, w };
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	memset(&counted, 0, sizeof(counted));
	assert_err(cw_test_issuer_send(&w->issuer,
		       cw_buf_bytes(&w->issuer.command)),
	    CW_OK);
	assert_sw(cw_test_send(&w->issuer.wire, 0x8012, 0,
		      cw_buf_bytes(&w->issuer.r), NULL),
	    0x9000);
	assert_int_equal(counted.generations + counted.agreements +
		counted.verifications + counted.signatures,
	    0);
}

static void
a_request_for_another_nonce_costs_no_verification(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.wire = (struct cw_test_wire){ transmit, w };
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	cw_card_reset(w->card.card);
	memset(&counted, 0, sizeof(counted));
	cw_test_select_provisioning(&w->issuer.wire);
	assert_err(cw_test_issuer_open(&w->issuer), CW_ERR_CARD_SAYS);
	assert_int_equal(counted.verifications, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    a_session_with_one_p256_key_costs_what_the_documentation_says),
		world_test(repeats_cost_no_public_key_operation),
		world_test(a_request_for_another_nonce_costs_no_verification),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
