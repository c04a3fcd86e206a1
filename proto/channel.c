/* SPDX-License-Identifier: Apache-2.0 */
/* Key schedule and channel, exactly as docs/protocol.md has them. */
#include "proto/channel.h"

#include "proto/base/secret.h"

/* Room for the longest array that is hashed or authenticated, without its
 * embedded messages; and what is enough for suites 1 and 2. */
#define SMALL_MAX 1024
#define USUAL 128

void
cw_channel_th(struct cw_bytes request,
    const struct cw_public_key *card_ephemeral, uint8_t th[CW_HASH_BYTES])
{
	uint8_t memory[2][USUAL];
	struct cw_buf head;
	struct cw_buf tail;
	struct cw_bytes parts[3];

	cw_buf_init_on(&head, SMALL_MAX, memory[0], USUAL);
	cw_buf_init_on(&tail, SMALL_MAX, memory[1], USUAL);
	cw_cbor_put_array(&head, 3);
	cw_cbor_put_str(&head, "CW1");
	cw_cbor_put_bstr_head(&head, request.len);
	cw_cose_key_put(&tail, card_ephemeral);
	parts[0] = cw_buf_bytes(&head);
	parts[1] = request;
	parts[2] = cw_buf_bytes(&tail);
	cw_sha256(parts, 3, th);
	cw_buf_wipe(&head);
	cw_buf_wipe(&tail);
}

static void
expand(const uint8_t prk[CW_HASH_BYTES], const char *label,
    const struct cw_suite *suite, uint8_t *out, size_t out_len)
{
	uint8_t info[32];
	struct cw_buf b;

	cw_buf_init_on(&b, sizeof(info), info, sizeof(info));
	cw_cbor_put_array(&b, 2);
	cw_cbor_put_str(&b, label);
	cw_cbor_put_uint(&b, suite->id);
	cw_hkdf_expand(prk, cw_buf_bytes(&b), out, out_len);
	cw_buf_wipe(&b);
}

enum cw_err
cw_channel_init(struct cw_channel *ch, const struct cw_suite *suite,
    struct cw_bytes request, const struct cw_public_key *card_ephemeral,
    const struct cw_private_key *own, const struct cw_public_key *peer)
{
	uint8_t z[32];
	uint8_t prk[CW_HASH_BYTES];
	enum cw_err err;

	memset(ch, 0, sizeof(*ch));
	if (card_ephemeral->type != suite->agreement ||
	    peer->type != suite->agreement)
		return CW_ERR_BAD_KEY;
	err = cw_agree(own, peer, z);
	if (err == CW_OK) {
		ch->suite = suite;
		cw_channel_th(request, card_ephemeral, ch->th);
		cw_hkdf_extract(CW_BYTES_ARRAY(ch->th), CW_BYTES_ARRAY(z), prk);
		expand(prk, "CW1 down key", suite, ch->down_key,
		    CW_AEAD_KEY_BYTES);
		expand(prk, "CW1 down iv", suite, ch->down_iv,
		    suite->nonce_bytes);
		expand(prk, "CW1 up key", suite, ch->up_key, CW_AEAD_KEY_BYTES);
		expand(prk, "CW1 up iv", suite, ch->up_iv, suite->nonce_bytes);
	}
	cw_wipe(z, sizeof(z));
	cw_wipe(prk, sizeof(prk));
	return err;
}

void
cw_channel_wipe(struct cw_channel *ch)
{
	cw_wipe(ch, sizeof(*ch));
}

/* nonce_i = IV xor i, big-endian, left-padded */
static struct cw_bytes
nonce(const struct cw_channel *ch, const uint8_t *iv, unsigned i,
    uint8_t out[CW_AEAD_NONCE_MAX])
{
	size_t len = ch->suite->nonce_bytes;

	memcpy(out, iv, len);
	for (size_t k = 0; k < sizeof(uint32_t); k++)
		out[len - 1 - k] ^= (uint8_t)((uint32_t)i >> (8 * k));
	return cw_bytes(out, len);
}

/* [label, th], [label, th, i] or [label, th, i, H(command)], into an empty buffer */
static void
put_aad(struct cw_buf *b, const char *label, const struct cw_channel *ch,
    unsigned i, const struct cw_bytes *command)
{
	uint8_t hash[CW_HASH_BYTES];

	cw_cbor_put_array(b, i == 0 ? 2 : command == NULL ? 3 : 4);
	cw_cbor_put_str(b, label);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(ch->th));
	if (i > 0)
		cw_cbor_put_uint(b, i);
	if (command != NULL) {
		cw_hash(*command, hash);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(hash));
	}
}

/* One message of the channel: which way, which number, answering what. */
struct box {
	const char *label;
	bool up;
	unsigned i;
	const struct cw_bytes *command;
};

static enum cw_err
box_run(const struct cw_channel *ch, const struct box *box, bool seal,
    struct cw_bytes in, struct cw_buf *out)
{
	const uint8_t *key = box->up ? ch->up_key : ch->down_key;
	uint8_t nonce_bytes[CW_AEAD_NONCE_MAX];
	struct cw_bytes n =
	    nonce(ch, box->up ? ch->up_iv : ch->down_iv, box->i, nonce_bytes);
	uint8_t memory[USUAL];
	struct cw_buf aad;
	enum cw_err err;

