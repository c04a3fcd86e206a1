/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and replies in the clear (session.cddl command, reply). Views
 * borrow from the plaintext. */
#ifndef CW_PROTO_COMMAND_H
#define CW_PROTO_COMMAND_H

#include "proto/pin.h"
#include "proto/statement.h"
#include "proto/x509.h"

enum cw_command_no {
	CW_CREATE_PUK_POLICY = 1,
	CW_CREATE_PIN_POLICY = 2,
	CW_CREATE_KEY = 3,
	CW_SET_CERTIFICATES = 4,
	CW_IMPORT_SYMMETRIC_KEY = 5,
	CW_IMPORT_PRIVATE_KEY = 6,
	CW_SET_EXTENSION = 7,
	CW_LIST = 8,
	CW_DELETE_KEY = 9,
	CW_UNLOCK_KEY = 10,
	CW_UPDATE_KEY = 11,
	CW_CLONE_KEY_PROTECTION = 12,
	CW_CLOSE = 13,
};

/* "CREATE_KEY", or NULL for a number that is none. */
const char *cw_command_name(unsigned no);

struct cw_create_pin_policy {
	uint32_t id;
	struct cw_pin_rule rule;
	bool issuer_set;
	bool modifiable;
	struct cw_bytes value; /* only if issuer_set */
};

struct cw_create_key {
	uint32_t id;
	enum cw_key_type type;
	unsigned usage;
	uint32_t pin_policy; /* 0: none named */
	uint8_t slot;        /* 0: outside the PIV slots */
	struct cw_bytes name;
};

struct cw_set_certificates {
	uint32_t id;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX]; /* DER, leaf first */
};

struct cw_close {
	uint8_t nonce[CW_NONCE_BYTES];
};

struct cw_command {
	enum cw_command_no no;
	bool last; /* of its batch; always true for CLOSE */
	union {
		struct cw_create_pin_policy create_pin_policy;
		struct cw_create_key create_key;
		struct cw_set_certificates set_certificates;
		struct cw_close close;
	} u;
};

void cw_command_encode(const struct cw_command *c, struct cw_buf *out);

/* Errors: the reader's; UNKNOWN_COMMAND; BAD_TEXT. */
enum cw_err cw_command_decode(struct cw_bytes in, struct cw_command *out)
    __attribute__((warn_unused_result));

struct cw_listed_key {
	uint32_t id;
	enum cw_key_type type;
	uint8_t slot;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX];
};

struct cw_reply {
	enum cw_err
	    err; /* CW_OK, or the card's error; then nothing else. Decoded,
	                  * a number that no card may say is PEER_UNKNOWN. */
	struct cw_public_key key; /* CREATE_KEY */
	struct cw_bytes
	    statement; /* CREATE_KEY: key statement; CLOSE: result */
	size_t n_keys; /* LIST */
	struct cw_listed_key
	    *keys; /* LIST: array of the caller's, for decode of
	                             * CW_KEYS_MAX elements, or NULL */
};

/* `no` says which command is answered. */
void cw_reply_encode(enum cw_command_no no, const struct cw_reply *reply,
    struct cw_buf *out);
enum cw_err cw_reply_decode(enum cw_command_no no, struct cw_bytes in,
    struct cw_reply *out) __attribute__((warn_unused_result));

#endif
