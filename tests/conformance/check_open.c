/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 5: capabilities, and which R opens a session. */
#include "proto/card_link.h"
#include "tests/conformance/kit.h"

#define SESSIONS_ENOUGH 64

static bool
get_caps(struct cw_kit *kit, struct cw_card_caps *caps)
{
	return cw_kit_err(kit, cw_test_issuer_capabilities(&kit->issuer), CW_OK,
		   "GET CAPABILITIES") &&
	    cw_kit_err(kit,
		cw_card_caps_decode(cw_buf_bytes(&kit->issuer.caps), caps),
		CW_OK, "card-caps");
}

static bool
same_nonce(const struct cw_card_caps *a, const struct cw_card_caps *b)
{
	return memcmp(a->nonce, b->nonce, sizeof(a->nonce)) == 0;
}

static bool
nonce_stays(struct cw_kit *kit)
{
	struct cw_buf first;
	bool same;

	cw_buf_init(&first, CW_REQUEST_MAX);
	cw_buf_put(&first, cw_buf_bytes(&kit->issuer.caps));
	cw_test_issuer_capabilities(&kit->issuer);
	same = cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&kit->issuer.caps));
	cw_buf_wipe(&first);
	return cw_kit_true(kit, same,
	    "GET CAPABILITIES gives the same bytes until the nonce is used");
}

static bool
nonce_after_use(struct cw_kit *kit)
{
	struct cw_card_caps after;

	return cw_kit_begin(kit) && get_caps(kit, &after) &&
	    cw_kit_true(kit, !same_nonce(&kit->caps, &after),
		"a used nonce does not come again");
}

static bool
nonce_after_reset(struct cw_kit *kit)
{
	struct cw_card_caps after;

	return cw_kit_power(kit) && get_caps(kit, &after) &&
	    cw_kit_true(kit, !same_nonce(&kit->caps, &after),
		"a nonce does not outlive a reset");
}

static bool
says(struct cw_kit *kit, unsigned want, const char *what)
{
	return cw_kit_err(kit, cw_test_issuer_open(&kit->issuer),
		   CW_ERR_CARD_SAYS, what) &&
	    cw_kit_sw(kit, kit->issuer.sw, want, what);
}

/* The same nonce is still good for a right R. */
static bool
still_opens(struct cw_kit *kit)
{
	return cw_kit_err(kit, cw_test_issuer_request(&kit->issuer), CW_OK,
		   "R is made") &&
	    cw_kit_err(kit, cw_test_issuer_open(&kit->issuer), CW_OK,
		"the nonce is still good after a refusal");
}

static bool
makes(struct cw_kit *kit)
{
	return cw_kit_err(kit, cw_test_issuer_request(&kit->issuer), CW_OK,
	    "R is made");
}

static bool
nonce_of_before_reset(struct cw_kit *kit)
{
	return makes(kit) && cw_kit_power(kit) &&
	    says(kit, 0x6985, "an R for the nonce of before a reset");
}

static bool
nonce_used(struct cw_kit *kit)
{
	return cw_kit_begin(kit) && makes(kit) &&
	    says(kit, 0x6985, "a second R for the same nonce");
}

static bool
signature(struct cw_kit *kit)
{
	if (!makes(kit))
		return false;
	kit->issuer.r.ptr[kit->issuer.r.len - 1] ^= 1;
	return says(kit, 0x6988, "an R whose signature does not verify") &&
	    still_opens(kit);
}

