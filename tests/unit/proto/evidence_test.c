/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence: what is complete verifies, and each check finds what is wrong. */
#include <openssl/err.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "tests/support/check.h"
#include "tests/support/evidence_world.h"

typedef struct cw_test_evidence world; /* short, for the table */

static void
complete_evidence_verifies_in_every_mode(void **state)
{
	world *w = calloc(1, sizeof(*w));

	(void)state;
	for (int mode = 1; mode <= 3; mode++) {
		const char *failed = "nothing yet";

		cw_test_evidence_make(w, (enum cw_mode)mode, CW_TEST_AT_END,
		    NULL);
		assert_err(cw_test_evidence_verify(w, &failed), CW_OK);
		assert_null(failed);
		assert_err(cw_test_evidence_verify(w, NULL), CW_OK);
		cw_test_evidence_wipe(w);
	}
	free(w);
}

/* ---- what can be wrong ---- */

#define CHANGE(name, ...)          \
	static void name(world *w) \
	{                          \
		__VA_ARGS__;       \
	}

/* A leaf of this name and usage by the CA that nobody trusts. */
static void
strangers_leaf(world *w, struct cw_test_party *party, const char *subject,
    const char *eku)
{
	cw_test_party_wipe(party);
	cw_test_party_make(party, subject, eku, cw_buf_bytes(&w->stranger.ca),
	    w->stranger.ca_key);
}

static void
at_hours(world *w, unsigned hours)
{
	w->e.verified_s = CW_TEST_NOW_S + 3600 * (uint64_t)hours;
}

CHANGE(management_of_a_stranger,
       strangers_leaf(w, &w->management, "CN=Management",
	   CW_OID_EKU_MANAGEMENT);
       w->e.management[0] = cw_buf_bytes(&w->management.der);
       w->request_key = w->management.key)
CHANGE(management_eku, w->management_eku = CW_OID_EKU_AUTHORITY)
CHANGE(management_without_eku, w->management_eku = NULL)
CHANGE(management_expired, at_hours(w, 24 * 31))
CHANGE(management_chain_is_empty, w->e.n_management = 0)
CHANGE(management_chain_is_long, w->e.n_management = CW_CHAIN_MAX + 1)
CHANGE(authority_of_a_stranger,
       strangers_leaf(w, &w->authority, "CN=Authority", CW_OID_EKU_AUTHORITY);
       w->e.authority[0] = cw_buf_bytes(&w->authority.der);
       w->grant_key = w->authority.key)
CHANGE(authority_eku, w->authority_eku = CW_OID_EKU_MANAGEMENT)
CHANGE(authority_chain_is_empty, w->e.n_authority = 0)

CHANGE(grant_by_management, w->grant_key = w->management.key)
CHANGE(grant_is_another_object, w->e.grant = w->e.request)
CHANGE(grant_wants_approvals, w->grant.approvals = 1)
CHANGE(grant_to_manage, w->grant.action = CW_ACTION_MANAGE)
CHANGE(grant_to_enroll_over_a_key, w->grant.scope.n_objects = 1;
       w->grant.scope.objects[0] = 1)
CHANGE(grant_binds_a_batch, w->grant.has_leaf = true;
       cw_hash(w->e.attestation[0], w->grant.leaf_hash))
CHANGE(grant_binds_no_pseudonym, w->grant.has_pseudonym = true)

CHANGE(request_by_authority, w->request_key = w->authority.key)
CHANGE(request_damaged, w->request_bytes.ptr[w->request_bytes.len - 1] ^= 1)
CHANGE(request_under_another_grant, w->request.grant_hash[0] ^= 1)
CHANGE(request_beyond_scope, w->request.scope.slots[1] = 0x9E)
CHANGE(request_for_more_keys, w->request.scope.keys_max = 2)
CHANGE(request_in_another_mode, w->request.mode = CW_MODE_ANONYMOUS)
CHANGE(granted_to_another, w->grant.subject = cw_bytes_str("CN=Eve"))
CHANGE(request_after_the_grant, w->request.time_s = CW_TEST_NOW_S + 61)
CHANGE(verified_before_the_request, w->e.verified_s = CW_TEST_NOW_S - 120)
CHANGE(verified_after_the_session, w->e.verified_s = CW_TEST_NOW_S + 601)

CHANGE(message_4_is_no_cbor, w->e.message_4 = cw_bytes_str("x"))
CHANGE(ephemeral_of_another, w->e.card_ephemeral = w->ca.public)

