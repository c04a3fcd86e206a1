/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer's check of a token: what it takes, and every refusal. */
#include "proto/statement.h"
#include "proto/token.h"
#include "tests/support/check.h"

#define MODEL "Model T"

/* A token by an in-test attestation key. `token.statement` and `.card_info`
 * are made of the rest, unless a row brought its own. */
struct world {
	struct cw_private_key *attestation_key, *other_key;
	const struct cw_private_key *signer; /* attestation_key */
	struct cw_attestation attestation;
	struct cw_card_info info;
	struct cw_token_statement statement;
	struct cw_token token;
	uint8_t th[CW_HASH_BYTES];
	struct cw_buf info_bytes, statement_bytes;
};

static int
setup(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	assert_err(cw_key_generate(CW_KEY_P256, &w.attestation_key), CW_OK);
	assert_err(cw_key_generate(CW_KEY_P256, &w.other_key), CW_OK);
	cw_buf_init(&w.info_bytes, CW_REQUEST_MAX);
	cw_buf_init(&w.statement_bytes, CW_REQUEST_MAX);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cw_key_free(&w->attestation_key);
	cw_key_free(&w->other_key);
	cw_buf_wipe(&w->info_bytes);
	cw_buf_wipe(&w->statement_bytes);
	return 0;
}

/* What a good card says in this mode. */
static void
plan(struct world *w, enum cw_mode mode)
{
	bool own = mode == CW_MODE_IDENTIFIED;

	w->signer = w->attestation_key;
	cw_key_public(w->attestation_key, &w->attestation.key);
	w->attestation.kind = own ? CW_ATTESTATION_CARD : CW_ATTESTATION_BATCH;
	memcpy(w->attestation.model, MODEL, sizeof(MODEL));
	memset(w->attestation.leaf_hash, 0x1e, CW_HASH_BYTES);
	memset(w->th, 0x74, CW_HASH_BYTES);
	w->info = (struct cw_card_info){
		.model = cw_bytes_str(MODEL),
		.firmware = cw_bytes_str("1.0"),
		.serial = own ? cw_bytes_str("0001") : CW_BYTES_NONE,
	};
	w->token = (struct cw_token){ 0 };
	w->statement = (struct cw_token_statement){ .mode = mode };
	memcpy(w->statement.th, w->th, CW_HASH_BYTES);
	memcpy(w->statement.leaf_hash, w->attestation.leaf_hash, CW_HASH_BYTES);
	if (mode == CW_MODE_PSEUDONYMOUS) {
		w->token.has_pseudonym = w->statement.has_pseudonym = true;
		memset(w->token.pseudonym, 0x9d, CW_HASH_BYTES);
		memset(w->statement.pseudonym, 0x9d, CW_HASH_BYTES);
	}
}

static void
encode_info(struct world *w)
{
	cw_buf_reset(&w->info_bytes);
	cw_card_info_encode(&w->info, &w->info_bytes);
	assert_err(w->info_bytes.err, CW_OK);
	w->token.card_info = cw_buf_bytes(&w->info_bytes);
	cw_hash(w->token.card_info, w->statement.card_info_hash);
}

static void
sign(struct world *w)
{
	cw_buf_reset(&w->statement_bytes);
	assert_err(cw_token_statement_make(&w->statement, w->signer,
		       &w->statement_bytes),
	    CW_OK);
	w->token.statement = cw_buf_bytes(&w->statement_bytes);
}

static enum cw_err
check(const struct world *w, enum cw_mode mode)
{
	return cw_token_check(&w->token, &w->attestation, w->th, mode);
}

static void
a_good_token_is_taken_in_its_mode_only(void **state)
{
	struct world *w = *state;

	for (int stated = 1; stated <= 3; stated++)
		for (int wanted = 1; wanted <= 3; wanted++) {
			plan(w, (enum cw_mode)stated);
			encode_info(w);
			sign(w);
			assert_err(check(w, (enum cw_mode)wanted),
			    stated == wanted ? CW_OK : CW_ERR_WRONG_MODE);
		}
}

static void
a_serial_number_may_be_missing_in_mode_1(void **state)
{
	struct world *w = *state;

	plan(w, CW_MODE_IDENTIFIED);
	w->info.serial = CW_BYTES_NONE;
	encode_info(w);
	sign(w);
	assert_err(check(w, CW_MODE_IDENTIFIED), CW_OK);
}

/* ---- refusals ---- */

#define CHANGE(name, ...)                 \
	static void name(struct world *w) \
	{                                 \
		__VA_ARGS__;              \
	}

CHANGE(signed_by_another, w->signer = w->other_key)
CHANGE(about_another_session, w->statement.th[31] ^= 1)
CHANGE(about_another_leaf, w->statement.leaf_hash[31] ^= 1)
CHANGE(about_other_information, w->statement.card_info_hash[31] ^= 1)
CHANGE(of_another_model, w->info.model = cw_bytes_str("Model U"))
CHANGE(of_a_model_and_more, w->info.model = cw_bytes_str(MODEL "2"))
CHANGE(of_half_a_model, w->info.model = cw_bytes_str("Model"))
CHANGE(other_pseudonym, w->token.pseudonym[31] ^= 1)
CHANGE(pseudonym_not_stated, w->statement.has_pseudonym = false)
CHANGE(pseudonym_only_stated, w->token.has_pseudonym = false)
CHANGE(no_pseudonym_at_all, w->token.has_pseudonym = false;
       w->statement.has_pseudonym = false; memset(w->token.pseudonym, 0, 32))
