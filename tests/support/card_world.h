/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every test of the card starts with: a vendor (made once), a new
 * personalised card, an issuer on its wire. For cmocka:
 *
 *   cmocka_unit_test_setup_teardown(sentence, cw_test_world_setup,
 *       cw_test_world_teardown)
 *   cmocka_run_group_tests(tests, cw_test_world_begin, cw_test_world_end)
 */
#ifndef CW_TESTS_CARD_WORLD_H
#define CW_TESTS_CARD_WORLD_H

#include "tests/support/check.h"
#include "tests/support/issuer.h"

struct cw_test_world {
	struct cw_test_card card;
	struct cw_test_issuer issuer;
	struct cw_buf out; /* for answers */
};

int cw_test_world_begin(void **state);
int cw_test_world_end(void **state);
int cw_test_world_setup(void **state);
int cw_test_world_teardown(void **state);

/* The one who made the cards. */
const struct cw_test_vendor *cw_test_world_vendor(void);

/* Throws card and issuer away and makes new ones. */
struct cw_test_world *cw_test_world_renew(void **state);

/* A second issuer, with keys of its own, on the same card; the caller wipes. */
void cw_test_world_issuer(struct cw_test_world *w,
    struct cw_test_issuer *issuer);

/* ---- commands ---- */

/* P-256 with id 7 in slot 9A; a holder's PIN of 4 to 6 digits with id 20. */
extern const struct cw_create_key cw_test_key_9a;
extern const struct cw_create_pin_policy cw_test_policy;

struct cw_command cw_test_key_command(const struct cw_create_key *key);
struct cw_command cw_test_policy_command(
    const struct cw_create_pin_policy *policy);

/* Gives the error reply, or what cw_test_issuer_command found. */
enum cw_err cw_test_run(struct cw_test_issuer *issuer,
    const struct cw_command *command);
void cw_test_must_run(struct cw_test_issuer *issuer, struct cw_command command);

/* Sends these bytes as the next command and opens the reply; the channel stays
 * where it was. */
void cw_test_run_plain(struct cw_test_issuer *issuer, struct cw_bytes plain);

/* The command gets this error reply, also when it is repeated; that was the
 * session's end; and nothing of the session is left. */
void cw_test_ends_with(struct cw_test_world *w, struct cw_command command,
    enum cw_err want);

/* What the card has stored is the same when it was read and written again. */
void cw_test_state_reads_back(struct cw_test_world *w);

#define world_test(sentence)                                           \
	cmocka_unit_test_setup_teardown(sentence, cw_test_world_setup, \
	    cw_test_world_teardown)

/* Status words, compared as they are written. */
#define assert_sw(got, want)                                                  \
	do {                                                                  \
		unsigned assert_sw_got = (got);                               \
		if (assert_sw_got != (unsigned)(want))                        \
			fail_msg("status word %04X, not %04X", assert_sw_got, \
			    (unsigned)(want));                                \
	} while (0)

#endif
