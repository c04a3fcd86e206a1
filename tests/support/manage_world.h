/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations as an operator makes them, and sessions about what cards hold. */
#ifndef CW_TESTS_MANAGE_WORLD_H
#define CW_TESTS_MANAGE_WORLD_H

#include "server/admin.h"
#include "tests/support/server_world.h"

#define CW_MANAGE_SERIAL (2 * CW_SERIAL_BYTES + 1)

/* The command, and what it prints to its standard output. */
enum cw_err cw_manage_printed(struct cw_admin *admin,
    enum cw_err (*command)(struct cw_admin *), char *out, size_t size);

/* cardwright-admin invite with these options (store and configuration are the
 * world's); the invitation is the world's then. */
enum cw_err cw_manage_invite(struct cw_server_world *w,
    struct cw_admin options);

/* A certificate of the profile for CN=Ada Lovelace,O=Example, account "ada", on
 * the world's present card in mode 2; its serial in hex. */
void cw_manage_enroll(struct cw_server_world *w, const char *profile,
    char serial[CW_MANAGE_SERIAL]);

/* An invitation about these certificates (with commas), which must be taken. */
void cw_manage_about(struct cw_server_world *w, const char *action,
    const char *certificates, bool with_key);

/* What the store says of a certificate; `wanted` may be NULL. */
enum cw_certificate_status cw_manage_status(struct cw_server_world *w,
    const char serial[CW_MANAGE_SERIAL], unsigned *wanted);

/* Intent and grant of the world's invitation; they borrow from it. */
void cw_manage_read(struct cw_server_world *w, struct cw_intent *intent,
    struct cw_grant *grant);

#endif
