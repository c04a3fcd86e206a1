/* SPDX-License-Identifier: Apache-2.0 */
/* One table of all commands, each of which would succeed in the session that
 * cw_rows_prepare makes: for tests of what must not. */
#ifndef CW_TESTS_CARD_ROWS_H
#define CW_TESTS_CARD_ROWS_H

#include "tests/support/card_play.h"

#define MAKES 1u   /* its id must be new */
#define USES 2u    /* its id must be a key of the session */
#define TARGETS 4u /* it names an object of an earlier session */
#define MANAGES 8u /* not in mode 3 */

#define CW_ROWS 13

extern const struct cw_row {
	enum cw_command_no no;
	unsigned flags;
	size_t fields; /* of its map that must be there */
} cw_rows[CW_ROWS];

/* The key that the session has: id 2. */
extern const struct cw_create_key cw_rows_key;

/* An open session with a key (2), and from an earlier one PUK, PIN, key (1). */
struct cw_test_world *cw_rows_prepare(void **state, enum cw_command_no no);

/* The command that succeeds there. */
struct cw_command cw_rows_command(struct cw_test_world *w,
    enum cw_command_no no);

/* Replaces the id that the command makes or uses. */
void cw_rows_set_id(struct cw_command *c, uint32_t id);

/* The session is over, and nothing of it is left. */
void cw_rows_assert_ended(struct cw_test_world *w);

/* Frees what commands borrowed; instead of cw_test_world_end. */
int cw_rows_end(void **state);

#endif
