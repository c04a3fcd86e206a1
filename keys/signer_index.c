/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, sessions and grants of the log, found by hash tables. */
#include "keys/signer_index.h"

#include <stdlib.h>

static const uint8_t *
entry_key(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->entries[i].th_key;
}

static const uint8_t *
entry_request(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->entries[i].request;
}

static const uint8_t *
entry_serial(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->entries[i].serial;
}

static const uint8_t *
session_th(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->sessions[i].th;
}

static const uint8_t *
grant_id(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->grants[i].id;
}

static const uint8_t *
request_key(const void *owner, uint32_t i)
{
	return ((const struct cw_index *)owner)->requests[i].key;
}

void
cw_index_init(struct cw_index *x)
{
	memset(x, 0, sizeof(*x));
	cw_table_init(&x->by_key, CW_HASH_BYTES + 4, entry_key, x);
	cw_table_init(&x->by_request, CW_HASH_BYTES, entry_request, x);
	cw_table_init(&x->by_serial, CW_SERIAL_BYTES, entry_serial, x);
	cw_table_init(&x->by_th, CW_HASH_BYTES, session_th, x);
	cw_table_init(&x->by_grant, CW_GRANT_ID_BYTES, grant_id, x);
	cw_table_init(&x->by_nonce, CW_GRANT_ID_BYTES + CW_NONCE_BYTES,
	    request_key, x);
}

void
cw_index_wipe(struct cw_index *x)
{
	cw_table_wipe(&x->by_key);
	cw_table_wipe(&x->by_request);
	cw_table_wipe(&x->by_serial);
	cw_table_wipe(&x->by_th);
	cw_table_wipe(&x->by_grant);
	cw_table_wipe(&x->by_nonce);
	free(x->entries);
	free(x->sessions);
	free(x->grants);
	free(x->requests);
	memset(x, 0, sizeof(*x));
}

/* One more element fits into the array, or NULL. */
static void *
reserve(void *array, size_t n, size_t *cap, size_t size)
{
	size_t want = *cap == 0 ? 64 : 2 * *cap;
	void *bigger;

	if (n < *cap)
		return array;
	if (want >= CW_TABLE_NONE)
		return NULL;
	bigger = reallocarray(array, want, size);
	if (bigger != NULL)
		*cap = want;
	return bigger;
}

static void
join_key(uint8_t out[CW_HASH_BYTES + 4], const uint8_t *th, uint32_t key_id)
{
	memcpy(out, th, CW_HASH_BYTES);
	memcpy(out + CW_HASH_BYTES, &key_id, 4);
}

static void
join_nonce(uint8_t out[CW_GRANT_ID_BYTES + CW_NONCE_BYTES],
    const uint8_t *grant, const uint8_t *nonce)
{
	memcpy(out, grant, CW_GRANT_ID_BYTES);
	memcpy(out + CW_GRANT_ID_BYTES, nonce, CW_NONCE_BYTES);
}

static enum cw_err
find_grant(struct cw_index *x, const uint8_t *id, uint32_t *out)
{
	void *array;

	*out = cw_table_find(&x->by_grant, id);
	if (*out != CW_TABLE_NONE)
		return CW_OK;
	array =
	    reserve(x->grants, x->n_grants, &x->cap_grants, sizeof(*x->grants));
	if (array == NULL)
		return CW_ERR_NO_MEMORY;
	x->grants = array;
	*out = (uint32_t)x->n_grants;
	memset(&x->grants[*out], 0, sizeof(*x->grants));
	memcpy(x->grants[*out].id, id, CW_GRANT_ID_BYTES);
	if (cw_table_add(&x->by_grant, *out) != CW_OK)
		return CW_ERR_NO_MEMORY;
	x->n_grants++;
	return CW_OK;
}