CHANGE(card_of_a_stranger, w->e.attestation[1] = cw_buf_bytes(&w->stranger.ca))
CHANGE(card_without_chain, w->e.n_attestation = 1)
CHANGE(card_is_the_holder, w->e.n_attestation = 1;
       w->e.attestation[0] = cw_buf_bytes(&w->holder.der))

CHANGE(token_by_another, w->token_key = w->holder.key)
CHANGE(token_of_another_session, w->token.th[0] ^= 1)
CHANGE(token_in_another_mode, w->token.mode = CW_MODE_ANONYMOUS)
CHANGE(token_with_another_leaf, w->token.leaf_hash[0] ^= 1)
CHANGE(token_with_other_information, memset(w->token.card_info_hash, 1, 32))
CHANGE(token_without_pseudonym, w->token.has_pseudonym = false)
CHANGE(token_of_another_model, w->info.model = cw_bytes_str("Other card"))
CHANGE(token_with_serial_number, w->info.serial = cw_bytes_str("0001"))
CHANGE(token_is_a_key_statement, w->e.token_statement = w->e.key_statements[0])
CHANGE(grant_for_another_model, w->grant.has_model = true;
       w->grant.model = cw_bytes_str("Other card"))
CHANGE(grant_for_another_pseudonym, w->grant.has_pseudonym = true;
       w->grant.pseudonym[0] = 8)
CHANGE(grant_for_another_card, w->grant.has_leaf = true)

CHANGE(key_by_another, w->statement_key = w->holder.key)
CHANGE(key_of_another_session, w->key.th[0] ^= 1)
CHANGE(key_for_another_issuer, w->key.management_hash[0] ^= 1)
CHANGE(key_in_another_mode, w->key.mode = CW_MODE_IDENTIFIED)
CHANGE(key_with_another_leaf, w->key.leaf_hash[0] ^= 1)
CHANGE(key_was_imported, w->key.attributes.origin = CW_ORIGIN_IMPORTED)
CHANGE(key_can_be_exported, w->key.attributes.exportable = true)
CHANGE(key_in_another_slot, w->key.attributes.slot = 0x9E)
CHANGE(key_is_not_the_certified, w->key.key = w->ca.public)
CHANGE(key_is_an_offline_statement,
    w->e.key_statements[0] = w->e.token_statement)
CHANGE(no_key_statement, w->e.n_keys = 0)
CHANGE(too_many_key_statements, w->e.n_keys = CW_KEYS_MAX + 1)
CHANGE(certificate_is_empty, w->e.certificate[0] = CW_BYTES_NONE)
CHANGE(no_certificate, w->e.n_certificate = 0)

CHANGE(result_by_another, w->result_key = w->holder.key)
CHANGE(result_of_another_session, w->result.th[0] ^= 1)
CHANGE(result_without_counter, w->result.has_counter = false)
CHANGE(result_over_something_else, w->result.h_end[0] ^= 1)
CHANGE(another_close_nonce, w->e.close_nonce[0] ^= 1)
CHANGE(another_command, w->e.commands[0] = cw_bytes_str("Create"))
CHANGE(another_reply, w->e.replies[1] = cw_bytes_str("Was set"))
CHANGE(another_last_command, w->e.commands[2] = cw_bytes_str("Close"))
CHANGE(a_command_less, w->e.n_commands--)
CHANGE(no_commands, w->e.n_commands = 0)
CHANGE(too_many_commands, w->e.n_commands = CW_COMMANDS_MAX + 1)
CHANGE(more_commands_than_announced, w->request.command_limit = 2)
CHANGE(another_message_4, w->message_4.ptr[w->message_4.len - 1] ^= 1)

CHANGE(unlocked_besides,
    w->result.items[w->result.n_items++] =
	(struct cw_result_item){ .object_id = 9, .done = CW_DONE_UNLOCKED })
CHANGE(a_pin_besides,
    w->result.items[w->result.n_items++] =
	(struct cw_result_item){ .object_id = 9, .done = CW_DONE_PIN_POLICY })
CHANGE(a_puk_besides,
    w->result.items[w->result.n_items++] =
	(struct cw_result_item){ .object_id = 9, .done = CW_DONE_PUK_POLICY })
CHANGE(an_extension_besides,
    w->result.items[w->result.n_items++] =
	(struct cw_result_item){ .object_id = 5, .done = CW_DONE_EXTENSION })
