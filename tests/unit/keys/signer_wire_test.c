/* SPDX-License-Identifier: Apache-2.0 */
/* Packets between web process and signer. */
#include "tests/support/check.h"

#include <stdlib.h>

#include "keys/signer_wire.h"
#include "proto/base/secret.h"
#include "tests/support/keys_card.h"

static struct cw_private_key *key;
static struct cw_public_key pub;

static int
setup(void **state)
{
	(void)state;
	assert_err(cw_key_generate(CW_KEY_P256, &key), CW_OK);
	cw_key_public(key, &pub);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_key_free(&key);
	return 0;
}

/* One good request of each operation. */
static struct cw_signer_request
example(enum cw_signer_op op)
{
	static struct cw_grant grant;
	struct cw_signer_request q = { .id = UINT64_MAX, .op = op };
	struct cw_verdict *v = &q.verdict;

	if (grant.uses == 0)
		grant = cw_keys_grant(1700000000);
	if (op == CW_SIGNER_SIGN) {
		q.grant = cw_bytes_str("grant");
		q.fields = cw_keys_request(&grant);
	}
	if (op == CW_SIGNER_TOKEN || op == CW_SIGNER_CERTIFY ||
	    op == CW_SIGNER_DONE) {
		q.proof.request = cw_bytes_str("R");
		q.proof.grant = cw_bytes_str("grant");
		q.proof.card_ephemeral = pub;
		q.token = cw_bytes_str("token");
	}
	if (op == CW_SIGNER_DONE)
		q.result = cw_bytes_str("result");
	if (op == CW_SIGNER_CERTIFY || op == CW_SIGNER_DONE) {
		v->attestation.kind = CW_ATTESTATION_BATCH;
		v->attestation.key = pub;
		memcpy(v->attestation.model, "Card", 5);
		v->has_pseudonym = true;
		q.key_statement = cw_bytes_str("statement");
	}
	if (op == CW_SIGNER_CERTIFY || op == CW_SIGNER_REVOKE)
		q.serial[15] = 1;
	if (op == CW_SIGNER_READ)
		q.max = 1;
	return q;
}

static void
each_request_reads_back_and_no_prefix_does(void **state)
{
	struct cw_signer_request *back = calloc(1, sizeof(*back));
	struct cw_buf b, again;

	(void)state;
	cw_buf_init(&b, CW_SIGNER_PACKET_MAX);
	cw_buf_init(&again, CW_SIGNER_PACKET_MAX);
	for (unsigned op = CW_SIGNER_INFO; op < CW_SIGNER_OPS; op++) {
		struct cw_signer_request q = example((enum cw_signer_op)op);

		cw_buf_reset(&b);
		cw_buf_reset(&again);
		cw_signer_request_encode(&q, &b);
		assert_err(cw_signer_request_decode(cw_buf_bytes(&b), back),
		    CW_OK);
		cw_signer_request_encode(back, &again);
		assert_true(
		    cw_bytes_equal(cw_buf_bytes(&b), cw_buf_bytes(&again)));
		for (size_t n = 0; n < b.len; n++)
			assert_int_not_equal(
			    cw_signer_request_decode(cw_bytes(b.ptr, n), back),
			    CW_OK);
		cw_buf_put_u8(&b, 0);
		assert_err(cw_signer_request_decode(cw_buf_bytes(&b), back),
		    CW_ERR_TRAILING);
	}
	cw_buf_wipe(&b);
	cw_buf_wipe(&again);
	free(back);
}

static void
bad_suite(struct cw_signer_request *q)
{
	q->fields.suite = NULL;
}

static void
other_ephemeral(struct cw_signer_request *q)
{
	q->fields.suite = cw_suite_find(2);
}

static void
no_mode(struct cw_signer_request *q)
{
	q->fields.mode = (enum cw_mode)(CW_MODE_ANONYMOUS + 1);
}

static void
no_lifetime(struct cw_signer_request *q)
{
	q->fields.lifetime_s = 0;
}

static void
no_grant(struct cw_signer_request *q)
{
	q->grant = q->proof.grant = CW_BYTES_NONE;
}

static void
no_statement(struct cw_signer_request *q)
{
	q->key_statement = CW_BYTES_NONE;
}

static void
no_result(struct cw_signer_request *q)
{
	q->result = CW_BYTES_NONE;
}

static void
negative_serial(struct cw_signer_request *q)
{
	q->serial[0] = 0x80;
}

static void
zero_serial(struct cw_signer_request *q)
{
	q->serial[15] = 0;
}

