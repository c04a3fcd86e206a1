/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps that checks of commands and of the holder's instructions share. As in
 * kit.h, each is true, or notes what was wrong and is false.
 */
#ifndef CW_CONFORMANCE_STEPS_H
#define CW_CONFORMANCE_STEPS_H

#include "proto/held_key.h"
#include "tests/conformance/kit.h"

#define CW_KIT_KEY_PIN "4711"
#define CW_KIT_KEY_PUK "83920174"
#define CW_KIT_PUK_ID 30
#define CW_KIT_POLICY_ID 20

/* ---- commands ---- */

/* PUK 30; PIN policy 20 under it: digits, 4 to 8, three tries, shared, the
 * issuer's value, modifiable. */
struct cw_command cw_kit_puk(void);
struct cw_command cw_kit_policy(void);

/* CREATE_KEY, or for a secret IMPORT_SYMMETRIC_KEY of 32 bytes. */
struct cw_command cw_kit_key(uint32_t id, enum cw_key_type type, unsigned usage,
    const char *name);
/* The secret's bytes. */
struct cw_bytes cw_kit_secret(void);

struct cw_command cw_kit_on(enum cw_command_no no, uint32_t id,
    uint32_t target);
struct cw_command cw_kit_extension(uint32_t key, const char *type,
    enum cw_extension_kind kind, struct cw_bytes data);

/* The command is done. */
bool cw_kit_runs(struct cw_kit *kit, struct cw_command command,
    const char *what);

/* A session of its own, in which the command ends with this error. */
bool cw_kit_refuses(struct cw_kit *kit, struct cw_command command,
    enum cw_err want, const char *what);

/* In the open session: the command ends it with this error. */
bool cw_kit_ends(struct cw_kit *kit, struct cw_command command,
    enum cw_err want, const char *what);

/* CREATE_KEY with its certificate, or the import of a secret. */
bool cw_kit_makes(struct cw_kit *kit, struct cw_command key);

/* CLOSE; the result, if not NULL, or the error that it ends with. */
bool cw_kit_closes(struct cw_kit *kit, struct cw_result_statement *result);
bool cw_kit_close_fails(struct cw_kit *kit, enum cw_err want, const char *what);

/* A whole session with one key, and one with PUK 30, policy 20 and P-256 key 1,
 * "Key 1", that signs. */
bool cw_kit_commits(struct cw_kit *kit, struct cw_command key);
bool cw_kit_base(struct cw_kit *kit);

/* The result has this item: what was done to which object. */
bool cw_kit_has_item(struct cw_kit *kit, const struct cw_result_statement *r,
    uint32_t id, enum cw_done done, const char *what);

/* LIST in a session of its own, which is aborted: the key of this id; NULL if
 * there is none. Views are good until the next command. */
const struct cw_listed_key *cw_kit_listed(struct cw_kit *kit, uint32_t id);

/* ABORT of the present session. */
bool cw_kit_aborts(struct cw_kit *kit);

/* ---- the holder ---- */

/* One of the holder's instructions; its answer is in kit->out. */
bool cw_kit_holds(struct cw_kit *kit, enum cw_ins ins,
    const struct cw_key_request *q, unsigned want, const char *what);

/* READ KEY, from the first to the one of this name; views into kit->out. */
bool cw_kit_held(struct cw_kit *kit, const char *name, struct cw_held_key *key);

/* USE KEY with a PIN (NULL: none). */
bool cw_kit_uses(struct cw_kit *kit, uint32_t handle,
    enum cw_key_operation operation, int32_t algorithm, struct cw_bytes data,
    const char *pin, unsigned want, const char *what);

/* "Key 1" of cw_kit_base signs with this PIN, or gets this status word. */
bool cw_kit_signs(struct cw_kit *kit, const char *pin, unsigned want,
    const char *what);

#endif
