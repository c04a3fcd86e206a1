/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash index over items that somebody else keeps in an array: from a key of
 * fixed length to the item's number. 8 bytes an item. The hash is secret, so
 * that who chooses the keys cannot make them collide.
 */
#ifndef CW_KEYS_TABLE_H
#define CW_KEYS_TABLE_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

#define CW_TABLE_NONE UINT32_MAX
#define CW_TABLE_KEY_MAX 40 /* bytes, a multiple of 4 */

struct cw_table {
	/* The key of an item, `key_len` bytes. */
	const uint8_t *(*key)(const void *owner, uint32_t item);
	const void *owner;
	size_t key_len; /* a multiple of 4 */
	uint32_t *slots;
	size_t cap, n; /* cap is a power of two, or 0 */
	uint64_t secret[CW_TABLE_KEY_MAX / 4 + 1];
};

void cw_table_init(struct cw_table *t, size_t key_len,
    const uint8_t *(*key)(const void *owner, uint32_t item), const void *owner);
void cw_table_wipe(struct cw_table *t);

/* The item with this key, or CW_TABLE_NONE. */
uint32_t cw_table_find(const struct cw_table *t, const uint8_t *key);

/* Adds an item, whose key is not in the table yet. Errors: NO_MEMORY. */
enum cw_err cw_table_add(struct cw_table *t, uint32_t item)
    __attribute__((warn_unused_result));

#endif
