/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of the provisioning application's other APDUs (session.cddl "APDU
 * payloads") and of the personalisation file. Views borrow. */
#ifndef CW_PROTO_CARD_LINK_H
#define CW_PROTO_CARD_LINK_H

#include "proto/crypto.h"
#include "proto/limits.h"
#include "proto/pin.h"
#include "proto/x509.h"

struct cw_pin_info {
	uint32_t policy; /* 0: the holder's PIV PIN and PUK */
	struct cw_pin_rule rule;
	bool is_set;
	unsigned tries_left;
	struct cw_pin_rule puk_rule; /* only for policy 0 */
	unsigned puk_tries_left;
	uint32_t group; /* of another policy's keys: to be given back */
	unsigned usage; /* of the key that waits; 0 for policy 0 */
};

void cw_pin_info_encode(const struct cw_pin_info *info, struct cw_buf *out);
enum cw_err cw_pin_info_decode(struct cw_bytes in, struct cw_pin_info *out)
    __attribute__((warn_unused_result));

struct cw_set_pin {
	uint8_t session_id[CW_SESSION_ID_BYTES];
	uint32_t policy;
	struct cw_bytes pin;
	struct cw_bytes puk; /* only for policy 0; empty otherwise */
	uint32_t group;      /* as in pin-info; 0 for policy 0 */
};

void cw_set_pin_encode(const struct cw_set_pin *set, struct cw_buf *out);
enum cw_err cw_set_pin_decode(struct cw_bytes in, struct cw_set_pin *out)
    __attribute__((warn_unused_result));

enum cw_session_state {
	CW_SESSION_OPEN = 1,
	CW_SESSION_CLOSED = 2,
	CW_SESSION_ERROR = 3,
};

struct cw_status {
	struct cw_bytes uri;
	uint8_t session_id[CW_SESSION_ID_BYTES];
	struct cw_bytes last_message; /* message 4, or replies: to be POSTed */
	unsigned answered;            /* commands answered since */
	enum cw_session_state state;
};

void cw_status_query_encode(struct cw_bytes origin, struct cw_buf *out);
enum cw_err cw_status_query_decode(struct cw_bytes in, struct cw_bytes *origin)
    __attribute__((warn_unused_result));
void cw_status_encode(const struct cw_status *status, struct cw_buf *out);
enum cw_err cw_status_decode(struct cw_bytes in, struct cw_status *out)
    __attribute__((warn_unused_result));

struct cw_public_slot {
	uint8_t slot;
	enum cw_key_type type;
	bool has_certificate;
};

#define CW_PUBLIC_SLOTS_MAX 24

void cw_list_public_encode(const struct cw_public_slot *slots, size_t n,
    struct cw_buf *out);
enum cw_err cw_list_public_decode(struct cw_bytes in,
    struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX], size_t *n)
    __attribute__((warn_unused_result));

/* What a card is given once, in its factory: secret. */
struct cw_personalisation {
	uint8_t card_secret[32];
	struct cw_bytes card_key; /* PKCS#8 */
	size_t n_card_chain;
	struct cw_bytes card_chain[CW_CHAIN_MAX];
	struct cw_bytes batch_key; /* PKCS#8 */
	size_t n_batch_chain;
	struct cw_bytes batch_chain[CW_CHAIN_MAX];
	struct cw_bytes model, firmware, serial;
};

void cw_personalisation_encode(const struct cw_personalisation *p,
    struct cw_buf *out);
enum cw_err cw_personalisation_decode(struct cw_bytes in,
    struct cw_personalisation *out) __attribute__((warn_unused_result));

/* The origin (RFC 6454) of an http or https URL, as a view into it: scheme,
 * host, port. False if it is no such URL, or has user information. */
bool cw_url_origin(struct cw_bytes url, struct cw_bytes *origin);

#endif
