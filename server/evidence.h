/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence out of the store. The steps keep what is needed: R and the grant
 * with the session, messages and answers with the steps, and with each step
 * what was decrypted there: step 1 the token, the last but one the key statement
 * and under which policy it was certified, the last one the result (session.cddl
 * evidence).
 */
#ifndef CW_SERVER_EVIDENCE_H
#define CW_SERVER_EVIDENCE_H

#include "proto/evidence.h"
#include "server/store.h"

/* [key statement, policy version]: that policy has the chains that were sent
 * with the certificate, whatever the issuer's are when the result comes. */
void cw_kept_key_put(struct cw_buf *kept, struct cw_bytes statement,
    const char *policy_version);

/* The way back; the statement is empty where no key was made. Errors:
 * STORE_CORRUPT. */
enum cw_err cw_kept_key_get(struct cw_bytes kept, struct cw_bytes *statement,
    struct cw_bytes *policy_version) __attribute__((warn_unused_result));

/* [close nonce, result statement, verified_s] */
void cw_kept_result_put(struct cw_buf *kept,
    const uint8_t close_nonce[CW_NONCE_BYTES], struct cw_bytes statement,
    uint64_t verified_s);

/* The way back; what is NULL is not asked for. Errors: STORE_CORRUPT. */
enum cw_err cw_kept_result_get(struct cw_bytes kept,
    uint8_t close_nonce[CW_NONCE_BYTES], struct cw_bytes *statement,
    uint64_t *verified_s) __attribute__((warn_unused_result));

/*
 * The evidence file of an issued certificate, appended to `out`. Errors:
 * UNKNOWN_SERIAL, NOT_CONFIRMED (no verified result), STORE_FAILED,
 * STORE_CORRUPT.
 */
enum cw_err cw_evidence_export(struct cw_store *store,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *out)
    __attribute__((warn_unused_result));

/* The same of a session, which may have made no key. Errors: NO_SESSION, and the
 * same. */
enum cw_err cw_evidence_export_session(struct cw_store *store,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
