/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 2: what a card must refuse to read, and what to ignore. */
#include "tests/conformance/kit.h"

/* ---- R, signed as it should be, with another payload ---- */

/* Where the items of request-payload lie: array, label, version, suite. */
#define AT_LABEL_LAST 12
#define AT_VERSION 13
#define AT_SUITE 14

/* R anew, its payload changed by `edit`, or of another type. */
static bool
sign_again(struct cw_kit *kit, const char *typ,
    void (*edit)(struct cw_buf *payload))
{
	struct cw_test_issuer *issuer = &kit->issuer;
	struct cw_cose_sign1 r;
	struct cw_buf payload;
	enum cw_err err = cw_test_issuer_request(issuer);

	cw_buf_init(&payload, CW_REQUEST_MAX);
	if (err == CW_OK)
		err = cw_cose_sign1_decode(cw_buf_bytes(&issuer->r),
		    CW_TYP_REQUEST, &r);
	if (err == CW_OK) {
		cw_buf_put(&payload, r.payload);
		if (edit != NULL)
			edit(&payload);
		cw_buf_reset(&issuer->r);
		err = cw_cose_sign1_make(issuer->management_key, typ,
		    cw_buf_bytes(&payload), &issuer->r);
	}
	cw_buf_wipe(&payload);
	return cw_kit_err(kit, err, CW_OK, "R is made");
}

/* Refused, and the card goes on: the right R opens a session. */
static bool
is_refused(struct cw_kit *kit, unsigned want, const char *what)
{
	return cw_kit_err(kit, cw_test_issuer_open(&kit->issuer),
		   CW_ERR_CARD_SAYS, what) &&
	    cw_kit_sw(kit, kit->issuer.sw, want, what) &&
	    cw_kit_err(kit, cw_test_issuer_request(&kit->issuer), CW_OK,
		"R is made") &&
	    cw_kit_err(kit, cw_test_issuer_open(&kit->issuer), CW_OK,
		"the nonce is still good after a refusal");
}

static void
lengthen_version(struct cw_buf *payload)
{
	struct cw_buf old;

	cw_buf_init(&old, CW_REQUEST_MAX);
	cw_buf_put(&old, cw_buf_bytes(payload));
	cw_buf_truncate(payload, AT_VERSION);
	cw_buf_put_u8(payload, 0x18); /* 1 in two bytes */
	cw_buf_put(payload,
	    cw_bytes(old.ptr + AT_VERSION, old.len - AT_VERSION));
	cw_buf_wipe(&old);
}

static bool
r_not_deterministic(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_REQUEST, lengthen_version) &&
	    is_refused(kit, 0x6A80, "an R with an integer in a longer form");
}

static void
append_byte(struct cw_buf *payload)
{
	cw_buf_put_u8(payload, 0x00);
}

static bool
r_trailing(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_REQUEST, append_byte) &&
	    is_refused(kit, 0x6A80, "an R with a byte behind its end");
}

static void
change_label(struct cw_buf *payload)
{
	payload->ptr[AT_LABEL_LAST] = 'T';
}

static bool
r_label(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_REQUEST, change_label) &&
	    is_refused(kit, 0x6A80, "an R with another label");
}

static bool
r_typ(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_GRANT, NULL) &&
	    is_refused(kit, 0x6A80, "an R of another typ");
}

static void
next_version(struct cw_buf *payload)
{
	payload->ptr[AT_VERSION] = 2;
}

static bool
r_version(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_REQUEST, next_version) &&
	    is_refused(kit, 0x6A80, "an R of version 2");
}

static void
no_suite(struct cw_buf *payload)
{
	payload->ptr[AT_SUITE] = 23;
}

static bool
r_suite(struct cw_kit *kit)
{
	return sign_again(kit, CW_TYP_REQUEST, no_suite) &&
	    is_refused(kit, 0x6A80, "an R with an unknown suite");
}

static bool
r_length(struct cw_kit *kit)
{
	static const uint8_t zeros[CW_REQUEST_MAX + 1];

	return cw_kit_sw(kit,
	    cw_test_send(&kit->wire, 0x8012, 0, CW_BYTES_ARRAY(zeros), NULL),
	    0x6700, "an R of 8,193 bytes");
}

/* ---- commands in the clear ---- */