CHANGE(a_pseudonym, w->token.has_pseudonym = true;
       w->statement.has_pseudonym = true)
CHANGE(key_of_a_batch, w->attestation.kind = CW_ATTESTATION_BATCH)
CHANGE(key_of_one_card, w->attestation.kind = CW_ATTESTATION_CARD)
CHANGE(a_serial_number, w->info.serial = cw_bytes_str("0001"))
CHANGE(stated_mode_1, w->statement.mode = CW_MODE_IDENTIFIED)
CHANGE(stated_mode_2, w->statement.mode = CW_MODE_PSEUDONYMOUS)
CHANGE(stated_mode_3, w->statement.mode = CW_MODE_ANONYMOUS)
CHANGE(stated_mode_4, w->statement.mode = (enum cw_mode)4)
CHANGE(stated_mode_0, w->statement.mode = (enum cw_mode)0)
CHANGE(statement_is_empty, w->token.statement = CW_BYTES_NONE)
CHANGE(statement_is_damaged,
    w->statement_bytes.ptr[w->statement_bytes.len - 1] ^= 1)
CHANGE(statement_has_more, cw_buf_put_u8(&w->statement_bytes, 0);
       w->token.statement = cw_buf_bytes(&w->statement_bytes))
CHANGE(information_is_empty, w->token.card_info = CW_BYTES_NONE)
CHANGE(information_has_more, cw_buf_put_u8(&w->info_bytes, 0);
       w->token.card_info = cw_buf_bytes(&w->info_bytes))
CHANGE(session_expected_is_another, w->th[0] ^= 1)
CHANGE(attested_leaf_is_another, w->attestation.leaf_hash[0] ^= 1)
CHANGE(attested_model_is_another, w->attestation.model[0] ^= 1)
CHANGE(attested_key_is_another,
    cw_key_public(w->other_key, &w->attestation.key))
CHANGE(attested_key_signs_nothing, w->attestation.key.type = CW_KEY_X25519)

static void
another_statement_of_that_key(struct world *w)
{
	struct cw_key_statement s = {
		.mode = w->statement.mode,
		.key_id = 1,
		.key = w->attestation.key,
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN,
		    .origin = CW_ORIGIN_CARD },
	};

	cw_buf_reset(&w->statement_bytes);
	assert_err(cw_key_statement_make(&s, w->attestation_key,
		       &w->statement_bytes),
	    CW_OK);
	w->token.statement = cw_buf_bytes(&w->statement_bytes);
}

enum when { BEFORE_INFO, BEFORE_SIGN, AFTER };

#define ROW(mode, when, change, err)                                \
	{                                                           \
#change, CW_MODE_##mode, when, change, CW_ERR_##err \
	}

static const struct row {
	const char *name;
	enum cw_mode mode;
	enum when when;
	void (*change)(struct world *w);
	enum cw_err want;
} rows[] = {
	ROW(PSEUDONYMOUS, BEFORE_SIGN, signed_by_another, BAD_SIGNATURE),
	ROW(PSEUDONYMOUS, AFTER, statement_is_damaged, BAD_SIGNATURE),
	ROW(PSEUDONYMOUS, AFTER, attested_key_is_another, BAD_SIGNATURE),
	ROW(PSEUDONYMOUS, AFTER, attested_key_signs_nothing, BAD_KEY),
	ROW(PSEUDONYMOUS, AFTER, another_statement_of_that_key, WRONG_LABEL),
	ROW(PSEUDONYMOUS, AFTER, statement_is_empty, TRUNCATED),
	ROW(PSEUDONYMOUS, AFTER, statement_has_more, TRAILING),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, stated_mode_4, OUT_OF_RANGE),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, stated_mode_0, OUT_OF_RANGE),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, about_another_session, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, AFTER, session_expected_is_another, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, about_another_leaf, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, AFTER, attested_leaf_is_another, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, about_other_information,
	    WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, AFTER, information_is_empty, TRUNCATED),
	ROW(PSEUDONYMOUS, AFTER, information_has_more, TRAILING),
	ROW(PSEUDONYMOUS, BEFORE_INFO, of_another_model, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_INFO, of_a_model_and_more, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_INFO, of_half_a_model, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, AFTER, attested_model_is_another, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, other_pseudonym, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, pseudonym_not_stated, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, pseudonym_only_stated, WRONG_STATEMENT),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, no_pseudonym_at_all, WRONG_MODE),
	ROW(IDENTIFIED, BEFORE_SIGN, a_pseudonym, WRONG_MODE),
	ROW(ANONYMOUS, BEFORE_SIGN, a_pseudonym, WRONG_MODE),
	ROW(IDENTIFIED, BEFORE_SIGN, key_of_a_batch, WRONG_MODE),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, key_of_one_card, WRONG_MODE),
	ROW(ANONYMOUS, BEFORE_SIGN, key_of_one_card, WRONG_MODE),
	ROW(PSEUDONYMOUS, BEFORE_INFO, a_serial_number, WRONG_MODE),
	ROW(ANONYMOUS, BEFORE_INFO, a_serial_number, WRONG_MODE),
	ROW(IDENTIFIED, BEFORE_SIGN, stated_mode_2, WRONG_MODE),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, stated_mode_1, WRONG_MODE),
	ROW(PSEUDONYMOUS, BEFORE_SIGN, stated_mode_3, WRONG_MODE),
	ROW(ANONYMOUS, BEFORE_SIGN, stated_mode_2, WRONG_MODE),
};