	cw_buf_init_on(&aad, SMALL_MAX, memory, sizeof(memory));
	put_aad(&aad, box->label, ch, box->i, box->command);
	err = aad.err;
	if (err == CW_OK && seal)
		err = cw_cose_encrypt0_seal(ch->suite->aead, key, n,
		    cw_buf_bytes(&aad), in, out);
	else if (err == CW_OK)
		err = cw_cose_encrypt0_open(ch->suite->aead, key, n,
		    cw_buf_bytes(&aad), in, out);
	cw_buf_wipe(&aad);
	cw_wipe(nonce_bytes, sizeof(nonce_bytes));
	return err;
}

enum cw_err
cw_channel_seal_token(const struct cw_channel *ch, struct cw_bytes plain,
    struct cw_buf *out)
{
	const struct box box = { "CW1 token", true, 0, NULL };

	return box_run(ch, &box, true, plain, out);
}

enum cw_err
cw_channel_open_token(const struct cw_channel *ch, struct cw_bytes sealed,
    struct cw_buf *plain)
{
	const struct box box = { "CW1 token", true, 0, NULL };

	return box_run(ch, &box, false, sealed, plain);
}

enum cw_err
cw_channel_seal_command(const struct cw_channel *ch, unsigned i,
    struct cw_bytes plain, struct cw_buf *out)
{
	const struct box box = { "CW1 down", false, i, NULL };

	return box_run(ch, &box, true, plain, out);
}

enum cw_err
cw_channel_open_command(const struct cw_channel *ch, unsigned i,
    struct cw_bytes sealed, struct cw_buf *plain)
{
	const struct box box = { "CW1 down", false, i, NULL };

	return box_run(ch, &box, false, sealed, plain);
}

enum cw_err
cw_channel_seal_reply(const struct cw_channel *ch, unsigned i,
    struct cw_bytes command, struct cw_bytes plain, struct cw_buf *out)
{
	const struct box box = { "CW1 up", true, i, &command };

	return box_run(ch, &box, true, plain, out);
}

enum cw_err
cw_channel_open_reply(const struct cw_channel *ch, unsigned i,
    struct cw_bytes command, struct cw_bytes sealed, struct cw_buf *plain)
{
	const struct box box = { "CW1 up", true, i, &command };

	return box_run(ch, &box, false, sealed, plain);
}

/* H(CBOR[label, bstr 32, bstr a, bstr b]), the last one absent when NULL. The
 * messages are hashed where they are, not copied. */
static void
hash_chain(const char *label, const uint8_t first[CW_HASH_BYTES],
    struct cw_bytes a, const struct cw_bytes *b, uint8_t out[CW_HASH_BYTES])
{
	uint8_t memory[2][USUAL];
	struct cw_buf head;
	struct cw_buf middle;
	struct cw_bytes parts[4];
	size_t n = 2;

	cw_buf_init_on(&head, SMALL_MAX, memory[0], USUAL);
	cw_buf_init_on(&middle, SMALL_MAX, memory[1], USUAL);
	cw_cbor_put_array(&head, b == NULL ? 3 : 4);
	cw_cbor_put_str(&head, label);
	cw_cbor_put_bstr(&head, cw_bytes(first, CW_HASH_BYTES));
	cw_cbor_put_bstr_head(&head, a.len);
	parts[0] = cw_buf_bytes(&head);
	parts[1] = a;
	if (b != NULL) {
		cw_cbor_put_bstr_head(&middle, b->len);
		parts[n++] = cw_buf_bytes(&middle);
		parts[n++] = *b;
	}
	cw_sha256(parts, n, out);
	cw_buf_wipe(&head);
	cw_buf_wipe(&middle);
}

void
cw_channel_begin(struct cw_channel *ch, struct cw_bytes message_4)
{
	hash_chain("CW1 h", ch->th, message_4, NULL, ch->h);
}

void
cw_channel_advance(struct cw_channel *ch, struct cw_bytes command,
    struct cw_bytes reply)
{
	uint8_t next[CW_HASH_BYTES];

	hash_chain("CW1 h", ch->h, command, &reply, next);
	memcpy(ch->h, next, sizeof(ch->h));
}

void
cw_channel_h_end(const struct cw_channel *ch, struct cw_bytes command,
    uint8_t h_end[CW_HASH_BYTES])
{
	hash_chain("CW1 end", ch->h, command, NULL, h_end);
}

void
cw_channel_encode(const struct cw_channel *ch, struct cw_buf *out)
{
	size_t n = ch->suite->nonce_bytes;

	cw_cbor_put_array(out, 7);
	cw_cbor_put_uint(out, ch->suite->id);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(ch->th));
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(ch->h));
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(ch->down_key));
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(ch->up_key));
	cw_cbor_put_bstr(out, cw_bytes(ch->down_iv, n));
	cw_cbor_put_bstr(out, cw_bytes(ch->up_iv, n));
}

enum cw_err
cw_channel_decode(struct cw_bytes in, struct cw_channel *out)
{
	struct cw_cbor_reader r;
	size_t n;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 7, 7);
	out->suite = cw_suite_find(cw_cbor_uint(&r, 0, UINT32_MAX));
	if (out->suite == NULL)
		return CW_ERR_BAD_SUITE;
	n = out->suite->nonce_bytes;
	cw_cbor_bstr_into(&r, out->th, sizeof(out->th));
	cw_cbor_bstr_into(&r, out->h, sizeof(out->h));
	cw_cbor_bstr_into(&r, out->down_key, sizeof(out->down_key));
	cw_cbor_bstr_into(&r, out->up_key, sizeof(out->up_key));
	cw_cbor_bstr_into(&r, out->down_iv, n);
	cw_cbor_bstr_into(&r, out->up_iv, n);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}
