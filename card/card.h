/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference card: behaves like a chip (docs/card.md). It hears command
 * APDUs and answers them; the vpcd transport, in-process tests, load and
 * fuzzing all use this one entry point. There is no global state: a process
 * may have any number of cards. One card is used by one thread at a time.
 */
#ifndef CW_CARD_CARD_H
#define CW_CARD_CARD_H

#include "proto/base/buf.h"

struct cw_card;

/*
 * Non-volatile memory, passed in so that tests can tear, fill and read it. The
 * card itself serialises its calls.
 */
struct cw_card_storage {
	/* What was stored last, appended to `out`. NO_FILE: a new card. */
	enum cw_err (*load)(void *ctx, struct cw_buf *out);

	/*
	 * Replaces it: after a kill or power cut at any instant either the old
	 * or the new bytes are there. After an error too either may be there:
	 * the card goes on as it was, having let out nothing of the new.
	 */
	enum cw_err (*store)(void *ctx, struct cw_bytes state);

	void (*close)(void *ctx); /* may be NULL */
	void *ctx;
};

struct cw_card_config {
	/* The state file (mode 0600), locked while the card is open. */
	const char *state_path;

	/* Used instead of state_path if not NULL; copied. With neither, the
	 * card forgets everything when it is freed. */
	const struct cw_card_storage *storage;

	size_t storage_max;         /* bytes of state; 0: CW_CARD_STORAGE_MAX */
	unsigned keys_max;          /* 0: CW_CARD_KEYS_MAX, which is the most */
	unsigned open_sessions_max; /* 0: CW_CARD_OPEN_SESSIONS_MAX, likewise */
};

#define CW_CARD_STORAGE_MAX ((size_t)1024 * 1024)
#define CW_CARD_KEYS_MAX 32
#define CW_CARD_OPEN_SESSIONS_MAX 4

/*
 * Puts a card together and powers it on. Errors: LOCKED (another process has
 * the state file), BAD_STATE_FILE, FILE_MODE, IO, NO_MEMORY.
 */
enum cw_err cw_card_open(const struct cw_card_config *config,
    struct cw_card **out) __attribute__((warn_unused_result));

/* Forgets what is in RAM (which is what a power cut does); NULL-safe. */
void cw_card_free(struct cw_card **card);

/*
 * Gives the card its attestation keys and secret (session.cddl
 * personalisation), as PERSONALISE does. Errors: ALREADY_PERSONALISED, the
 * reader's, BAD_PRIVATE_KEY, BAD_CERTIFICATE, WRONG_CERTIFICATE, CARD_STORAGE,
 * CARD_FULL.
 */
enum cw_err cw_card_personalise(struct cw_card *card,
    struct cw_bytes personalisation) __attribute__((warn_unused_result));

bool cw_card_is_personalised(const struct cw_card *card);

/* Power off or on; either way everything in RAM is gone. */
void cw_card_power(struct cw_card *card, bool on);
void cw_card_reset(struct cw_card *card);

/* Answer to reset (ISO 7816-3 8); good as long as the program runs. */
struct cw_bytes cw_card_atr(const struct cw_card *card);

/*
 * One command APDU; `response` (initialised by the caller, with a maximum of at
 * least CW_RESPONSE_MAX) is emptied and gets data and status word: never less
 * than two bytes.
 */
void cw_card_transmit(struct cw_card *card, struct cw_bytes command,
    struct cw_buf *response);

/* Public-key operations since the card was opened: what costs a chip its time
 * (docs/card.md "Cost"). */
struct cw_card_operations {
	unsigned key_generations; /* ephemeral keys included */
	unsigned agreements;
	unsigned verifications;
	unsigned signatures; /* statements; not what PIV signs */
	unsigned stores;     /* writes of the whole state */
};

struct cw_card_operations cw_card_operations(const struct cw_card *card);

#endif
