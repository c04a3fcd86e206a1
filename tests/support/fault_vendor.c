/* SPDX-License-Identifier: Apache-2.0 */
/* Chains below the root of a development tree. */
#include "tests/support/fault_vendor.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/card_link.h"

static void
must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "fault_vendor: %s\n", what);
	abort();
}

static FILE *
open_file(const struct cw_daemon *s, const char *name)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	f = fopen(path, "re");
	must(f != NULL, path);
	return f;
}

/* {0: 2, 1: model} in an OCTET STRING: a batch key of the reference card. */
static const uint8_t attestation[] = "\x04\x1f\xa2\x00\x02\x01\x78\x19"
				     "Cardwright reference card";

static void
hold_now(struct cw_test_cert_spec *spec)
{
	int64_t now = (int64_t)time(NULL) - CW_TEST_NOW;

	spec->from = now - CW_TEST_DAY;
	spec->to = now + 100 * CW_TEST_DAY;
}

void
cw_fault_chain_init(struct cw_fault_chain *chain, const struct cw_daemon *s)
{
	FILE *key = open_file(s, "vendor-root.key");
	FILE *cert = open_file(s, "vendor-root.pem");

	memset(chain, 0, sizeof(*chain));
	chain->root.key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
	chain->root.cert = PEM_read_X509(cert, NULL, NULL, NULL);
	must(chain->root.key != NULL && chain->root.cert != NULL, "root");
	fclose(key);
	fclose(cert);
	chain->ca_spec = cw_test_ca_spec("Test batch CA", &chain->root);
	chain->leaf_spec = cw_test_leaf_spec("Test batch", &chain->ca);
	chain->leaf_spec.attestation =
	    cw_bytes(attestation, sizeof(attestation) - 1);
	hold_now(&chain->ca_spec);
	hold_now(&chain->leaf_spec);
}

static void export(EVP_PKEY *key, struct cw_buf *out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	int len = i2d_PKCS8_PRIV_KEY_INFO(info, NULL);
	uint8_t *at = cw_buf_extend(out, (size_t)len);

	must(at != NULL && i2d_PKCS8_PRIV_KEY_INFO(info, &at) == len, "key");
	PKCS8_PRIV_KEY_INFO_free(info);
}

void
cw_fault_chain_make(struct cw_fault_chain *chain, const struct cw_daemon *s,
    struct cw_buf *personalisation)
{
	struct cw_personalisation p;
	struct cw_buf key;

	cw_test_cert_make(&chain->ca_spec, &chain->ca);
	cw_test_cert_make(&chain->leaf_spec, &chain->leaf);
	must(cw_personalisation_decode(cw_buf_bytes(&s->personalisation), &p) ==
		CW_OK,
	    "personalisation");
	cw_buf_init(&key, 8192);
	export(chain->leaf.key, &key);
	p.batch_key = cw_buf_bytes(&key);
	p.n_batch_chain = 2;
	p.batch_chain[0] = cw_buf_bytes(&chain->leaf.der);
	p.batch_chain[1] = cw_buf_bytes(&chain->ca.der);
	cw_personalisation_encode(&p, personalisation);
	must(personalisation->err == CW_OK, "personalisation");
	cw_buf_wipe(&key);
}

void
cw_fault_chain_wipe(struct cw_fault_chain *chain)
{
	cw_test_cert_wipe(&chain->root);
	cw_test_cert_wipe(&chain->ca);
	cw_test_cert_wipe(&chain->leaf);
}
