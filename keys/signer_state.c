/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer reads when it starts. */
#include "keys/signer_state.h"

#include "keys/certmaker.h"
#include "keys/confine.h"
#include "keys/keyfile.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/endorsement.h"

#define CHAIN_BYTES_MAX ((size_t)CW_CHAIN_MAX * CW_CERT_MAX_BYTES)

static enum cw_err
named(enum cw_err err, const char *path)
{
	return err == CW_OK ? CW_OK :
			      cw_log_fail(err, "signer.start", "file=%s", path);
}

static enum cw_err
load_chain(const char *path, struct cw_certs *chain)
{
	cw_buf_init(&chain->memory, CHAIN_BYTES_MAX);
	return named(cw_certfile_load(path, &chain->memory, chain->items,
			 &chain->n),
	    path);
}

/* A key, which must be the one of its chain's first certificate. */
static enum cw_err
load_key(const char *path, struct cw_passphrase *passphrase,
    const struct cw_certs *chain, struct cw_private_key **out)
{
	struct cw_public_key own, certified;
	enum cw_err err = cw_keyfile_load(path, passphrase, out);

	if (err == CW_OK)
		err = cw_cert_public_key(chain->items[0], &certified);
	if (err == CW_OK) {
		cw_key_public(*out, &own);
		if (memcmp(&own, &certified, sizeof(own)) != 0)
			err = CW_ERR_BAD_PRIVATE_KEY;
	}
	return named(err, path);
}

/* One that is not valid now is no reason not to start: there may be something
 * to revoke, and the clock may be wrong. */
static enum cw_err
check_own(struct cw_signer_state *s, const char *path,
    const struct cw_certs *chain, const char *eku, struct cw_own_window *window)
{
	enum cw_err err =
	    cw_own_cert_check(chain->items, chain->n, eku, window);

	if (err == CW_OK &&
	    !cw_own_window_has(window, cw_clock_now_s(&s->clock)))
		cw_log(CW_LOG_WARN, "signer.expired",
		    "file=%s from=%llu to=%llu", path,
		    (unsigned long long)window->from_s,
		    (unsigned long long)window->to_s);
	return named(err, path);
}

static enum cw_err
check_all_own(struct cw_signer_state *s)
{
	const struct cw_config *c = s->config;
	enum cw_err err =
	    check_own(s, c->ca_chain, &s->ca_chain, NULL, &s->ca_window);

	if (err == CW_OK)
		err = check_own(s, c->management_chain, &s->management_chain,
		    CW_OID_EKU_MANAGEMENT, &s->management_window);
	if (err == CW_OK)
		err = check_own(s, c->authority, &s->authority_chain,
		    CW_OID_EKU_AUTHORITY, &s->authority_window);
	return err;
}

static enum cw_err
load_keys(struct cw_signer_state *s)
{
	const struct cw_config *c = s->config;
	struct cw_passphrase passphrase;
	struct cw_passphrase *p = c->passphrase_fd < 0 ? NULL : &passphrase;
	enum cw_err err;

	cw_passphrase_init(&passphrase, c->passphrase_fd);
	err = load_chain(c->ca_chain, &s->ca_chain);
	if (err == CW_OK)
		err = load_chain(c->management_chain, &s->management_chain);
	if (err == CW_OK)
		err = load_chain(c->authority, &s->authority_chain);
	if (err == CW_OK)
		err = load_key(c->ca_key, p, &s->ca_chain, &s->ca);
	if (err == CW_OK)
		err = load_key(c->management_key, p, &s->management_chain,
		    &s->management);
	if (err == CW_OK)
		err = named(cw_cert_public_key(s->authority_chain.items[0],
				&s->authority_public),
		    c->authority);
	cw_passphrase_wipe(&passphrase);
	if (err == CW_OK) {
		cw_key_public(s->management, &s->management_public);
		cw_cose_key_hash(&s->management_public, s->management_hash);
	}
	return err;
}

/* What is verified under these is good under no others. */
static void
add_anchor(struct cw_signer_state *s, struct cw_bytes anchor)
{
	struct cw_bytes parts[] = { CW_BYTES_ARRAY(s->anchors), anchor };

	cw_sha256(parts, 2, s->anchors);
}

static enum cw_err
add_root(void *ctx, struct cw_bytes der)
{
	struct cw_signer_state *s = ctx;

	add_anchor(s, der);
	return cw_trust_add_root(s->vendor, der);
}

static enum cw_err
load_roots(struct cw_signer_state *s)
{
	s->vendor = cw_trust_new();
	if (s->vendor == NULL)
		return CW_ERR_NO_MEMORY;
	add_anchor(s, s->authority_chain.items[0]);
	return named(cw_pem_certificates(s->config->vendor_roots, add_root, s),
	    s->config->vendor_roots);
}

/* Each is an operator's own certificate, for nothing but that. */
static enum cw_err
add_operator(void *ctx, struct cw_bytes der)
{
	struct cw_signer_state *s = ctx;
	enum cw_err err;

	if (s->n_operators == CW_OPERATORS_MAX)
		return CW_ERR_TOO_LARGE;
	err = cw_own_cert_check(&der, 1, CW_OID_EKU_OPERATOR,
	    &s->operator_windows[s->n_operators]);
	if (err == CW_OK)
		err = cw_cert_public_key(der, &s->operators[s->n_operators]);
	s->n_operators += err == CW_OK;
	return err;
}

