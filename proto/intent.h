/* SPDX-License-Identifier: Apache-2.0 */
/* Messages 1 and 2: Intent, Capabilities (session.cddl). Views borrow. */
#ifndef CW_PROTO_INTENT_H
#define CW_PROTO_INTENT_H

#include "proto/scope.h"
#include "proto/crypto.h"

/* What an object of the scope is: the issuer's words for it. */
struct cw_intent_object {
	uint32_t id;
	uint8_t slot;                     /* PIV key reference, or 0 */
	uint8_t leaf_hash[CW_HASH_BYTES]; /* H of its leaf certificate, DER */
	struct cw_bytes name;             /* that certificate's subject */
};

struct cw_intent {
	struct cw_bytes issuer_name; /* displayable text */
	struct cw_bytes purpose;
	enum cw_action action;
	struct cw_bytes subject; /* RFC 4514 */
	struct cw_bytes session_url;
	struct cw_scope scope;
	enum cw_mode mode;
	uint64_t expires_s;
	/* None, or exactly the scope's objects in their order. */
	size_t n_objects;
	struct cw_intent_object objects[CW_SCOPE_OBJECTS_MAX];
};

/* The name of this object; NULL: the Intent does not say. */
const struct cw_intent_object *cw_intent_object(const struct cw_intent *intent,
    uint32_t id);

void cw_intent_encode(const struct cw_intent *intent, struct cw_buf *out);

/* Errors: the reader's; BAD_VERSION when version 1 is not offered; BAD_TEXT;
 * BAD_SCOPE when the objects that are named are not those of the scope. */
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