/* Signed, but not by the management key that stands in it. */
static bool
other_signer(struct cw_kit *kit)
{
	struct cw_private_key *own = kit->issuer.management_key, *other = NULL;
	struct cw_cose_sign1 r;
	struct cw_buf payload;
	enum cw_err err;

	if (!makes(kit) ||
	    !cw_kit_err(kit, cw_key_generate(CW_KEY_P256, &other), CW_OK,
		"a key"))
		return false;
	cw_buf_init(&payload, CW_REQUEST_MAX);
	err = cw_cose_sign1_decode(cw_buf_bytes(&kit->issuer.r), CW_TYP_REQUEST,
	    &r);
	cw_buf_put(&payload, r.payload);
	cw_buf_reset(&kit->issuer.r);
	if (err == CW_OK)
		err = cw_cose_sign1_make(other, CW_TYP_REQUEST,
		    cw_buf_bytes(&payload), &kit->issuer.r);
	cw_buf_wipe(&payload);
	cw_key_free(&other);
	kit->issuer.management_key = own;
	return cw_kit_err(kit, err, CW_OK, "R is made") &&
	    says(kit, 0x6988, "an R signed by another key") && still_opens(kit);
}

/* A signature that verifies, under a header that names another algorithm than the
 * key's (RFC 9864 2.1). Both status words say that R is not genuine. */
static bool
other_algorithm(struct cw_kit *kit)
{
	static const uint8_t esp384[] = { 0xA2, 0x01, 0x38, 0x32, 0x10 };
	struct cw_test_issuer *issuer = &kit->issuer;
	struct cw_cose_sign1 r;
	struct cw_buf header, signed_bytes, signature, out;
	enum cw_err err;

	if (!makes(kit))
		return false;
	cw_buf_init(&header, 64);
	cw_buf_init(&signed_bytes, CW_REQUEST_MAX + 128);
	cw_buf_init(&signature, CW_SIGNATURE_MAX);
	cw_buf_init(&out, CW_REQUEST_MAX + 128);
	err =
	    cw_cose_sign1_decode(cw_buf_bytes(&issuer->r), CW_TYP_REQUEST, &r);
	cw_buf_put(&header, CW_BYTES_ARRAY(esp384));
	cw_cbor_put_str(&header, CW_TYP_REQUEST);
	if (err == CW_OK) {
		cw_cose_sig_structure(cw_buf_bytes(&header), CW_BYTES_NONE,
		    r.payload, &signed_bytes);
		err = cw_sign(issuer->management_key,
		    cw_buf_bytes(&signed_bytes), &signature);
		cw_cbor_put_array(&out, 4);
		cw_cbor_put_bstr(&out, cw_buf_bytes(&header));
		cw_cbor_put_map(&out, 0);
		cw_cbor_put_bstr(&out, r.payload);
		cw_cbor_put_bstr(&out, cw_buf_bytes(&signature));
		cw_buf_move(&issuer->r, &out);
	}
	cw_buf_wipe(&header);
	cw_buf_wipe(&signed_bytes);
	cw_buf_wipe(&signature);
	cw_buf_wipe(&out);
	return cw_kit_err(kit, err, CW_OK, "R is made") &&
	    cw_kit_err(kit, cw_test_issuer_open(issuer), CW_ERR_CARD_SAYS,
		"an R whose alg is not the key's") &&
	    cw_kit_true(kit, issuer->sw == 0x6988 || issuer->sw == 0x6A80,
		"an R whose alg is not the key's is answered 6988 or 6A80") &&
	    still_opens(kit);
}

/* R as it is now in issuer.request, signed again. */
static bool
sign_again(struct cw_kit *kit)
{
	cw_buf_reset(&kit->issuer.r);
	return cw_kit_err(kit,
	    cw_request_make(&kit->issuer.request, kit->issuer.management_key,
		&kit->issuer.r),
	    CW_OK, "R is made");
}

static bool
caps_hash(struct cw_kit *kit)
{
	if (!makes(kit))
		return false;
	kit->issuer.request.caps_hash[0] ^= 1;
	return sign_again(kit) &&
	    says(kit, 0x6988, "an R for other card-caps") && still_opens(kit);
}

