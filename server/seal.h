/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The epoch keys: what seals session secrets at rest, makes session ids and
 * authenticates cookies. They are in a file of their own (mode 0600), in
 * neither the database nor its backups; nodes share the file. Each epoch's key
 * is used for a week and kept until no session of it can be open any more. The
 * epoch's number stands in front of all that is made with it.
 *
 * The file is text: a line "mark N" (20 digits), then a line "number created_s
 * key-in-hex" an epoch, oldest first. The mark says how many steps the store
 * beside it had stored: a store that knows of fewer was put back from a copy,
 * and what it would encrypt may have been encrypted before.
 */
#ifndef CW_SERVER_SEAL_H
#define CW_SERVER_SEAL_H

#include "proto/base/buf.h"
#include "proto/crypto.h"
#include "proto/limits.h"

struct cw_seal;

#define CW_EPOCH_SECONDS (7 * 24 * 3600)
#define CW_EPOCHS_MAX 64

/* Reads the file, or makes it with its first epoch. Errors: FILE_MODE,
 * BAD_STATE_FILE, IO, NO_SPACE, NO_MEMORY. */
enum cw_err cw_seal_open(const char *path, uint64_t now_s, struct cw_seal **out)
    __attribute__((warn_unused_result));
void cw_seal_free(struct cw_seal **seal);

/*
 * If the newest epoch is over, begins another, and destroys those that ended
 * more than `keep_s` (the longest lifetime of a session) ago. Reads the file
 * first: another node may have done it. Makes the mark durable.
 */
enum cw_err cw_seal_rotate(struct cw_seal *seal, uint64_t now_s,
    uint64_t keep_s) __attribute__((warn_unused_result));

/* `steps` are stored: before the answer to the last of them leaves. Survives a
 * kill at once, a power cut from the next rotate on. What fails is logged. */
void cw_seal_mark(struct cw_seal *seal, uint64_t steps);
uint64_t cw_seal_marked(struct cw_seal *seal);

/* Seals for this session; appends to `out`. */
enum cw_err cw_seal_put(struct cw_seal *seal,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_bytes plain,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* Errors: BAD_CIPHERTEXT; SESSION_EXPIRED when its epoch is gone. */
enum cw_err cw_seal_get(struct cw_seal *seal,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_bytes sealed,
    struct cw_buf *plain) __attribute__((warn_unused_result));

/*
 * A session id that nobody can guess, the same for the same invitation,
 * message 2 and try: so that the store's unique key decides between two nodes
 * with the same message 2.
 */
void cw_seal_session_id(struct cw_seal *seal,
    const uint8_t invitation[CW_HASH_BYTES], struct cw_bytes message_2,
    uint8_t try, uint8_t out[CW_SESSION_ID_BYTES]);

/* A cookie's value, for one invitation and until a time; no row in the store. */
#define CW_COOKIE_BYTES (4 + 8 + CW_HASH_BYTES + 16)
#define CW_COOKIE_CHARS 80 /* base64url */

void cw_seal_cookie(struct cw_seal *seal,
    const uint8_t invitation[CW_HASH_BYTES], uint64_t expires_s,
    char out[CW_COOKIE_CHARS + 1]);
/* Errors: NO_COOKIE (also when it has expired or is not ours). */
enum cw_err cw_seal_cookie_check(struct cw_seal *seal, struct cw_bytes value,
    uint64_t now_s, uint8_t invitation[CW_HASH_BYTES])
    __attribute__((warn_unused_result));

#endif
