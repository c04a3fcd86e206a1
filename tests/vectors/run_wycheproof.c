/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Project Wycheproof's cases for the primitives of the crypto contract:
 *   run_wycheproof FILE...
 * One TAP line for each file and kind of group. "acceptable" may go either way;
 * what the contract does not have (other nonce or key sizes) is counted apart.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/crypto.h"
#include "tests/support/json.h"

#define MAX 100000

enum outcome { ACCEPTED, REFUSED, NOT_OURS };

/* One case: its members as bytes. */
struct fields {
	struct cw_buf a, b, c, d, e, f;
};

struct kind {
	const char *type;      /* of the group */
	const char *algorithm; /* of the file, or NULL for any */
	enum outcome (*run)(const struct cw_json *group,
	    const struct cw_json *test, struct fields *x);
};

static bool
get(const struct cw_json *object, const char *name, struct cw_buf *out)
{
	cw_buf_reset(out);
	return cw_json_hex(object, name, out);
}

static enum outcome
accepted(bool yes)
{
	return yes ? ACCEPTED : REFUSED;
}

/* An uncompressed point as a key; false for another length or form. */
static bool
point(struct cw_bytes p, struct cw_public_key *key)
{
	memset(key, 0, sizeof(*key));
	key->type = CW_KEY_P256;
	key->x_len = key->y_len = 32;
	if (p.len != 65 || p.ptr[0] != 4)
		return false;
	memcpy(key->x, p.ptr + 1, 32);
	memcpy(key->y, p.ptr + 33, 32);
	return true;
}

static enum outcome
ecdsa(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	struct cw_public_key key;

	if (!get(cw_json_get(group, "publicKey"), "uncompressed", &x->a) ||
	    !get(test, "msg", &x->b) || !get(test, "sig", &x->c) ||
	    !point(cw_buf_bytes(&x->a), &key))
		return NOT_OURS;
	return accepted(
	    cw_verify(&key, cw_buf_bytes(&x->b), cw_buf_bytes(&x->c)) == CW_OK);
}

static enum outcome
eddsa(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	struct cw_public_key key = { .type = CW_KEY_ED25519, .x_len = 32 };

	if (!get(cw_json_get(group, "publicKey"), "pk", &x->a) ||
	    x->a.len != 32 || !get(test, "msg", &x->b) ||
	    !get(test, "sig", &x->c))
		return NOT_OURS;
	memcpy(key.x, x->a.ptr, 32);
	return accepted(
	    cw_verify(&key, cw_buf_bytes(&x->b), cw_buf_bytes(&x->c)) == CW_OK);
}

/* The scalar may have leading zeros, or lack them. */
static bool
scalar(struct cw_bytes in, uint8_t out[32])
{
	while (in.len > 32 && in.ptr[0] == 0)
		in = cw_bytes(in.ptr + 1, in.len - 1);
	if (in.len > 32)
		return false;
	memset(out, 0, 32);
	memcpy(out + 32 - in.len, in.ptr, in.len);
	return true;
}

static enum outcome
agree(enum cw_key_type type, const struct cw_public_key *peer, struct fields *x)
{
	struct cw_private_key *own = NULL;
	uint8_t secret[32];
	uint8_t z[32];
	bool ok = scalar(cw_buf_bytes(&x->b), secret) &&
	    cw_key_from_scalar(type, secret, &own) == CW_OK &&
	    cw_agree(own, peer, z) == CW_OK &&
	    cw_bytes_equal(CW_BYTES_ARRAY(z), cw_buf_bytes(&x->c));

	cw_key_free(&own);
	return accepted(ok);
}

static bool
is_zero(struct cw_bytes b)
{
	static const uint8_t zero[32];

	return cw_bytes_equal(b, CW_BYTES_ARRAY(zero));
}

/*
 * docs/protocol.md 6 is narrower than ECDH: a Z of all zeros, which the point
 * with x = 0 gives, MUST be refused. Such a case is not the contract's, and
 * wrong if it is accepted after all.
 */
