/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the card keeps without power, in memory and as one deterministic CBOR
 * item. All of it is secret; every free wipes. Lists are in order of creation.
 */
#ifndef CW_CARD_STATE_H
#define CW_CARD_STATE_H

#include "card/card.h"
#include "proto/card_link.h"
#include "proto/channel.h"
#include "proto/command.h"
#include "proto/request.h"

#define CW_CARD_POLICIES_MAX 32
#define CW_CARD_PUKS_MAX 32
#define CW_CARD_GROUPS_MAX CW_CARD_KEYS_MAX /* of one policy */
#define CW_CARD_ISSUERS_MAX 64  /* management keys that were rolled over */
#define CW_CARD_SESSIONS_MAX 16 /* open and ended ones together */
#define CW_CARD_COUNTERS_MAX 128
#define CW_CARD_FAILURES_MAX 8 /* the session dies at this one */
#define CW_CARD_GUID_BYTES 16
/* Bytes of a key's certificates: with the key's other data they fit a reply. */
#define CW_CARD_CHAIN_MAX 28672
#define CW_CARD_MESSAGE_MAX (CW_BODY_MAX)

/* A PIN or PUK; len 0: not set. Bytes behind len are zero. */
struct cw_card_pin {
	uint8_t value[CW_PIN_MAX_BYTES];
	uint8_t len;
	uint8_t tries; /* left */
};

/* Data attached to a key (docs/protocol.md "Extensions"). */
struct cw_card_extension {
	struct cw_card_extension *next;
	enum cw_extension_kind kind;
	struct cw_buf type, media_type, data;
};

struct cw_card_key {
	struct cw_card_key *next;
	uint8_t owner[CW_HASH_BYTES]; /* H(management key) */
	uint32_t id;
	uint32_t handle; /* the holder's name for it; 0 before CLOSE */
	uint32_t group;  /* of its PIN policy: whose PIN it has */
	bool exported;   /* a copy has left the card */
	struct cw_attributes attributes; /* name: a view of the next */
	struct cw_buf name;
	struct cw_public_key public_key; /* type 0: a secret has none */
	struct cw_buf private_key;       /* PKCS#8, or the secret */
	struct cw_buf chain; /* CBOR [+ bstr DER], leaf first; or empty */
	struct cw_card_extension *extensions;
};

/* The PIN of one group of keys. */
struct cw_card_group {
	struct cw_card_group *next;
	uint32_t group;
	struct cw_card_pin pin;
};

struct cw_card_policy {
	struct cw_card_policy *next;
	uint8_t owner[CW_HASH_BYTES];
	uint32_t id;
	struct cw_pin_rule rule;
	bool issuer_set;
	bool modifiable;
	enum cw_pin_grouping grouping;
	uint32_t puk; /* object id of the same owner, or 0 */
	struct cw_card_group *groups;
};

struct cw_card_puk {
	struct cw_card_puk *next;
	uint8_t owner[CW_HASH_BYTES];
	uint32_t id;
	struct cw_pin_rule rule;
	struct cw_card_pin pin;
};

struct cw_card_objects {
	struct cw_card_key *keys;
	struct cw_card_policy *policies;
	struct cw_card_puk *puks;
};

/* A management command that waits for CLOSE. */
struct cw_card_post {
	struct cw_card_post *next;
	enum cw_command_no no;
	uint32_t id; /* of a key of the session, where the command has one */
	uint32_t target;
};

/* A command that was answered: what makes a repeat get the same bytes. */
struct cw_card_record {
	struct cw_card_record *next;
	uint8_t command_hash[CW_HASH_BYTES];
	struct cw_buf reply;
};

