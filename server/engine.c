/* SPDX-License-Identifier: Apache-2.0 */
/* What engine, sweeper and routes share. */
#include "server/engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rfc4648.h"

#define CHAINS_MAX (64 * 1024)

void
cw_engine_init(struct cw_engine *engine, const struct cw_config *config,
    struct cw_store *store, struct cw_signer *signer, struct cw_seal *seal,
    const struct cw_clock *clock)
{
	memset(engine, 0, sizeof(*engine));
	engine->config = config;
	engine->store = store;
	engine->signer = signer;
	engine->seal = seal;
	engine->clock = clock;
	engine->limits = cw_limits_new();
	cw_health_init(&engine->health);
	atomic_init(&engine->open_sessions, 0);
	atomic_init(&engine->reconciled, false);
	pthread_mutex_init(&engine->closing, NULL);
	pthread_mutex_init(&engine->mutex, NULL);
}

static void
chains_free(struct cw_engine_chains *chains)
{
	if (chains == NULL)
		return;
	cw_buf_wipe(&chains->memory);
	free(chains);
}

void
cw_engine_wipe(struct cw_engine *engine)
{
	chains_free(engine->chains);
	engine->chains = NULL;
	cw_limits_free(&engine->limits);
	cw_health_wipe(&engine->health);
	pthread_mutex_destroy(&engine->mutex);
	pthread_mutex_destroy(&engine->closing);
}

/* ---- policy: [ca chain, management chain, authority chain] ---- */

static void
put_chain(struct cw_buf *out, const struct cw_bytes *chain, size_t n)
{
	cw_cbor_put_array(out, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_bstr(out, chain[i]);
}

void
cw_policy_encode(const struct cw_signer_info *info, struct cw_buf *out)
{
	cw_cbor_put_array(out, 3);
	put_chain(out, info->ca, info->n_ca);
	put_chain(out, info->management, info->n_management);
	put_chain(out, info->authority, info->n_authority);
}

static size_t
get_chain(struct cw_cbor_reader *r, struct cw_bytes *chain)
{
	size_t n = cw_cbor_array(r, 0, CW_CHAIN_MAX);

	for (size_t i = 0; i < n; i++)
		chain[i] = cw_cbor_bstr(r, 1, CW_CERT_MAX_BYTES);
	cw_cbor_array_end(r);
	return n;
}

enum cw_err
cw_policy_decode(struct cw_bytes in, struct cw_signer_info *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 3, 3);
	out->n_ca = get_chain(&r, out->ca);
	out->n_management = get_chain(&r, out->management);
	out->n_authority = get_chain(&r, out->authority);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

/* The version names chains and profiles by their hash: other contents, another
 * version, whoever forgot to count. */
static enum cw_err
store_policy(struct cw_engine *engine, struct cw_engine_chains *chains)
{
	struct cw_buf content;
	struct cw_bytes parts[2];
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err;

	cw_buf_init(&content, CHAINS_MAX);
	cw_policy_encode(&chains->info, &content);
	err = content.err;
	parts[0] = cw_buf_bytes(&content);
	parts[1] = cw_bytes((const uint8_t *)engine->config->profiles,
	    engine->config->n_profiles * sizeof(engine->config->profiles[0]));
	cw_sha256(parts, 2, hash);
	cw_base16_encode(cw_bytes(hash, CW_POLICY_VERSION_CHARS / 2),
	    chains->version);
	if (err == CW_OK)
		err = engine->store->policy_put(engine->store, chains->version,
		    parts[0]);
	cw_buf_wipe(&content);
	return err;
}

static enum cw_err
ask_chains(struct cw_engine *engine)
{
	struct cw_engine_chains *chains = calloc(1, sizeof(*chains));
	enum cw_err err;

	if (chains == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&chains->memory, CHAINS_MAX);
	err = cw_signer_info(engine->signer, &chains->memory, &chains->info);
	if (err == CW_OK && chains->info.n_ca >= CW_CHAIN_MAX)
		err = CW_ERR_TOO_LARGE;
	if (err == CW_OK)
		err = store_policy(engine, chains);
	if (err == CW_OK)
		engine->chains = chains;
	else
		chains_free(chains);
	return err;
}

enum cw_err
cw_engine_chains(struct cw_engine *engine, const struct cw_engine_chains **out)
{
	enum cw_err err = CW_OK;

	pthread_mutex_lock(&engine->mutex);
	if (engine->chains == NULL)
		err = ask_chains(engine);
	*out = engine->chains;
	pthread_mutex_unlock(&engine->mutex);
	return err;
}

enum cw_err
cw_invitation_check(const struct cw_invitation *invitation, uint64_t now_s)
{
	if (invitation->withdrawn)
		return CW_ERR_BAD_INVITATION;
	if (now_s >= invitation->expires_s)
		return CW_ERR_INVITATION_EXPIRED;
	return CW_OK;
}
