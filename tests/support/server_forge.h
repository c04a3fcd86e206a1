/* SPDX-License-Identifier: Apache-2.0 */
/* What only a card can seal, made with the issuer's own copy of the keys: what a
 * card would have to say that is wrong but genuine. */
#ifndef CW_TESTS_SERVER_FORGE_H
#define CW_TESTS_SERVER_FORGE_H

#include "server/step.h"
#include "tests/support/server_world.h"

/* The session's secrets, as the issuer sealed them: what the host never has. */
struct cw_session_secret cw_server_secret(struct cw_server_world *w,
    const struct cw_server_play *play);

/* A message of one reply, `plain`, to command `i`, the first of the batch. */
void cw_server_forge(const struct cw_session_secret *secret, unsigned i,
    struct cw_bytes batch, struct cw_bytes plain, struct cw_buf *out);

#endif