struct cw_card_session {
	struct cw_card_session *next;
	uint8_t id[CW_SESSION_ID_BYTES];
	uint8_t request_hash[CW_HASH_BYTES]; /* H(R) */
	uint8_t owner[CW_HASH_BYTES];
	struct cw_buf uri;
	struct cw_buf message_4;
	enum cw_session_state state;
	enum cw_mode mode;
	struct cw_scope scope;
	unsigned command_limit;
	unsigned answered; /* commands: i of the last one */
	unsigned failures; /* times that bytes did not decrypt */
	/*
	 * The first n_complete records are the last complete message; 0: that
	 * is message 4. The others came since.
	 */
	size_t n_complete;
	struct cw_card_record *records;
	/* While it is open: */
	struct cw_channel channel;
	struct cw_card_objects objects; /* nobody else sees them before CLOSE */
	struct cw_card_pin pin, puk; /* the holder's, for CLOSE; or not set */
	struct cw_card_post *posts;
	/* Hashes of older management keys that R's chain endorses, oldest
	 * first, and the epoch of the present one. */
	size_t n_former;
	uint8_t former[CW_ENDORSEMENTS_MAX][CW_HASH_BYTES];
	uint32_t epoch;
};

struct cw_card_counter {
	uint8_t owner[CW_HASH_BYTES];
	uint64_t value;
};

/* A management key that was replaced, or that replaced another one. */
struct cw_card_issuer {
	uint8_t key[CW_HASH_BYTES];
	uint8_t successor[CW_HASH_BYTES]; /* zeros: it is the present one */
	uint32_t epoch;
};

struct cw_card_state {
	struct cw_buf personalisation; /* empty: none yet */
	uint8_t guid[CW_CARD_GUID_BYTES];
	struct cw_card_pin pin, puk; /* the holder's */
	size_t n_counters;
	struct cw_card_counter counters[CW_CARD_COUNTERS_MAX];
	uint32_t next_handle; /* of the next key, from 1 */
	size_t n_issuers;
	struct cw_card_issuer issuers[CW_CARD_ISSUERS_MAX];
	struct cw_card_objects objects;
	struct cw_card_session *sessions;
};

/* An empty state with a random GUID; NULL: no memory. */
struct cw_card_state *cw_card_state_new(void);
void cw_card_state_free(struct cw_card_state **state);

#define CW_CARD_STATE_VERSION 2

void cw_card_state_encode(const struct cw_card_state *state,
    struct cw_buf *out);

/* Takes the older form too. Errors: BAD_STATE_FILE, NO_MEMORY. */
enum cw_err cw_card_state_decode(struct cw_bytes in, struct cw_card_state **out)
    __attribute__((warn_unused_result));

/* Each makes an empty one; NULL: no memory. The caller puts it into a list. */
struct cw_card_key *cw_card_key_new(void);
struct cw_card_extension *cw_card_extension_new(void);
struct cw_card_policy *cw_card_policy_new(void);
struct cw_card_group *cw_card_group_new(void);
struct cw_card_puk *cw_card_puk_new(void);
struct cw_card_post *cw_card_post_new(void);
struct cw_card_record *cw_card_record_new(void);
struct cw_card_session *cw_card_session_new(void);

void cw_card_key_free(struct cw_card_key **key);
void cw_card_extension_free(struct cw_card_extension **extension);
void cw_card_policy_free(struct cw_card_policy **policy);
void cw_card_group_free(struct cw_card_group **group);
void cw_card_puk_free(struct cw_card_puk **puk);
void cw_card_record_free(struct cw_card_record **record);
void cw_card_session_free(struct cw_card_session **session);

/* Frees the whole lists. */
void cw_card_objects_wipe(struct cw_card_objects *objects);
void cw_card_posts_wipe(struct cw_card_post **posts);

/* Appends to a list; the list takes it. */
void cw_card_keys_append(struct cw_card_key **list, struct cw_card_key *key);
void cw_card_extensions_append(struct cw_card_extension **list,
    struct cw_card_extension *extension);
void cw_card_policies_append(struct cw_card_policy **list,
    struct cw_card_policy *policy);
void cw_card_groups_append(struct cw_card_group **list,
    struct cw_card_group *group);
void cw_card_puks_append(struct cw_card_puk **list, struct cw_card_puk *puk);
void cw_card_posts_append(struct cw_card_post **list,
    struct cw_card_post *post);
void cw_card_records_append(struct cw_card_record **list,
    struct cw_card_record *record);
void cw_card_sessions_append(struct cw_card_session **list,
    struct cw_card_session *session);

#endif
