/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains. OpenSSL's X509_verify_cert decides (RFC 5280 6); what it decided is
 * remembered in two bounded tables: whole chains (the leaf of a batch is shared
 * by 100,000 cards) and the part above a leaf, so that a new leaf of a known
 * issuer costs one parse and one verification. The short way says only yes:
 * whatever it does not accept goes the whole way and gets its error there.
 */
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "proto/cbor.h"
#include "proto/x509_openssl.h"

#define REMEMBERED 64
#define SECURITY_BITS 112 /* refuses MD5 and SHA-1 signatures */

/* An attestation chain that was accepted, and until when it may be again. */
struct known_chain {
	uint8_t hash[CW_HASH_BYTES];
	struct cw_attestation attestation;
	time_t from, to;
	bool used;
};

/* The certificates above a leaf that were accepted. */
struct known_issuer {
	uint8_t hash[CW_HASH_BYTES];
	X509 *issuer;
	time_t from, to;
};

struct cw_trust {
	pthread_mutex_t lock;
	X509_STORE *roots;
	STACK_OF(X509) * root_list;
	struct known_chain chains[REMEMBERED];
	struct known_issuer issuers[REMEMBERED];
	size_t next_chain, next_issuer;
};

struct cw_trust *
cw_trust_new(void)
{
	struct cw_trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL)
		return NULL;
	pthread_mutex_init(&trust->lock, NULL);
	trust->roots = X509_STORE_new();
	trust->root_list = sk_X509_new_null();
	if (trust->roots == NULL || trust->root_list == NULL)
		cw_trust_free(&trust);
	return trust;
}

void
cw_trust_free(struct cw_trust **trust)
{
	struct cw_trust *t = *trust;

	if (t == NULL)
		return;
	for (size_t i = 0; i < REMEMBERED; i++)
		X509_free(t->issuers[i].issuer);
	sk_X509_pop_free(t->root_list, X509_free);
	X509_STORE_free(t->roots);
	pthread_mutex_destroy(&t->lock);
	free(t);
	*trust = NULL;
}

enum cw_err
cw_trust_add_root(struct cw_trust *trust, struct cw_bytes der)
{
	X509 *cert = cw_x509_parse(der);

	if (cert == NULL)
		return CW_ERR_BAD_CERTIFICATE;
	if (X509_STORE_add_cert(trust->roots, cert) != 1 ||
	    sk_X509_push(trust->root_list, cert) <= 0) {
		X509_free(cert);
		return CW_ERR_NO_MEMORY;
	}
	return CW_OK;
}

/* ---- the leaf ---- */

static bool
has_eku(X509 *cert, const char *dotted)
{
	EXTENDED_KEY_USAGE *eku =
	    X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	ASN1_OBJECT *wanted = OBJ_txt2obj(dotted, 1);
	bool found = false;

	for (int i = 0; wanted != NULL && i < sk_ASN1_OBJECT_num(eku); i++)
		found |= OBJ_cmp(sk_ASN1_OBJECT_value(eku, i), wanted) == 0;
	ASN1_OBJECT_free(wanted);
	EXTENDED_KEY_USAGE_free(eku);
	return found;
}

/* RFC 5280 4.2: version 3, no CA, may sign, nothing critical that is unknown. */
static bool
leaf_is_usable(X509 *leaf, const char *eku)
{
	uint32_t flags = X509_get_extension_flags(leaf);

	return X509_get_version(leaf) == X509_VERSION_3 &&
	    (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL | EXFLAG_CA)) == 0 &&
	    (flags & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0 &&
	    (eku == NULL || has_eku(leaf, eku));
}

