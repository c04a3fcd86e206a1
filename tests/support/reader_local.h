/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader in this process, over the reference card: the same struct of
 * functions as PC/SC, and everything that can happen to a card on the way.
 */
#ifndef CW_TESTS_READER_LOCAL_H
#define CW_TESTS_READER_LOCAL_H

#include "agent/reader.h"
#include "tests/support/card_factory.h"

#define CW_LOCAL_READERS 3
#define CW_LOCAL_NAME "Local reader 00 00"

enum cw_local_fault {
	CW_LOCAL_NO_FAULT,
	CW_LOCAL_PULL_BEFORE,    /* the card is out before it hears the APDU */
	CW_LOCAL_PULL_AFTER,     /* … after it has executed it: reply lost */
	CW_LOCAL_LOSE_REPLY,     /* the reply is lost, the card stays in */
	CW_LOCAL_SHORT_REPLY,    /* one byte comes: a lost card, too */
	CW_LOCAL_CHANGE_COMMAND, /* one bit of its data */
	CW_LOCAL_CHANGE_REPLY,   /* one bit of its data */
	CW_LOCAL_REPEAT,         /* the card hears it twice */
	CW_LOCAL_OTHER_RESET,    /* another program resets the card afterwards,
	                          * as soon as it may */
	CW_LOCAL_FAULTS,
};

struct cw_local_reader {
	struct cw_reader base;
	struct cw_test_card *cards[CW_LOCAL_READERS]; /* NULL: empty reader */
	size_t n_readers;
	enum cw_err list_error, connect_error; /* CW_OK: none */
	bool is_short; /* an ATR without extended length */
	enum cw_local_fault fault;
	unsigned fault_at;     /* the APDU (from 1) at which it happens */
	unsigned insert_after; /* `wait` calls after which the card is in */
	/* What has happened. */
	struct cw_test_card *connected;
	bool is_out; /* pulled */
	bool is_begun, other_wants_reset;
	unsigned apdus, begins, ends, waits, resets_at_end;
	size_t longest; /* command seen */
	/* May do anything while a card is waited for; NULL: nothing. */
	void (*on_wait)(void *ctx);
	/* May look at and change a reply; NULL: not. */
	void (*on_reply)(void *ctx, struct cw_bytes command,
	    struct cw_buf *response);
	void *ctx;
};

/* One reader with one card (may be NULL). */
void cw_local_reader_init(struct cw_local_reader *reader,
    struct cw_test_card *card);

/* Puts a card that was pulled back in, with a new start. */
void cw_local_reader_insert(struct cw_local_reader *reader);

#endif
