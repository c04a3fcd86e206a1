/* SPDX-License-Identifier: Apache-2.0 */
/* Endorsements of management keys. */
#include "proto/endorsement.h"

enum cw_err
cw_endorsement_make(const struct cw_endorsement *e,
    const struct cw_private_key *old_key, struct cw_buf *out)
{
	struct cw_public_key from;
	struct cw_buf b;
	enum cw_err err;

	cw_key_public(old_key, &from);
	cw_buf_init(&b, CW_REQUEST_MAX);
	cw_cbor_put_array(&b, 5);
	cw_cbor_put_str(&b, "CW1 endorsement");
	cw_cose_key_put(&b, &from);
	cw_cose_key_put(&b, &e->to);
	cw_cbor_put_uint(&b, e->epoch);
	cw_cbor_put_uint(&b, e->not_after_s);
	err = b.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(old_key, CW_TYP_ENDORSEMENT,
		    cw_buf_bytes(&b), out);
	cw_buf_wipe(&b);
	return err;
}

enum cw_err
cw_endorsement_verify(struct cw_bytes in, struct cw_endorsement *out)
{
	struct cw_cose_sign1 sign1;
	struct cw_cbor_reader r;
	enum cw_err err = cw_cose_sign1_decode(in, CW_TYP_ENDORSEMENT, &sign1);

	memset(out, 0, sizeof(*out));
	if (err != CW_OK)
		return err;
	cw_cbor_init(&r, sign1.payload);
	cw_cbor_array(&r, 5, 5);
	cw_cbor_label(&r, "CW1 endorsement");
	cw_cose_key_get(&r, &out->from);
	cw_cose_key_get(&r, &out->to);
	out->epoch = cw_cbor_u32(&r, 1, UINT32_MAX);
	out->not_after_s = cw_cbor_uint(&r, 0, INT64_MAX);
	cw_cbor_array_end(&r);
	err = cw_cbor_finish(&r);
	if (err == CW_OK &&
	    memcmp(&out->from, &out->to, sizeof(out->from)) == 0)
		err = CW_ERR_BAD_ENDORSEMENT;
	if (err == CW_OK)
		err = cw_cose_sign1_verify(&sign1, &out->from, CW_BYTES_NONE);
	return err;
}

static bool
same(const uint8_t a[CW_HASH_BYTES], const uint8_t b[CW_HASH_BYTES])
{
	return memcmp(a, b, CW_HASH_BYTES) == 0;
}

/* The last of the chain follows what is before it. */
static bool
fits(const struct cw_endorsements *e)
{
	size_t last = e->n - 1;

	if (last > 0 &&
	    (!same(e->chain[last - 1].to, e->chain[last].from) ||
		e->chain[last].epoch <= e->chain[last - 1].epoch))
		return false;
	/* A circle would make a key older than itself. */
	for (size_t i = 0; i <= last; i++)
		if (same(e->chain[i].from, e->chain[last].to))
			return false;
	return true;
}

enum cw_err
cw_endorsements_verify(const struct cw_request *q, struct cw_endorsements *out)
{
	uint8_t end[CW_HASH_BYTES];

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < q->n_endorsements; i++) {
		struct cw_endorsement e;
		enum cw_err err = cw_endorsement_verify(q->endorsements[i], &e);

		if (err != CW_OK)
			return err;
		cw_cose_key_hash(&e.from, out->chain[i].from);
		cw_cose_key_hash(&e.to, out->chain[i].to);
		out->chain[i].epoch = e.epoch;
		out->chain[i].not_after_s = e.not_after_s;
		out->n++;
		if (!fits(out))
			return CW_ERR_BAD_ENDORSEMENT;
	}
	cw_cose_key_hash(&q->management_key, end);
	if (out->n > 0 && !same(out->chain[out->n - 1].to, end))
		return CW_ERR_BAD_ENDORSEMENT;
	return CW_OK;
}

bool
cw_endorsements_lead_from(const struct cw_endorsements *e,
    const uint8_t key_hash[CW_HASH_BYTES], uint64_t now_s)
{
	bool found = false;

	for (size_t i = 0; i < e->n; i++) {
		if (same(e->chain[i].from, key_hash))
			found = true;
		if (found && e->chain[i].not_after_s < now_s)
			return false;
	}
	return found;
}
