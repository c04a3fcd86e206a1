/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the extension says to the agent: JSON objects (docs/agent.md "The
 * browser" has the table). Members that are not known are passed over; types
 * that are not known, and members of a wrong type, are refused.
 */
#ifndef CW_AGENT_NATIVE_MESSAGE_H
#define CW_AGENT_NATIVE_MESSAGE_H

#include "agent/language.h"
#include "agent/net.h"
#include "agent/reader.h"
#include "proto/intent.h"

enum cw_native_type {
	CW_NATIVE_NONE, /* not a message: readers or cards have changed */
	CW_NATIVE_HELLO,
	CW_NATIVE_STATUS,
	CW_NATIVE_START,
	CW_NATIVE_ACCEPT,
	CW_NATIVE_REFUSE,
	CW_NATIVE_DROP,
	CW_NATIVE_REPLY,
	CW_NATIVE_CANCEL,
};

struct cw_native_message {
	enum cw_native_type type;
	/* hello */
	int64_t version;
	size_t n_languages; /* those of a shape that is known */
	char languages[CW_LANGUAGES_MAX][CW_LANGUAGE_MAX];
	/* status */
	bool watch;
	/* start; the Intent's bytes are in response.body */
	char origin[CW_URI_MAX + 1];
	/* accept: "" for the only card there is */
	char reader[CW_READER_NAME_MAX + 1];
	/* reply */
	uint64_t id;
	enum cw_err failure; /* why there is no response; CW_OK if there is */
	struct cw_net_response response;
};

void cw_native_message_init(struct cw_native_message *message);
void cw_native_message_wipe(struct cw_native_message *message);

/* `out` is initialised. Errors: MALFORMED; TOO_LARGE for bytes beyond
 * CW_BODY_MAX; NO_MEMORY. */
enum cw_err cw_native_message_decode(struct cw_bytes json,
    struct cw_native_message *out) __attribute__((warn_unused_result));

#endif
