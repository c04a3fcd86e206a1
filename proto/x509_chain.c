/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains. OpenSSL's X509_verify_cert decides (RFC 5280 6), on top of the rules
 * of x509_rules.c; what was decided is remembered (x509_memory.c): whole chains,
 * as a batch's leaf is shared by 100,000 cards, and what is above a leaf, so
 * that another leaf of a known issuer costs one verification (x509_short.c).
 * The short way says only yes: whatever it does not accept goes the whole way
 * and gets its error there.
 *
 * Measured, two certificates of P-256 below a root: the whole way 560 us, of
 * which the parses by d2i_X509 are the greater part; another leaf of a known
 * issuer 68, nearly all of it for the signature; a known chain 1.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "proto/x509_memory.h"
#include "proto/x509_openssl.h"

#define AUTH_LEVEL 2 /* 112 bits for every key; refuses MD5 and SHA-1 */
#define LAST_SECOND 253402300799 /* of the year 9999 (RFC 5280 4.1.2.5) */

struct cw_trust {
	X509_STORE *roots; /* locks itself */
	struct cw_x509_memory memory;
};

struct cw_trust *
cw_trust_new(void)
{
	struct cw_trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL)
		return NULL;
	trust->roots = X509_STORE_new();
	cw_x509_memory_init(&trust->memory);
	if (trust->roots == NULL)
		cw_trust_free(&trust);
	return trust;
}

void
cw_trust_free(struct cw_trust **trust)
{
	if (*trust == NULL)
		return;
	cw_x509_memory_wipe(&(*trust)->memory);
	X509_STORE_free((*trust)->roots);
	free(*trust);
	*trust = NULL;
}

enum cw_err
cw_trust_add_root(struct cw_trust *trust, struct cw_bytes der)
{
	X509 *cert = cw_x509_parse(der);
	enum cw_err err = CW_OK;

	if (cert == NULL)
		return CW_ERR_BAD_CERTIFICATE;
	if (X509_STORE_add_cert(trust->roots, cert) != 1) {
		ERR_clear_error();
		err = CW_ERR_NO_MEMORY;
	}
	X509_free(cert); /* the store has its own reference */
	return err;
}

/* ---- the whole way ---- */

static enum cw_err
verify_error(int code)
{
	static const struct {
		int code;
		enum cw_err err;
	} table[] = {
		{ X509_V_ERR_CERT_HAS_EXPIRED, CW_ERR_EXPIRED_CERTIFICATE },
		{ X509_V_ERR_CERT_NOT_YET_VALID, CW_ERR_EXPIRED_CERTIFICATE },
		{ X509_V_ERR_CERT_SIGNATURE_FAILURE, CW_ERR_BAD_SIGNATURE },
		{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE,
		    CW_ERR_BAD_SIGNATURE },
		{ X509_V_ERR_INVALID_CA, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_PATH_LENGTH_EXCEEDED, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION,
		    CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_CA_MD_TOO_WEAK, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_CA_KEY_TOO_SMALL, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_EE_KEY_TOO_SMALL, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_INVALID_EXTENSION, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_INVALID_NON_CA, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_PERMITTED_VIOLATION, CW_ERR_BAD_CONSTRAINTS },
		{ X509_V_ERR_EXCLUDED_VIOLATION, CW_ERR_BAD_CONSTRAINTS },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].err;
	return CW_ERR_UNTRUSTED_CHAIN;
}

/* What OpenSSL leaves open. It also looks for the issuers in any order and
 * passes over what it does not need; see same_chain. */
static enum cw_err
check_rules(STACK_OF(X509) * certs, const char *eku)
{
	for (int i = 0; i < sk_X509_num(certs); i++)
		if (!cw_x509_algorithm_allowed(
			X509_get_signature_nid(sk_X509_value(certs, i))))
			return CW_ERR_UNKNOWN_ALGORITHM;
	for (int i = 1; i < sk_X509_num(certs); i++)
		if (!cw_x509_may_issue(sk_X509_value(certs, i), eku != NULL))
			return CW_ERR_BAD_CONSTRAINTS;
	return cw_x509_leaf_usable(sk_X509_value(certs, 0), eku) ?
	    CW_OK :
	    CW_ERR_BAD_CONSTRAINTS;
}