static void
each_thing_that_is_wrong_is_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		enum cw_err err;

		plan(w, row->mode);
		if (row->when == BEFORE_INFO)
			row->change(w);
		encode_info(w);
		if (row->when == BEFORE_SIGN)
			row->change(w);
		sign(w);
		if (row->when == AFTER)
			row->change(w);
		err = check(w, row->mode);
		if (err != row->want)
			fail_msg("%s: %s", row->name, cw_err_name(err));
	}
}

/* ---- forms ---- */

static void
wrong_forms_are_not_read(void **state)
{
	static const struct {
		const char *what, *hex;
		enum cw_err want;
	} tokens[] = {
		{ "good", "84 8141aa 4101 4102 f6", CW_OK },
		{ "no chain", "84 80 4101 4102 f6", CW_ERR_OUT_OF_RANGE },
		{ "17 certificates",
		    "84 91 4100410041004100410041004100410041004100410041004100"
		    "4100410041004100 4101 4102 f6",
		    CW_ERR_OUT_OF_RANGE },
		{ "empty certificate", "84 8140 4101 4102 f6",
		    CW_ERR_OUT_OF_RANGE },
		{ "empty statement", "84 8141aa 40 4102 f6",
		    CW_ERR_OUT_OF_RANGE },
		{ "empty information", "84 8141aa 4101 40 f6",
		    CW_ERR_OUT_OF_RANGE },
		{ "short pseudonym", "84 8141aa 4101 4102 4100",
		    CW_ERR_OUT_OF_RANGE },
		{ "no pseudonym", "83 8141aa 4101 4102", CW_ERR_OUT_OF_RANGE },
		{ "a fifth member", "85 8141aa 4101 4102 f6 f6",
		    CW_ERR_OUT_OF_RANGE },
		{ "trailing", "84 8141aa 4101 4102 f6 00", CW_ERR_TRAILING },
	};
	struct cw_buf b = { 0 };
	struct cw_token token;

	(void)state;
	for (size_t i = 0; i < COUNT(tokens); i++) {
		enum cw_err err =
		    cw_token_decode(cw_test_hex(&b, tokens[i].hex), &token);

		if (err != tokens[i].want)
			fail_msg("%s: %s", tokens[i].what, cw_err_name(err));
	}
	cw_buf_wipe(&b);
}

static void
card_information_is_text_that_can_be_shown(void **state)
{
	static const struct {
		const char *what, *hex;
		enum cw_err want;
	} rows_of_info[] = {
		{ "good", "a4 00 614d 01 6131 02 00 03 f4", CW_OK },
		{ "serial number", "a5 00 614d 01 6131 02 00 03 f4 04 6130",
		    CW_OK },
		{ "empty model", "a4 00 60 01 6131 02 00 03 f4",
		    CW_ERR_OUT_OF_RANGE },
		{ "NUL in the model", "a4 00 6100 01 6131 02 00 03 f4",
		    CW_ERR_BAD_TEXT },
		{ "line feed in the firmware", "a4 00 614d 01 610a 02 00 03 f4",
		    CW_ERR_BAD_TEXT },
		{ "direction mark in the serial number",
		    "a5 00 614d 01 6131 02 00 03 f4 04 63e280ae",
		    CW_ERR_BAD_TEXT },
		{ "no model", "a3 01 6131 02 00 03 f4", CW_ERR_MISSING_FIELD },
		{ "a fifth key", "a5 00 614d 01 6131 02 00 03 f4 05 00",
		    CW_ERR_UNKNOWN_FIELD },
	};
	struct cw_buf b = { 0 };
	struct cw_card_info info;

	(void)state;
	for (size_t i = 0; i < COUNT(rows_of_info); i++) {
		enum cw_err err =
		    cw_card_info_decode(cw_test_hex(&b, rows_of_info[i].hex),
			&info);

		if (err != rows_of_info[i].want)
			fail_msg("%s: %s", rows_of_info[i].what,
			    cw_err_name(err));
	}
	cw_buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_token_is_taken_in_its_mode_only),
		cmocka_unit_test(a_serial_number_may_be_missing_in_mode_1),
		cmocka_unit_test(each_thing_that_is_wrong_is_refused),
		cmocka_unit_test(wrong_forms_are_not_read),
		cmocka_unit_test(card_information_is_text_that_can_be_shown),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
