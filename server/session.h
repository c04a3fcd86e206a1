/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The issuer's side of a session: messages 2, 4, 6, 8 in, 3, 5, 7 and the end
 * out. Every step is idempotent by the digest of its message: the same bytes
 * get the stored answer on any node and after any restart; a message that does
 * not verify changes nothing; a different one that does, for a step already
 * taken, ends the session (docs/protocol.md "Surviving").
 */
#ifndef CW_SERVER_SESSION_H
#define CW_SERVER_SESSION_H

#include "server/engine.h"

/*
 * Step 2 to 3. `answer` (appended to) is R, `id` names the session. Errors:
 * the decoder's, BAD_INTENT_HASH, NO_COMMON_SUITE, WRONG_MODE, UNSUPPORTED_KEY,
 * BAD_INVITATION, INVITATION_EXPIRED, INVITATION_USED, TOO_BUSY, STORE_FAILED,
 * those of cw_signer_sign_request.
 */
enum cw_err cw_session_open(struct cw_engine *engine,
    const struct cw_invitation *invitation, struct cw_bytes message,
    struct cw_buf *answer, uint8_t id[CW_SESSION_ID_BYTES])
    __attribute__((warn_unused_result));

/*
 * Steps 4 to 5, 6 to 7, and 8, after which there is no answer: `answer` stays
 * empty. Errors: NO_SESSION, SESSION_ENDED, SESSION_EXPIRED, WRONG_STEP,
 * DIFFERENT_REPEAT, BAD_CIPHERTEXT, WRONG_REPLY, WRONG_STATEMENT, the card's
 * own error when it gave up, those of the signer, STORE_FAILED. *ended (NULL:
 * not asked) says that the error is the session's last word: it has ended, and
 * the card may forget it.
 */
enum cw_err cw_session_message(struct cw_engine *engine,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_bytes message,
    struct cw_buf *answer, bool *ended) __attribute__((warn_unused_result));

#endif
