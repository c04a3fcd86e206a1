/* SPDX-License-Identifier: Apache-2.0 */
/* The holder and one key: use, export, deletion, its PIN, a statement. */
#include "agent/hold_internal.h"
#include "proto/base/secret.h"
#include "proto/x509.h"

/* An instruction for the key, in a burst of its own. */
struct job {
	enum cw_ins ins;
	struct cw_key_request q;
	struct cw_buf *out;
	bool wants_new; /* a new PIN is asked for before */
};

static enum cw_err
do_job(struct cw_hold *hold, void *ctx)
{
	struct job *job = ctx;
	size_t before = job->out->len;
	enum cw_err err = CW_OK;

	if (job->wants_new)
		err = cw_hold_ask_new(hold, CW_PIN_KEY, &hold->key.pin_rule);
	if (err != CW_OK)
		return err;
	job->q.handle = hold->key.handle;
	job->q.pin = cw_hold_bytes(hold->value);
	job->q.new_pin = cw_hold_bytes(hold->fresh);
	err = cw_icc_begin(&hold->card);
	if (err == CW_OK)
		err = cw_icc_hold(&hold->card, job->ins, &job->q, job->out);
	if (err != CW_OK)
		cw_buf_truncate(job->out, before);
	cw_icc_end(&hold->card);
	return err;
}

/* The same in the holder's burst, where the card's PIN has been verified. */
static enum cw_err
do_as_holder(struct cw_hold *hold, void *ctx)
{
	struct job *job = ctx;

	job->q.handle = hold->key.handle;
	return cw_icc_hold(&hold->card, job->ins, &job->q, job->out);
}

/* Of a key in a PIV slot the card's own PIN and PUK. */
static enum cw_err
with_cards(struct cw_hold *hold, enum cw_guard guard, struct job *job)
{
	struct cw_pin_prompt puk = cw_hold_prompt_puk(hold);

	if (!hold->info.is_set)
		return CW_ERR_NO_SUCH_PIN;
	if (guard == CW_GUARD_PUK)
		return cw_hold_try(hold, &puk, hold->value, do_job, job);
	*hold->value = *hold->holder;
	return do_job(hold, job);
}

static enum cw_err
guarded(struct cw_hold *hold, enum cw_guard guard, struct job *job)
{
	const struct cw_held_key *key = &hold->key;
	struct cw_pin_prompt prompt = {
		.what = guard == CW_GUARD_PUK ? CW_PIN_KEY_PUK : CW_PIN_KEY,
		.rule = guard == CW_GUARD_PUK ? &key->puk_rule : &key->pin_rule,
		.tries_left =
		    guard == CW_GUARD_PUK ? key->puk_tries : key->pin_tries,
	};
	enum cw_err err;

	if (guard == CW_GUARD_NONE || guard == CW_GUARD_NEVER)
		err = do_job(hold, job);
	else if (key->attributes.slot != 0)
		err = with_cards(hold, guard, job);
	else if (guard == CW_GUARD_PUK ? !key->has_puk : !key->has_pin)
		err = CW_ERR_NO_SUCH_PIN;
	else
		err = cw_hold_try(hold, &prompt, hold->value, do_job, job);
	cw_wipe(hold->value, sizeof(*hold->value));
	return err;
}

/* ---- use ---- */

/* In the order in which they are chosen. */
static const int32_t algorithms[] = {
	CW_ALG_ESP256,
	CW_ALG_ESP384,
	CW_ALG_ED25519,
	CW_ALG_RS256,
	CW_ALG_PS256,
	CW_ALG_RS384,
	CW_ALG_PS384,
	CW_ALG_RS512,
	CW_ALG_PS512,
	CW_ALG_RSA_OAEP_SHA256,
	CW_ALG_RSA_OAEP_SHA1,
	CW_ALG_RAW_AGREEMENT,
	CW_ALG_HMAC_256,
	CW_ALG_AES_CCM_16_128_256,
	CW_ALG_CHACHA20_POLY1305,
};

int32_t
cw_hold_algorithm(const struct cw_attributes *a,
    enum cw_key_operation operation)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (cw_key_alg_check(a, operation, algorithms[i]) == CW_OK)
			return algorithms[i];
	return 0;
}

/*
 * The peer's point out of its SubjectPublicKeyInfo, which differs from the own
 * one in the point alone; or the point itself.
 */
static enum cw_err
take_point(const struct cw_public_key *own, struct cw_bytes peer,
    struct cw_bytes *point)
{
	size_t len = (size_t)own->x_len + own->y_len + (own->y_len > 0);
	struct cw_buf spki;
	enum cw_err err;