static enum outcome
agree_nonzero(const struct cw_public_key *peer, struct fields *x)
{
	enum outcome outcome = agree(CW_KEY_P256, peer, x);

	if (!is_zero(cw_buf_bytes(&x->c)))
		return outcome;
	return outcome == REFUSED ? NOT_OURS : REFUSED;
}

static enum outcome
ecdh(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	struct cw_public_key peer;

	(void)group;
	if (!get(test, "public", &x->a) || !get(test, "private", &x->b) ||
	    !get(test, "shared", &x->c))
		return NOT_OURS;
	/* COSE_Key has no compressed points here (session.cddl ec2-key). */
	if (!point(cw_buf_bytes(&x->a), &peer))
		return x->a.len == 33 ? NOT_OURS : REFUSED;
	return agree_nonzero(&peer, x);
}

static enum outcome
xdh(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	struct cw_public_key peer = { .type = CW_KEY_X25519, .x_len = 32 };

	(void)group;
	if (!get(test, "public", &x->a) || x->a.len != 32 ||
	    !get(test, "private", &x->b) || !get(test, "shared", &x->c))
		return NOT_OURS;
	memcpy(peer.x, x->a.ptr, 32);
	return agree(CW_KEY_X25519, &peer, x);
}

static enum outcome
hkdf(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	static uint8_t okm[255 * 32];
	uint8_t prk[32];
	int64_t size = cw_json_int(cw_json_get(test, "size"), -1);

	(void)group;
	if (!get(test, "ikm", &x->a) || !get(test, "salt", &x->b) ||
	    !get(test, "info", &x->c) || !get(test, "okm", &x->d))
		return NOT_OURS;
	if (size < 0 || (size_t)size > sizeof(okm))
		return NOT_OURS; /* the contract's caller keeps to the limit */
	cw_hkdf_extract(cw_buf_bytes(&x->b), cw_buf_bytes(&x->a), prk);
	cw_hkdf_expand(prk, cw_buf_bytes(&x->c), okm, (size_t)size);
	return accepted(
	    cw_bytes_equal(cw_bytes(okm, (size_t)size), cw_buf_bytes(&x->d)));
}

static enum outcome
hmac(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	uint8_t mac[32];

	(void)group;
	if (!get(test, "key", &x->a) || !get(test, "msg", &x->b) ||
	    !get(test, "tag", &x->c) || x->c.len > sizeof(mac))
		return NOT_OURS;
	cw_hmac_sha256(cw_buf_bytes(&x->a), cw_buf_bytes(&x->b), mac);
	return accepted(
	    cw_bytes_equal(cw_bytes(mac, x->c.len), cw_buf_bytes(&x->c)));
}

static enum outcome
aead(enum cw_alg alg, const struct cw_json *test, struct fields *x)
{
	struct cw_buf opened;
	bool ok;

	if (!get(test, "key", &x->a) || !get(test, "iv", &x->b) ||
	    !get(test, "aad", &x->c) || !get(test, "msg", &x->d) ||
	    !get(test, "ct", &x->e) || !get(test, "tag", &x->f))
		return NOT_OURS;
	if (x->a.len != 32 || x->b.len != cw_aead_nonce_bytes(alg) ||
	    x->f.len != CW_AEAD_TAG_BYTES)
		return NOT_OURS;
	cw_buf_put(&x->e, cw_buf_bytes(&x->f));
	cw_buf_init(&opened, MAX);
	ok = cw_aead_open(alg, x->a.ptr, cw_buf_bytes(&x->b),
		 cw_buf_bytes(&x->c), cw_buf_bytes(&x->e), &opened) == CW_OK &&
	    cw_bytes_equal(cw_buf_bytes(&opened), cw_buf_bytes(&x->d));
	if (ok) { /* and sealing gives the same bytes */
		cw_buf_reset(&opened);
		ok = cw_aead_seal(alg, x->a.ptr, cw_buf_bytes(&x->b),
			 cw_buf_bytes(&x->c), cw_buf_bytes(&x->d),
			 &opened) == CW_OK &&
		    cw_bytes_equal(cw_buf_bytes(&opened), cw_buf_bytes(&x->e));
	}
	cw_buf_wipe(&opened);
	return accepted(ok);
}