static enum cw_err
find_session(struct cw_index *x, const struct cw_record *r, uint32_t *out)
{
	uint32_t grant;
	void *array;

	if (find_grant(x, r->grant, &grant) != CW_OK)
		return CW_ERR_NO_MEMORY;
	*out = cw_table_find(&x->by_th, r->th);
	if (*out != CW_TABLE_NONE)
		return x->sessions[*out].grant == grant ?
		    CW_OK :
		    CW_ERR_WRONG_STATEMENT;
	array = reserve(x->sessions, x->n_sessions, &x->cap_sessions,
	    sizeof(*x->sessions));
	if (array == NULL)
		return CW_ERR_NO_MEMORY;
	x->sessions = array;
	*out = (uint32_t)x->n_sessions;
	memset(&x->sessions[*out], 0, sizeof(*x->sessions));
	memcpy(x->sessions[*out].th, r->th, CW_HASH_BYTES);
	x->sessions[*out].grant = grant;
	if (cw_table_add(&x->by_th, *out) != CW_OK)
		return CW_ERR_NO_MEMORY;
	x->n_sessions++;
	return CW_OK;
}

static enum cw_err
add_entry(struct cw_index *x, const struct cw_record *r, uint64_t at,
    size_t len, uint32_t session)
{
	uint32_t i = (uint32_t)x->n_entries;
	struct cw_index_entry *e;
	void *array = reserve(x->entries, x->n_entries, &x->cap_entries,
	    sizeof(*x->entries));

	if (array == NULL)
		return CW_ERR_NO_MEMORY;
	x->entries = array;
	e = &x->entries[i];
	memset(e, 0, sizeof(*e));
	join_key(e->th_key, r->th, r->key_id);
	memcpy(e->request, r->request, CW_HASH_BYTES);
	memcpy(e->serial, r->serial, CW_SERIAL_BYTES);
	e->time_s = r->time_s;
	e->at = at;
	e->len = (uint32_t)len;
	e->session = session;
	/* Half added is fatal: the caller stops when memory is short. */
	if (cw_table_add(&x->by_key, i) != CW_OK ||
	    cw_table_add(&x->by_request, i) != CW_OK ||
	    cw_table_add(&x->by_serial, i) != CW_OK)
		return CW_ERR_NO_MEMORY;
	x->n_entries++;
	return CW_OK;
}

static enum cw_err
add_certified(struct cw_index *x, const struct cw_record *r, uint64_t at,
    size_t len)
{
	uint32_t session;
	enum cw_err err;

	if (cw_index_has_key(x, r->th, r->key_id) ||
	    cw_index_by_request(x, r->request) != NULL ||
	    cw_index_by_serial(x, r->serial) != NULL)
		return CW_ERR_ALREADY_CERTIFIED;
	err = find_session(x, r, &session);
	if (err == CW_OK)
		err = add_entry(x, r, at, len, session);
	if (err != CW_OK)
		return err;
	if (x->sessions[session].live++ == 0 && !x->sessions[session].done)
		x->grants[x->sessions[session].grant].live++;
	x->sessions[session].certified++;
	return CW_OK;
}

static enum cw_err
add_revoked(struct cw_index *x, const struct cw_record *r)
{
	uint32_t i = cw_table_find(&x->by_serial, r->serial);
	struct cw_index_session *s;

	if (i == CW_TABLE_NONE || x->entries[i].revoked)
		return CW_ERR_UNKNOWN_SERIAL;
	x->entries[i].revoked = true;
	s = &x->sessions[x->entries[i].session];
	if (--s->live == 0 && !s->done)
		x->grants[s->grant].live--;
	return CW_OK;
}

static enum cw_err
add_requested(struct cw_index *x, const struct cw_record *r)
{
	uint32_t i = (uint32_t)x->n_requests;
	uint32_t grant;
	void *array;

	if (cw_index_has_request(x, r->grant, r->nonce))
		return CW_ERR_EXISTS;
	if (find_grant(x, r->grant, &grant) != CW_OK)
		return CW_ERR_NO_MEMORY;
	array = reserve(x->requests, x->n_requests, &x->cap_requests,
	    sizeof(*x->requests));
	if (array == NULL)
		return CW_ERR_NO_MEMORY;
	x->requests = array;
	join_nonce(x->requests[i].key, r->grant, r->nonce);
	if (cw_table_add(&x->by_nonce, i) != CW_OK)
		return CW_ERR_NO_MEMORY;
	x->n_requests++;
	x->grants[grant].requests++;
	return CW_OK;
}

