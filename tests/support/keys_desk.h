/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's inside without its process: requests straight to its handler,
 * with a clock that stands still. */
#ifndef CW_TESTS_KEYS_DESK_H
#define CW_TESTS_KEYS_DESK_H

#include "keys/signer_state.h"
#include "tests/support/keys_card.h"

struct cw_keys_desk {
	struct cw_keys_tree tree;
	struct cw_keys_card cards[2];
	struct cw_private_key *authority;
	struct cw_signer_state state;
	struct cw_buf packet, answer;
	struct cw_buf certificate; /* the last one that was answered */
	uint64_t now_s;
};

/* With two cards and the profiles of the development tree. */
void cw_keys_desk_open(struct cw_keys_desk *desk);
void cw_keys_desk_close(struct cw_keys_desk *desk);

/* Ends the state and loads it again, as a restart does; the clock stays. */
enum cw_err cw_keys_desk_restart(struct cw_keys_desk *desk);

/* The clock's time. */
void cw_keys_desk_at(struct cw_keys_desk *desk, uint64_t now_s);

/* One packet; the error is the answer's, or the handler's own. */
enum cw_err cw_keys_desk_ask(struct cw_keys_desk *desk,
    const struct cw_signer_request *request, struct cw_cbor_reader *results);

/* Step 3; the grant is in x->grant already. */
enum cw_err cw_keys_desk_sign(struct cw_keys_desk *desk,
    struct cw_keys_session *x, const struct cw_request *fields);
/* Step 4, and step 6 with the log made durable. */
enum cw_err cw_keys_desk_token(struct cw_keys_desk *desk,
    struct cw_keys_session *x);
enum cw_err cw_keys_desk_certify(struct cw_keys_desk *desk,
    struct cw_keys_session *x, bool with_token);
enum cw_err cw_keys_desk_revoke(struct cw_keys_desk *desk,
    const struct cw_keys_session *x);

/* A session under the grant with card `number` (0, 1): everything up to what is
 * named is done and was accepted. */
void cw_keys_desk_signed(struct cw_keys_desk *desk, struct cw_keys_session *x,
    const struct cw_grant *grant, unsigned number);
void cw_keys_desk_opened(struct cw_keys_desk *desk, struct cw_keys_session *x,
    const struct cw_grant *grant, unsigned number);
void cw_keys_desk_stated(struct cw_keys_desk *desk, struct cw_keys_session *x,
    const struct cw_grant *grant, uint32_t key_id);
void cw_keys_desk_certified(struct cw_keys_desk *desk,
    struct cw_keys_session *x, const struct cw_grant *grant, uint32_t key_id);

/* For cmocka_run_group_tests: one desk for all tests of a program, with a session
 * of card 1 opened beside it, from which rows can take what is another's. */
extern struct cw_keys_desk cw_keys_desk;
extern struct cw_keys_session cw_keys_other;

int cw_keys_desk_begin(void **state);
int cw_keys_desk_end(void **state);

/* Changes of a session that several tests make. */
void cw_keys_session_leave(struct cw_keys_session *x); /* changes nothing */
void cw_keys_session_other_ephemeral(struct cw_keys_session *x);
void cw_keys_session_other_grant(struct cw_keys_session *x);
void cw_keys_session_wrong_tag(struct cw_keys_session *x);

/* Puts an R of the same fields by another management key into the session. */
void cw_keys_desk_foreign_request(struct cw_keys_session *x);

#endif