static enum outcome
ccm(const struct cw_json *group, const struct cw_json *test, struct fields *x)
{
	(void)group;
	return aead(CW_ALG_AES_CCM_16_128_256, test, x);
}

static enum outcome
chacha(const struct cw_json *group, const struct cw_json *test,
    struct fields *x)
{
	(void)group;
	return aead(CW_ALG_CHACHA20_POLY1305, test, x);
}

static const struct kind kinds[] = {
	{ "EcdsaP1363Verify", "ECDSA", ecdsa },
	{ "EcdhEcpointTest", NULL, ecdh },
	{ "XdhComp", NULL, xdh },
	{ "EddsaVerify", NULL, eddsa },
	{ "HkdfTest", "HKDF-SHA-256", hkdf },
	{ "MacTest", "HMACSHA256", hmac },
	{ "AeadTest", "AES-CCM", ccm },
	{ "AeadTest", "CHACHA20-POLY1305", chacha },
};

static const struct kind *
find(const char *type, const char *algorithm)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0 &&
		    (kinds[i].algorithm == NULL ||
			strcmp(kinds[i].algorithm, algorithm) == 0))
			return &kinds[i];
	return NULL;
}

struct counts {
	unsigned right, wrong, not_ours;
};

static void
run_test(const struct kind *kind, const struct cw_json *group,
    const struct cw_json *test, struct fields *x, struct counts *n)
{
	const char *result = cw_json_str(test, "result");
	enum outcome got = kind->run(group, test, x);

	if (got == NOT_OURS) {
		n->not_ours++;
	} else if (result != NULL &&
	    (strcmp(result, "acceptable") == 0 ||
		(strcmp(result, "valid") == 0) == (got == ACCEPTED))) {
		n->right++;
	} else {
		n->wrong++;
		printf("# case %lld (%s) must be %s\n",
		    (long long)cw_json_int(cw_json_get(test, "tcId"), -1),
		    cw_json_str(test, "comment"),
		    result == NULL ? "something" : result);
	}
}

static void
run_group(const struct cw_json *group, const char *algorithm, struct counts *n)
{
	const struct cw_json *tests = cw_json_get(group, "tests");
	const char *type = cw_json_str(group, "type");
	const struct kind *kind = type == NULL ? NULL : find(type, algorithm);
	struct fields x;

	if (kind == NULL) {
		n->not_ours += (unsigned)cw_json_count(tests);
		return;
	}
	cw_buf_init(&x.a, MAX);
	x.b = x.c = x.d = x.e = x.f = x.a;
	for (size_t i = 0; i < cw_json_count(tests); i++)
		run_test(kind, group, cw_json_at(tests, i), &x, n);
	cw_buf_wipe(&x.a);
	cw_buf_wipe(&x.b);
	cw_buf_wipe(&x.c);
	cw_buf_wipe(&x.d);
	cw_buf_wipe(&x.e);
	cw_buf_wipe(&x.f);
}

static bool
run_file(const char *path, int number)
{
	struct cw_json *file = cw_json_load(path);
	const struct cw_json *groups = cw_json_get(file, "testGroups");
	const char *algorithm = cw_json_str(file, "algorithm");
	struct counts n = { 0 };
	bool ok;

	for (size_t i = 0; i < cw_json_count(groups); i++)
		run_group(cw_json_at(groups, i),
		    algorithm == NULL ? "" : algorithm, &n);
	ok = file != NULL && n.wrong == 0 && n.right + n.not_ours > 0;
	printf("%s %d - %s: %u cases as they must be, %u wrong, %u of kinds "
	       "that the contract lacks%s\n",
	    ok ? "ok" : "not ok", number, algorithm == NULL ? path : algorithm,
	    n.right, n.wrong, n.not_ours,
	    ok && n.right == 0 ? " # SKIP nothing here is the contract's" : "");
	cw_json_free(&file);
	return ok;
}

int
main(int argc, char **argv)
{
	bool ok = argc > 1;

	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		ok &= run_file(argv[i], i);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
