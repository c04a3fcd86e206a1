/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The taps in the real parts: functions that seal, sign or carry are wrapped
 * by the linker, so that a party becomes dishonest without a line of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/apdu.h"
#include "proto/channel.h"
#include "proto/command.h"
#include "proto/limits.h"
#include "proto/token.h"
#include "tests/fields/tap.h"

#define TYP(word) "application/cardwright-" word "+cose"

static void
copy(struct cw_buf *to, struct cw_bytes bytes)
{
	cw_buf_init(to, CW_APDU_MAX);
	cw_buf_put(to, bytes);
}

/* ---- what is signed ---- */

static const struct {
	const char *typ, *who, *rule;
} kinds[] = {
	{ TYP("request"), "issuer", "session-request" },
	{ TYP("endorsement"), "issuer", "endorsement" },
	{ TYP("grant"), "authority", "grant" },
	{ TYP("approval"), "operator", "approval" },
	{ TYP("token"), "card", "signed-token" },
	{ TYP("key"), "card", "signed-key" },
	{ TYP("result"), "card", "signed-result" },
	{ TYP("offline"), "card", "signed-offline" },
};

enum cw_err __real_cw_cose_sign1_make(const struct cw_private_key *key,
    const char *typ, struct cw_bytes payload, struct cw_buf *out);
enum cw_err __wrap_cw_cose_sign1_make(const struct cw_private_key *key,
    const char *typ, struct cw_bytes payload, struct cw_buf *out);

enum cw_err
__wrap_cw_cose_sign1_make(const struct cw_private_key *key, const char *typ,
    struct cw_bytes payload, struct cw_buf *out)
{
	struct cw_buf made;
	enum cw_err err;

	cw_buf_init(&made, CW_BODY_MAX);
	err = __real_cw_cose_sign1_make(key, typ, payload, &made);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (err == CW_OK && strcmp(kinds[i].typ, typ) == 0)
			cw_tap_signed(kinds[i].who, kinds[i].rule, &made, key);
	cw_buf_put(out, cw_buf_bytes(&made));
	cw_buf_wipe(&made);
	return err == CW_OK ? out->err : err;
}

/* ---- what is sealed ---- */

enum cw_err __real_cw_channel_seal_token(const struct cw_channel *ch,
    struct cw_bytes plain, struct cw_buf *out);
enum cw_err __wrap_cw_channel_seal_token(const struct cw_channel *ch,
    struct cw_bytes plain, struct cw_buf *out);

enum cw_err
__wrap_cw_channel_seal_token(const struct cw_channel *ch, struct cw_bytes plain,
    struct cw_buf *out)
{
	struct cw_buf changed;
	enum cw_err err;

	copy(&changed, plain);
	cw_tap("card", "token", &changed);
	err = __real_cw_channel_seal_token(ch, cw_buf_bytes(&changed), out);
	cw_buf_wipe(&changed);
	return err;
}

/* The number that a command or reply begins with. */
static unsigned
number(struct cw_bytes plain)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, plain);
	cw_cbor_array(&r, 0, 3);
	return cw_cbor_u32(&r, 0, UINT32_MAX);
}

enum cw_err __real_cw_channel_seal_command(const struct cw_channel *ch,
    unsigned i, struct cw_bytes plain, struct cw_buf *out);
enum cw_err __wrap_cw_channel_seal_command(const struct cw_channel *ch,
    unsigned i, struct cw_bytes plain, struct cw_buf *out);

enum cw_err
__wrap_cw_channel_seal_command(const struct cw_channel *ch, unsigned i,
    struct cw_bytes plain, struct cw_buf *out)
{
	struct cw_buf changed;
	char rule[32];
	enum cw_err err;

	copy(&changed, plain);
	snprintf(rule, sizeof(rule), "command %u", number(plain));
	cw_tap("issuer", rule, &changed);
	err =
	    __real_cw_channel_seal_command(ch, i, cw_buf_bytes(&changed), out);
	cw_buf_wipe(&changed);
	return err;
}

/* A reply is named after what it holds: that is all the card knows here. */
static const char *
reply_rule(struct cw_bytes plain)
{
	struct cw_cbor_reader r;
	size_t n;

	cw_cbor_init(&r, plain);
	cw_cbor_array(&r, 2, 2);
	cw_cbor_uint(&r, 0, 0);
	n = cw_cbor_map(&r, 8);
	if (n == 0)
		return "reply (empty)";
	if (n == 1)
		return "reply (close)";
	cw_cbor_key(&r, 0);
	return r.err == CW_OK && r.in.ptr[r.pos] >> 5 == 4 ?
	    "reply (list)" :
	    "reply (create-key)";
}

enum cw_err __real_cw_channel_seal_reply(const struct cw_channel *ch,
    unsigned i, struct cw_bytes command, struct cw_bytes plain,
    struct cw_buf *out);
enum cw_err __wrap_cw_channel_seal_reply(const struct cw_channel *ch,
    unsigned i, struct cw_bytes command, struct cw_bytes plain,
    struct cw_buf *out);

enum cw_err
__wrap_cw_channel_seal_reply(const struct cw_channel *ch, unsigned i,
    struct cw_bytes command, struct cw_bytes plain, struct cw_buf *out)
{
	struct cw_buf changed;
	enum cw_err err;

	if (number(plain) != 0)
		cw_tap_found("card", number(plain));
	copy(&changed, plain);
	if (number(plain) == 0)
		cw_tap("card", reply_rule(plain), &changed);
	err = __real_cw_channel_seal_reply(ch, i, command,
	    cw_buf_bytes(&changed), out);
	cw_buf_wipe(&changed);
	return err;
}

void __real_cw_card_info_encode(const struct cw_card_info *info,
    struct cw_buf *out);
void __wrap_cw_card_info_encode(const struct cw_card_info *info,
    struct cw_buf *out);

void
__wrap_cw_card_info_encode(const struct cw_card_info *info, struct cw_buf *out)
{
	struct cw_buf made;

	cw_buf_init(&made, CW_BODY_MAX);
	__real_cw_card_info_encode(info, &made);
	cw_tap("card", "card-info", &made);
	cw_buf_put(out, cw_buf_bytes(&made));
	cw_buf_wipe(&made);
}