/* Contents of CW_OID_ATTESTATION: OCTET STRING of {0: kind, 1: model}. */
static enum cw_err
read_attestation(X509 *leaf, struct cw_attestation *out)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(CW_OID_ATTESTATION, 1);
	int at = oid == NULL ? -1 : X509_get_ext_by_OBJ(leaf, oid, -1);
	const ASN1_OCTET_STRING *raw =
	    at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(leaf, at));
	const uint8_t *p = raw == NULL ? NULL : ASN1_STRING_get0_data(raw);
	ASN1_OCTET_STRING *inner = p == NULL ?
	    NULL :
	    d2i_ASN1_OCTET_STRING(NULL, &p, ASN1_STRING_length(raw));
	struct cw_cbor_reader r;
	struct cw_bytes model;
	enum cw_err err = CW_ERR_BAD_CONSTRAINTS;

	ASN1_OBJECT_free(oid);
	if (inner == NULL)
		return err;
	cw_cbor_init(&r,
	    cw_bytes(ASN1_STRING_get0_data(inner),
		(size_t)ASN1_STRING_length(inner)));
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	out->kind = cw_cbor_u32(&r, 1, CW_ATTESTATION_BATCH);
	cw_cbor_key(&r, 1);
	model = cw_cbor_tstr(&r, 1, sizeof(out->model) - 1);
	cw_cbor_map_end(&r);
	if (cw_cbor_finish(&r) == CW_OK &&
	    memchr(model.ptr, '\0', model.len) == NULL) {
		memcpy(out->model, model.ptr, model.len);
		out->model[model.len] = '\0';
		err = CW_OK;
	}
	ASN1_OCTET_STRING_free(inner);
	return err;
}

/* ---- validity ---- */

static bool
to_time(const ASN1_TIME *t, time_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

/* Narrows from..to by the certificate's validity. */
static bool
narrow(const X509 *cert, time_t *from, time_t *to)
{
	time_t a;
	time_t b;

	if (!to_time(X509_get0_notBefore(cert), &a) ||
	    !to_time(X509_get0_notAfter(cert), &b))
		return false;
	*from = a > *from ? a : *from;
	*to = b < *to ? b : *to;
	return true;
}

static bool
within(time_t now, time_t from, time_t to)
{
	return now >= from && now <= to;
}

/* ---- the whole way ---- */

static enum cw_err
verify_error(int code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CW_ERR_EXPIRED_CERTIFICATE;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
		return CW_ERR_BAD_SIGNATURE;
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
	case X509_V_ERR_CA_MD_TOO_WEAK:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_INVALID_EXTENSION:
	case X509_V_ERR_INVALID_NON_CA:
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return CW_ERR_BAD_CONSTRAINTS;
	default:
		return CW_ERR_UNTRUSTED_CHAIN;
	}
}

/* Verifies certs[0]; gives the chain that was found, root last. */
static enum cw_err
verify(struct cw_trust *trust, STACK_OF(X509) * certs, uint64_t now_s,
    STACK_OF(X509) * *built)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum cw_err err = CW_ERR_NO_MEMORY;
	X509_VERIFY_PARAM *param;

	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, trust->roots, sk_X509_value(certs, 0),
		certs) != 1)
		goto out;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now_s);
	X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits */
	X509_VERIFY_PARAM_set_depth(param, CW_CHAIN_MAX);
	err = X509_verify_cert(ctx) == 1 ?
	    CW_OK :
	    verify_error(X509_STORE_CTX_get_error(ctx));
	if (err == CW_OK) {
		*built = X509_STORE_CTX_get1_chain(ctx);
		err = *built == NULL ? CW_ERR_NO_MEMORY : CW_OK;
	}
out:
	X509_STORE_CTX_free(ctx);
	return err;
}

static enum cw_err
parse_chain(const struct cw_bytes *chain, size_t n, STACK_OF(X509) * *out)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	enum cw_err err = certs == NULL ? CW_ERR_NO_MEMORY :
	    n == 0 || n > CW_CHAIN_MAX  ? CW_ERR_UNTRUSTED_CHAIN :
					  CW_OK;

	for (size_t i = 0; err == CW_OK && i < n; i++) {
		X509 *cert = cw_x509_parse(chain[i]);

		if (cert == NULL)
			err = CW_ERR_BAD_CERTIFICATE;
		else if (sk_X509_push(certs, cert) <= 0)
			err = CW_ERR_NO_MEMORY;
	}
	*out = certs;
	return err;
}

