/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of real sessions, with the reference card in this process. */
#include <stdlib.h>

#include "tests/support/card_world.h"
#include "tests/support/evidence_world.h"

/* What a session leaves behind. */
struct kept {
	struct cw_test_party management, authority;
	struct cw_buf grant, key_statement, result_statement;
	struct cw_buf commands[3], replies[3];
	struct cw_trust *vendor, *issuer;
	struct cw_evidence e;
};

static struct cw_test_vendor vendor;

static int
before_all(void **state)
{
	(void)state;
	cw_test_vendor_init(&vendor);
	return 0;
}

static int
after_all(void **state)
{
	(void)state;
	cw_test_vendor_wipe(&vendor);
	return 0;
}

static void
keep(struct cw_buf *to, struct cw_bytes bytes)
{
	cw_buf_init(to, CW_BODY_MAX);
	cw_buf_put(to, bytes);
	assert_err(to->err, CW_OK);
}

/* The issuer's keys get certificates of its CA, the session gets a grant. */
static void
prepare(struct kept *k, struct cw_test_issuer *issuer)
{
	static const uint8_t enrolls[] = { CW_CREATE_KEY, CW_SET_CERTIFICATES,
		CW_CLOSE };
	struct cw_bytes ca = cw_buf_bytes(&issuer->ca);
	struct cw_grant grant;

	issuer->request.scope.n_objects = 0;
	issuer->request.scope.n_commands = sizeof(enrolls);
	memcpy(issuer->request.scope.commands, enrolls, sizeof(enrolls));
	grant = (struct cw_grant){
		.subject = cw_bytes_str("CN=Test holder"),
		.account = cw_bytes_str("holder"),
		.profile = cw_bytes_str("client"),
		.action = CW_ACTION_ENROLL,
		.mode = issuer->request.mode,
		.scope = issuer->request.scope,
		.uses = 1,
		.not_after_s = CW_TEST_NOW_S,
		.has_model = true,
		.model = cw_bytes_str(CW_TEST_MODEL),
	};

	cw_test_party_make(&k->authority, "CN=Authority", CW_OID_EKU_AUTHORITY,
	    ca, issuer->ca_key);
	cw_test_party_make(&k->management, "CN=Management",
	    CW_OID_EKU_MANAGEMENT, ca, issuer->ca_key);
	cw_key_free(&issuer->management_key);
	issuer->management_key = k->management.key;
	k->management.key = NULL;
	cw_buf_init(&k->grant, CW_GRANT_MAX);
	assert_err(cw_grant_make(&grant, k->authority.key, &k->grant), CW_OK);
	cw_hash(cw_buf_bytes(&k->grant), issuer->request.grant_hash);
}

static void
run(struct kept *k, struct cw_test_issuer *issuer,
    const struct cw_command *command, struct cw_reply *reply)
{
	size_t i = k->e.n_commands++;

	assert_err(cw_test_issuer_command(issuer, command, reply), CW_OK);
	keep(&k->commands[i], cw_buf_bytes(&issuer->command));
	keep(&k->replies[i], cw_buf_bytes(&issuer->reply));
	k->e.commands[i] = cw_buf_bytes(&k->commands[i]);
	k->e.replies[i] = cw_buf_bytes(&k->replies[i]);
}

static void
play(struct kept *k, struct cw_test_issuer *issuer)
{
	struct cw_command set = { .no = CW_SET_CERTIFICATES };
	struct cw_command close = { .no = CW_CLOSE, .last = true };
	struct cw_command create = cw_test_key_command(&cw_test_key_9a);
	struct cw_reply reply = { .err = CW_OK };

	create.last = true;
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	run(k, issuer, &create, &reply);
	keep(&k->key_statement, reply.statement);
	assert_err(cw_test_issuer_make_certificate(issuer, &reply.key,
		       "CN=Test holder"),
	    CW_OK);
	set.u.set_certificates.id = cw_test_key_9a.id;
	set.u.set_certificates.n_chain = 1;
	set.u.set_certificates.chain[0] = cw_buf_bytes(&issuer->certificate);
	run(k, issuer, &set, &reply);
	cw_random(k->e.close_nonce, sizeof(k->e.close_nonce));
	memcpy(close.u.close.nonce, k->e.close_nonce, CW_NONCE_BYTES);
	run(k, issuer, &close, &reply);
	keep(&k->result_statement, reply.statement);
}

