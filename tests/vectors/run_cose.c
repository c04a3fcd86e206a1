/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: run_cose FILE...
 * The COSE working group's examples. The protocol narrows COSE (a typ header,
 * empty unprotected headers, no tags), so its decoders must refuse all of them;
 * what is compared are the pieces underneath: the reader, Sig_structure and
 * Enc_structure, signatures and AEAD. COSE_Sign and COSE_Encrypt are not part
 * of the product, but sign and encrypt with the same pieces. A case whose name
 * says "fail" must be rejected. What the product does not have is skipped, with
 * the reason.
 */
#include <stdio.h>

#include "tests/support/cose_case.h"

static unsigned tests;
static unsigned failures;

static void
report(const struct cose_case *c, bool ok, const char *sentence)
{
	tests++;
	failures += ok ? 0 : 1;
	printf("%s %u - %s: %s\n", ok ? "ok" : "not ok", tests, c->name,
	    sentence);
}

static void
skip(const struct cose_case *c, const char *reason)
{
	tests++;
	printf("ok %u - %s # SKIP %s\n", tests, c->name, reason);
}

/* The file's intermediate bytes, if it states them, are those made here. */
static void
compare(const struct cose_case *c, const struct cw_json *holder,
    const char *member, const struct cw_buf *made, const char *sentence)
{
	struct cw_buf want;

	cw_buf_init(&want, COSE_MAX);
	if (cose_misprint(c) != NULL)
		skip(c, cose_misprint(c));
	else if (cw_json_hex(holder, member, &want))
		report(c,
		    made->err == CW_OK &&
			cw_bytes_equal(cw_buf_bytes(&want), cw_buf_bytes(made)),
		    sentence);
	cw_buf_wipe(&want);
}

/* ---- signatures ---- */

static void
run_signer(const struct cose_case *c, const struct cose_signer *s,
    const struct cw_json *intermediates)
{
	struct cw_public_key key;
	struct cw_buf tbs;
	enum cw_key_type type = cose_key_type(s->alg);
	enum cw_err err = CW_ERR_UNKNOWN_ALGORITHM;

	cw_buf_init(&tbs, COSE_MAX);
	cose_signed_bytes(s, &tbs);
	if (!c->fails)
		compare(c, intermediates, "ToBeSign_hex", &tbs,
		    "the signed bytes are those of the file");
	if (!cose_public_key(s->key, &key))
		report(c, false, "the file's key is read");
	if (type == key.type && tbs.err == CW_OK)
		err = cw_verify(&key, cw_buf_bytes(&tbs), s->signature);
	if (c->fails)
		report(c, err != CW_OK, "is rejected");
	else
		report(c, err == CW_OK, "the signature verifies");
	if (!c->fails && tbs.len > 0) {
		tbs.ptr[tbs.len - 1] ^= 1;
		report(c,
		    cw_verify(&key, cw_buf_bytes(&tbs), s->signature) ==
			CW_ERR_BAD_SIGNATURE,
		    "the signature of other bytes is rejected");
	}
	cw_buf_wipe(&tbs);
}

static void
run_sign1(const struct cose_case *c)
{
	struct cw_cbor_reader r;
	struct cose_signer s = { .context = "Signature1" };
	struct cw_cose_sign1 none;

	report(c, cw_cose_sign1_decode(c->message, "x/y", &none) != CW_OK,
	    "is no message of the protocol");
	cw_cbor_init(&r, c->message);
	cw_cbor_array(&r, 4, 4);
	s.key = cw_json_get(c->body, "key");
	s.external = cw_json_str(c->body, "external");
	cose_headers(&r, &s.protected_header, &s.alg);
	s.payload = cw_cbor_bstr(&r, 0, COSE_MAX);
	s.signature = cw_cbor_bstr(&r, 0, COSE_MAX);
	cw_cbor_array_end(&r);
	if (cose_refusal(c) != CW_OK) {
		report(c, cw_cbor_finish(&r) == cose_refusal(c),
		    "is refused for its encoding");
		return;
	}
	if (cw_cbor_finish(&r) != CW_OK)
		report(c, c->fails, "is rejected as a whole");
	else
		run_signer(c, &s, c->intermediates);
}

static void
run_sign(const struct cose_case *c)
{
	struct cw_cbor_reader r;
	struct cose_signer s = { .context = "Signature" };
	const struct cw_json *signers = cw_json_get(c->body, "signers");
	const struct cw_json *steps = cw_json_get(c->intermediates, "signers");
	int64_t no_alg;
	size_t n;

	cw_cbor_init(&r, c->message);
	cw_cbor_array(&r, 4, 4);
	cose_headers(&r, &s.body_header, &no_alg);
	s.payload = cw_cbor_bstr(&r, 0, COSE_MAX);
	n = cw_cbor_array(&r, 1, 9);
	for (size_t i = 0; i < n && r.err == CW_OK; i++) {
		const struct cw_json *signer = cw_json_at(signers, i);

		cw_cbor_array(&r, 3, 3);
		cose_headers(&r, &s.protected_header, &s.alg);
		s.signature = cw_cbor_bstr(&r, 0, COSE_MAX);
		cw_cbor_array_end(&r);
		s.key = cw_json_get(signer, "key");
		s.external = cw_json_str(signer, "external");
		if (r.err != CW_OK)
			break;
		if (cose_supports_signer(signer))
			run_signer(c, &s, cw_json_at(steps, i));
		else
			skip(c, "a signer's algorithm is not in the product");
	}
	cw_cbor_array_end(&r);
	cw_cbor_array_end(&r);
	if (cose_refusal(c) != CW_OK)
		report(c, cw_cbor_finish(&r) == cose_refusal(c),
		    "is refused for its encoding");
	else if (cw_cbor_finish(&r) != CW_OK)
		report(c, c->fails, "is rejected as a whole");
}

