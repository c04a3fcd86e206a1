/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys in PIV slots do (SP 800-73-4, docs/card.md "PIV"). */
#include "proto/card_link.h"
#include "tests/conformance/kit.h"

#define P256_SIGN(slot) (0x1100u | (slot))

static bool
select_piv(struct cw_kit *kit)
{
	return cw_kit_sw(kit, cw_test_select_piv(&kit->wire), 0x9000,
	    "SELECT of PIV");
}

/* GET DATA of a three-byte object. */
static unsigned
get_data(struct cw_kit *kit, uint8_t last)
{
	const uint8_t tag[] = { 0x5C, 0x03, 0x5F, 0xC1, last };

	return cw_test_send(&kit->wire, 0x00CB, 0x3FFF, CW_BYTES_ARRAY(tag),
	    &kit->out);
}

/* GENERAL AUTHENTICATE over a digest of 32 bytes. */
static unsigned
sign(struct cw_kit *kit, uint8_t slot, const uint8_t digest[CW_HASH_BYTES])
{
	static const uint8_t head[] = { 0x7C, 0x24, 0x82, 0x00, 0x81, 0x20 };
	struct cw_buf data;
	unsigned sw;

	cw_buf_init(&data, 64);
	cw_buf_put(&data, CW_BYTES_ARRAY(head));
	cw_buf_put(&data, cw_bytes(digest, CW_HASH_BYTES));
	sw = cw_test_send(&kit->wire, 0x0087, P256_SIGN(slot),
	    cw_buf_bytes(&data), &kit->out);
	cw_buf_wipe(&data);
	return sw;
}

static const uint8_t zeros[CW_HASH_BYTES];

static bool
signs(struct cw_kit *kit, uint8_t slot, unsigned want, const char *what)
{
	return cw_kit_sw(kit, sign(kit, slot, zeros), want, what);
}

/* An integer of a DER signature into 32 bytes of r or s. */
static bool
take_integer(struct cw_bytes *in, uint8_t out[CW_HASH_BYTES])
{
	size_t len;
	const uint8_t *p;

	if (in->len < 2 || in->ptr[0] != 0x02 || in->ptr[1] > in->len - 2)
		return false;
	len = in->ptr[1];
	p = in->ptr + 2;
	*in = cw_bytes(p + len, in->len - 2 - len);
	while (len > CW_HASH_BYTES && *p == 0) {
		p++;
		len--;
	}
	if (len > CW_HASH_BYTES)
		return false;
	memset(out, 0, CW_HASH_BYTES);
	memcpy(out + CW_HASH_BYTES - len, p, len);
	return true;
}

/* The answer's signature verifies with the key of the certificate. */
static bool
is_genuine(struct cw_kit *kit, struct cw_bytes message)
{
	struct cw_bytes der = cw_buf_bytes(&kit->out);
	struct cw_public_key key;
	uint8_t rs[2 * CW_HASH_BYTES];

	if (der.len < 6)
		return false;
	der =
	    cw_bytes(der.ptr + 6, der.len - 6); /* 7C, 82, 30: one byte each */
	return cw_cert_public_key(cw_buf_bytes(&kit->issuer.certificate),
		   &key) == CW_OK &&
	    take_integer(&der, rs) && take_integer(&der, rs + CW_HASH_BYTES) &&
	    der.len == 0 &&
	    cw_verify(&key, message, CW_BYTES_ARRAY(rs)) == CW_OK;
}

static bool
certified_key(struct cw_kit *kit)
{
	const struct cw_bytes message = cw_bytes_str("conformance");
	uint8_t digest[CW_HASH_BYTES];

	cw_hash(message, digest);
	return cw_kit_enroll(kit, 0x9A) && select_piv(kit) &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN") &&
	    cw_kit_sw(kit, sign(kit, 0x9A, digest), 0x9000, "a signature") &&
	    cw_kit_true(kit, is_genuine(kit, message),
		"the signature is by the key that was certified");
}

static bool
certificate(struct cw_kit *kit)
{
	struct cw_bytes der;

	if (!cw_kit_enroll(kit, 0x9A) || !select_piv(kit) ||
	    !cw_kit_sw(kit, get_data(kit, 0x05), 0x9000, "GET DATA"))
		return false;
	der = cw_buf_bytes(&kit->issuer.certificate);
	return cw_kit_true(kit,
	    memmem(kit->out.ptr, kit->out.len, der.ptr, der.len) != NULL,
	    "the certificate that was installed is in its object");
}

static bool
empty(struct cw_kit *kit)
{
	return select_piv(kit) &&
	    cw_kit_sw(kit, get_data(kit, 0x05), 0x6A82,
		"the certificate of an empty slot") &&
	    signs(kit, 0x9A, 0x6A86, "a signature by an empty slot");
}

static bool
invisible(struct cw_kit *kit)
{
	return cw_kit_until_close(kit, 1, 0x9A) && select_piv(kit) &&
	    cw_kit_sw(kit, get_data(kit, 0x05), 0x6A82,
		"the certificate before CLOSE") &&
	    signs(kit, 0x9A, 0x6A86, "the key before CLOSE");
}

static bool
with_keys(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) && cw_kit_enroll(kit, 0x9C) &&
	    cw_kit_enroll(kit, 0x9E) && cw_kit_power(kit) && select_piv(kit);
}

