/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key schedule and secure channel of one session (docs/protocol.md "Key
 * schedule and channel"). The struct holds secrets: wipe it. Nothing here
 * counts or stores: encrypt-once is the caller's duty (docs/protocol.md
 * "Encrypt once").
 */
#ifndef CW_PROTO_CHANNEL_H
#define CW_PROTO_CHANNEL_H

#include "proto/cose.h"
#include "proto/suite.h"

struct cw_channel {
	const struct cw_suite *suite;
	uint8_t th[CW_HASH_BYTES];
	uint8_t h[CW_HASH_BYTES]; /* h_i after i commands; set by _begin */
	uint8_t down_key[CW_AEAD_KEY_BYTES];
	uint8_t up_key[CW_AEAD_KEY_BYTES];
	uint8_t down_iv[CW_AEAD_NONCE_MAX];
	uint8_t up_iv[CW_AEAD_NONCE_MAX];
};

/* th = H(CBOR["CW1", bstr R, E_c]) */
void cw_channel_th(struct cw_bytes request,
    const struct cw_public_key *card_ephemeral, uint8_t th[CW_HASH_BYTES]);

/* Agreement and key schedule. `own` is this end's ephemeral key, `peer` the
 * other's; `card_ephemeral` is E_c at both ends. Errors: BAD_KEY. */
enum cw_err cw_channel_init(struct cw_channel *ch, const struct cw_suite *suite,
    struct cw_bytes request, const struct cw_public_key *card_ephemeral,
    const struct cw_private_key *own, const struct cw_public_key *peer)
    __attribute__((warn_unused_result));

void cw_channel_wipe(struct cw_channel *ch);

/* The token: up, i = 0, aad ["CW1 token", th]. Sealed as COSE_Encrypt0. */
enum cw_err cw_channel_seal_token(const struct cw_channel *ch,
    struct cw_bytes plain, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_channel_open_token(const struct cw_channel *ch,
    struct cw_bytes sealed, struct cw_buf *plain)
    __attribute__((warn_unused_result));

/* h_0, from the bytes of message 4. */
void cw_channel_begin(struct cw_channel *ch, struct cw_bytes message_4);

/* Command i >= 1, down. Errors of open: BAD_CIPHERTEXT, the reader's. */
enum cw_err cw_channel_seal_command(const struct cw_channel *ch, unsigned i,
    struct cw_bytes plain, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_channel_open_command(const struct cw_channel *ch, unsigned i,
    struct cw_bytes sealed, struct cw_buf *plain)
    __attribute__((warn_unused_result));

/* Reply i, up, bound to the bytes of command i. */
enum cw_err cw_channel_seal_reply(const struct cw_channel *ch, unsigned i,
    struct cw_bytes command, struct cw_bytes plain, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_channel_open_reply(const struct cw_channel *ch, unsigned i,
    struct cw_bytes command, struct cw_bytes sealed, struct cw_buf *plain)
    __attribute__((warn_unused_result));

/* h_i from h_(i-1), the bytes of command i and of its reply. */
void cw_channel_advance(struct cw_channel *ch, struct cw_bytes command,
    struct cw_bytes reply);

/* h_end from h_(n-1) and the bytes of command n, which is CLOSE. */
void cw_channel_h_end(const struct cw_channel *ch, struct cw_bytes command,
    uint8_t h_end[CW_HASH_BYTES]);

/* The whole state as CBOR, and back, for sealed storage: a secret. */
void cw_channel_encode(const struct cw_channel *ch, struct cw_buf *out);
enum cw_err cw_channel_decode(struct cw_bytes in, struct cw_channel *out)
    __attribute__((warn_unused_result));

#endif
