/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps: places where bytes pass from one party to another, or are about to be
 * signed or sealed. A script on the other end of standard input and output
 * reads what passes and may change it at one tap; then the first party that
 * refuses says so. The lines, fields separated by tabs:
 *
 *   list KIND SUITE MODE          -> tap NAME RULE HEX … found nobody 0
 *   run KIND SUITE MODE NAME      -> at HEX
 *   HEX                           -> found WHO NUMBER
 *   decode RULE                      (a decoder alone, of that rule)
 *   HEX                           -> found decoder NUMBER
 *
 * NAME is "WHO/WHAT": who lies, and about what; RULE the CDDL rule. A tap that
 * is reached twice counts the first time only. NUMBER is an error's, or of the
 * card as a host sees it a status word.
 */
#ifndef CW_TESTS_FIELDS_TAP_H
#define CW_TESTS_FIELDS_TAP_H

#include "proto/crypto.h"

/* Once: standard output becomes the script's alone. */
void cw_tap_init(void);

/* `wanted` NULL: list all. Only between begin and end anything is tapped. */
void cw_tap_begin(const char *wanted);

/* Prints what was found. */
void cw_tap_end(void);

/* Gives the bytes away; true if they have come back changed. */
bool cw_tap(const char *who, const char *rule, struct cw_buf *bytes);

/* The same for a COSE_Sign1 of somebody who has the key: what comes back is
 * signed again, as long as it has the four parts of one. */
bool cw_tap_signed(const char *who, const char *rule, struct cw_buf *bytes,
    const struct cw_private_key *key);

/* A line of HEX, in the place of what is there. */
void cw_tap_read(struct cw_buf *bytes);

/* Signs a COSE_Sign1 again; what has not the four parts of one stays. */
void cw_tap_sign(struct cw_buf *bytes, const struct cw_private_key *key);

/* The tap was reached, its bytes are changed. */
bool cw_tap_is_done(void);

/* Somebody refuses. What comes later, or before the tap, does not count. */
void cw_tap_found(const char *who, unsigned number);

/* So does an error, unless it is none. */
void cw_tap_error(const char *who, enum cw_err err);

#endif
