/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this computer remembers of issuers: for each origin the hash of its
 * management key, as ssh remembers hosts, and the last session, so that a
 * session is not taken up again that this computer has brought to its end.
 *
 * A text file, mode 0600, one line per origin:
 *   ORIGIN KEY-HASH FIRST-SEEN SESSION-ID|- -|begun|finished
 * Every change replaces the file in one step, under a lock.
 */
#ifndef CW_AGENT_KNOWN_H
#define CW_AGENT_KNOWN_H

#include "proto/crypto.h"
#include "proto/limits.h"

#define CW_KNOWN_MAX 1024                       /* issuers */
#define CW_KNOWN_FILE_MAX ((size_t)1024 * 1024) /* bytes */

enum cw_known_session {
	CW_KNOWN_NO_SESSION,
	CW_KNOWN_BEGUN, /* the card opened it, the issuer's end is not known */
	CW_KNOWN_FINISHED, /* the issuer confirmed its end */
};

struct cw_known_issuer {
	char origin[CW_URI_MAX + 1];
	uint8_t key_hash[CW_HASH_BYTES]; /* H(COSE_Key), management key */
	uint64_t first_seen_s;
	enum cw_known_session state;
	uint8_t session_id[CW_SESSION_ID_BYTES];
};

struct cw_known {
	char path[1024];
};

/*
 * Where the memory is: `path`, or with NULL $XDG_STATE_HOME/cardwright/issuers
 * (~/.local/state by default). Touches nothing. Errors: BAD_CONFIG when there
 * is no home.
 */
enum cw_err cw_known_init(struct cw_known *known, const char *path)
    __attribute__((warn_unused_result));

/*
 * What is remembered of the origin; *found says whether anything is. A file
 * that is missing remembers nothing. Errors: BAD_STATE_FILE, FILE_MODE, IO.
 */
enum cw_err cw_known_find(const struct cw_known *known, struct cw_bytes origin,
    struct cw_known_issuer *out, bool *found)
    __attribute__((warn_unused_result));

/*
 * Remembers, or replaces what was remembered of the same origin. After IO it
 * may have been done, after another error nothing is changed. Errors: those of
 * find, NO_SPACE, LOCKED, TOO_LARGE.
 */
enum cw_err cw_known_put(const struct cw_known *known,
    const struct cw_known_issuer *issuer) __attribute__((warn_unused_result));

/* Errors: NO_FILE when nothing was remembered of it, those of put. */
enum cw_err cw_known_forget(const struct cw_known *known,
    struct cw_bytes origin) __attribute__((warn_unused_result));

/* How many issuers are remembered. Errors: those of find. */
enum cw_err cw_known_count(const struct cw_known *known, size_t *n)
    __attribute__((warn_unused_result));

#endif
