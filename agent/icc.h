/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provisioning application behind a reader: APDU exchange (chaining,
 * GET RESPONSE, extended length) and one typed call per instruction
 * (docs/protocol.md "APDU binding"). The agent reads no more of what it carries
 * than it must.
 *
 * Calls are made between cw_icc_begin and cw_icc_end, which keep other
 * programs from selecting another application in between. Nobody waits for a
 * person there.
 */
#ifndef CW_AGENT_ICC_H
#define CW_AGENT_ICC_H

#include "agent/reader.h"
#include "proto/apdu.h"
#include "proto/card_link.h"

struct cw_icc {
	struct cw_reader *reader; /* kept */
	char name[CW_READER_NAME_MAX + 1];
	bool is_connected, is_extended, is_begun;
	bool
	    is_authenticated; /* a PIN was verified: reset the card at the end */
	uint8_t ins;          /* of the last command */
	uint16_t sw;          /* the last status word, 0 before the first */
	unsigned tries_left;  /* after PIN_WRONG */
};

void cw_icc_init(struct cw_icc *card, struct cw_reader *reader);

/* True if the ATR's historical bytes announce extended length (ISO 7816-4
 * 12.1.1.9: third software function table). */
bool cw_atr_has_extended(struct cw_bytes atr);

/* True if they name a Cardwright card (issuer's data CWCARD, 12.1.1.2), so that
 * it is known without a word to the card. A card without may be one, too. */
bool cw_atr_is_cardwright(struct cw_bytes atr);

/*
 * Connects to the card in the reader of that name, or, with NULL, to the only
 * Cardwright card there is. Errors: those of reader.h, WRONG_CARD, MANY_CARDS.
 */
enum cw_err cw_icc_connect(struct cw_icc *card, const char *name)
    __attribute__((warn_unused_result));
void cw_icc_disconnect(struct cw_icc *card, bool reset);

/* Takes the card for us and selects the application. Errors: CARD_REMOVED,
 * WRONG_CARD, CARD_SAYS. */
enum cw_err cw_icc_begin(struct cw_icc *card)
    __attribute__((warn_unused_result));

/* Gives the card free; resets it if a PIN was verified. */
void cw_icc_end(struct cw_icc *card);

/*
 * One command with all that ISO 7816-4 puts around it; the answer without its
 * status word is appended to `out`, the status word is in card->sw. The APDU's
 * `extended` and, where it must be short, `le` are chosen here.
 * Errors: CARD_REMOVED; CARD_SAYS when the card breaks the rules itself.
 */
enum cw_err cw_icc_exchange(struct cw_icc *card, const struct cw_apdu *apdu,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* The same, and the status word told as an error (PIN_WRONG sets tries_left);
 * an own instruction has CLA 80, and data in and out. */
enum cw_err cw_icc_call(struct cw_icc *card, const struct cw_apdu *apdu,
    struct cw_buf *out) __attribute__((warn_unused_result));
enum cw_err cw_icc_call_own(struct cw_icc *card, enum cw_ins ins,
    struct cw_bytes data, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* card_caps, exactly the card's bytes. */
enum cw_err cw_icc_capabilities(struct cw_icc *card, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* R in, message 4 out. Errors: BAD_NONCE, BAD_SIGNATURE, TOO_MANY_SESSIONS. */
enum cw_err cw_icc_open_session(struct cw_icc *card, struct cw_bytes request,
    struct cw_buf *message_4) __attribute__((warn_unused_result));

/*
 * One command of a batch. With *pin_needed the card wants a PIN first and then
 * the same bytes again. Errors: NO_SESSION, BAD_CIPHERTEXT.
 */
enum cw_err cw_icc_command(struct cw_icc *card,
    const uint8_t session_id[CW_SESSION_ID_BYTES], struct cw_bytes command,
    struct cw_buf *reply, bool *pin_needed) __attribute__((warn_unused_result));

enum cw_err cw_icc_pin_info(struct cw_icc *card, struct cw_pin_info *out)
    __attribute__((warn_unused_result));

/* Errors: PIN_LENGTH, PIN_FORMAT and PIN_WEAK are the caller's to check; the
 * card says BAD_POLICY to what it does not like. */
enum cw_err cw_icc_set_pin(struct cw_icc *card, const struct cw_set_pin *set)
    __attribute__((warn_unused_result));

/* The holder's PIN. Errors: PIN_WRONG (tries_left is set), PIN_BLOCKED. */
enum cw_err cw_icc_verify(struct cw_icc *card, struct cw_bytes pin)
    __attribute__((warn_unused_result));

/*
 * The session that the card keeps for an issuer; `status` borrows from `out`.
 * Errors: NO_SESSION.
 */
enum cw_err cw_icc_status(struct cw_icc *card, struct cw_bytes origin,
    struct cw_buf *out, struct cw_status *status)
    __attribute__((warn_unused_result));

enum cw_err cw_icc_abort(struct cw_icc *card,
    const uint8_t session_id[CW_SESSION_ID_BYTES])
    __attribute__((warn_unused_result));

/* PIV, instead of the provisioning application, until the next begin.
 * Errors: WRONG_CARD, CARD_REMOVED. */
enum cw_err cw_icc_select_piv(struct cw_icc *card)
    __attribute__((warn_unused_result));

/* The certificate of a slot, DER, appended; PIV is selected. Errors:
 * BAD_CERTIFICATE (none, or an object that is none), CARD_REMOVED. */
enum cw_err cw_icc_piv_certificate(struct cw_icc *card, uint8_t slot,
    struct cw_buf *der) __attribute__((warn_unused_result));

enum cw_err cw_icc_list_public(struct cw_icc *card,
    struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX], size_t *n)
    __attribute__((warn_unused_result));

#endif