/* The chain that was found is the one given, and a root. */
static bool
same_chain(STACK_OF(X509) * built, STACK_OF(X509) * certs)
{
	int n = sk_X509_num(certs);
	bool same = sk_X509_num(built) == n + 1;

	for (int i = 0; same && i < n; i++)
		same = X509_cmp(sk_X509_value(built, i),
			   sk_X509_value(certs, i)) == 0;
	return same;
}

/* Verifies certs[0]; gives the chain that was found, root last. */
static enum cw_err
verify(struct cw_trust *trust, STACK_OF(X509) * certs, time_t now,
    const char *eku, STACK_OF(X509) * *built)
{
	X509_STORE_CTX *ctx = NULL;
	enum cw_err err = check_rules(certs, eku);
	X509_VERIFY_PARAM *param;

	if (err != CW_OK)
		return err;
	err = CW_ERR_NO_MEMORY;
	ctx = X509_STORE_CTX_new();
	if (ctx == NULL ||
	    X509_STORE_CTX_init(ctx, trust->roots, sk_X509_value(certs, 0),
		certs) != 1)
		goto out;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, now);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, CW_CHAIN_MAX);
	if (X509_verify_cert(ctx) != 1) {
		err = verify_error(X509_STORE_CTX_get_error(ctx));
		goto out;
	}
	*built = X509_STORE_CTX_get1_chain(ctx);
	if (*built != NULL)
		err =
		    same_chain(*built, certs) ? CW_OK : CW_ERR_UNTRUSTED_CHAIN;
out:
	X509_STORE_CTX_free(ctx);
	return err;
}

static enum cw_err
parse_chain(const struct cw_bytes *chain, size_t n, STACK_OF(X509) * *out)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	enum cw_err err = certs == NULL ? CW_ERR_NO_MEMORY : CW_OK;

	for (size_t i = 0; err == CW_OK && i < n; i++) {
		X509 *cert = cw_x509_parse(chain[i]);

		if (cert == NULL) {
			err = CW_ERR_BAD_CERTIFICATE;
		} else if (sk_X509_push(certs, cert) <= 0) {
			X509_free(cert);
			err = CW_ERR_NO_MEMORY;
		}
	}
	*out = certs;
	return err;
}

/* A number of certificates and a time that the rest need not ask about. */
static enum cw_err
check_bounds(size_t n, uint64_t now_s)
{
	if (n == 0 || n > CW_CHAIN_MAX)
		return CW_ERR_UNTRUSTED_CHAIN;
	return now_s > LAST_SECOND ? CW_ERR_EXPIRED_CERTIFICATE : CW_OK;
}

enum cw_err
cw_trust_check(struct cw_trust *trust, const struct cw_bytes *chain, size_t n,
    uint64_t now_s, const char *eku, struct cw_public_key *leaf_key)
{
	STACK_OF(X509) *certs = NULL;
	STACK_OF(X509) *built = NULL;
	enum cw_err err = check_bounds(n, now_s);

	memset(leaf_key, 0, sizeof(*leaf_key));
	if (err == CW_OK)
		err = parse_chain(chain, n, &certs);
	if (err == CW_OK)
		err = verify(trust, certs, (time_t)now_s, eku, &built);
	if (err == CW_OK)
		err = cw_x509_public_key(sk_X509_value(certs, 0), leaf_key);
	if (err == CW_OK)
		err = cw_public_key_check(leaf_key);
	if (err != CW_OK)
		memset(leaf_key, 0, sizeof(*leaf_key));
	sk_X509_pop_free(built, X509_free);
	sk_X509_pop_free(certs, X509_free);
	ERR_clear_error();
	return err;
}

/* ---- attestation ---- */

static bool
narrow(const X509 *cert, struct cw_x509_span *span)
{
	return cw_x509_narrow(X509_get0_notBefore(cert),
	    X509_get0_notAfter(cert), span);
}

