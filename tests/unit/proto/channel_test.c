/* SPDX-License-Identifier: Apache-2.0 */
/* The secure channel: both ends agree, and only they. */
#include "proto/channel.h"
#include "tests/support/check.h"

static const struct cw_bytes request = { (const uint8_t *)"R", 1 };

struct pair {
	struct cw_channel card;
	struct cw_channel issuer;
};

static void
make(unsigned suite_id, struct cw_bytes issuers_request, struct pair *p)
{
	const struct cw_suite *suite = cw_suite_find(suite_id);
	struct cw_private_key *ec = NULL;
	struct cw_private_key *es = NULL;
	struct cw_public_key ec_public;
	struct cw_public_key es_public;

	assert_err(cw_key_generate(suite->agreement, &ec), CW_OK);
	assert_err(cw_key_generate(suite->agreement, &es), CW_OK);
	cw_key_public(ec, &ec_public);
	cw_key_public(es, &es_public);
	assert_err(cw_channel_init(&p->card, suite, request, &ec_public, ec,
		       &es_public),
	    CW_OK);
	assert_err(cw_channel_init(&p->issuer, suite, issuers_request,
		       &ec_public, es, &ec_public),
	    CW_OK);
	cw_key_free(&ec);
	cw_key_free(&es);
}

static void
both_ends_derive_the_same_in_both_suites(void **state)
{
	struct pair p;

	(void)state;
	for (unsigned suite = 1; suite <= 2; suite++) {
		make(suite, request, &p);
		assert_memory_equal(&p.card, &p.issuer, sizeof(p.card));
		assert_memory_not_equal(p.card.up_key, p.card.down_key, 32);
	}
}

static void
another_request_gives_other_keys(void **state)
{
	struct pair p;

	(void)state;
	make(1, cw_bytes_str("S"), &p);
	assert_memory_not_equal(p.card.th, p.issuer.th, 32);
	assert_memory_not_equal(p.card.down_key, p.issuer.down_key, 32);
	assert_memory_not_equal(p.card.up_iv, p.issuer.up_iv, 13);
}

static void
an_ephemeral_key_of_another_type_is_refused(void **state)
{
	struct cw_private_key *own = NULL;
	struct cw_public_key mine;
	struct cw_channel ch;

	(void)state;
	assert_err(cw_key_generate(CW_KEY_X25519, &own), CW_OK);
	cw_key_public(own, &mine);
	assert_err(cw_channel_init(&ch, cw_suite_find(1), request, &mine, own,
		       &mine),
	    CW_ERR_BAD_KEY);
	cw_key_free(&own);
}

static void
a_zero_agreement_is_refused(void **state)
{
	const struct cw_public_key zero = { .type = CW_KEY_X25519,
		.x_len = 32 };
	struct cw_private_key *own = NULL;
	struct cw_public_key mine;
	struct cw_channel ch;

	(void)state;
	assert_err(cw_key_generate(CW_KEY_X25519, &own), CW_OK);
	cw_key_public(own, &mine);
	assert_err(cw_channel_init(&ch, cw_suite_find(2), request, &mine, own,
		       &zero),
	    CW_ERR_BAD_KEY);
	cw_key_free(&own);
}

static void
a_point_off_the_curve_is_refused(void **state)
{
	struct cw_private_key *own = NULL;
	struct cw_public_key mine;
	struct cw_public_key off;
	struct cw_channel ch;

	(void)state;
	assert_err(cw_key_generate(CW_KEY_P256, &own), CW_OK);
	cw_key_public(own, &mine);
	off = mine;
	off.y[31] ^= 1;
	assert_err(cw_channel_init(&ch, cw_suite_find(1), request, &mine, own,
		       &off),
	    CW_ERR_BAD_KEY);
	cw_key_free(&own);
}

/* Seals "hello" as command `i` of the issuer. */
static void
seal_command(const struct pair *p, unsigned i, struct cw_buf *out)
{
	cw_buf_init(out, 4096);
	assert_err(cw_channel_seal_command(&p->issuer, i, cw_bytes_str("hello"),
		       out),
	    CW_OK);
}