static bool
session_id_again(struct cw_kit *kit)
{
	struct cw_request *q = &kit->issuer.request;
	uint8_t first[CW_SESSION_ID_BYTES];

	if (!cw_kit_begin(kit))
		return false;
	memcpy(first, q->session_id, sizeof(first));
	if (!cw_kit_err(kit, cw_test_issuer_capabilities(&kit->issuer), CW_OK,
		"GET CAPABILITIES") ||
	    !makes(kit))
		return false;
	memcpy(q->session_id, first, sizeof(first));
	return sign_again(kit) &&
	    says(kit, 0x6A80, "an R with a session id that is taken");
}

/* A mode that is none, and so none that was offered. */
static bool
unknown_mode(struct cw_kit *kit)
{
	enum cw_mode own = kit->issuer.request.mode;
	bool right;

	if (!makes(kit))
		return false;
	kit->issuer.request.mode = (enum cw_mode)4;
	right = sign_again(kit) && says(kit, 0x6A80, "an R in mode 4");
	kit->issuer.request.mode = own;
	return right && still_opens(kit);
}

/* A good point, of another curve than the suite's. */
static bool
other_curve(struct cw_kit *kit)
{
	static const enum cw_key_type types[] = { CW_KEY_P384, CW_KEY_X25519 };

	kit->issuer.request.suite = cw_suite_find(1);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cw_private_key *other = NULL;

		if (!makes(kit) ||
		    !cw_kit_err(kit, cw_key_generate(types[i], &other), CW_OK,
			"a key"))
			return false;
		cw_key_public(other, &kit->issuer.request.issuer_ephemeral);
		cw_key_free(&other);
		if (!sign_again(kit) ||
		    !says(kit, 0x6A80, "an ephemeral key of another curve"))
			return false;
	}
	return still_opens(kit);
}

/* R with another ephemeral key than the one that fits. */
static bool
with_ephemeral(struct cw_kit *kit, unsigned suite, uint8_t fill,
    const char *what)
{
	struct cw_request *q = &kit->issuer.request;

	q->suite = cw_suite_find(suite);
	if (!makes(kit))
		return false;
	memset(q->issuer_ephemeral.x, fill, q->issuer_ephemeral.x_len);
	return sign_again(kit) && says(kit, 0x6A80, what) && still_opens(kit);
}

static bool
invalid_point(struct cw_kit *kit)
{
	return with_ephemeral(kit, 1, 0x11, "a point that is not on P-256");
}

static bool
zero_agreement(struct cw_kit *kit)
{
	if (!cw_card_caps_has_suite(&kit->caps, 2))
		return cw_kit_not_supported(kit, "suite 2 is not offered");
	return with_ephemeral(kit, 2, 0, "an X25519 point that gives zeros");
}

static bool
suite_2(struct cw_kit *kit)
{
	if (!cw_card_caps_has_suite(&kit->caps, 2))
		return cw_kit_not_supported(kit, "suite 2 is not offered");
	kit->issuer.request.suite = cw_suite_find(2);
	return cw_kit_enroll(kit, 0x9A);
}

static bool
suite_1(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A);
}

static bool
same_again(struct cw_kit *kit, const char *what)
{
	struct cw_buf first;
	bool same;

	cw_buf_init(&first, CW_BODY_MAX);
	cw_buf_put(&first, cw_buf_bytes(&kit->issuer.message_4));
	cw_test_issuer_open(&kit->issuer);
	same = kit->issuer.sw == 0x9000 &&
	    cw_bytes_equal(cw_buf_bytes(&first),
		cw_buf_bytes(&kit->issuer.message_4));
	cw_buf_wipe(&first);
	return cw_kit_true(kit, same, what);
}

static bool
repeated(struct cw_kit *kit)
{
	return cw_kit_begin(kit) &&
	    same_again(kit, "the same R gets the same message 4") &&
	    cw_kit_power(kit) &&
	    same_again(kit, "the same R gets the same message 4 after a reset");
}

