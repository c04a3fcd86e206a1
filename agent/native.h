/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's part of a conversation with the browser's extension: greeting,
 * status, one run, the end (docs/agent.md "The browser"). What carries the
 * messages is a struct of functions, so that tests play them.
 */
#ifndef CW_AGENT_NATIVE_H
#define CW_AGENT_NATIVE_H

#include "agent/native_message.h"
#include "agent/run.h"
#include "agent/watch.h"

#define CW_NATIVE_VERSION 1

struct cw_native_link {
	/*
	 * The next message, or type NONE when readers have changed.
	 * timeout_ms below zero: for ever. Errors: CANCELLED (also the end of
	 * the other side, or a signal), PERSON_TIMEOUT, those of decoding.
	 */
	enum cw_err (*next)(struct cw_native_link *link, int timeout_ms,
	    struct cw_native_message *out);
	/* One JSON object. Errors: IO, CLOSED, TOO_LARGE. */
	enum cw_err (*send)(struct cw_native_link *link, struct cw_bytes json);
	void (*readers)(struct cw_native_link *link, struct cw_readers *out);
	bool (*is_stopped)(struct cw_native_link *link);
};

struct cw_native_config {
	struct cw_native_link *link;
	struct cw_reader *reader; /* for the run */
	struct cw_pin_entry *pin_entry;
	/* "pad", "pinentry" or "none", asked at each status. */
	const char *(*pin_kind)(const void *pin_ctx);
	const void *pin_ctx;
	const struct cw_known *known;
	const struct cw_clock *clock;
	unsigned person_ms;   /* patience with the person's answers */
	unsigned card_ms;     /* with the person who looks for a card */
	unsigned patience_ms; /* with the issuer, for each message */
	enum cw_err refusal;  /* not CW_OK: says so instead of a greeting */
};

/*
 * The whole conversation, up to `done` or `failed`. The error is what `failed`
 * said; errors: any.
 */
enum cw_err cw_native_serve(const struct cw_native_config *config)
    __attribute__((warn_unused_result));

/* True for an origin that may ask: https, or http of this machine itself, in
 * the form in which browsers write it. */
bool cw_native_may_ask(const char *origin);

#endif