static void
no_such_reason(struct cw_signer_request *q)
{
	q->reason = 7;
}

static void
too_many(struct cw_signer_request *q)
{
	q->max = CW_SIGNER_READ_MAX + 1;
}

static void
no_token(struct cw_signer_request *q)
{
	q->token = CW_BYTES_NONE;
}

static const struct row {
	const char *name;
	enum cw_signer_op op;
	void (*change)(struct cw_signer_request *q);
	bool accepted;
} rows[] = {
	{ "no suite", CW_SIGNER_SIGN, bad_suite, false },
	{ "an ephemeral key of another suite", CW_SIGNER_SIGN, other_ephemeral,
	    false },
	{ "no such mode", CW_SIGNER_SIGN, no_mode, false },
	{ "no lifetime", CW_SIGNER_SIGN, no_lifetime, false },
	{ "no grant to sign for", CW_SIGNER_SIGN, no_grant, false },
	{ "no grant in a proof", CW_SIGNER_TOKEN, no_grant, false },
	{ "no token to check", CW_SIGNER_TOKEN, no_token, false },
	{ "no token to certify", CW_SIGNER_CERTIFY, no_token, true },
	{ "no statement", CW_SIGNER_CERTIFY, no_statement, false },
	{ "no token with a result", CW_SIGNER_DONE, no_token, true },
	{ "no result", CW_SIGNER_DONE, no_result, false },
	{ "a negative serial", CW_SIGNER_CERTIFY, negative_serial, false },
	{ "a zero serial", CW_SIGNER_REVOKE, zero_serial, false },
	{ "a reason that is none", CW_SIGNER_REVOKE, no_such_reason, false },
	{ "too many entries", CW_SIGNER_READ, too_many, false },
};

static void
what_the_web_process_never_sends_is_malformed(void **state)
{
	struct cw_signer_request *back = calloc(1, sizeof(*back));
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, CW_SIGNER_PACKET_MAX);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_signer_request q = example(rows[i].op);

		rows[i].change(&q);
		cw_buf_reset(&b);
		cw_signer_request_encode(&q, &b);
		assert_row(rows[i].name,
		    (cw_signer_request_decode(cw_buf_bytes(&b), back) ==
			CW_OK) == rows[i].accepted);
	}
	cw_buf_wipe(&b);
	free(back);
}

static void
an_operation_that_there_is_not_is_malformed(void **state)
{
	static const uint8_t none[] = { 0x82, 0x01, 0x00 };
	static const uint8_t eight[] = { 0x82, 0x01, 0x08 };
	static const uint8_t extra[] = { 0x83, 0x01, 0x01, 0x00 };
	struct cw_signer_request *back = calloc(1, sizeof(*back));

	(void)state;
	assert_err(cw_signer_request_decode(CW_BYTES_ARRAY(none), back),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(cw_signer_request_decode(CW_BYTES_ARRAY(eight), back),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(cw_signer_request_decode(CW_BYTES_ARRAY(extra), back),
	    CW_ERR_OUT_OF_RANGE);
	free(back);
}

static void
a_verdict_reads_back(void **state)
{
	struct cw_verdict v = example(CW_SIGNER_CERTIFY).verdict, back;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, CW_REQUEST_MAX);
	cw_verdict_encode(&v, &b);
	assert_err(cw_verdict_decode(cw_buf_bytes(&b), &back), CW_OK);
	assert_string_equal(back.attestation.model, "Card");
	assert_true(back.has_pseudonym);
	for (size_t n = 0; n < b.len; n++)
		assert_int_not_equal(cw_verdict_decode(cw_bytes(b.ptr, n),
					 &back),
		    CW_OK);
	cw_buf_wipe(&b);
}

static void
an_answer_is_for_its_request_only(void **state)
{
	struct cw_cbor_reader r;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 64);
	cw_signer_answer_encode(5, CW_ERR_BAD_GRANT, 1, CW_BYTES_NONE, &b);
	assert_err(cw_signer_answer_open(cw_buf_bytes(&b), 5, &r),
	    CW_ERR_BAD_GRANT);
	assert_err(cw_signer_answer_open(cw_buf_bytes(&b), 6, &r),
	    CW_ERR_WRONG_REPLY);
	cw_buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_reads_back_and_no_prefix_does),
		cmocka_unit_test(what_the_web_process_never_sends_is_malformed),
		cmocka_unit_test(an_operation_that_there_is_not_is_malformed),
		cmocka_unit_test(a_verdict_reads_back),
		cmocka_unit_test(an_answer_is_for_its_request_only),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