static enum cw_err
load_operators(struct cw_signer_state *s)
{
	const char *path = s->config->operators;

	return path[0] == '\0' ?
	    CW_OK :
	    named(cw_pem_certificates(path, add_operator, s), path);
}

/* A chain that does not lead to this very management key would make every card
 * and agent refuse: then it does not start. */
static enum cw_err
check_endorsements(struct cw_signer_state *s)
{
	struct cw_request q = { .management_key = s->management_public,
		.n_endorsements = s->n_endorsements };
	struct cw_endorsements chain;
	uint64_t now_s = cw_clock_now_s(&s->clock);
	enum cw_err err;

	memcpy(q.endorsements, s->endorsement, sizeof(s->endorsement));
	err = cw_endorsements_verify(&q, &chain);
	/* Cards go by epochs, so it is still good for them. */
	for (size_t i = 0; err == CW_OK && i < chain.n; i++)
		if (chain.chain[i].not_after_s < now_s)
			cw_log(CW_LOG_WARN, "signer.expired",
			    "file=%s endorsement=%zu to=%llu",
			    s->config->endorsements, i,
			    (unsigned long long)chain.chain[i].not_after_s);
	return err;
}

static enum cw_err
load_endorsements(struct cw_signer_state *s)
{
	const char *path = s->config->endorsements;
	struct cw_cbor_reader r;
	enum cw_err err;

	cw_buf_init(&s->endorsements, CW_REQUEST_MAX);
	if (path[0] == '\0')
		return CW_OK;
	err = cw_file_load(path, &s->endorsements);
	cw_cbor_init(&r, cw_buf_bytes(&s->endorsements));
	while (err == CW_OK && r.pos < r.in.len) {
		if (s->n_endorsements == CW_ENDORSEMENTS_MAX)
			err = CW_ERR_TOO_LARGE;
		else
			s->endorsement[s->n_endorsements++] = cw_cbor_item(&r);
		if (err == CW_OK)
			err = r.err;
	}
	if (err == CW_OK)
		err = s->n_endorsements > 0 ? check_endorsements(s) :
					      CW_ERR_BAD_ENDORSEMENT;
	return named(err, path);
}

static enum cw_err
load_tag_key(struct cw_signer_state *s)
{
	struct cw_buf b;
	enum cw_err err;

	s->tag_key = cw_secret_new(CW_TAG_BYTES);
	if (s->tag_key == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&b, CW_TAG_BYTES);
	err = cw_file_load_own(s->config->tag_key, &b);
	if (err == CW_OK && b.len != CW_TAG_BYTES)
		err = CW_ERR_BAD_PRIVATE_KEY;
	if (err == CW_OK)
		memcpy(s->tag_key, b.ptr, CW_TAG_BYTES);
	cw_buf_wipe(&b);
	return named(err, s->config->tag_key);
}

static enum cw_err
begin_log(struct cw_signer_state *s)
{
	struct cw_record start = { .kind = CW_RECORD_START,
		.time_s = cw_clock_now_s(&s->clock) };
	enum cw_err err;

	memcpy(start.management, s->management_hash, CW_HASH_BYTES);
	cw_hash(s->ca_chain.items[0], start.ca);
	err = cw_signer_log_open(&s->log, s->config->log, s->tag_key);
	if (err == CW_OK)
		err = cw_signer_log_append(&s->log, &start);
	if (err == CW_OK)
		err = cw_signer_log_commit(&s->log);
	return named(err, s->config->log);
}

enum cw_err
cw_signer_state_open(struct cw_signer_state *s, const struct cw_config *config)
{
	enum cw_err err;

	memset(s, 0, sizeof(*s));
	s->config = config;
	s->clock = cw_clock_system();
	s->log.fd = s->log.head_fd = -1;
	cw_buf_init(&s->results, CW_SIGNER_PACKET_MAX - 64);
	cw_buf_init(&s->scratch, CW_SIGNER_PACKET_MAX);
	err = load_keys(s);
	if (err == CW_OK)
		err = check_all_own(s);
	if (err == CW_OK)
		err = load_roots(s);
	if (err == CW_OK)
		err = load_operators(s);
	if (err == CW_OK)
		err = load_endorsements(s);
	if (err == CW_OK)
		err = load_tag_key(s);
	if (err == CW_OK)
		err = cw_issue_new(config, s->ca_chain.items[0], s->ca,
		    &s->issue);
	if (err == CW_OK)
		cw_issue_set_end(s->issue, s->ca_window.to_s);
	/* The log belongs to the user that the signer stays. */
	if (err == CW_OK)
		err = cw_confine_user(config->signer_user,
		    config->management_key);
	if (err == CW_OK)
		err = begin_log(s);
	if (err != CW_OK)
		cw_signer_state_close(s);
	return err;
}

void
cw_signer_state_close(struct cw_signer_state *s)
{
	cw_signer_log_close(&s->log);
	cw_issue_free(&s->issue);
	cw_trust_free(&s->vendor);
	cw_secret_free(&s->tag_key);
	cw_key_free(&s->management);
	cw_key_free(&s->ca);
	cw_buf_wipe(&s->ca_chain.memory);
	cw_buf_wipe(&s->management_chain.memory);
	cw_buf_wipe(&s->authority_chain.memory);
	cw_buf_wipe(&s->endorsements);
	cw_buf_wipe(&s->results);
	cw_buf_wipe(&s->scratch);
}
