/* SPDX-License-Identifier: Apache-2.0 */
/* Scope: what a session may do to the card (session.cddl scope). */
#ifndef CW_PROTO_SCOPE_H
#define CW_PROTO_SCOPE_H

#include "proto/cbor.h"
#include "proto/limits.h"

#define CW_SCOPE_COMMANDS_MAX 13
#define CW_SCOPE_SLOTS_MAX 24
#define CW_SCOPE_OBJECTS_MAX 32

struct cw_scope {
	unsigned keys_max;
	size_t n_commands, n_slots, n_objects;
	uint8_t commands[CW_SCOPE_COMMANDS_MAX]; /* ascending, unique */
	uint8_t slots[CW_SCOPE_SLOTS_MAX]; /* PIV key references, likewise */
	uint32_t objects[CW_SCOPE_OBJECTS_MAX]; /* object ids, likewise */
};

/* True for 9A, 9C, 9D, 9E, 82..95 (SP 800-73-4 part 1, table 4b). */
bool cw_slot_is_valid(uint64_t slot);

void cw_scope_put(struct cw_buf *b, const struct cw_scope *scope);

/* Refuses what is not ascending and unique: NOT_DETERMINISTIC. */
void cw_scope_get(struct cw_cbor_reader *r, struct cw_scope *scope);

bool cw_scope_equal(const struct cw_scope *a, const struct cw_scope *b);

/* True if everything that `inner` allows, `outer` allows too. */
bool cw_scope_within(const struct cw_scope *inner,
    const struct cw_scope *outer);

bool cw_scope_has_command(const struct cw_scope *scope, unsigned command);
bool cw_scope_has_slot(const struct cw_scope *scope, unsigned slot);
bool cw_scope_has_object(const struct cw_scope *scope, uint32_t id);

#endif