static bool
ephemeral_is_new(struct cw_kit *kit)
{
	struct cw_message4 first, second;
	struct cw_buf kept;
	bool differ;

	if (!cw_kit_begin(kit))
		return false;
	cw_buf_init(&kept, CW_BODY_MAX);
	cw_buf_put(&kept, cw_buf_bytes(&kit->issuer.message_4));
	differ = cw_kit_begin(kit) &&
	    cw_message4_decode(cw_buf_bytes(&kept), &first) == CW_OK &&
	    cw_message4_decode(cw_buf_bytes(&kit->issuer.message_4), &second) ==
		CW_OK &&
	    memcmp(&first.card_ephemeral, &second.card_ephemeral,
		sizeof(first.card_ephemeral)) != 0;
	cw_buf_wipe(&kept);
	return cw_kit_true(kit, differ,
	    "each session has an ephemeral key of its own");
}

/* A full card says so, and what is open goes on. */
static bool
too_many(struct cw_kit *kit)
{
	struct cw_test_issuer first = kit->issuer;
	struct cw_public_key made;
	unsigned n = 0;
	enum cw_err err;
	bool right;

	cw_kit_other_issuer(kit, &kit->issuer);
	do
		err = cw_test_issuer_begin(n == 0 ? &first : &kit->issuer);
	while (err == CW_OK && n++ < SESSIONS_ENOUGH);
	right = cw_kit_err(kit, err, CW_ERR_CARD_SAYS,
		    "there is an end to open sessions") &&
	    cw_kit_sw(kit, kit->issuer.sw, 0x6A84, "too many open sessions");
	cw_test_issuer_wipe(&kit->issuer);
	kit->issuer = first;
	return right && cw_kit_make_key(kit, 1, 0, &made);
}

static bool
aborted(struct cw_kit *kit)
{
	return cw_kit_begin(kit) &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x801C, 0,
		    CW_BYTES_ARRAY(kit->issuer.request.session_id), NULL),
		0x9000, "ABORT") &&
	    cw_kit_is_dead(kit, "an aborted session") &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x801C, 0,
		    CW_BYTES_ARRAY(kit->issuer.request.session_id), NULL),
		0x6985, "ABORT of what is no more");
}

const struct cw_kit_check cw_kit_open[] = {
	{ "nonce-stays", "5.2", "the nonce stays until it is used",
	    nonce_stays },
	{ "nonce-fresh", "5.2", "OPEN SESSION uses the nonce up",
	    nonce_after_use },
	{ "nonce-reset", "5.2", "a reset makes a new nonce",
	    nonce_after_reset },
	{ "R-old-nonce", "5.3", "R for a nonce of before a reset is refused",
	    nonce_of_before_reset },
	{ "R-used-nonce", "5.3", "R for a used nonce is refused", nonce_used },
	{ "R-signature", "5.3", "R's signature is verified", signature },
	{ "R-signer", "5.3", "R is signed by the key that stands in it",
	    other_signer },
	{ "R-alg", "2", "the alg of R is that of the key", other_algorithm },
	{ "R-mode", "5.3", "a mode that was not offered is refused",
	    unknown_mode },
	{ "R-caps", "5.3", "R is for the card-caps that were given",
	    caps_hash },
	{ "R-session-id", "5.3", "a session id is new to the card",
	    session_id_again },
	{ "R-point", "6", "a point that is not on the curve is refused",
	    invalid_point },
	{ "R-curve", "6", "an ephemeral key of another curve is refused",
	    other_curve },
	{ "R-zero", "6", "an agreement that gives zeros is refused",
	    zero_agreement },
	{ "R-repeated", "5.3", "the same R gets the same message 4", repeated },
	{ "ephemeral", "6", "ephemeral keys are used once", ephemeral_is_new },
	{ "session-suite-1", "3", "a whole session in suite 1", suite_1 },
	{ "session-suite-2", "3", "a whole session in suite 2", suite_2 },
	{ "sessions-limit", "9", "too many open sessions are a clean refusal",
	    too_many },
	{ "abort", "11", "ABORT forgets a session", aborted },
	{ NULL, NULL, NULL, NULL },
};