/* ---- what is remembered ---- */

/* H over the hash of each, so that where one ends is part of it. */
static void
hash_certs(const struct cw_bytes *chain, size_t n, uint8_t out[CW_HASH_BYTES])
{
	uint8_t hashes[CW_CHAIN_MAX][CW_HASH_BYTES];

	for (size_t i = 0; i < n; i++)
		cw_hash(chain[i], hashes[i]);
	cw_hash(cw_bytes(hashes[0], n * CW_HASH_BYTES), out);
}

static bool
recall_chain(struct cw_trust *trust, const uint8_t hash[CW_HASH_BYTES],
    time_t now, struct cw_attestation *out)
{
	bool found = false;

	pthread_mutex_lock(&trust->lock);
	for (size_t i = 0; i < REMEMBERED && !found; i++) {
		const struct known_chain *k = &trust->chains[i];

		found = k->used && memcmp(k->hash, hash, CW_HASH_BYTES) == 0 &&
		    within(now, k->from, k->to);
		if (found)
			*out = k->attestation;
	}
	pthread_mutex_unlock(&trust->lock);
	return found;
}

static X509 *
recall_issuer(struct cw_trust *trust, const uint8_t hash[CW_HASH_BYTES],
    time_t now, time_t *from, time_t *to)
{
	X509 *issuer = NULL;

	pthread_mutex_lock(&trust->lock);
	for (size_t i = 0; i < REMEMBERED && issuer == NULL; i++) {
		struct known_issuer *k = &trust->issuers[i];

		if (k->issuer == NULL || !within(now, k->from, k->to) ||
		    memcmp(k->hash, hash, CW_HASH_BYTES) != 0)
			continue;
		issuer = k->issuer;
		X509_up_ref(issuer);
		*from = k->from;
		*to = k->to;
	}
	pthread_mutex_unlock(&trust->lock);
	return issuer;
}

static void
remember_chain(struct cw_trust *trust, const uint8_t hash[CW_HASH_BYTES],
    const struct cw_attestation *attestation, time_t from, time_t to)
{
	struct known_chain *k;

	/* A card's own leaf comes once in a while; a batch's with every card. */
	if (attestation->kind != CW_ATTESTATION_BATCH)
		return;
	pthread_mutex_lock(&trust->lock);
	k = &trust->chains[trust->next_chain++ % REMEMBERED];
	memcpy(k->hash, hash, CW_HASH_BYTES);
	k->attestation = *attestation;
	k->from = from;
	k->to = to;
	k->used = true;
	pthread_mutex_unlock(&trust->lock);
}

static void
remember_issuer(struct cw_trust *trust, const uint8_t hash[CW_HASH_BYTES],
    X509 *issuer, time_t from, time_t to)
{
	struct known_issuer *k;

	pthread_mutex_lock(&trust->lock);
	k = &trust->issuers[trust->next_issuer++ % REMEMBERED];
	X509_free(k->issuer);
	X509_up_ref(issuer);
	k->issuer = issuer;
	memcpy(k->hash, hash, CW_HASH_BYTES);
	k->from = from;
	k->to = to;
	pthread_mutex_unlock(&trust->lock);
}

/* ---- attestation ---- */

static bool
signature_is_strong(X509 *cert)
{
	int bits = 0;

	return X509_get_signature_info(cert, NULL, NULL, &bits, NULL) == 1 &&
	    bits >= SECURITY_BITS;
}

/* The short way: true only if everything is as it should be. */
static bool
accept_leaf(X509 *leaf, X509 *issuer, time_t now, time_t *from, time_t *to)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return leaf_is_usable(leaf, CW_OID_EKU_ATTESTATION) &&
	    X509_check_issued(issuer, leaf) == X509_V_OK &&
	    signature_is_strong(leaf) && narrow(leaf, from, to) &&
	    within(now, *from, *to) && X509_verify(leaf, key) == 1;
}

