/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing, at most half full. */
#include "keys/table.h"

#include <stdlib.h>

#include "proto/crypto.h"

#define FIRST_CAP 64

void
cw_table_init(struct cw_table *t, size_t key_len,
    const uint8_t *(*key)(const void *owner, uint32_t item), const void *owner)
{
	memset(t, 0, sizeof(*t));
	t->key_len = key_len;
	t->key = key;
	t->owner = owner;
	cw_random((uint8_t *)t->secret, sizeof(t->secret));
}

void
cw_table_wipe(struct cw_table *t)
{
	free(t->slots);
	t->slots = NULL;
	t->cap = t->n = 0;
}

/* Multilinear hashing (Lemire and Kaser 2014): strongly universal in its upper
 * 32 bits for random secrets. */
static size_t
hash(const struct cw_table *t, const uint8_t *key)
{
	uint64_t sum = t->secret[0];

	for (size_t i = 0; i < t->key_len / 4; i++) {
		uint32_t word;

		memcpy(&word, key + 4 * i, sizeof(word));
		sum += t->secret[i + 1] * word;
	}
	return (size_t)(sum >> 32);
}

/* The slot with the key, or the empty one where it belongs. */
static size_t
probe(const struct cw_table *t, const uint8_t *key)
{
	size_t i = hash(t, key) & (t->cap - 1);

	while (t->slots[i] != CW_TABLE_NONE &&
	    memcmp(t->key(t->owner, t->slots[i]), key, t->key_len) != 0)
		i = (i + 1) & (t->cap - 1);
	return i;
}

uint32_t
cw_table_find(const struct cw_table *t, const uint8_t *key)
{
	return t->n == 0 ? CW_TABLE_NONE : t->slots[probe(t, key)];
}

static enum cw_err
grow(struct cw_table *t)
{
	uint32_t *old = t->slots;
	size_t old_cap = t->cap;

	t->cap = old_cap == 0 ? FIRST_CAP : 2 * old_cap;
	t->slots = reallocarray(NULL, t->cap, sizeof(*t->slots));
	if (t->slots == NULL) {
		t->slots = old;
		t->cap = old_cap;
		return CW_ERR_NO_MEMORY;
	}
	memset(t->slots, 0xff, t->cap * sizeof(*t->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i] != CW_TABLE_NONE)
			t->slots[probe(t, t->key(t->owner, old[i]))] = old[i];
	free(old);
	return CW_OK;
}

enum cw_err
cw_table_add(struct cw_table *t, uint32_t item)
{
	if (2 * (t->n + 1) > t->cap && grow(t) != CW_OK)
		return CW_ERR_NO_MEMORY;
	t->slots[probe(t, t->key(t->owner, item))] = item;
	t->n++;
	return CW_OK;
}