/* True only if everything is as it should be. */
static bool
short_way(struct cw_trust *trust, struct cw_bytes der,
    const uint8_t above[CW_HASH_BYTES], time_t now, struct cw_x509_span *span,
    struct cw_attestation *out)
{
	struct cw_x509_leaf leaf;
	X509 *issuer = NULL;
	bool accepted = false;

	if (cw_x509_leaf_read(der, &leaf))
		issuer = cw_x509_recall_issuer(&trust->memory, above,
		    leaf.issuer, now, span);
	if (issuer != NULL)
		accepted = cw_x509_leaf_accept(&leaf, issuer, now, span, out);
	X509_free(issuer);
	return accepted;
}

/* What the leaf says. Its key must be able to sign statements. */
static enum cw_err
describe(X509 *leaf, struct cw_bytes der, struct cw_attestation *out)
{
	enum cw_err err = cw_x509_attestation(leaf, out);

	if (err == CW_OK)
		err = cw_x509_public_key(leaf, &out->key);
	if (err == CW_OK)
		err = cw_public_key_check(&out->key);
	if (err == CW_OK && cw_key_type_info(out->key.type)->alg == CW_ALG_NONE)
		err = CW_ERR_BAD_CONSTRAINTS;
	cw_hash(der, out->leaf_hash);
	return err;
}

/* What is above the leaf is remembered, whatever the leaf then says. */
static enum cw_err
verify_leaf(struct cw_trust *trust, STACK_OF(X509) * certs, time_t now,
    const uint8_t above[CW_HASH_BYTES], struct cw_x509_span *span)
{
	STACK_OF(X509) *built = NULL;
	enum cw_err err =
	    verify(trust, certs, now, CW_OID_EKU_ATTESTATION, &built);
	bool restricted = false;

	*span = CW_X509_ALWAYS;
	for (int i = 1; err == CW_OK && i < sk_X509_num(built); i++) {
		X509 *cert = sk_X509_value(built, i);

		if (!narrow(cert, span))
			err = CW_ERR_BAD_CERTIFICATE;
		restricted |= cw_x509_restricts_below(cert);
	}
	/* The short way knows no restrictions of names. */
	if (err == CW_OK && !restricted)
		cw_x509_remember_issuer(&trust->memory, above,
		    sk_X509_value(built, 1), span);
	if (err == CW_OK && !narrow(sk_X509_value(certs, 0), span))
		err = CW_ERR_BAD_CERTIFICATE;
	sk_X509_pop_free(built, X509_free);
	return err;
}

static enum cw_err
whole_way(struct cw_trust *trust, const struct cw_bytes *chain, size_t n,
    const uint8_t above[CW_HASH_BYTES], time_t now, struct cw_x509_span *span,
    struct cw_attestation *out)
{
	STACK_OF(X509) *certs = NULL;
	enum cw_err err = parse_chain(chain, n, &certs);

	if (err == CW_OK)
		err = verify_leaf(trust, certs, now, above, span);
	memset(out, 0, sizeof(*out)); /* of what the short way began */
	if (err == CW_OK)
		err = describe(sk_X509_value(certs, 0), chain[0], out);
	sk_X509_pop_free(certs, X509_free);
	return err;
}

enum cw_err
cw_trust_check_attestation(struct cw_trust *trust, const struct cw_bytes *chain,
    size_t n, uint64_t now_s, struct cw_attestation *out)
{
	uint8_t whole[CW_HASH_BYTES];
	uint8_t above[CW_HASH_BYTES];
	struct cw_x509_span span = CW_X509_ALWAYS;
	time_t now = (time_t)now_s;
	enum cw_err err = check_bounds(n, now_s);

	memset(out, 0, sizeof(*out));
	if (err != CW_OK)
		return err;
	cw_x509_chain_hash(chain, n, whole);
	if (cw_x509_recall_chain(&trust->memory, whole, now, out))
		return CW_OK;
	cw_x509_chain_hash(chain + 1, n - 1, above);
	if (!short_way(trust, chain[0], above, now, &span, out))
		err = whole_way(trust, chain, n, above, now, &span, out);
	if (err == CW_OK)
		cw_x509_remember_chain(&trust->memory, whole, out, &span);
	else
		memset(out, 0, sizeof(*out));
	ERR_clear_error();
	return err;
}
