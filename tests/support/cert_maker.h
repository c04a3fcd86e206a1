/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates of every kind, right and wrong, for tests of those who check
 * them: independent of the product's own maker in keys/. Failures abort the
 * test.
 */
#ifndef CW_TESTS_CERT_MAKER_H
#define CW_TESTS_CERT_MAKER_H

#include <openssl/x509.h>

#include "proto/base/buf.h"

/* 2025-06-15T08:00:00Z: when tests happen. */
#define CW_TEST_NOW 1749974400
#define CW_TEST_DAY 86400

struct cw_test_cert {
	EVP_PKEY *key;
	X509 *cert;
	struct cw_buf der;
};

/* NULL and 0 mean: none, or what is usual. */
struct cw_test_cert_spec {
	const char *subject; /* common name */
	const char *key;     /* "P-256", "P-521", "RSA-2048", "Ed25519", … */
	const struct cw_test_cert *issuer; /* NULL: self-signed */
	const char *issuer_name;           /* another than its subject */
	const char *digest;                /* "SHA256" */
	int version;                       /* 3 */
	const char *basic_constraints;     /* in OpenSSL's notation */
	const char *key_usage;
	const char *eku;
	const char *name_constraints;
	const char *email;            /* in subjectAltName */
	const char *unknown_critical; /* dotted OID of such an extension */
	struct cw_bytes attestation;  /* value of CW_OID_ATTESTATION */
	bool attestation_twice;
	int64_t from, to; /* seconds from now; a day before, 100 days after */
	bool damage;      /* the signature is over something else */
};

void cw_test_cert_make(const struct cw_test_cert_spec *spec,
    struct cw_test_cert *out);
void cw_test_cert_wipe(struct cw_test_cert *cert);

/* The usual root and CA; `subject` and `issuer` are the caller's. */
struct cw_test_cert_spec cw_test_ca_spec(const char *subject,
    const struct cw_test_cert *issuer);

/* An attestation leaf of a batch of model "Model T". */
struct cw_test_cert_spec cw_test_leaf_spec(const char *subject,
    const struct cw_test_cert *issuer);

/* A key by the name of its type. */
EVP_PKEY *cw_test_evp_key(const char *type);

#endif
