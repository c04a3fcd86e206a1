/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The issuer without HTTP, in this process: a development tree, a signer in a
 * child, a store in a folder, the engine on a clock that tests move, and a
 * reference card that answers. What cannot be made ends the test program.
 *
 *   const struct CMUnitTest tests[] = { cw_server_test(a_sentence), … };
 *   cmocka_run_group_tests(tests, cw_server_world_begin, cw_server_world_end)
 */
#ifndef CW_TESTS_SERVER_WORLD_H
#define CW_TESTS_SERVER_WORLD_H

#include "card/card.h"
#include "proto/batch.h"
#include "proto/evidence.h"
#include "server/session.h"
#include "tests/support/check.h"
#include "tests/support/keys_tree.h"

struct cw_grant;

struct cw_server_world {
	struct cw_keys_tree *tree; /* one for all tests of a program */
	struct cw_config config;   /* a copy, to be changed */
	char folder[96];           /* of this test's store */
	struct cw_clock clock;     /* .fixed_s moves it */
	struct cw_store *store;
	struct cw_seal *seal;
	struct cw_engine engine;
	const char *profile; /* of the next invitation: "person" */
	unsigned approvals;  /* likewise */
	/* May change the next invitation's grant; NULL: not. */
	void (*edit_grant)(struct cw_server_world *w, struct cw_grant *grant);
	char code[32]; /* of the invitation */
	struct cw_invitation invitation;
	struct cw_card *card;
	unsigned card_number; /* of the tree's: the next new card (1) */
	struct cw_buf apdu, answer;
	uint8_t card_session[CW_SESSION_ID_BYTES];
};

/* A world of its own beside others; cw_server_world_teardown ends it. */
struct cw_server_world *cw_server_world_open(struct cw_keys_tree *tree);

int cw_server_world_begin(void **state);
int cw_server_world_end(void **state);
int cw_server_world_setup(void **state);
int cw_server_world_teardown(void **state);

#define cw_server_test(sentence)                                         \
	cmocka_unit_test_setup_teardown(sentence, cw_server_world_setup, \
	    cw_server_world_teardown)

/* Closes store, keys and engine, and opens them again: what a restart does. */
void cw_server_world_restart(struct cw_server_world *w);

/* Does this to the store, as who can write its file. */
void cw_server_world_sql(struct cw_server_world *w, const char *sql);

/* A copy of the store as it is, beside it; and a start with that copy in its
 * place, as after a disk was lost. */
void cw_server_world_copy_store(struct cw_server_world *w, const char *name);
void cw_server_world_put_back(struct cw_server_world *w, const char *name);

/* An invitation of w->profile, put into the store. */
void cw_server_world_invite(struct cw_server_world *w, enum cw_mode mode,
    unsigned uses);

/* Another invitation for one use, and another card. */
void cw_server_world_renew(struct cw_server_world *w, enum cw_mode mode);

/* "FOLDER/name", good until the next call. */
const char *cw_server_world_path(const struct cw_server_world *w,
    const char *name);

/* The tree's file of roots of this name; the caller frees it. */
struct cw_trust *cw_server_world_trust(struct cw_server_world *w,
    const char *name);

/* ---- the card: each makes the message that answers the issuer's ---- */

void cw_server_card_new(struct cw_server_world *w);
/* OPEN SESSION's status word; the answer is in w->answer. */
unsigned cw_server_card_open(struct cw_server_world *w,
    struct cw_bytes request);
void cw_server_card_select(struct cw_server_world *w);
void cw_server_card_capabilities(struct cw_server_world *w,
    struct cw_buf *message_2);
void cw_server_card_token(struct cw_server_world *w, struct cw_bytes request,
    struct cw_buf *message_4);
void cw_server_card_replies(struct cw_server_world *w, struct cw_bytes batch,
    struct cw_buf *message);

/* Forgets the session that the card has with the issuer. */
void cw_server_card_abort(struct cw_server_world *w);

/* The holder's PIN, entered wrong until it is blocked; its tries left. */
void cw_server_card_block(struct cw_server_world *w);
unsigned cw_server_card_tries(struct cw_server_world *w);

/* ---- whole sessions ---- */

#define CW_SERVER_PLAY_MAX 40u

/* A session's messages, 2, 4, 6, 8 and their answers, as far as it went; where
 * there is management, its rounds are between 4 and 6. */
struct cw_server_play {
	uint8_t id[CW_SESSION_ID_BYTES];
	struct cw_buf messages[CW_SERVER_PLAY_MAX];
	struct cw_buf answers[CW_SERVER_PLAY_MAX];
	bool ended; /* the last answer was the session's last word */
};

void cw_server_play_init(struct cw_server_play *play);
void cw_server_play_wipe(struct cw_server_play *play);

/* The card's message for step `step` (from 0), then what the engine says to it. */
void cw_server_play_message(struct cw_server_world *w,
    struct cw_server_play *play, unsigned step);
enum cw_err cw_server_play_post(struct cw_server_world *w,
    struct cw_server_play *play, unsigned step);

/* Steps up to and with `last`, all of which must pass. */
void cw_server_play_until(struct cw_server_world *w,
    struct cw_server_play *play, unsigned last);

/* All steps from `from` on, which must pass, until the issuer is content. The
 * number of the last one. */
unsigned cw_server_play_finish(struct cw_server_world *w,
    struct cw_server_play *play, unsigned from);

/* A new play, and its steps up to and with `last`. */
void cw_server_play_begin(struct cw_server_world *w,
    struct cw_server_play *play, unsigned last);

/* The stored session; the caller wipes it. */
void cw_server_play_session(struct cw_server_world *w,
    const struct cw_server_play *play, struct cw_session *s);

/* Whether the signer's log says that the session's certificate is revoked. */
bool cw_server_play_revoked(struct cw_server_world *w,
    const struct cw_server_play *play);

/* Status of the session's certificate; 0 if there is no row. */
enum cw_certificate_status cw_server_play_status(struct cw_server_world *w,
    const struct cw_server_play *play);

/*
 * The evidence of its certificate, as it is exported and read again, judged by
 * the two roots: `check` is asked with it.
 */
void cw_server_play_evidence(struct cw_server_world *w,
    const struct cw_server_play *play,
    void (*check)(struct cw_evidence *e, struct cw_trust *vendor,
	struct cw_trust *issuer));

#endif
