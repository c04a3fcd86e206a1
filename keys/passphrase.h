/* SPDX-License-Identifier: Apache-2.0 */
/* A passphrase from the terminal or a descriptor, in guarded memory. */
#ifndef CW_KEYS_PASSPHRASE_H
#define CW_KEYS_PASSPHRASE_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

#define CW_PASSPHRASE_MAX 512 /* bytes */
#define CW_PASSPHRASE_MIN 8   /* of a new one */

struct cw_passphrase {
	int fd;     /* -1: ask on /dev/tty */
	char *text; /* guarded; NULL until it is known */
	size_t len;
};

void cw_passphrase_init(struct cw_passphrase *p, int fd);

/* Wipes; may be used again after another init. */
void cw_passphrase_wipe(struct cw_passphrase *p);

/*
 * The passphrase, asked for once: the first line of the descriptor (read from
 * its start if it can seek, so that a restarted process finds it again), or a
 * line typed without echo. `twice` is for a new one: typed twice, and at least
 * CW_PASSPHRASE_MIN bytes. The view is good until it is wiped. Blocks.
 * Errors: NO_PIN_ENTRY (no terminal), PIN_MISMATCH, PIN_LENGTH, IO, NO_MEMORY.
 */
enum cw_err cw_passphrase_get(struct cw_passphrase *p, const char *what,
    bool twice, struct cw_bytes *out) __attribute__((warn_unused_result));

#endif