	*point = peer;
	if (peer.len == len)
		return CW_OK;
	cw_buf_init(&spki, CW_CERT_MAX_BYTES);
	err = cw_public_key_spki(own, &spki);
	if (err == CW_OK &&
	    (peer.len != spki.len ||
		memcmp(peer.ptr, spki.ptr, spki.len - len) != 0))
		err = CW_ERR_BAD_PEER;
	if (err == CW_OK)
		*point = cw_bytes(peer.ptr + peer.len - len, len);
	cw_buf_wipe(&spki);
	return err;
}

enum cw_err
cw_hold_use(struct cw_hold *hold, enum cw_key_operation operation,
    int32_t algorithm, struct cw_bytes data, struct cw_buf *out)
{
	const struct cw_attributes *a = &hold->key.attributes;
	struct job job = { .ins = CW_INS_USE_KEY, .out = out };
	enum cw_err err = CW_OK;

	if (data.len > CW_USE_MAX)
		return CW_ERR_TOO_LARGE;
	if (algorithm == 0)
		algorithm = cw_hold_algorithm(a, operation);
	if (a->slot != 0 || cw_key_alg_check(a, operation, algorithm) != CW_OK)
		return CW_ERR_WRONG_USE;
	job.q.operation = operation;
	job.q.algorithm = algorithm;
	job.q.data = data;
	if (operation == CW_OP_AGREE)
		err = take_point(&hold->key.key, data, &job.q.data);
	if (err == CW_OK)
		err = guarded(hold,
		    hold->key.has_pin ? CW_GUARD_PIN : CW_GUARD_NONE, &job);
	return err == CW_ERR_NOT_DECRYPTED && operation == CW_OP_AGREE ?
	    CW_ERR_BAD_PEER :
	    err;
}

enum cw_err
cw_hold_export(struct cw_hold *hold, struct cw_buf *out)
{
	struct job job = { .ins = CW_INS_EXPORT_KEY, .out = out };

	return hold->key.attributes.exportable ?
	    guarded(hold, hold->key.attributes.export_guard, &job) :
	    CW_ERR_NOT_EXPORTABLE;
}

enum cw_err
cw_hold_delete(struct cw_hold *hold)
{
	const enum cw_guard guard = hold->key.attributes.delete_guard;
	struct cw_buf none;
	struct job job = { .ins = CW_INS_DELETE, .out = &none };
	enum cw_err err;

	if (guard == CW_GUARD_NEVER)
		return CW_ERR_ISSUER_DELETES;
	cw_buf_init(&none, CW_RESPONSE_MAX);
	err = guard == CW_GUARD_NONE ?
	    cw_hold_as_holder(hold, do_as_holder, &job) :
	    guarded(hold, guard, &job);
	cw_buf_wipe(&none);
	return err;
}

/* ---- its PIN ---- */

static enum cw_err
do_pin(struct cw_hold *hold, enum cw_ins ins, enum cw_guard guard,
    bool wants_new)
{
	struct cw_buf none;
	struct job job = { .ins = ins, .out = &none, .wants_new = wants_new };
	enum cw_err err;

	cw_buf_init(&none, CW_RESPONSE_MAX);
	err = guarded(hold, guard, &job);
	cw_buf_wipe(&none);
	return err;
}

enum cw_err
cw_hold_change_key_pin(struct cw_hold *hold)
{
	if (!hold->key.has_pin)
		return CW_ERR_NO_SUCH_PIN;
	if (!hold->key.is_modifiable)
		return CW_ERR_PIN_FIXED;
	return do_pin(hold, CW_INS_CHANGE_KEY_PIN, CW_GUARD_PIN, true);
}

enum cw_err
cw_hold_unblock_key(struct cw_hold *hold, bool keep)
{
	if (!hold->key.has_puk)
		return CW_ERR_NO_SUCH_PIN;
	return do_pin(hold, CW_INS_UNBLOCK_KEY, CW_GUARD_PUK,
	    !keep && hold->key.is_modifiable);
}

/* ---- a statement ---- */

enum cw_err
cw_hold_attest(struct cw_hold *hold, struct cw_bytes challenge,
    struct cw_bytes subject, bool batch, struct cw_buf *out)
{
	struct job job = { .ins = CW_INS_ATTEST_OFFLINE, .out = out };
	uint8_t hash[CW_HASH_BYTES];

	if (hold->key.attributes.type == CW_KEY_SECRET)
		return CW_ERR_WRONG_USE;
	if (!hold->info.is_set)
		return CW_ERR_NO_SUCH_PIN;
	cw_hash(challenge, hash);
	job.q.data = CW_BYTES_ARRAY(hash);
	job.q.name = subject;
	job.q.attestation = batch ? 2 : 1;
	return cw_hold_as_holder(hold, do_as_holder, &job);
}
