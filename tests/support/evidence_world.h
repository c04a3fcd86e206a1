/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence made from nothing, with every key in the test's hands: a test
 * changes the plan at one stage, everything behind it is signed anew, and so
 * exactly one thing is wrong. What is in commands and replies does not matter
 * here, as evidence holds only their ciphertexts. Failures abort the test.
 */
#ifndef CW_TESTS_EVIDENCE_WORLD_H
#define CW_TESTS_EVIDENCE_WORLD_H

#include "proto/evidence.h"
#include "proto/grant.h"
#include "proto/request.h"
#include "proto/statement.h"
#include "proto/token.h"
#include "tests/support/card_factory.h"

#define CW_TEST_EVIDENCE_COMMANDS 3

/* What is about to be made; a change comes right before it. */
enum cw_test_evidence_stage {
	CW_TEST_AT_CERTIFICATES,
	CW_TEST_AT_GRANT,
	CW_TEST_AT_REQUEST,
	CW_TEST_AT_MESSAGE_4,
	CW_TEST_AT_TOKEN,
	CW_TEST_AT_KEY,
	CW_TEST_AT_RESULT,
	CW_TEST_AT_END,
	CW_TEST_STAGES,
};

/* A key and its certificate. */
struct cw_test_party {
	struct cw_private_key *key;
	struct cw_public_key public;
	struct cw_buf der;
};

struct cw_test_evidence {
	/* Who there is; `stranger` is a CA whom nobody trusts. */
	struct cw_test_vendor vendor, stranger;
	struct cw_test_party ca, management, authority, attestation, holder;
	const char *management_eku, *authority_eku; /* the right ones */
	struct cw_test_party *holder_ca;            /* ca */
	enum cw_mode mode;

	/* Who signs what; the right one. */
	const struct cw_private_key *grant_key, *request_key, *token_key,
	    *statement_key, *result_key;

	/* What is said. */
	struct cw_grant grant;
	struct cw_request request;
	struct cw_card_info info;
	struct cw_token_statement token;
	struct cw_key_statement key;
	struct cw_result_statement result;

	/* Made of it. */
	struct cw_buf grant_bytes, request_bytes, message_4, info_bytes,
	    token_bytes, key_bytes, result_bytes;
	struct cw_evidence e;
	struct cw_trust *vendor_trust, *issuer_trust;
};

/* Evidence in this mode; `change` (may be NULL) is called before `stage`. */
void cw_test_evidence_make(struct cw_test_evidence *w, enum cw_mode mode,
    enum cw_test_evidence_stage stage,
    void (*change)(struct cw_test_evidence *w));
void cw_test_evidence_wipe(struct cw_test_evidence *w);

enum cw_err cw_test_evidence_verify(struct cw_test_evidence *w,
    const char **failed);

/* A new key with a certificate of the CA for it. */
void cw_test_party_make(struct cw_test_party *party, const char *subject,
    const char *eku, struct cw_bytes ca, const struct cw_private_key *ca_key);
void cw_test_party_wipe(struct cw_test_party *party);

/* An issuer's root of its own. */
void cw_test_party_root(struct cw_test_party *party, const char *subject);

/* A trust in one root. */
struct cw_trust *cw_test_trust(struct cw_bytes root);

#endif