static enum cw_err
whole_way(struct cw_trust *trust, STACK_OF(X509) * certs, uint64_t now_s,
    const uint8_t above[CW_HASH_BYTES], time_t *from, time_t *to)
{
	STACK_OF(X509) *built = NULL;
	enum cw_err err = verify(trust, certs, now_s, &built);

	if (err == CW_OK &&
	    !leaf_is_usable(sk_X509_value(certs, 0), CW_OID_EKU_ATTESTATION))
		err = CW_ERR_BAD_CONSTRAINTS;
	for (int i = 1; err == CW_OK && i < sk_X509_num(built); i++)
		if (!narrow(sk_X509_value(built, i), from, to))
			err = CW_ERR_BAD_CERTIFICATE;
	if (err == CW_OK && sk_X509_num(built) > 1)
		remember_issuer(trust, above, sk_X509_value(built, 1), *from,
		    *to);
	if (err == CW_OK && !narrow(sk_X509_value(certs, 0), from, to))
		err = CW_ERR_BAD_CERTIFICATE;
	sk_X509_pop_free(built, X509_free);
	return err;
}

static enum cw_err
describe(X509 *leaf, struct cw_bytes der, struct cw_attestation *out)
{
	enum cw_err err = read_attestation(leaf, out);

	if (err == CW_OK)
		err = cw_x509_public_key(leaf, &out->key);
	if (err == CW_OK && cw_key_type_info(out->key.type)->alg == CW_ALG_NONE)
		err = CW_ERR_BAD_CONSTRAINTS;
	cw_hash(der, out->leaf_hash);
	return err;
}

enum cw_err
cw_trust_check_attestation(struct cw_trust *trust, const struct cw_bytes *chain,
    size_t n, uint64_t now_s, struct cw_attestation *out)
{
	uint8_t whole[CW_HASH_BYTES];
	uint8_t above[CW_HASH_BYTES];
	STACK_OF(X509) *certs = NULL;
	time_t now = (time_t)now_s;
	time_t from = 0;
	time_t to = INT64_MAX;
	X509 *issuer = NULL;
	X509 *leaf = NULL;
	enum cw_err err = CW_OK;

	memset(out, 0, sizeof(*out));
	if (n == 0 || n > CW_CHAIN_MAX)
		return CW_ERR_UNTRUSTED_CHAIN;
	hash_certs(chain, n, whole);
	if (recall_chain(trust, whole, now, out))
		return CW_OK;
	hash_certs(chain + 1, n - 1, above);
	issuer = recall_issuer(trust, above, now, &from, &to);
	leaf = cw_x509_parse(chain[0]);
	if (leaf == NULL) {
		err = CW_ERR_BAD_CERTIFICATE;
	} else if (issuer == NULL ||
	    !accept_leaf(leaf, issuer, now, &from, &to)) {
		from = 0;
		to = INT64_MAX;
		err = parse_chain(chain, n, &certs);
		if (err == CW_OK)
			err = whole_way(trust, certs, now_s, above, &from, &to);
	}
	if (err == CW_OK)
		err = describe(leaf, chain[0], out);
	if (err == CW_OK)
		remember_chain(trust, whole, out, from, to);
	sk_X509_pop_free(certs, X509_free);
	X509_free(issuer);
	X509_free(leaf);
	return err;
}

enum cw_err
cw_trust_check(struct cw_trust *trust, const struct cw_bytes *chain, size_t n,
    uint64_t now_s, const char *eku, struct cw_public_key *leaf_key)
{
	STACK_OF(X509) *certs = NULL;
	STACK_OF(X509) *built = NULL;
	enum cw_err err = parse_chain(chain, n, &certs);

	if (err == CW_OK)
		err = verify(trust, certs, now_s, &built);
	if (err == CW_OK && eku != NULL &&
	    !leaf_is_usable(sk_X509_value(certs, 0), eku))
		err = CW_ERR_BAD_CONSTRAINTS;
	if (err == CW_OK)
		err = cw_x509_public_key(sk_X509_value(certs, 0), leaf_key);
	sk_X509_pop_free(built, X509_free);
	sk_X509_pop_free(certs, X509_free);
	return err;
}