CHANGE(imported_in_the_end, w->result.items[0].done = CW_DONE_IMPORTED)
CHANGE(another_key_besides,
    w->result.items[w->result.n_items++] =
	(struct cw_result_item){ .object_id = 9, .done = CW_DONE_KEY })
CHANGE(neither_key_nor_certificate, w->e.n_keys = w->e.n_certificate = 0)
CHANGE(another_chain_installed, w->result.items[0].hash[0] ^= 1)
CHANGE(installed_for_another_key, w->result.items[0].object_id = 6)
CHANGE(deleted_in_the_end, w->result.items[0].done = CW_DONE_DELETED)
CHANGE(nothing_installed, w->result.n_items = 0)

static void
certificate_of_a_stranger(world *w)
{
	static struct cw_test_party ca;

	ca.key = w->stranger.ca_key;
	ca.der = w->stranger.ca;
	w->holder_ca = &ca;
}

/* The CA's own certificate for the card's key: it could issue others. */
static void
certificate_of_a_ca(world *w)
{
	const struct cw_cert_spec spec = {
		.subject = "CN=Ada",
		.key = &w->holder.public,
		.days = 30,
		.path_length = 0,
		.key_usage = "critical,keyCertSign",
	};

	cw_buf_reset(&w->holder.der);
	assert_err(cw_cert_make(&spec, cw_buf_bytes(&w->ca.der), w->ca.key,
		       CW_TEST_NOW_S, &w->holder.der),
	    CW_OK);
	w->e.certificate[0] = cw_buf_bytes(&w->holder.der);
}

#define MANAGEMENT "the management key is the issuer's"
#define AUTHORITY "the grant authority is the issuer's"
#define GRANT "the authority signed the grant"
#define REQUEST "the issuer signed the session request under this grant"
#define MESSAGE_4 "message 4 answers that request"
#define ATTESTATION "the card's attestation leads to the vendor"
#define TOKEN "the card opened this session"
#define KEY "the card made the certified key in this session"
#define APPROVALS "as many operators approved it as the grant asks for"
#define RESULT "the card closed exactly this session"
#define SCOPE "the card did nothing that the scope does not name"
#define INSTALLED "the card installed exactly this certificate"
#define CERTIFICATE "the issuer signed the certificate"
#define SUBJECT "the certificate names whom the grant names"

struct row {
	void (*change)(world *w);
	const char *name;
	enum cw_test_evidence_stage stage;
	const char *check; /* that finds it */
	enum cw_err want;
};

#define ROW(change, stage, check, err)                                   \
	{                                                                \
		change, #change, CW_TEST_AT_##stage, check, CW_ERR_##err \
	}

