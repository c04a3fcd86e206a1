/* SPDX-License-Identifier: Apache-2.0 */
/* Scope: sorted lists, so that comparing is walking. */
#include "proto/scope.h"

#define COMMAND_NO_MAX 13

bool
cw_slot_is_valid(uint64_t slot)
{
	return slot == 0x9a || (slot >= 0x9c && slot <= 0x9e) ||
	    (slot >= 0x82 && slot <= 0x95);
}

static void
put_bytes(struct cw_buf *b, const uint8_t *items, size_t n)
{
	cw_cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_uint(b, items[i]);
}

void
cw_scope_put(struct cw_buf *b, const struct cw_scope *scope)
{
	cw_cbor_put_map(b, 4);
	cw_cbor_put_uint(b, 0);
	put_bytes(b, scope->commands, scope->n_commands);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_uint(b, scope->keys_max);
	cw_cbor_put_uint(b, 2);
	put_bytes(b, scope->slots, scope->n_slots);
	cw_cbor_put_uint(b, 3);
	cw_cbor_put_array(b, scope->n_objects);
	for (size_t i = 0; i < scope->n_objects; i++)
		cw_cbor_put_uint(b, scope->objects[i]);
}

/* A list of numbers in which each is larger than the one before. */
static size_t
get_bytes(struct cw_cbor_reader *r, uint8_t *items, size_t max,
    uint64_t item_max)
{
	size_t n = cw_cbor_array(r, 0, max);

	for (size_t i = 0; i < n; i++) {
		items[i] = (uint8_t)cw_cbor_uint(r, 1, item_max);
		if (i > 0 && items[i] <= items[i - 1])
			cw_cbor_fail(r, CW_ERR_NOT_DETERMINISTIC);
	}
	cw_cbor_array_end(r);
	return n;
}

static void
get_slots(struct cw_cbor_reader *r, struct cw_scope *scope)
{
	scope->n_slots =
	    get_bytes(r, scope->slots, CW_SCOPE_SLOTS_MAX, UINT8_MAX);
	for (size_t i = 0; i < scope->n_slots; i++)
		if (!cw_slot_is_valid(scope->slots[i]))
			cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
}

static void
get_objects(struct cw_cbor_reader *r, struct cw_scope *scope)
{
	scope->n_objects = cw_cbor_array(r, 0, CW_SCOPE_OBJECTS_MAX);
	for (size_t i = 0; i < scope->n_objects; i++) {
		scope->objects[i] = cw_cbor_u32(r, 1, UINT32_MAX);
		if (i > 0 && scope->objects[i] <= scope->objects[i - 1])
			cw_cbor_fail(r, CW_ERR_NOT_DETERMINISTIC);
	}
	cw_cbor_array_end(r);
}

void
cw_scope_get(struct cw_cbor_reader *r, struct cw_scope *scope)
{
	memset(scope, 0, sizeof(*scope));
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	scope->n_commands = get_bytes(r, scope->commands, CW_SCOPE_COMMANDS_MAX,
	    COMMAND_NO_MAX);
	cw_cbor_key(r, 1);
	scope->keys_max = cw_cbor_u32(r, 0, CW_KEYS_MAX);
	cw_cbor_key(r, 2);
	get_slots(r, scope);
	cw_cbor_key(r, 3);
	get_objects(r, scope);
	cw_cbor_map_end(r);
}

bool
cw_scope_has_command(const struct cw_scope *scope, unsigned command)
{
	for (size_t i = 0; i < scope->n_commands; i++)
		if (scope->commands[i] == command)
			return true;
	return false;
}

bool
cw_scope_has_slot(const struct cw_scope *scope, unsigned slot)
{
	for (size_t i = 0; i < scope->n_slots; i++)
		if (scope->slots[i] == slot)
			return true;
	return false;
}

bool
cw_scope_has_object(const struct cw_scope *scope, uint32_t id)
{
	for (size_t i = 0; i < scope->n_objects; i++)
		if (scope->objects[i] == id)
			return true;
	return false;
}

bool
cw_scope_within(const struct cw_scope *inner, const struct cw_scope *outer)
{
	if (inner->keys_max > outer->keys_max)
		return false;
	for (size_t i = 0; i < inner->n_commands; i++)
		if (!cw_scope_has_command(outer, inner->commands[i]))
			return false;
	for (size_t i = 0; i < inner->n_slots; i++)
		if (!cw_scope_has_slot(outer, inner->slots[i]))
			return false;
	for (size_t i = 0; i < inner->n_objects; i++)
		if (!cw_scope_has_object(outer, inner->objects[i]))
			return false;
	return true;
}

bool
cw_scope_equal(const struct cw_scope *a, const struct cw_scope *b)
{
	return cw_scope_within(a, b) && cw_scope_within(b, a);
}
