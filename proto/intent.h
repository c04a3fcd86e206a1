/* SPDX-License-Identifier: Apache-2.0 */
/* Messages 1 and 2: Intent, Capabilities (session.cddl). Views borrow. */
#ifndef CW_PROTO_INTENT_H
#define CW_PROTO_INTENT_H

#include "proto/scope.h"
#include "proto/crypto.h"

struct cw_intent {
	struct cw_bytes issuer_name; /* displayable text */
	struct cw_bytes purpose;
	enum cw_action action;
	struct cw_bytes subject; /* RFC 4514 */
	struct cw_bytes session_url;
	struct cw_scope scope;
	enum cw_mode mode;
	uint64_t expires_s;
};

void cw_intent_encode(const struct cw_intent *intent, struct cw_buf *out);

/* Errors: the reader's; BAD_VERSION when version 1 is not offered; BAD_TEXT. */
enum cw_err cw_intent_decode(struct cw_bytes in, struct cw_intent *out)
    __attribute__((warn_unused_result));

#define CW_CAPS_LIST_MAX 8

/* What a card says of itself: made by the card, hashed as its exact bytes. */
struct cw_card_caps {
	size_t n_suites, n_algs, n_key_types, n_modes;
	uint8_t suites[CW_CAPS_LIST_MAX];
	enum cw_alg algs[CW_CAPS_LIST_MAX];
	uint8_t key_types[CW_CAPS_LIST_MAX];
	uint8_t modes[CW_CAPS_LIST_MAX];
	unsigned keys_max;
	unsigned command_max; /* bytes */
	uint8_t nonce[CW_NONCE_BYTES];
};

void cw_card_caps_encode(const struct cw_card_caps *caps, struct cw_buf *out);
enum cw_err cw_card_caps_decode(struct cw_bytes in, struct cw_card_caps *out)
    __attribute__((warn_unused_result));
bool cw_card_caps_has_suite(const struct cw_card_caps *caps, unsigned suite);
bool cw_card_caps_has_mode(const struct cw_card_caps *caps, unsigned mode);
bool cw_card_caps_has_key_type(const struct cw_card_caps *caps, unsigned type);

#define CW_LANGUAGES_MAX 8

struct cw_capabilities {
	struct cw_bytes card_caps; /* exactly the card's bytes */
	uint8_t intent_hash[CW_HASH_BYTES];
	bool pin_pad;
	size_t n_languages;
	struct cw_bytes languages[CW_LANGUAGES_MAX]; /* RFC 5646 tags */
	struct cw_bytes agent;                       /* name and version */
};

void cw_capabilities_encode(const struct cw_capabilities *c,
    struct cw_buf *out);
enum cw_err cw_capabilities_decode(struct cw_bytes in,
    struct cw_capabilities *out) __attribute__((warn_unused_result));

#endif