static const struct row rows[] = {
	ROW(management_of_a_stranger, GRANT, MANAGEMENT, UNTRUSTED_CHAIN),
	ROW(management_eku, CERTIFICATES, MANAGEMENT, BAD_CONSTRAINTS),
	ROW(management_without_eku, CERTIFICATES, MANAGEMENT, BAD_CONSTRAINTS),
	ROW(management_expired, END, MANAGEMENT, EXPIRED_CERTIFICATE),
	ROW(management_chain_is_empty, END, MANAGEMENT, UNTRUSTED_CHAIN),
	ROW(management_chain_is_long, END, MANAGEMENT, UNTRUSTED_CHAIN),
	ROW(authority_of_a_stranger, GRANT, AUTHORITY, UNTRUSTED_CHAIN),
	ROW(authority_eku, CERTIFICATES, AUTHORITY, BAD_CONSTRAINTS),
	ROW(authority_chain_is_empty, END, AUTHORITY, UNTRUSTED_CHAIN),
	ROW(grant_by_management, GRANT, GRANT, BAD_GRANT),
	ROW(grant_is_another_object, END, GRANT, WRONG_LABEL),
	ROW(grant_wants_approvals, GRANT, APPROVALS, BAD_EVIDENCE),
	ROW(grant_to_manage, GRANT, GRANT, BAD_EVIDENCE),
	ROW(grant_to_enroll_over_a_key, GRANT, GRANT, BAD_EVIDENCE),
	ROW(grant_binds_a_batch, GRANT, GRANT, BAD_EVIDENCE),
	ROW(request_by_authority, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(request_damaged, MESSAGE_4, REQUEST, BAD_SIGNATURE),
	ROW(request_under_another_grant, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(request_beyond_scope, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(request_for_more_keys, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(request_in_another_mode, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(request_after_the_grant, REQUEST, REQUEST, BAD_EVIDENCE),
	ROW(verified_before_the_request, END, REQUEST, BAD_EVIDENCE),
	ROW(verified_after_the_session, END, REQUEST, BAD_EVIDENCE),
	ROW(message_4_is_no_cbor, TOKEN, MESSAGE_4, TRUNCATED),
	ROW(ephemeral_of_another, END, MESSAGE_4, BAD_EVIDENCE),
	ROW(card_of_a_stranger, TOKEN, ATTESTATION, UNTRUSTED_CHAIN),
	ROW(card_without_chain, TOKEN, ATTESTATION, UNTRUSTED_CHAIN),
	ROW(card_is_the_holder, TOKEN, ATTESTATION, BAD_CONSTRAINTS),
	ROW(token_by_another, TOKEN, TOKEN, BAD_SIGNATURE),
	ROW(token_of_another_session, TOKEN, TOKEN, WRONG_STATEMENT),
	ROW(token_in_another_mode, TOKEN, TOKEN, WRONG_MODE),
	ROW(token_with_another_leaf, TOKEN, TOKEN, WRONG_STATEMENT),
	ROW(token_with_other_information, TOKEN, TOKEN, WRONG_STATEMENT),
	ROW(token_without_pseudonym, TOKEN, TOKEN, WRONG_MODE),
	ROW(token_of_another_model, TOKEN, TOKEN, WRONG_STATEMENT),
	ROW(token_with_serial_number, TOKEN, TOKEN, WRONG_MODE),
	ROW(token_is_a_key_statement, END, TOKEN, WRONG_LABEL),
	ROW(grant_for_another_model, GRANT, TOKEN, BINDING_REFUSED),
	ROW(grant_for_another_pseudonym, GRANT, TOKEN, BINDING_REFUSED),
	ROW(key_by_another, KEY, KEY, BAD_SIGNATURE),
	ROW(key_of_another_session, KEY, KEY, WRONG_STATEMENT),
	ROW(key_for_another_issuer, KEY, KEY, WRONG_STATEMENT),
	ROW(key_in_another_mode, KEY, KEY, WRONG_STATEMENT),
	ROW(key_with_another_leaf, KEY, KEY, WRONG_STATEMENT),
	ROW(key_was_imported, KEY, KEY, WRONG_STATEMENT),
	ROW(key_can_be_exported, KEY, KEY, WRONG_STATEMENT),
	ROW(key_in_another_slot, KEY, KEY, WRONG_STATEMENT),
	ROW(key_is_not_the_certified, KEY, KEY, BAD_EVIDENCE),
	ROW(key_is_an_offline_statement, END, KEY, WRONG_LABEL),
	ROW(no_key_statement, END, KEY, BAD_EVIDENCE),
	ROW(too_many_key_statements, END, KEY, BAD_EVIDENCE),
	ROW(certificate_is_empty, END, KEY, BAD_CERTIFICATE),
	ROW(no_certificate, END, KEY, BAD_EVIDENCE),
	ROW(result_by_another, RESULT, RESULT, BAD_SIGNATURE),
	ROW(result_of_another_session, RESULT, RESULT, WRONG_STATEMENT),
	ROW(result_without_counter, RESULT, RESULT, WRONG_STATEMENT),
	ROW(result_over_something_else, RESULT, RESULT, WRONG_STATEMENT),
	ROW(another_close_nonce, END, RESULT, WRONG_STATEMENT),
	ROW(another_command, END, RESULT, WRONG_STATEMENT),
	ROW(another_reply, END, RESULT, WRONG_STATEMENT),
	ROW(another_last_command, END, RESULT, WRONG_STATEMENT),
	ROW(a_command_less, END, RESULT, WRONG_STATEMENT),
	ROW(another_message_4, END, RESULT, WRONG_STATEMENT),
	ROW(no_commands, END, RESULT, BAD_EVIDENCE),
	ROW(too_many_commands, END, RESULT, BAD_EVIDENCE),
	ROW(more_commands_than_announced, REQUEST, RESULT, BAD_EVIDENCE),
	ROW(another_chain_installed, RESULT, INSTALLED, NOT_CONFIRMED),
	ROW(installed_for_another_key, RESULT, INSTALLED, NOT_CONFIRMED),
	ROW(deleted_in_the_end, RESULT, SCOPE, BAD_SCOPE),
	ROW(unlocked_besides, RESULT, SCOPE, BAD_SCOPE),
	ROW(a_pin_besides, RESULT, SCOPE, BAD_SCOPE),
	ROW(a_puk_besides, RESULT, SCOPE, BAD_SCOPE),
	ROW(an_extension_besides, RESULT, SCOPE, BAD_SCOPE),
	ROW(imported_in_the_end, RESULT, SCOPE, BAD_SCOPE),
	ROW(another_key_besides, RESULT, SCOPE, BAD_SCOPE),
	ROW(neither_key_nor_certificate, END, SCOPE, BAD_SCOPE),
	ROW(nothing_installed, RESULT, INSTALLED, NOT_CONFIRMED),
	ROW(certificate_of_a_stranger, CERTIFICATES, CERTIFICATE,
	    UNTRUSTED_CHAIN),
	ROW(granted_to_another, GRANT, SUBJECT, BAD_EVIDENCE),
	ROW(certificate_of_a_ca, GRANT, CERTIFICATE, BAD_CONSTRAINTS),
};

static void
refuse(world *w, enum cw_mode mode, const struct row *row)
{
	const char *failed = NULL;
	enum cw_err err;

	cw_test_evidence_make(w, mode, row->stage, row->change);
	err = cw_test_evidence_verify(w, &failed);
	cw_test_evidence_wipe(w);
	if (err != row->want || failed == NULL ||
	    strcmp(failed, row->check) != 0)
		fail_msg("%s: %s by \"%s\"", row->name, cw_err_name(err),
		    failed != NULL ? failed : "nobody");
	assert_int_equal(ERR_peek_error(), 0);
}

static void
each_thing_that_is_wrong_is_found_by_its_check(void **state)
{
	world *w = calloc(1, sizeof(*w));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		refuse(w, CW_MODE_PSEUDONYMOUS, &rows[i]);
	free(w);
}

static void
bindings_are_held_in_the_mode_that_proves_them(void **state)
{
	static const struct row card =
	    ROW(grant_for_another_card, GRANT, TOKEN, BINDING_REFUSED);
	static const struct row unprovable =
	    ROW(grant_for_another_card, GRANT, GRANT, BAD_EVIDENCE);
	static const struct row pseudonym =
	    ROW(grant_binds_no_pseudonym, GRANT, GRANT, BAD_EVIDENCE);
	world *w = calloc(1, sizeof(*w));

	(void)state;
	refuse(w, CW_MODE_IDENTIFIED, &card);
	refuse(w, CW_MODE_ANONYMOUS, &unprovable);
	refuse(w, CW_MODE_ANONYMOUS, &pseudonym);
	cw_test_evidence_make(w, CW_MODE_IDENTIFIED, CW_TEST_AT_GRANT,
	    grant_binds_a_batch);
	assert_err(cw_test_evidence_verify(w, NULL), CW_OK);
	cw_test_evidence_wipe(w);
	free(w);
}

static void
every_check_has_words_and_something_that_fails_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < cw_evidence_checks(); i++) {
		bool found = false;

		for (size_t j = 0; j < COUNT(rows); j++)
			found |= strcmp(rows[j].check,
				     cw_evidence_check_words(i)) == 0;
		assert_row(cw_evidence_check_words(i), found);
	}
	assert_null(cw_evidence_check_words(cw_evidence_checks()));
}

/* Of several keys of a session each certificate has its own statement. */
static void
the_statement_may_be_among_others(void **state)
{
	world *w = calloc(1, sizeof(*w));
	struct cw_buf other;

	(void)state;
	cw_test_evidence_make(w, CW_MODE_ANONYMOUS, CW_TEST_AT_END, NULL);
	cw_buf_init(&other, CW_REQUEST_MAX);
	w->key.key = w->ca.public;
	w->key.key_id = 6;
	assert_err(cw_key_statement_make(&w->key, w->attestation.key, &other),
	    CW_OK);
	w->e.n_keys = 2;
	w->e.key_statements[1] = w->e.key_statements[0];
	w->e.key_statements[0] = cw_buf_bytes(&other);
	assert_err(cw_test_evidence_verify(w, NULL), CW_OK);
	cw_buf_wipe(&other);
	cw_test_evidence_wipe(w);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_evidence_verifies_in_every_mode),
		cmocka_unit_test(
		    each_thing_that_is_wrong_is_found_by_its_check),
		cmocka_unit_test(
		    bindings_are_held_in_the_mode_that_proves_them),
		cmocka_unit_test(
		    every_check_has_words_and_something_that_fails_it),
		cmocka_unit_test(the_statement_may_be_among_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