static void
gather(struct kept *k, const struct cw_test_issuer *issuer)
{
	struct cw_evidence *e = &k->e;
	struct cw_message4 m;

	e->request = cw_buf_bytes(&issuer->r);
	e->message_4 = cw_buf_bytes(&issuer->message_4);
	assert_err(cw_message4_decode(e->message_4, &m), CW_OK);
	e->card_ephemeral = m.card_ephemeral;
	e->n_attestation = issuer->token.n_chain;
	memcpy(e->attestation, issuer->token.chain, sizeof(e->attestation));
	e->token_statement = issuer->token.statement;
	e->card_info = issuer->token.card_info;
	e->n_keys = 1;
	e->key_statements[0] = cw_buf_bytes(&k->key_statement);
	e->result_statement = cw_buf_bytes(&k->result_statement);
	e->grant = cw_buf_bytes(&k->grant);
	e->n_certificate = e->n_management = e->n_authority = 1;
	e->certificate[0] = cw_buf_bytes(&issuer->certificate);
	e->management[0] = cw_buf_bytes(&k->management.der);
	e->authority[0] = cw_buf_bytes(&k->authority.der);
	e->policy_version = cw_bytes_str("1");
	e->verified_s = CW_TEST_NOW_S + 60;
	k->vendor = cw_test_trust(cw_buf_bytes(&vendor.root));
	k->issuer = cw_test_trust(cw_buf_bytes(&issuer->ca));
}

static void
wipe(struct kept *k)
{
	cw_test_party_wipe(&k->management);
	cw_test_party_wipe(&k->authority);
	cw_buf_wipe(&k->grant);
	cw_buf_wipe(&k->key_statement);
	cw_buf_wipe(&k->result_statement);
	for (size_t i = 0; i < 3; i++) {
		cw_buf_wipe(&k->commands[i]);
		cw_buf_wipe(&k->replies[i]);
	}
	cw_trust_free(&k->vendor);
	cw_trust_free(&k->issuer);
}

/* Through the file and back. */
static void
verify_the_file(const struct kept *k)
{
	struct cw_evidence *read = calloc(1, sizeof(*read));
	const char *failed = NULL;
	struct cw_buf file, again;

	cw_buf_init(&file, CW_EVIDENCE_MAX);
	cw_buf_init(&again, CW_EVIDENCE_MAX);
	cw_evidence_encode(&k->e, &file);
	assert_err(cw_evidence_decode(cw_buf_bytes(&file), read), CW_OK);
	if (cw_evidence_verify(read, k->vendor, k->issuer, &failed) != CW_OK)
		fail_msg("refused by \"%s\"", failed);
	cw_evidence_encode(read, &again);
	assert_true(cw_bytes_equal(cw_buf_bytes(&file), cw_buf_bytes(&again)));
	cw_buf_wipe(&file);
	cw_buf_wipe(&again);
	free(read);
}

static void
a_session_of_the_card_leaves_evidence(void **state)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct cw_test_card card;
	struct cw_test_issuer issuer;

	(void)state;
	for (unsigned suite = 1; suite <= 2; suite++)
		for (int mode = 1; mode <= 3; mode++) {
			memset(k, 0, sizeof(*k));
			cw_test_card_init(&card, &vendor);
			cw_test_issuer_init(&issuer, &card.wire);
			issuer.request.suite = cw_suite_find(suite);
			issuer.request.mode = (enum cw_mode)mode;
			prepare(k, &issuer);
			play(k, &issuer);
			gather(k, &issuer);
			verify_the_file(k);
			wipe(k);
			cw_test_issuer_wipe(&issuer);
			cw_test_card_wipe(&card);
		}
	free(k);
}

/*
 * Whatever is changed in the file is found: every byte that a signature or hash
 * covers. Not covered are the policy version, the time of verification within
 * the session's, and what the file's own heads say.
 */
static void
a_changed_byte_anywhere_is_found(void **state)
{
	struct kept *k = calloc(1, sizeof(*k));
	struct cw_evidence *read = calloc(1, sizeof(*read));
	struct cw_test_card card;
	struct cw_test_issuer issuer;
	struct cw_buf file;
	size_t end;

	(void)state;
	cw_test_card_init(&card, &vendor);
	cw_test_issuer_init(&issuer, &card.wire);
	prepare(k, &issuer);
	play(k, &issuer);
	gather(k, &issuer);
	cw_buf_init(&file, CW_EVIDENCE_MAX);
	cw_evidence_encode(&k->e, &file);
	/* Behind: 16: text(1), 17: uint32. The last reply is the result, which
	 * cannot cover itself. */
	end = file.len - (1 + 2) - (1 + 1 + 4);
	for (size_t i = 0; i < end; i += 7) {
		struct cw_bytes skip = k->e.replies[2];
		enum cw_err err;

		file.ptr[i] ^= 0x01;
		err = cw_evidence_decode(cw_buf_bytes(&file), read);
		if (err == CW_OK && cw_bytes_equal(read->replies[2], skip))
			err = cw_evidence_verify(read, k->vendor, k->issuer,
			    NULL);
		else if (err == CW_OK)
			err = CW_ERR_BAD_EVIDENCE;
		if (err == CW_OK)
			fail_msg("byte %zu of %zu", i, file.len);
		file.ptr[i] ^= 0x01;
	}
	cw_buf_wipe(&file);
	wipe(k);
	cw_test_issuer_wipe(&issuer);
	cw_test_card_wipe(&card);
	free(read);
	free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_of_the_card_leaves_evidence),
		cmocka_unit_test(a_changed_byte_anywhere_is_found),
	};

	return cmocka_run_group_tests(tests, before_all, after_all);
}
