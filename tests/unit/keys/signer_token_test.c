/* SPDX-License-Identifier: Apache-2.0 */
/* Step 4 at the signer: which tokens are refused. */
#include "tests/support/check.h"

#include "proto/base/secret.h"
#include "tests/support/keys_desk.h"

static struct cw_keys_desk *const desk = &cw_keys_desk;

/* ---- rows: what is changed in a session that would be certified ---- */

static void
other_token(struct cw_keys_session *x)
{
	cw_buf_reset(&x->token);
	cw_buf_put(&x->token, cw_buf_bytes(&cw_keys_other.token));
}

static void
token_of_other_th(struct cw_keys_session *x)
{
	cw_keys_session_token(x, cw_keys_other.th, x->mode);
}

static void
token_of_other_mode(struct cw_keys_session *x)
{
	cw_keys_session_token(x, x->th, CW_MODE_ANONYMOUS);
}

static void
token_of_batch(struct cw_keys_session *x)
{
	x->mode = CW_MODE_ANONYMOUS;
	cw_keys_session_token(x, x->th, CW_MODE_IDENTIFIED);
}

static void
token_cut(struct cw_keys_session *x)
{
	cw_buf_truncate(&x->token, x->token.len - 1);
}

/* R that names the signer's key, but that this key did not sign. */
static void
forged_request(struct cw_keys_session *x)
{
	x->request.ptr[x->request.len - 1] ^= 1;
	cw_keys_session_open(x);
}

/* Unsigned change inside R, with the tag of the true one. */
static void
changed_request(struct cw_keys_session *x)
{
	x->request.ptr[x->request.len / 2] ^= 1;
}

static void
grant_bit(struct cw_keys_session *x)
{
	x->grant.ptr[x->grant.len - 1] ^= 1;
}

struct row {
	const char *name;
	void (*change)(struct cw_keys_session *x);
	enum cw_err want;
};

static const struct row tokens[] = {
	{ "everything right", cw_keys_session_leave, CW_OK },
	{ "the tag of another signer", cw_keys_session_wrong_tag, CW_OK },
	{ "a token of another session", other_token, CW_ERR_WRONG_STATEMENT },
	{ "a statement over another th", token_of_other_th,
	    CW_ERR_WRONG_STATEMENT },
	{ "a statement of another mode", token_of_other_mode,
	    CW_ERR_WRONG_MODE },
	{ "a batch key in mode 1", token_of_batch, CW_ERR_WRONG_MODE },
	{ "a token cut short", token_cut, CW_ERR_TRUNCATED },
	{ "another ephemeral key", cw_keys_session_other_ephemeral,
	    CW_ERR_WRONG_STATEMENT },
	{ "another's grant", cw_keys_session_other_grant, CW_ERR_BAD_GRANT },
	{ "a foreign R", cw_keys_desk_foreign_request, CW_ERR_BAD_SIGNATURE },
	{ "a forged R", forged_request, CW_ERR_BAD_SIGNATURE },
	{ "a forged grant", grant_bit, CW_ERR_BAD_GRANT },
};

static void
a_token_that_does_not_belong_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tokens); i++) {
		struct cw_grant grant = cw_keys_grant(desk->now_s);
		struct cw_keys_session x;

		cw_keys_desk_signed(desk, &x, &grant, 0);
		tokens[i].change(&x);
		assert_row(tokens[i].name,
		    cw_keys_desk_token(desk, &x) == tokens[i].want);
		cw_keys_session_wipe(&x);
	}
}

static void
a_changed_request_never_passes(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_signed(desk, &x, &grant, 0);
	changed_request(&x);
	assert_int_not_equal(cw_keys_desk_token(desk, &x), CW_OK);
	cw_keys_session_wipe(&x);
}

