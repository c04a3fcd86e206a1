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
#include "proto/scope.h"
#include "proto/statement.h"

#define CW_CARD_POLICIES_MAX 32
#define CW_CARD_SESSIONS_MAX 16 /* open and ended ones together */
#define CW_CARD_COUNTERS_MAX 128
#define CW_CARD_FAILURES_MAX 8 /* the session dies at this one */
#define CW_CARD_GUID_BYTES 16
#define CW_CARD_MESSAGE_MAX (CW_BODY_MAX)

/* A PIN or PUK; len 0: not set. Bytes behind len are zero. */
struct cw_card_pin {
	uint8_t value[CW_PIN_MAX_BYTES];
	uint8_t len;
	uint8_t tries; /* left */
};

struct cw_card_key {
	struct cw_card_key *next;
	uint8_t owner[CW_HASH_BYTES]; /* H(management key) */
	uint32_t id;
	struct cw_attributes attributes;
	struct cw_public_key public_key;
	struct cw_buf name;
	struct cw_buf private_key; /* PKCS#8 */
	struct cw_buf chain;       /* CBOR [+ bstr DER], leaf first; or empty */
};

struct cw_card_policy {
	struct cw_card_policy *next;
	uint8_t owner[CW_HASH_BYTES];
	uint32_t id;
	struct cw_pin_rule rule;
	bool issuer_set;
	bool modifiable;
	struct cw_card_pin pin;
};

struct cw_card_objects {
	struct cw_card_key *keys;
	struct cw_card_policy *policies;
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
};

struct cw_card_counter {
	uint8_t owner[CW_HASH_BYTES];
	uint64_t value;
};

struct cw_card_state {
	struct cw_buf personalisation; /* empty: none yet */
	uint8_t guid[CW_CARD_GUID_BYTES];
	struct cw_card_pin pin, puk; /* the holder's */
	size_t n_counters;
	struct cw_card_counter counters[CW_CARD_COUNTERS_MAX];
	struct cw_card_objects objects;
	struct cw_card_session *sessions;
};

/* An empty state with a random GUID; NULL: no memory. */
struct cw_card_state *cw_card_state_new(void);
void cw_card_state_free(struct cw_card_state **state);

void cw_card_state_encode(const struct cw_card_state *state,
    struct cw_buf *out);

/* Errors: BAD_STATE_FILE, NO_MEMORY. */
enum cw_err cw_card_state_decode(struct cw_bytes in, struct cw_card_state **out)
    __attribute__((warn_unused_result));

/* Each makes an empty one; NULL: no memory. The caller puts it into a list. */
struct cw_card_key *cw_card_key_new(void);
struct cw_card_policy *cw_card_policy_new(void);
struct cw_card_record *cw_card_record_new(void);
struct cw_card_session *cw_card_session_new(void);

void cw_card_key_free(struct cw_card_key **key);
void cw_card_policy_free(struct cw_card_policy **policy);
void cw_card_record_free(struct cw_card_record **record);
void cw_card_session_free(struct cw_card_session **session);

/* Frees the whole lists. */
void cw_card_objects_wipe(struct cw_card_objects *objects);

/* Appends to a list; the list takes it. */
void cw_card_keys_append(struct cw_card_key **list, struct cw_card_key *key);
void cw_card_policies_append(struct cw_card_policy **list,
    struct cw_card_policy *policy);
void cw_card_records_append(struct cw_card_record **list,
    struct cw_card_record *record);
void cw_card_sessions_append(struct cw_card_session **list,
    struct cw_card_session *session);

#endif
