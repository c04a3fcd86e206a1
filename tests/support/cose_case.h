/* SPDX-License-Identifier: Apache-2.0 */
/* One example of the COSE working group (github.com/cose-wg/Examples). */
#ifndef CW_TESTS_COSE_CASE_H
#define CW_TESTS_COSE_CASE_H

#include "proto/cose.h"
#include "tests/support/json.h"

#define COSE_MAX 8192

enum cose_kind {
	COSE_OTHER,
	COSE_SIGN1,
	COSE_SIGN,
	COSE_ENCRYPT0,
	COSE_ENCRYPT,
};

struct cose_case {
	char name[100]; /* folder and file */
	enum cose_kind kind;
	bool fails;   /* must be rejected */
	bool bad_tag; /* neither its kind's CBOR tag nor none */
	struct cw_json *file;
	const struct cw_json *input;
	const struct cw_json *body; /* of input: "sign0", "encrypted", … */
	const struct cw_json *intermediates;
	struct cw_buf bytes;
	struct cw_bytes message; /* without its tag; borrows from bytes */
};

/* False if the file is not such an example. Wipe it in any case. */
bool cose_case_load(const char *path, struct cose_case *c);
void cose_case_wipe(struct cose_case *c);

/* Why the product cannot run the case, or NULL if it can. */
const char *cose_why_not(const struct cose_case *c);

/* The error with which the reader must refuse the message's encoding, for the
 * files that are known not to be deterministic; CW_OK for all others. */
enum cw_err cose_refusal(const struct cose_case *c);

/* Why the file's intermediate bytes are wrong, or NULL: a known mistake. */
const char *cose_misprint(const struct cose_case *c);

/* Two header buckets: the protected one's bytes as Sig_structure wants them
 * (RFC 9052 4.4: nothing for an empty map), and the algorithm of either. */
void cose_headers(struct cw_cbor_reader *r, struct cw_bytes *protected_header,
    int64_t *alg);

/* ---- signatures ---- */

struct cose_signer {
	const char *context;         /* "Signature1" or "Signature" */
	struct cw_bytes body_header; /* only with "Signature" */
	struct cw_bytes protected_header;
	struct cw_bytes payload;
	struct cw_bytes signature;
	int64_t alg;
	const char *external; /* hex or NULL */
	const struct cw_json *key;
};

/* The key type with which an algorithm of RFC 9053 is one of RFC 9864, or 0. */
enum cw_key_type cose_key_type(int64_t alg);

bool cose_supports_signer(const struct cw_json *signer);
bool cose_public_key(const struct cw_json *json, struct cw_public_key *key);
void cose_signed_bytes(const struct cose_signer *s, struct cw_buf *out);

/* ---- encryption ---- */

struct cose_cipher {
	const char *context; /* "Encrypt0" or "Encrypt" */
	enum cw_alg alg;
	uint8_t key[CW_AEAD_KEY_BYTES];
	struct cw_bytes protected_header;
	struct cw_bytes nonce;
	struct cw_bytes ciphertext;
	const char *external; /* hex or NULL */
	enum cw_err err;      /* of the reader, over the message */
};

/* Reads it; a reason why the product cannot, or NULL. */
const char *cose_cipher_read(const struct cose_case *c, struct cose_cipher *e);
void cose_authenticated_bytes(const struct cose_cipher *e, struct cw_buf *out);
void cose_plaintext(const struct cose_case *c, struct cw_buf *out);

#endif