static enum cw_err
add_done(struct cw_index *x, const struct cw_record *r)
{
	struct cw_index_session *s;
	uint32_t session;
	enum cw_err err;

	if (cw_index_is_done(x, r->th))
		return CW_ERR_EXISTS;
	err = find_session(x, r, &session);
	if (err != CW_OK)
		return err;
	s = &x->sessions[session];
	s->done = true;
	if (s->live == 0)
		x->grants[s->grant].live++;
	return CW_OK;
}

enum cw_err
cw_index_add(struct cw_index *x, const struct cw_record *r, uint64_t at,
    size_t len)
{
	switch (r->kind) {
	case CW_RECORD_CERTIFIED:
		return add_certified(x, r, at, len);
	case CW_RECORD_REVOKED:
		return add_revoked(x, r);
	case CW_RECORD_REQUESTED:
		return add_requested(x, r);
	case CW_RECORD_DONE:
		return add_done(x, r);
	case CW_RECORD_START:
		break;
	}
	return CW_OK;
}

static const struct cw_index_entry *
entry_at(const struct cw_index *x, uint32_t i)
{
	return i == CW_TABLE_NONE ? NULL : &x->entries[i];
}

const struct cw_index_entry *
cw_index_by_request(const struct cw_index *x,
    const uint8_t request[CW_HASH_BYTES])
{
	return entry_at(x, cw_table_find(&x->by_request, request));
}

const struct cw_index_entry *
cw_index_by_serial(const struct cw_index *x,
    const uint8_t serial[CW_SERIAL_BYTES])
{
	return entry_at(x, cw_table_find(&x->by_serial, serial));
}

bool
cw_index_has_key(const struct cw_index *x, const uint8_t th[CW_HASH_BYTES],
    uint32_t key_id)
{
	uint8_t key[CW_HASH_BYTES + 4];

	join_key(key, th, key_id);
	return cw_table_find(&x->by_key, key) != CW_TABLE_NONE;
}

size_t
cw_index_session_keys(const struct cw_index *x, const uint8_t th[CW_HASH_BYTES])
{
	uint32_t i = cw_table_find(&x->by_th, th);

	return i == CW_TABLE_NONE ? 0 : x->sessions[i].certified;
}

bool
cw_index_is_done(const struct cw_index *x, const uint8_t th[CW_HASH_BYTES])
{
	uint32_t i = cw_table_find(&x->by_th, th);

	return i != CW_TABLE_NONE && x->sessions[i].done;
}

bool
cw_index_has_request(const struct cw_index *x,
    const uint8_t grant[CW_GRANT_ID_BYTES], const uint8_t nonce[CW_NONCE_BYTES])
{
	uint8_t key[CW_GRANT_ID_BYTES + CW_NONCE_BYTES];

	join_nonce(key, grant, nonce);
	return cw_table_find(&x->by_nonce, key) != CW_TABLE_NONE;
}

size_t
cw_index_requests(const struct cw_index *x,
    const uint8_t grant[CW_GRANT_ID_BYTES])
{
	uint32_t i = cw_table_find(&x->by_grant, grant);

	return i == CW_TABLE_NONE ? 0 : x->grants[i].requests;
}

size_t
cw_index_uses(const struct cw_index *x, const uint8_t grant[CW_GRANT_ID_BYTES],
    const uint8_t *th)
{
	uint32_t i = cw_table_find(&x->by_grant, grant);
	uint32_t own =
	    th == NULL ? CW_TABLE_NONE : cw_table_find(&x->by_th, th);
	size_t live;

	if (i == CW_TABLE_NONE)
		return 0;
	live = x->grants[i].live;
	if (own != CW_TABLE_NONE && x->sessions[own].grant == i &&
	    (x->sessions[own].live > 0 || x->sessions[own].done))
		live--;
	return live;
}