static void
a_session_ends_when_its_time_is_over(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	uint64_t start = desk->now_s;
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_stated(desk, &x, &grant, 1);
	cw_keys_desk_at(desk, start + 601);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_SESSION_EXPIRED);
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_SESSION_EXPIRED);
	cw_keys_desk_at(desk, start - 61);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_SESSION_EXPIRED);
	cw_keys_desk_at(desk, start + 600);
	assert_err(cw_keys_desk_certify(desk, &x, false), CW_OK);
	cw_keys_desk_at(desk, start);
	cw_keys_session_wipe(&x);
}

static void
a_grant_that_expires_on_the_way_certifies_nothing(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	grant.not_after_s = desk->now_s + 10;
	cw_keys_desk_stated(desk, &x, &grant, 1);
	cw_keys_desk_at(desk, desk->now_s + 11);
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_INVITATION_EXPIRED);
	cw_keys_desk_at(desk, desk->now_s - 11);
	cw_keys_session_wipe(&x);
}

static void
a_card_of_another_vendor_is_refused(void **state)
{
	struct cw_keys_tree foreign;
	struct cw_keys_card card;
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	cw_keys_tree_make(&foreign, 1);
	cw_keys_card_load(&card, &foreign, 1);
	cw_keys_desk_signed(desk, &x, &grant, 0);
	x.card = &card;
	cw_keys_session_token(&x, x.th, x.mode);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_UNTRUSTED_CHAIN);
	cw_keys_session_wipe(&x);
	cw_keys_card_free(&card);
	cw_keys_tree_free(&foreign);
}

static void
a_withdrawn_or_unknown_model_is_refused(void **state)
{
	struct cw_model *model = &desk->tree.config.models[0];
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_stated(desk, &x, &grant, 1);
	model->withdrawn = true;
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_UNKNOWN_MODEL);
	/* also when it was withdrawn after step 4 */
	assert_err(cw_keys_desk_certify(desk, &x, false), CW_ERR_UNKNOWN_MODEL);
	model->withdrawn = false;
	model->name[0] = 'X';
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_UNKNOWN_MODEL);
	model->name[0] = 'C';
	assert_err(cw_keys_desk_token(desk, &x), CW_OK);
	cw_keys_session_wipe(&x);
}

static void
a_grant_for_another_card_pseudonym_or_model_is_refused(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	grant.has_leaf = true;
	cw_hash(desk->cards[0].p.card_chain[0], grant.leaf_hash);
	cw_keys_desk_opened(desk, &x, &grant, 0);
	cw_keys_session_wipe(&x);
	cw_keys_desk_signed(desk, &x, &grant, 1);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_BINDING_REFUSED);
	cw_keys_session_wipe(&x);

	grant = cw_keys_grant(desk->now_s);
	grant.mode = CW_MODE_PSEUDONYMOUS;
	grant.has_pseudonym = true;
	cw_keys_desk_opened(desk, &x, &grant, 0); /* all zeros */
	cw_keys_session_wipe(&x);
	grant.pseudonym[0] = 1;
	cw_keys_desk_signed(desk, &x, &grant, 0);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_BINDING_REFUSED);
	cw_keys_session_wipe(&x);

	grant = cw_keys_grant(desk->now_s);
	grant.has_model = true;
	grant.model = cw_bytes_str("Another card");
	cw_keys_desk_signed(desk, &x, &grant, 0);
	assert_err(cw_keys_desk_token(desk, &x), CW_ERR_BINDING_REFUSED);
	cw_keys_session_wipe(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_that_does_not_belong_is_refused),
		cmocka_unit_test(a_changed_request_never_passes),
		cmocka_unit_test(a_session_ends_when_its_time_is_over),
		cmocka_unit_test(
		    a_grant_that_expires_on_the_way_certifies_nothing),
		cmocka_unit_test(a_card_of_another_vendor_is_refused),
		cmocka_unit_test(a_withdrawn_or_unknown_model_is_refused),
		cmocka_unit_test(
		    a_grant_for_another_card_pseudonym_or_model_is_refused),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, cw_keys_desk_begin,
	    cw_keys_desk_end);
}
