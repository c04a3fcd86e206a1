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

struct cw_create_puk_policy {
	uint32_t id;
	struct cw_pin_rule rule;
	struct cw_bytes value; /* always the issuer's */
};

struct cw_create_pin_policy {
	uint32_t id;
	struct cw_pin_rule rule;
	bool issuer_set;
	bool modifiable;
	struct cw_bytes value;         /* only if issuer_set, and then shared */
	enum cw_pin_grouping grouping; /* 0 is CW_PIN_SHARED */
	uint32_t puk;                  /* object id of a PUK policy, or 0 */
};

/* CREATE_KEY, and with a secret IMPORT_SYMMETRIC_KEY and IMPORT_PRIVATE_KEY. */
struct cw_create_key {
	uint32_t id;
	enum cw_key_type type;
	unsigned usage;
	uint32_t pin_policy; /* 0: none named */
	uint8_t slot;        /* 0: outside the PIV slots */
	struct cw_bytes name;
	bool exportable;
	enum cw_guard export_guard; /* NONE, PIN, PUK; if exportable */
	enum cw_guard delete_guard;
	size_t n_algorithms;
	int32_t algorithms[CW_ALGORITHMS_MAX];
	struct cw_bytes pin;    /* the group's PIN, if the issuer sets it */
	struct cw_bytes secret; /* bytes, or PKCS#8 */
};

#define CW_PRIVATE_KEY_MAX 4096 /* PKCS#8 of any key type */

struct cw_set_certificates {
	uint32_t id;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX]; /* DER, leaf first */
};

/* What an extension is (docs/protocol.md "Extensions"). */
enum cw_extension_kind {
	CW_EXTENSION_PLAIN = 1,
	CW_EXTENSION_CONFIDENTIAL = 2, /* read with the key's PIN only */
	CW_EXTENSION_PROPERTIES = 3,
	CW_EXTENSION_LOGOTYPE = 4,
};

#define CW_EXTENSION_MAX 16384
#define CW_EXTENSIONS_MAX 8 /* of one key */

struct cw_set_extension {
	uint32_t id;
	struct cw_bytes type; /* a URI or other name */
	enum cw_extension_kind kind;
	struct cw_bytes media_type; /* of a logotype */
	struct cw_bytes data;
};

struct cw_list {
	uint32_t after; /* ids above this one; 0: all */
};

/* DELETE_KEY, UNLOCK_KEY: target; UPDATE_KEY, CLONE_KEY_PROTECTION: both. */
struct cw_on_key {
	uint32_t id; /* a key of this session */
	uint32_t target;
};

struct cw_close {
	uint8_t nonce[CW_NONCE_BYTES];
};

struct cw_command {
	enum cw_command_no no;
	bool last; /* of its batch; always true for CLOSE */
	union {
		struct cw_create_puk_policy create_puk_policy;
		struct cw_create_pin_policy create_pin_policy;
		struct cw_create_key create_key;
		struct cw_set_certificates set_certificates;
		struct cw_set_extension set_extension;
		struct cw_list list;
		struct cw_on_key on_key;
		struct cw_close close;
	} u;
};

void cw_command_encode(const struct cw_command *c, struct cw_buf *out);

/* Errors: the reader's; UNKNOWN_COMMAND; BAD_TEXT; BAD_EXTENSION. */
enum cw_err cw_command_decode(struct cw_bytes in, struct cw_command *out)
    __attribute__((warn_unused_result));

struct cw_listed_key {
	uint32_t id;
	struct cw_attributes attributes;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX];
	bool has_pin, has_puk; /* a PIN protects it; a PUK unblocks that */
	unsigned pin_tries, puk_tries; /* left */
	bool exported;                 /* a copy has left the card */
	size_t n_extensions;
	struct cw_bytes extensions[CW_EXTENSIONS_MAX]; /* types */
};

struct cw_reply {
	enum cw_err
	    err; /* CW_OK, or the card's error; then nothing else. Decoded,
	                  * a number that no card may say is PEER_UNKNOWN. */
	struct cw_public_key key; /* CREATE_KEY */
	struct cw_bytes
	    statement; /* CREATE_KEY: key statement; CLOSE: result */
	bool more;     /* LIST: there are keys with higher ids */
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
