/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything around a run, in this process: card and reader, an issuer that
 * takes and gives whole messages, a person with answers, a memory, a clock.
 */
#ifndef CW_TESTS_READER_WORLD_H
#define CW_TESTS_READER_WORLD_H

#include "agent/run.h"
#include "proto/batch.h"
#include "tests/support/issuer.h"
#include "tests/support/reader_local.h"

#define CW_WORLD_MESSAGES 8
#define CW_WORLD_PROMPTS 16

struct cw_world;

struct cw_world_exchange {
	struct cw_buf message, answer;
};

struct cw_world {
	const struct cw_test_vendor *vendor;
	struct cw_test_card card;
	struct cw_local_reader reader;

	/* The issuer. Hooks may change R before it is signed, and any answer
	 * (3, 5, 7) before it leaves. */
	struct cw_test_issuer issuer;
	struct cw_intent intent;
	struct cw_buf intent_bytes;
	bool has_management_round; /* LIST before the keys */
	struct cw_create_key key;
	void (*edit_request)(struct cw_world *w);
	void (*edit_answer)(struct cw_world *w, unsigned step,
	    struct cw_buf *answer);
	unsigned step;         /* the next answer: 3, 4, 5, 7, 9 */
	struct cw_batch batch; /* sent, not answered yet */
	struct cw_buf batch_bytes;
	enum cw_command_no batch_no[4];
	struct cw_public_key made;
	size_t n_exchanges; /* the same message, the same answer */
	struct cw_world_exchange exchanges[CW_WORLD_MESSAGES];
	bool is_confirmed;   /* the result was verified */
	bool is_dead;        /* answers NO_SESSION to everything */
	enum cw_err dead_as; /* or this, and that the session has ended */
	bool says_ended;     /* the last answer did */

	/* The person. */
	struct cw_pin_entry person;
	const char *pins[CW_WORLD_PROMPTS]; /* answers in order; then the
	                                     * issuer's PIN or PUK */
	size_t n_prompts;
	struct cw_pin_prompt prompts[CW_WORLD_PROMPTS]; /* as they were asked */
	enum cw_err pin_error; /* instead of any answer */
	enum cw_err consent_error;
	unsigned consents;
	struct cw_consent consent; /* the last one; texts may be gone */
	unsigned apdus_before_consent;

	char folder[64];
	struct cw_known known;
	struct cw_clock clock;
	unsigned steps_seen; /* bit n: END of step n was told */
	unsigned waits_told; /* for a card */
	enum cw_err problem; /* why, the last time */
	struct cw_run_env env;
	struct cw_run *run;
	struct cw_run_out out;
};

void cw_world_init(struct cw_world *w, const struct cw_test_vendor *vendor);
void cw_world_wipe(struct cw_world *w);

/* A run as if by a new process: what was known to the old one is gone. */
void cw_world_new_run(struct cw_world *w);

/* The issuer's answer to a message; `answer` is replaced. */
enum cw_err cw_world_issuer(struct cw_world *w, struct cw_bytes message,
    struct cw_buf *answer);

/* A new session at the issuer: message 1 again. */
void cw_world_new_session(struct cw_world *w);

/* For cmocka: one vendor for all tests of a program, one world for each. */
int cw_world_before_all(void **state);
int cw_world_after_all(void **state);
int cw_world_setup(void **state);
int cw_world_teardown(void **state);
const struct cw_test_vendor *cw_world_vendor(void);

/* What `enroll` does: takes up what the card keeps, or runs a whole session. */
enum cw_err cw_world_enroll(struct cw_world *w);

/* The same without taking up anything. */
enum cw_err cw_world_enroll_anew(struct cw_world *w);

#endif