static bool
pin(struct cw_kit *kit)
{
	return with_keys(kit) &&
	    signs(kit, 0x9A, 0x6982, "9A without the PIN") &&
	    signs(kit, 0x9C, 0x6982, "9C without the PIN") &&
	    signs(kit, 0x9E, 0x9000, "9E without the PIN") &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN") &&
	    signs(kit, 0x9C, 0x9000, "9C after the PIN") &&
	    signs(kit, 0x9C, 0x6982, "9C again, without the PIN") &&
	    signs(kit, 0x9A, 0x9000, "9A after the PIN") &&
	    signs(kit, 0x9A, 0x9000, "9A again");
}

static bool
usage(struct cw_kit *kit)
{
	static const uint8_t agree[] = { 0x7C, 0x04, 0x82, 0x00, 0x85, 0x00 };
	struct cw_private_key *peer = NULL;
	struct cw_public_key point;
	struct cw_buf data;
	unsigned sw;

	if (!with_keys(kit) ||
	    !cw_kit_err(kit, cw_key_generate(CW_KEY_P256, &peer), CW_OK,
		"a key"))
		return false;
	cw_key_public(peer, &point);
	cw_key_free(&peer);
	cw_test_verify(&kit->wire, CW_TEST_PIN);
	cw_buf_init(&data, 128);
	cw_buf_put(&data, CW_BYTES_ARRAY(agree));
	data.ptr[1] = 4 + 65;
	data.ptr[5] = 65;
	cw_buf_put_u8(&data, 0x04);
	cw_buf_put(&data, cw_bytes(point.x, point.x_len));
	cw_buf_put(&data, cw_bytes(point.y, point.y_len));
	sw = cw_test_send(&kit->wire, 0x0087, P256_SIGN(0x9A),
	    cw_buf_bytes(&data), NULL);
	cw_buf_wipe(&data);
	return cw_kit_sw(kit, sw, 0x6985,
	    "an agreement with a key that may only sign");
}

static bool
guid(struct cw_kit *kit)
{
	struct cw_buf before;
	bool same, differs;

	if (!cw_kit_enroll(kit, 0x9A) || !select_piv(kit) ||
	    !cw_kit_sw(kit, get_data(kit, 0x02), 0x9000, "CHUID"))
		return false;
	cw_buf_init(&before, CW_RESPONSE_MAX);
	cw_buf_put(&before, cw_buf_bytes(&kit->out));
	same = cw_kit_power(kit) && select_piv(kit) &&
	    get_data(kit, 0x02) == 0x9000 &&
	    cw_bytes_equal(cw_buf_bytes(&before), cw_buf_bytes(&kit->out));
	cw_test_select_provisioning(&kit->wire);
	cw_test_verify(&kit->wire, CW_TEST_PIN);
	differs = cw_test_send(&kit->wire, 0x80EE, 0, CW_BYTES_NONE, NULL) ==
		0x9000 &&
	    select_piv(kit) && get_data(kit, 0x02) == 0x9000 &&
	    !cw_bytes_equal(cw_buf_bytes(&before), cw_buf_bytes(&kit->out));
	cw_buf_wipe(&before);
	return cw_kit_true(kit, same, "the CHUID stays the same") &&
	    cw_kit_true(kit, differs, "RESET CARD renews the CHUID's GUID");
}

static bool
erased(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN") &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x80EE, 0, CW_BYTES_NONE, NULL),
		0x9000, "RESET CARD") &&
	    cw_kit_true(kit, !cw_kit_has_slot(kit, 0x9A),
		"RESET CARD removes keys") &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x6A88,
		"RESET CARD removes the PIN") &&
	    cw_kit_enroll(kit, 0x9A);
}

static bool
needs_pin(struct cw_kit *kit, const char *what)
{
	return cw_kit_sw(kit,
	    cw_test_send(&kit->wire, 0x80EE, 0, CW_BYTES_NONE, NULL), 0x6982,
	    what);
}

/* As long as PIN or PUK can be given. */
static bool
not_erased(struct cw_kit *kit)
{
	if (!cw_kit_enroll(kit, 0x9A) || !cw_kit_power(kit) ||
	    !needs_pin(kit, "RESET CARD without the PIN"))
		return false;
	for (unsigned i = 0; i < 3; i++)
		(void)cw_test_two_pins(&kit->wire, 0x002C, 0x0080, "48072615",
		    CW_TEST_PIN);
	return needs_pin(kit, "RESET CARD with a blocked PUK") &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A),
		"the key is there still");
}

const struct cw_kit_check cw_kit_piv[] = {
	{ "piv-key", "7", "PIV signs with the key that was certified",
	    certified_key },
	{ "piv-certificate", "8", "PIV has the certificate that was installed",
	    certificate },
	{ "piv-empty", "11", "an empty slot has neither", empty },
	{ "piv-close", "8", "nothing is in PIV before CLOSE", invisible },
	{ "piv-pin", "8", "slots want the PIN once, always or never", pin },
	{ "piv-usage", "8", "a key does what its usage says, no more", usage },
	{ "piv-guid", "10", "the GUID is random and renewed", guid },
	{ "reset", "11", "RESET CARD removes all objects", erased },
	{ "reset-pin", "11", "RESET CARD wants the PIN", not_erased },
	{ NULL, NULL, NULL, NULL },
};
