/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=4096
 * Certificates of a stranger: the parts of one, and a chain. In a chain each
 * certificate stands behind its length (16 bits, big-endian). A root and a CA
 * of ours are trusted and known, so that the short way is taken too.
 */
#include <openssl/err.h>
#include <stdlib.h>

#include "proto/x509.h"
#include "proto/x509_about.h"
#include "tests/support/cert_maker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cw_trust *trust;
static struct cw_test_cert root, ca;

static void
must(bool truth)
{
	if (!truth)
		abort();
}

static void
start(void)
{
	struct cw_test_cert_spec root_spec = cw_test_ca_spec("Root", NULL);
	struct cw_test_cert_spec ca_spec = cw_test_ca_spec("CA", &root);
	struct cw_test_cert_spec leaf_spec = cw_test_leaf_spec("Leaf", &ca);
	struct cw_test_cert leaf;
	struct cw_attestation a;
	struct cw_bytes chain[2];

	cw_test_cert_make(&root_spec, &root);
	cw_test_cert_make(&ca_spec, &ca);
	cw_test_cert_make(&leaf_spec, &leaf);
	chain[0] = cw_buf_bytes(&leaf.der);
	chain[1] = cw_buf_bytes(&ca.der);
	trust = cw_trust_new();
	must(trust != NULL &&
	    cw_trust_add_root(trust, cw_buf_bytes(&root.der)) == CW_OK &&
	    cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, &a) ==
		CW_OK);
	cw_test_cert_wipe(&leaf);
}

/* What can be read out of one certificate is in its bounds. */
static void
parts(struct cw_bytes der)
{
	struct cw_public_key key;
	uint8_t serial[CW_SERIAL_MAX];
	char text[256];
	size_t len = 0;
	struct cw_cert_about about;
	struct cw_buf spki;

	cw_buf_init(&spki, 1000);
	if (cw_cert_public_key(der, &key) == CW_OK)
		must(cw_public_key_spki(&key, &spki) == CW_OK);
	if (cw_cert_serial(der, serial, &len) == CW_OK)
		must(len >= 1 && len <= CW_SERIAL_MAX);
	if (cw_cert_subject(der, text, sizeof(text)) == CW_OK)
		must(memchr(text, '\0', sizeof(text)) != NULL);
	if (cw_cert_about(der, &about) == CW_OK)
		must(memchr(about.subject.name, '\0',
			 sizeof(about.subject.name)) != NULL &&
		    about.not_before_s <= about.not_after_s);
	cw_buf_wipe(&spki);
}

/* Nobody can make a leaf of our CA. */
static void
chains(struct cw_bytes in)
{
	struct cw_bytes chain[CW_CHAIN_MAX + 2];
	struct cw_attestation a;
	struct cw_public_key key;
	size_t n = 0;

	while (in.len >= 2 && n < CW_CHAIN_MAX) {
		size_t len = (size_t)in.ptr[0] << 8 | in.ptr[1];

		len = len > in.len - 2 ? in.len - 2 : len;
		chain[n++] = cw_bytes(in.ptr + 2, len);
		in = cw_bytes(in.ptr + 2 + len, in.len - 2 - len);
	}
	must(cw_trust_check_attestation(trust, chain, n, CW_TEST_NOW, &a) !=
	    CW_OK);
	must(cw_trust_check(trust, chain, n, CW_TEST_NOW, NULL, &key) != CW_OK);
	chain[1] = cw_buf_bytes(&ca.der);
	must(n == 0 ||
	    cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, &a) !=
		CW_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (trust == NULL)
		start();
	parts(cw_bytes(data, size));
	if (size > 2) /* the same bytes, as seeds for the other reading */
		parts(cw_bytes(data + 2, size - 2));
	chains(cw_bytes(data, size));
	must(ERR_peek_error() == 0);
	return 0;
}