/* ---- encryption ---- */

/* What the protocol makes of the same key, nonce and plaintext: the vector's
 * message without its nonce header. */
static void
run_protocol_form(const struct cose_case *c, const struct cose_cipher *e,
    struct cw_bytes plain)
{
	struct cw_buf want;
	struct cw_buf made;
	struct cw_buf opened;

	cw_buf_init(&want, COSE_MAX);
	cw_buf_init(&made, COSE_MAX);
	cw_buf_init(&opened, COSE_MAX);
	cw_cbor_put_array(&want, 3);
	cw_cbor_put_bstr(&want, e->protected_header);
	cw_cbor_put_map(&want, 0);
	cw_cbor_put_bstr(&want, e->ciphertext);
	report(c,
	    cw_cose_encrypt0_seal(e->alg, e->key, e->nonce, CW_BYTES_NONE,
		plain, &made) == CW_OK &&
		cw_bytes_equal(cw_buf_bytes(&made), cw_buf_bytes(&want)),
	    "sealing gives the ciphertext of the file");
	report(c,
	    cw_cose_encrypt0_open(e->alg, e->key, e->nonce, CW_BYTES_NONE,
		cw_buf_bytes(&want), &opened) == CW_OK &&
		cw_bytes_equal(cw_buf_bytes(&opened), plain),
	    "opening gives the plaintext of the file");
	report(c,
	    cw_cose_encrypt0_open(e->alg, e->key, e->nonce, CW_BYTES_NONE,
		c->message, &opened) == CW_ERR_BAD_COSE,
	    "with its nonce header is no message of the protocol");
	cw_buf_wipe(&want);
	cw_buf_wipe(&made);
	cw_buf_wipe(&opened);
}

static void
run_cipher(const struct cose_case *c, const struct cose_cipher *e)
{
	struct cw_buf aad;
	struct cw_buf plain;
	struct cw_buf want;
	enum cw_err err;

	cw_buf_init(&aad, COSE_MAX);
	cw_buf_init(&plain, COSE_MAX);
	cw_buf_init(&want, COSE_MAX);
	cose_plaintext(c, &want);
	cose_authenticated_bytes(e, &aad);
	compare(c, c->intermediates, "AAD_hex", &aad,
	    "the authenticated bytes are those of the file");
	err = cw_aead_open(e->alg, e->key, e->nonce, cw_buf_bytes(&aad),
	    e->ciphertext, &plain);
	if (c->fails)
		report(c, err == CW_ERR_BAD_CIPHERTEXT && plain.len == 0,
		    "is rejected");
	else
		report(c,
		    err == CW_OK &&
			cw_bytes_equal(cw_buf_bytes(&plain),
			    cw_buf_bytes(&want)),
		    "opens to the plaintext of the file");
	if (!c->fails && strcmp(e->context, "Encrypt0") == 0)
		run_protocol_form(c, e, cw_buf_bytes(&want));
	if (aad.len > 0)
		aad.ptr[aad.len - 1] ^= 1;
	report(c,
	    cw_aead_open(e->alg, e->key, e->nonce, cw_buf_bytes(&aad),
		e->ciphertext, &plain) == CW_ERR_BAD_CIPHERTEXT,
	    "with other authenticated bytes is rejected");
	cw_buf_wipe(&aad);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&want);
}

static void
run_encrypted(const struct cose_case *c, const char *context)
{
	struct cose_cipher e = { .context = context };
	const char *reason = cose_cipher_read(c, &e);

	if (reason != NULL)
		skip(c, reason);
	else if (e.err != CW_OK)
		report(c, c->fails, "is rejected as a whole");
	else
		run_cipher(c, &e);
}

static void
run_case(const struct cose_case *c)
{
	const char *reason = cose_why_not(c);

	if (reason != NULL)
		skip(c, reason);
	else if (c->bad_tag)
		report(c, c->fails, "is rejected for its tag");
	else if (c->kind == COSE_SIGN1)
		run_sign1(c);
	else if (c->kind == COSE_SIGN)
		run_sign(c);
	else
		run_encrypted(c,
		    c->kind == COSE_ENCRYPT0 ? "Encrypt0" : "Encrypt");
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: run_cose FILE...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		struct cose_case c;

		if (cose_case_load(argv[i], &c))
			run_case(&c);
		else
			report(&c, false, "the file is read");
		cose_case_wipe(&c);
	}
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}