static const struct plain {
	const char *what, *hex;
	size_t len;
} refused[] = {
#define PLAIN(what, bytes)                     \
	{                                      \
		what, bytes, sizeof(bytes) - 1 \
	}
	PLAIN("an unknown key of 0 or more", "\x83\x08\xF4\xA1\x05\x01"),
	PLAIN("an indefinite length", "\x9F\x08\xF4\xA0\xFF"),
	PLAIN("an integer in a longer form", "\x83\x18\x08\xF4\xA0"),
	PLAIN("a length in a longer form", "\x83\x08\xF4\xB8\x00"),
	PLAIN("a byte behind the end", "\x83\x08\xF4\xA0\x00"),
	PLAIN("a message cut short", "\x83\x08\xF4"),
	PLAIN("unsorted keys", "\x83\x08\xF4\xA2\x21\x00\x20\x00"),
	PLAIN("a key twice", "\x83\x08\xF4\xA2\x20\x00\x20\x00"),
	PLAIN("a float", "\x83\x08\xF4\xA1\x20\xF9\x3C\x00"),
	PLAIN("a tag", "\x83\x08\xF4\xA1\x20\xC0\x00"),
	PLAIN("an undefined value", "\x83\x08\xF4\xA1\x20\xF7"),
	PLAIN("bytes for a number", "\x83\x41\x08\xF4\xA0"),
	PLAIN("text that is no UTF-8", "\x83\x08\xF4\xA1\x20\x61\xFF"),
	PLAIN("an array that claims 2^36 items",
	    "\x83\x08\xF4\xA1\x20\x9B\x00\x00\x00\x10\x00\x00\x00\x00"),
	PLAIN("a byte string that claims 2^63 bytes",
	    "\x83\x08\xF4\xA1\x20\x5B\x80\x00\x00\x00\x00\x00\x00\x00"),
	PLAIN("nine levels",
	    "\x83\x08\xF4\xA1\x20\x81\x81\x81\x81\x81\x81\x81\x80"),
	PLAIN("a batch mark that is no bool", "\x83\x08\x01\xA0"),
};

static bool
command_refused(struct cw_kit *kit)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct plain *p = &refused[i];
		enum cw_err err;

		if (!cw_kit_begin(kit))
			return false;
		err = cw_kit_send_plain(kit,
		    cw_bytes((const uint8_t *)p->hex, p->len), CW_LIST);
		if (!cw_kit_true(kit, err >= 100 && err <= 199, p->what) ||
		    !cw_kit_is_dead(kit, p->what))
			return false;
	}
	return true;
}

static const struct plain ignored[] = {
	PLAIN("an unknown negative key", "\x83\x08\xF4\xA1\x20\x00"),
	PLAIN("three of them", "\x83\x08\xF4\xA3\x20\x00\x21\x00\x22\x00"),
	PLAIN("one with a nested value", "\x83\x08\xF4\xA1\x20\x81\x81\x00"),
};

static bool
command_ignored(struct cw_kit *kit)
{
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		const struct plain *p = &ignored[i];

		if (!cw_kit_begin(kit) ||
		    !cw_kit_err(kit,
			cw_kit_send_plain(kit,
			    cw_bytes((const uint8_t *)p->hex, p->len), CW_LIST),
			CW_OK, p->what))
			return false;
	}
	return true;
}

static bool
command_length(struct cw_kit *kit)
{
	static const uint8_t zeros[CW_SESSION_ID_BYTES + CW_COMMAND_MAX + 1];

	return cw_kit_begin(kit) &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x8014, 0, CW_BYTES_ARRAY(zeros),
		    NULL),
		0x6700, "a command of 32,769 bytes") &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x8014, 0,
		    cw_bytes(zeros, CW_SESSION_ID_BYTES), NULL),
		0x6700, "a session id without a command");
}

static bool
caps(struct cw_kit *kit)
{
	bool p256 = false, esp256 = false;

	for (size_t i = 0; i < kit->caps.n_algs; i++)
		esp256 = esp256 || kit->caps.algs[i] == CW_ALG_ESP256;
	for (size_t i = 0; i < kit->caps.n_key_types; i++)
		p256 = p256 || kit->caps.key_types[i] == CW_KEY_P256;
	return cw_kit_err(kit, cw_cbor_check(cw_buf_bytes(&kit->issuer.caps)),
		   CW_OK, "card-caps are deterministic") &&
	    cw_kit_true(kit, cw_card_caps_has_suite(&kit->caps, 1),
		"suite 1 is offered") &&
	    cw_kit_true(kit, esp256, "ESP256 is verified") &&
	    cw_kit_true(kit, p256, "P-256 keys are made");
}

const struct cw_kit_check cw_kit_encoding[] = {
	{ "caps", "3", "card-caps are well formed; suite 1, ESP256, P-256",
	    caps },
	{ "R-deterministic", "2", "R that is not deterministic is refused",
	    r_not_deterministic },
	{ "R-trailing", "2", "bytes behind R's payload are refused",
	    r_trailing },
	{ "R-label", "2", "the label of a signed object is checked", r_label },
	{ "R-typ", "2", "the typ of a signed object is checked", r_typ },
	{ "R-version", "5.3", "a version that was not offered is refused",
	    r_version },
	{ "R-suite", "5.3", "a suite that was not offered is refused",
	    r_suite },
	{ "R-length", "2", "an R beyond the limit is refused", r_length },
	{ "command-form", "2",
	    "a command that is not as the CDDL says ends the session",
	    command_refused },
	{ "command-extensions", "2", "unknown negative keys are ignored",
	    command_ignored },
	{ "command-length", "2", "a command beyond the limit is refused",
	    command_length },
	{ NULL, NULL, NULL, NULL },
};
