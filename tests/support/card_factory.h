/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards for tests: a vendor that personalises them, storage that can be torn
 * and filled, and a wire to a card in this process. Functions that cannot fail
 * in a working build abort when they do.
 */
#ifndef CW_TESTS_CARD_FACTORY_H
#define CW_TESTS_CARD_FACTORY_H

#include "card/card.h"
#include "proto/crypto.h"

#define CW_TEST_MODEL "Test card"
#define CW_TEST_NOW_S ((uint64_t)1900000000) /* certificates hold here */

/* ---- a vendor ---- */

struct cw_test_vendor {
	struct cw_private_key *root_key, *ca_key;
	struct cw_buf root, ca; /* certificates, DER */
};

void cw_test_vendor_init(struct cw_test_vendor *vendor);
void cw_test_vendor_wipe(struct cw_test_vendor *vendor);

/* A new card's personalisation (session.cddl), appended. */
void cw_test_personalisation(const struct cw_test_vendor *vendor,
    struct cw_buf *out);

/* ---- storage ---- */

enum cw_test_tear {
	CW_TEST_TEAR_NONE,
	CW_TEST_TEAR_FULL,   /* the write is refused, the card goes on */
	CW_TEST_TEAR_BEFORE, /* power is cut before the write */
	CW_TEST_TEAR_AFTER,  /* power is cut after it */
	CW_TEST_TEAR_UNSURE, /* it is made, and said to have failed */
};

struct cw_test_storage {
	struct cw_buf bytes; /* what survives a cut of power */
	unsigned stores;     /* writes so far */
	size_t written;      /* bytes in them */
	enum cw_test_tear tear;
	unsigned tear_at; /* the write (from 1) at which it happens */
	bool is_dead;     /* power was cut */
	struct cw_card_storage ops;
};

void cw_test_storage_init(struct cw_test_storage *storage);
void cw_test_storage_wipe(struct cw_test_storage *storage);

/* ---- a card ---- */

/* How anything talks to a card: empties `response`, fills in data and status
 * word, or leaves it empty when the card has no power. */
struct cw_test_wire {
	void (*transmit)(void *ctx, struct cw_bytes command,
	    struct cw_buf *response);
	void *ctx;
};

struct cw_test_card {
	struct cw_test_storage storage;
	struct cw_card_config config; /* change and power-cycle */
	struct cw_card *card;
	struct cw_test_wire wire;
};

/* A personalised card on its own storage, provisioning application selected
 * by nobody yet. */
void cw_test_card_init(struct cw_test_card *card,
    const struct cw_test_vendor *vendor);
void cw_test_card_wipe(struct cw_test_card *card);

/* Throws the card away and puts it together again from its storage: what a
 * cut of power does. */
void cw_test_card_power_cycle(struct cw_test_card *card);

/* ---- APDUs ---- */

/* Sends one extended APDU; the data of the answer replaces what is in `out`
 * (may be NULL). Returns the status word; 0 when there is no power. */
unsigned cw_test_send(const struct cw_test_wire *wire, unsigned cla_ins,
    unsigned p1_p2, struct cw_bytes data, struct cw_buf *out);

unsigned cw_test_select_provisioning(const struct cw_test_wire *wire);
unsigned cw_test_select_piv(const struct cw_test_wire *wire);

/* VERIFY of the holder's PIN, padded here. */
unsigned cw_test_verify(const struct cw_test_wire *wire, const char *pin);

/* CHANGE PIN or RESET RETRY COUNTER: two values, padded here. */
unsigned cw_test_two_pins(const struct cw_test_wire *wire, unsigned ins,
    unsigned reference, const char *first, const char *second);

#endif
