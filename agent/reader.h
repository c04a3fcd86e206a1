/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A card reader, as a struct of functions, so that a run does not know whether
 * PC/SC or a test is behind it. One object serves one card connection at a
 * time; one thread, except that `wait` may run in a second one.
 */
#ifndef CW_AGENT_READER_H
#define CW_AGENT_READER_H

#include "proto/base/buf.h"

#define CW_READERS_MAX 16
#define CW_READER_NAME_MAX 127
#define CW_ATR_MAX 33 /* ISO 7816-3 8.2.1 */

struct cw_reader_info {
	char name[CW_READER_NAME_MAX + 1];
	bool has_card;
	bool is_exclusive; /* another program has it to itself */
	bool is_mute;      /* the card does not answer */
	uint8_t atr[CW_ATR_MAX];
	size_t atr_len;
};

struct cw_reader;

struct cw_reader_ops {
	/*
	 * The readers of this machine; no reader at all is CW_OK with *n == 0.
	 * Errors: NO_PCSC, PCSC_FORBIDDEN, CARD_BUSY (is_stuck).
	 */
	enum cw_err (*list)(struct cw_reader *reader,
	    struct cw_reader_info info[CW_READERS_MAX], size_t *n);
	/*
	 * Returns when a reader or a card has come or gone since the last
	 * `list`. Errors: PERSON_TIMEOUT after timeout_ms, and those of list.
	 */
	enum cw_err (*wait)(struct cw_reader *reader, unsigned timeout_ms);
	/*
	 * Shares the card in that reader; fills atr, atr_len and max_apdu.
	 * Errors: NO_READER, NO_CARD, WRONG_CARD, those of list; CARD_BUSY
	 * at once if another program has it to itself, or after the patience
	 * if one holds it for a while.
	 */
	enum cw_err (*connect)(struct cw_reader *reader, const char *name);
	/*
	 * One APDU; the answer (at least two bytes) is appended to `response`.
	 * Errors: CARD_REMOVED.
	 */
	enum cw_err (*transmit)(struct cw_reader *reader,
	    struct cw_bytes command, struct cw_buf *response);
	/*
	 * From begin to end the card is ours alone, and whoever dies in
	 * between gets it reset. A card that another program has reset since
	 * is taken up again and counted in `resets`. Another program that
	 * holds the card is waited for. Errors: CARD_REMOVED, CARD_BUSY.
	 */
	enum cw_err (*begin)(struct cw_reader *reader);
	void (*end)(struct cw_reader *reader, bool reset);
	void (*disconnect)(struct cw_reader *reader, bool reset);
	void (*close)(struct cw_reader *reader); /* frees it */
};

/* What happens while another program has the card to itself; all may be 0. */
struct cw_reader_patience {
	void (
	    *busy)(void *ctx, bool is_busy); /* told when it begins and ends */
	void *ctx;
	unsigned wait_ms; /* then CARD_BUSY; 0: a minute */
};

struct cw_reader {
	const struct cw_reader_ops *ops;
	uint8_t atr[CW_ATR_MAX];
	size_t atr_len;
	size_t max_apdu; /* longest command the reader takes; 0: not known */
	unsigned resets; /* times that the card's volatile state was lost */
	bool is_stuck;   /* patience was lost: nothing but CARD_BUSY any more */
	struct cw_reader_patience patience;
};

/* The machine's PC/SC readers. Connects to pcscd at first use only. */
struct cw_reader *cw_reader_pcsc_open(void);

/* NULL-safe; nulls the pointer. */
void cw_reader_close(struct cw_reader **reader);

/* pcsc-lite's version, for `check`. */
const char *cw_reader_pcsc_version(void);

#endif