static void
commands_open_only_in_their_place_and_direction(void **state)
{
	struct cw_bytes command;
	struct cw_buf sealed;
	struct cw_buf plain;
	struct pair p;

	(void)state;
	for (unsigned suite = 1; suite <= 2; suite++) {
		make(suite, request, &p);
		cw_buf_init(&plain, 4096);
		seal_command(&p, 1, &sealed);
		command = cw_buf_bytes(&sealed);
		assert_err(cw_channel_open_command(&p.card, 1, command, &plain),
		    CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&plain), "hello"));
		cw_buf_reset(&plain);
		assert_err(cw_channel_open_command(&p.card, 2, command, &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		assert_err(cw_channel_open_reply(&p.card, 1, command, command,
			       &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		assert_err(cw_channel_open_token(&p.card, command, &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		assert_int_equal(plain.len, 0);
		cw_buf_wipe(&plain);
		cw_buf_wipe(&sealed);
	}
}

static void
a_reply_is_bound_to_its_command(void **state)
{
	struct cw_buf command;
	struct cw_buf other;
	struct cw_buf reply;
	struct cw_buf plain;
	struct pair p;

	(void)state;
	make(1, request, &p);
	seal_command(&p, 1, &command);
	seal_command(&p, 2, &other);
	cw_buf_init(&reply, 4096);
	cw_buf_init(&plain, 4096);
	assert_err(cw_channel_seal_reply(&p.card, 1, cw_buf_bytes(&command),
		       cw_bytes_str("done"), &reply),
	    CW_OK);
	assert_err(cw_channel_open_reply(&p.issuer, 1, cw_buf_bytes(&other),
		       cw_buf_bytes(&reply), &plain),
	    CW_ERR_BAD_CIPHERTEXT);
	assert_err(cw_channel_open_reply(&p.issuer, 1, cw_buf_bytes(&command),
		       cw_buf_bytes(&reply), &plain),
	    CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&plain), "done"));
	cw_buf_wipe(&plain);
	cw_buf_wipe(&reply);
	cw_buf_wipe(&other);
	cw_buf_wipe(&command);
}

static void
every_changed_bit_of_a_command_is_refused(void **state)
{
	struct cw_buf sealed;
	struct cw_buf plain;
	struct pair p;

	(void)state;
	for (unsigned suite = 1; suite <= 2; suite++) {
		make(suite, request, &p);
		cw_buf_init(&plain, 4096);
		seal_command(&p, 1, &sealed);
		for (size_t i = 0; i < sealed.len * 8; i++) {
			sealed.ptr[i / 8] ^= (uint8_t)(1u << i % 8);
			assert_int_not_equal(cw_channel_open_command(&p.card, 1,
						 cw_buf_bytes(&sealed), &plain),
			    CW_OK);
			sealed.ptr[i / 8] ^= (uint8_t)(1u << i % 8);
		}
		assert_int_equal(plain.len, 0);
		cw_buf_wipe(&plain);
		cw_buf_wipe(&sealed);
	}
}

static void
the_hash_chain_depends_on_every_message_and_their_order(void **state)
{
	struct cw_bytes a = cw_bytes_str("a");
	struct cw_bytes b = cw_bytes_str("b");
	struct cw_channel x;
	struct cw_channel y;
	uint8_t end_x[32];
	uint8_t end_y[32];
	struct pair p;

	(void)state;
	make(1, request, &p);
	cw_channel_begin(&p.card, a);
	x = p.card;
	y = p.card;
	cw_channel_advance(&x, a, b);
	cw_channel_advance(&y, b, a);
	assert_memory_not_equal(x.h, y.h, 32);
	cw_channel_h_end(&x, a, end_x);
	cw_channel_h_end(&p.card, a, end_y);
	assert_memory_not_equal(end_x, end_y, 32);
	cw_channel_begin(&p.card, b);
	assert_memory_not_equal(p.card.h, p.issuer.h, 32);
}

static void
a_stored_channel_comes_back_as_it_was(void **state)
{
	struct cw_channel again;
	struct cw_buf b;
	struct pair p;

	(void)state;
	for (unsigned suite = 1; suite <= 2; suite++) {
		make(suite, request, &p);
		cw_channel_begin(&p.card, request);
		cw_buf_init(&b, 1024);
		cw_channel_encode(&p.card, &b);
		assert_err(cw_channel_decode(cw_buf_bytes(&b), &again), CW_OK);
		assert_memory_equal(&again, &p.card, sizeof(again));
		for (size_t n = 0; n < b.len; n++)
			assert_int_not_equal(cw_channel_decode(cw_bytes(b.ptr,
								   n),
						 &again),
			    CW_OK);
		cw_buf_wipe(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_derive_the_same_in_both_suites),
		cmocka_unit_test(another_request_gives_other_keys),
		cmocka_unit_test(an_ephemeral_key_of_another_type_is_refused),
		cmocka_unit_test(a_zero_agreement_is_refused),
		cmocka_unit_test(a_point_off_the_curve_is_refused),
		cmocka_unit_test(
		    commands_open_only_in_their_place_and_direction),
		cmocka_unit_test(a_reply_is_bound_to_its_command),
		cmocka_unit_test(every_changed_bit_of_a_command_is_refused),
		cmocka_unit_test(
		    the_hash_chain_depends_on_every_message_and_their_order),
		cmocka_unit_test(a_stored_channel_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
