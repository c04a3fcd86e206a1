/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conformance kit: checks of a card from outside, by APDUs alone. It knows
 * nothing of a card but its vendor's root. Every check is a row with the clause
 * of docs/protocol.md and a sentence of what must hold; it begins on a card
 * that was reset and is powered anew.
 *
 * A check is a chain of expectations: each is true, or notes what was wrong
 * and is false.
 */
#ifndef CW_CONFORMANCE_KIT_H
#define CW_CONFORMANCE_KIT_H

#include "proto/apdu.h"
#include "proto/intent.h"
#include "proto/x509.h"
#include "tests/support/issuer.h"

/* How the kit reaches a card. */
struct cw_kit_link {
	/* As in struct cw_test_wire. */
	void (*transmit)(void *ctx, struct cw_bytes command,
	    struct cw_buf *response);
	/* Takes the power away and gives it back; false: no card any more. */
	bool (*reset)(void *ctx);
	/*
	 * Arms a cut of power: the card dies before (or after) the n-th write
	 * to its memory from now on, until `reset`. NULL: cannot be done here.
	 */
	void (*cut_at_write)(void *ctx, unsigned n, bool after);
	void *ctx;
};

struct cw_kit {
	struct cw_kit_link link;
	struct cw_test_wire wire;
	struct cw_trust *trust; /* the vendor's roots */
	uint64_t now_s;         /* when certificates are to hold */
	struct cw_test_issuer issuer;
	struct cw_card_caps caps;
	struct cw_buf out;
	bool unsupported;
	char why[256];
};

struct cw_kit_check {
	const char *name;   /* stable: "R-signature" */
	const char *clause; /* of docs/protocol.md: "5.3" */
	const char *must;   /* what holds */
	bool (*run)(struct cw_kit *kit);
};

/* The tables, one per file; each ends with name NULL. */
extern const struct cw_kit_check cw_kit_encoding[];
extern const struct cw_kit_check cw_kit_open[];
extern const struct cw_kit_check cw_kit_statements[];
extern const struct cw_kit_check cw_kit_channel[];
extern const struct cw_kit_check cw_kit_commands[];
extern const struct cw_kit_check cw_kit_pin[];
extern const struct cw_kit_check cw_kit_privacy[];
extern const struct cw_kit_check cw_kit_piv[];
extern const struct cw_kit_check cw_kit_tearing[];
extern const struct cw_kit_check cw_kit_policies[];
extern const struct cw_kit_check cw_kit_keys[];
extern const struct cw_kit_check cw_kit_manage[];
extern const struct cw_kit_check cw_kit_rollover[];
extern const struct cw_kit_check cw_kit_use[];
extern const struct cw_kit_check cw_kit_holder[];
extern const struct cw_kit_check *const cw_kit_tables[]; /* ends with NULL */

enum cw_kit_verdict {
	CW_KIT_PASSED,
	CW_KIT_FAILED,
	CW_KIT_UNSUPPORTED,
	CW_KIT_VERDICTS
};

/* "passed", "failed", "not supported". */
const char *cw_kit_verdict_name(enum cw_kit_verdict verdict);

/* Borrows `trust`. The card is erased at every check. */
void cw_kit_init(struct cw_kit *kit, const struct cw_kit_link *link,
    struct cw_trust *trust, uint64_t now_s);
void cw_kit_wipe(struct cw_kit *kit);

/* Resets the card, runs one check; kit->why says what was wrong. */
enum cw_kit_verdict cw_kit_run(struct cw_kit *kit,
    const struct cw_kit_check *check);

/* NULL: no check has this name. */
const struct cw_kit_check *cw_kit_find(const char *name);

/* ---- expectations ---- */

bool cw_kit_true(struct cw_kit *kit, bool holds, const char *what);
bool cw_kit_sw(struct cw_kit *kit, unsigned got, unsigned want,
    const char *what);
bool cw_kit_err(struct cw_kit *kit, enum cw_err got, enum cw_err want,
    const char *what);

/* False, and the check's verdict is "not supported". */
bool cw_kit_not_supported(struct cw_kit *kit, const char *what);

/* ---- what checks do with the card ---- */

/* Power off and on, provisioning application selected. */
bool cw_kit_power(struct cw_kit *kit);

/* A session up to message 4, by kit->issuer. */
bool cw_kit_begin(struct cw_kit *kit);

/* Another issuer in the place of kit->issuer, with keys of its own. */
void cw_kit_other_issuer(struct cw_kit *kit, struct cw_test_issuer *other);

/* CREATE_KEY of P-256 with that id in that slot (0: none). */
bool cw_kit_make_key(struct cw_kit *kit, uint32_t id, uint8_t slot,
    struct cw_public_key *made);

/* A session with one certified key, not closed. */
bool cw_kit_until_close(struct cw_kit *kit, uint32_t id, uint8_t slot);

/* A whole session with one key. */
bool cw_kit_enroll(struct cw_kit *kit, uint8_t slot);

/* The command gets this error reply, and that is the session's end. */
bool cw_kit_ends_with(struct cw_kit *kit, const struct cw_command *command,
    enum cw_err want, const char *what);

/* Seals `plain` as the next command, sends it; the reply's error, CW_OK, or
 * CARD_SAYS with the status word in issuer.sw. */
enum cw_err cw_kit_send_plain(struct cw_kit *kit, struct cw_bytes plain,
    enum cw_command_no no);

/* The session takes no further command. */
bool cw_kit_is_dead(struct cw_kit *kit, const char *what);

/* True if the card says that the slot has a key. */
bool cw_kit_has_slot(struct cw_kit *kit, uint8_t slot);

#endif
