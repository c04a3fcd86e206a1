/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way for leaves of a known issuer, against all that the issuer could
 * have signed: where it says yes, the whole way does.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "proto/x509_openssl.h"
#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

static struct cw_test_cert root, ca, good;

static int
make_all(void **state)
{
	struct cw_test_cert_spec s = cw_test_ca_spec("Root", NULL);

	(void)state;
	cw_test_cert_make(&s, &root);
	s = cw_test_ca_spec("CA", &root);
	cw_test_cert_make(&s, &ca);
	s = cw_test_leaf_spec("Leaf", &ca);
	s.basic_constraints = "CA:FALSE";
	cw_test_cert_make(&s, &good);
	return 0;
}

static int
wipe_all(void **state)
{
	(void)state;
	cw_test_cert_wipe(&root);
	cw_test_cert_wipe(&ca);
	cw_test_cert_wipe(&good);
	return ERR_peek_error() == 0 ? 0 : 1;
}

/* An issuer is chosen by its name. */
static bool
goes_short(struct cw_bytes der)
{
	struct cw_x509_span span = CW_X509_ALWAYS;
	struct cw_x509_leaf parts;
	struct cw_attestation a;
	X509 *issuer = cw_x509_parse(cw_buf_bytes(&ca.der));
	const uint8_t *name;
	size_t len;
	bool accepted = X509_NAME_get0_der(X509_get_subject_name(issuer), &name,
			    &len) == 1 &&
	    cw_x509_leaf_read(der, &parts) &&
	    cw_bytes_equal(parts.issuer, cw_bytes(name, len)) &&
	    cw_x509_leaf_accept(&parts, issuer, CW_TEST_NOW, &span, &a);

	X509_free(issuer);
	ERR_clear_error();
	return accepted;
}

static enum cw_err
whole_way(struct cw_bytes der)
{
	const struct cw_bytes chain[] = { der, cw_buf_bytes(&ca.der) };
	struct cw_trust *trust = cw_trust_new();
	struct cw_attestation a;
	enum cw_err err;

	assert_err(cw_trust_add_root(trust, cw_buf_bytes(&root.der)), CW_OK);
	err = cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, &a);
	cw_trust_free(&trust);
	return err;
}

/* The body of `good`, signed by the CA as it is. */
static void
sign_body(struct cw_bytes body, struct cw_buf *out)
{
	static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, 0x03 };
	uint8_t signature[80];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
			     ca.key),
	    1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len, body.ptr,
			     body.len),
	    1);
	EVP_MD_CTX_free(ctx);
	cw_buf_reset(out);
	cw_buf_put_u8(out, 0x30);
	cw_buf_put_u8(out, 0x82);
	cw_buf_put_u16be(out,
	    (uint16_t)(body.len + sizeof(algorithm) + 2 + len));
	cw_buf_put(out, body);
	cw_buf_put(out, CW_BYTES_ARRAY(algorithm));
	cw_buf_put_u8(out, (uint8_t)(len + 1));
	cw_buf_put_u8(out, 0);
	cw_buf_put(out, cw_bytes(signature, len));
}

static struct cw_bytes
body_of(const struct cw_test_cert *cert)
{
	struct cw_x509_leaf parts;

	assert_true(cw_x509_leaf_read(cw_buf_bytes(&cert->der), &parts));
	return parts.body;
}

/* Whatever stands in the signed part: where the short way says yes, the whole
 * way does. */
static void
no_signed_leaf_goes_the_short_way_alone(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x04, 0x20, 0x80, 0xff };
	uint8_t body[2048];
	struct cw_buf der;
	struct cw_bytes from = body_of(&good);
	size_t n_short = 0;

	(void)state;
	cw_buf_init(&der, 4096);
	memcpy(body, from.ptr, from.len);
	for (size_t at = 0; at < from.len; at++)
		for (size_t k = 0; k < COUNT(flips); k++) {
			body[at] ^= flips[k];
			sign_body(cw_bytes(body, from.len), &der);
			body[at] ^= flips[k];
			if (!goes_short(cw_buf_bytes(&der)))
				continue;
			n_short++;
			if (whole_way(cw_buf_bytes(&der)) != CW_OK)
				fail_msg("byte %zu ^ %02x", at, flips[k]);
		}
	print_message("# %zu still went the short way\n", n_short);
	assert_in_range(n_short, 50, from.len * COUNT(flips) / 2);
	cw_buf_wipe(&der);
}

/* Two bodies: the one that is signed is the one that is read. */
static void
what_is_read_is_what_is_signed(void **state)
{
	struct cw_bytes body = body_of(&good);
	struct cw_buf der;

	(void)state;
	cw_buf_init(&der, 4096);
	sign_body(body, &der);
	assert_true(goes_short(cw_buf_bytes(&der)));
	cw_buf_put(&der, body);
	assert_false(goes_short(cw_buf_bytes(&der)));
	assert_err(whole_way(cw_buf_bytes(&der)), CW_ERR_BAD_CERTIFICATE);
	cw_buf_wipe(&der);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_signed_leaf_goes_the_short_way_alone),
		cmocka_unit_test(what_is_read_is_what_is_signed),
	};

	return cmocka_run_group_tests(tests, make_all, wipe_all);
}
